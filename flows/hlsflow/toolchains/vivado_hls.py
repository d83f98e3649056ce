"""Vivado HLS 2018 to 2020: C simulation, C synthesis, cosimulation and IP export of an hls4ml project.

In: a folder that hls4ml's Vivado or VivadoAccelerator backend wrote. Out: a `Toolchain`. `HLSFLOW_VIVADO_HLS` may name
the program `vivado_hls` by its path.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from hlsflow.core.errors import ToolMissing
from hlsflow.toolchains import amd
from hlsflow.toolchains.chain import Call, Settings, Step, Toolchain, log_of
from hlsflow.toolchains.tool import Tool, version_tuple

NAME, TITLE = "vivado_hls", "Vivado HLS"
PROGRAMS = amd.Programs(
    TITLE,
    "HLSFLOW_VIVADO_HLS",
    ("vivado_hls",),
    "install Vivado 2018.1 to 2020.1 and source its settings64.sh, or take Vitis HLS with target.backend = 'vitis'",
)
OLDEST, NEWEST = (2018,), (2020, 9)


def _identify(program: str, version: str) -> Tool:
    if not OLDEST <= version_tuple(version) <= NEWEST:
        raise ToolMissing(f"{program} is of {version}; hls4ml's projects need 2018.1 to 2020.1", PROGRAMS.hint)
    return Tool(TITLE, version, (program, "-f"), "native")


def calls(folder: Path, steps: Sequence[Step], tool: Tool, settings: Settings) -> Sequence[Call]:
    """One call for each step; see `Toolchain.calls`."""
    amd.require_synthesized(folder, steps, (Step.COSIM, Step.EXPORT))
    return [_call(folder, step, steps, tool) for step in steps]


def _call(folder: Path, step: Step, steps: Sequence[Step], tool: Tool) -> Call:
    wanted = " ".join(f"{name}={value}" for name, value in amd.options(step, steps, folder).items())
    return Call(
        step=step,
        argv=(*tool.argv, "build_prj.tcl", wanted),
        files={},
        log=log_of(NAME, step),
        leaves=amd.project(folder).leaves(step),
        reads=amd.HLS_READS,
        phases=amd.HLS_PHASES,
        licence="vivado_hls",
    )


CHAIN = Toolchain(
    name=NAME,
    title=TITLE,
    backends=("vivado", "vivadoaccelerator"),
    steps=tuple(amd.ASKED),
    find=partial(amd.find, PROGRAMS, _identify),
    calls=calls,
    verdict=partial(amd.judged, title=TITLE),
    reports=partial(amd.reports, TITLE),
    enables="csim, csynth, cosim and IP export of hls4ml's Vivado and VivadoAccelerator projects",
    layer_of=amd.layer_of,
)
