"""Fronts: how beats of one or more streams become the vectors that a pipeline takes.

A front walks through the steps of a frame (one image, one vector), again and again. Each step takes a beat of some of
its inputs, and offers a vector or none. `steps` says so as plain arrays, for the timing; `emit` writes the Verilog that
walks alike: both sides can wait, and at most one step is made in a cycle.

In: nodes of the graph. Out: `Front`s.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from flows.ir import Node, Op
from flows.ir.graph import MERGES, image
from flows.rtl.verilog import Channel, instance

Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Steps:
    """The steps of one frame.

    Attributes:
        takes: (inputs, steps): the step takes a beat of that input.
        makes: (steps,): the step offers a vector.
    """

    takes: Flags
    makes: Flags


class Front(Protocol):
    """A way from beats to vectors.

    Attributes:
        primitives: names of the files in `templates/rtl/` that it instantiates, directly or not.
        vector_bits: of a vector that it offers.
    """

    @property
    def primitives(self) -> tuple[str, ...]: ...
    @property
    def vector_bits(self) -> int: ...

    def steps(self) -> Steps: ...

    def emit(self, inputs: Sequence[Channel], out: Channel, name: str) -> str:
        """Verilog text that reads the inputs and drives the valid and the data of `out`; all wires are declared."""
        ...


@dataclass(frozen=True)
class Direct:
    """Each beat is a vector."""

    beats: int
    vector_bits: int

    primitives = ()

    def steps(self) -> Steps:
        return Steps(np.ones((1, self.beats), np.bool_), np.ones(self.beats, np.bool_))

    def emit(self, inputs: Sequence[Channel], out: Channel, name: str) -> str:
        (source,) = inputs
        return (
            f"    assign {out.valid} = {source.valid};\n    assign {source.ready} = {out.ready};\n"
            f"    assign {out.data} = {source.data};\n"
        )


@dataclass(frozen=True)
class Join:
    """A beat of each input, side by side, is a vector: input 0 in the least significant bits."""

    inputs: int
    beats: int
    vector_bits: int

    primitives = ("stream_join",)

    def steps(self) -> Steps:
        return Steps(np.ones((self.inputs, self.beats), np.bool_), np.ones(self.beats, np.bool_))

    def emit(self, inputs: Sequence[Channel], out: Channel, name: str) -> str:
        ports = {f"in_{key}": _packed([getattr(item, key) for item in inputs]) for key in ("valid", "ready")}
        ports |= {"out_valid": out.valid, "out_ready": out.ready}
        data = f"    assign {out.data} = {_packed([item.data for item in inputs])};\n"
        return instance("stream_join", name, {"INPUTS": self.inputs}, ports) + data


def _packed(wires: Sequence[str]) -> str:
    return "{" + ", ".join(reversed(wires)) + "}"


@dataclass(frozen=True)
class Collect:
    """All beats of a frame, side by side, are one vector."""

    beats: int
    beat_bits: int

    primitives = ("stream_collect",)

    @property
    def vector_bits(self) -> int:
        return self.beats * self.beat_bits

    def steps(self) -> Steps:
        return Steps(np.ones((1, self.beats), np.bool_), np.arange(self.beats) == self.beats - 1)

    def emit(self, inputs: Sequence[Channel], out: Channel, name: str) -> str:
        parameters = {"WIDTH": self.beat_bits, "BEATS": self.beats}
        ports = {"clk": "clk", "rst": "rst", **inputs[0].ports("in"), **out.ports("out")}
        return instance("stream_collect", name, parameters, ports)


@dataclass(frozen=True)
class Window:
    """The windows of a convolution or a pooling, row by row; pixels outside the image are `pad_pixel`.

    Attributes:
        size: (h, w) of the image.
        pixel_bits: of all channels of a pixel.
        window, stride: (rows, columns).
        pad: (top, bottom, left, right).
    """

    size: tuple[int, int]
    pixel_bits: int
    window: tuple[int, int]
    stride: tuple[int, int]
    pad: tuple[int, int, int, int]
    pad_pixel: int = 0

    primitives = ("line_window", "scan_axis", "line_memory", "increment")

    @property
    def vector_bits(self) -> int:
        return math.prod(self.window) * self.pixel_bits

    def steps(self) -> Steps:
        top, bottom, left, right = self.pad
        rows, row_makes = _scan(top, self.size[0], bottom, self.window[0], self.stride[0])
        columns, column_makes = _scan(left, self.size[1], right, self.window[1], self.stride[1])
        return Steps(np.outer(rows, columns).reshape(1, -1), np.outer(row_makes, column_makes).ravel())

    def emit(self, inputs: Sequence[Channel], out: Channel, name: str) -> str:
        numbers = (self.pixel_bits, *self.size, *self.window, *self.stride, *self.pad)
        keys = ("WIDTH", "H", "W", "KH", "KW", "SH", "SW", "TOP", "BOTTOM", "LEFT", "RIGHT")
        parameters = dict(zip(keys, numbers, strict=True)) | {"PAD_PIXEL": f"{self.pixel_bits}'h{self.pad_pixel:x}"}
        ports = {"clk": "clk", "rst": "rst", **inputs[0].ports("in"), **out.ports("out")}
        return instance("line_window", name, parameters, ports)


def _scan(before: int, inside: int, after: int, window: int, stride: int) -> tuple[Flags, Flags]:
    """For each position of a padded axis: whether it is part of the image, and whether a window ends there."""
    position = np.arange(before + inside + after)
    ends = (position >= window - 1) & ((position - (window - 1)) % stride == 0)
    return (position >= before) & (position < before + inside), ends


def front_of(node: Node, sources: Sequence[Node]) -> Front | None:
    """The front through which a node takes its inputs; None where the RTL has none."""
    make = FRONTS.get(node.op)
    return make(node, sources) if make else None


def beats(node: Node) -> int:
    """Beats of a node's value: one for each position of all axes but the last."""
    return math.prod(node.shape[:-1])


