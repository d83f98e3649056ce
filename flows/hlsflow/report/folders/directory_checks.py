"""What must be known before the figures of a project folder are believed, and what it lacks.

In: the folder's configuration, reports and files. Out: sentences.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hlsflow.core import foreign
from hlsflow.core.errors import DataError
from hlsflow.core.metrics import MetricSet, Stage
from hlsflow.report.folders import hls4ml_config, tops
from hlsflow.report.folders.columns import differing, same_part
from hlsflow.report.folders.hls4ml_config import Config
from hlsflow.toolchains.reports import csim
from hlsflow.toolchains.reports.report import Report
from hlsflow.toolchains.reports.text import kind_of, relative

STALE_S = 2.0
"""Files written by one command may differ by so much in their times."""

SOURCES = (".cpp", ".h", ".txt")
ROM = re.compile(r'\$readmem[hb]\s*\(\s*"([^"]+)"')
VERILOG = (".v", ".sv")
LAYER = re.compile(r"nnet::(\w+)<")
AT_ONCE = (
    *("dense", "normalize", "load_weights"),
    *("linear", "relu", "leaky_relu", "thresholded_relu", "prelu", "elu", "selu", "softplus", "softsign", "softmax"),
    *("sigmoid", "tanh", "hard_", "binary_", "ternary_"),
    *("add", "subtract", "multiply", "average", "maximum", "minimum", "concatenate1d"),
)
"""How functions of hls4ml begin that take R cycles in io_parallel."""

ROUNDING = 0.001
TEST_DATA = "tb_data"
OUTPUTS = (("csim_results.log", "tb_output_predictions.dat"), ("rtl_cosim_results.log", "csim_results.log"))
"""What hls4ml's test bench writes, and what each is compared with."""


@dataclass(frozen=True)
class Expected:
    """A report that a complete build leaves.

    Attributes:
        name: what it is called.
        kinds: that tell its figures.
        stages: that these may be of.
        place: the folder of its step.
    """

    name: str
    kinds: tuple[str, ...]
    stages: tuple[Stage, ...]
    place: str


ALL = ("csynth", "printed")
"""Kinds of reports that may hold figures of several stages, as hls4ml shows and prints them."""

AMD = (
    Expected("C simulation", ("csim", *ALL), (Stage.CSIM,), "*_prj/*/csim"),
    Expected("C synthesis", ALL, (Stage.HLS,), "*_prj/*/syn"),
    Expected("cosimulation", ("cosim", *ALL), (Stage.SIMULATED,), "*_prj/*/sim"),
    Expected("utilisation after logic synthesis", ("utilisation", "export", *ALL), (Stage.SYNTH,), "vivado_synth*"),
    Expected(
        "utilisation after place and route",
        ("utilisation", "export", *ALL),
        (Stage.PLACED, Stage.ROUTED),
        "*/*.runs/impl_*",
    ),
    Expected("timing", ("timing", "export"), (Stage.ROUTED,), "*/*.runs/impl_*"),
    Expected("power", ("power",), (Stage.ROUTED,), "*/*.runs/impl_*"),
)
FIT = Expected("Quartus fit", ("fit",), (Stage.ROUTED,), "build/*.prj")
EXPECTED: Mapping[str, tuple[Expected, ...]] = {
    "vivado": AMD,
    "vitis": AMD,
    "vivadoaccelerator": AMD,
    "vitisaccelerator": AMD,
    "vitisunified": AMD,
    "oneapi": (Expected("early estimates", ("oneapi",), (Stage.HLS,), "build/*.prj"), FIT),
    "quartus": (
        Expected("early estimates", ("quartus",), (Stage.HLS,), "*.prj"),
        Expected("cosimulation", ("cosim",), (Stage.SIMULATED,), "*.prj/verification"),
        FIT,
    ),
    "catapult": (Expected("schedule and area", ("catapult",), (Stage.HLS,), "Catapult*"),),
    "libero": (
        Expected("schedule", ("smarthls",), (Stage.HLS,), "hls_output"),
        Expected("place and route", ("smarthls",), (Stage.ROUTED,), "hls_output"),
    ),
}
"""What a project can have, by hls4ml's backend in lower case."""


def missing(folder: Path, config: Config | None, reports: Sequence[Report], refused: Sequence[str]) -> Iterator[str]:
    """What is not there, and why."""
    if config is None:
        yield "the knobs: there is neither an hls4ml_config.yml nor a project.tcl that can be read"
    if not reports and not refused:
        yield "any report: nothing was built here, or what the tool wrote was not kept"
    else:
        yield from _absent(folder, _expected(config, reports), reports, refused)
    if reports and not any(report.layers for report in reports):
        yield "figures of layers: no report here has any"


