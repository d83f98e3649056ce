"""An honest figure for the time that is left, for work of unequal parts on several workers.

In: how long each part is expected to take, in any unit, and how long the finished ones took. Out: a text.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass
class Pace:
    """How long parts take against what was expected, over all rounds of a run.

    Attributes:
        seconds: that all measured parts took.
        expected: of them, in the unit of the expectations.
    """

    seconds: float = 0.0
    expected: float = 0.0

    def add(self, seconds: float, expected: float) -> None:
        """Count one measured part."""
        self.seconds += seconds
        self.expected += expected

    def of(self, expected: float) -> float:
        """Seconds that something takes; needs at least one part counted."""
        return self.seconds / self.expected * expected


class Clock:
    """The time left of one round.

    Args:
        expected: of each part.
        pace: so far; kept up to date.
        workers: tells how many there are now.
    """

    def __init__(self, expected: Sequence[float], pace: Pace, workers: Callable[[], int]) -> None:
        self._pace, self._workers = pace, workers
        self._work = self._open = sum(expected)
        self._parts, self._started = len(expected), time.monotonic()

    def after(self, expected: float, seconds: float | None) -> str:
        """What to say of the time left when a part is done; empty when nothing is left, or nothing is known yet.

        Args:
            expected: of the part.
            seconds: that it took; None if nobody worked on it here.
        """
        self._open -= expected
        if seconds is None:
            self._work -= expected
        else:
            self._pace.add(seconds, expected)
        return f"about {duration(self._left())} left" if self._pace.expected and self._open > 0 else ""

    def _left(self) -> float:
        """All work less what the workers have spent, which counts what is half done; if the expectations were wrong and
        more has been spent, what is open is taken as half done."""
        workers = max(1, min(self._parts, self._workers()))
        spent = time.monotonic() - self._started
        return max(self._pace.of(self._work) / workers - spent, self._pace.of(self._open) / workers / 2)


def duration(seconds: float) -> str:
    """Seconds, minutes or hours as people say them."""
    minutes = round(seconds / 60)
    return f"{seconds:.0f} s" if seconds < 100 else f"{minutes} min" if minutes < 100 else f"{seconds / 3600:.1f} h"