def beat_bits(node: Node) -> int:
    """Bits of a beat: all channels of a pixel, or a whole vector."""
    return node.shape[-1] * node.type.width


def direct(source: Node) -> Direct:
    """Every beat of a node's value as it comes."""
    return Direct(beats(source), beat_bits(source))


def _direct(node: Node, sources: Sequence[Node]) -> Front:
    return direct(sources[0])


def _window(node: Node, sources: Sequence[Node]) -> Front:
    size = node.params["weight"].shape[:2]
    return window_over(sources[0], (size[0], size[1]), node)


def window_over(source: Node, window: tuple[int, int], node: Node, pad_pixel: int = 0) -> Front:
    """The front of a convolution or a pooling `node` over `source`."""
    (h, w, _), stride, pad = image(source.shape), node.attrs["stride"], node.attrs["pad"]
    if window == (1, 1) and stride == (1, 1) and not any(pad):
        return direct(source)
    return Window(
        (h, w), beat_bits(source), window, (stride[0], stride[1]), (pad[0], pad[1], pad[2], pad[3]), pad_pixel
    )


def _join(node: Node, sources: Sequence[Node]) -> Front:
    return Join(len(sources), beats(sources[0]), sum(beat_bits(source) for source in sources))


def _reshape(node: Node, sources: Sequence[Node]) -> Front:
    (source,) = sources
    if beats(source) == beats(node):
        return direct(source)
    return Collect(beats(source), beat_bits(source))


FRONTS: Mapping[Op, Callable[[Node, Sequence[Node]], Front]] = {
    Op.DENSE: _direct,
    Op.CONV: _window,
    Op.QUANTIZE: _direct,
    Op.RELU: _direct,
    Op.LEAKY_RELU: _direct,
    Op.RESHAPE: _reshape,
} | dict.fromkeys(MERGES, _join)
"""Operation → how it takes its inputs."""