def _expected(config: Config | None, reports: Sequence[Report]) -> Sequence[Expected]:
    """By the backend; without a configuration by what is there."""
    backend = config.general.get("Backend", "").lower() if config else ""
    if not backend and any(report.kind in tops.KINDS for report in reports):
        return AMD
    return EXPECTED.get(backend, ())


def is_amd(config: Config | None) -> bool:
    """Whether a project may be for tools of AMD."""
    return EXPECTED.get(config.general.get("Backend", "").lower(), AMD) is AMD if config else True


def _absent(
    folder: Path, wanted: Sequence[Expected], reports: Sequence[Report], refused: Sequence[str]
) -> Iterator[str]:
    """The reports that are not there, by the reason."""
    present = {(report.kind, metric.stage) for report in reports for metric in report.metrics}
    reasons: dict[str, list[str]] = {}
    for expected in wanted:
        if not any(kind in expected.kinds and stage in expected.stages for kind, stage in present):
            reasons.setdefault(_why(folder, expected, refused), []).append(expected.name)
    for reason, names in reasons.items():
        yield f"{', '.join(names)}: {reason}"


def _why(folder: Path, expected: Expected, refused: Sequence[str]) -> str:
    if any(text.startswith(expected.kinds[0]) for text in refused):
        return "the report cannot be read"
    if not any(folder.glob(expected.place)):
        return "not run here, or what the tool wrote was not kept"
    return "started, but there is no report of the top"


def simulations(folder: Path) -> Iterator[str]:
    """What the outputs of simulations say, against what they should be equal to, or close."""
    for name, reference in OUTPUTS:
        file, expected = folder / TEST_DATA / name, folder / TEST_DATA / reference
        if file.is_file():
            try:
                yield f"{TEST_DATA}/{name}: {_agreement(file, expected)}"
            except DataError as error:
                yield f"{TEST_DATA}/{name} and {reference} cannot be compared: {error.message}"


def _agreement(file: Path, expected: Path) -> str:
    outputs = csim.outputs(file)
    count = f"{len(outputs)} samples of {len(outputs[0])} outputs"
    if not expected.is_file():
        return f"{count}, and no {expected.name} to compare them with"
    against = csim.agreement(outputs, csim.outputs(expected))
    if against is None:
        return f"{count}, and {expected.name} has samples of another size"
    if against.largest == 0:
        return f"{count}, equal to {expected.name} in {against.samples}"
    near = f"differs from {expected.name} by {against.largest:g} at most"
    return f"{count}, {near}; the same output is the largest in {against.same} of {against.samples}"


def warnings(
    folder: Path, config: Config | None, reports: Sequence[Report], foreign: Sequence[Report], files: Sequence[Path]
) -> Iterator[str]:
    """What speaks against the figures."""
    yield from _foreign(folder, foreign)
    yield from _stale(folder, reports, files)
    yield from _settings(config)
    yield from _of_reports(folder, config, reports)
    yield from _contradictions(folder, reports)
    yield from _roms(folder, reports, files)


def _of_reports(folder: Path, config: Config | None, reports: Sequence[Report]) -> Iterator[str]:
    """What speaks against single reports; what is the same of several, such as the files of one run, is said once."""
    files_of: dict[str, list[str]] = {}
    for report in reports:
        checks = (_part(report, config), _clock(report, config), _estimate(report), _overflow(report))
        for text in itertools.chain(*checks, _interval(report, config, folder)):
            files_of.setdefault(text, []).append(relative(report.file, folder))
    for text, files in files_of.items():
        yield f"{', '.join(files)}: {text}"


def _foreign(folder: Path, foreign: Sequence[Report]) -> Iterator[str]:
    for report in foreign[:3]:
        yield f"{relative(report.file, folder)} is about '{report.top}', not about the top, and is left out"
    if len(foreign) > 3:
        yield f"{len(foreign) - 3} more reports are about something else than the top, and are left out"


def _stale(folder: Path, reports: Sequence[Report], files: Sequence[Path]) -> Iterator[str]:
    """Reports older than the C++ they should be about."""
    sources = [file for file in files if file.suffix in SOURCES and folder / "firmware" in file.parents]
    if not sources:
        return
    newest = max(sources, key=lambda file: file.stat().st_mtime)
    for report in reports:
        older = newest.stat().st_mtime - report.file.stat().st_mtime
        if older > STALE_S:
            name = relative(report.file, folder)
            yield f"{name} is {_duration(older)} older than {relative(newest, folder)}: it may be about other firmware"


def _duration(seconds: float) -> str:
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _settings(config: Config | None) -> Iterator[str]:
    """Settings that two files of the project tell differently."""
    for name, places in config.places.items() if config else ():
        if len({_plain(value) for _, value in places}) > 1:
            yield f"{name}: " + ", ".join(f"{file} says {value}" for file, value in places)


def _plain(value: str) -> str:
    try:
        return str(float(value))
    except ValueError:
        return value.lower()


