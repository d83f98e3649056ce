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

Fronts = tuple[Front, ...]


def fronts_of(node: Node, sources: Sequence[Node]) -> Fronts:
    """The fronts through which a node of an operation in `FRONTS` takes its inputs."""
    return FRONTS[node.op](node, sources)


def beats(node: Node) -> int:
    """Beats of a node's value: one for each position of all axes but the last."""
    return math.prod(node.shape[:-1])


def beat_bits(node: Node) -> int:
    """Bits of a beat: all channels of a pixel, or a whole vector."""
    return node.shape[-1] * node.type.width


def direct(source: Node) -> Direct:
    """Every beat of a node's value as it comes."""
    return Direct(beats(source), beat_bits(source))


def runs_beats(node: Node) -> bool:
    """Whether a CONCAT puts whole beats of its inputs one after the other."""
    return node.op is Op.CONCAT and node.attrs["axis"][0] != len(node.shape) - 1


def window_over(source: Node, window: tuple[int, int], node: Node, pad_pixel: int = 0) -> Front:
    """The front of a convolution or a pooling `node` over `source`."""
    (h, w, _), stride, pad = image(source.shape), node.attrs["stride"], node.attrs["pad"]
    if window == (1, 1) and stride == (1, 1) and not any(pad):
        return direct(source)
    return Window(
        (h, w), beat_bits(source), window, (stride[0], stride[1]), (pad[0], pad[1], pad[2], pad[3]), pad_pixel
    )


def _direct(node: Node, sources: Sequence[Node]) -> Fronts:
    return (direct(sources[0]),)


def _window(node: Node, sources: Sequence[Node]) -> Fronts:
    size = node.params["weight"].shape[:2]
    return (window_over(sources[0], (size[0], size[1]), node),)


def _pool(node: Node, sources: Sequence[Node]) -> Fronts:
    (source,), window = sources, node.attrs["window"]
    if pool.reduces(node, source):
        how = pool.reduction(node, source)
        return (Reduce(beats(source), how.lanes, how.term, how.sum, how.maximum),)
    return (window_over(source, (window[0], window[1]), node, pool.pad_pixel(node, source)),)


def _join(node: Node, sources: Sequence[Node]) -> Fronts:
    return (Join(len(sources), beats(sources[0]), sum(beat_bits(source) for source in sources)),)


def _concat(node: Node, sources: Sequence[Node]) -> Fronts:
    if not runs_beats(node):
        return _join(node, sources)
    axis = node.attrs["axis"][0]
    runs = tuple(math.prod(source.shape[axis:-1]) for source in sources)
    return (Alternate(runs, math.prod(node.shape[:axis]), beat_bits(node)),)


def _zero_pad(node: Node, sources: Sequence[Node]) -> Fronts:
    (h, w, _), pad = image(sources[0].shape), node.attrs["pad"]
    return (Window((h, w), beat_bits(node), (1, 1), (1, 1), (pad[0], pad[1], pad[2], pad[3])),)


def _upsample(node: Node, sources: Sequence[Node]) -> Fronts:
    (h, w, _), factor = image(sources[0].shape), node.attrs["factor"]
    return (Repeat((h, w), beat_bits(node), (factor[0], factor[1])),)


def _reshape(node: Node, sources: Sequence[Node]) -> Fronts:
    """Beats to beats of another length by way of the least common multiple of both."""
    (source,) = sources
    if source.shape[-1] == node.shape[-1]:
        return (direct(source),)
    return _regrouped(node, source, math.lcm(source.shape[-1], node.shape[-1]))


def _regrouped(node: Node, source: Node, length: int, order: tuple[int, ...] = ()) -> Fronts:
    """Vectors of `length` elements are collected, put in order and split."""
    rounds = node.size // length
    together, apart = length // source.shape[-1], length // node.shape[-1]
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
    "FRONTS", "MOVES", "Alternate", "Collect", "Direct", "Front", "Join", "Reduce", "Repeat", "Serialize", "Steps",
    "Window", "beat_bits", "beats", "direct", "fronts_of", "runs_beats", "window_over",
]  # fmt: skip
