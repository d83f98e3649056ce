"""The cheapest array arithmetic that is still exact, and casts in it.

In: bounds on the integers that an operation meets. Out: a numpy number type, and functions on arrays of it.

float32 holds every integer up to 2**24, float64 up to 2**53; sums and products of such integers, and shifts of them by
powers of two, are exact, and matrix products of them run in BLAS. Whatever is larger is int64.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from hlsflow.ir.fixed import Array, Fixed, Overflow, Rounding

Number = type[Any]
"""numpy's float32, float64 or int64."""

Step = Callable[..., Array]
"""Values of a node's inputs, each (*shape, rows), to the node's value."""

Cast = Callable[[Array], Array]
"""One array to another of the same shape."""

FAR = 64
"""Bits dropped after which every value is so far below half a step that more bits change nothing."""


def number_type(bound: int) -> Number:
    """The cheapest type that holds every integer up to `bound` exactly."""
    if bound < 1 << 24:
        return np.float32
    return np.float64 if bound < 1 << 53 else np.int64


def largest(kind: Fixed) -> int:
    """The largest magnitude of a type."""
    return max(-kind.min, kind.max)


def shifted(values: Array, number: Number, left: int) -> Array:
    """values * 2**left for left >= 0, in `number`."""
    exact = values.astype(number, copy=False)
    if not left:
        return exact
    return exact << left if number is np.int64 else exact * number(2.0**left)


def caster(kind: Fixed, frac: int, bound: int, relu: bool = False) -> Cast:
    """A function that does `kind.cast(max(x, 0) if relu else x, frac)` for |x| <= bound.

    It may give back the very array that it got, where nothing has to change.
    """
    drop = frac - kind.frac
    fits = _fits(kind, drop, bound, relu)
    if drop == 0 and not relu and fits:
        return lambda x: x
    turn = 0 if fits or kind.overflow is not Overflow.WRAP else 1 << kind.width
    number = number_type(2 * ((max(bound, 1) << min(max(-drop, 0), FAR)) + turn))  # twice, since halves are added
    if number is np.int64:
        return lambda x: kind.cast(np.maximum(x, 0) if relu else x, frac)
    rounding = _FLOAT_ROUNDING[kind.rounding] if drop > 0 else _same
    limit = _OVERFLOW[Overflow.SAT if fits else kind.overflow](kind, relu) if relu or not fits else _same
    scale = number(2.0 ** -min(drop, FAR))
    return lambda x: limit(rounding(x.astype(number, copy=False) * scale))


def _same(y: Array) -> Array:
    return y


def _clip(kind: Fixed, relu: bool) -> Cast:
    low, high = max(kind.min, 0) if relu else kind.min, kind.max
    return lambda y: np.clip(y, low, high, out=y)


def _zero_outside(kind: Fixed, relu: bool) -> Cast:
    low, high = max(kind.min, 0) if relu else kind.min, kind.max
    return lambda y: np.where((y < low) | (y > high), y.dtype.type(0), y)


def _wrap(kind: Fixed, relu: bool) -> Cast:
    turn = 2.0**kind.width

    def run(y: Array) -> Array:
        y = np.maximum(y, 0, out=y) if relu else y
        y -= np.floor((y - y.dtype.type(kind.min)) * y.dtype.type(1 / turn)) * y.dtype.type(turn)
        return y

    return run


_OVERFLOW: Mapping[Overflow, Callable[[Fixed, bool], Cast]] = {
    Overflow.WRAP: _wrap,
    Overflow.SAT: _clip,
    Overflow.SAT_ZERO: _zero_outside,
    Overflow.SAT_SYM: _clip,
}
"""Functions that bring rounded floats into a type; they may overwrite what they get."""

_FLOAT_ROUNDING: Mapping[Rounding, Cast] = {
    Rounding.TRN: lambda y: np.floor(y, out=y),
    Rounding.TRN_ZERO: lambda y: np.trunc(y, out=y),
    Rounding.RND: lambda y: np.floor(y + y.dtype.type(0.5)),
    Rounding.RND_ZERO: lambda y: np.copysign(np.ceil(np.abs(y) - y.dtype.type(0.5)), y),
    Rounding.RND_INF: lambda y: np.copysign(np.floor(np.abs(y) + y.dtype.type(0.5)), y),
    Rounding.RND_MIN_INF: lambda y: np.ceil(y - y.dtype.type(0.5)),
    Rounding.RND_CONV: lambda y: np.rint(y, out=y),
}


def _fits(kind: Fixed, drop: int, bound: int, relu: bool) -> bool:
    """Whether no value of magnitude up to `bound` can leave the type, so that overflow never happens."""
    top = (bound >> drop) + 1 if drop > 0 else bound << -drop
    return top <= kind.max and (relu or -top >= kind.min)
