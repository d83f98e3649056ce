"""What the HLS tools of AMD share: hls4ml's project, the phases of their logs, their errors, and what they leave.

In: a folder that hls4ml's Vivado, Vitis or VivadoAccelerator backend wrote. Out: its names, and the parts from which
`vitis.py` and `vivado_hls.py` make their calls. Message ids are those that the tools print.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hlsflow.core.errors import DataError, ToolFailed, ToolMissing
from hlsflow.core.metrics import MetricSet
from hlsflow.toolchains.chain import Call, Phase, Step
from hlsflow.toolchains.process import Finished
from hlsflow.toolchains.reports import read_any
from hlsflow.toolchains.reports.report import UNKNOWN, Report
from hlsflow.toolchains.tool import Tool, version_text
from hlsflow.toolchains.verdict import Symptom, judge

VERSION = re.compile(r"\bv?(20\d\d\.\d(?:\.\d)?)\b")
SETTING = re.compile(r"^\s*set\s+(\w+)\s+\"?([^\"\s]+)\"?", re.M)
LAYER_NUMBER = re.compile(r"config(\d+)|array '[wb](\d+)\b")
OPTIONS = ("reset", "csim", "synth", "cosim", "validation", "export", "vsynth", "fifo_opt")
"""Of hls4ml's build_prj.tcl."""

ASKED: Mapping[Step, tuple[str, ...]] = {
    Step.CSIM: ("csim",),
    Step.CSYNTH: ("synth",),
    Step.COSIM: ("cosim",),
    Step.EXPORT: ("export",),
}
CSIM_RESULTS = "tb_data/csim_results.log"
HLS_READS = ("project.tcl", "build_prj.tcl", "*.cpp", "*.h", "firmware/**/*", "tb_data/*.dat")
"""Inputs of the HLS tools in an hls4ml project."""

UNROLL_CURE = (
    "unroll less: a higher reuse_factor or strategy = 'resource' for the layer it stops at; "
    "for a layer without weights io_type = 'io_stream'"
)
PARTITION_CURE = (
    "cut arrays into fewer parts: strategy = 'resource' with a higher reuse_factor, or io_type = 'io_stream'"
)
SCHEDULE_CURE = "make the design smaller: a higher reuse_factor, or strategy = 'resource'; or a longer clock period"
SIMULATION_CURE = "simulate fewer samples: shorten tb_data/tb_input_features.dat and tb_output_predictions.dat"

HLS_PHASES = (
    Phase(r"\*{5} C SIMULATION|\[SIM 211-2\]", "C simulation", SIMULATION_CURE),
    Phase(r"\*{5} C/RTL SYNTHESIS|Analyzing design file", "reading the C++"),
    Phase(r"\[(?:HLS 214-1(?:86|88)|HLS 200-489|XFORM 203-50[12])\]", "unrolling loops", UNROLL_CURE),
    Phase(
        r"\[(?:HLS 214-(?:248|270)|XFORM 203-1(?:01|02|31))\]|(?i:array_partition)",
        "partitioning arrays",
        PARTITION_CURE,
    ),
    Phase(r"\[(?:HLS 214-178|XFORM 203-602)\]", "inlining functions", UNROLL_CURE),
    Phase(r"Starting code transformations|\[XFORM 203-\d+\]", "transforming the code", UNROLL_CURE),
    Phase(r"\[SCHED 204-11\]|-- Implementing module|Starting hardware synthesis", "scheduling", SCHEDULE_CURE),
    Phase(r"\[BIND 205-100\]", "binding", SCHEDULE_CURE),
    Phase(r"-- Generating RTL for module|\[RTGEN 206-\d+\]|\[V(?:LOG|HDL) 20\d-30\d\]", "writing Verilog"),
    Phase(r"\*{5} C/RTL SIMULATION|\[COSIM 212-\d+\]|RTL Simulation :", "RTL simulation", SIMULATION_CURE),
    Phase(r"\*{5} EXPORT IP|\[IMPL 213-8\]", "exporting the IP"),
)

