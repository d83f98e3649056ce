"""A function of one value, given as a table, in the cheapest of two exact forms.

In: a table over all codes of a type, lowest first. Out: a `Short` form, or a `Stepped` one.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, repeat, takewhile

import numpy as np

from hlsflow.ir import Fixed
from hlsflow.ir.fixed import Array
from hlsflow.ir.integers import ceil_div, tree_levels

LUT_ENTRIES = 64
"""Entries of one bit that a LUT of six inputs holds."""


@dataclass(frozen=True, eq=False)
class Short:
    """Drop low bits that never matter, clamp where both ends are constant, look the rest up.

    Attributes:
        drop: bits to drop.
        entries: by the bit pattern of what is left, a code of the input's sign.
        signed: of the input.
    """

    drop: int
    entries: Array
    signed: bool

    @property
    def bits(self) -> int:
        """Bits of what is left."""
        return tree_levels(len(self.entries))

    def cost(self, width: int) -> int:
        """LUTs, roughly, for results of `width` bits."""
        return self.bits + _lookup_cost(len(self.entries), width)


@dataclass(frozen=True, eq=False)
class Stepped:
    """Search the input among the places where the function changes, look the number of those passed up.

    Attributes:
        tree: where, as distances from the lowest code, as a search tree of `levels` levels: node n at place n - 1, the
            halves below and above it are nodes 2n and 2n + 1.
        entries: by the number of places passed.
        width: of the input.
    """

    tree: Array
    entries: Array
    width: int

    @property
    def levels(self) -> int:
        return len(self.tree).bit_length()

    def cost(self, width: int) -> int:
        """LUTs, roughly, for results of `width` bits."""
        search = sum(self.width + _lookup_cost(1 << level, self.width) for level in range(self.levels))
        return search + _lookup_cost(len(self.entries), width)


def _lookup_cost(entries: int, width: int) -> int:
    return width * ceil_div(entries, LUT_ENTRIES)


def form_of(table: Array, source: Fixed, result: Fixed) -> Short | Stepped:
    """The form that takes fewer LUTs.

    Args:
        table: (2**width,) codes of `result`, for the codes of `source` from the lowest on.
    """
    short, steps = shortened(table, source.signed), stepped(table, source.width)
    return short if short.cost(result.width) <= steps.cost(result.width) else steps


def shortened(table: Array, signed: bool) -> Short:
    """The shortest table."""
    halves = accumulate(repeat(2), lambda rest, _: rest[::2], initial=table)
    blocks = list(takewhile(lambda rest: len(rest) > 2 and np.array_equal(rest[::2], rest[1::2]), halves))
    rest = table[:: 1 << len(blocks)]
    while len(rest) > 2 and _ends_are_constant(rest, signed):
        rest = rest[len(rest) // 4 : 3 * len(rest) // 4] if signed else rest[: len(rest) // 2]
    return Short(len(blocks), np.roll(rest, len(rest) // 2) if signed else rest, signed)


def _ends_are_constant(rest: Array, signed: bool) -> bool:
    """Whether codes with one bit less, clamped, tell as much."""
    quarter, half = len(rest) // 4, len(rest) // 2
    if not signed:
        return bool(np.all(rest[half:] == rest[half - 1]))
    return bool(np.all(rest[:quarter] == rest[quarter]) and np.all(rest[3 * quarter :] == rest[3 * quarter - 1]))


def stepped(table: Array, width: int) -> Stepped:
    """The places of change as a search tree."""
    places = np.flatnonzero(np.diff(table)) + 1
    levels = max(len(places).bit_length(), 1)
    spare = (1 << levels) - 1 - len(places)
    places = np.pad(places, (0, spare), constant_values=len(table) - 1)  # the highest code passes them, unchanged
    entries = np.append(table[:1], table[places])
    order = [place for level in range(levels) for place in _centres(levels, level)]
    return Stepped(places[order], entries, width)


def _centres(levels: int, level: int) -> range:
    """The places in ascending order that one level of the search tree holds."""
    step = 1 << (levels - level)
    return range(step // 2 - 1, (1 << levels) - 1, step)
