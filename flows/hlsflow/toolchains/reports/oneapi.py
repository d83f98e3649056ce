"""Reports of Intel's oneAPI compiler for FPGAs: `summary.ndjson`, `loop_attr.ndjson` and `quartus.ndjson`.

In: one of those files, as a build leaves them in `<top>.<target>.prj/reports/resources/json`; `info.ndjson` beside it
tells version, part and clock. Out: `Report`: the compiler's estimate of resources by kernel (stage `hls`), its loops
with II, latency and clock (stage `hls`), or what the fitter found (stage `routed`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hlsflow.core.metrics import Metric, MetricSet, Stage
from hlsflow.toolchains.reports import intel
from hlsflow.toolchains.reports.intel import Build, Data
from hlsflow.toolchains.reports.report import UNKNOWN, LayerFigures, Origin, Report
from hlsflow.toolchains.reports.text import Text, read_text

TOOL = "oneAPI"
RESOURCES, KERNELS = "estimatedResources", "performanceSummary"
TOTAL, AVAILABLE, SUBTOTAL = "Total", "Available", "Kernel Subtotal"
FRACTIONAL = "Frac. DSPs"
KERNEL_CLASS = "_ZTS"
"""How the compiler's name of a kernel begins that is a class of the source, as the top is, and no function of it."""

Record = tuple[int, Data]
"""A line's number, and the object on it."""


def read_summary(file: Path, *, root: Path | None = None) -> Report:
    """The compiler's estimate of resources, for the design and for each kernel.

    Operators that need part of a DSP block stand under `Frac. DSPs`; `dsp_packing_factor` of them fit one block. `dsp`
    counts blocks.

    Raises:
        DataError: the file is damaged or something else.
    """
    text = read_text(file, "oneAPI summary", root)
    records, build = _records(text), build_of(file)
    line, head = _the(text, records, lambda row: row.get("summary_type") == RESOURCES, "table of resources")
    table = _Estimates(text, _columns(text, head, line), _packing(text, head, line), build)
    rows = [record for record in records if record[1].get("parent") == RESOURCES]
    total, most = (table.figures(_the(text, rows, _called(name), f"row '{name}'")) for name in (TOTAL, AVAILABLE))
    parts = [record for record in rows if record[1].get("name") not in TOTALS]
    layers = tuple(LayerFigures(str(record[1].get("name")), table.figures(record)) for record in parts)
    available = {metric.name: metric.value for metric in most if metric.value is not None}
    part, top = build.part, _top(records)
    return Report("oneapi", TOOL, build.version, part, top, build.clock_ns, total, layers, file, available)


TOTALS = (TOTAL, AVAILABLE, SUBTOTAL)


def read_loops(file: Path, *, root: Path | None = None) -> Report:
    """II, latency and clock of every block of every kernel.

    The kernels run at once, joined by pipes, and the compiler does not know how often their loops are run, so it tells
    no latency of the design; `ii` is the largest of all loops, `fmax_mhz` the slowest clock.

    Raises:
        DataError: the file is damaged or something else.
    """
    text = read_text(file, "oneAPI loop report", root)
    records, build = _records(text), build_of(file)
    line, head = _the(text, records, _called("loop_attributes"), "record 'loop_attributes'")
    numbered = [(at, row) for at, row in records if isinstance(row.get("id"), int)]
    by_id = {row["id"]: (at, row) for at, row in numbered}
    if len(by_id) < len(numbered):
        raise text.damaged("two records have the same id: reports are mixed up")
    kernels = _members(text, by_id, head.get("nodes"), line)
    blocks = _blocks(text, by_id, kernels)
    if not blocks:
        raise text.damaged("no kernel has a block: the file was cut short", line)
    origin = build.origin(Stage.HLS, TOOL)
    layers = (
        *(_layer(text, record, origin, KERNEL_KEYS) for record in kernels),
        *(_layer(text, record, origin, BLOCK_KEYS) for record in blocks),
    )
    worst, top = _worst(layers, origin), str(kernels[0][1].get("name"))
    return Report("oneapi", TOOL, build.version, build.part, top, build.clock_ns, worst, layers, file)


