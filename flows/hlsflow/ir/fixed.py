"""Fixed-point types with the meaning of `ap_fixed`: a value is an integer times 2**-frac.

Source of the quantization and overflow modes: AMD UG1399 (Vitis HLS User Guide), "Arbitrary Precision
Fixed-Point Data Types". The C-simulation headers that hls4ml ships implement the same.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from hlsflow.ir.integers import width_of

Array = NDArray[Any]


class Rounding(enum.StrEnum):
    """What happens to bits right of the least significant one (`ap_q_mode`)."""

    TRN = "TRN"  # towards minus infinity
    TRN_ZERO = "TRN_ZERO"  # towards zero
    RND = "RND"  # to nearest, ties towards plus infinity
    RND_ZERO = "RND_ZERO"  # to nearest, ties towards zero
    RND_INF = "RND_INF"  # to nearest, ties away from zero
    RND_MIN_INF = "RND_MIN_INF"  # to nearest, ties towards minus infinity
    RND_CONV = "RND_CONV"  # to nearest, ties to even


class Overflow(enum.StrEnum):
    """What happens to values out of range (`ap_o_mode`)."""

    WRAP = "WRAP"
    SAT = "SAT"
    SAT_ZERO = "SAT_ZERO"
    SAT_SYM = "SAT_SYM"


MAX_WIDTH = 62
"""Widest type whose values and rounding sums stay exact in 64-bit integers."""

_TEXT = re.compile(r"^(?:ap_)?(u?)(fixed|int)<\s*(\d+)\s*(?:,\s*(-?\d+)\s*)?((?:,\s*\w+\s*)*)>$")


@dataclass(frozen=True)
class Fixed:
    """A fixed-point type.

    Attributes:
        width: bits, sign included.
        integer: bits left of the binary point, sign included; may be negative or larger than width.
        signed: two's complement when true.
        rounding, overflow: how a value is brought into this type.
    """

    width: int
    integer: int
    signed: bool = True
    rounding: Rounding = Rounding.TRN
    overflow: Overflow = Overflow.WRAP

    def __post_init__(self) -> None:
        if not 1 <= self.width <= MAX_WIDTH:
            raise ValueError(f"width {self.width} is outside 1..{MAX_WIDTH} bits")

    @property
    def frac(self) -> int:
        """Bits right of the binary point: one step of the grid is 2**-frac."""
        return self.width - self.integer

    @property
    def min(self) -> int:
        """Smallest representable integer on the grid."""
        if not self.signed:
            return 0
        return -(1 << (self.width - 1)) + (self.overflow is Overflow.SAT_SYM)

    @property
    def max(self) -> int:
        """Largest representable integer on the grid."""
        return (1 << (self.width - self.signed)) - 1

    @classmethod
    def parse(cls, text: str) -> Fixed:
        """Read `fixed<10,4,RND_CONV,SAT>`, `ufixed<6,0>`, `int<8>` or `uint<8>` (an `ap_` prefix is allowed).

        Raises:
            ValueError: not of that form; the message shows an example.
        """
        match = _TEXT.match(text.strip())
        if not match or (match[2] == "fixed") != (match[4] is not None):
            raise ValueError(
                f"'{text}' is no fixed-point type; write for example fixed<10,4> or ufixed<6,0,RND_CONV,SAT>"
            )
        modes = [word.strip().removeprefix("AP_") for word in match[5].split(",") if word.strip()]
        return cls(
            int(match[3]),
            int(match[4] or match[3]),
            not match[1],
            _mode(Rounding, modes[:1], Rounding.TRN, text),
            _mode(Overflow, modes[1:2], Overflow.WRAP, text),
        )

    @classmethod
    def narrowest(cls, values: Array, max_width: int, signed: bool = True) -> Fixed | None:
        """The narrowest type that holds every real value exactly; None when that takes more than `max_width` bits.

        Args:
            values: any shape, real, finite.
            max_width: bits, sign included.
            signed: two's complement; without it no value may be below 0.
        """
        values = np.asarray(values, np.float64)
        largest = np.abs(values).max(initial=0.0)
        if not largest:
            return cls(1 + signed, 1 + signed, signed)
        top = int(np.frexp(largest)[1])
        for frac in range(-top, max_width + 1 - top):
            codes = values * 2.0**frac
            if np.array_equal(codes, np.rint(codes)):
                low, high = int(codes.min(initial=0)), int(codes.max(initial=0))
                width = max(width_of(low, high, signed), 1 + signed)
                return cls(width, width - frac, signed) if width <= max_width else None
        return None

    @classmethod
    def spanning(cls, low: int, high: int, frac: int, signed: bool = False) -> Fixed:
        """The narrowest type with `frac` fractional bits whose integers reach from `low` to `high`.

        Args:
            signed: two's complement even where nothing is negative.
        Raises:
            ValueError: it would be wider than `MAX_WIDTH` bits.
        """
        width = width_of(low, high, signed)
        return cls(width, width - frac, signed or low < 0)

    def __str__(self) -> str:
        kind = "fixed" if self.signed else "ufixed"
        modes = ""
        if (self.rounding, self.overflow) != (Rounding.TRN, Overflow.WRAP):
            modes = f",{self.rounding},{self.overflow}"
        return f"{kind}<{self.width},{self.integer}{modes}>"

    def cast(self, values: Array, frac: int) -> NDArray[np.int64]:
        """Bring integers with `frac` fractional bits into this type: round, then handle overflow.

        Args:
            values: any shape, integers.
            frac: fractional bits of `values`.
        Returns:
            Same shape, integers on this type's grid.
        """
        exact, drop = np.asarray(values, np.int64), frac - self.frac
        return self._fit(_round(exact, drop, self.rounding) if drop > 0 else self._shifted(exact, -drop))

    def quantize(self, values: Array) -> NDArray[np.int64]:
        """Bring real numbers into this type, exactly, however large or small they are.

        Args:
            values: any shape, real.
        Returns:
            Same shape, integers on this type's grid.
        Raises:
            ValueError: a value is NaN, or infinite where the type wraps around.
        """
        real = np.asarray(values, np.float64)
        if np.isnan(real).any():
            raise ValueError(f"NaN is no number: {self} cannot hold it")
        if self.overflow is Overflow.WRAP and np.isinf(real).any():
            raise ValueError(f"{self} wraps around, which has no meaning for infinity")
        return self._fit(_round_real(self._reduced(_scaled(real, self.frac)), self.rounding))

    def real(self, values: Array) -> NDArray[np.float64]:
        """The real numbers that integers on this grid stand for; `values` and the result have the same shape, any."""
        return np.asarray(values, np.float64) * 2.0**-self.frac

    def holds(self, values: Array) -> bool:
        """Whether every integer of `values`, of any shape, is representable."""
        values = np.asarray(values)
        return not values.size or (int(values.min()) >= self.min and int(values.max()) <= self.max)

    def _shifted(self, values: NDArray[np.int64], left: int) -> NDArray[np.int64]:
        """Multiply by 2**left, as far as it matters: what leaves 64 bits wraps or saturates to the same."""
        if self.overflow is not Overflow.WRAP:
            left = min(left, self.width)
            values = np.clip(values, -(-self.min >> left) - 1, (self.max >> left) + 1)  # one step out stays out
        return values << min(left, MAX_WIDTH)

    def _reduced(self, codes: NDArray[np.float64]) -> NDArray[np.float64]:
        """The same after rounding and overflow, but small enough for 64-bit integers; the fractions stay."""
        if self.overflow is Overflow.WRAP:
            return np.fmod(codes, 2.0**self.width)
        return np.clip(codes, -(2.0**MAX_WIDTH), 2.0**MAX_WIDTH)

    def _fit(self, values: NDArray[np.int64]) -> NDArray[np.int64]:
        if self.overflow is Overflow.WRAP:
            wrapped = values & ((1 << self.width) - 1)
            return wrapped - ((wrapped >> (self.width - 1)) << self.width) if self.signed else wrapped
        if self.overflow is Overflow.SAT_ZERO:
            return np.where((values < self.min) | (values > self.max), 0, values)
        return np.clip(values, self.min, self.max)


_Mode = TypeVar("_Mode", Rounding, Overflow)


def _mode(kind: type[_Mode], words: list[str], default: _Mode, text: str) -> _Mode:
    if not words:
        return default
    try:
        return kind(words[0])
    except ValueError:
        raise ValueError(f"'{words[0]}' in '{text}' is none of {', '.join(kind)}") from None


def _round(values: NDArray[np.int64], drop: int, mode: Rounding) -> NDArray[np.int64]:
    """Drop `drop` > 0 bits with the given rounding."""
    if drop > 63:
        values, drop = np.sign(values), 2  # everything is below half a step: keep only its sign
    floor, rest, half = values >> drop, values & ((1 << drop) - 1), 1 << (drop - 1)
    rounded: NDArray[np.int64] = floor + _round_up(values < 0, floor, rest, half, mode)
    return rounded


def _round_up(negative: Array, floor: Array, rest: Array, half: int, mode: Rounding) -> NDArray[np.bool_]:
    """Whether the truncated value must go one step up."""
    if mode is Rounding.TRN:
        return np.zeros_like(negative, np.bool_)
    if mode is Rounding.TRN_ZERO:
        inexact_negative: NDArray[np.bool_] = negative & (rest != 0)
        return inexact_negative
    tie = {
        Rounding.RND: np.ones_like(negative),
        Rounding.RND_ZERO: negative,
        Rounding.RND_INF: ~negative,
        Rounding.RND_MIN_INF: np.zeros_like(negative),
        Rounding.RND_CONV: (floor & 1) == 1,
    }[mode]
    up: NDArray[np.bool_] = (rest > half) | ((rest == half) & tie)
    return up


def _scaled(values: NDArray[np.float64], frac: int) -> NDArray[np.float64]:
    """values * 2**frac, where what leaves float64 becomes tiny, or so large that it rounds and overflows alike."""
    with np.errstate(over="ignore", under="ignore"):
        size = np.clip(np.ldexp(np.abs(values), frac), 2.0**-1000, 2.0**1000)
    return np.where(values == 0, 0.0, np.copysign(size, values))


def _round_real(values: NDArray[np.float64], mode: Rounding) -> NDArray[np.int64]:
    """Round reals of magnitude up to 2**MAX_WIDTH; fractions as quarters, since `values - floor` may be inexact."""
    floor, halves = np.floor(values), np.floor(2 * values)
    quarters = 2 * (halves - 2 * floor) + (halves != 2 * values)
    codes = floor.astype(np.int64)
    rounded: NDArray[np.int64] = codes + _round_up(values < 0, codes, quarters, 2, mode)
    return rounded
