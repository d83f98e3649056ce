"""Find a vendor's program where it is installed, ask it which release it is, and read what a project says of itself.

In: the program's names and the variables that may say where it is; a project's folder. Out: `Tool`; names. The variable
`HLSFLOW_<NAME>` of a toolchain names the program by its path and wins over PATH.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hlsflow.core.errors import DataError, ToolMissing
from hlsflow.toolchains.tool import Tool, version_text


@dataclass(frozen=True)
class Program:
    """A vendor's program.

    Attributes:
        tool: its name, as in `Metric.tool`.
        title: of the toolchain, for messages.
        variable: environment variable that may name it by its path.
        names: of the program, the preferred one first.
        option: makes it tell its version.
        version: pattern whose first group is the version, in what it tells, or else in its path.
        hint: what to do when it is not there.
        homes: environment variables of the vendor whose folder `bin` may hold it.
    """

    tool: str
    title: str
    variable: str
    names: tuple[str, ...]
    option: str
    version: str
    hint: str
    homes: tuple[str, ...] = ()


def find(program: Program) -> Tool:
    """The installed tool, looked for once per environment; raises ToolMissing."""
    homes = [os.environ[name] for name in program.homes if os.environ.get(name)]
    path = os.pathsep.join([os.environ.get("PATH", ""), *(str(Path(home) / "bin") for home in homes)])
    return _find(program, os.environ.get(program.variable, ""), path)


@functools.cache
def _find(program: Program, wish: str, path: str) -> Tool:
    path_of_program = next(
        filter(None, (shutil.which(name, path=path) for name in ((wish,) if wish else program.names))), None
    )
    if path_of_program is None:
        place = f"at {program.variable}={wish}" if wish else f"no {' or '.join(program.names)} on PATH"
        raise ToolMissing(f"{program.title} is not installed: {place}", program.hint)
    answer = version_text((path_of_program, program.option), program.title)
    version = re.search(program.version, answer) or re.search(program.version, str(Path(path_of_program).resolve()))
    if version is None:
        raise ToolMissing(
            f"'{path_of_program} {program.option}' names no release: {answer.strip()[:200]!r}",
            f"check the installation of {program.title}",
        )
    return Tool(program.tool, version[1], (path_of_program,), "native")


def settings(folder: Path, file: str, patterns: Mapping[str, str], backend: str) -> dict[str, str]:
    """What a project of hls4ml says of itself: name → the first group of its pattern.

    Args:
        folder: of the project.
        file: that tells, relative to it.
        patterns: name → pattern, searched line by line.
        backend: of hls4ml that writes such projects, for messages.
    Raises:
        DataError: hls4ml has written no such project there.
    """
    hint = f"name a folder that hls4ml's {backend} backend wrote"
    try:
        text = (folder / file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{folder} is no hls4ml project: {error}", hint) from error
    matches = {name: re.search(pattern, text, re.M) for name, pattern in patterns.items()}
    for name, match in matches.items():
        if match is None:
            raise DataError(f"{folder} is no complete hls4ml project: {file} tells no {name}", hint)
    return {name: match[1] for name, match in matches.items() if match is not None}
