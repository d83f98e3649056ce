"""How much an exploration has still to synthesize, from how many layers each solving left to measure.

In: what is not measured in the optimal designs, solving after solving, and the designs that are built whole in the
end. Out: the least and the most effort after the round that is measured now. The more is measured, the better the
bounds, so that the numbers of missing layers shrink roughly by the same factor from one solving to the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

FACTOR = 0.5
"""By which numbers of missing layers are taken to shrink before two of them are known."""

SLOWEST = 0.9
"""The factor that is believed at the most: of 1 there would be no end."""

WHOLE = 0.5, 1.5
"""The effort of a whole design over that of its layers, at least and at most: three layers share one start of the tool,
but are synthesized without hurry."""


class Later(NamedTuple):
    """Effort after the round that is measured now, in the unit of `hlsflow.explore.features.size`.

    Attributes:
        low: at least.
        high: at most, as far as can be told; None: cannot be told yet.
    """

    low: float
    high: float | None


NOTHING = Later(0.0, 0.0)


class Forecast:
    """Args:
    designs: to be built whole.
    design: effort of the layers of one.
    batch: layers that are measured in one round at most.
    """

    def __init__(self, designs: int, design: float, batch: int) -> None:
        self._least, self._most = (designs * design * share for share in WHOLE)
        self._batch = batch
        self._missing: list[int] = []
        self._mean = 0.0

    def solved(self, efforts: Sequence[float]) -> None:
        """Take note of one solving.

        Args:
            efforts: of each layer that is not measured in its designs.
        """
        self._missing.append(len(efforts))
        self._mean = sum(efforts) / len(efforts) if efforts else 0.0

    def later(self) -> Later:
        """What comes after the round that measures the first `batch` of the missing layers."""
        if not self._missing:
            return Later(self._least, None)
        rest, factor = max(0, self._missing[-1] - self._batch), self._factor()
        follow = self._missing[-1] * factor / (1 - factor)
        return Later(self._least + rest * self._mean, self._most + (rest + follow) * self._mean)

    def _factor(self) -> float:
        """The factor between solvings, 0 … `SLOWEST`: the geometric mean of all, so that one alone upsets little."""
        first, *others = self._missing
        if not others or not first:
            return FACTOR
        mean: float = (others[-1] / first) ** (1 / len(others))
        return min(SLOWEST, mean)
