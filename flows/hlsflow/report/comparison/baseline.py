"""Figures that a project has promised, kept in a file, and what has moved since.

In: `Subject`s of today and a baseline file (TOML or JSON). Out: a new baseline, or the figures that moved beyond their
tolerance. A figure is held against that of the same design point, stage, tool and target, and where there are several
of these against that of the same file. One that is missing now has moved; another version of a tool is told and is no
failure by itself.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import tomli_w

from hlsflow.core import foreign
from hlsflow.core.errors import BaselineMoved, DataError
from hlsflow.core.metrics import UNITS, Metric, MetricSet, Stage
from hlsflow.core.store import write_text
from hlsflow.report.comparison.subjects import Subject, subjects

SCHEMA = 1
BASELINE = foreign.Kind(
    "",
    "is no baseline",
    "correct it, or write it anew with hlsflow check … --write-baseline FILE",
    limit=8 * foreign.MIB,
)
ABOUT = "figures that hlsflow check --baseline holds others against; share and absolute are the tolerance of a metric"

Direction = Literal["worse", "both"]
"""What a figure may not do beyond its tolerance: get worse, or change at all."""


@dataclass(frozen=True)
class Tolerance:
    """How far a figure may move.

    Attributes:
        share: of its value in the baseline.
        absolute: in its unit; the larger of the two counts.
        direction: "worse" or "both".
    """

    share: float = 0.0
    absolute: float = 0.0
    direction: Direction = "worse"

    def allowed(self, old: float) -> float:
        """By how much a figure may differ."""
        return max(self.share * abs(old), self.absolute)


EXACT, FEW = Tolerance(), Tolerance(share=0.02)
DEFAULTS: Mapping[str, Tolerance] = {
    "accuracy": EXACT,
    "latency_cycles": EXACT,
    "ii": EXACT,
    "latency_ns": FEW,
    "lut": FEW,
    "ff": FEW,
    "fmax_mhz": Tolerance(share=0.05),
    "clock_estimate_ns": FEW,
    "wns_ns": Tolerance(absolute=0.1),
    "whs_ns": Tolerance(absolute=0.1),
    "power_w": Tolerance(share=0.05),
    "power_static_w": Tolerance(share=0.05),
    "power_dynamic_w": Tolerance(share=0.05),
    "alm": FEW,
    "alut": FEW,
    "lut4": FEW,
    "area_score": FEW,
}
"""Metrics that tools move a little without a change of the design; all others may not get worse at all."""

HIGHER_IS_BETTER = ("accuracy", "tpr", "auc", "exact_match", "r2", "fmax_mhz", "wns_ns", "whs_ns", "passed")
UNKEPT = ("seconds",)
"""How long a tool took is no promise."""


@dataclass(frozen=True)
class Kept:
    """A figure of a baseline: whose, and what it was.

    Attributes:
        file: that it was read from, relative to what the baseline is of; "" in files that do not tell.
        tolerance: its own, or None for that of its metric.
    """

    subject: str
    name: str
    stage: Stage
    tool: str
    version: str
    target: str
    value: float
    file: str = ""
    tolerance: Tolerance | None = None


@dataclass(frozen=True)
class Baseline:
    """A baseline file: tolerances by metric, and figures."""

    file: Path
    tolerances: Mapping[str, Tolerance]
    figures: tuple[Kept, ...]


@dataclass(frozen=True)
class Moved:
    """A figure and what it is now; `metric` is None when no such figure is there."""

    expected: Kept
    metric: Metric | None
    tolerance: Tolerance

    @property
    def failed(self) -> bool:
        """Whether it is missing, or differs beyond its tolerance in the direction that counts."""
        if self.metric is None or self.metric.value is None:
            return True
        more = self.metric.value - self.expected.value
        worse = -more if self.expected.name in HIGHER_IS_BETTER else more
        moved = abs(more) if self.tolerance.direction == "both" else worse
        return not moved <= self.tolerance.allowed(self.expected.value)  # true of nan

    def __str__(self) -> str:
        """The figure, its stage, old, new and tolerance."""
        figure = self.expected
        owner = f"{figure.subject}: " if figure.subject else ""
        where = f"{owner}{figure.name} ({figure.stage}, {figure.tool}, {figure.target})"
        in_file = f" in {figure.file}" if figure.file else ""
        unit, allowed = UNITS[figure.name], self.tolerance.allowed(figure.value)
        if self.metric is None:
            return f"{where}: was {figure.value:g} {unit}{in_file}, and there is no such figure now"
        if self.metric.value is None:
            return f"{where}: was {figure.value:g} {unit}, and is missing now: {self.metric.note}"
        verb = "may change" if self.tolerance.direction == "both" else "may get worse"
        share = f" ({(self.metric.value - figure.value) / figure.value:+.1%})" if figure.value else ""
        return f"{where}: was {figure.value:g}, is {self.metric.value:g} {unit}{share}, {verb} by {allowed:g}"


def write(designs_now: Iterable[Subject], file: Path, made_of: str) -> int:
    """Write the figures of today as a baseline; returns how many there are.

    Args:
        file: `.toml` or `.json`.
        made_of: what they are of, for readers of the file.
    Raises:
        DataError: there is none that has a value. StorageError.
    """
    figures = [_kept_json(subject, metric) for subject in designs_now for metric in subject.metrics if _keep(metric)]
    if not figures:
        raise DataError(f"{made_of} has no figures to keep", "run or build it first")
    names = dict.fromkeys(str(figure["name"]) for figure in figures)
    content = {
        "schema": SCHEMA,
        "about": ABOUT,
        "made_of": made_of,
        "tolerance": {name: _tolerance_json(DEFAULTS.get(name, EXACT)) for name in names},
        "figure": figures,
    }
    json_text = json.dumps(content, indent=1) + "\n"
    write_text(file, json_text if file.suffix == ".json" else tomli_w.dumps(content))
    return len(figures)


def _keep(metric: Metric) -> bool:
    return metric.value is not None and metric.name not in UNKEPT


def _kept_json(subject: Subject, metric: Metric) -> dict[str, object]:
    fields = {key: getattr(metric, key) for key in ("name", "value", "tool", "version", "target")}
    return {"subject": subject.point, "stage": metric.stage.value, "file": _file(subject, metric)} | fields


def _file(subject: Subject, metric: Metric) -> str:
    """The file of a figure, without its line and without what all files of the subject begin with."""
    name, _, line = metric.source.rpartition(":")
    file = Path(name if line.isdecimal() else metric.source)
    return (file.relative_to(subject.path) if file.is_relative_to(subject.path) else file).as_posix()


def _tolerance_json(tolerance: Tolerance) -> dict[str, object]:
    return {"share": tolerance.share, "absolute": tolerance.absolute, "direction": tolerance.direction}


def read(file: Path) -> Baseline:
    """Read a baseline file. Raises DataError when it is none."""
    data = foreign.json(file, BASELINE) if file.suffix == ".json" else foreign.toml(file, BASELINE)
    with foreign.reading(file, BASELINE):
        if data["schema"] != SCHEMA:
            raise ValueError(f"schema {data['schema']} is not known")
        tolerances = {str(name): _tolerance(values) for name, values in data.get("tolerance", {}).items()}
        return Baseline(file, tolerances, tuple(_kept(values) for values in data["figure"]))


def _kept(values: Mapping[str, Any]) -> Kept:
    text = {key: str(values[key]) for key in ("subject", "name", "tool", "version", "target")}
    if text["name"] not in UNITS:
        raise ValueError(f"unknown metric '{text['name']}'")
    own = _tolerance(values["tolerance"]) if "tolerance" in values else None
    value, file = _finite(values["value"], "the value of a figure"), str(values.get("file", ""))
    return Kept(**text, stage=Stage(values["stage"]), value=value, file=file, tolerance=own)


def _tolerance(values: Mapping[str, Any]) -> Tolerance:
    direction = values.get("direction", "worse")
    unknown = set(values) - {"share", "absolute", "direction"}
    if unknown or direction not in get_args(Direction):
        wrong = f"'{unknown.pop()}'" if unknown else f"direction '{direction}'"
        raise ValueError(f"a tolerance has share, absolute and direction (worse or both), not {wrong}")
    share, absolute = (_finite(values.get(name, 0.0), f"the {name} of a tolerance") for name in ("share", "absolute"))
    if min(share, absolute) < 0:
        raise ValueError(
            f"the {'share' if share < 0 else 'absolute'} of a tolerance is {min(share, absolute):g}, below 0"
        )
    return Tolerance(share, absolute, direction)


def _finite(value: object, what: str) -> float:
    """A number that can be compared; with `nan` or `inf` nothing would ever fail."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"'{value}' is no number")
    if not math.isfinite(value):
        raise ValueError(f"{what} is {value}, and must be a finite number")
    return float(value)


