"""Reports of Microchip's SmartHLS: `summary.hls.<top>.rpt` and `summary.results.rpt`.

In: one of those files, as a build leaves them in `hls_output/reports`. Out: `Report`: latency and II as scheduled
(stage `hls`); or what simulation, logic synthesis and place and route found, each with its own stage. Look-up tables
have four inputs (`lut4`), memories are LSRAM and uSRAM, and a Math block counts as `dsp`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from hlsflow.core.metrics import Metric, MetricSet, Stage
from hlsflow.toolchains.reports.report import UNKNOWN, LayerFigures, Origin, Report
from hlsflow.toolchains.reports.text import Box, Row, Text, read_text

TOOL = "SmartHLS"
MARK = r"^=+\s+Summary Report for RTL Simulation and FPGA Synthesis\s+=+"
FUNCTION = r"Function:\s+(\S+)\s+takes\s+(\S+)\s+cycles?(?:\s+II\s*=\s*(\S+))?"
HEADING = r"^\s*=+ (\d+)\. (.+?) =+\s*$"
MEMORY = r"^\s*=+ \d+\. Memory Usage"
RESOURCES = {"lut4": "4LUT", "ff": "DFF", "usram": "uSRAM", "lsram": "LSRAM", "dsp": "Math"}
"""Metric → a word of its row's name."""
TIMES = {"latency_cycles": "Call Latency (min/max/avg)", "ii": "Call II (min/max/avg)"}
CLOCKS = {"fmax_mhz": "Fmax", "wns_ns": "Worst Slack"}
"""Metric → column."""
NOT_RUN = "N/A"
SUM = re.compile(r"([\d,]+)\s*\+\s*([\d,]+)(?:\s*=\s*([\d,]+))?")


def read_schedule(file: Path, *, root: Path | None = None) -> Report:
    """Latency and II of each function as SmartHLS has scheduled it, in cycles; those of the top are the design's.

    Raises:
        DataError: the file is damaged or something else.
    """
    text = _whole(read_text(file, "SmartHLS report", root))
    head = _head(text)
    origin = Origin(Stage.HLS, TOOL, UNKNOWN, head.part)
    functions = {match[1]: (line, match) for line, match in _all(text, FUNCTION)}
    if not functions or text.find(MEMORY, "section on memories")[0] < max(line for line, _ in functions.values()):
        raise text.damaged("names no function before the memories: it is damaged, or of an unknown format")
    top = file.name.removeprefix("summary.hls.").removesuffix(".rpt")
    if top not in functions:
        raise text.damaged(f"is about {', '.join(functions)}, not about '{top}' as its name says")
    figures = {name: _scheduled(text, row, origin) for name, row in functions.items()}
    layers = tuple(LayerFigures(name, metrics) for name, metrics in figures.items() if name != top)
    return Report("smarthls", TOOL, UNKNOWN, head.part, top, None, figures[top], layers, file)


def read_results(file: Path, *, root: Path | None = None) -> Report:
    """What has been measured: latency and II (`simulated`), slack and clock (`routed`), and resources.

    Resources are of stage `routed` where there is a timing result, else of `synth`: logic synthesis alone gives none.

    Raises:
        DataError: the file is damaged or something else.
    """
    text = _whole(read_text(file, "SmartHLS results", root))
    head = _head(text)
    timing, clock = _timing(text, head)
    placed = any(metric.value is not None for metric in timing)
    simulated, top = _simulation(text, head)
    resources, available = _resources(text, head, Stage.ROUTED if placed else Stage.SYNTH, clock)
    metrics = MetricSet((*simulated, *timing, *resources))
    top = (top or head.top).removesuffix("_top")  # of the function: the module has that appended
    return Report("smarthls", TOOL, UNKNOWN, head.part, top, clock, metrics, (), file, available)


@dataclass(frozen=True)
class _Head:
    """What the first lines and the headings tell; sections: number → its first line."""

    part: str
    top: str
    sections: Mapping[int, int]

    def of(self, text: Text, section: int) -> tuple[int, int]:
        """The first line of a section, and the line behind its last one."""
        if section not in self.sections:
            raise text.damaged(f"has no section {section}: it ends early, or is of an unknown format")
        return self.sections[section], self.sections.get(section + 1, len(text.lines) + 1)


