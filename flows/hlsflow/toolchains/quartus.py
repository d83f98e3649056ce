"""Intel HLS compiler (i++) and Quartus: HLS, simulation and full compilation of an hls4ml project.

In: a folder that hls4ml's Quartus backend wrote. Out: a `Toolchain`. `HLSFLOW_QUARTUS` may name `i++` by its path; make
drives it, as in hls4ml's own build. Quartus compiles the project that i++ leaves, so that HLS is not done again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from hlsflow.core.errors import DataError, ToolFailed
from hlsflow.toolchains import native
from hlsflow.toolchains.chain import Call, Phase, Settings, Step, Toolchain, log_of
from hlsflow.toolchains.intel import NO_LICENCE, SMALLER
from hlsflow.toolchains.reports import Report, read_any
from hlsflow.toolchains.reports import quartus as formats
from hlsflow.toolchains.reports.report import UNKNOWN
from hlsflow.toolchains.scripts import script
from hlsflow.toolchains.tool import Tool
from hlsflow.toolchains.verdict import Symptom, judge

NAME, TITLE = "quartus", "Intel HLS"
PROGRAM = native.Program(
    formats.TOOL,
    TITLE,
    "HLSFLOW_QUARTUS",
    ("i++",),
    "--version",
    r"Version (\d+\.\d+(?:\.\d+)?)",
    "install Intel HLS and Quartus Prime Pro (up to 23.4) and source hls/init_hls.sh",
)
STEPS = (Step.CSYNTH, Step.COSIM, Step.IMPLEMENT)
REPORTS: Mapping[Step, str] = {
    Step.CSYNTH: formats.ESTIMATES,
    Step.COSIM: formats.SIMULATED,
    Step.IMPLEMENT: formats.FITTED,
}
LICENCES: Mapping[Step, str] = {Step.COSIM: "questa", Step.IMPLEMENT: "quartus"}
READS = ("Makefile", "*.cpp", "firmware/**/*", "tb_data/*.dat")

PHASES = (
    Phase(r"Analyzing|Parsing|clang", "reading the C++"),
    Phase(r"Optimizing component|Optimizing", "optimising", SMALLER),
    Phase(r"HLS .*area|Generating .*report|estimated area", "estimating", SMALLER),
    Phase(r"Processing input", "running the test bench", "simulate fewer samples: shorten the files in tb_data"),
    Phase(r"Analysis & (?:Elaboration|Synthesis)|quartus_syn", "logic synthesis", SMALLER),
    Phase(r"Fitter|quartus_fit", "place and route", SMALLER),
    Phase(r"Timing Analyzer|quartus_sta", "timing analysis"),
)
SYMPTOMS = (
    NO_LICENCE,
    Symptom(
        r"(?i)larger than the (?:target )?device|area estimate.* exceed|cannot fit|design requires .* resources",
        ToolFailed,
        "the part is too small: {0}",
        f"{SMALLER}; or take a larger part",
    ),
)


def calls(folder: Path, steps: Sequence[Step], tool: Tool, settings: Settings) -> Sequence[Call]:
    """One call for each step; see `Toolchain.calls`."""
    built = Step.CSYNTH in steps or (folder / _program(folder)).is_file()
    if not built:
        raise DataError(f"{steps[0]} needs what csynth leaves, and {folder} has none", "add csynth to --steps")
    return [_call(folder, step, tool, settings) for step in steps]


def _call(folder: Path, step: Step, tool: Tool, settings: Settings) -> Call:
    program, wrapper = _program(folder), "hlsflow_implement.sh"
    argv: Mapping[Step, tuple[str, ...]] = {
        Step.CSYNTH: ("make", program, f"CXX={tool.argv[0]}", "LOGGING_1=-v"),
        Step.COSIM: (f"./{program}",),
        Step.IMPLEMENT: ("sh", wrapper),
    }
    own = {wrapper: script("quartus/implement.sh", settings, program=program)} if step is Step.IMPLEMENT else {}
    made = step is Step.CSYNTH
    return Call(
        step=step,
        argv=argv[step],
        files=own,
        log=log_of(NAME, step),
        leaves=(_report(folder, step), *((program,) if made else ())),
        reads=READS if made else (*READS, program),
        phases=PHASES,
        licence=LICENCES.get(step, ""),
    )


def _program(folder: Path) -> str:
    """The test bench that i++ makes; its folder `.prj` holds the hardware."""
    return native.settings(folder, "Makefile", {"target": r"^TARGETS\s*:=\s*(\w+-fpga)\s*$"}, "Quartus")["target"]


def _report(folder: Path, step: Step) -> str:
    return f"{_program(folder)}.prj/reports/lib/{REPORTS[step]}"


def reports(folder: Path, step: Step) -> Sequence[Report]:
    """What a step's report says; see `Toolchain.reports`."""
    report = read_any(folder / _report(folder, step), root=folder)
    top = _program(folder).removesuffix("-fpga")
    if report.top not in (top, UNKNOWN):
        raise DataError(f"{report.file} is about '{report.top}', not about '{top}'", "reports are mixed up: delete it")
    if all(metric.value is None for metric in report.metrics):
        raise DataError(f"{report.file} has no figure: {next(iter(report.metrics)).note}", "read the log of the step")
    return (report,)


CHAIN = Toolchain(
    name=NAME,
    title=TITLE,
    backends=("quartus",),
    steps=STEPS,
    find=partial(native.find, PROGRAM),
    calls=calls,
    verdict=partial(judge, title=TITLE, symptoms=SYMPTOMS),
    reports=reports,
    enables="HLS, simulation and Quartus compilation of hls4ml's Quartus projects",
)
