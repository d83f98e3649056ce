"""What a fixed-point value must become, in Python's unlimited integers and rationals: shares no code with `Fixed`."""

from __future__ import annotations

import math
from fractions import Fraction

from flows.ir import Fixed, Overflow, Rounding


def rounded(value: Fraction, mode: Rounding) -> int:
    """The definition of each mode in AMD UG1399, on exact rationals."""
    down = math.floor(value)
    rest = value - down
    if mode is Rounding.TRN:
        return down
    if mode is Rounding.TRN_ZERO:
        return math.trunc(value)
    if rest != Fraction(1, 2):
        return down + (rest > Fraction(1, 2))
    return {
        Rounding.RND: down + 1,
        Rounding.RND_ZERO: down + (value < 0),
        Rounding.RND_INF: down + (value > 0),
        Rounding.RND_MIN_INF: down,
        Rounding.RND_CONV: down + (down % 2),
    }[mode]


def limited(code: int, kind: Fixed) -> int:
    """A code of any size, wrapped or saturated into the type."""
    top = (1 << (kind.width - kind.signed)) - 1
    bottom = -top - 1 if kind.signed else 0
    bottom += kind.signed and kind.overflow is Overflow.SAT_SYM
    if bottom <= code <= top:
        return code
    if kind.overflow is Overflow.WRAP:
        return (code - bottom) % (1 << kind.width) + bottom
    return 0 if kind.overflow is Overflow.SAT_ZERO else min(max(code, bottom), top)


def of_real(value: Fraction, kind: Fixed) -> int:
    """The code of a real number."""
    return limited(rounded(value * Fraction(2) ** (kind.width - kind.integer), kind.rounding), kind)


def cast(code: int, frac: int, kind: Fixed) -> int:
    """The code of an integer with `frac` fractional bits."""
    return of_real(Fraction(code) / Fraction(2) ** frac, kind)
