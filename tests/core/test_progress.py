"""What a user sees of a running job: a bar on a terminal, lines in a log."""

from __future__ import annotations

import io
import time

import pytest

from hlsflow.core import progress
from hlsflow.core.progress import Progress, clock, duration


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _terminal_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("FORCE_COLOR", "1")


def watch(stream: io.StringIO, total: int, done: int = 0) -> str:
    progress = Progress(stream)
    with progress.track("train", total, done) as advance:
        for number in range(done, total):
            advance(f"loss {number}")
    progress.say("[all] done")
    return stream.getvalue()


def test_a_log_has_the_first_the_last_and_some_lines_between() -> None:
    lines = watch(io.StringIO(), 40).splitlines()
    assert lines[0] == "train 1/40 loss 0"
    assert lines[-2] == "train 40/40 loss 39"
    assert lines[-1] == "[all] done"
    assert 10 <= len(lines) <= 13
    assert all(line.isprintable() for line in lines)


def test_a_short_job_has_a_line_for_each_unit() -> None:
    assert watch(io.StringIO(), 3).splitlines()[:3] == ["train 1/3 loss 0", "train 2/3 loss 1", "train 3/3 loss 2"]


def test_a_resumed_job_counts_on() -> None:
    assert watch(io.StringIO(), 40, 38).splitlines()[:2] == ["train 39/40 loss 38", "train 40/40 loss 39"]


def test_a_terminal_has_a_bar() -> None:
    text = watch(Terminal(), 40)
    assert "40/40" in text
    assert "loss 39" in text
    assert "\x1b[" in text
    assert "train 5/40" not in text


def test_a_terminal_without_cursor_control_has_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    assert watch(Terminal(), 40).splitlines()[0] == "train 1/40 loss 0"


def test_live_work_has_a_line_for_each_phase_in_a_log(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    with Progress(stream).live("csynth") as tell:
        for phase in ("reading", "reading", "unrolling", "unrolling"):
            tell(phase, "INFO: a line of the tool")
        monkeypatch.setattr("hlsflow.core.progress.HEARTBEAT", 0.0)
        tell("unrolling", "x" * 1000)
    lines = stream.getvalue().splitlines()
    assert lines[:2] == [
        "csynth 0:00:00 reading: INFO: a line of the tool",
        "csynth 0:00:00 unrolling: INFO: a line of the tool",
    ]
    assert lines[2] == f"csynth 0:00:00 unrolling: {'x' * 100}"
    assert len(lines) == 3


def test_live_work_has_one_line_on_a_terminal() -> None:
    stream = Terminal()
    with Progress(stream).live("csynth") as tell:
        tell("unrolling", "loop 'Product1' [0:1]")
    assert "unrolling: loop 'Product1'" in stream.getvalue()


@pytest.mark.parametrize(("seconds", "told"), [(1.5, "1.5 s"), (119, "119 s"), (120, "2 min"), (5400, "90 min")])
def test_durations_in_words(seconds: float, told: str) -> None:
    assert duration(seconds) == told


def test_clock() -> None:
    assert [clock(seconds) for seconds in (5, 65.9, 36061)] == ["0:00:05", "0:01:05", "10:01:01"]


def test_a_pulse_that_says_elsewhere_says_once_in_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "WORKING", 0.2)
    told: list[str] = []
    with progress._Pulse(told.append).during("synth R16"):
        time.sleep(0.9)
    assert 2 <= len(told) <= 5
    assert set(told) == {"at work: synth R16 0:00:00"}
