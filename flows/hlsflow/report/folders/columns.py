"""The figures of a folder's reports in columns.

In: reports. Out: `Column`s: figures of one stage, tool, version, part and top, and of one run of the tool. Two reports
of one run may round a figure, or tell it in another unit; two of different runs never share a column.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hlsflow.core.metrics import MetricSet, Stage
from hlsflow.report.folders import tops
from hlsflow.toolchains.parts import offered
from hlsflow.toolchains.reports import Report
from hlsflow.toolchains.reports.report import UNKNOWN, LayerFigures
from hlsflow.toolchains.reports.text import relative

ROUNDED = ("latency_ns", "clock_estimate_ns")
"""Figures that a report may round: csynth has `5.220 us` in one file and 5219.5 ns in another."""

SHARE, STEP_NS = 0.005, 0.0051
"""How far two roundings of one figure may differ: by a share of it, or by half of the last of two digits."""


@dataclass(frozen=True)
class Column:
    """Figures that may stand together.

    Attributes:
        top: that they are of, or `UNKNOWN`.
        label: what tells the column from others of its stage and tool: the top, the file, or both; "" where none are.
    """

    stage: Stage
    tool: str
    version: str
    part: str
    top: str
    metrics: MetricSet
    reports: tuple[Report, ...]
    label: str = ""

    @property
    def title(self) -> str:
        """Stage, tool and version, the top where it is known, and what tells the column from others of that top."""
        label = self.label.removeprefix(self.top).removeprefix(", ")
        names = (self.top if self.top != UNKNOWN else "", label)
        return ", ".join([f"{self.stage}: {self.tool} {self.version}", *filter(None, names)])

    @property
    def clock_ns(self) -> float | None:
        """The clock period asked for, as far as a report tells it."""
        return next((report.clock_ns for report in self.reports if report.clock_ns is not None), None)

    @property
    def available(self) -> dict[str, float]:
        """Metric → how much of it the part has, as the reports tell, or else as its data sheet does."""
        amounts: dict[str, float] = dict(offered(self.part))
        for report in self.reports:
            amounts |= report.available or {}
        return amounts

    def percent(self, name: str) -> float | None:
        """A resource in per cent of all that the part has; None where either is not known."""
        metric, limit = self.metrics.get(name), self.available.get(name)
        return round(100.0 * metric.value / limit, 2) if metric and metric.value is not None and limit else None

    @property
    def layers(self) -> tuple[LayerFigures, ...]:
        """The figures of layers, each told once.

        Reports of one run may tell the same figures, by names of modules or of instances: then the one with most of
        them is taken. A report with figures of another kind adds them to the layers of the same name.
        """
        layers: dict[str, MetricSet] = {}
        for report in self.layer_reports:
            for layer in report.layers:
                layers[layer.name] = layers.get(layer.name, MetricSet()) + layer.metrics
        return tuple(LayerFigures(name, metrics) for name, metrics in layers.items())

    @property
    def layer_reports(self) -> list[Report]:
        """The reports that `layers` are of, the one with most figures first."""
        chosen: list[Report] = []
        names: set[str] = set()
        for report in sorted(self.reports, key=_figures_of_layers, reverse=True):
            own = {metric.name for layer in report.layers for metric in layer.metrics}
            if own and not own & names:
                chosen.append(report)
                names |= own
        return chosen


def _figures_of_layers(report: Report) -> int:
    return sum(len(layer.metrics.metrics) for layer in report.layers)


def columns(reports: Sequence[Report], folder: Path) -> list[Column]:
    """The figures of reports in columns, each with a name where there are several of its stage and tool.

    Args:
        folder: that files in names are relative to.
    """
    found: list[Column] = []
    for report in (part for whole in reports for part in whole.by_stage()):
        place = next((index for index, column in enumerate(found) if _belongs(report, column)), None)
        if place is None:
            stage, part = report.metrics.metrics[0].stage, report.part
            found.append(Column(stage, report.tool, report.version, part, report.top, report.metrics, (report,)))
        else:
            found[place] = _joined(found[place], report)
    order = list(Stage)
    return _labelled(sorted(found, key=lambda column: order.index(column.stage)), folder)


def _belongs(report: Report, column: Column) -> bool:
    """Whether a report is of a column's stage, tool, version, part and top, and says nothing else of any figure."""
    group = (report.metrics.metrics[0].stage, report.tool, report.version)
    if group != (column.stage, column.tool, column.version) or not same_part(report.part, column.part):
        return False
    return tops.same(report.top, column.top) and not differing(column.metrics, report.metrics)


def same_part(part: str, other: str) -> bool:
    """Whether two names may mean one part: tools leave out dashes, `xc`, the speed grade or the temperature grade."""
    if UNKNOWN in (part, other):
        return True
    a, b = (re.sub(r"[^a-z0-9]", "", part.lower()).removeprefix("xc") for part in (part, other))
    return a.startswith(b) or b.startswith(a)


def differing(metrics: MetricSet, other: MetricSet) -> list[str]:
    """The figures that two sets tell differently, but for rounding; one that is missing in a set differs from none."""
    values_there = {metric.name: metric.value for metric in metrics}
    return [metric.name for metric in other if not _same(metric.name, values_there.get(metric.name), metric.value)]


def _same(name: str, value: float | None, other: float | None) -> bool:
    if value is None or other is None or value == other:
        return True
    return name in ROUNDED and abs(value - other) <= max(SHARE * abs(value), STEP_NS)


def _joined(column: Column, report: Report) -> Column:
    """The column with what else the report tells, and the longer name of the part."""
    names = {metric.name for metric in column.metrics if metric.value is not None}
    more = {metric.name: metric for metric in report.metrics if metric.name not in names}
    metrics = [more.pop(metric.name, metric) for metric in column.metrics]
    return replace(
        column,
        part=report.part if column.part == UNKNOWN else max(column.part, report.part, key=len),
        top=report.top if column.top == UNKNOWN or tops.is_wrapper(column.top) else column.top,
        metrics=MetricSet((*metrics, *more.values())),
        reports=(*column.reports, report),
    )


def _labelled(found: Sequence[Column], folder: Path) -> list[Column]:
    """The columns with their tops as names, and their files where tops are not enough."""
    by_top = _named(found, lambda column: column.top)
    return _named(by_top, lambda column: relative(column.reports[0].file, folder))


def _named(found: Sequence[Column], name: Callable[[Column], str]) -> list[Column]:
    """The columns with that name behind the label of those whose labels are not their own."""
    shared = Counter(_title(column) for column in found)
    names: dict[object, set[str]] = {}
    for column in found:
        names.setdefault(_title(column), set()).add(name(column))
    return [
        replace(column, label=", ".join(part for part in (column.label, name(column)) if part))
        if shared[_title(column)] > 1 and len(names[_title(column)]) > 1
        else column
        for column in found
    ]


def _title(column: Column) -> tuple[object, ...]:
    return column.stage, column.tool, column.version, column.label
