"""cosim reports: the synthesized RTL in the vendor's simulator, against the C++.

In: `<top>_cosim.rpt` of Vivado HLS or Vitis HLS. Out: `Report` of stage `simulated`: passed, latency_cycles and ii, the
worst of all transactions, and of both languages where both were simulated. The report names neither part nor release;
one of a cosimulation that failed early names no simulator either.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from hlsflow.core.metrics import Metric, MetricSet, Stage
from hlsflow.toolchains.reports.report import UNKNOWN, Origin, Report
from hlsflow.toolchains.reports.text import Box, Row, Text, read_text, top_of

KIND = "cosim report"
SUFFIX = "_cosim"
TOOL = "C/RTL cosimulation"
NOT_RUN = "NA"
VERDICTS = {"Pass": 1.0, "Fail": 0.0}
MARK = r"^\+\s*RTL\s*\+\s*Status\s*\+"
FIGURES = {"latency_cycles": "Latency", "ii": "Interval"}


def read(file: Path, *, root: Path | None = None) -> Report:
    """Read a report; see `hlsflow.toolchains.reports`. Raises DataError."""
    return read_part(read_text(file, KIND, root))


def read_part(text: Text) -> Report:
    """The report that a text holds; raises DataError."""
    boxes = list(text.boxes())
    if len(boxes) != 1:
        raise text.damaged(f"has {len(boxes)} tables where one is due")
    simulator = text.search(r"^Simulation tool\s*:\s*(\w+)")
    tool = f"{TOOL} ({simulator[1].group(1)})" if simulator else TOOL
    origin = Origin(Stage.SIMULATED, tool, UNKNOWN, UNKNOWN)
    metrics = MetricSet(tuple(_figures(boxes[0], _simulated(boxes[0]), origin)))
    return Report("cosim", origin.tool, UNKNOWN, UNKNOWN, top_of(text.file, SUFFIX), None, metrics, (), text.file)


def _simulated(box: Box) -> list[tuple[str, Row]]:
    """The verdict and row of each language that was simulated."""
    status = box.column("Status")
    statuses = [(row.cells[status].strip(), row) for row in box.rows]
    for status_word, row in statuses:
        if status_word not in (*VERDICTS, NOT_RUN):
            raise box.text.damaged(f"'{status_word}' stands where Pass, Fail or NA is due", row.line)
    if not statuses:
        raise box.text.damaged("the table has no row", box.line)
    return [simulated for simulated in statuses if simulated[0] != NOT_RUN]


def _figures(box: Box, rows: Sequence[tuple[str, Row]], origin: Origin) -> Iterator[Metric]:
    if not rows:
        why = "the report names no language that was simulated: cosimulation ended before that"
        yield from (origin.metric(name, None, box.text.at(box.line), why) for name in ("passed", *FIGURES))
        return
    verdicts = ", ".join(f"{row.cells[0].strip()}: {status.lower()}" for status, row in rows)
    yield origin.metric("passed", min(VERDICTS[status] for status, _ in rows), box.text.at(rows[0][1].line), verdicts)
    for name, word in FIGURES.items():
        metrics = [_cycles(box, row, name, word, origin) for _, row in rows]
        missing = next((metric for metric in metrics if metric.value is None), None)
        yield missing or max(metrics, key=lambda metric: metric.value or 0.0)


def _cycles(box: Box, row: Row, name: str, word: str, origin: Origin) -> Metric:
    """The largest number of cycles of a language."""
    least, mean, most = (row.cells[_column(box, word, kind)].strip() for kind in ("min", "avg", "max"))
    source = box.text.at(row.line)
    if most.isdecimal():
        note = "" if least == most else f"{least} to {most} cycles, {mean} on average"
        return origin.metric(name, float(most), source, note)
    return origin.metric(name, None, source, f"the report says '{most}': too few transactions, or none ended")


def _column(box: Box, word: str, kind: str) -> int:
    """The column of that kind below a word; newer releases add the unit to the word."""
    return box.column(f"{word} {kind}", f"{word}(Clock Cycles) {kind}", f"{word} (Clock Cycles) {kind}")
