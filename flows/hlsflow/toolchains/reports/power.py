"""Vivado's `report_power`: what a design takes in watts, as Vivado estimates it.

In: `*_power_routed.rpt`. Out: `Report` of stage `routed` (or `synth`): power_w, power_static_w, power_dynamic_w, each
with the confidence that Vivado has in it, which depends on what it was told of the activity; and the instances' dynamic
power where the report has them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from hlsflow.core.metrics import Metric, MetricSet
from hlsflow.toolchains.reports.report import LayerFigures, Origin, Report
from hlsflow.toolchains.reports.text import Row, Text, read_text
from hlsflow.toolchains.reports.vivado_text import command, header, require_whole, section

KIND = "power report"
MARK = command("report_power")
ROWS: Mapping[str, str] = {
    "power_w": "Total On-Chip Power (W)",
    "power_dynamic_w": "Dynamic (W)",
    "power_static_w": "Device Static (W)",
}
LEADING = re.compile(r"(<?)(\d+\.\d+)")
"""A remark, such as that the junction gets too hot, may follow the figure; small ones are told as `<0.001`."""


def read(file: Path, *, root: Path | None = None) -> Report:
    """Read a report; see `hlsflow.toolchains.reports`. Raises DataError."""
    text = read_text(file, KIND, root)
    head = header(text)
    require_whole(text)
    rows = _summary(text)
    origin = head.origin()
    note = f"confidence: {_row(text, rows, 'Confidence Level').cells[1].strip().lower()}; design {head.state.lower()}"
    metrics = []
    for name, title in ROWS.items():
        row = _row(text, rows, title)
        metrics.append(_watts(text, row, name, origin, note))
    layers = tuple(_instances(text, origin, note))
    return Report(
        "power", origin.tool, head.version, head.device, head.design, None, MetricSet(tuple(metrics)), layers, file
    )


def _summary(text: Text) -> dict[str, Row]:
    line = section(text, "Summary")
    box = text.box_under(line) if line else None
    if box is None:
        raise text.damaged("has no summary: it ends early, or is of an unknown format")
    return {row.cells[0].strip(): row for row in (*box.titles, *box.rows)}


def _row(text: Text, rows: Mapping[str, Row], title: str) -> Row:
    if title not in rows:
        raise text.damaged(f"its summary has no '{title}'")
    return rows[title]


def _watts(text: Text, row: Row, name: str, origin: Origin, note: str) -> Metric:
    match = LEADING.match(row.cells[1].strip())
    if match is None:
        raise text.damaged(f"'{row.cells[1].strip()}' stands where a power is due", row.line)
    if match.group(1):
        return origin.metric(name, None, text.at(row.line), f"less than {match.group(2)} W; {note}")
    return origin.metric(name, float(match.group(2)), text.at(row.line), note)


def _instances(text: Text, origin: Origin, note: str) -> Iterator[LayerFigures]:
    """The dynamic power of each instance in the top; those that take less than Vivado tells are not in the table."""
    line = section(text, "By Hierarchy")
    if line is None:
        return
    box = text.box_under(line)
    if box is None or not box.rows:
        raise text.damaged("has no table of instances: it ends early, or is of an unknown format", line)
    for row in box.rows:
        if row.cells[0].startswith("   ") and not row.cells[0].startswith("    "):
            metric = _watts(text, row, "power_dynamic_w", origin, note)
            yield LayerFigures(row.cells[0].strip(), MetricSet((metric,)))
