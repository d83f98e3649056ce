"""What `hls4ml.report.read_vivado_report` shows: reports of a Vivado HLS or Vitis HLS project, one behind the other.

In: its output, kept in a file. Out: `Report` with the figures of the csynth report, which hls4ml shows without its last
tables, and those of csim and cosim where they are there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from hlsflow.core.metrics import Metric, MetricSet
from hlsflow.toolchains.reports import cosim, csim, csynth_rpt
from hlsflow.toolchains.reports.report import Report
from hlsflow.toolchains.reports.text import Text, read_text

KIND = "reports shown by hls4ml"
MARK = r"^Reports for solution \"|^SYNTHESIS REPORT:\s*$"
CSIM, CSYNTH, COSIM = "C SIMULATION RESULT:", "SYNTHESIS REPORT:", "CO-SIMULATION RESULT:"
ABSENT = "Co-simulation report not found."


def read(file: Path, *, root: Path | None = None) -> Report:
    """Read a report; see `hlsflow.toolchains.reports`. Raises DataError."""
    text = read_text(file, KIND, root)
    starts = {word: _only(text, word) for word in (CSIM, CSYNTH, COSIM)}
    if not starts[CSYNTH]:
        raise text.damaged("has no report of the C synthesis")
    end = starts[COSIM] or _only(text, ABSENT)
    if not end:
        raise text.damaged("tells nothing of the cosimulation: it ends early")
    synthesis = csynth_rpt.read_part(_part(text, starts[CSYNTH], end))
    more = [metric for other in _simulations(text, starts) for metric in other.metrics]
    metrics = MetricSet((*synthesis.metrics, *(_completed(metric, synthesis) for metric in more)))
    return replace(synthesis, metrics=metrics)


def _only(text: Text, words: str) -> int:
    """The line behind which a part begins; 0 where there is none. Raises DataError where there are several."""
    lines = [index for index, line in enumerate(text.lines, 1) if line.strip() == words]
    if len(lines) > 1:
        raise text.damaged(f"shows several solutions: '{words}' stands in it {len(lines)} times", lines[1])
    return lines[0] if lines else 0


def _part(text: Text, start: int, end: int) -> Text:
    """The text with nothing but some of its lines, which keep their numbers."""
    return replace(text, lines=tuple(line if start < at < end else "" for at, line in enumerate(text.lines, 1)))


def _simulations(text: Text, starts: dict[str, int]) -> Iterator[Report]:
    if starts[CSIM]:
        yield csim.read_part(_part(text, starts[CSIM], starts[CSYNTH]))
    if starts[COSIM]:
        yield cosim.read_part(_part(text, starts[COSIM], len(text.lines) + 1))


def _completed(metric: Metric, csynth: Report) -> Metric:
    """A simulation's figure with release, part and clock of the synthesis that it belongs to."""
    tool = f"{csynth.tool} {metric.tool.removeprefix('C/RTL ')}"
    return replace(metric, tool=tool, version=csynth.version, target=csynth.part, clock_ns=csynth.clock_ns)
