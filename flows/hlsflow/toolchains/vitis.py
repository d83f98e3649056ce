"""Vitis HLS: C simulation, C synthesis, cosimulation and IP export of an hls4ml project.

In: a folder that hls4ml's Vitis backend wrote. Out: a `Toolchain`. Up to 2024.1 the program is `vitis_hls`, from 2024.2
on `vitis-run --mode hls`; `HLSFLOW_VITIS` may name either by its path. Figures are the C synthesizer's estimates, of
stage `hls`; logic synthesis comes to other ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from hlsflow.toolchains import amd
from hlsflow.toolchains.chain import Call, Settings, Step, Toolchain, log_of
from hlsflow.toolchains.scripts import script
from hlsflow.toolchains.tool import Tool, version_tuple

NAME, TITLE = "vitis", "Vitis HLS"
VITIS_RUN_SINCE = (2024, 2)
PROGRAMS = amd.Programs(
    TITLE,
    "HLSFLOW_VITIS",
    ("vitis-run", "vitis_hls"),
    "install AMD Vitis and source its settings64.sh; hlsflow needs it for figures of the vendor's HLS only",
)
OPTION_FILE = "build_opt.tcl"


def _identify(program: str, version: str) -> Tool | None:
    """None for a vitis-run that is too old to start HLS."""
    if Path(program).name != "vitis-run":
        return Tool(TITLE, version, (program, "-f"), "native")
    recent = version_tuple(version) >= VITIS_RUN_SINCE
    return Tool(TITLE, version, (program, "--mode", "hls", "--tcl"), "native") if recent else None


def calls(folder: Path, steps: Sequence[Step], tool: Tool, settings: Settings) -> Sequence[Call]:
    """One call for each step; see `Toolchain.calls`."""
    amd.require_synthesized(folder, steps, (Step.COSIM, Step.EXPORT))
    return [_call(folder, step, steps, tool, settings) for step in steps]


def _call(folder: Path, step: Step, steps: Sequence[Step], tool: Tool, settings: Settings) -> Call:
    project = amd.project(folder)
    options = amd.options(step, steps, folder)
    wrapper = f"hlsflow_{step}.tcl"
    return Call(
        step=step,
        argv=(*tool.argv, wrapper),
        files={
            OPTION_FILE: script(f"vitis/{OPTION_FILE}", settings, **options),
            wrapper: script("vitis/run.tcl", settings, step=step, **options),
        },
        log=log_of(NAME, step),
        leaves=project.leaves(step),
        reads=amd.HLS_READS,
        phases=amd.HLS_PHASES,
        licence="vitis_hls",
    )


CHAIN = Toolchain(
    name=NAME,
    title=TITLE,
    backends=("vitis",),
    steps=tuple(amd.ASKED),
    find=partial(amd.find, PROGRAMS, _identify),
    calls=calls,
    verdict=partial(amd.judged, title=TITLE),
    reports=partial(amd.reports, TITLE),
    enables="csim, csynth, cosim and IP export of hls4ml's Vitis projects",
    layer_of=amd.layer_of,
)
