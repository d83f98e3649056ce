"""Whatever can be compared: a run of ours, a project folder of anybody's, one report file, or a baseline.

In: a path. Out: `Subject`s, each with its figures and knobs; a run has one for each design point.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hlsflow.core import foreign
from hlsflow.core.errors import DataError, ProjectError
from hlsflow.core.metrics import MetricSet
from hlsflow.project import load
from hlsflow.report.folders import directory, hls4ml_config
from hlsflow.report.folders.columns import Column
from hlsflow.toolchains.reports import read_any
from hlsflow.toolchains.reports.report import UNKNOWN

REPORT = "report.json"
PROJECT = "project.toml"
LATEST = "latest"
HINT = "name a project, a run's folder or report.json, a folder that hls4ml wrote, or a report of a vendor's tool"

RUN = foreign.Kind("", "is no report of hlsflow", HINT, limit=256 * foreign.MIB)


@dataclass(frozen=True)
class Subject:
    """One design with figures.

    Attributes:
        path: as it was named.
        point: what distinguishes it from the others of the same path: a run's design point, or a top; may be empty.
        metrics: its figures.
        knobs: settings as text; none where they are not known.
        warnings: what must be known before its figures are believed.
        top: names of the tops that reports are of, as far as they tell; "" for a run of ours.
    """

    path: str
    point: str
    metrics: MetricSet
    knobs: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    top: str = ""


def subjects(path: Path, build: Path) -> tuple[Subject, ...]:
    """What a path names.

    Args:
        path: of a project of ours, a run, a report.json, an hls4ml project or another folder, or one report file.
        build: the folder that holds the runs of projects.
    Raises:
        DataError: nothing of that is there, or it cannot be read.
    """
    file = run_report(path, build)
    if file is not None:
        return _of_run(file, str(path))
    if path.is_dir():
        return tuple(_of_directory(path))
    if not path.is_file():
        raise DataError(f"there is no {path}", HINT)
    report = read_any(path)
    return (Subject(str(path), "", report.metrics, top=_top([report.top])),)


def run_report(path: Path, build: Path) -> Path | None:
    """The report.json that a path names: itself, that of a run's folder, or that of a project's latest run.

    Raises:
        ProjectError: the path is a project of ours that has not been run.
    """
    if path.suffix == ".json":
        return path
    if (path / REPORT).is_file():
        return path / REPORT
    if not (path / PROJECT).is_file():
        return None
    file = build / load(path).name / LATEST / REPORT
    if not file.is_file():
        raise ProjectError(f"{path} has no run in {build}", f"run it first: hlsflow run {path}")
    return file


def _of_run(file: Path, path: str) -> tuple[Subject, ...]:
    data = foreign.json(file, RUN)
    with foreign.reading(file, RUN):
        return tuple(
            Subject(path, _point_label(point), MetricSet.from_json(point["metrics"]), _knobs(point))
            for point in data["points"]
        )


def _point_label(point: Mapping[str, Any]) -> str:
    """As in the tables of a run: the vendor's row of hls4ml's own project has no schedule."""
    name = f"R{point['knobs']['reuse_factor']}"
    return name if point["predicted"] else f"hls4ml {name}"


def _knobs(point: Mapping[str, Any]) -> dict[str, str]:
    return {key: str(value) for key, value in point["knobs"].items() if isinstance(value, str | int | float)}


def _of_directory(path: Path) -> Iterator[Subject]:
    """The design of a folder; where it has several, or several runs of one tool, each of them."""
    found = directory.read(path)
    warnings = (*found.warnings, *(f"cannot be read: {text}" for text in found.refused))
    by_label: dict[str, list[Column]] = {}
    for column in found.columns:
        by_label.setdefault(column.label, []).append(column)
    for number, (label, columns) in enumerate((by_label or {"": []}).items()):
        said = () if number else warnings  # once
        told = (replace(m, source=str(path / m.source)) for column in columns for m in column.metrics)
        top = _top([column.top for column in columns])
        yield Subject(str(path), label, MetricSet(tuple(told)), _settings(found.config), said, top)


def _top(names: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(name for name in names if name != UNKNOWN))


def _settings(config: hls4ml_config.Config | None) -> dict[str, str]:
    """The settings of the project, of the model, and of each layer that has some of its own."""
    if config is None:
        return {}
    settings = dict(config.general) | dict(config.model)
    for layer in config.layers:
        settings |= {f"{layer.name}.{name}": value for name, value in layer.settings.items()}
    return settings
