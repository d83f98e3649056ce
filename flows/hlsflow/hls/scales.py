"""Grids for the scale and the bias of each channel of a batch normalization, wide enough for every channel.

In: the real constants, the values that come in, and the quantizers that read the result. Out: constants on one grid for
all scales and one for all biases, as hls4ml's types have it. They have `BITS` bits where that is enough. Where
quantizers read the result, it is enough when these give, for every value that can come in, what they give with the real
constants: so a channel with a far larger scale takes nothing from the others. Elsewhere the error of a channel stays
small beside what the channels usually give.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from hlsflow.hls.exact import Span
from hlsflow.ir.fixed import Array, Fixed, Overflow

BITS = 18
"""Width of a scale or bias where that is enough: the narrow port of the multipliers of ECP5 and Xilinx FPGAs."""

PRODUCT_BITS = 52
"""Products with scales are no wider, so that float64 holds what the frozen network computes (binary64 has 53 bits)."""

STEPS_KNOWN = 12
"""Quantizers of more bits than this have too many steps to look at each of them."""

SMALL = 2.0**-10
"""Error of a result, beside a step of a wide quantizer that reads it, or beside what the channels usually give."""


@dataclass(frozen=True, eq=False)
class Scales:
    """Constants on their grids.

    Attributes:
        scale, bias: real values, one for each channel.
        kinds: their types.
        same: whether all that reads the result gets the same values as with the real constants.
    """

    scale: Array
    bias: Array
    kinds: tuple[Fixed, Fixed]
    same: bool


def settled(scale: Array, bias: Array, usual: float, source: Span, after: Sequence[Fixed]) -> Scales:
    """Choose the grids.

    Args:
        scale, bias: (channels,), real.
        usual: what a channel usually gives, real.
        source: the values that come in.
        after: types of the quantizers that alone read the result; empty where others do.
    """
    candidate = None
    for candidate in _candidates(scale, bias, source):
        same = _same(scale, bias, candidate, source, after)
        if same or (not _all_known(after) and _error(scale, bias, candidate, source) <= SMALL * _unit(usual, after)):
            return Scales(candidate.scale, candidate.bias, candidate.kinds, same)
    assert candidate is not None
    return candidate


def _candidates(scale: Array, bias: Array, source: Span) -> Iterator[Scales]:
    """The usual grids, then finer and finer ones."""
    usual = _usual(scale), _usual(bias)
    yield _on(scale, bias, *(kind.frac for kind in usual))
    wide = max(abs(source.low), abs(source.high)).bit_length() + 1
    for frac in range(usual[0].frac + 1, usual[0].frac + 1 + max(0, PRODUCT_BITS - wide - usual[0].width)):
        yield _on(scale, bias, frac, max(usual[1].frac, frac + source.frac))


def _usual(values: Array) -> Fixed:
    exact = Fixed.narrowest(values, BITS)
    if exact is not None:
        return exact
    return Fixed(BITS, int(np.frexp(np.abs(values).max())[1]) + 1)


def _on(scale: Array, bias: Array, scale_frac: int, bias_frac: int) -> Scales:
    values = [np.rint(array * 2.0**frac) * 2.0**-frac for array, frac in ((scale, scale_frac), (bias, bias_frac))]
    return Scales(values[0], values[1], (_kind(values[0], scale_frac), _kind(values[1], bias_frac)), False)


def _kind(values: Array, frac: int) -> Fixed:
    """The narrowest type with so many fractional bits, or `BITS` wide where it would be narrower."""
    exact = Fixed.narrowest(values, BITS)
    if exact is not None:
        return exact
    codes = np.rint(values * 2.0**frac)
    return Fixed.spanning(int(codes.min()), int(codes.max()), frac, signed=True)


def _error(scale: Array, bias: Array, candidate: Scales, source: Span) -> float:
    """Largest error of a result."""
    return float((np.abs(candidate.scale - scale) * source.largest + np.abs(candidate.bias - bias)).max())


def _all_known(after: Sequence[Fixed]) -> bool:
    """Whether every step of what reads the result can be looked at."""
    return bool(after) and all(kind.width <= STEPS_KNOWN and kind.overflow is not Overflow.WRAP for kind in after)


def _unit(usual: float, after: Sequence[Fixed]) -> float:
    return min((2.0**-kind.frac for kind in after), default=usual)


def _same(scale: Array, bias: Array, candidate: Scales, source: Span, after: Sequence[Fixed]) -> bool:
    """Whether quantizers give the same with both, for every value that can come in.

    All functions of one channel rise, or all fall. So two of them are the same when they are on both sides of each step
    of one of them, and at both ends.
    """
    if np.array_equal(candidate.scale, scale) and np.array_equal(candidate.bias, bias):
        return True
    if not _all_known(after) or source.divisor != 1:
        return False
    return all(_same_steps(scale, bias, candidate, source, kind) for kind in after)


def _same_steps(scale: Array, bias: Array, candidate: Scales, source: Span, kind: Fixed) -> bool:
    codes = _at_steps(scale, bias, source, kind)
    x = codes * 2.0**-source.frac
    return bool(np.array_equal(kind.quantize(x * scale + bias), kind.quantize(x * candidate.scale + candidate.bias)))


def _at_steps(scale: Array, bias: Array, source: Span, kind: Fixed) -> Array:
    """(values, channels): the values around which a quantizer steps, in steps of `source`, and both ends."""
    levels = np.arange(2 * kind.min - 2, 2 * kind.max + 3)[:, None] * 2.0 ** -(kind.frac + 1)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        exact = np.floor((levels - bias) / scale * 2.0**source.frac)
    near = np.concatenate([exact + step for step in (-1, 0, 1, 2)])
    inside = np.clip(np.nan_to_num(near, nan=source.low), source.low, source.high)
    ends = np.full((1, len(scale)), source.low), np.full((1, len(scale)), source.high)
    return np.concatenate([inside, *ends]).astype(np.float64)
