"""The time left, on figures that can be followed by hand."""

from __future__ import annotations

import pytest

from hlsflow.explore.clock import Clock, Pace, duration


def test_the_time_left_follows_what_was_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("hlsflow.explore.clock.time.monotonic", lambda: now)
    pace = Pace()
    clock = Clock([4.0, 3.0, 2.0, 1.0], pace, workers=lambda: 2)
    assert clock.after(4.0, None) == ""  # done by others: nothing is known
    now += 15.0
    assert clock.after(3.0, 30.0) == "about 15 s left to synthesize"  # 10 s a unit: 60 s of work for two, 15 s are gone
    now += 60.0
    assert (
        clock.after(2.0, 70.0) == "about 5 s left to synthesize"
    )  # behind: the last part, 20 s for two, is taken as half done
    assert clock.after(1.0, 20.0) == ""
    assert pace.of(5.0) == 100.0


@pytest.mark.parametrize(("seconds", "text"), [(3.4, "3 s"), (99.0, "99 s"), (150.0, "2 min"), (9000.0, "2.5 h")])
def test_durations_read_well(seconds: float, text: str) -> None:
    assert duration(seconds) == text
