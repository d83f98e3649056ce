"""The face of hlsflow: a design that scripts and notebooks check, run and explore.

In: the folder of a project, or a trained model and samples. Out: `Design`, and from its methods `Check`, `Runs` and
`Front`, which give their figures as tables and show themselves in notebooks.
"""

from __future__ import annotations

import html
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hlsflow.core.errors import DataError, ProjectError
from hlsflow.core.metrics import Metric, MetricSet
from hlsflow.core.progress import Progress
from hlsflow.core.store import digest, file_digest
from hlsflow.explore.request import Request
from hlsflow.explore.run import explore
from hlsflow.pipeline.context import Results
from hlsflow.pipeline.io_type import settled_io
from hlsflow.pipeline.run import CHECK_STEPS, STEPS, run
from hlsflow.project import Input, Project, for_model
from hlsflow.project import load as load_project

if TYPE_CHECKING:
    from hlsflow.explore.outcome import Outcome
    from hlsflow.hls.gate import Gate

COLUMNS = ("point", "figure", "value", "unit", "stage", "tool", "version", "target", "note")
"""Of the tables of figures; `value` is NaN where a figure is missing, and `note` says why."""

REUSE_FACTORS = (16, 64)
"""Measured for a model when none are given."""

FRAME_HEIGHT = 640
"""Of a page shown in a notebook, in pixels."""


def load(
    source: str | os.PathLike[str] | Any,
    *,
    data: str | os.PathLike[str] | Any = None,
    input_precision: str | None = None,
    bits: int | None = None,
    task: str | None = None,
    tables: Mapping[str, Mapping[str, Any]] | None = None,
    build: str | os.PathLike[str] = "build",
    jobs: int = 0,
    progress: Progress | None = None,
) -> Design:
    """A project, or a trained model with samples, as a `Design`.

    Args:
        source: the folder of a project or its `project.toml`; a model file (`.h5`, `.keras`); or a Keras 2 model.
        data: samples for a model: a file (`.npz` with `x` and perhaps `y`, `.csv`, `.parquet`), an array x of shape
            (n, ...) in real values, or a pair (x, y) with class numbers y of shape (n,), or labels or numbers to
            estimate, (n, values).
        input_precision: type of the hardware's input, such as `fixed<10,4>`; None: the narrowest that holds every
            sample exactly; `auto`: that one, or, where the samples lie on no grid, one whose error and share of
            saturated values are told. Standardized samples lie on none, so that None is `auto` with
            `{"data": {"standardize": ...}}`.
        bits: the model is a float one, and is quantized to so many bits without further training.
        task: what the model tells, `classes`, `binary`, `multilabel` or `regression`; None: what y and the number of
            outputs say.
        tables: tables of a project file with the keys that a model needs besides, such as
            `{"target": {"clock_ns": 4.0}, "data": {"label": "kind"}}`.
        build: the folder of all results; finished work in it is used again.
        jobs: external tools at once; 0: one for each processor.
        progress: where to report; standard output by default.
    Raises:
        ProjectError: the project or an argument is not usable; the message says what is allowed.
        DataError: the samples cannot be read, or lie on no grid. ModelError: the model cannot be read.
    """
    folder, progress = Path(build), progress or Progress()
    path = _path_of(source, folder)
    if path.suffix.lower() not in MODELS:
        _refuse_options(data=data, input_precision=input_precision, bits=bits, task=task, tables=tables)
        return Design(load_project(path), folder, jobs, progress)
    if not path.is_file():
        raise ProjectError(f"there is no model file {path}", "name a QKeras model saved as .h5 or .keras")
    if data is None:
        raise ProjectError(f"{path} needs samples to be checked with", "give them: data X.npz (array x, perhaps y)")
    samples = _samples(data, folder)
    named = input_precision if input_precision not in (None, AUTO) else ANY
    project = for_model(path, samples, named, REUSE_FACTORS, bits=bits, task=task, tables=tables)
    if named is ANY:
        project = _proposed(project, input_precision is None and not project.data.standardize, progress)
    chosen = "io_type" in (tables or {}).get("target", {}) or "strategy" in (tables or {}).get("knobs", {})
    return Design(project if chosen else settled_io(project, folder, progress.say), folder, jobs, progress)


AUTO = "auto"
"""The input type that the samples ask for, rounded where they lie on no grid."""

ANY = "fixed<8,4>"
"""An input type for a project whose own one is not known yet."""

MODELS = (".h5", ".hdf5", ".keras")
"""Endings of model files."""


