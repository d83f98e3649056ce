"""Any function of one value as a table of all its input codes, with a cast before it that keeps the table small.

In: a function on real arrays and the exact type of its input. Out: `Table`. A quantized activation is constant over
wide stretches: below and above a range, and between the steps of its result. A cast that rounds and saturates first
then gives the same values with far fewer entries; whether it does is checked on every code of the input.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from hlsflow.ir.fixed import Array, Fixed, Overflow, Rounding

Function = Callable[[Array], Array]

MAX_INPUT_BITS = 22
"""Widest input whose codes are all tried: four million values take about a second."""

MAX_TABLE_BITS = 16
"""Widest index of a table: 65,536 entries are dozens of block RAMs for each value, unless it has few steps."""

MAX_RESULT_BITS = 18
"""Widest result: what is wider is no quantized value but an arbitrary float32 (24 bits of significand, IEEE 754)."""

DUST = 2.0**-10
"""Largest distance from the grid, in steps, that is a float32 rounding error of QKeras' straight-through sums."""

KEPT_BITS = 4
"""A table with an index of so few bits is not worth a cast before it."""

ROUNDINGS = (Rounding.TRN, Rounding.RND_CONV, Rounding.RND)
"""Roundings tried for the cast: truncation is free in hardware, half to even is what QKeras' quantizers do."""


class NoTable(Exception):
    """The function cannot be tabulated; the message says why, and can be put after the name of a layer."""


@dataclass(frozen=True, eq=False)
class Table:
    """A function of one value.

    Attributes:
        source: type of the input.
        cast: type the input is brought to first, or None where it is used as it is.
        kind: type of the result.
        values: result codes, (2**width of the index,), for its codes from the least to the greatest.
        dusty: whether the function itself gives values that miss the grid by float32 rounding errors.
    """

    source: Fixed
    cast: Fixed | None
    kind: Fixed
    values: Array
    dusty: bool

    @property
    def index(self) -> Fixed:
        """The type whose codes the entries are for."""
        return self.cast or self.source

    def __call__(self, real: Array) -> Array:
        """Look up real values, all of them on the grid of the input."""
        codes = self.index.cast(self.source.quantize(real), self.source.frac)
        least = -(1 << (self.index.width - 1)) if self.index.signed else 0
        return self.kind.real(self.values[codes - least])


def tabulate(function: Function, source: Fixed, kind: Fixed | None = None) -> Table:
    """The table of a function.

    Args:
        function: real values (n,) to real values (n,), each from its own input alone.
        source: type of the input.
        kind: type of the result, which rounds and saturates as it says; by default the narrowest that holds all values.
    Raises:
        NoTable: the input is too wide, or the results lie on no grid.
    """
    if source.width > MAX_INPUT_BITS:
        raise NoTable(f"its input {source} has more than {MAX_INPUT_BITS} bits, too many to try all values")
    every = _codes(source)
    values = np.asarray(function(source.real(every)), np.float64)
    if not np.isfinite(values).all():
        raise NoTable("it gives values that are NaN or infinite")
    exact, dusty = (values, False) if kind else _settled(values)
    kind = kind or _type_of(exact)
    codes = kind.quantize(exact)
    index = narrowest_index(codes, source)
    if index.width > MAX_TABLE_BITS:
        raise NoTable(f"it needs a table of {1 << index.width} entries for its input {source}")
    if index == source:
        return Table(source, None, kind, codes, dusty)
    return Table(source, index, kind, _entries(codes, source, index), dusty)


def _codes(kind: Fixed) -> Array:
    """Every bit pattern of a type as an integer, from the least; a type that saturates symmetrically has one more."""
    low = -(1 << (kind.width - 1)) if kind.signed else 0
    return np.arange(low, kind.max + 1)


def _settled(values: Array) -> tuple[Array, bool]:
    """The values on their grid, and whether they had to be moved there."""
    if Fixed.narrowest(values, MAX_RESULT_BITS) is not None:
        return values, False
    for frac in range(MAX_RESULT_BITS):
        steps = values * 2.0**frac
        if np.abs(steps - np.rint(steps)).max() <= DUST:
            return np.rint(steps) * 2.0**-frac, True
    raise NoTable("its values lie on no fixed-point grid")


def _type_of(values: Array) -> Fixed:
    kind = Fixed.narrowest(values, MAX_RESULT_BITS, signed=bool((values < 0).any()))
    if kind is None:
        raise NoTable(f"its values need more than {MAX_RESULT_BITS} bits")
    return kind


def narrowest_index(codes: Array, source: Fixed) -> Fixed:
    """The narrowest type that the input may be cast to without changing any result.

    Args:
        codes: results for every code of the input, from the least.
        source: type of the input.
    Returns:
        the input's own type where nothing narrower does, or where that is not worth a cast.
    """
    if source.width <= KEPT_BITS:
        return source
    before = _codes(source)[:-1][codes[1:] != codes[:-1]]
    narrower = min(_candidates(before, source), key=lambda kind: kind.width)
    return narrower if narrower.width < source.width else source


def _candidates(before: Array, source: Fixed) -> Iterator[Fixed]:
    """For each rounding, the type with the coarsest grid that keeps the results apart, as few integer bits as it can.

    Args:
        before: the codes after which the result changes, rising.
        source: type of the input.
    """
    for rounding in ROUNDINGS:
        for frac in range(min(0, source.frac), source.frac + 1):
            wide = Fixed(source.width + 2, source.width + 2 - frac, rounding=rounding)
            low, high = wide.cast(before, source.frac), wide.cast(before + 1, source.frac)
            if (low < high).all():
                yield _saturating(int(low[:1].sum()), int(high[-1:].sum()), frac, rounding)
                break


def _saturating(low: int, high: int, frac: int, rounding: Rounding) -> Fixed:
    """The narrowest type on the grid of `frac` that has the steps `low` to `high`."""
    return replace(Fixed.spanning(low, high, frac), rounding=rounding, overflow=Overflow.SAT)


def _entries(codes: Array, source: Fixed, index: Fixed) -> Array:
    """Results for every code of the index; codes that no input leads to get the result of the nearest one."""
    every = _codes(source)
    same_value = np.clip(_codes(index) << (source.frac - index.frac), every[0], every[-1])
    entries: Array = codes[same_value - every[0]]
    return entries
