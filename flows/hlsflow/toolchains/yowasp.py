"""Tools that come as WebAssembly in YoWASP wheels.

In: a wheel's package and its entry function. Out: argv and environment for `process.run`.
The first use on a machine translates the WebAssembly to machine code (half a minute for Yosys on two cores), which
the wheels' own cache does not do safely for several processes at once; `prepare` does it once, under a lock.
"""

from __future__ import annotations

import fcntl
import functools
import importlib.metadata
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from hlsflow.core.caches import cache_folder
from hlsflow.toolchains import process
from hlsflow.toolchains.process import storage_error
from hlsflow.toolchains.tool import Tool

TRANSLATE_TIMEOUT_S = 900.0


def argv(package: str, function: str) -> tuple[str, ...]:
    """What starts a wheel's tool in an interpreter of its own, so that it can be killed."""
    return (sys.executable, "-c", f"import sys, {package} as tool; sys.exit(tool.{function}(sys.argv[1:]))")


def environment(tool: Tool, package: str) -> Mapping[str, str]:
    """Variables for a run of `tool`, prepared if need be; none for a native program."""
    return {"YOWASP_CACHE_DIR": str(prepare(tool, package))} if tool.origin == "wheel" else {}


@functools.cache
def prepare(tool: Tool, package: str) -> Path:
    """Have the tool's machine code in the cache folder; returns the folder. Safe with several processes at once.

    Raises:
        ToolFailed: the WebAssembly cannot be translated.
        StorageError: the cache folder cannot be written.
    """
    versions = (importlib.metadata.version(name) for name in (package.replace("_", "-"), "wasmtime"))
    folder = cache_folder() / "yowasp" / "-".join((package, *versions))
    ready = folder / "ready"
    if not ready.exists():
        with _locked(folder.parent / f"{folder.name}.lock"):
            if not ready.exists():
                _translate(tool, folder)
                process.write_files(folder, {"ready": tool.label + "\n"})
    return folder


def _translate(tool: Tool, folder: Path) -> None:
    """Run the tool once with an empty cache; what an interrupted earlier attempt left is deleted first."""
    shutil.rmtree(folder, ignore_errors=True)
    process.make_folder(folder)
    command = (*tool.argv, "--version")
    env = {"YOWASP_CACHE_DIR": str(folder)}
    log = folder / "translate.log"
    process.run(command, folder=folder, log=log, timeout_s=TRANSLATE_TIMEOUT_S, tool=tool.label, env=env)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on `path`; the system gives it back however this process ends."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        stream = path.open("a")
    except OSError as error:
        raise storage_error(path, error) from error
    with stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield
