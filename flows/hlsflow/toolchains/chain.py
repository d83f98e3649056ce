"""The nouns of a vendor toolchain: what it can do, the programs it runs for that, and how they are judged.

In: nothing; each toolchain of `flows/hlsflow/toolchains/` fills in a `Toolchain`. Out: `CHAINS` in
`hlsflow.toolchains.chains` collects them, `hlsflow.toolchains.drive` runs them.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from hlsflow.toolchains.process import Finished
from hlsflow.toolchains.reports.report import Report
from hlsflow.toolchains.tool import Tool

LOGS = "hlsflow_logs"
"""The folder, inside that of the project, for logs and for what is known about finished steps."""


class Step(enum.StrEnum):
    """What a toolchain can do, in the order in which it is done."""

    CSIM = "csim"  # the C++, compiled and run on the test bench
    CSYNTH = "csynth"  # C++ to Verilog or VHDL
    COSIM = "cosim"  # that HDL against the C++
    EXPORT = "export"  # that HDL as an IP block
    SYNTH = "synth"  # logic synthesis
    IMPLEMENT = "implement"  # place and route
    BITSTREAM = "bitstream"  # the file that configures the part


@dataclass(frozen=True)
class Phase:
    """A part of a program's work, known by the line with which it begins.

    Attributes:
        pattern: regular expression, searched in each line of the log.
        name: for the user, such as "unrolling loops".
        cure: which knob to change when the program hangs or fails here; "" where there is none.
    """

    pattern: str
    name: str
    cure: str = ""


@dataclass(frozen=True)
class Call:
    """One run of one program of a toolchain.

    Attributes:
        step: which it does.
        argv: program and arguments; it is run inside the project's folder.
        files: scripts to write into the folder before it starts; name → text.
        log: file for its output, relative to the folder.
        leaves: files and folders it must leave, relative to the folder; deleted before it starts.
        reads: patterns of `Path.glob` for the files of the folder that the result depends on, besides `files`.
        phases: of its work, for the progress; a line may begin one of them, the first that fits.
        licence: licence feature it takes, which bounds how many run at once; "" for none.
        env: variables set for it.
    """

    step: Step
    argv: tuple[str, ...]
    files: Mapping[str, str]
    log: str
    leaves: tuple[str, ...]
    reads: tuple[str, ...] = ()
    phases: tuple[Phase, ...] = ()
    licence: str = ""
    env: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True)
class Settings:
    """What a user may set of the calls of any toolchain.

    Attributes:
        overrides: folder whose files take the place of those of the same relative name in `templates/`; None: none.
        jobs: processors that one program may use.
    """

    overrides: Path | None = None
    jobs: int = 1


@dataclass(frozen=True)
class Toolchain:
    """One vendor's programs behind one door.

    Attributes:
        name: as on the command line, such as "vitis".
        title: as its vendor writes it, such as "Vitis HLS".
        backends: of hls4ml whose projects it builds, in lower case.
        steps: what it can do.
        find: the installed tool; raises ToolMissing with what to install.
        calls: folder, steps, tool, settings → what to run, in order, one call for each step. Raises DataError when the
            folder is no such project, or lacks what a step needs; nothing has been started then.
        verdict: the exit rule of a call that has ended and left `finished.log`: raises ToolFailed, ToolMissing for a
            licence that could not be had, StorageError for a full disk. `hlsflow.toolchains.verdict` has the common
            part.
        reports: folder, step → what the files it left say. Raises DataError when one is missing or damaged.
        enables: what a user gets from it, for `hlsflow doctor`.
        layer_of: folder, a text of the tool → the layer of the network that it is about; "" where none can be told.
    """

    name: str
    title: str
    backends: tuple[str, ...]
    steps: tuple[Step, ...]
    find: Callable[[], Tool]
    calls: Callable[[Path, Sequence[Step], Tool, Settings], Sequence[Call]]
    verdict: Callable[[Call, Finished, Path], None]
    reports: Callable[[Path, Step], Sequence[Report]]
    enables: str
    layer_of: Callable[[Path, str], str] = lambda folder, text: ""


def log_of(chain: str, step: Step) -> str:
    """The usual `Call.log`."""
    return f"{LOGS}/{chain}-{step}.log"
