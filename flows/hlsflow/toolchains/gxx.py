"""The C++ compiler.

In: C++ sources and flags. Out: object files or a program. Any g++ or clang++ with C++17 will do; the environment
variable CXX chooses one.
"""

from __future__ import annotations

import functools
import os
import re
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path

from hlsflow.core.errors import ToolMissing
from hlsflow.toolchains import process
from hlsflow.toolchains.tool import Tool, version_text, version_tuple

CANDIDATES = ("g++", "clang++")
VARIABLES = ("CPATH", "CPLUS_INCLUDE_PATH", "LIBRARY_PATH", "COMPILER_PATH", "GCC_EXEC_PREFIX")
"""Of the environment, by which compilers find other headers, libraries or programs."""
MINIMUM = {"g++": (7,), "clang++": (5,)}
"""The first releases with all of C++17 (the language status pages of both projects)."""
VERSION = r"(\d+(?:\.\d+)+)"
TIMEOUT_S = 900.0
HINT = "install a C++ compiler (Debian and Ubuntu: apt install g++; macOS: xcode-select --install) or set CXX"


def find() -> Tool:
    """The compiler that CXX names, else g++, else clang++; raises ToolMissing."""
    return _find(os.environ.get("CXX", ""), os.environ.get("PATH", ""))


def identity() -> list[str]:
    """What keys of results hold: the compiler, and what the environment tells it."""
    return [*find().identity, *(f"{name}={os.environ.get(name, '')}" for name in VARIABLES)]


@functools.cache
def _find(wish: str, path: str) -> Tool:
    candidates = [shlex.split(wish)] if wish.strip() else [[name] for name in CANDIDATES]
    for argv in candidates:
        if shutil.which(argv[0], path=path):
            return _identify(tuple(argv))
    raise ToolMissing(f"no C++ compiler: {' or '.join(argv[0] for argv in candidates)} is not on PATH", HINT)


def _identify(argv: tuple[str, ...]) -> Tool:
    text = version_text((*argv, "--version"), argv[0])
    name = "clang++" if "clang" in text else "g++"
    release = re.search(VERSION, text)
    if release is None or version_tuple(release.group(1)) < MINIMUM[name]:
        raise ToolMissing(f"{shlex.join(argv)} is too old for C++17: {text.strip()[:200]!r}", HINT)
    return Tool(name, release.group(1), argv, "native")


def compile(
    sources: Sequence[Path | str],
    output: Path | str,
    flags: Sequence[str],
    folder: Path,
    log: Path,
    *,
    timeout_s: float = TIMEOUT_S,
    watch: process.Watch | None = None,
) -> process.Finished:
    """Run the compiler in `folder`: sources (and objects) with `flags` to `output`; `watch` as of `process.run`.

    Raises:
        ToolMissing, ToolFailed, StorageError: as `process.run`.
    """
    compiler = find()
    argv = [*compiler.argv, *flags, *map(str, sources), "-o", str(output)]
    return process.run(argv, folder=folder, log=log, timeout_s=timeout_s, tool=compiler.name, watch=watch)
