"""Report of Siemens' Catapult, `rtl.rpt`, and the log of its cosimulation.

In: the file, as synthesis leaves it in `<project>/<top>.v1`; `cycle.rpt` beside it tells the clock. Out: `Report`:
latency, interval, area and slack as Catapult estimates them (stage `hls`), the first two by process; or whether the
Verilog and the C++ agree (stage `simulated`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hlsflow.core.metrics import Metric, MetricSet, Stage
from hlsflow.toolchains.reports.report import UNKNOWN, LayerFigures, Origin, Report
from hlsflow.toolchains.reports.text import Text, read_text

TOOL = "Catapult"
MARK = r"^-- Catapult\b.*: Report\s*$"
END = r"^\s*End of Report"
TOTAL = "Design Total:"
TIMES = {"latency_cycles": "Latency", "ii": "Throughput"}
"""Metric → column. Catapult's throughput is the number of cycles from one run of the design to the next; its column II
is about the loops of a process."""


def read(file: Path, *, root: Path | None = None) -> Report:
    """Latency, interval, area and slack of the design, latency and interval of its processes.

    Raises:
        DataError: the file is damaged or something else.
    """
    text = read_text(file, "Catapult report", root)
    end, _ = text.find(END, "end")
    if any(line.strip() for line in text.lines[end:]):
        raise text.damaged("goes on behind its end", end)
    _, version = text.find(r"^-- Version:\s+(\S+)", "version")
    _, solution = text.find(r"^\s*Solution Settings:\s+(\S+?)(?:\.v\d+)?\s*$", "name of the solution")
    library = text.search(r"\[Lib: mgc_(\S+?)(?:_beh\S*)?\]")
    part = library[1][1] if library else UNKNOWN
    origin = Origin(Stage.HLS, TOOL, version[1].partition("/")[0], part, _clock(file))
    processes = _table(text, "Processes/Blocks in Design")
    rows = {row.cells.get("Process", ""): _times(text, row, origin) for row in processes.rows()}
    if TOTAL not in rows:
        raise text.damaged(f"has no '{TOTAL}': it ends early, or is of an unknown format")
    metrics = (*rows[TOTAL], *_area(text, origin), *_slack(text, origin))
    layers = tuple(LayerFigures(name, figures) for name, figures in rows.items() if name != TOTAL)
    return Report(
        "catapult", TOOL, origin.version, part, solution[1], origin.clock_ns, MetricSet(metrics), layers, file
    )


def read_simulation(file: Path, *, root: Path | None = None) -> Report:
    """Whether SCVerify found the Verilog and the C++ to agree; tells no cycles.

    Args:
        file: the log of the cosimulation.
    Raises:
        DataError: it ends without a verdict.
    """
    text = read_text(file, "log of Catapult's cosimulation", root)
    line, verdict = text.find(r"\bSimulation (PASSED|FAILED)\b", "verdict of the simulation")
    origin = Origin(Stage.SIMULATED, TOOL, UNKNOWN, UNKNOWN)
    passed = origin.metric("passed", float(verdict[1] == "PASSED"), text.at(line))
    return Report("cosim", TOOL, UNKNOWN, UNKNOWN, UNKNOWN, None, MetricSet((passed,)), (), file)


@dataclass(frozen=True)
class _Row:
    line: int
    cells: dict[str, str]


@dataclass(frozen=True)
class _Table:
    """A table without edges: a line of names, and below it a line of dashes that tells the columns.

    Attributes:
        line: that of the dashes.
        spans: name of a column → where it begins and ends.
    """

    text: Text
    line: int
    spans: dict[str, tuple[int, int]]

    def row(self, line: int) -> _Row:
        content = self.text.lines[line - 1]
        return _Row(line, {name: content[start:end].strip() for name, (start, end) in self.spans.items()})

    def rows(self) -> Iterator[_Row]:
        """The rows up to an empty one."""
        line = self.line + 1
        while line <= len(self.text.lines) and self.text.lines[line - 1].strip():
            yield self.row(line)
            line += 1


def _table(text: Text, heading: str) -> _Table:
    """The table below a heading."""
    start, _ = text.find(rf"^\s*{heading}", f"heading '{heading}'")
    line, _ = text.find(r"^\s*-+( -+)+\s*$", f"table '{heading}'", start)
    spans = [dashes.span() for dashes in re.finditer("-+", text.lines[line - 1])]
    names = text.lines[line - 2]
    return _Table(text, line, {names[start:end].strip(): (start, end) for start, end in spans})


def _times(text: Text, row: _Row, origin: Origin) -> MetricSet:
    missing = [column for column in TIMES.values() if column not in row.cells]
    if missing:
        raise text.damaged(f"the table of processes has no column '{missing[0]}'", row.line)
    return MetricSet(tuple(_time(text, row, name, row.cells[column], origin) for name, column in TIMES.items()))


def _time(text: Text, row: _Row, name: str, cell: str, origin: Origin) -> Metric:
    source = text.at(row.line)
    if re.fullmatch(r"\d+", cell):
        return origin.metric(name, float(cell), source)
    if re.fullmatch(r"|\?|[A-Za-z/]+", cell):
        return origin.metric(name, None, source, f"the report says '{cell}': it depends on the data")
    raise text.damaged(f"'{cell}' stands where a number of cycles is due", row.line)


def _area(text: Text, origin: Origin) -> Iterator[Metric]:
    """The score after assignment, and look-up tables where the library counts in them."""
    line, score = text.find(r"^\s*Total Area Score:\s+\S+\s+\S+\s+(\S+)", "total area score")
    yield origin.metric("area_score", text.number(score[1], line), text.at(line))
    bill = _table(text, "Bill Of Materials")
    total = bill.row(text.find(r"^\s*TOTAL AREA \(After Assignment\):", "total area", bill.line)[0])
    if "Area(LUTs)" in total.cells:
        yield origin.metric("lut", text.number(total.cells["Area(LUTs)"], total.line), text.at(total.line))


def _slack(text: Text, origin: Origin) -> tuple[Metric, Metric]:
    delay_line, delay = text.find(r"^\s*Max Delay:\s+(\S+)", "largest delay")
    slack_line, slack = text.find(r"^\s*Slack:\s+(\S+)", "slack", delay_line)
    return (
        origin.metric("clock_estimate_ns", round(text.number(delay[1], delay_line), 6), text.at(delay_line)),
        origin.metric("wns_ns", text.number(slack[1], slack_line), text.at(slack_line)),
    )


def _clock(file: Path) -> float | None:
    """The period asked for, from `cycle.rpt` beside the report; None without it."""
    cycles = file.with_name("cycle.rpt")
    if not cycles.is_file():
        return None
    text = read_text(cycles, "Catapult cycle report")
    row = next(_table(text, "Clock Information").rows(), None)
    if row is None or "Period" not in row.cells:
        raise text.damaged("the table of clocks has no period")
    return text.number(row.cells["Period"], row.line)
