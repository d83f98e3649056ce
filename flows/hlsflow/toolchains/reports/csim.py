"""csim logs: the C++ of an HLS project, compiled and run by the vendor's tool.

In: `<top>_csim.log`. Out: `Report` of stage `csim` with one figure, passed. What the network gave is in
`tb_data/csim_results.log`, which `outputs` reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hlsflow.core.metrics import MetricSet, Stage
from hlsflow.toolchains.reports.report import UNKNOWN, Origin, Report
from hlsflow.toolchains.reports.text import Text, read_text, top_of

KIND = "csim log"
SUFFIX = "_csim"
DONE = r"CSim done with (\d+) errors?\."
Outputs = tuple[tuple[float, ...], ...]
"""A row a sample."""

FAILED = r"CSim failed|'csim_design' failed|ERROR: \[SIM|^@E Simulation failed"


def read(file: Path, *, root: Path | None = None) -> Report:
    """Read a log; see `hlsflow.toolchains.reports`. Raises DataError when it does not tell how csim ended."""
    return read_part(read_text(file, KIND, root))


def read_part(text: Text) -> Report:
    """The log that a text holds; raises DataError."""
    failed, ended = text.search(FAILED), text.search(DONE)
    end = failed or ended
    if end is None:
        raise text.damaged("does not tell how csim ended: it ends early, or csim was killed")
    passed = failed is None and end[1].group(1) == "0"
    origin = Origin(Stage.CSIM, "csim", UNKNOWN, UNKNOWN)
    metric = origin.metric("passed", float(passed), text.at(end[0]), text.lines[end[0] - 1].strip())
    top = top_of(text.file, SUFFIX)
    return Report("csim", "csim", UNKNOWN, UNKNOWN, top, None, MetricSet((metric,)), (), text.file)


@dataclass(frozen=True)
class Agreement:
    """How two files of outputs compare.

    Attributes:
        samples: that both have.
        outputs: of each sample.
        largest: difference of any output.
        same: samples whose largest output is the same one.
    """

    samples: int
    outputs: int
    largest: float
    same: int


def agreement(outputs: Outputs, expected: Outputs) -> Agreement | None:
    """Compare outputs, sample by sample as far as both go; None when the samples differ in their size."""
    if len(outputs[0]) != len(expected[0]):
        return None
    pairs = list(zip(outputs, expected, strict=False))
    largest = max(abs(a - b) for sample, other in pairs for a, b in zip(sample, other, strict=True))
    same = sum(sample.index(max(sample)) == other.index(max(other)) for sample, other in pairs)
    return Agreement(len(pairs), len(outputs[0]), largest, same)


def outputs(file: Path) -> Outputs:
    """The outputs of an hls4ml test bench, a row a sample; raises DataError when rows differ in length."""
    text = read_text(file, "outputs file")
    rows = tuple(_row(text, index + 1) for index, line in enumerate(text.lines) if line.strip())
    if len({len(row) for row in rows}) != 1:
        raise text.damaged("its lines differ in their number of values: it ends early")
    return rows


def _row(text: Text, line: int) -> tuple[float, ...]:
    try:
        return tuple(float(word) for word in text.lines[line - 1].split())
    except ValueError:
        raise text.damaged("holds something else than numbers", line) from None