def _head(text: Text) -> _Head:
    headings = [(int(match[1]), line) for line, match in _all(text, HEADING)]
    sections = dict(headings)
    if len(sections) < len(headings):
        raise text.damaged("has two sections of the same number: reports are mixed up")
    listed = {int(match[1]) for _, match in _all(text, r"^\s+(\d+)\. ")}
    if listed - sections.keys():
        raise text.damaged(f"lacks section {min(listed - sections.keys())}, which its table of contents names")
    device, name = text.search(r"^Device:\s*(\S+)"), text.search(r"\(top-level module: (\S+)\)|^Project name:\s*(\S+)")
    top = (name[1][1] or name[1][2]) if name else UNKNOWN
    return _Head(device[1][1] if device else UNKNOWN, top, sections)


def _all(text: Text, pattern: str) -> Iterator[tuple[int, re.Match[str]]]:
    for line, content in enumerate(text.lines, 1):
        match = re.search(pattern, content)
        if match:
            yield line, match


def _whole(text: Text) -> Text:
    """The text, if each of its tables ends; cells may hold `|` here, which `Text.boxes` cannot tell from an edge."""
    for line, (content, following) in enumerate(zip(text.lines, (*text.lines[1:], ""), strict=True), 1):
        if content.lstrip().startswith("|") and not following.lstrip().startswith(("|", "+")):
            raise text.damaged("the table does not end: the file was cut short or is damaged", line)
    return text


def _scheduled(text: Text, row: tuple[int, re.Match[str]], origin: Origin) -> MetricSet:
    line, match = row
    source = text.at(line)
    number = re.fullmatch(r"\d+", match[2])
    latency = origin.metric("latency_cycles", float(match[2]), source) if number else None
    unknown = f"the report says '{match[2]}'"
    interval = origin.metric("ii", text.number(match[3], line), source) if match[3] else None
    return MetricSet(
        (
            latency or origin.metric("latency_cycles", None, source, unknown),
            interval or origin.metric("ii", None, source, "the function is not pipelined, so the report tells no II"),
        )
    )


def _simulation(text: Text, head: _Head) -> tuple[list[Metric], str]:
    """Figures of the co-simulation, and the name of the top, "" where it is not told."""
    start, end = head.of(text, 1)
    origin = Origin(Stage.SIMULATED, TOOL, UNKNOWN, head.part)
    verdict = next(((line, match) for line, match in _all(text, r"co-simulation:\s*(\w+)") if start < line < end), None)
    if verdict is None:
        why = _why(text, start, end)
        return [origin.metric(name, None, text.at(start), why) for name in (*TIMES, "passed")], ""
    line, match = verdict
    passed = origin.metric("passed", float(match[1] == "PASS"), text.at(line), f"co-simulation: {match[1]}")
    box = text.box_under(start)
    if box is None:  # as up to 2022.1: cycles of all calls together
        total = text.find(r"Cycle latency:\s*([\d,]+)", "latency", start)
        why = f"the report tells {total[1][1]} cycles for all calls together"
        return [*(origin.metric(name, None, text.at(total[0]), why) for name in TIMES), passed], ""
    row = _first(box)
    times = [_range(text, row.line, name, row.cells[box.column(column)], origin) for name, column in TIMES.items()]
    return [*times, passed], row.cells[box.column("Top-Level Name")].strip()


def _timing(text: Text, head: _Head) -> tuple[list[Metric], float | None]:
    """Slack and clock after place and route, and the period asked for."""
    start, end = head.of(text, 2)
    box = text.box_under(start)
    if box is None:
        origin = Origin(Stage.ROUTED, TOOL, UNKNOWN, head.part)
        return [origin.metric(name, None, text.at(start), _why(text, start, end)) for name in CLOCKS], None
    row = _first(box)
    clock = _with_unit(text, row.cells[box.column("Target Period")], "ns", row.line)
    origin = Origin(Stage.ROUTED, TOOL, UNKNOWN, head.part, clock)
    units = {"fmax_mhz": "MHz", "wns_ns": "ns"}
    return [
        _measured(text, row.line, name, row.cells[box.column(column)], units[name], origin)
        for name, column in CLOCKS.items()
    ], clock


