"""Fronts that walk over an image pixel by pixel: windows, repeated pixels, and reduction to one pixel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hlsflow.ir import Fixed
from hlsflow.rtl import lanes
from hlsflow.rtl.fronts.front import Flags, Steps, single
from hlsflow.rtl.fronts.tiles import RowMask
from hlsflow.rtl.lanes import Cast
from hlsflow.rtl.verilog import Channel, Stream


@dataclass(frozen=True)
class Window:
    """The windows of a convolution or a pooling, row by row; pixels outside the image are `pad_pixel`.

    A window of one pixel at stride 1 pads the image.

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

    primitives = ("line_window", "scan_axis", "line_memory", "step_counter", "increment")

    @property
    def vector_bits(self) -> int:
        return math.prod(self.window) * self.pixel_bits

    def steps(self) -> Steps:
        top, bottom, left, right = self.pad
        rows, row_makes = _scan(top, self.size[0], bottom, self.window[0], self.stride[0])
        columns, column_makes = _scan(left, self.size[1], right, self.window[1], self.stride[1])
        return Steps.taking(np.outer(rows, columns).ravel(), np.outer(row_makes, column_makes).ravel())

    def emit(self, inputs: Sequence[Channel], out: Channel, name: str) -> str:
        numbers = (self.pixel_bits, *self.size, *self.window, *self.stride, *self.pad)
        keys = ("WIDTH", "H", "W", "KH", "KW", "SH", "SW", "TOP", "BOTTOM", "LEFT", "RIGHT")
        parameters = dict(zip(keys, numbers, strict=True)) | {"PAD_PIXEL": f"{self.pixel_bits}'h{self.pad_pixel:x}"}
        return single("line_window", name, parameters, inputs[0], out)


def _scan(before: int, inside: int, after: int, window: int, stride: int) -> tuple[Flags, Flags]:
    """For each position of a padded axis: whether it is part of the image, and whether a window ends there."""
    position = np.arange(before + inside + after)
    ends = (position >= window - 1) & ((position - (window - 1)) % stride == 0)
    return (position >= before) & (position < before + inside), ends


@dataclass(frozen=True)
class Repeat:
    """Each pixel several times in its row, and each row several times: the nearest-neighbour enlargement.

    Attributes:
        size: (h, w) of the image.
        factor: (rows, columns).
    """

    size: tuple[int, int]
    vector_bits: int
    factor: tuple[int, int]

    primitives = ("pixel_repeat", "step_counter", "line_memory", "increment")

    def steps(self) -> Steps:
        (h, w), (rows, columns) = self.size, self.factor
        takes = np.zeros((h, rows, w, columns), np.bool_)
        takes[:, 0, :, 0] = True
        return Steps.taking(takes.ravel(), np.ones(takes.size, np.bool_))

    def emit(self, inputs: Sequence[Channel], out: Channel, name: str) -> str:
        parameters = {"WIDTH": self.vector_bits, "W": self.size[1], "FH": self.factor[0], "FW": self.factor[1]}
        return single("pixel_repeat", name, parameters, inputs[0], out)


@dataclass(frozen=True)
class Reduce:
    """The maximum or the sum of each channel over all pixels of an image.

    Attributes:
        beats: pixels, or tiles of them.
        channels: of a pixel, or of all pixels of a tile.
        term: what each value becomes first.
        result: type of the maximum or the sum; a sum is kept modulo 2**width.
        mask: for rows that tiles do not fill.
    """

    beats: int
    channels: int
    term: Cast
    result: Fixed
    maximum: bool
    mask: RowMask | None = None

    @property
    def primitives(self) -> tuple[str, ...]:
        return ("stream_reduce", "step_counter", "increment", *(("row_mask",) if self.mask else ()))

    @property
    def vector_bits(self) -> int:
        return self.channels * self.result.width

    def steps(self) -> Steps:
        position = np.arange(self.beats)
        return Steps.taking(position >= 0, position == self.beats - 1)

    def emit(self, inputs: Sequence[Channel], out: Channel, name: str) -> str:
        (source,) = inputs
        masked, data = self.mask.emit(source, f"{name}_mask") if self.mask else ("", source.data)
        stream = Stream(source.valid, "1'b1", data, self.channels, self.term.source)
        text, terms = ("", stream) if self.term.is_identity else lanes.emit(self.term, stream, f"{name}_terms")
        parameters = {
            "LANES": self.channels,
            "IN_WIDTH": terms.type.width,
            "SIGNED": int(terms.type.signed),
            "WIDTH": self.result.width,
            "BEATS": self.beats,
            "MAXIMUM": int(self.maximum),
        }
        taken = Channel(source.valid, source.ready, terms.data, terms.bits)
        return masked + text + single("stream_reduce", name, parameters, taken, out)
