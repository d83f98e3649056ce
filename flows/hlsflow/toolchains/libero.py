"""Microchip SmartHLS and Libero: software run, HLS, cosimulation, synthesis, place and route of an hls4ml project.

In: a folder that hls4ml's Libero backend wrote. Out: a `Toolchain`. `HLSFLOW_LIBERO` may name `shls` by its path.
All steps but HLS write their figures into one report, so a copy of it is kept for each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from hlsflow.core.errors import DataError, ToolFailed, ToolMissing
from hlsflow.core.metrics import MetricSet, Stage
from hlsflow.toolchains import native
from hlsflow.toolchains.chain import LOGS, Call, Phase, Settings, Step, Toolchain, log_of
from hlsflow.toolchains.reports import Report
from hlsflow.toolchains.reports import libero as formats
from hlsflow.toolchains.scripts import script
from hlsflow.toolchains.tool import Tool
from hlsflow.toolchains.verdict import Symptom, judge

NAME, TITLE = "libero", "Microchip SmartHLS"
PROGRAM = native.Program(
    formats.TOOL,
    TITLE,
    "HLSFLOW_LIBERO",
    ("shls",),
    "--version",
    r"(20\d\d\.\d(?:\.\d)?)",
    "install Microchip Libero SoC with SmartHLS and put SmartHLS/bin on PATH",
)
COMMANDS: Mapping[Step, str] = {
    Step.CSIM: "sw_run",
    Step.CSYNTH: "hw",
    Step.COSIM: "cosim",
    Step.SYNTH: "rtl_synth",
    Step.IMPLEMENT: "fpga",
}
STAGES: Mapping[Step, Stage] = {
    Step.COSIM: Stage.SIMULATED,
    Step.SYNTH: Stage.SYNTH,
    Step.IMPLEMENT: Stage.ROUTED,
}
"""Steps that add figures to the common report, and the stage of those."""

REPORTS = "hls_output/reports"
COMMON = f"{REPORTS}/summary.results.rpt"
READS = ("Makefile", "config.tcl", "*.cpp", "firmware/**/*", "tb_data/*.dat")
LICENCES: Mapping[Step, str] = {Step.COSIM: "questa", Step.SYNTH: "libero", Step.IMPLEMENT: "libero"}
SMALLER = "make the design smaller: a higher reuse_factor, or strategy = 'resource'"

PHASES = (
    Phase(r"(?i)compiling software|clang", "compiling the C++"),
    Phase(r"(?i)running the following|LegUp|optimi[sz]", "optimising", SMALLER),
    Phase(r"(?i)scheduling|pipelin", "scheduling", SMALLER),
    Phase(r"(?i)generating (?:rtl|verilog)", "writing Verilog"),
    Phase(r"(?i)vsim|rtl simulation", "RTL simulation", "simulate fewer samples: shorten the files in tb_data"),
    Phase(r"(?i)synplify|run_tool.*SYNTHESIZE", "logic synthesis", SMALLER),
    Phase(r"(?i)run_tool.*PLACEROUTE|place and route", "place and route", SMALLER),
    Phase(r"(?i)run_tool.*VERIFYTIMING|timing analysis", "timing analysis"),
)
SYMPTOMS = (
    Symptom(
        r"(?i)licen[cs]e.*(?:not (?:found|valid|available)|expired|fail|invalid|denied)|"
        r"(?:failed|unable) to .*licen[cs]e|failure to obtain a .*licen[cs]e",
        ToolMissing,
        "no licence: {0}",
        "set LM_LICENSE_FILE to your Libero licence, or bound the runs at once with --licences",
    ),
    Symptom(
        r"(?i)co-simulation:\s*FAIL",
        ToolFailed,
        "the Verilog and the C++ do not agree: {0}",
        "read the log; in io_stream FIFOs may be too small",
    ),
    Symptom(
        r"(?i)does not fit|exceeds? the (?:device|available)|not enough .*resources",
        ToolFailed,
        "the part is too small: {0}",
        f"{SMALLER}; or take a larger part",
    ),
)


def calls(folder: Path, steps: Sequence[Step], tool: Tool, settings: Settings) -> Sequence[Call]:
    """One call for each step; see `Toolchain.calls`."""
    return [_call(folder, step, tool, settings) for step in steps]


def _call(folder: Path, step: Step, tool: Tool, settings: Settings) -> Call:
    top, wrapper = _top(folder), f"hlsflow_{step}.sh"
    common, copy = (COMMON, _kept(step)) if step in STAGES else ("", "")
    values = {"step": step, "command": COMMANDS[step], "compiler": tool.argv[0], "report": common, "kept": copy}
    leaves = {Step.CSIM: (), Step.CSYNTH: (_schedule(top),)}
    return Call(
        step=step,
        argv=("sh", wrapper),
        files={wrapper: script("libero/run.sh", settings, **values)},
        log=log_of(NAME, step),
        leaves=leaves.get(step, (copy,)),
        reads=READS,
        phases=PHASES,
        licence=LICENCES.get(step, ""),
    )


def _top(folder: Path) -> str:
    return native.settings(folder, "Makefile", {"name": r"^NAME = (\w+)\s*$"}, "Libero")["name"]


def _schedule(top: str) -> str:
    return f"{REPORTS}/summary.hls.{top}.rpt"


def _kept(step: Step) -> str:
    return f"{LOGS}/{NAME}-{step}.rpt"


def reports(folder: Path, step: Step) -> Sequence[Report]:
    """What a step has added to the reports; see `Toolchain.reports`."""
    if step is Step.CSIM:
        return ()
    if step is Step.CSYNTH:
        return (formats.read_schedule(folder / _schedule(_top(folder)), root=folder),)
    report = formats.read_results(folder / _kept(step), root=folder)
    if report.top != _top(folder):
        raise DataError(f"{report.file} is about '{report.top}', not about '{_top(folder)}'", "delete hls_output")
    added = tuple(metric for metric in report.metrics if metric.stage is STAGES[step])
    if not any(metric.value is not None for metric in added):
        raise DataError(f"{report.file} has no figure of stage {STAGES[step]}", "read the log of the step")
    return (replace(report, metrics=MetricSet(added)),)


CHAIN = Toolchain(
    name=NAME,
    title=TITLE,
    backends=("libero",),
    steps=tuple(COMMANDS),
    find=partial(native.find, PROGRAM),
    calls=calls,
    verdict=partial(judge, title=TITLE, symptoms=SYMPTOMS),
    reports=reports,
    enables="software run, HLS, cosimulation, synthesis, place and route of hls4ml's Libero projects",
)
