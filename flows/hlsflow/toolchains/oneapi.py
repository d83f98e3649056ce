"""Intel oneAPI for FPGAs: emulation, early report, simulation and full compilation of an hls4ml project.

In: a folder that hls4ml's oneAPI backend wrote. Out: a `Toolchain`. The compiler is `icpx`, which `HLSFLOW_ONEAPI` may
name by its path; CMake and make drive it, as in hls4ml's own build.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from hlsflow.core.errors import DataError, ToolFailed, ToolMissing
from hlsflow.toolchains import native
from hlsflow.toolchains.chain import Call, Phase, Settings, Step, Toolchain, log_of
from hlsflow.toolchains.intel import NO_LICENCE, SMALLER
from hlsflow.toolchains.reports import Report, read_any
from hlsflow.toolchains.scripts import script
from hlsflow.toolchains.tool import Tool
from hlsflow.toolchains.verdict import Symptom, judge

NAME, TITLE = "oneapi", "Intel oneAPI"
PROGRAM = native.Program(
    "icpx",
    TITLE,
    "HLSFLOW_ONEAPI",
    ("icpx",),
    "--version",
    r"Compiler (\d+\.\d+(?:\.\d+)?)",
    "install the oneAPI base toolkit of 2024 or 2025.0 with its FPGA support, and source its setvars.sh",
)
TARGETS: Mapping[Step, str] = {
    Step.CSIM: "fpga_emu",
    Step.CSYNTH: "report",
    Step.COSIM: "fpga_sim",
    Step.IMPLEMENT: "fpga",
}
"""What hls4ml's CMakeLists.txt calls each step."""

RUN = (Step.CSIM, Step.COSIM)
"""Steps whose program is the test bench."""

REPORTS: Mapping[Step, tuple[str, ...]] = {
    Step.CSYNTH: ("summary.ndjson", "loop_attr.ndjson"),
    Step.IMPLEMENT: ("quartus.ndjson",),
}
LICENCES: Mapping[Step, str] = {Step.COSIM: "questa", Step.IMPLEMENT: "quartus"}
READS = ("CMakeLists.txt", "src/**/*", "tb_data/*.dat")

PHASES = (
    Phase(r"-- The CXX compiler|-- Configuring", "configuring"),
    Phase(r"Building CXX object", "compiling the C++", SMALLER),
    Phase(r"aoc: |Compiling for FPGA", "scheduling", SMALLER),
    Phase(r"Linking CXX executable", "optimising and scheduling", SMALLER),
    Phase(r"Quartus Prime|quartus_sh|quartus_syn", "Quartus", SMALLER),
    Phase(r"Processing input", "running the test bench", "simulate fewer samples: shorten the files in tb_data"),
)
SYMPTOMS = (
    NO_LICENCE,
    Symptom(
        r"(?i)FPGA compilation is no longer supported|unknown argument:? '-fintelfpga'",
        ToolMissing,
        "this release cannot compile for FPGAs: {0}",
        "take oneAPI 2024 or 2025.0, the last ones with FPGA support",
    ),
    Symptom(
        r"(?i)error.*(?:fitter|cannot fit|no(?:t enough)? .*resources)", ToolFailed, "it does not fit: {0}", SMALLER
    ),
)


def calls(folder: Path, steps: Sequence[Step], tool: Tool, settings: Settings) -> Sequence[Call]:
    """One call for each step; see `Toolchain.calls`."""
    return [_call(folder, step, tool, settings) for step in steps]


def _call(folder: Path, step: Step, tool: Tool, settings: Settings) -> Call:
    top, target, wrapper = _top(folder), TARGETS[step], f"hlsflow_{step}.sh"
    run = f"build/{top}.{target}" if step in RUN else ""
    values = {"step": step, "target": target, "compiler": tool.argv[0], "run": run, "jobs": settings.jobs}
    return Call(
        step=step,
        argv=("sh", wrapper),
        files={wrapper: script("oneapi/build.sh", settings, **values)},
        log=log_of(NAME, step),
        leaves=(run,) if run else tuple(_reports(folder, step)),
        reads=READS,
        phases=PHASES,
        licence=LICENCES.get(step, ""),
    )


def _top(folder: Path) -> str:
    settings_of_project = native.settings(folder, "CMakeLists.txt", {"name": r"^set\(TARGET_NAME (\w+)\)"}, "oneAPI")
    return settings_of_project["name"]


def _reports(folder: Path, step: Step) -> list[str]:
    place = f"build/{_top(folder)}.{TARGETS[step]}.prj/reports/resources/json"
    return [f"{place}/{name}" for name in REPORTS.get(step, ())]


def reports(folder: Path, step: Step) -> Sequence[Report]:
    """What a step's reports say; see `Toolchain.reports`."""
    read_reports = [read_any(folder / name, root=folder) for name in _reports(folder, step)]
    tops = {report.top for report in read_reports}
    if len(tops) > 1:
        raise DataError(
            f"the reports in {folder}/build are about {' and '.join(sorted(tops))}", "delete the folder build"
        )
    return read_reports


CHAIN = Toolchain(
    name=NAME,
    title=TITLE,
    backends=("oneapi",),
    steps=tuple(TARGETS),
    find=partial(native.find, PROGRAM),
    calls=calls,
    verdict=partial(judge, title=TITLE, symptoms=SYMPTOMS),
    reports=reports,
    enables="emulation, early report, simulation and compilation of hls4ml's oneAPI projects",
)
