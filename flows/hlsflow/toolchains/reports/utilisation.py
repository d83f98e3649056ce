"""Vivado's `report_utilization`: what a design takes of its part, after logic synthesis or after place and route.

In: `vivado_synth.rpt`, `*_utilization_placed.rpt`, hierarchical ones (`util.rpt`). Out: `Report` of stage `synth`,
`placed` or `routed`: lut, ff, dsp, bram (18 Kb blocks), uram where the part has it; from hierarchical ones those of
each instance too. A "Block RAM Tile" has 36 Kb, so it counts as two. Columns go by their names: some releases write one
more.
Where the report lists black boxes its counts are not those of the design, so they are missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from hlsflow.core.metrics import UNITS, Metric, MetricSet
from hlsflow.toolchains.reports.figures import count
from hlsflow.toolchains.reports.report import LayerFigures, Origin, Report
from hlsflow.toolchains.reports.text import Box, Row, Text, read_text
from hlsflow.toolchains.reports.vivado_text import command, header, require_whole, section

KIND = "utilisation report"
MARK = command("report_utilization")
HIERARCHY = "Utilization by Hierarchy"
ROWS: Mapping[str, tuple[str, float]] = {
    "lut": (r"(?:Slice|CLB) LUTs\*?", 1),
    "ff": (r"(?:(?:Slice|CLB) )?Registers", 1),
    "dsp": (r"DSPs|DSP Slices", 1),
    "bram": (r"Block RAM Tile", 2),
    "uram": (r"URAM", 1),
}
"""Metric → its row, and how many of its unit one in that row is."""

COLUMNS: Mapping[str, tuple[tuple[str, float], ...]] = {
    "lut": (("Total LUTs", 1),),
    "ff": (("FFs", 1),),
    "dsp": (("DSP Blocks", 1), ("DSP48 Blocks", 1), ("DSP Slices", 1)),
    "bram": (("RAMB36", 2), ("RAMB18", 1)),
    "uram": (("URAM", 1),),
}
"""Metric → columns of a hierarchical report that add up to it, and how many of its unit one in them is."""

OPTIONAL = ("uram",)
BLACK_BOXES = "Black Boxes"


def read(file: Path, *, root: Path | None = None) -> Report:
    """Read a report; see `hlsflow.toolchains.reports`. Raises DataError."""
    text = read_text(file, KIND, root)
    head = header(text)
    require_whole(text)
    origin, line = head.origin(), section(text, HIERARCHY)
    layers: tuple[LayerFigures, ...] = ()
    available: dict[str, float] | None = None
    if line is None:
        metrics, available = _flat(text, origin, head.note)
    else:
        metrics, layers = _hierarchical(text, line, origin, head.note)
    part, metrics = head.device, MetricSet(tuple(_counted_whole(metrics, _black_boxes(text))))
    return Report("utilisation", origin.tool, head.version, part, head.design, None, metrics, layers, file, available)


def _black_boxes(text: Text) -> tuple[str, ...]:
    """Modules that were not there when the design was synthesized, such as the IP blocks of a block design."""
    line = section(text, BLACK_BOXES)
    box = text.box_under(line) if line else None
    return tuple(row.cells[0].strip() for row in box.rows) if box else ()


def _counted_whole(metrics: MetricSet, lacking: Sequence[str]) -> Iterator[Metric]:
    """The figures, or none of them where black boxes are left out: what is counted is not the design."""
    boxes = ", ".join(lacking)
    for metric in metrics:
        note = f"the report counts {metric.value:g} {metric.unit}, without the black boxes in the design: {boxes}"
        yield replace(metric, value=None, note=note) if lacking else metric


def _flat(text: Text, origin: Origin, note: str) -> tuple[MetricSet, dict[str, float]]:
    """The figures of the tables of sites, and what the part has."""
    boxes = [box for box in text.boxes("Site Type") if {"Site Type", "Used", "Available"} <= {*box.head}]
    metrics, available = [], {}
    for name, (_, each) in ROWS.items():
        place = _row(text, boxes, name)
        if place is not None:
            box, row = place
            used, offered = (_number(box, row, column) * each for column in ("Used", "Available"))
            metrics.append(origin.metric(name, used, text.at(row.line), note))
            available[name] = offered
    return MetricSet(tuple(metrics)), available


def _row(text: Text, boxes: Sequence[Box], name: str) -> tuple[Box, Row] | None:
    """The row of a metric, whatever its table; after placement registers stand in two, with one count."""
    (pattern, _), word = ROWS[name], UNITS[name]
    places = [(box, row) for box in boxes for row in box.rows_of(pattern)]
    if len({_number(box, row, "Used") for box, row in places}) > 1:
        raise text.damaged(f"has rows of {word} that contradict each other", places[1][1].line)
    if places:
        return places[0]
    if name in OPTIONAL:
        return None
    raise text.damaged(f"has no row of {word}: it is damaged or of an unknown format")


def _number(box: Box, row: Row, column: str) -> float:
    return box.text.number(row.cells[box.column(column)], row.line)


def _hierarchical(text: Text, line: int, origin: Origin, note: str) -> tuple[MetricSet, tuple[LayerFigures, ...]]:
    box = text.box_under(line)
    if box is None or not box.rows:
        raise text.damaged("has no table of instances: it ends early, or is of an unknown format", line)
    top, layers = box.rows[0], _children(box.rows)
    if top.cells[1].strip() != "(top)":
        raise text.damaged(f"its table begins with '{top.cells[0].strip()}', not with the top", top.line)
    return MetricSet(tuple(_instance(box, top, origin, note))), tuple(
        LayerFigures(row.cells[0].strip(), MetricSet(tuple(_instance(box, row, origin, note)))) for row in layers
    )


def _children(rows: Sequence[Row]) -> Sequence[Row]:
    """The instances in the top, or in the only one in it where a wrapper holds the design.

    An instance stands two spaces deeper than the one it is in; what is in none of them stands in parentheses.
    """
    children = [row for row in rows[1:] if _depth(row) == _depth(rows[0]) + 2]
    within = [row for row in children if not row.cells[0].strip().startswith("(")]
    if len(within) == 1 and len(rows) - 1 > len(children):
        start = rows.index(within[0])
        return _children([row for row in rows[start:] if _depth(row) >= _depth(within[0])])
    return children


def _depth(row: Row) -> int:
    return len(row.cells[0]) - len(row.cells[0].lstrip())


def _instance(box: Box, row: Row, origin: Origin, note: str) -> Iterator[Metric]:
    for name, columns in COLUMNS.items():
        present = [(column, each) for column, each in columns if column in box.head]
        if not present and name not in OPTIONAL:
            box.column(*(column for column, _ in columns))  # raises
        if present:
            value = sum(_counted(box, row, column) * each for column, each in present)
            yield origin.metric(name, value, box.text.at(row.line), note)


def _counted(box: Box, row: Row, column: str) -> float:
    """A count, perhaps with its share of the part."""
    cell = row.cells[box.column(column)]
    value = count(cell)
    if value is None:
        raise box.text.damaged(f"'{cell.strip()}' stands where a count is due", row.line)
    return value
