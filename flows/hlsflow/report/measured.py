"""Tables and charts of measured figures: of design points, layers or runs.

In: an owner's name and its `MetricSet`, for each row. Out: blocks of a document. Figures of different stages, tools,
versions or targets never share a column, nor a series of a chart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from hlsflow.core.metrics import OF_OUTPUTS, UNITS, Metric, MetricSet, Stage
from hlsflow.report.document import MISSING, Bars, Cell, Dot, Figure, Gallery, Plane, Table, cell
from hlsflow.toolchains.parts import offered, percent

Row = tuple[str, MetricSet]
"""What the figures are about, and the figures."""

Group = tuple[Stage, str, str, str]
"""What makes a column of its own: stage, tool, version, target."""

WORDS = {
    "latency_cycles": "latency",
    "latency_ns": "latency",
    "ii": "II",
    "fmax_mhz": "Fmax",
    "seconds": "tool time",
    "clock_estimate_ns": "clock estimated",
    "wns_ns": "setup slack",
    "whs_ns": "hold slack",
    "power_w": "power",
    "power_static_w": "static power",
    "power_dynamic_w": "dynamic power",
    "passed": "passed",
    "area_score": "area score",
}
"""Metrics that are called something else than their name in capitals."""

TIMES = ("latency_cycles", "ii", "latency_ns", "fmax_mhz")
"""Metrics of speed, in the order of their charts."""

UNCHARTED = (*OF_OUTPUTS, "seconds", "wns_ns", "whs_ns", "clock_estimate_ns", *TIMES)
"""Metrics that are no resources."""


AT_CLOCK_ASKED = "latency (ns at the clock asked, not measured)"
"""Heading of a simulated latency in ns: cycles are measured, the clock is not."""


def heading(name: str, unit: str, stage: str = "") -> str:
    """A metric as the heading of a column."""
    if name == "latency_ns" and stage == Stage.SIMULATED:
        return AT_CLOCK_ASKED
    word = WORDS.get(name, name.upper())
    return word if word == unit else f"{word} ({unit})"


def groups(rows: Iterable[Row]) -> list[Group]:
    """The column groups, in the order in which they were measured; what a network says has tables of its own."""
    metrics_told = (metric for _, metrics in rows for metric in metrics if metric.name not in OF_OUTPUTS)
    return list(dict.fromkeys(map(group, metrics_told)))


def group(metric: Metric) -> Group:
    """The column group that a figure belongs to."""
    return metric.stage, metric.tool, metric.version, metric.target


def title(of_group: Group) -> str:
    """What stands above the table of a group."""
    stage, tool, version, target = of_group
    return f"{stage.value}: {target}, {tool} {version}"


def table(rows: Sequence[Row], of_group: Group, what: str, part: str = "") -> Table:
    """A row for each owner that has figures of the group, with the reasons for what is missing.

    Args:
        part: of which resources are told in per cent too; nothing of a part that is not known.
    """
    chosen = [
        (owner, [m for m in metrics if group(m) == of_group and m.name not in OF_OUTPUTS]) for owner, metrics in rows
    ]
    units = {metric.name: metric.unit for _, metrics in chosen for metric in metrics}
    shares = [name for name in units if name in offered(part)]
    body = [(*_row(owner, own, list(units)), *_shares(own, shares, part)) for owner, own in chosen if own]
    head = (what, *(heading(name, unit, of_group[0]) for name, unit in units.items()))
    head += tuple(f"{name.upper()} (%)" for name in shares)
    notes = [*_notes(chosen), *([per_cent(part)] if shares else [])]
    return Table(head, tuple(body), tuple(dict.fromkeys(notes)))


def _row(owner: str, metrics: Sequence[Metric], names: Sequence[str]) -> tuple[Cell, ...]:
    by_name = {metric.name: metric for metric in metrics}
    return cell(owner), *(figure_cell(owner, by_name.get(name)) for name in names)


def per_cent(part: str) -> str:
    """What stands below columns of resources in per cent."""
    return f"%: of all that {part} offers"


def _shares(metrics: Sequence[Metric], names: Sequence[str], part: str) -> Iterator[Cell]:
    """Resources in per cent of a part."""
    values = {metric.name: metric.value for metric in metrics}
    for name in names:
        share = percent(part, name, values.get(name))
        yield Cell(MISSING) if share is None else Cell(f"{share:,.1f}", share)


def utilisation(metrics: MetricSet, parts: Mapping[str, str]) -> list[dict[str, Any]]:
    """Resources in per cent of the part asked for, as JSON.

    Args:
        parts: family → part.
    """
    shares = [(metric, share(metric, parts)) for metric in metrics]
    return [
        {"name": metric.name, "stage": metric.stage.value, "target": metric.target, **told}
        for metric, told in shares
        if told
    ]


def share(metric: Metric, parts: Mapping[str, str]) -> dict[str, Any] | None:
    """What a resource is of all that a part offers: the part, how many it has, and per cent; None where unknown.

    Args:
        parts: family → the part asked for; a target that is no family is the part itself.
    """
    part = parts.get(metric.target, metric.target)
    limit = offered(part).get(metric.name)
    if not limit:
        return None
    return {"part": part, "available": limit, "percent": percent(part, metric.name, metric.value)}


def figure_cell(owner: str, metric: Metric | None) -> Cell:
    """A figure in its place; one that nobody measured is missing there."""
    return cell(Figure.of(owner, metric)) if metric else Cell(MISSING)


def _notes(chosen: Iterable[tuple[str, Sequence[Metric]]]) -> Iterator[str]:
    for owner, metrics in chosen:
        for metric in metrics:
            if metric.note:
                yield f"{owner}: {metric.note}" if metric.value is None else metric.note


def resources(rows: Sequence[Row]) -> Gallery | None:
    """A chart of bars for each resource; None where nothing is known of any."""
    names = dict.fromkeys(metric.name for _, metrics in rows for metric in metrics if metric.name not in UNCHARTED)
    return _bars(rows, list(names))


def times(rows: Sequence[Row]) -> Gallery | None:
    """A chart of bars for latency, initiation interval and clock; None where nothing is known of them."""
    return _bars(rows, TIMES)


def _bars(rows: Sequence[Row], names: Sequence[str]) -> Gallery | None:
    names = [name for name in names if _is_told(rows, name)]
    shown = [of_group for of_group in groups(rows) if any(_has(rows, of_group, name) for name in names)]
    charts = [_chart(rows, shown, name) for name in names]
    return Gallery(tuple(title(of_group) for of_group in shown), tuple(charts)) if charts else None


def _is_told(rows: Sequence[Row], name: str) -> bool:
    """Whether there is anything to draw: a table says as well that all of them are 0."""
    values = [metric.value for _, metrics in rows for metric in metrics if metric.name == name]
    return any(values) or (None in values and 0 not in values)


def _has(rows: Sequence[Row], of_group: Group, name: str) -> bool:
    return any(group(metric) == of_group and metric.name == name for _, metrics in rows for metric in metrics)


def _chart(rows: Sequence[Row], shown: Sequence[Group], name: str) -> Bars:
    labels = [owner for owner, metrics in rows if any(metric.name == name for metric in metrics)]
    by_owner = {owner: metrics for owner, metrics in rows}
    values = tuple(
        (number, tuple(_figure(owner, by_owner[owner], of_group, name) for owner in labels))
        for number, of_group in enumerate(shown)
        if _has(rows, of_group, name)
    )
    return Bars(WORDS.get(name, name.upper()), UNITS[name], tuple(labels), values)


def _figure(owner: str, metrics: MetricSet, of_group: Group, name: str) -> Figure | None:
    metric = next((metric for metric in metrics if group(metric) == of_group and metric.name == name), None)
    return Figure.of(owner, metric) if metric else None


def planes(rows: Sequence[Row], names: Sequence[str]) -> Gallery | None:
    """Resources of two points or more against latency: that of the same stage and tool, or else the simulated one."""
    shown = [of_group for of_group in groups(rows) if any(len(_dots(rows, of_group, name)) > 1 for name in names)]
    charts = [_plane(rows, shown, name) for name in names if any(_dots(rows, of_group, name) for of_group in shown)]
    return Gallery(tuple(title(of_group) for of_group in shown), tuple(charts)) if charts else None


def _plane(rows: Sequence[Row], shown: Sequence[Group], name: str) -> Plane:
    dots = tuple((number, tuple(of)) for number, of_group in enumerate(shown) if (of := _dots(rows, of_group, name)))
    word = WORDS.get(name, name.upper())
    stages = dict.fromkeys(dot.across.stage for _, of in dots for dot in of)
    return Plane(
        title=f"{word} against latency",
        across=f"latency (cycles, {' or '.join(stages)})",
        up=heading(name, UNITS[name]),
        dots=dots,
        fronts=tuple(number for number, _ in dots),
    )


def _dots(rows: Sequence[Row], of_group: Group, name: str) -> list[Dot]:
    dots = []
    for owner, metrics in rows:
        up = _figure(owner, metrics, of_group, name)
        across = _figure(owner, metrics, of_group, "latency_cycles") or _simulated(owner, metrics)
        if up and across and up.value is not None and across.value is not None:
            dots.append(Dot(across, up, owner))
    return dots


def _simulated(owner: str, metrics: MetricSet) -> Figure | None:
    metric = metrics.get("latency_cycles", Stage.SIMULATED)
    return Figure.of(owner, metric) if metric else None
