"""Vivado's `report_timing_summary`: whether a design keeps to its clock, and how fast it could run.

In: `*_timing_summary_routed.rpt`. Out: `Report` of stage `routed` (or `synth`, `placed`): wns_ns, whs_ns and
fmax_mhz. The fastest clock is 1 / (period - slack) of the clock with the worst slack (AMD UG906, timing summary).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hlsflow.core.metrics import Metric, MetricSet
from hlsflow.toolchains.reports.report import Origin, Report
from hlsflow.toolchains.reports.text import Text, read_text
from hlsflow.toolchains.reports.vivado_text import command, header

KIND = "timing report"
MARK = command("report_timing_summary")
UNCONSTRAINED = ("NA", "inf")
SLACKS = (("wns_ns", "WNS(ns)"), ("whs_ns", "WHS(ns)"))
MET = r"^All user specified timing constraints are met\."
NOT_MET = r"^Timing constraints are not met\."
UNCLOCKED = r"^There are no user specified timing constraints\."


@dataclass(frozen=True)
class Line:
    """A line of a table without rules: where, and its cells by the names above them."""

    text: Text
    number: int
    cells: dict[str, str]

    def cell(self, column: str) -> str:
        """The cell of a column; raises DataError when the table has none of that name."""
        if column not in self.cells:
            raise self.text.damaged(f"the table has no column '{column}'", self.number)
        return self.cells[column]


@dataclass(frozen=True)
class Clock:
    """A clock: its period, and its worst slack of setup where it has any path."""

    name: str
    period_ns: float
    wns_ns: float | None


def read(file: Path, *, root: Path | None = None) -> Report:
    """Read a report; see `hlsflow.toolchains.reports`. Raises DataError."""
    text = read_text(file, KIND, root)
    head = header(text)
    text.find(r"^\| Inter Clock Table", "table 'Inter Clock Table'")  # the tables above it are whole
    (worst,) = _table(text, "Design Timing Summary", "WNS(ns)")
    clocks = [] if text.search(UNCLOCKED) else _clocks(text)
    slowest = _slowest(clocks, _slack(text, worst, "WNS(ns)"))
    clock_ns = slowest.period_ns if slowest else clocks[0].period_ns if len(clocks) == 1 else None
    metrics = MetricSet(tuple(_figures(text, worst, slowest, head.origin(clock_ns), head.note)))
    return Report("timing", "Vivado", head.version, head.device, head.design, clock_ns, metrics, (), file)


def _figures(text: Text, worst: Line, slowest: Clock | None, origin: Origin, note: str) -> Iterator[Metric]:
    remarks = (_verdict(text), note)
    source, verdict = text.at(worst.number), ", ".join(part for part in remarks if part)
    missing = ", ".join(part for part in ("no path is constrained", note) if part)
    for name, column in SLACKS:
        value = _slack(text, worst, column)
        yield origin.metric(name, value, source, verdict if value is not None else missing)
    if slowest is None or slowest.wns_ns is None:
        single = "the worst path belongs to no single clock"
        yield origin.metric("fmax_mhz", None, source, missing if _slack(text, worst, "WNS(ns)") is None else single)
    else:
        fmax = round(1000.0 / (slowest.period_ns - slowest.wns_ns), 3)
        yield origin.metric("fmax_mhz", fmax, source, f"of clock {slowest.name}, {verdict}")


def _verdict(text: Text) -> str:
    if text.search(MET):
        return "timing is met"
    return "timing is not met" if text.search(NOT_MET) else "no clock is constrained"


def _slack(text: Text, line: Line, column: str) -> float | None:
    cell = line.cell(column)
    return None if cell in UNCONSTRAINED else text.number(cell, line.number)


def _clocks(text: Text) -> list[Clock]:
    slacks = {line.cell("Clock"): line for line in _table(text, "Intra Clock Table", "Clock")}
    return [
        Clock(name, text.number(line.cell("Period(ns)"), line.number), _clock_slack(text, slacks.get(name)))
        for line in _table(text, "Clock Summary", "Clock")
        for name in (line.cell("Clock"),)
    ]


def _clock_slack(text: Text, line: Line | None) -> float | None:
    return _slack(text, line, "WNS(ns)") if line and line.cells.get("WNS(ns)") else None


def _slowest(clocks: list[Clock], worst: float | None) -> Clock | None:
    """The clock that the worst slack of the design is of; None when it is of a path between two."""
    return next((clock for clock in clocks if worst is not None and clock.wns_ns == worst), None)


def _table(text: Text, title: str, first: str) -> list[Line]:
    """The lines below the dashes of a table whose first column is `first`; cells stand under their names."""
    start, _ = text.find(rf"^\| {re.escape(title)}\s*$", f"table '{title}'")
    head, _ = text.find(rf"^\s*{re.escape(first)}\s|^\| ", f"column '{first}' in the table '{title}'", start + 2)
    dashes = text.lines[head] if head < len(text.lines) else ""
    if not re.fullmatch(r"[\s-]*-[\s-]*", dashes):
        raise text.damaged(f"the table '{title}' has no line of dashes: it ends early or is damaged", start)
    spans = [match.span() for match in re.finditer(r"-+", dashes)]
    names = [text.lines[head - 1][a:b].strip() for a, b in spans]
    lines = []
    for number in range(head + 2, len(text.lines) + 1):
        line = text.lines[number - 1]
        if not line.strip():
            break
        lines.append(Line(text, number, dict(zip(names, _cells(line, spans), strict=True))))
    if not lines:
        raise text.damaged(f"the table '{title}' is empty: it ends early or is damaged", head)
    return lines


def _cells(line: str, spans: list[tuple[int, int]]) -> list[str]:
    """The words of a line, each in the column it overlaps, or else in the one that begins before it.

    Names of clocks are indented, and longer than the dashes below their heading.
    """
    cells: list[list[str]] = [[] for _ in spans]
    for match in re.finditer(r"\{[^}]*\}|\S+", line):
        over = [index for index, (a, b) in enumerate(spans) if match.start() < b and match.end() > a]
        before = [index for index, (a, _) in enumerate(spans) if a <= match.start()]
        cells[(over or before[-1:] or [0])[0]].append(match.group())
    return [" ".join(words) for words in cells]
