"""An honest figure for the time that is left, for work of unequal parts on several workers.

In: how long each part is expected to take, in any unit, how long the finished ones took, and what comes after them.
Out: a text.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hlsflow.explore.forecast import NOTHING, Later


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
    """The time left to synthesize, of one round and all that follows it.

    Args:
        expected: of each part.
        pace: so far; kept up to date.
        workers: tells how many there are now.
        later: what follows, in the unit of `expected`.
    """

    def __init__(
        self, expected: Sequence[float], pace: Pace, workers: Callable[[], int], later: Later = NOTHING
    ) -> None:
        self._later = later
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
        return self._said(self._left()) if self._pace.expected and self._open > 0 else ""

    def _said(self, left: float) -> str:
        """The time of this round, and with it that of all that follows."""
        low, high = (None if effort is None else left + self._shared(effort) for effort in self._later)
        assert low is not None
        return f"{between(low, high)} left to synthesize"

    def _shared(self, effort: float) -> float:
        """Seconds that all workers take."""
        return self._pace.of(effort) / max(1, self._workers())

    def _left(self) -> float:
        """All work less what the workers have spent, which counts what is half done; if the expectations were wrong and
        more has been spent, what is open is taken as half done."""
        workers = max(1, min(self._parts, self._workers()))
        spent = time.monotonic() - self._started
        return max(self._pace.of(self._work) / workers - spent, self._pace.of(self._open) / workers / 2)


def between(low: float, high: float | None) -> str:
    """A range of seconds as people say it: "about 3 to 6 min", "about 3 min", "at least 3 min"."""
    first = duration(low)
    if high is None:
        return f"at least {first}"
    last = duration(high)
    if first == last:
        return f"about {first}"
    return f"about {first.split()[0] if first.split()[1] == last.split()[1] else first} to {last}"


def duration(seconds: float) -> str:
    """Seconds, minutes or hours as people say them."""
    minutes = round(seconds / 60)
    return f"{seconds:.0f} s" if seconds < 100 else f"{minutes} min" if minutes < 100 else f"{seconds / 3600:.1f} h"