@dataclass(frozen=True)
class Design:
    """A network with the knobs of its hardware; nothing is computed before a method asks for it.

    Attributes:
        project: everything that is known of it, validated.
        build: the folder of all results.
        jobs: external tools at once; 0: one for each processor.
        progress: where its methods report.
    """

    project: Project
    build: Path
    jobs: int = 0
    progress: Progress = field(default_factory=Progress)

    def check(self) -> Check:
        """The gate: file = frozen network = C-simulation = oracle, on every output of every test sample.

        Returns:
            the gate, whose `verdict` says whether anything differs from the file, and which correction did it.
        Raises:
            GateFailed: more differs than the project allows; names the first layer that does, by how much, and why.
            FlowError: a step before it failed; what was finished is kept.
        """
        results = run(self.project, self.build, CHECK_STEPS, self.progress, self.jobs)
        assert results.gate is not None
        return Check(results.gate, results.metrics)

    def run(self, reuse_factor: int | Iterable[int] = ()) -> Runs:
        """Train where that is needed, translate, check, emit Verilog, simulate and synthesize it.

        Args:
            reuse_factor: one design point for each; by default those of the project.
        Raises:
            GateFailed: as `check`, and where the RTL differs from the oracle.
            FlowError: a step failed; what was finished is kept, and the same call goes on from there.
        """
        factors = (reuse_factor,) if isinstance(reuse_factor, int) else tuple(reuse_factor)
        project = self.project.sweeping(factors) if factors else self.project
        results = run(project, self.build, STEPS, self.progress, self.jobs)
        return Runs(results, _latest(self.build / project.name))

    def explore(
        self,
        *,
        minimize: str | Mapping[str, float] = "",
        front: Sequence[str] = (),
        limits: Mapping[str, int] | None = None,
        part: str | None = None,
        utilisation: float = 1.0,
        per_second: float | None = None,
        family: str | None = None,
        confirm: int = 3,
        points: int | None = None,
    ) -> Front:
        """The best knobs for each layer: exact over measured layers; some points are then synthesized whole.

        Args:
            minimize: a metric, or metric → weight: one optimum. Metrics: `latency_cycles`, `ii`, `lut`, `ff`, `dsp`,
                `bram`.
            front: two or three metrics of a Pareto front, instead; by default `latency_cycles` and `lut`.
            limits: metric → largest value allowed.
            part: a part whose resources are limits too, such as `xc7a35t`.
            utilisation: share of the part that may be used.
            per_second: inferences a second at the project's clock, at least.
            family: `xc7`, `xcup` or `ecp5`; by default that of the part, or the project's first.
            confirm: how many points are synthesized whole.
            points: ends a front after so many.
        Raises:
            Infeasible: no design keeps the limits; says which are in conflict, and which would do.
        """
        objective = {minimize: 1.0} if isinstance(minimize, str) and minimize else dict(minimize or {})
        axes = tuple(front) or (() if objective else ("latency_cycles", "lut"))
        request = Request(axes, objective, limits or {}, part, utilisation, per_second, family, confirm, points)
        outcome, folder = explore(self.project, request, self.build, self.progress, self.jobs)
        return Front(outcome, folder, self)


@dataclass(frozen=True)
class Check:
    """A gate that was passed.

    Attributes:
        gate: what was compared with what.
        metrics: accuracy and the like at each stage.
    """

    gate: Gate
    metrics: MetricSet

    def table(self) -> Any:
        """Its figures, a pandas DataFrame with `COLUMNS`."""
        return _frame([("", self.metrics)])

    def __str__(self) -> str:
        return f"{self.gate}\nverdict: {self.gate.verdict}"

    def _repr_html_(self) -> str:
        lines = "<br>".join(html.escape(line) for line in str(self).splitlines())
        return f"<p>{lines}</p>{self.table().to_html(index=False)}"


@dataclass(frozen=True)
class Runs:
    """Measured design points.

    Attributes:
        results: what each step has left.
        folder: of the run, with `report.html`, `.md`, `.csv`, `.json`.
    """

    results: Results
    folder: Path

    def table(self) -> Any:
        """All figures, a pandas DataFrame with `COLUMNS`: those of the network first, then those of each point."""
        points = [(point.name, point.metrics) for point in self.results.points]
        return _frame([("", self.results.metrics), *points, ("hls4ml", self.results.csynth)])

    def __str__(self) -> str:
        return _text(self.folder / "report.md")

    def _repr_html_(self) -> str:
        return _framed(self.folder / "report.html")


