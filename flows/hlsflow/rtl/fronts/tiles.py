"""Fronts that move several neighbouring pixels a step: windows over tiles, enlarged tiles, rows of other tiles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hlsflow.ir.integers import ceil_div
from hlsflow.rtl.fronts.front import Steps, single
from hlsflow.rtl.verilog import Channel, Value, instance


@dataclass(frozen=True)
class Axis:
    """One axis of the windows of a tile: down or across; lengths in pixels but where tiles are said.

    Attributes:
        length: of the image.
        tile, made: of a tile of the image, and of a tile of outputs.
        window, stride, before: of the operation; `before` is the padding in front.
        outputs: of the result.
    """

    length: int
    tile: int
    made: int
    window: int
    stride: int
    before: int
    outputs: int

    @property
    def tiles(self) -> int:
        return ceil_div(self.length, self.tile)

    @property
    def steps(self) -> int:
        """Tiles of outputs."""
        return ceil_div(self.outputs, self.made)

    @property
    def apart(self) -> int:
        """Tiles of the image from one tile of outputs to the next one."""
        return max(self.made * self.stride // self.tile, 1)

    @property
    def is_whole(self) -> bool:
        """Whether the whole axis is one tile, so that its padding is known in advance."""
        return self.tiles == self.steps == 1

    @property
    def behind(self) -> int:
        """Tiles that outputs read before the one at their place."""
        return 0 if self.is_whole else ceil_div(self.before, self.tile)

    @property
    def ahead(self) -> int:
        """Tiles that outputs read after the one at their place."""
        last = (self.made - 1) * self.stride + self.window - 1 - self.before
        return 0 if self.is_whole else max(last // self.tile, 0)

    @property
    def reads_after(self) -> bool:
        """Whether an output of the result reads padding behind the image."""
        return (self.outputs - 1) * self.stride + self.window - 1 - self.before >= self.length


@dataclass(frozen=True)
class TileWindow:
    """The windows of all outputs of a tile at once, one after the other; pixels outside the image are `pad_pixel`.

    Attributes:
        rows, columns: the geometry.
        pixel_bits: of all channels of a pixel.
    """

    rows: Axis
    columns: Axis
    pixel_bits: int
    pad_pixel: int = 0

    primitives = ("tile_window", "scan_axis", "line_memory", "step_counter", "increment")

    @property
    def vector_bits(self) -> int:
        return math.prod((axis.made * axis.window) for axis in (self.rows, self.columns)) * self.pixel_bits

    @property
    def high(self) -> int:
        """Rows of tiles that the windows of a step reach over."""
        return self.rows.behind + 1 + self.rows.ahead

    @property
    def walked(self) -> int:
        """Rows of tiles that are walked through, padding included."""
        inside = self.rows.behind + self.rows.tiles
        return max(inside, (self.rows.steps - 1) * self.rows.apart + self.high)

    @property
    def pitch(self) -> int:
        """Steps of a row: as many as it has tiles, or more where the result is wider."""
        across = self.columns
        return max(across.tiles, (across.steps - 1) * across.apart + 1, across.ahead + 1)

    @property
    def tail(self) -> int:
        """Steps after the last row of tiles."""
        across, last_row = self.columns, (self.rows.steps - 1) * self.rows.apart + self.high
        late = (across.steps - 1) * across.apart + across.ahead + 1 - self.pitch
        return max(late, 0) if last_row == self.walked else 0

    def steps(self) -> Steps:
        at = np.arange(self.walked * self.pitch + self.tail)
        (row, column), place = np.divmod(at, self.pitch), at - (self.high - 1) * self.pitch - self.columns.ahead
        inside = (row >= self.rows.behind) & (row < self.rows.behind + self.rows.tiles) & (row < self.walked)
        takes = inside & (column < self.columns.tiles)
        due = [
            (number % axis.apart == 0) & (number // axis.apart < axis.steps)
            for number, axis in zip(np.divmod(place, self.pitch), (self.rows, self.columns), strict=True)
        ]
        return Steps.taking(takes, (place >= 0) & due[0] & due[1])

    def emit(self, inputs: Sequence[Channel], out: Channel, name: str) -> str:
        down, across = self.rows, self.columns
        beyond = ((across.steps - 1) * across.apart + across.behind + 1 + across.ahead) * across.tile
        parameters: dict[str, Value] = {"WIDTH": self.pixel_bits}
        for letter, axis in (("H", down), ("W", across)):
            parameters |= {letter: axis.tiles, f"T{letter}": axis.tile, f"P{letter}": axis.made}
            parameters |= {f"K{letter}": axis.window, f"S{letter}": axis.stride}
            parameters |= {f"M{letter}": axis.apart, f"N{letter}": axis.steps}
        parameters |= {
            "TOP": down.before,
            "LEFT": across.before,
            "ABOVE": down.behind,
            "BEFORE": across.behind,
            "AHEAD": across.ahead,
            "VH": self.high,
            "ROWS": self.walked,
            "PITCH": self.pitch,
            "TAIL": self.tail,
            "INSIDE": across.length if across.reads_after else beyond,
            "PAD_PIXEL": f"{self.pixel_bits}'h{self.pad_pixel:x}",
        }
        return single("tile_window", name, parameters, inputs[0], out)


@dataclass(frozen=True)
class RowMask:
    """What replaces the pixels of the last tile of a row that lie beyond the image.

    Attributes:
        tile, tiles: pixels of a tile, and tiles of a row.
        length: pixels of a row.
        pixel_bits: of all channels of a pixel.
        pixel: what stands there instead.
    """

    tile: int
    tiles: int
    length: int
    pixel_bits: int
    pixel: int

    def emit(self, source: Channel, name: str) -> tuple[str, str]:
        """The instance, and the name of the data that come out."""
        parameters: dict[str, Value] = {"WIDTH": self.pixel_bits, "TILE": self.tile, "TILES": self.tiles}
        parameters |= {"KEEP": self.length - self.tile * (self.tiles - 1)}
        parameters |= {"PIXEL": f"{self.pixel_bits}'h{self.pixel:x}"}
        ports = {"clk": "clk", "rst": "rst", "step": f"{source.valid} & {source.ready}"}
        data = f"{name}_data"
        ports |= {"in": source.data, "out": data}
        return f"    wire [{source.bits - 1}:0] {data};\n" + instance("row_mask", name, parameters, ports), data


@dataclass(frozen=True)
class Enlarge:
    """Each pixel of a tile several times, beside itself and below; wires only.

    Attributes:
        beats: of a frame.
        tile: (rows, columns).
        factor: (rows, columns).
        pixel_bits: of all channels of a pixel.
    """

    beats: int
    tile: tuple[int, int]
    factor: tuple[int, int]
    pixel_bits: int

    primitives = ("tile_repeat",)

    @property
    def vector_bits(self) -> int:
        return math.prod((*self.tile, *self.factor)) * self.pixel_bits

    def steps(self) -> Steps:
        return Steps.taking(np.ones(self.beats, np.bool_), np.ones(self.beats, np.bool_))

    def emit(self, inputs: Sequence[Channel], out: Channel, name: str) -> str:
        (source,), numbers = inputs, (self.pixel_bits, *self.tile, *self.factor)
        parameters: dict[str, Value] = dict(zip(("WIDTH", "TH", "TW", "FH", "FW"), numbers, strict=True))
        wires = f"    assign {out.valid} = {source.valid};\n    assign {source.ready} = {out.ready};\n"
        return wires + instance("tile_repeat", name, parameters, {"in": source.data, "out": out.data})


@dataclass(frozen=True)
class Crop:
    """The first beats of each row; the others are taken and dropped.

    Attributes:
        rows: of a frame.
        length, wanted: beats of a row that come, and that go on.
    """

    rows: int
    length: int
    wanted: int
    vector_bits: int

    primitives = ("row_crop", "scan_axis", "step_counter", "increment")

    def steps(self) -> Steps:
        place = np.arange(self.rows * self.length) % self.length
        return Steps.taking(place >= 0, place < self.wanted)

    def emit(self, inputs: Sequence[Channel], out: Channel, name: str) -> str:
        parameters: dict[str, Value] = {"WIDTH": self.vector_bits, "LENGTH": self.length, "WANTED": self.wanted}
        return single("row_crop", name, parameters, inputs[0], out)
