"""Vivado: logic synthesis, placement and routing, out of context, of the Verilog that HLS left.

In: a project folder of hls4ml in which csynth has been done. Out: a `Toolchain`; utilisation, timing and power of
stage `synth` and, after routing, `routed`. Verilog of HLS loads weight ROMs by `$readmemh`; when such a file is missing
Vivado synthesizes to almost nothing and reports success, so that is refused before the start, and again by the log.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from hlsflow.core.errors import DataError, ToolFailed
from hlsflow.toolchains import amd
from hlsflow.toolchains.chain import Call, Phase, Settings, Step, Toolchain, log_of
from hlsflow.toolchains.reports import read_any
from hlsflow.toolchains.reports.report import Report
from hlsflow.toolchains.scripts import script
from hlsflow.toolchains.tool import Tool
from hlsflow.toolchains.verdict import Symptom, judge

NAME, TITLE = "vivado", "Vivado"
PROGRAMS = amd.Programs(
    TITLE,
    "HLSFLOW_VIVADO",
    ("vivado",),
    "install AMD Vivado and source its settings64.sh; `hlsflow run` synthesizes with Yosys and needs none",
)
RESULTS = "hlsflow_vivado"
"""Folder for reports and checkpoints, inside that of the project."""

CLOCK = "hlsflow_clock.xdc"
SHORT: Mapping[Step, str] = {Step.SYNTH: "synth", Step.IMPLEMENT: "routed"}
LICENCES: Mapping[Step, str] = {Step.SYNTH: "Synthesis", Step.IMPLEMENT: "Implementation"}
KINDS = ("utilization", "timing", "power")
ROM = re.compile(r"\$readmem[hb]\s*\(\s*\"([^\"]+)\"")
SMALLER = "make the design smaller (a higher reuse_factor, strategy = 'resource') or take a larger part"
SLOWER = "ask for a longer clock period, or make the design smaller: a higher reuse_factor, strategy = 'resource'"

PHASES = (
    Phase(r"Starting (?:RTL Elaboration|Synthesize)|\[Synth 8-6157\]", "elaboration"),
    Phase(r"Start (?:RTL|Cross Boundary|Area|Applying)", "optimisation", SMALLER),
    Phase(r"Start Technology Mapping", "technology mapping", SMALLER),
    Phase(r"Starting Placer Task|Command: place_design", "placement", SMALLER),
    Phase(r"Starting Routing Task|Command: route_design", "routing", SLOWER),
    Phase(r"Command: write_bitstream", "writing the bitstream"),
)
SYMPTOMS = (
    Symptom(r"ERROR: \[(?:Place 30-|DRC UTLZ-)\d+\]", ToolFailed, "the part is too small: {0}", SMALLER),
    Symptom(r"ERROR: \[Route 35-\d+\]", ToolFailed, "it cannot be routed: {0}", SLOWER),
    Symptom(
        r"\[Common 17-69\]|ERROR: \[(?:Coretcl|Project) \d+-\d+\].*part",
        ToolFailed,
        "{0}",
        "check target.part, and that the part's family was chosen when Vivado was installed",
    ),
)
LOST_ROM = Symptom(
    r"\[Synth 8-(?:4445|3876)\].*readmem.*'([^']+)'",
    ToolFailed,
    "the weight ROM {1} was not found, so its weights were left out of the design",
    "keep the .dat files beside the Verilog, or run csynth again",
)


def _identify(program: str, version: str) -> Tool:
    argv = (program, "-mode", "batch", "-nojournal", "-nolog", "-notrace", "-source")
    return Tool(TITLE, version, argv, "native")


def calls(folder: Path, steps: Sequence[Step], tool: Tool, settings: Settings) -> Sequence[Call]:
    """One call for each step; raises DataError when Verilog, a weight ROM, or what a step needs is missing."""
    project = amd.project(folder)
    if Step.SYNTH in steps:
        require_roms(folder / project.verilog)
    elif Step.IMPLEMENT in steps and not (folder / RESULTS / "synth.dcp").is_file():
        raise DataError(
            f"implement needs the result of synth, and {folder} has none", "add it: --steps synth,implement"
        )
    return [_call(project, step, tool, settings) for step in steps]


def _call(project: amd.HlsProject, step: Step, tool: Tool, settings: Settings) -> Call:
    name, short = f"hlsflow_{step}.tcl", SHORT[step]
    values = {"results": RESULTS, "jobs": settings.jobs}
    if step is Step.SYNTH:
        values |= {"verilog": project.verilog, "top": project.top, "clock": CLOCK}
    files = {name: script(f"vivado/{step}.tcl", settings, **values)}
    if step is Step.SYNTH:
        files[CLOCK] = script("vivado/clock.xdc", settings, clock_ns=f"{project.clock_ns:g}")
    return Call(
        step=step,
        argv=(*tool.argv, name),
        files=files,
        log=log_of(NAME, step),
        leaves=(*_reports_of(step), f"{RESULTS}/{short}.dcp"),
        reads=(f"{project.verilog}/*", "project.tcl", *((f"{RESULTS}/synth.dcp",) if step is Step.IMPLEMENT else ())),
        phases=PHASES,
        licence=LICENCES[step],
    )


def require_roms(verilog: Path) -> None:
    """Raises DataError when there is no Verilog, or a file that it loads a memory from is missing or empty."""
    sources = sorted((*verilog.glob("*.v"), *verilog.glob("*.sv")))
    if not sources:
        raise DataError(f"{verilog} holds no Verilog", "run csynth first: --steps csynth,synth")
    for source in sources:
        for name in _loaded(source):
            rom = verilog / name
            if not rom.is_file() or not rom.stat().st_size:
                raise DataError(
                    f"{source} loads the weight ROM {name}, which is missing or empty",
                    "Vivado would leave the weights out and report success: run csynth again, or copy the .dat files",
                )


def _loaded(source: Path) -> Iterator[str]:
    with source.open(encoding="utf-8", errors="replace") as stream:
        for line in stream:
            yield from ROM.findall(line)


def _reports_of(step: Step) -> tuple[str, ...]:
    return tuple(f"{RESULTS}/{SHORT[step]}_{kind}.rpt" for kind in KINDS)


def reports(folder: Path, step: Step) -> Sequence[Report]:
    """Utilisation, timing and power; raises DataError."""
    return tuple(read_any(folder / name, root=folder) for name in _reports_of(step))


CHAIN = Toolchain(
    name=NAME,
    title=TITLE,
    backends=("vitis", "vivado", "vivadoaccelerator"),
    steps=(Step.SYNTH, Step.IMPLEMENT),
    find=partial(amd.find, PROGRAMS, _identify),
    calls=calls,
    verdict=partial(judge, title=TITLE, symptoms=SYMPTOMS, fatal=(LOST_ROM,)),
    reports=reports,
    enables="logic synthesis, routing, timing and power of the Verilog that HLS leaves",
)
