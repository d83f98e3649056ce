"""How each node takes the values that it reads: one file for each kind of front, and the table that chooses.

In: a node and the nodes it reads. Out: its `Front`s, one behind the other; all but the last are units of their own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from hlsflow.ir import Node, Op
from hlsflow.ir.graph import MERGES, image
from hlsflow.rtl.cores import pool
from hlsflow.rtl.fronts.front import Front, Steps
from hlsflow.rtl.fronts.images import Reduce, Repeat, Window
from hlsflow.rtl.fronts.streams import Alternate, Collect, Direct, Join, Serialize
from hlsflow.rtl.fronts.tiles import Axis, Crop, Enlarge, RowMask, TileWindow
from hlsflow.rtl.tile import beat_bits, beat_lanes, beats, grid, is_filled, pixels, tile_of

Fronts = tuple[Front, ...]


def fronts_of(node: Node, sources: Sequence[Node]) -> Fronts:
    """The fronts through which a node of an operation in `FRONTS` takes its inputs."""
    return FRONTS[node.op](node, sources)


def direct(source: Node) -> Direct:
    """Every beat of a node's value as it comes."""
    return Direct(beats(source), beat_bits(source))


def runs_beats(node: Node) -> bool:
    """Whether a CONCAT puts whole beats of its inputs one after the other."""
    return node.op is Op.CONCAT and node.attrs["axis"][0] != len(node.shape) - 1


def window_over(source: Node, window: tuple[int, int], node: Node, pad_pixel: int = 0) -> Front:
    """The front of a convolution or a pooling `node` over `source`."""
    (h, w, _), stride, pad = image(source.shape), node.attrs.get("stride", (1, 1)), node.attrs.get("pad", (0, 0, 0, 0))
    if window == (1, 1) and stride == (1, 1) and not any(pad) and tile_of(source) == tile_of(node):
        return direct(source)
    if pixels(source) == pixels(node) == 1:
        return Window(
            (h, w), beat_bits(source), window, (stride[0], stride[1]), (pad[0], pad[1], pad[2], pad[3]), pad_pixel
        )
    tiles = zip((h, w), tile_of(source), tile_of(node), window, stride, pad[::2], image(node.shape), strict=False)
    rows, columns = (Axis(*numbers) for numbers in tiles)
    return TileWindow(rows, columns, source.shape[-1] * source.type.width, pad_pixel)


def _direct(node: Node, sources: Sequence[Node]) -> Fronts:
    return (direct(sources[0]),)


def _window(node: Node, sources: Sequence[Node]) -> Fronts:
    size = node.params["weight"].shape[:2]
    return (window_over(sources[0], (size[0], size[1]), node),)


def _pool(node: Node, sources: Sequence[Node]) -> Fronts:
    (source,), window = sources, node.attrs["window"]
    if pool.reduces(node, source):
        how = pool.reduction(node, source)
        lanes, mask = how.lanes * pixels(source), _mask(source, pool.pad_pixel(node, source))
        return (Reduce(beats(source), lanes, how.term, how.sum, how.maximum, mask),)
    return (window_over(source, (window[0], window[1]), node, pool.pad_pixel(node, source)),)


def _mask(source: Node, pixel: int) -> RowMask | None:
    """What hides the pixels beyond the image from a reduction."""
    if is_filled(source):
        return None
    _, across = grid(source)
    return RowMask(pixels(source), across, image(source.shape)[1], source.shape[-1] * source.type.width, pixel)


def _join(node: Node, sources: Sequence[Node]) -> Fronts:
    return (Join(len(sources), beats(sources[0]), sum(beat_bits(source) for source in sources)),)