HLS_SYMPTOMS = (
    Symptom(
        r"\[(?:XFORM 203-504|(?:HLS|v\+\+) 200-1471)\] Stop unrolling loop '([^']+)'.* in function '([^']+)'",
        ToolFailed,
        "loop '{1}' of {2} is more than the tool unrolls",
        UNROLL_CURE,
    ),
    Symptom(
        r"\[(?:XFORM 203-103|(?:HLS|v\+\+) 200-14(?:55|69))\][^']*'([^']+)'.*partition\w* elements number ?\((\d+)\)",
        ToolFailed,
        "array '{1}' would be cut into {2} registers, more than the tool allows",
        PARTITION_CURE,
    ),
    Symptom(
        r"ERROR: '?(\d{10})'? is an invalid argument",
        ToolFailed,
        "it cannot write the date as the revision {1} of the IP, which releases before 2022 do",
        "install AMD's patch for dates after 2021 (answer record 76960), or leave out step export",
    ),
    Symptom(
        r"ERROR: \[COSIM 212-\d+\]|ERROR: Test failed",
        ToolFailed,
        "the Verilog and the C++ do not agree: {0}",
        "compare tb_data/csim_results.log with tb_data/rtl_cosim_results.log; in io_stream FIFOs may be too small",
    ),
    Symptom(
        r"ERROR: \[SIM 211-\d+\]",
        ToolFailed,
        "the C++ cannot be compiled or run: {0}",
        "read the errors above it in the log",
    ),
)


@dataclass(frozen=True)
class HlsProject:
    """A project folder of hls4ml.

    Attributes:
        name: of the project.
        top: of the function that is synthesized; VivadoAccelerator wraps the network's.
        backend: of hls4ml, in lower case.
        part, clock_ns: as project.tcl has them.
    """

    name: str
    top: str
    backend: str
    part: str
    clock_ns: float

    @property
    def solution(self) -> str:
        return f"{self.name}_prj/solution1"

    @property
    def csynth_report(self) -> str:
        return f"{self.solution}/syn/report/{self.top}_csynth.xml"

    @property
    def verilog(self) -> str:
        return f"{self.solution}/syn/verilog"

    def reports(self, step: Step) -> tuple[str, ...]:
        """The reports of a step, relative to the folder."""
        return {
            Step.CSIM: (f"{self.solution}/csim/report/{self.top}_csim.log",),
            Step.CSYNTH: (self.csynth_report,),
            Step.COSIM: (f"{self.solution}/sim/report/{self.top}_cosim.rpt",),
        }.get(step, ())

    def leaves(self, step: Step) -> tuple[str, ...]:
        """Everything that must be there after a step; folders of reports whole, so that no older ones stay in them."""
        more = {
            Step.CSIM: (CSIM_RESULTS,),
            Step.CSYNTH: (f"{self.solution}/syn/report", self.verilog),
            Step.COSIM: (f"{self.solution}/sim/report", "tb_data/rtl_cosim_results.log"),
            Step.EXPORT: (f"{self.solution}/impl/ip",),
        }
        return (*self.reports(step), *more[step])


def project(folder: Path) -> HlsProject:
    """The project in a folder; raises DataError when hls4ml has written none there."""
    hint = "name a folder that hls4ml's Vitis, Vivado or VivadoAccelerator backend wrote"
    try:
        text = (folder / "project.tcl").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{folder} is no hls4ml project: {error}", hint) from error
    settings = dict(SETTING.findall(text))
    missing = [name for name in ("project_name", "part", "clock_period") if name not in settings]
    if missing or not (folder / "build_prj.tcl").is_file():
        lacks = f"project.tcl sets no {missing[0]}" if missing else "build_prj.tcl is missing"
        raise DataError(f"{folder} is no complete hls4ml project: {lacks}", hint)
    name, backend = settings["project_name"], settings.get("backend", "vivado").lower()
    top = f"{name}_axi" if backend == "vivadoaccelerator" else name
    return HlsProject(name, top, backend, settings["part"], float(settings["clock_period"]))


def options(step: Step, steps: Sequence[Step], folder: Path) -> dict[str, int]:
    """Option of hls4ml's build_prj.tcl → 1 or 0.

    Args:
        step: to be done, one of `steps`.
        folder: of the project. Where csim has left results, or will, cosim is compared with them.
    """
    asked = ASKED[step]
    if step is Step.COSIM and (Step.CSIM in steps or (folder / CSIM_RESULTS).is_file()):
        asked = (*asked, "validation")
    return {name: int(name in asked) for name in OPTIONS}


