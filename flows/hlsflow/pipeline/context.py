"""What all steps share: the context they run in, the results they hand on, and how they read and write figures."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from hlsflow.core.errors import StorageError
from hlsflow.core.metrics import Metric, MetricSet, Stage
from hlsflow.core.progress import Progress
from hlsflow.core.store import Done, Store, link
from hlsflow.core.tasks import Task, told_of
from hlsflow.hls.gate import Gate
from hlsflow.project import Project
from hlsflow.rtl.emit import Design
from hlsflow.rtl.schedule import Schedule
from hlsflow.toolchains import process

Item = TypeVar("Item")
Result = TypeVar("Result")

METRICS, LAYERS = "metrics.json", "layers.json"
"""Where a finished part keeps what it measured, of all and of each layer."""

Layer = tuple[str, MetricSet]
"""Name and figures of a part of a design."""

SAMPLES = "samples.npz"
"""Where step `translate` keeps the test set."""


@dataclass(frozen=True)
class Context:
    """What every step sees.

    Attributes:
        project: what to build.
        store: finished work of earlier runs.
        folder: of this run; steps are linked into it.
        progress: where to report.
        jobs: how many external tools run at once.
    """

    project: Project
    store: Store
    folder: Path
    progress: Progress
    jobs: int

    def do(
        self, step: str, name: str, key: Mapping[str, Any], work: Callable[[Path], None], resumable: bool = False
    ) -> Done:
        """Do a part of a step unless it is done already, and link it into the run's folder."""
        with self.progress.working(f"{step} {name}") if name else nullcontext():
            finished = self.store.do(step, key, work, resumable)
        link(finished.folder, self.folder / step / name if name else self.folder / step)
        if not finished.reused:
            self.progress.say(f"{step}{f' {name}' if name else ''}: done in {finished.seconds:.1f} s")
        return finished


@dataclass(frozen=True)
class Point:
    """One design point of the sweep.

    Attributes:
        reuse_factor: the default reuse factor that was asked for.
        schedule: what each layer got, and the predicted latency and initiation interval.
        design: the Verilog.
        rtl: the finished step that holds the Verilog.
        gate: oracle = RTL; None until it is simulated.
        metrics: everything measured so far.
    """

    reuse_factor: int
    schedule: Schedule
    design: Design
    rtl: Done
    gate: Gate | None = None
    metrics: MetricSet = MetricSet()

    @property
    def name(self) -> str:
        return f"R{self.reuse_factor}"


@dataclass(frozen=True)
class Results:
    """What the steps so far have left; each step returns it with its own part filled in.

    Attributes:
        report: the file that holds all figures as JSON.
    """

    trained: Done | None = None
    translated: Done | None = None
    csim: Done | None = None
    gate: Gate | None = None
    metrics: MetricSet = MetricSet()
    points: tuple[Point, ...] = ()
    csynth: MetricSet = MetricSet()
    csynth_layers: tuple[Layer, ...] = ()
    notes: tuple[str, ...] = ()
    work: tuple[Done, ...] = ()
    report: Path | None = None

    def with_work(self, *parts: Done, **changes: Any) -> Results:
        return replace(self, work=(*self.work, *parts), **changes)


def versions(*names: str) -> dict[str, str]:
    return {name: version(name) for name in names}


def metrics_in(finished: Done, place: str) -> MetricSet:
    """The metrics of a finished part, which is linked as `place` into the run's folder; sources start there."""
    return _read(finished.folder / METRICS, lambda data: below(place, MetricSet.from_json(data)))


def layers_in(finished: Done, place: str) -> tuple[Layer, ...]:
    """The layers of a finished part, as `metrics_in` reads its metrics."""
    return _read(
        finished.folder / LAYERS,
        lambda data: tuple((layer["name"], below(place, MetricSet.from_json(layer["metrics"]))) for layer in data),
    )


def _read(file: Path, take: Callable[[Any], Result]) -> Result:
    try:
        return take(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError) as error:
        raise StorageError(f"{file} cannot be read: {error}", "delete its folder and run again") from error


def below(place: str, metrics: MetricSet) -> MetricSet:
    """The same figures, their sources named from the folder that holds `place` on."""
    return MetricSet(tuple(replace(metric, source=f"{place}/{metric.source}") for metric in metrics))


@dataclass(frozen=True, eq=False)
class Samples:
    """The test set that all stages are judged by.

    Attributes:
        x: (n, total input values), int64, on the input grids.
        y: (n, ...), what is right, as `hlsflow.core.tasks.Task.predicted` has it; (0,) when that is not known.
        name: of the data.
        task: how the hardware's outputs are read.
    """

    x: Any
    y: Any
    name: str
    task: Task = field(default_factory=Task)

    def save(self, folder: Path) -> None:
        task = json.dumps(self.task.to_json())
        np.savez_compressed(folder / SAMPLES, x=self.x, y=self.y, name=self.name, task=task)

    @classmethod
    def load(cls, folder: Path) -> Samples:
        with np.load(folder / SAMPLES) as data:
            return cls(data["x"], data["y"], str(data["name"]), Task.from_json(json.loads(str(data["task"]))))


def judged(outputs: Any, samples: Samples, stage: Stage, tool: str, tool_version: str) -> MetricSet:
    """How good a network is on the first test samples.

    Args:
        outputs: (k, outputs), reals, the first output of the first k samples.
    """
    target = told_of(samples.name, len(outputs), len(samples.x))
    about = Metric(samples.task.main, 0.0, stage, tool, tool_version, target, METRICS)
    return samples.task.figures(outputs, samples.y[: len(outputs)], about)


def write_metrics(folder: Path, metrics: MetricSet) -> None:
    (folder / METRICS).write_text(json.dumps(metrics.to_json(), indent=1), encoding="utf-8")


def write_layers(folder: Path, layers: Iterable[Layer]) -> None:
    entries = [{"name": name, "metrics": metrics.to_json()} for name, metrics in layers]
    (folder / LAYERS).write_text(json.dumps(entries, indent=1), encoding="utf-8")


def parallel(context: Context, function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """`function` of every item, `context.jobs` at once, in order of the items.

    When one fails, those that run are finished, as their work is kept, and those that wait are not begun. Ctrl-C ends
    the tools that run.
    """
    with ThreadPoolExecutor(context.jobs) as pool:
        futures = [pool.submit(function, item) for item in items]
        try:
            return [future.result() for future in futures]
        except BaseException as error:
            for future in futures:
                future.cancel()
            if isinstance(error, KeyboardInterrupt):
                process.stop_all()
            raise
