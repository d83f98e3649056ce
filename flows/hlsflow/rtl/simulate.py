"""Cycle-accurate simulation of a design with Verilator.

In: a `Design` and integer samples. Out: its results, and the latency and initiation interval measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hlsflow.core import templates
from hlsflow.core.errors import DataError, GateFailed, StorageError
from hlsflow.ir import Fixed
from hlsflow.ir.fixed import Array
from hlsflow.ir.integers import ceil_div
from hlsflow.rtl.emit import Design, Port
from hlsflow.toolchains import process, verilator

STALLED_BEATS = 200
"""Beats of the second pass, with bubbles and back-pressure; whole frames, two at least."""

TIMEOUT_S = 3600.0


@dataclass(frozen=True, eq=False)
class Simulation:
    """What the simulated design did.

    Attributes:
        outputs: int64 (n, total output values), from the pass at full speed.
        port_begins: int64 (n, inputs): cycle in which each input accepted the first beat of the sample.
        port_ends: int64 (n, outputs): cycle in which each output gave the last beat of its result.
        stalled: samples repeated with bubbles and back-pressure, with equal results.
    """

    outputs: NDArray[np.int64]
    port_begins: NDArray[np.int64]
    port_ends: NDArray[np.int64]
    stalled: int

    @property
    def begins(self) -> NDArray[np.int64]:
        """(n,): cycle in which the first beat of the sample was accepted, at any input."""
        first: NDArray[np.int64] = self.port_begins.min(1)
        return first

    @property
    def ends(self) -> NDArray[np.int64]:
        """(n,): cycle in which its last result was there, at any output."""
        last: NDArray[np.int64] = self.port_ends.max(1)
        return last

    @property
    def latency_cycles(self) -> int:
        """Of the first sample, which finds the design idle."""
        return int(self.ends[0] - self.begins[0])

    @property
    def ii(self) -> int | None:
        """Cycles between two samples in saturation, the longest of the later half; None for fewer than two samples."""
        gaps = np.diff(self.ends)
        return int(gaps[len(self.ends) // 2 :].max(initial=gaps[-1])) if len(gaps) else None

    @property
    def cycles(self) -> int:
        """From the first sample's acceptance to the last result."""
        return int(self.ends[-1] - self.begins[0])


def simulate(design: Design, x: Array, folder: Path, how: verilator.Build = verilator.DESIGN) -> Simulation:
    """Run all samples back to back, then some of them again with bubbles and back-pressure.

    Args:
        design: what to simulate.
        x: integers on the inputs' grids, (n, total input values), n >= 1: inputs side by side, each row-major.
        folder: where everything is built and left.
        how: `verilator.NETLIST` for the cells of a synthesized design.

    Raises:
        DataError: `x` has the wrong shape, is empty, or leaves an input's range.
        GateFailed: results were lost, or back-pressure changed them.
        ToolMissing, ToolFailed, StorageError: Verilator or the compiler is missing or fails, or the folder is full.
    """
    _check(design, x)
    beats = max(port.beats for port in (*design.inputs, *design.outputs))
    stalled = min(len(x), max(2, STALLED_BEATS // beats))
    program = _build(design, folder, how)
    with process.results_of("the simulator", folder):
        rows = _execute(program, design, x, stalled, folder)
        if len(rows) != len(x) + stalled:
            message = f"the simulated design gave {len(rows)} results for {len(x)} + {stalled} samples"
            raise GateFailed(message, "this is a fault of the RTL: keep the folder and report it")
    values = _unpacked(rows, design.outputs)
    times = _times(rows[: len(x)], len(design.inputs) + len(design.outputs))
    if not np.array_equal(values[len(x) :], values[:stalled]):
        message = "back-pressure changed the results of the simulated design"
        raise GateFailed(message, "this is a fault of the RTL: keep the folder and report it")
    begins, ends = np.split(times, [len(design.inputs)], axis=1)
    return Simulation(values[: len(x)], begins, ends, stalled)


def _times(rows: NDArray[np.uint32], ports: int) -> NDArray[np.int64]:
    """The cycles at the end of each row: (n, ports)."""
    return np.ascontiguousarray(rows[:, -2 * ports :]).view(np.uint64).astype(np.int64)


def _check(design: Design, x: Array) -> None:
    sizes = [port.beats * port.lanes for port in design.inputs]
    if x.ndim != 2 or x.shape[1] != sum(sizes) or not len(x):
        raise DataError(f"the design wants rows of {sum(sizes)} values, got an array of shape {x.shape}")
    for port, part in zip(design.inputs, np.split(x, np.cumsum(sizes)[:-1], axis=1), strict=True):
        if not port.type.holds(part):
            raise DataError(f"some values are outside the type {port.type} of the design's input '{port.name}'")


def _build(design: Design, folder: Path, how: verilator.Build) -> Path:
    macros = _listed("INPUTS", design.inputs) + _listed("OUTPUTS", design.outputs)
    return verilator.build(design.files, design.top, macros + templates.read("sim/harness.cpp"), folder, how=how)


def _listed(name: str, ports: Sequence[Port]) -> str:
    items = " ".join(f"X({port.name}, {_words(port.lanes, port.type)}, {port.beats})" for port in ports)
    return f"#define {name}(X) {items}\n"


def _execute(program: Path, design: Design, x: Array, stalled: int, folder: Path) -> NDArray[np.uint32]:
    """Run the model; returns its raw rows."""
    episode = design.latency_cycles + 2 * design.ii + 3  # long enough to fill the design
    patience = 100 * episode + 10_000
    inputs, outputs = folder / "inputs.bin", folder / "outputs.bin"
    numbers = (len(x), stalled, episode, patience)
    argv = [str(program.absolute()), inputs.name, outputs.name, *map(str, numbers)]
    try:
        inputs.write_bytes(_packed(x, design.inputs).tobytes())
        process.run(argv, folder=folder, log=folder / "simulate.log", timeout_s=TIMEOUT_S, tool="simulator")
        raw = np.fromfile(outputs, "<u4")
    except OSError as error:
        raise StorageError(f"cannot use {folder}: {error}", "free some disk space and run again") from error
    cycles = 2 * (len(design.inputs) + len(design.outputs))
    return raw.reshape(-1, sum(_row_words(port) for port in design.outputs) + cycles)


def _words(n: int, kind: Fixed) -> int:
    """32-bit words of a beat."""
    return ceil_div(n * kind.width, 32)


def _row_words(port: Port) -> int:
    """32-bit words of a frame."""
    return port.beats * _words(port.lanes, port.type)


def _packed(x: Array, ports: Sequence[Port]) -> NDArray[np.uint32]:
    ends = np.cumsum([port.beats * port.lanes for port in ports])[:-1]
    parts = [
        pack(part.reshape(-1, port.lanes), port.type).reshape(len(x), -1)
        for port, part in zip(ports, np.split(x, ends, axis=1), strict=True)
    ]
    return np.concatenate(parts, axis=1)


def _unpacked(rows: NDArray[np.uint32], ports: Sequence[Port]) -> NDArray[np.int64]:
    ends = np.cumsum([_row_words(port) for port in ports])
    parts = [
        unpack(part.reshape(len(rows) * port.beats, -1), port.lanes, port.type).reshape(len(rows), -1)
        for port, part in zip(ports, np.split(rows, ends, axis=1), strict=False)
    ]
    return np.concatenate(parts, axis=1)


def pack(x: Array, kind: Fixed) -> NDArray[np.uint32]:
    """Beats as the bits of a port, element 0 lowest: (n, k) integers to (n, words)."""
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
