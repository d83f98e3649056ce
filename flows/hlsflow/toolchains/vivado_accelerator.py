"""hls4ml's VivadoAccelerator: the bitstream of a whole board design, and what PYNQ needs beside it.

In: a folder that hls4ml's VivadoAccelerator backend wrote, in which csynth and export have been done by Vivado HLS.
Out: a `Toolchain`. It runs hls4ml's own design.tcl in Vivado and leaves `hlsflow_pynq/` with the bitstream, the
hardware description (`.hwh`) of the same name, as PYNQ wants it, and hls4ml's Python driver.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from hlsflow.core.errors import DataError
from hlsflow.toolchains import amd, vivado
from hlsflow.toolchains.chain import Call, Settings, Step, Toolchain, log_of
from hlsflow.toolchains.reports import read_any
from hlsflow.toolchains.reports.report import Report
from hlsflow.toolchains.scripts import script
from hlsflow.toolchains.tool import Tool
from hlsflow.toolchains.verdict import judge

NAME, TITLE = "vivado_accelerator", "VivadoAccelerator"
RESULTS = "hlsflow_pynq"
DRIVER = "axi_stream_driver.py"
REPORTS = ("util.rpt", f"{RESULTS}/board_timing.rpt", f"{RESULTS}/board_power.rpt")
"""The first is written by hls4ml's design.tcl."""


def calls(folder: Path, steps: Sequence[Step], tool: Tool, settings: Settings) -> Sequence[Call]:
    """One call; raises DataError when the folder is none of VivadoAccelerator, for an Alveo card, or not exported."""
    project = amd.project(folder)
    _require_board(folder, project)
    ip = f"{project.solution}/impl/ip"
    if not (folder / ip / "component.xml").is_file():
        raise DataError(
            f"the bitstream needs the IP of the network, and {folder} has no {ip}",
            "run csynth and export first: --steps csynth,export,bitstream",
        )
    vivado.require_roms(folder / project.verilog)
    name = "hlsflow_bitstream.tcl"
    values = {"results": RESULTS, "driver": DRIVER, "jobs": settings.jobs}
    left = (*REPORTS, *(f"{RESULTS}/{file}" for file in (f"{project.name}.bit", f"{project.name}.hwh", DRIVER)))
    bitstream = Call(
        step=Step.BITSTREAM,
        argv=(*tool.argv, name),
        files={name: script("vivado_accelerator/bitstream.tcl", settings, **values)},
        log=log_of(NAME, Step.BITSTREAM),
        leaves=left,
        reads=("design.tcl", "project.tcl", DRIVER, f"{ip}/**/*"),
        phases=vivado.PHASES,
        licence="Implementation",
    )
    return [bitstream] if steps else []


def _require_board(folder: Path, project: amd.HlsProject) -> None:
    if project.backend != "vivadoaccelerator" or not (folder / "design.tcl").is_file():
        raise DataError(
            f"{folder} is no project of VivadoAccelerator",
            f"translate for that backend: hlsflow build --toolchain {NAME}",
        )
    if not (folder / DRIVER).is_file():
        raise DataError(f"{folder} has no {DRIVER}: its driver is not for PYNQ", "set Driver: python in hls4ml")
    if "xclbin" in (folder / "design.tcl").read_text(encoding="utf-8", errors="replace") or (folder / "src").is_dir():
        raise DataError(
            f"{folder} is for an Alveo card, which is configured by an xclbin",
            "link it with v++, or take pynq-z2 or zcu102",
        )


def reports(folder: Path, step: Step) -> Sequence[Report]:
    """Utilisation, timing and power of the routed board design; raises DataError."""
    return tuple(read_any(folder / name, root=folder) for name in REPORTS)


CHAIN = Toolchain(
    name=NAME,
    title=TITLE,
    backends=("vivadoaccelerator",),
    steps=(Step.BITSTREAM,),
    find=vivado.CHAIN.find,
    calls=calls,
    verdict=partial(judge, title=TITLE, symptoms=vivado.SYMPTOMS, fatal=(vivado.LOST_ROM,)),
    reports=reports,
    enables="bitstream and PYNQ driver of hls4ml's VivadoAccelerator projects",
)
