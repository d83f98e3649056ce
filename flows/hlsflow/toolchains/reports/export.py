"""What HLS tools of AMD write when they export a design through Vivado: `<top>_export.rpt`.

In: the file, of Vivado HLS or Vitis HLS. Out: `Report` of stage `routed`, or of `synth` where the export ended there:
lut, ff, dsp, bram (18 Kb blocks), uram where the report has it, wns_ns and fmax_mhz. The report names a project, and no
top.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from hlsflow.core.metrics import Metric, MetricSet, Stage
from hlsflow.toolchains.reports.figures import nanoseconds
from hlsflow.toolchains.reports.report import Origin, Report
from hlsflow.toolchains.reports.text import Text, read_text, top_of

KIND = "export report"
MARK = r"^Implementation tool:\s+\S*\s*Vivado"
SUFFIX = "_export"
RESOURCES: Mapping[str, str] = {"lut": "LUT", "ff": "FF", "dsp": "DSP", "bram": "BRAM"}
OPTIONAL: Mapping[str, str] = {"uram": "URAM"}
ENDS = r"^(Timing met|Timing not met|No Sequential Path)\s*$"
UNTIMED = "NA"
STAGES = {"Implementation": (Stage.ROUTED, r"post-implem\w+"), "Synthesis": (Stage.SYNTH, "post-synthesis")}
"""How the resources are headed → their stage, and what its clock period is called."""


def read(file: Path, *, root: Path | None = None) -> Report:
    """Read a report; see `hlsflow.toolchains.reports`. Raises DataError."""
    text = read_text(file, KIND, root)
    start, version = text.find(r"^Implementation tool:\s+(?:Xilinx |AMD )?Vivado v\.(\S+)", "version of Vivado")
    if text.search(r"^Implementation tool:", start + 1):
        raise text.damaged("holds more than one report")
    part = text.find(r"^Device target:\s+(\S+)", "device", start)[1].group(1)
    line, after = text.find(r"^#=== Post-(Implementation|Synthesis) Resource usage", "heading of the resources", start)
    end, verdict = text.find(ENDS, "word on whether timing is met", line)
    stage, achieved = STAGES[after.group(1)]
    (_, clock_ns), reached = _period(text, "CP required", line), _period(text, f"CP achieved {achieved}", line)
    origin = Origin(stage, "Vivado", version.group(1), part, clock_ns)
    metrics = (*_counts(text, line, end, origin), *_speed(text, reached, origin, verdict.group(1)))
    return Report(
        "export", origin.tool, origin.version, part, top_of(file, SUFFIX), clock_ns, MetricSet(metrics), (), file
    )


def _counts(text: Text, start: int, end: int, origin: Origin) -> Iterator[Metric]:
    for name, word in {**RESOURCES, **OPTIONAL}.items():
        row = text.search(rf"^{word}:\s+(\S+)\s*$", start)
        if row and row[0] < end:
            yield origin.metric(name, text.number(row[1].group(1), row[0]), text.at(row[0]))
        elif name in RESOURCES:
            raise text.damaged(f"has no line of {word}: it is damaged or of an unknown format", start)


def _period(text: Text, words: str, start: int) -> tuple[int, float | None]:
    """The line and the value of a clock period; none where no path was timed."""
    line, match = text.find(rf"^{words}:\s+(\S+)\s*$", "clock period that was asked for and reached", start)
    value = nanoseconds(match.group(1))
    if value is None and match.group(1) != UNTIMED:
        raise text.damaged(f"'{match.group(1)}' stands where a clock period is due", line)
    return line, value


def _speed(text: Text, reached: tuple[int, float | None], origin: Origin, verdict: str) -> Iterator[Metric]:
    """Slack and fastest clock, of the line and the value of the period that was reached."""
    (line, period), asked = reached, origin.clock_ns
    source, note = text.at(line), verdict.lower()
    if not period or asked is None:
        yield from (origin.metric(name, None, source, f"no path was timed: {note}") for name in ("wns_ns", "fmax_mhz"))
    else:
        yield origin.metric("wns_ns", round(asked - period, 6), source, note)
        yield origin.metric("fmax_mhz", round(1000.0 / period, 3), source, note)
