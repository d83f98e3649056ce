"""Report of Quartus' fitter in text, `<revision>.fit.rpt`, of any design for a device that counts in ALMs.

In: the file. Out: `Report` of stage `routed`: alm, ff, dsp, and blocks of RAM where the report counts more than their
bits. The clock is in the report of the timing analyser, not here.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from hlsflow.core.metrics import Metric, MetricSet, Stage
from hlsflow.toolchains.reports.intel import QUARTUS, Build
from hlsflow.toolchains.reports.report import Origin, Report
from hlsflow.toolchains.reports.text import RULE, Text, read_text

KIND = "Quartus fitter report"
MARK = r"^Fitter report for |^; Fitter Summary\s*;"
SUMMARY, USAGE = "Fitter Summary", "Fitter Resource Usage Summary"
DONE = "Successful"
ROWS: Mapping[str, str] = {
    "alm": "Logic utilization (in ALMs)",
    "ff": "Total registers",
    "dsp": "Total DSP Blocks",
}
"""Metric → its row in the summary."""

TOTAL_RAM = "Total RAM Blocks"
CELL = re.compile(r"([\d,]+)(?:\s*/\s*([\d,]+)\s*(?:\(.*\))?)?")

Row = tuple[int, str]
"""A line and what stands there."""


def read(file: Path, *, root: Path | None = None) -> Report:
    """Read a report; see `hlsflow.toolchains.reports`. Raises DataError."""
    text = read_text(file, KIND, root)
    if len([line for line in text.lines if re.match(rf"; {SUMMARY}\s*;", line)]) > 1:
        raise text.damaged("holds more than one report")
    rows = _table(text, SUMMARY, 2)
    status, version, top, family, part = (
        _said(text, rows, name)
        for name in ("Fitter Status", "Quartus Prime Version", "Top-level Entity Name", "Family", "Device")
    )
    if ROWS["alm"] not in rows:
        raise text.damaged(f"is of the family {family}, which does not count in ALMs; those that do are read")
    build = Build(family=family, part=part, quartus=version.split()[0])
    origin = Origin(Stage.ROUTED, QUARTUS, build.quartus, part)
    rows_of_figures = [*_counts(text, rows), _ram(text, rows, build)]
    failed = "" if status.startswith(DONE) else f"the fitter ended with '{status}'"
    metrics = MetricSet(tuple(_metric(text, origin, name, row, failed) for name, row in rows_of_figures))
    available = {name: offered for name, row in rows_of_figures if (offered := _parsed(text, row)[1]) is not None}
    return Report("fit", QUARTUS, build.quartus, part, top, None, metrics, (), file, available)


def _table(text: Text, title: str, rules: int) -> dict[str, Row]:
    """Name of a row → its line and its second cell, from the table of that title, which has so many rules below it."""
    start, _ = text.find(rf"^; {re.escape(title)}\s*;\s*$", f"table '{title}'")
    lines = [*itertools.takewhile(lambda line: line.startswith((";", "+")), text.lines[start:])]
    ruled = [RULE.fullmatch(line.strip()) is not None for line in lines]
    if sum(ruled) < rules or not ruled[-1]:
        raise text.damaged(f"the table '{title}' does not end: the file was cut short or is damaged", start)
    table: dict[str, Row] = {}
    for number, line in enumerate(lines, start + 1):
        cells = [cell.strip() for cell in line.split(";")[1:-1]]
        if len(cells) > 1:
            table.setdefault(cells[0].lstrip("- "), (number, cells[1]))
    return table


def _said(text: Text, rows: Mapping[str, Row], name: str) -> str:
    if name not in rows or not rows[name][1]:
        raise text.damaged(f"its summary has no '{name}'")
    return rows[name][1]


def _counts(text: Text, rows: Mapping[str, Row]) -> Iterator[tuple[str, Row]]:
    for name, word in ROWS.items():
        _said(text, rows, word)
        yield name, rows[word]


def _ram(text: Text, rows: Mapping[str, Row], build: Build) -> tuple[str, Row]:
    """The blocks of RAM: in the summary, or in the table of all resources."""
    if TOTAL_RAM in rows:
        return build.ram, rows[TOTAL_RAM]
    usage = _table(text, USAGE, 3) if text.search(rf"^\s*\d+\. {USAGE}") else {}
    bits = rows.get("Total block memory bits", (0, "N/A"))
    return build.ram, usage.get(f"{build.ram.upper()} blocks", (bits[0], f"N/A, and {bits[1]} bits of block memory"))


def _parsed(text: Text, row: Row) -> tuple[float | None, float | None]:
    """What is used and what the device has; none where the report does not say."""
    line, content = row
    match = CELL.fullmatch(content)
    if match is None:
        if content.startswith("N/A"):
            return None, None
        raise text.damaged(f"'{content}' stands where a count is due", line)
    used, offered = (float(part.replace(",", "")) if part else None for part in match.groups())
    return used, offered


def _metric(text: Text, origin: Origin, name: str, row: Row, failed: str) -> Metric:
    value, _ = _parsed(text, row)
    if failed or value is None:
        return origin.metric(name, None, text.at(row[0]), failed or f"the report says '{row[1]}'")
    return origin.metric(name, value, text.at(row[0]))
