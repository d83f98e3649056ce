"""Poolings: the largest value or the average of a window, channel by channel.

In: a node and the one it reads. Out: a core; and, for the front, what it puts outside the image, or how it reduces a
whole image to one value a channel, so that a global pooling needs no window of that size.

An average divides a sum by the number of cells. With S the sum as an integer, and S * 2**lift the same on the
accumulator's grid, the quotient trunc(S * 2**lift / n) is trunc(S * factor / 2**shift), factor the next whole number
above 2**(shift + lift) / n: a product and a shift (Granlund and Montgomery, "Division by invariant integers using
multiplication", PLDI 1994). `shift_for` finds the smallest shift that is right for all sums.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np

from hlsflow.core.errors import UnsupportedLayer
from hlsflow.ir import Fixed, Node, Op
from hlsflow.ir.graph import image
from hlsflow.ir.integers import ceil_div, tree_levels
from hlsflow.rtl.cores.parallel import Parallel
from hlsflow.rtl.cores.sums import sum_type
from hlsflow.rtl.knobs import Pipeline
from hlsflow.rtl.lanes import Cast
from hlsflow.rtl.tile import Tile, beats, pixels, tile_of
from hlsflow.rtl.verilog import Value, constant


@dataclass(frozen=True)
class Reduction:
    """How an image becomes one value for each channel.

    Attributes:
        lanes: channels.
        term: what every value goes through first; the identity unless an accumulator is coarser than the input.
        sum: type of the results; sums are modulo 2**width.
        maximum: whether they are the largest values, not sums.
    """

    lanes: int
    term: Cast
    sum: Fixed
    maximum: bool


def reduces(node: Node, source: Node) -> bool:
    """Whether a pooling covers the whole image at once, so that its front hands over a `Reduction`.

    Of tiles of several pixels the front reduces each pixel of a tile on its own; the core reduces the rest.
    """
    size = image(source.shape)[:2]
    return node.attrs["window"] == size and not any(node.attrs["pad"]) and beats(source) > 1


def reduction(node: Node, source: Node) -> Reduction:
    """The reduction of a pooling for which `reduces` holds."""
    maximum = node.op is Op.MAX_POOL
    term = Cast(node.name, source.type, source.type if maximum else _term(node, source.type))
    return Reduction(source.shape[-1], term, source.type if maximum else _total(node, source.type), maximum)


def pad_pixel(node: Node, source: Node) -> int:
    """What stands outside the image, all channels side by side: the least value for a maximum, zeros for a sum."""
    least = source.type.min if node.op is Op.MAX_POOL else 0
    pattern, width = least & ((1 << source.type.width) - 1), source.type.width
    return sum(pattern << (width * channel) for channel in range(source.shape[-1]))


def max_pool_core(node: Node, sources: Sequence[Node], pipeline: Pipeline) -> Parallel:
    """Latency: ceil(ceil(log2 cells) / levels_per_stage).

    Where the front has reduced the image, only the pixels of a tile are left as cells.
    """
    (source,) = sources
    taps = _taps(node, source)
    parameters: dict[str, Value] = {
        "LANES": source.shape[-1],
        "TAPS": taps,
        "WIDTH": source.type.width,
        "SIGNED": int(source.type.signed),
        "LEVELS_PER_STAGE": pipeline.levels_per_stage,
    }
    latency = ceil_div(tree_levels(taps), pipeline.levels_per_stage)
    primitives = ("max_tree", "delay_line")
    return Parallel(node.name, "max_tree", primitives, source.shape[-1], source.type, latency, parameters)


def avg_pool_cores(node: Node, sources: Sequence[Node], pipeline: Pipeline) -> list[Parallel]:
    """The core of each pixel of a beat. Latency: as `average_pool.v` says.

    Raises:
        UnsupportedLayer: an accumulator so narrow and so fine that it keeps no bit of its input.
    """
    (source,) = sources
    division = _division(node, source)
    return [
        _average(node, source, division, factors, pipeline)
        for factors in of_each_pixel(division.factors, image(node.shape)[:2], tile_of(node))
    ]


def of_each_pixel(values: tuple[int, ...], size: tuple[int, int], tile: Tile) -> list[tuple[int, ...]]:
    """For each pixel of a tile its values of all tiles; `values` are of all pixels of an image, or one for all.

    Beyond the image any value does.
    """
    (h, w), (rows, columns) = size, tile
    if len(values) == 1:
        return [values] * (rows * columns)
    filled = np.full((ceil_div(h, rows) * rows, ceil_div(w, columns) * columns), values[0], object)
    filled[:h, :w] = np.array(values, object).reshape(h, w)
    return [tuple(filled[r::rows, c::columns].ravel().tolist()) for r in range(rows) for c in range(columns)]


def _average(node: Node, source: Node, division: _Division, factors: tuple[int, ...], pipeline: Pipeline) -> Parallel:
    channels = node.shape[-1]
    tree = ceil_div(tree_levels(_taps(node, source)) + 1, pipeline.levels_per_stage) - 1
    parameters: dict[str, Value] = {
        "LANES": channels,
        **_summing(node, source),
        "TREE_LATENCY": tree,
        "LEVELS_PER_STAGE": pipeline.levels_per_stage,
        "POSITIONS": len(factors),
        "FACTOR_WIDTH": division.bits,
        "FACTORS": constant([[factor] for factor in factors], division.bits),
        "SHIFT": division.shift,
        "OUT_WIDTH": division.result.width,
    }
    primitives = ("average_pool", "adder_tree", "delay_line", "fixed_cast", "increment", "multiply_dsp", "weight_rom")
    latency = int(parameters["DROP"] != 0) + tree + 3
    return Parallel(node.name, "average_pool", primitives, channels, division.result, latency, parameters)


def _summing(node: Node, source: Node) -> dict[str, Value]:
    """What `average_pool.v` has to know of values, terms and sums; where the front has summed, all three are one."""
    total = _total(node, source.type)
    summed = reduces(node, source)
    kind, term = (total, total) if summed else (source.type, _term(node, source.type))
    return {
        "TAPS": _taps(node, source),
        "X_WIDTH": kind.width,
        "X_SIGNED": int(kind.signed),
        "DROP": kind.frac - term.frac,
        "ROUNDING": f'"{node.types["accum"].rounding}"',
        "TERM_WIDTH": term.width,
        "TERM_SIGNED": int(term.signed),
        "SUM_WIDTH": total.width,
        "SUM_SIGNED": int(total.signed),
    }


def _taps(node: Node, source: Node) -> int:
    rows, columns = node.attrs["window"]
    return pixels(source) if reduces(node, source) else rows * columns


def _term(node: Node, source: Fixed) -> Fixed:
    """A value as the average adds it: as it is, or cast to a coarser accumulator."""
    accum = node.types["accum"]
    return source if accum.frac >= source.frac else accum


def _total(node: Node, source: Fixed) -> Fixed:
    """The sum of a window, on the grid of its terms."""
    accum, term = node.types["accum"], _term(node, source)
    if accum.width <= accum.frac - term.frac:
        message = f"accumulator {accum} of layer '{node.name}' keeps no bit of its input {source}"
        raise UnsupportedLayer(message, "give it more integer bits")
    cells = node.attrs["window"][0] * node.attrs["window"][1]
    return sum_type(accum, term.frac, term.min * cells, term.max * cells)


@dataclass(frozen=True)
class _Division:
    """trunc(sum * factor / 2**shift), one factor, or one for each result pixel."""

    factors: tuple[int, ...]
    shift: int
    result: Fixed

    @property
    def bits(self) -> int:
        return max(factor.bit_length() for factor in self.factors)


def _division(node: Node, source: Node) -> _Division:
    accum, total = node.types["accum"], _total(node, source.type)
    lift, most = accum.frac - total.frac, max(-total.min, total.max)
    counts = _counts(node, source)
    shift = max(shift_for(n, lift, most) for n in set(counts))
    factors = tuple(factor_for(n, lift, shift) for n in counts)
    least = min(counts)
    low, high = (-((-total.min << lift) // least), (total.max << lift) // least)
    exact = Fixed.spanning(low, high, accum.frac)
    return _Division(factors, shift, exact)


def _counts(node: Node, source: Node) -> list[int]:
    """Cells that divide: one number for all result pixels, or one for each."""
    window, stride, pad, size = node.attrs["window"], node.attrs["stride"], node.attrs["pad"], image(source.shape)
    if node.attrs["count_pad"] == (1,) or not any(pad):
        return [window[0] * window[1]]
    rows = _inside(pad[0], size[0], pad[1], window[0], stride[0])
    columns = _inside(pad[2], size[1], pad[3], window[1], stride[1])
    return [row * column for row in rows for column in columns]


def _inside(before: int, size: int, after: int, window: int, stride: int) -> list[int]:
    """Cells of the image in each window along one axis."""
    covered = np.pad(np.ones(size, np.int64), (before, after))
    return [int(covered[start : start + window].sum()) for start in range(0, len(covered) - window + 1, stride)]


def factor_for(n: int, lift: int, shift: int) -> int:
    """What a sum is multiplied with, to be divided by n / 2**lift after a shift."""
    return ceil_div(1 << (shift + lift), n)


def shift_for(n: int, lift: int, most: int) -> int:
    """The smallest shift from which on the quotients of all sums of magnitude up to `most` are exact.

    Let e = factor * n - 2**(shift + lift) >= 0 and r = S * 2**lift mod n. Then S * factor / 2**shift exceeds the
    quotient by r / n + S * e / (n * 2**shift), and truncates to it if that is below 1. For one r the largest S decides,
    and r repeats after n sums.
    """
    last = [(total, (total << lift) % n) for total in range(max(most - n + 1, 0), most + 1)]
    return next(shift for shift in count() if _is_exact(n, lift, shift, last))


def _is_exact(n: int, lift: int, shift: int, last: Sequence[tuple[int, int]]) -> bool:
    error = factor_for(n, lift, shift) * n - (1 << (shift + lift))
    return all(total * error < (n - rest) << shift for total, rest in last)
