"""Cycle-accurate simulation of a design with Verilator.

In: a `Design` and integer vectors. Out: its results, and the latency and initiation interval measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flows import templates
from flows.errors import DataError, GateFailed, StorageError
from flows.ir import Fixed
from flows.ir.fixed import Array
from flows.rtl.emit import Design
from flows.toolchains import process, verilator

STALLED = 200
"""Vectors of the second pass, with bubbles and back-pressure."""

TIMEOUT_S = 900.0


@dataclass(frozen=True, eq=False)
class Simulation:
    """What the simulated design did.

    Attributes:
        outputs: int64 (n, n_out), on the output type's grid, from the pass at full speed.
        latency_cycles: int64 (n,): for each vector, from the cycle of its acceptance to that of its result.
        ii: cycles between two vectors in saturation, the longest measured; None for fewer than two vectors.
        cycles: cycles from the first vector's acceptance to the last result.
        stalled: vectors repeated with bubbles and back-pressure, with equal results.
    """

    outputs: NDArray[np.int64]
    latency_cycles: NDArray[np.int64]
    ii: int | None
    cycles: int
    stalled: int


def simulate(design: Design, x: Array, folder: Path) -> Simulation:
    """Run all vectors back to back, then some of them again with bubbles and back-pressure.

    Args:
        design: what to simulate.
        x: integers on the input type's grid, (n, n_in), n >= 1.
        folder: where everything is built and left.

    Raises:
        DataError: `x` has the wrong shape, is empty, or leaves the input's range.
        GateFailed: results were lost, or back-pressure changed them.
        ToolMissing, ToolFailed, StorageError: Verilator or the compiler is missing or fails, or the folder is full.
    """
    _check(design, x)
    rows = _execute(_build(design, folder), design, x, folder)
    stalled = min(STALLED, len(x))
    if len(rows) != len(x) + stalled:
        message = f"the simulated design gave {len(rows)} results for {len(x)} + {stalled} vectors"
        raise GateFailed(message, "this is a fault of the RTL: keep the folder and report it")
    words = _words(design.n_out, design.output_type)
    values = unpack(rows[:, :words], design.n_out, design.output_type)
    times = np.ascontiguousarray(rows[:, words:]).view(np.uint64).astype(np.int64)
    if not np.array_equal(values[len(x) :], values[:stalled]):
        message = "back-pressure changed the results of the simulated design"
        raise GateFailed(message, "this is a fault of the RTL: keep the folder and report it")
    accepted, taken = times[: len(x)].T
    ii = int(np.diff(accepted).max()) if len(x) > 1 else None
    return Simulation(values[: len(x)], taken - accepted, ii, int(taken[-1] - accepted[0]), stalled)


def _check(design: Design, x: Array) -> None:
    if x.ndim != 2 or x.shape[1] != design.n_in or not len(x):
        raise DataError(f"the design wants rows of {design.n_in} values, got an array of shape {x.shape}")
    if not design.input_type.holds(x):
        raise DataError(f"some values are outside the design's input type {design.input_type}")


def _build(design: Design, folder: Path) -> Path:
    words = _words(design.n_in, design.input_type), _words(design.n_out, design.output_type)
    macros = "#define IN_WORDS {}\n#define OUT_WORDS {}\n".format(*words)
    return verilator.build(design.files, design.top, macros + templates.read("sim/harness.cpp"), folder)


def _execute(program: Path, design: Design, x: Array, folder: Path) -> NDArray[np.uint32]:
    """Run the model; returns its raw rows."""
    episode = design.latency_cycles + 2 * design.ii + 3  # long enough to fill the design
    patience = 100 * episode + 10_000
    inputs, outputs = folder / "inputs.bin", folder / "outputs.bin"
    numbers = (len(x), min(STALLED, len(x)), episode, patience)
    argv = [str(program.absolute()), inputs.name, outputs.name, *map(str, numbers)]
    try:
        inputs.write_bytes(pack(x, design.input_type).tobytes())
        process.run(argv, folder=folder, log=folder / "simulate.log", timeout_s=TIMEOUT_S, tool="simulator")
        raw = np.fromfile(outputs, "<u4")
    except OSError as error:
        raise StorageError(f"cannot use {folder}: {error}", "free some disk space and run again") from error
    return raw.reshape(-1, _words(design.n_out, design.output_type) + 4)


def _words(n: int, kind: Fixed) -> int:
    """32-bit words of a vector."""
    return -(-n * kind.width // 32)


def pack(x: Array, kind: Fixed) -> NDArray[np.uint32]:
    """Vectors as the bits of a port, element 0 lowest: (n, k) integers to (n, words)."""
    n, k = x.shape
    bits = ((x.astype(np.int64)[:, :, None] >> np.arange(kind.width)) & 1).astype(np.uint8).reshape(n, k * kind.width)
    padded = np.pad(bits, ((0, 0), (0, _words(k, kind) * 32 - k * kind.width)))
    return np.packbits(padded, axis=1, bitorder="little").view("<u4")


def unpack(words: NDArray[np.uint32], k: int, kind: Fixed) -> NDArray[np.int64]:
    """The inverse of `pack`: (n, words) to (n, k) integers."""
    raw = np.ascontiguousarray(words).view(np.uint8)
    bits = np.unpackbits(raw, axis=1, bitorder="little")[:, : k * kind.width].reshape(len(words), k, kind.width)
    values: NDArray[np.int64] = (bits.astype(np.int64) << np.arange(kind.width)).sum(2)
    return values - ((values >> (kind.width - 1)) << kind.width) if kind.signed else values
