"""What an exploration has still to do, on figures that can be followed by hand."""

from __future__ import annotations

import pytest

from hlsflow.explore.clock import Clock, Pace, between
from hlsflow.explore.forecast import Forecast, Later


def solved(counts: list[int], batch: int = 100, designs: int = 0) -> Forecast:
    """After solvings that left so many layers, each of effort 10; designs have an effort of 40."""
    forecast = Forecast(designs, 40.0, batch)
    for count in counts:
        forecast.solved([10.0] * count)
    return forecast


def test_before_the_first_solving_no_end_is_told() -> None:
    assert solved([], designs=2).later() == Later(40.0, None)  # two designs, at least half as long as their layers


def test_numbers_that_halve_add_up_to_as_many_again() -> None:
    assert solved([16]).later() == Later(0.0, 160.0)
    assert solved([16, 8]).later() == Later(0.0, 80.0)
    assert solved([16, 4]).later() == Later(0.0, pytest.approx(40 * 0.25 / 0.75))
    assert solved([16, 0]).later() == Later(0.0, 0.0)


def test_layers_beyond_this_round_and_whole_designs_are_counted() -> None:
    """24 of 30 are measured now: 6 are left in any case, and up to 30 may follow; designs take 0.5 to 1.5 of 40."""
    assert solved([30], batch=24, designs=3).later() == Later(60.0 + 60.0, 180.0 + 60.0 + 300.0)


def test_numbers_that_do_not_fall_are_believed_to_fall_a_little() -> None:
    assert solved([10, 12]).later().high == pytest.approx(120 * 9)
    assert solved([0, 3]).later().high == 30.0  # nothing to compare with


def test_what_is_left_falls_while_numbers_fall_steadily() -> None:
    counts = [40, 22, 11, 6, 2, 1, 0]
    high = [10 * counts[end - 1] + (solved(counts[:end]).later().high or 0.0) for end in range(1, len(counts) + 1)]
    assert high == sorted(high, reverse=True)
    assert all(told >= 10 * sum(counts[place + 1 :]) for place, told in enumerate(high))  # and never too little


def test_the_clock_adds_what_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("hlsflow.explore.clock.time.monotonic", lambda: now)
    clock = Clock([3.0, 3.0], Pace(), workers=lambda: 2, later=Later(6.0, 18.0))
    now += 15.0
    # 10 s a unit: 60 s of work for two less 15 s; 60 s to 180 s for two follow
    assert clock.after(3.0, 30.0) == "about 45 s to 2 min left to synthesize"


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (180.0, 360.0, "about 3 to 6 min"),
        (180.0, 190.0, "about 3 min"),
        (50.0, 400.0, "about 50 s to 7 min"),
        (50.0, None, "at least 50 s"),
    ],
)
def test_a_range_reads_well(low: float, high: float | None, said: str) -> None:
    assert between(low, high) == said
