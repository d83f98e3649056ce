"""Rules of integers that widths, schedules and trees are counted by.

In: integers. Out: integers.
"""

from __future__ import annotations


def ceil_div(dividend: int, divisor: int) -> int:
    """The quotient, rounded up to a whole number."""
    return -(-dividend // divisor)


def width_of(low: int, high: int, signed: bool = False) -> int:
    """Bits of the narrowest integer type that holds every integer from `low` to `high`; 1 or more.

    Args:
        low, high: the bounds, both included.
        signed: two's complement even where nothing is negative.
    """
    if low < 0 or signed:
        return max(_magnitude(low), _magnitude(high)) + 1
    return max(high.bit_length(), 1)


def _magnitude(value: int) -> int:
    """Bits of a two's complement number besides that of its sign."""
    return (value if value >= 0 else ~value).bit_length()


def trailing_zeros(value: int) -> int:
    """How many times 2 divides an integer other than zero; -1 for zero."""
    return (value & -value).bit_length() - 1


def tree_levels(leaves: int) -> int:
    """Levels of a balanced binary tree: ceil(log2 leaves)."""
    return (leaves - 1).bit_length()
