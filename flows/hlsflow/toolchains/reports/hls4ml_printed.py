"""What hls4ml itself prints of a Vivado HLS or Vitis HLS project, kept in a file.

In: the tables of `hls4ml.report.print_vivado_report`. Out: `Report` whose figures are of as many stages as there are
tables: `hls`, `synth`, `simulated`, `routed`. hls4ml names neither tool nor release, part or top, and

- prints the best latency in the place of the worst: the worst is missing unless the two differ;
- counts tiles of 36 Kb of logic synthesis under the name BRAM_18K: here they count as two blocks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from hlsflow.core.metrics import Metric, MetricSet, Stage
from hlsflow.toolchains.reports.cosim import VERDICTS
from hlsflow.toolchains.reports.figures import nanoseconds
from hlsflow.toolchains.reports.report import UNKNOWN, Origin, Report
from hlsflow.toolchains.reports.text import Text, read_bytes, read_text

KIND = "report printed by hls4ml"
PRINTED = "as hls4ml prints it"
MARK = r"^== (?:C Synthesis|Vivado Synthesis|Co-Simulation|Implementation|Timing) report\s*$"
ENTRY = re.compile(r"^ {4}(\S.*?):\s+(\S.*?)\s*$")
CYCLES = re.compile(r"(\d+) \((\S+) (ns|µs|ms|s)\)")
USED = re.compile(r"(\d+(?:\.\d+)?)(?: / (\d+))?(?: \(\S+%\))?")
NOT_TOLD = ("N/A", "NA", "undef", "x")


@dataclass(frozen=True)
class Section:
    """A table: name of a row → its line and what stands there."""

    text: Text
    title: str
    line: int
    rows: Mapping[str, tuple[int, str]]

    def cell(self, name: str) -> tuple[int, str]:
        """A row; raises DataError when there is none."""
        if name not in self.rows:
            raise self.text.damaged(f"'{self.title}' has no '{name}': it ends early", self.line)
        return self.rows[name]


def read(file: Path, *, root: Path | None = None) -> Report:
    """Read a report; see `hlsflow.toolchains.reports`. Raises DataError."""
    text = read_text(file, KIND, root)
    if not read_bytes(file, KIND).endswith(b"\n"):
        raise text.damaged("ends within a line: it was cut short")
    sections = list(_sections(text))
    if len({section.title for section in sections}) < len(sections):
        raise text.damaged("holds more than one report")
    if not sections:
        raise text.damaged("has no table that is known: it ends early, or is of an unknown format")
    csynth = next((section for section in sections if section.title == "C Synthesis"), None)
    clock_ns = _clock(csynth) if csynth else None
    metrics = tuple(metric for section in sections for metric in READERS[section.title](section, clock_ns))
    available = _available(csynth) if csynth else {}
    return Report(
        "printed", f"HLS, {PRINTED}", UNKNOWN, UNKNOWN, UNKNOWN, clock_ns, MetricSet(metrics), (), file, available
    )


def _sections(text: Text) -> Iterator[Section]:
    starts = [
        (index + 1, line[3:].removesuffix(" report").strip())
        for index, line in enumerate(text.lines)
        if re.match(MARK, line)
    ]
    ends = [start - 1 for start, _ in starts[1:]] + [len(text.lines)]
    for (start, title), end in zip(starts, ends, strict=True):
        entries = [(number, ENTRY.match(text.lines[number - 1])) for number in range(start, end + 1)]
        rows = {match[1]: (number, match[2]) for number, match in entries if match}
        yield Section(text, title.removesuffix(" report"), start, rows)


def _clock(section: Section) -> float | None:
    """The period that hls4ml has told the latency in ns with."""
    line, content = section.cell("Best-case latency")
    match = CYCLES.fullmatch(content)
    if match is None:
        raise section.text.damaged(f"'{content}' stands where a latency is due", line)
    time = nanoseconds(f"{match[2]} {match[3].replace('µ', 'u')}")
    return round(time / float(match[1]), 6) if time and float(match[1]) else None


def _csynth(section: Section, clock_ns: float | None) -> Iterator[Metric]:
    origin = Origin(Stage.HLS, f"HLS, {PRINTED}", UNKNOWN, UNKNOWN, clock_ns)
    for name, row in (("lut", "LUT"), ("ff", "FF"), ("dsp", "DSP"), ("bram", "BRAM_18K"), ("uram", "URAM")):
        yield _figure(section, row, name, origin)
    yield _worst(section, origin)
    yield _figure(section, "Interval Max", "ii", origin)
    yield _figure(section, "Estimated Clock Period", "clock_estimate_ns", origin)


def _worst(section: Section, origin: Origin) -> Metric:
    """The worst latency, where hls4ml tells it."""
    (_, best), (line, worst) = section.cell("Best-case latency"), section.cell("Worst-case latency")
    match = CYCLES.fullmatch(worst)
    if match is None:
        raise section.text.damaged(f"'{worst}' stands where a latency is due", line)
    if best == worst:
        why = f"hls4ml prints the best case, {match[1]} cycles, in the place of the worst"
        return origin.metric("latency_cycles", None, section.text.at(line), why)
    return origin.metric("latency_cycles", float(match[1]), section.text.at(line))


def _synth(section: Section, _: float | None) -> Iterator[Metric]:
    origin = Origin(Stage.SYNTH, f"Vivado, {PRINTED}", UNKNOWN, UNKNOWN)
    for name, row in (("lut", "LUT"), ("ff", "FF"), ("dsp", "DSP48E"), ("uram", "URAM")):
        yield _figure(section, row, name, origin)
    yield _figure(section, "BRAM_18K", "bram", origin, 2)


def _cosim(section: Section, clock_ns: float | None) -> Iterator[Metric]:
    origin = Origin(Stage.SIMULATED, f"C/RTL cosimulation, {PRINTED}", UNKNOWN, UNKNOWN, clock_ns)
    line, status = section.cell("Status")
    if status not in VERDICTS:
        raise section.text.damaged(f"'{status}' stands where Pass or Fail is due", line)
    yield origin.metric("passed", VERDICTS[status], section.text.at(line), status.lower())
    yield _figure(section, "Worst-case latency", "latency_cycles", origin)
    yield _figure(section, "Interval Max", "ii", origin)


def _implementation(section: Section, _: float | None) -> Iterator[Metric]:
    origin = Origin(Stage.ROUTED, f"Vivado, {PRINTED}", UNKNOWN, UNKNOWN)
    for name, row in (("lut", "Total LUTs"), ("ff", "FF"), ("dsp", "DSP"), ("uram", "URAM")):
        yield _figure(section, row, name, origin)
    full, half = (_figure(section, row, "bram", origin) for row in ("RAMB36", "RAMB18"))
    missing = next((metric for metric in (full, half) if metric.value is None), None)
    yield missing or origin.metric("bram", 2 * (full.value or 0) + (half.value or 0), full.source)


def _timing(section: Section, _: float | None) -> Iterator[Metric]:
    origin = Origin(Stage.ROUTED, f"Vivado, {PRINTED}", UNKNOWN, UNKNOWN)
    for name, row in (("wns_ns", "Worst Negative Slack (WNS)"), ("whs_ns", "Worst Hold Slack (WHS)")):
        line, content = section.cell(row)
        yield origin.metric(
            name, section.text.number(content, line), section.text.at(line), "hls4ml rounds it to 0.01 ns"
        )


READERS: Mapping[str, Callable[[Section, float | None], Iterator[Metric]]] = {
    "C Synthesis": _csynth,
    "Vivado Synthesis": _synth,
    "Co-Simulation": _cosim,
    "Implementation": _implementation,
    "Timing": _timing,
}
"""Title of a table, without the word report → its figures."""


def _figure(section: Section, row: str, name: str, origin: Origin, each: float = 1) -> Metric:
    """A number, with or without what the part has and the share of that; `each` is how many of its unit one is."""
    line, content = section.cell(row)
    match, source = USED.fullmatch(content), section.text.at(line)
    if match:
        return origin.metric(name, float(match[1]) * each, source)
    if content in NOT_TOLD:
        return origin.metric(name, None, source, f"hls4ml prints '{content}'")
    raise section.text.damaged(f"'{content}' stands where a number is due", line)


def _available(section: Section) -> dict[str, float]:
    matches = {name: USED.fullmatch(section.cell(row)[1]) for name, row in AVAILABLE.items()}
    return {name: float(match[2]) for name, match in matches.items() if match and match[2]}


AVAILABLE = {"lut": "LUT", "ff": "FF", "dsp": "DSP", "bram": "BRAM_18K", "uram": "URAM"}
