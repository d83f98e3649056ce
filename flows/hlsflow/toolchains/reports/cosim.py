"""cosim reports: the synthesized RTL in the vendor's simulator, against the C++.

In: `<top>_cosim.rpt` of Vivado HLS or Vitis HLS. Out: `Report` of stage `simulated`: passed, latency_cycles and ii, the
worst of all transactions. The report names neither part nor release.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hlsflow.core.metrics import Metric, MetricSet, Stage
from hlsflow.toolchains.reports.report import UNKNOWN, Origin, Report
from hlsflow.toolchains.reports.text import Box, Row, Text, read_text

KIND = "cosim report"
SUFFIX = "_cosim"
NOT_RUN = "NA"
VERDICTS = {"Pass": 1.0, "Fail": 0.0}
FIGURES = {"latency_cycles": "Latency", "ii": "Interval"}


def read(file: Path, *, root: Path | None = None) -> Report:
    """Read a report; see `hlsflow.toolchains.reports`. Raises DataError."""
    text = read_text(file, KIND, root)
    _, simulator = text.find(r"^Simulation tool\s*:\s*(\w+)")
    boxes = list(text.boxes())
    if len(boxes) != 1:
        raise text.damaged(f"has {len(boxes)} tables where one is due")
    origin = Origin(Stage.SIMULATED, f"C/RTL cosimulation ({simulator.group(1)})", UNKNOWN, UNKNOWN)
    row = _simulated(text, boxes[0])
    metrics = MetricSet(tuple(_figures(boxes[0], row, origin)))
    top = file.stem.removesuffix(SUFFIX)
    return Report("cosim", origin.tool, origin.version, origin.part, top, None, metrics, (), file)


def _simulated(text: Text, box: Box) -> Row:
    """The language that was simulated; raises DataError when there is none, or more than one."""
    status = box.column("Status")
    run = [row for row in box.rows if row.cells[status].strip() != NOT_RUN]
    if len(run) != 1:
        raise text.damaged(f"{len(run)} languages were simulated where one is due", box.line)
    return run[0]


def _figures(box: Box, row: Row, origin: Origin) -> Iterator[Metric]:
    status, source = row.cells[box.column("Status")].strip(), box.text.at(row.line)
    if status not in VERDICTS:
        raise box.text.damaged(f"'{status}' stands where Pass or Fail is due", row.line)
    yield origin.metric("passed", VERDICTS[status], source, f"{row.cells[0].strip()}: {status.lower()}")
    for name, word in FIGURES.items():
        least, mean, most = (row.cells[_column(box, word, kind)].strip() for kind in ("min", "avg", "max"))
        if most.isdecimal():
            note = "" if least == most else f"{least} to {most} cycles, {mean} on average"
            yield origin.metric(name, float(most), source, note)
        else:
            yield origin.metric(name, None, source, f"the report says '{most}': too few transactions, or none ended")


def _column(box: Box, word: str, kind: str) -> int:
    """The column of that kind below a word; newer releases add the unit to the word."""
    return box.column(f"{word} {kind}", f"{word}(Clock Cycles) {kind}", f"{word} (Clock Cycles) {kind}")