def _part(report: Report, config: Config | None) -> Iterator[str]:
    wanted = config.general.get("Part") if config else None
    if wanted and not same_part(report.part, wanted):
        yield f"is about part {report.part}, and the project is for {wanted}"


def _clock(report: Report, config: Config | None) -> Iterator[str]:
    wanted = config.clock_ns if config else None
    if wanted is not None and report.clock_ns is not None and abs(wanted - report.clock_ns) > 1e-3 * wanted:
        yield f"was made for a clock of {report.clock_ns:g} ns, and the project asks for {wanted:g} ns"


def _estimate(report: Report) -> Iterator[str]:
    """A clock that the C synthesizer itself does not expect to reach."""
    needed, asked = report.metrics.get("clock_estimate_ns", Stage.HLS), report.clock_ns
    if needed and needed.value and asked and needed.value > asked * (1 + ROUNDING):
        times = f"{needed.value / asked:.3g} times the {asked:g} ns asked for"
        yield f"needs a clock of {needed.value:g} ns by its own estimate, {times}: it will not keep to its clock"


def _interval(report: Report, config: Config | None, folder: Path) -> Iterator[str]:
    """An interval that the configuration does not explain: its reuse factors may not be those that were built.

    Layers of io_parallel that work on all they get at once take R cycles. Others, such as convolutions, pooling and
    recurrent layers, take more, and so do ports of AXI around the network: nothing is said of designs with those.
    """
    ii = report.metrics.get("ii", Stage.HLS)
    if config is None or config.general.get("IOType") != "io_parallel" or ii is None or ii.value is None:
        return
    tables = [config.model, *(layer.settings for layer in config.layers)]
    factors = [int(settings["ReuseFactor"]) for settings in tables if settings.get("ReuseFactor", "").isdecimal()]
    if factors and ii.value > max(factors) and _works_at_once(report.top, config, folder):
        text = f"more than the largest reuse factor of {hls4ml_config.CONFIG} ({max(factors)})"
        yield f"has an interval of {ii.value:.0f} cycles, {text}: was it built with other knobs?"


def _works_at_once(top: str, config: Config, folder: Path) -> bool:
    """Whether a report is of the bare network, all layers of which take R cycles."""
    source = folder / "firmware" / f"{top}.cpp"
    if top != config.general.get("ProjectName"):
        return False
    try:
        calls = LAYER.findall(foreign.text(source, kind_of("source of the network"), errors="replace"))
    except DataError:
        return False
    return bool(calls) and all(call.startswith(AT_ONCE) for call in calls)


def _overflow(report: Report) -> Iterator[str]:
    """The resources of which a design needs more than its part has, in one sentence."""
    more = [
        f"{metric.value:,.0f} of {limit:,.0f} {metric.unit}"
        for metric in report.metrics
        if (limit := (report.available or {}).get(metric.name)) is not None
        and metric.value is not None
        and metric.value > limit
    ]
    if more:
        yield f"does not fit {report.part}: {', '.join(more)}"


def _contradictions(folder: Path, reports: Sequence[Report]) -> Iterator[str]:
    """csynth reports of one solution that tell different figures: the XML and the text of other runs."""
    by_place: dict[tuple[Path, str], Report] = {}
    for report in reports:
        if report.kind == "csynth":
            first = by_place.setdefault((report.file.parent, report.top), report)
            names = differing(_synthesized(first), _synthesized(report))
            if names:
                files = f"{relative(first.file, folder)} and {relative(report.file, folder)}"
                yield f"{files} are of different runs: they differ in {', '.join(names)}"


def _synthesized(report: Report) -> MetricSet:
    """The figures of C synthesis; a report that hls4ml shows has those of simulations besides."""
    return MetricSet(tuple(metric for metric in report.metrics if metric.stage is Stage.HLS))


def _roms(folder: Path, reports: Sequence[Report], files: Sequence[Path]) -> Iterator[str]:
    """Memories whose content is not beside the Verilog: logic synthesis takes them for empty and reports success."""
    named = {rom for file in files if file.suffix in VERILOG for rom in roms_of(file)}
    absent = sorted(rom for rom in named if not os.path.isfile(rom))
    if absent:
        synthesized = any(
            metric.stage in (Stage.SYNTH, Stage.PLACED, Stage.ROUTED) for report in reports for metric in report.metrics
        )
        effect = (
            "the figures of logic synthesis describe an empty memory" if synthesized else "synthesized, they are empty"
        )
        first = relative(absent[0], folder)
        yield f"{len(absent)} of {len(named)} memory files that the Verilog names are not there ({first}): {effect}"


def roms_of(file: Path) -> Iterator[Path]:
    """The memory files that a Verilog file names."""
    with contextlib.suppress(DataError):  # no Verilog of a tool's is so large, or no file
        for name in ROM.findall(foreign.text(file, kind_of("Verilog file"), errors="replace")):
            yield Path(os.path.realpath(file.parent / name))
