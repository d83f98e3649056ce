"""csynth reports in text, of Vivado HLS 2018 to 2020 and Vitis HLS.

In: `<top>_csynth.rpt`, or the `csynth.rpt` in which Vitis sums a whole design up. Out: `Report` of stage `hls` with the
figures of each instance and loop. The figures are those of the XML report beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from hlsflow.core.metrics import Metric, MetricSet, Stage
from hlsflow.toolchains.reports.figures import Range, absolute, count, cycles, interval, nanoseconds
from hlsflow.toolchains.reports.report import LayerFigures, Origin, Report
from hlsflow.toolchains.reports.text import Box, Row, Text, read_text

KIND = "csynth report"
TITLE = r"^== (Vivado|Vitis) HLS Report for '(.+)'\s*$"
SUMMARY_TITLE = r"^== Synthesis Summary Report of '(.+)'\s*$"
MARK = f"{TITLE}|{SUMMARY_TITLE}"
VERSION = r"^\s*\* Version:\s+(\d{4}\.\d(?:\.\d)?)\b"
PART = r"^\s*\* Target device:\s+(\S+)\s*$"
RESOURCES: Mapping[str, tuple[str, ...]] = {
    "lut": ("LUT",),
    "ff": ("FF",),
    "dsp": ("DSP", "DSP48E"),
    "bram": ("BRAM_18K",),
    "uram": ("URAM",),
}
"""Metric → names of its column."""

SUMMARY_RESOURCES: Mapping[str, str] = {"lut": "LUT", "ff": "FF", "dsp": "DSP", "bram": "BRAM", "uram": "URAM"}
LOOP = "loop "
NONE = "-"
"""Stands in a column of resources for none."""


def read(file: Path, *, root: Path | None = None) -> Report:
    """Read a report; see `hlsflow.toolchains.reports`. Raises DataError."""
    text = read_text(file, KIND, root)
    text.require_closed()
    line, title = text.find(f"{TITLE}|{SUMMARY_TITLE}", "title of a csynth report")
    if text.search(f"{TITLE}|{SUMMARY_TITLE}", line + 1):
        raise text.damaged("holds more than one report")
    tool, module, design = title.groups()
    if design:
        return _read_summary(text, design)
    end = _section(text, "Interface", line)
    _table(text, r"^\* Summary", end, len(text.lines))  # the last table: the file is whole
    return _read_module(text, f"{tool} HLS", module, end)


def read_part(text: Text) -> Report:
    """The report of a module whose last tables somebody has left out, and that is known to be whole but for those."""
    text.require_closed()
    _, title = text.find(TITLE, "title of a csynth report")
    return _read_module(text, f"{title[1]} HLS", title[2], len(text.lines))


def _read_module(text: Text, tool: str, top: str, end: int) -> Report:
    """The report of a module, of which nothing behind the line `end` is looked at."""
    performance = _section(text, "Performance Estimates", 1)
    area = _section(text, "Utilization Estimates", performance)
    timing = _need(text, "Summary", _heading(text, "Timing", performance), area)
    clock = timing.rows[0]
    clock_ns, estimate = (_period(timing, clock, name) for name in ("Target", "Estimated"))
    origin = Origin(Stage.HLS, tool, _version(text), _part(text), clock_ns)
    latency = _need(text, "Summary", _heading(text, "Latency", performance), area)
    metrics = MetricSet(
        (
            *_resources(_need(text, "Summary", area, end), "Total", origin),
            *_times(latency, latency.rows[0], origin),
            origin.metric("clock_estimate_ns", estimate, text.at(clock.line)),
        )
    )
    available = _available(_need(text, "Summary", area, end))
    sections = (performance, area, end)
    layers, modules = _layers(text, sections, origin), _modules(text, sections)
    part, version = origin.part, origin.version
    return Report("csynth", tool, version, part, top, clock_ns, metrics, layers, text.file, available, modules)


def _modules(text: Text, sections: tuple[int, int, int]) -> frozenset[str]:
    """The modules that this one instantiates."""
    performance, area, end = sections
    pattern = r"^\s*\* Instance\s*:"
    tables = (_table(text, pattern, performance, area), _table(text, pattern, area, end))
    return frozenset(row.cells[box.column("Module")].strip() for box in tables if box for row in box.rows) - {""}


def _version(text: Text) -> str:
    return text.find(VERSION, "version")[1].group(1)


def _part(text: Text) -> str:
    return text.find(PART, "target device")[1].group(1)


def _section(text: Text, title: str, start: int) -> int:
    return text.find(rf"^== {title}", f"section '{title}'", start)[0]


def _heading(text: Text, title: str, start: int) -> int:
    return text.find(rf"^\s*\+ {title}", f"heading '{title}'", start)[0]


def _table(text: Text, heading: str, start: int, end: int) -> Box | None:
    """The table below the first such heading between two lines; None where the heading stands alone."""
    heading_line = text.search(heading, start)
    return text.box_under(heading_line[0]) if heading_line and heading_line[0] < end else None


def _need(text: Text, heading: str, start: int, end: int) -> Box:
    """That table, with at least one row; raises DataError."""
    box = _table(text, rf"^\s*\* {heading}\s*:", start, end)
    if box is None or not box.rows:
        raise text.damaged(f"has no table '{heading}': it ends early, or is of an unknown format", start)
    return box


def _period(box: Box, row: Row, column: str) -> float:
    cell = row.cells[box.column(column)]
    value = nanoseconds(cell)
    if not value:
        raise box.text.damaged(f"'{cell.strip()}' stands where a clock period is due", row.line)
    return value


def _resources(box: Box, row: str, origin: Origin) -> Iterator[Metric]:
    yield from _counts(box, box.row(row, row), origin)


def _counts(box: Box, row: Row, origin: Origin) -> Iterator[Metric]:
    """The resources of a row; older releases have no column of URAM."""
    for name, columns in RESOURCES.items():
        if name != "uram" or "URAM" in box.head:
            yield origin.metric(name, _count(box, row, columns), box.text.at(row.line))


def _count(box: Box, row: Row, columns: Sequence[str]) -> float:
    cell = row.cells[box.column(*columns)].strip()
    value = 0.0 if cell == NONE else count(cell)
    if value is None:
        raise box.text.damaged(f"'{cell}' stands where a count is due", row.line)
    return value


def _available(box: Box) -> dict[str, float]:
    row = box.row("Available", "Available")
    return {name: _count(box, row, columns) for name, columns in RESOURCES.items() if {*columns} & {*box.head}}


def _times(box: Box, row: Row, origin: Origin) -> Iterator[Metric]:
    """Latency and interval of a row; reports before 2019 have no latency in ns."""
    source = box.text.at(row.line)
    cell = dict(zip(box.head, (cell.strip() for cell in row.cells), strict=True))
    plain = "Latency" if "Latency min" in cell else "Latency (cycles)"
    for name in (f"{plain} min", f"{plain} max", "Interval min", "Interval max"):
        box.column(name)
    ranges: list[tuple[str, Range]] = [("latency_cycles", cycles(cell[f"{plain} min"], cell[f"{plain} max"]))]
    if "Latency (absolute) min" in cell:
        ranges.append(("latency_ns", absolute(cell["Latency (absolute) min"], cell["Latency (absolute) max"])))
    ranges.append(("ii", cycles(cell["Interval min"], cell["Interval max"])))
    for name, (value, note) in ranges:
        yield origin.metric(name, value, source, note)


def _layers(text: Text, sections: tuple[int, int, int], origin: Origin) -> tuple[LayerFigures, ...]:
    """The instances, each with its latency and its resources, then the loops."""
    performance, area, end = sections
    latency = _heading(text, "Latency", performance)
    metrics_of: dict[str, list[Metric]] = {}
    times = _table(text, r"^\s*\* Instance\s*:", latency, area)
    for row in times.rows if times else ():
        assert times is not None
        metrics_of.setdefault(row.cells[0].strip(), []).extend(_times(times, row, origin))
    used = _table(text, r"^\s*\* Instance\s*:", area, end)
    for row in _instances(used) if used else ():
        assert used is not None
        metrics_of.setdefault(row.cells[0].strip(), []).extend(_counts(used, row, origin))
    layers = [LayerFigures(name, MetricSet(tuple(metrics))) for name, metrics in metrics_of.items()]
    loops = _table(text, r"^\s*\* Loop\s*:", latency, area)
    return (*layers, *(_loops(loops, origin) if loops else ()))


def _instances(box: Box) -> tuple[Row, ...]:
    """The rows of a table of resources, which must add up to its last one."""
    *rows, total = box.rows
    for columns in (columns for columns in RESOURCES.values() if {*columns} & {*box.head}):
        if sum(_count(box, row, columns) for row in rows) != _count(box, total, columns):
            raise box.text.damaged(f"the instances do not add up to the total of {columns[0]}", total.line)
    return tuple(rows)


def _loops(box: Box, origin: Origin) -> Iterator[LayerFigures]:
    latencies = (box.column(f"Latency (cycles) {end}", f"Latency {end}") for end in ("min", "max"))
    columns = [box.column("Loop Name"), *latencies]
    reached = box.column("Initiation Interval achieved")
    for row in box.rows:
        name, least, most = (row.cells[index].strip() for index in columns)
        source = box.text.at(row.line)
        value, note = cycles(least, most)
        metrics = [origin.metric("latency_cycles", value, source, note)]
        if row.cells[reached].strip() != NONE:
            value, note = interval(row.cells[reached])
            metrics.append(origin.metric("ii", value, source, note))
        yield LayerFigures(f"{LOOP}{name.lstrip('-+ ')}", MetricSet(tuple(metrics)))


def _read_summary(text: Text, top: str) -> Report:
    """The summary of a whole design that Vitis HLS writes: a row for each module and loop."""
    start = _heading(text, "Performance & Resource Estimates", 1)
    _section(text, "HW Interfaces", start)  # the table above it is whole
    box = text.box_under(text.find(r"PS: '\+' for module", "table of modules", start)[0])
    if box is None or not box.rows:
        raise text.damaged("has no table of modules: it ends early, or is of an unknown format", start)
    origin = Origin(Stage.HLS, "Vitis HLS", _version(text), _part(text))
    first, *others = box.rows
    if re.sub(r"[+*\s]", "", first.cells[0]) != top:
        raise text.damaged(f"its table begins with '{first.cells[0].strip()}', not with '{top}'", first.line)
    layers = tuple(LayerFigures(_module(row), MetricSet(tuple(_summed(box, row, origin)))) for row in others)
    modules = frozenset(layer.name for layer in layers if not layer.name.startswith(LOOP))
    value, note = interval(first.cells[box.column("Interval")])
    metrics = MetricSet((*_summed(box, first, origin), origin.metric("ii", value, text.at(first.line), note)))
    part, version = origin.part, origin.version
    return Report("csynth", origin.tool, version, part, top, None, metrics, layers, text.file, None, modules)


def _module(row: Row) -> str:
    """The name of a module or loop; the marks before it say which it is."""
    name = row.cells[0].strip()
    return f"{LOOP}{name.removeprefix('o ').strip()}" if name.startswith("o ") else name.strip("+* ")


def _summed(box: Box, row: Row, origin: Origin) -> Iterator[Metric]:
    """Latency and resources; the summary's intervals of modules are often those of one of their loops."""
    source = box.text.at(row.line)
    value, note = interval(row.cells[box.column("Latency (cycles)")])
    yield origin.metric("latency_cycles", value, source, note)
    for name, column in SUMMARY_RESOURCES.items():
        yield origin.metric(name, _count(box, row, (column,)), source)