def _concat(node: Node, sources: Sequence[Node]) -> Fronts:
    if not runs_beats(node):
        return _join(node, sources)
    axis = node.attrs["axis"][0]
    runs = tuple(math.prod(source.shape[axis:-1]) // pixels(source) for source in sources)
    return (Alternate(runs, math.prod(node.shape[:axis]), beat_bits(node)),)


def _zero_pad(node: Node, sources: Sequence[Node]) -> Fronts:
    return (window_over(sources[0], (1, 1), node),)


def _upsample(node: Node, sources: Sequence[Node]) -> Fronts:
    (source,), (down, across) = sources, node.attrs["factor"]
    if pixels(node) == 1:
        return (Repeat(grid(source), beat_bits(source), (down, across)),)
    tile, bits = tile_of(source), node.shape[-1] * node.type.width
    if tile_of(node)[0] == tile[0] * down:
        return (Enlarge(beats(node), tile, (down, across), bits),)
    enlarged = Enlarge(beats(node), tile, (1, across), bits)
    return (Repeat(grid(source), beat_bits(source), (down, 1)), enlarged) if down > 1 else (enlarged,)


def _reshape(node: Node, sources: Sequence[Node]) -> Fronts:
    """Beats to beats of another length by way of the least common multiple of both."""
    (source,) = sources
    if not (is_filled(source) and is_filled(node)):
        return _other_rows(node, source)
    if beat_lanes(source) == beat_lanes(node):
        return (direct(source),)
    return _regrouped(node, source, math.lcm(beat_lanes(source), beat_lanes(node)))


def _other_rows(node: Node, source: Node) -> Fronts:
    """The same image in tiles of another width, of which some are not filled: rows of other lengths."""
    (h, _, _), old, new = image(source.shape), pixels(source), pixels(node)
    part = math.gcd(old, new)
    length, wanted = grid(source)[1] * old // part, grid(node)[1] * new // part
    bits = part * node.shape[-1] * node.type.width
    fronts: list[Front] = [Serialize(old // part, bits, beats(source))] if old > part else []
    if length > wanted:
        fronts.append(Crop(h, length, wanted, bits))
    elif length < wanted:
        fronts.append(Window((h, length), bits, (1, 1), (1, 1), (0, 0, 0, wanted - length)))
    return (*fronts, *((Collect(new // part, bits, beats(node)),) if new > part else ()))


def _regrouped(node: Node, source: Node, length: int, order: tuple[int, ...] = ()) -> Fronts:
    """Vectors of `length` elements are collected, put in order and split."""
    rounds = node.size // length
    together, apart = length // beat_lanes(source), length // beat_lanes(node)
    collect = (Collect(together, beat_bits(source), rounds),) if together > 1 else ()
    serialize = (Serialize(apart, beat_bits(node), rounds, order, node.type.width),) if apart > 1 or order else ()
    return (*collect, *serialize)


def _permute(node: Node, sources: Sequence[Node]) -> Fronts:
    (source,) = sources
    places = np.arange(node.size).reshape(source.shape).transpose(node.attrs["axes"]).ravel()
    if np.array_equal(places, np.arange(node.size)):
        return _reshape(node, sources)
    return _regrouped(node, source, node.size, tuple(places.tolist()))


FRONTS: Mapping[Op, Callable[[Node, Sequence[Node]], Fronts]] = {
    Op.DENSE: _direct,
    Op.CONV: _window,
    Op.DEPTHWISE: _window,
    Op.SCALE: _direct,
    Op.QUANTIZE: _direct,
    Op.RELU: _direct,
    Op.LEAKY_RELU: _direct,
    Op.TABLE: _direct,
    Op.MAX_POOL: _pool,
    Op.AVG_POOL: _pool,
    Op.ZERO_PAD: _zero_pad,
    Op.UPSAMPLE: _upsample,
    Op.RESHAPE: _reshape,
    Op.PERMUTE: _permute,
    Op.CONCAT: _concat,
    Op.ARGMAX: _direct,
    Op.SOFTMAX: _direct,
    **dict.fromkeys(MERGES, _join),
}
"""Operation → how it takes its inputs."""

MOVES = (Op.ZERO_PAD, Op.UPSAMPLE, Op.RESHAPE, Op.PERMUTE)
"""Operations that are nothing but a front."""

__all__ = [
    "FRONTS", "MOVES", "Alternate", "Axis", "Collect", "Crop", "Direct", "Enlarge", "Front", "Join", "Reduce", "Repeat",
    "Serialize", "Steps", "TileWindow", "Window", "direct", "fronts_of", "runs_beats", "window_over",
]  # fmt: skip
