"""Siemens Catapult: HLS, cosimulation and, by Vivado, logic synthesis of an hls4ml project.

In: a folder that hls4ml's Catapult backend wrote. Out: a `Toolchain`. `HLSFLOW_CATAPULT` may name the program by its
path; else it is looked for on PATH and in `MGC_HOME` and `CATAPULT_HOME`. The later steps load the project that HLS has
saved, so that it is not done again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from hlsflow.core.errors import DataError, ToolFailed, ToolMissing
from hlsflow.toolchains import native
from hlsflow.toolchains.chain import Call, Phase, Settings, Step, Toolchain, log_of
from hlsflow.toolchains.reports import Report, read_any
from hlsflow.toolchains.reports import catapult as formats
from hlsflow.toolchains.scripts import script
from hlsflow.toolchains.tool import Tool
from hlsflow.toolchains.verdict import Symptom, judge

NAME, TITLE = "catapult", "Catapult"
PROGRAM = native.Program(
    formats.TOOL,
    TITLE,
    "HLSFLOW_CATAPULT",
    ("catapult",),
    "-version",
    r"(\d+\.\d+\w*)/\d+",
    "install Siemens Catapult and set MGC_HOME, or put its bin folder on PATH",
    ("MGC_HOME", "CATAPULT_HOME"),
)
STEPS = (Step.CSYNTH, Step.COSIM, Step.SYNTH)
VERILOG = "concat_rtl.v"
REPORTS: Mapping[Step, tuple[str, ...]] = {
    Step.CSYNTH: ("rtl.rpt",),
    Step.COSIM: (),
    Step.SYNTH: ("vivado_concat_v/utilization_synth.rpt", "vivado_concat_v/timing_summary_synth.rpt"),
}
"""In the folder of the solution."""

READS = ("build_prj.tcl", "*.cpp", "firmware/**/*", "tb_data/*.dat")
UNROLL_CURE = "unroll less: a higher reuse_factor or strategy = 'resource' for the layer it stops at"
SCHEDULE_CURE = (
    "make the design smaller (a higher reuse_factor, strategy = 'resource'), or ask for a longer clock period"
)

PHASES = (
    Phase(r"Front End called|go analyze|Starting transformation 'analyze'", "reading the C++"),
    Phase(r"'compile'", "compiling", UNROLL_CURE),
    Phase(r"'(?:libraries|assembly)'", "assembling", UNROLL_CURE),
    Phase(r"'(?:loops|memories|cluster|architect)'", "building the architecture", UNROLL_CURE),
    Phase(r"'(?:allocate|schedule)'", "scheduling", SCHEDULE_CURE),
    Phase(r"'(?:dpfsm|instance|extract)'", "writing Verilog", SCHEDULE_CURE),
    Phase(r"SCVerify|vsim", "RTL simulation", "simulate fewer samples: a smaller ran_frame"),
    Phase(r"synth_design|VIVADO SYNTHESIS", "logic synthesis", SCHEDULE_CURE),
)
SYMPTOMS = (
    Symptom(
        r"(?i)(?:could not|unable to|failed to) (?:acquire|obtain|check ?out) .*licen[cs]e",
        ToolMissing,
        "no licence: {0}",
        "set MGLS_LICENSE_FILE or SALT_LICENSE_SERVER to your licence, or bound the runs at once with --licences",
    ),
    Symptom(
        r"(?i)\((?:SCHED|ASM|LOOP)-\d+\).*(?:infeasible|unable to schedule|could not schedule)|couldn't schedule",
        ToolFailed,
        "it finds no schedule: {0}",
        SCHEDULE_CURE,
    ),
    Symptom(
        r"(?i)# ?Error: .*mismatch|Simulation FAILED",
        ToolFailed,
        "the Verilog and the C++ do not agree: {0}",
        "compare tb_data/csim_results.log with tb_data/rtl_cosim_results.log; in io_stream FIFOs may be too small",
    ),
)


def calls(folder: Path, steps: Sequence[Step], tool: Tool, settings: Settings) -> Sequence[Call]:
    """One call for each step; see `Toolchain.calls`."""
    verilog = f"{_names(folder).solution}/{VERILOG}"
    if Step.CSYNTH not in steps and not (folder / verilog).is_file():
        raise DataError(f"{steps[0]} needs what csynth leaves, and {folder} has no {verilog}", "add csynth to --steps")
    return [_call(folder, step, tool, settings) for step in steps]


def _call(folder: Path, step: Step, tool: Tool, settings: Settings) -> Call:
    names, wrapper, made = _names(folder), f"hlsflow_{step}.tcl", step is Step.CSYNTH
    verilog = f"{names.solution}/{VERILOG}"
    return Call(
        step=step,
        argv=(*tool.argv, "-product", "ultra", "-shell", "-file", wrapper),
        files={wrapper: script(f"catapult/{step}.tcl", settings, project=names.project)},
        log=log_of(NAME, step),
        leaves=(*(f"{names.solution}/{name}" for name in REPORTS[step]), *((verilog,) if made else ())),
        reads=READS if made else (*READS, verilog),
        phases=PHASES,
        licence=NAME,
    )


@dataclass(frozen=True)
class _Names:
    """Of Catapult's project, and of the top function."""

    project: str
    top: str

    @property
    def solution(self) -> str:
        """The folder of the first solution, relative to that of hls4ml's project."""
        return f"{self.project}/{self.top}.v1"


def _names(folder: Path) -> _Names:
    patterns = {"project": r"^\s*project new -name (\S+)$", "top": r"^set design_top (\S+)$"}
    return _Names(**native.settings(folder, "build_prj.tcl", patterns, "Catapult"))


def reports(folder: Path, step: Step) -> Sequence[Report]:
    """What a step's reports say; see `Toolchain.reports`."""
    names = _names(folder)
    if step is Step.COSIM:
        return (formats.read_simulation(folder / log_of(NAME, step), root=folder),)
    read_reports = [read_any(folder / names.solution / name, root=folder) for name in REPORTS[step]]
    wrong = [report for report in read_reports if step is Step.CSYNTH and report.top != names.top]
    if wrong:
        raise DataError(
            f"{wrong[0].file} is about '{wrong[0].top}', not about '{names.top}'", "delete it and run again"
        )
    return read_reports


CHAIN = Toolchain(
    name=NAME,
    title=TITLE,
    backends=("catapult",),
    steps=STEPS,
    find=partial(native.find, PROGRAM),
    calls=calls,
    verdict=partial(judge, title=TITLE, symptoms=SYMPTOMS),
    reports=reports,
    enables="csynth, cosim and logic synthesis of hls4ml's Catapult projects",
)