KERNEL_KEYS = {"fmax": "fmax_mhz"}
BLOCK_KEYS = {"af": "fmax_mhz", "ii": "ii", "lt": "latency_cycles"}
"""Key of a record → metric."""


def read_fit(file: Path, *, root: Path | None = None) -> Report:
    """What Quartus' fitter found: resources of the whole device and of each kernel, and the clock.

    Raises:
        DataError: the file is damaged or something else.
    """
    text = read_text(file, "oneAPI fitter report", root)
    records, build = _records(text), build_of(file)
    line, data = _the(text, records, lambda row: "quartusFitClockSummary" in row, "table of clocks")
    fit = intel.fitted(text, data, line, build)
    part, clock = build.part, build.clock_ns
    return Report("fit", intel.QUARTUS, build.quartus, part, fit.top, clock, fit.metrics, fit.layers, file)


def build_of(file: Path) -> Build:
    """What `info.ndjson` beside a report says of the run; nothing is known without it."""
    info = file.with_name("info.ndjson")
    if not info.is_file():
        return Build()
    text = read_text(info, "oneAPI build information")
    line, row = _the(text, _records(text), lambda row: "compileInfo" in row, "compileInfo")
    nodes = intel.rows(text, intel.table(text, row["compileInfo"], line).get("nodes"), line)
    if not nodes:
        raise text.damaged("compileInfo is empty", line)
    facts = {key: str(nodes[0].get(key) or "") for key in ("version", "family", "product", "command", "quartus")}
    return Build(
        facts["version"] or UNKNOWN,
        facts["family"],
        facts["product"] or facts["family"] or UNKNOWN,
        intel.clock_ns(facts["command"]),
        facts["quartus"] or UNKNOWN,
    )


def _records(text: Text) -> list[Record]:
    """All lines that hold something, decoded."""
    filled = ((number, line) for number, line in enumerate(text.lines, 1) if line.strip())
    return [(number, intel.table(text, intel.decode(text, line, number), number)) for number, line in filled]


def _the(text: Text, records: Iterable[Record], wanted: Callable[[Data], bool], what: str) -> Record:
    """The one record that is wanted."""
    matching = [(line, row) for line, row in records if wanted(row)]
    if len(matching) != 1:
        raise text.damaged(
            f"has {len(matching) or 'no'} {what}: it was cut short, mixed up, or is of an unknown format"
        )
    return matching[0]


def _called(name: str) -> Callable[[Data], bool]:
    return lambda row: row.get("name") == name


def _columns(text: Text, head: Data, line: int) -> tuple[str, ...]:
    """The names of the columns behind the first, which names the row."""
    names = head.get("columns")
    if not isinstance(names, list) or len(names) < 2:
        raise text.damaged("the table of resources names no columns", line)
    return tuple(str(name).strip() for name in names[1:])


def _packing(text: Text, head: Data, line: int) -> float:
    factor = intel.count(text, head.get("dsp_packing_factor", 1), line)
    if factor < 1:
        raise text.damaged("dsp_packing_factor is less than 1", line)
    return factor


@dataclass(frozen=True)
class _Estimates:
    """The table of resources.

    Attributes:
        columns: of each row's data.
        packing: how many fractional DSPs fit one block.
    """

    text: Text
    columns: tuple[str, ...]
    packing: float
    build: Build

    def figures(self, record: Record) -> MetricSet:
        line, row = record
        data = row.get("data")
        if not isinstance(data, list) or len(data) != len(self.columns):
            raise self.text.damaged(f"row '{row.get('name')}' does not have {len(self.columns)} figures", line)
        counts = {name: intel.count(self.text, value, line) for name, value in zip(self.columns, data, strict=True)}
        origin, names = self.build.origin(Stage.HLS, TOOL), self.build.columns
        if not names.keys() <= counts.keys() | {"MLABs"}:
            raise self.text.damaged(f"the table lacks one of the columns {', '.join(names)}", line)
        source, dsp = self.text.at(line), self._dsp(counts)
        figures = {names[column]: (value, "") for column, value in counts.items() if column in names} | {"dsp": dsp}
        return MetricSet(tuple(origin.metric(name, value, source, note) for name, (value, note) in figures.items()))

    def _dsp(self, counts: dict[str, float]) -> tuple[float, str]:
        """Blocks of DSP, and how they come about where fractional ones count."""
        blocks, parts = counts["DSPs"], counts.get(FRACTIONAL, 0.0)
        note = f"{blocks:g} whole blocks and {parts:g} fractional DSPs, {self.packing:g} to a block"
        return blocks + math.ceil(parts / self.packing), note if parts else ""


