"""Axes of charts: from figures to places, and round figures to label.

In: the smallest and largest figure. Out: a `Scale`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

WIDE = 10.0
"""Ratio of the largest to the smallest figure from which an axis counts by powers."""

MOST = 8
"""Labels along an axis that counts by powers."""


@dataclass(frozen=True)
class Scale:
    """An axis.

    Attributes:
        low, high: figures at its ends.
        start, end: places of its ends, in units of the drawing.
        powers: whether equal distances are equal ratios.
    """

    low: float
    high: float
    start: float
    end: float
    powers: bool = False

    def at(self, value: float) -> float:
        """The place of a figure."""
        if self.powers:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)

    def ticks(self) -> list[float]:
        """Round figures along it."""
        return _powers(self.low, self.high) if self.powers else _steps(self.low, self.high)


def from_zero(high: float, start: float, end: float) -> Scale:
    """An axis for bars: they start at 0, so that lengths compare."""
    step = _step(high or 1.0)
    return Scale(0.0, math.ceil((high or 1.0) / step - 1e-9) * step, start, end)


def around(values: list[float], start: float, end: float) -> Scale:
    """An axis for dots: from 0, or by powers where the figures differ much."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    if low > 0 and high / low > WIDE:
        return Scale(low / 1.25, high * 1.25, start, end, powers=True)
    return from_zero(high * 1.05, start, end)


def _step(span: float) -> float:
    """A round distance that divides a span into three to six."""
    size = 10.0 ** math.floor(math.log10(span / 3))
    return next(size * factor for factor in (1, 2, 5, 10) if span / (size * factor) <= 6)


def _steps(low: float, high: float) -> list[float]:
    step = _step(high - low)
    return [low + step * index for index in range(round((high - low) / step) + 1)]


def _powers(low: float, high: float) -> list[float]:
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [factor * 10.0**decade for decade in decades for factor in (1, 2, 5)]
    inside = [tick for tick in ticks if low <= tick <= high]
    return inside if len(inside) <= MOST else inside[:: len(inside) // MOST + 1]