def designs(path: Path, build: Path) -> tuple[Subject, ...]:
    """What a path names, as `subjects` has it, or the designs of a baseline file. Raises DataError."""
    if not is_baseline(path):
        return subjects(path, build)
    by_point: dict[str, list[Metric]] = {}
    for figure in read(path).figures:
        metric = Metric(figure.name, figure.value, figure.stage, figure.tool, figure.version, figure.target, path.name)
        by_point.setdefault(figure.subject, []).append(metric)
    return tuple(Subject(str(path), point, MetricSet(tuple(metrics))) for point, metrics in by_point.items())


def is_baseline(path: Path) -> bool:
    """Whether a file is meant as a baseline: TOML, or JSON that says so."""
    if path.suffix != ".json":
        return path.suffix == ".toml"
    try:
        return f'"about": {json.dumps(ABOUT)}' in foreign.text(path, BASELINE)
    except DataError:  # whoever reads it next says why
        return False


def moved(baseline: Baseline, subjects_now: Sequence[Subject]) -> list[Moved]:
    """Each figure of the baseline beside that of today."""
    return [
        Moved(figure, _today(figure, subjects_now), figure.tolerance or baseline.tolerances.get(figure.name, EXACT))
        for figure in baseline.figures
    ]


def _today(figure: Kept, subjects_now: Sequence[Subject]) -> Metric | None:
    """The same figure now, whatever the version; None where there is none, or several and none of the same file."""
    wanted = (figure.name, figure.stage, figure.tool, figure.target)
    same = [
        (subject, metric)
        for subject in subjects_now
        for metric in subject.metrics
        if (metric.name, metric.stage, metric.tool, metric.target) == wanted
    ]
    own = [(subject, metric) for subject, metric in same if subject.point == figure.subject]
    if len(own) != 1:  # a folder that holds more designs now, or fewer, names them in another way
        near = [
            (subject, metric) for subject, metric in same if figure.subject in ("", subject.point) or not subject.point
        ]
        own = [(subject, metric) for subject, metric in near if _file(subject, metric) == figure.file]
    return own[0][1] if len(own) == 1 else None


def other_versions(moves: Sequence[Moved]) -> Iterator[str]:
    """A sentence for each tool that has another version now."""
    changes = dict.fromkeys(
        (move.expected.tool, move.expected.version, move.metric.version)
        for move in moves
        if move.metric is not None and move.metric.version != move.expected.version
    )
    yield from (f"{tool} was {old} and is {new}" for tool, old, new in changes)


def require(moves: Sequence[Moved], file: Path) -> None:
    """Raise BaselineMoved, which names every figure that moved too far."""
    failed = [str(move) for move in moves if move.failed]
    if failed:
        listed = "\n".join(f"  {text}" for text in failed)
        raise BaselineMoved(
            f"{len(failed)} of {len(moves)} figures moved beyond their tolerance in {file}:\n{listed}",
            "if that is meant, write the baseline anew with --write-baseline, or widen a tolerance in it",
        )
