"""The command `hlsflow doctor`: which tools are here, which versions, and what each enables.

In: this machine and environment. Out: `Check`s, as a table or JSON. Nothing heavy is imported or started.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import platform
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hlsflow.commands import screen
from hlsflow.core.errors import FlowError
from hlsflow.toolchains import gxx, nextpnr, verilator, yosys
from hlsflow.toolchains.chains import CHAINS
from hlsflow.toolchains.tool import Tool

if TYPE_CHECKING:
    from rich.console import RenderableType

LOW_DISK_GIB = 2.0


@dataclass(frozen=True)
class Check:
    """One thing that was looked for.

    Attributes:
        name: what it is called.
        found: whether it is here and can be used.
        detail: its version and origin, or why it cannot be used.
        enables: what hlsflow does with it.
    """

    name: str
    found: bool
    detail: str
    enables: str


def add_to(commands: Any) -> None:
    """Add the command to the sub-parsers of `hlsflow`."""
    parser = commands.add_parser("doctor", help="which tools are here, and what each enables")
    screen.add_json(parser)
    parser.set_defaults(command=_doctor)


def _doctor(arguments: argparse.Namespace) -> None:
    checks = checkup()
    if arguments.json:
        screen.say_json(arguments, {"schema": 1, "checks": [asdict(check) for check in checks]})
    else:
        screen.say(render(checks), drawn(checks))


PACKAGES: Mapping[str, tuple[str, str]] = {
    "TensorFlow": ("tensorflow", "training, and running QKeras models"),
    "tf_keras": ("tf_keras", "the Keras 2 that QKeras is written for"),
    "QKeras": ("qkeras", "quantization-aware training"),
    "hls4ml": ("hls4ml", "translation to HLS C++ and its C-simulation"),
}
TOOLS: Mapping[str, tuple[Callable[[], Tool], str]] = {
    "C++ compiler": (gxx.find, "C-simulation and RTL simulation"),
    "Verilator": (verilator.find, "RTL simulation: measured latency and initiation interval"),
    "Yosys": (yosys.find, "synthesis for Xilinx 7-series, UltraScale+ and Lattice ECP5"),
    "nextpnr-ecp5": (nextpnr.find, "place and route on Lattice ECP5: measured Fmax"),
}


def checkup(folder: Path | None = None) -> tuple[Check, ...]:
    """Look for everything hlsflow can use.

    Args:
        folder: where runs are written, for the disk space; the working folder when None.
    """
    python = Check("Python", True, platform.python_version(), "hlsflow itself")
    packages = (_package(name, *row) for name, row in PACKAGES.items())
    tools = (_tool(name, *row) for name, row in TOOLS.items())
    vendors = (_tool(chain.title, chain.find, f"{chain.enables} (optional)") for chain in CHAINS.values())
    return (python, *packages, *tools, *vendors, _disk(folder or Path.cwd()))


def _package(name: str, distribution: str, enables: str) -> Check:
    try:
        return Check(name, True, importlib.metadata.version(distribution), enables)
    except importlib.metadata.PackageNotFoundError:
        return Check(name, False, f"not installed: pip install {distribution}", enables)


def _tool(name: str, find: Callable[[], Tool], enables: str) -> Check:
    try:
        return Check(name, True, find().label, enables)
    except FlowError as error:
        message = " ".join(error.message.split())
        return Check(name, False, f"{message}: {error.hint}" if error.hint else message, enables)


def _disk(folder: Path) -> Check:
    free = shutil.disk_usage(folder).free / 2**30
    detail = f"{free:.1f} GiB free at {folder}"
    return Check("disk space", free >= LOW_DISK_GIB, detail, f"runs under build/ (at least {LOW_DISK_GIB:g} GiB)")


def render(checks: tuple[Check, ...]) -> str:
    """The checks as text, one line each."""
    width = max(len(check.name) for check in checks)
    lines = (
        f"{'found  ' if check.found else 'missing'}  {check.name:<{width}}  {check.detail}  -> {check.enables}"
        for check in checks
    )
    return "\n".join(lines)


def drawn(checks: tuple[Check, ...]) -> RenderableType:
    """The same as a table that fits a terminal."""
    from hlsflow.report import terminal
    from hlsflow.report.document import Cell, Table, cell

    rows = (
        (
            cell(check.name),
            Cell(*(("found", None, None, "good") if check.found else ("missing", None, None, "warn"))),
            cell(check.detail),
            cell(check.enables),
        )
        for check in checks
    )
    return terminal.drawn(Table(("tool", "state", "version, or why it is missing", "enables"), tuple(rows)))