def require_synthesized(folder: Path, steps: Sequence[Step], needing: Sequence[Step]) -> None:
    """Raises DataError when a step needs the Verilog of csynth, and csynth is neither done nor asked for."""
    first = next((step for step in steps if step in needing), None)
    if first is None or Step.CSYNTH in steps or any((folder / project(folder).verilog).glob("*.v")):
        return
    raise DataError(
        f"{first} needs the Verilog of csynth, and {folder} has none", f"add csynth: --steps csynth,{first}"
    )


def judged(call: Call, finished: Finished, folder: Path, title: str) -> None:
    """The exit rule of both HLS tools; names the layer of a loop or an array that is too large. Raises FlowError."""
    try:
        judge(call, finished, folder, title, HLS_SYMPTOMS)
    except ToolFailed as error:
        layer = layer_of(folder, error.message)
        if layer:
            raise ToolFailed(f"layer '{layer}': {error.message}", error.hint) from error
        raise


def layer_of(folder: Path, text: str) -> str:
    """The layer whose configuration or weights a text names, by the comments in parameters.h; "" for none."""
    number, file = LAYER_NUMBER.search(text), folder / "firmware" / "parameters.h"
    if number is None or not file.is_file():
        return ""
    name = ""
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        name = line.removeprefix("// ").strip() if line.startswith("// ") else name
        if re.match(rf"struct \w*config{number[1] or number[2]}(?:_\w+)? :", line):
            return name
    return ""


def reports(title: str, folder: Path, step: Step) -> Sequence[Report]:
    """What the reports of an HLS step say; raises DataError when one is missing, damaged, or about something else.

    Args:
        title: of the tool; simulations do not name it.
    """
    project_there = project(folder)
    return tuple(
        _about(project_there, title, read_any(folder / name, root=folder)) for name in project_there.reports(step)
    )


def _about(project_there: HlsProject, title: str, report: Report) -> Report:
    """The same with tool, part and clock, where the report names none."""
    if report.top != project_there.top:
        raise DataError(
            f"{report.file} is about '{report.top}', not about '{project_there.top}'", "reports are mixed up: delete it"
        )
    if report.part != UNKNOWN:
        return report
    tool = f"{title} {report.tool.removeprefix('C/RTL ')}"
    metrics = (
        replace(metric, tool=tool, target=project_there.part, clock_ns=project_there.clock_ns)
        for metric in report.metrics
    )
    return replace(
        report, tool=tool, part=project_there.part, clock_ns=project_there.clock_ns, metrics=MetricSet(tuple(metrics))
    )


@dataclass(frozen=True)
class Programs:
    """Where a tool of AMD may be found.

    Attributes:
        title: as AMD writes it.
        variable: environment variable that may name the program by its path.
        names: of the program, the preferred one first.
        hint: what to do when none is there.
    """

    title: str
    variable: str
    names: tuple[str, ...]
    hint: str


Identify = Callable[[str, str], Tool | None]
"""Program and version → the tool; None for one that cannot do what is needed."""


def find(programs: Programs, identify: Identify) -> Tool:
    """The installed tool, looked for once per environment; raises ToolMissing."""
    return _find(programs, identify, os.environ.get(programs.variable, ""), os.environ.get("PATH", ""))


@functools.cache
def _find(programs: Programs, identify: Identify, wish: str, path: str) -> Tool:
    for name in (wish,) if wish else programs.names:
        program = shutil.which(name, path=path)
        tool = identify(program, _version(program, programs)) if program else None
        if tool is not None:
            return tool
    place = f"at {programs.variable}={wish}" if wish else f"no {' or '.join(programs.names)} on PATH"
    raise ToolMissing(f"{programs.title} is not installed: {place}", programs.hint)


def _version(program: str, programs: Programs) -> str:
    option = "--version" if Path(program).name == "vitis-run" else "-version"
    text = version_text((program, option), programs.title, check=False)  # some releases answer, and exit with 1
    release = VERSION.search(text)
    if release is None:
        raise ToolMissing(
            f"'{program} {option}' names no release: {text.strip()[:200]!r}",
            f"check the installation of {programs.title}",
        )
    return release.group(1)