def _top(records: Iterable[Record]) -> str:
    """The one kernel that is a class of the source."""
    names = {
        str(row.get("name"))
        for _, row in records
        if row.get("parent") == KERNELS and str(row.get("compiler_name")).startswith(KERNEL_CLASS)
    }
    return names.pop() if len(names) == 1 else UNKNOWN


def _members(text: Text, by_id: dict[int, Record], numbers: object, line: int) -> list[Record]:
    """The records of a list of ids; all of them must be there."""
    if not isinstance(numbers, list):
        raise text.damaged("a list of ids is missing: the file is damaged or of an unknown format", line)
    lost = [number for number in numbers if not isinstance(number, int) or number not in by_id]
    if lost:
        raise text.damaged(f"record {lost[0]} is missing: the file was cut short or mixed up", line)
    return [by_id[number] for number in numbers]


def _blocks(text: Text, by_id: dict[int, Record], kernels: Iterable[Record]) -> list[Record]:
    """All blocks of the kernels that have figures, loops within loops too; a loop that was unrolled has none."""
    blocks, waiting, numbers = [], list(kernels), set()
    while waiting:
        line, row = waiting.pop(0)
        for child in _members(text, by_id, row.get("children", []), line):
            if child[0] in numbers:
                raise text.damaged("a loop stands in two places", child[0])
            numbers.add(child[0])
            waiting.append(child)
            if BLOCK_KEYS.keys() <= child[1].keys():
                blocks.append(child)
    return blocks


def _layer(text: Text, record: Record, origin: Origin, keys: dict[str, str]) -> LayerFigures:
    line, row = record
    if not keys.keys() <= row.keys():
        raise text.damaged(f"'{row.get('name')}' lacks one of {', '.join(keys)}", line)
    metrics = (_figure(text, line, name, row[key], origin) for key, name in keys.items())
    return LayerFigures(str(row.get("name")), MetricSet(tuple(metrics)))


def _figure(text: Text, line: int, name: str, value: object, origin: Origin) -> Metric:
    unsaid = isinstance(value, str) and value.strip().lower() in intel.UNSAID
    number = None if unsaid else intel.count(text, value, line)
    return origin.metric(name, number, text.at(line), "" if number is not None else f"the report says '{value}'")


def _worst(layers: Sequence[LayerFigures], origin: Origin) -> MetricSet:
    """The slowest clock and the largest II; of the latency it can only be said which block has the longest."""
    fmax, ii = _extreme(layers, "fmax_mhz", min, origin), _extreme(layers, "ii", max, origin)
    longest = _extreme(layers, "latency_cycles", max, origin)
    note = f"told by block alone; the longest one takes {longest.value:g} cycles" if longest.value is not None else ""
    latency = origin.metric("latency_cycles", None, longest.source, note or longest.note)
    return MetricSet((fmax, ii, latency))


def _extreme(layers: Sequence[LayerFigures], name: str, pick: Callable[..., Metric], origin: Origin) -> Metric:
    metrics = [metric for layer in layers for metric in layer.metrics if metric.name == name]
    measured = [metric for metric in metrics if metric.value is not None]
    return (
        pick(measured, key=lambda metric: metric.value) if measured else origin.metric(name, None, "", metrics[0].note)
    )