def _resources(text: Text, head: _Head, stage: Stage, clock: float | None) -> tuple[list[Metric], dict[str, float]]:
    """What the design takes, and what the part has."""
    start, end = head.of(text, 3)
    origin = Origin(stage, TOOL, UNKNOWN, head.part, clock)
    box = text.box_under(start)
    if box is None:
        why = _why(text, start, end)
        return [origin.metric(name, None, text.at(start), why) for name in RESOURCES], {}
    used, total = box.column("Used"), box.column("Total")
    rows = {name: box.row(f".*{word}.*", word) for name, word in RESOURCES.items()}
    metrics = [_used(text, name, row, row.cells[used], origin) for name, row in rows.items()]
    return metrics, {name: text.number(row.cells[total], row.line) for name, row in rows.items()}


def _used(text: Text, name: str, row: Row, cell: str, origin: Origin) -> Metric:
    """A count, or a sum of fabric and interface, which must be right."""
    match = SUM.fullmatch(cell.strip())
    if cell.strip() == NOT_RUN:
        return origin.metric(name, None, text.at(row.line), f"the report says '{NOT_RUN}'")
    if match is None:
        return origin.metric(name, _count(text, cell, row.line), text.at(row.line))
    fabric, interface = (_count(text, part, row.line) for part in match.groups()[:2])
    if match[3] and _count(text, match[3], row.line) != fabric + interface:
        raise text.damaged(f"'{cell.strip()}' is no right sum", row.line)
    note = f"{fabric:g} of the fabric, {interface:g} between it and memories and Math blocks"
    return origin.metric(name, fabric + interface, text.at(row.line), note)


def _range(text: Text, line: int, name: str, cell: str, origin: Origin) -> Metric:
    """The largest of minimum, maximum and average."""
    parts = cell.split("/")
    if len(parts) != 3:
        raise text.damaged(f"'{cell.strip()}' is no minimum, maximum and average", line)
    if parts[1].strip() in ("-", NOT_RUN):
        return origin.metric(name, None, text.at(line), f"the report says '{cell.strip()}'")
    low, high = (_count(text, part, line) for part in parts[:2])
    if low > high:
        raise text.damaged(f"'{cell.strip()}': the minimum is above the maximum", line)
    return origin.metric(name, high, text.at(line), "" if low == high else f"{low:g} to {high:g} cycles")


def _first(box: Box) -> Row:
    if not box.rows:
        raise box.text.damaged("the table has no row", box.line)
    return box.rows[0]


def _why(text: Text, start: int, end: int) -> str:
    """The sentence that stands in place of a table."""
    sentence = " ".join(line.strip() for line in text.lines[start : end - 1] if line.strip())
    if not sentence.startswith(NOT_RUN):
        raise text.damaged("neither a table nor a reason for its absence", start)
    return sentence


def _count(text: Text, cell: str, line: int) -> float:
    value = text.number(cell.replace(",", ""), line)
    if value < 0:
        raise text.damaged(f"'{cell.strip()}' stands where a count is due", line)
    return value


def _measured(text: Text, line: int, name: str, cell: str, unit: str, origin: Origin) -> Metric:
    """A figure with its unit, or none where the report says so, as of a clock without any path."""
    if cell.strip() == NOT_RUN:
        return origin.metric(name, None, text.at(line), f"the report says '{NOT_RUN}'")
    return origin.metric(name, _with_unit(text, cell, unit, line), text.at(line))


def _with_unit(text: Text, cell: str, unit: str, line: int) -> float:
    value, _, unit_there = cell.strip().partition(" ")
    if unit_there != unit:
        raise text.damaged(f"'{cell.strip()}' is not in {unit}", line)
    return text.number(value, line)