@dataclass(frozen=True)
class Front:
    """The answer of an exploration.

    Attributes:
        outcome: its points, what is proved of them, and the designs that were synthesized whole.
        folder: with `explore.html`, `.md`, `.csv`, `.json`, and a project for each point.
        design: that was explored.
    """

    outcome: Outcome
    folder: Path
    design: Design

    def __len__(self) -> int:
        return len(self.outcome.answer.solutions)

    def __getitem__(self, point: int) -> Design:
        """A point, counted from 1, as a design that can be run."""
        if point not in self.outcome.files:
            raise IndexError(f"there is no point {point}: there are 1 to {len(self)}")
        return replace(self.design, project=load_project(self.folder / self.outcome.files[point]))

    def __iter__(self) -> Iterator[Design]:
        return (self[point] for point in self.outcome.files)

    def table(self) -> Any:
        """A row for each point, a pandas DataFrame: sums of measured layers, and what the schedule says."""
        rows = [{"point": index, **solution.figures} for index, solution in enumerate(self.outcome.answer.solutions, 1)]
        return _pandas().DataFrame(rows)

    def __str__(self) -> str:
        return _text(self.folder / "explore.md")

    def _repr_html_(self) -> str:
        return _framed(self.folder / "explore.html")


def _path_of(source: Any, build: Path) -> Path:
    """The file or folder that is meant; a live model is saved where the digest of its bytes finds it again."""
    if isinstance(source, str | os.PathLike):
        return Path(source)
    if not hasattr(source, "save"):
        raise ProjectError(f"{type(source).__name__} is no model", "give a path, or a Keras 2 or QKeras model")
    return _kept(build, ".h5", source.save)


def _samples(data: Any, build: Path) -> Path:
    """The file of the samples; arrays are written where the digest of their bytes finds them again."""
    if isinstance(data, str | os.PathLike):
        return Path(data)
    x, *y = map(np.asarray, data if isinstance(data, tuple) else (data,))
    if x.ndim < 2 or len(y) > 1:
        raise DataError(f"data starts with shape {x.shape}", "give x of shape (n, ...), or a pair (x, y)")
    write = (lambda file: np.savez(file, x=x, y=y[0])) if y else (lambda file: np.savez(file, x=x))
    return _kept(build, ".npz", write)


def _kept(build: Path, suffix: str, write: Any) -> Path:
    folder = build / "inputs"
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"part{os.getpid()}{suffix}"
    write(part)
    file = folder / f"{digest([file_digest(part)])[:12]}{suffix}"
    part.replace(file)
    return file


def _proposed(project: Project, exactly: bool, progress: Progress) -> Project:
    """The project with the input type that its samples ask for."""
    from hlsflow.data.data import real_samples
    from hlsflow.data.grid import natural_grid, proposed_grid

    samples, name = real_samples(project), str(project.data_path)
    if exactly:
        kind = natural_grid(samples, name)
        progress.say(f"input quantizer {kind}: the narrowest that holds every sample of {name} exactly")
    else:
        proposal = proposed_grid(samples)
        kind = proposal.kind
        progress.say(f"input quantizer {proposal}{' (of the standardized samples)' * bool(project.data.standardize)}")
    return project.model_copy(update={"input": Input.model_validate({"precision": str(kind)})})


def _refuse_options(**options: Any) -> None:
    for name, value in options.items():
        if value is not None:
            raise ProjectError(f"{name} goes with a model, not with a project", "set it in project.toml instead")


def _latest(folder: Path) -> Path:
    return (folder / "latest").resolve()


def _frame(groups: Iterable[tuple[str, Iterable[Metric]]]) -> Any:
    rows = [
        (point, m.name, m.value, m.unit, m.stage.value, m.tool, m.version, m.target, m.note)
        for point, metrics in groups
        for m in metrics
    ]
    return _pandas().DataFrame(rows, columns=list(COLUMNS)).astype({"value": float})


def _pandas() -> Any:
    try:
        import pandas
    except ImportError:
        raise ProjectError("tables need pandas", "pip install 'hlsflow[notebook]'") from None
    return pandas


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def _framed(file: Path) -> str:
    """A page that needs nothing else, within a notebook's page, neither touching the other's style."""
    page = html.escape(_text(file), quote=True)
    return f'<iframe srcdoc="{page}" style="width: 100%; height: {FRAME_HEIGHT}px; border: 0"></iframe>'
