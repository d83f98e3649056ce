"""Headers that the C++ compiler has read once and need not read again.

In: the headers that many programs begin with, and the flags of those programs. Out: the flag that makes the compiler
begin with its own copy of them, which is made at first use on this machine and kept in the user's cache folder.
Reading the headers of fixed-point types or of Verilator takes longer than compiling a small network.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from hlsflow.core.caches import cache_folder, filled
from hlsflow.core.errors import StorageError
from hlsflow.toolchains import gxx

NAME = "common.h"
SUFFIX = {"g++": ".gch", "clang++": ".pch"}
"""Compiler → what it adds to the name of a header when it looks for a precompiled one."""


def precompiled(names: Sequence[str], flags: Sequence[str], folders: Sequence[Path]) -> tuple[str, ...]:
    """The flags that begin a program with headers that are compiled already.

    Args:
        names: of the headers, as a program includes them.
        flags: of the compiler; the program must be compiled with the same ones.
        folders: where the headers are; every file in them is part of what the copy is known by.

    Returns:
        `-include` and a header; nothing where the cache folder cannot be written, as a cache only saves time.

    Raises:
        ToolMissing: there is no compiler.
        ToolFailed: it cannot read the headers.
    """
    if not names:
        return ()
    text = "".join(f'#include "{name}"\n' for name in names)
    identity = [*gxx.identity(), platform.machine(), *flags, text, *(_digest(folder) for folder in folders)]
    searched = [*flags, *(f"-I{folder.absolute()}" for folder in folders), "-x", "c++-header"]

    def compile_headers(folder: Path) -> None:
        (folder / NAME).write_text(text, encoding="utf-8")
        gxx.compile([NAME], NAME + SUFFIX[gxx.find().name], searched, folder, folder / "compile.log")

    with suppress(StorageError, OSError):
        digest = hashlib.sha256("\n".join(identity).encode()).hexdigest()[:16]
        return "-include", str(filled(cache_folder() / "headers" / digest, compile_headers) / NAME)
    return ()


def _digest(folder: Path) -> str:
    """Of the contents of all files below a folder, with their names."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(folder)}\0{path.stat().st_size}\0".encode() + path.read_bytes())
    return digest.hexdigest()
