"""What a run tells its user while it works: a bar on a terminal, plain lines in a log.

In: texts, and counts of finished work. Out: text on a stream (standard output unless told otherwise).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bar
from rich.table import Column

Advance = Callable[[str], None]
"""Report one finished unit of work, with a short remark such as `accuracy 0.97`."""

Tell = Callable[[str, str], None]
"""Show what a long piece of work is doing: its phase, and a remark such as the last line of its output."""

LINES = 10
"""About how many lines a plain log gets from one `track`."""

SILENCE = 10.0
"""Seconds after which a plain log gets a line from `track` in any case."""

HEARTBEAT = 60.0
"""Seconds after which a plain log gets a line from `live` though the phase is the same."""

REMARK = 100
"""Characters of a remark that are shown."""


class Progress:
    """Where a run reports to.

    Args:
        stream: a text stream; standard output by default.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        stream = stream or sys.stdout
        self._console = Console(
            file=stream,
            force_terminal=stream.isatty(),  # rich also believes FORCE_COLOR, which would fill a log with bars
            highlight=False,
            soft_wrap=True,
            emoji=False,
            markup=False,
        )

    @property
    def file(self) -> Path | None:
        """The file that it reports to, for another process to go on; None: standard output."""
        stream = self._console.file
        return None if stream is sys.stdout or not isinstance(stream.name, str) else Path(stream.name)

    def say(self, text: str) -> None:
        """One line, at once."""
        self._console.print(text)
        self._console.file.flush()

    @contextmanager
    def track(self, label: str, total: int, finished: int = 0, timed: bool = True) -> Iterator[Advance]:
        """Show how far a piece of work is.

        Args:
            label: what is worked on, such as `train digits`.
            total: units of work.
            finished: units that an earlier run finished.
            timed: whether the bar tells the time left, as if all units took equally long.
        Yields:
            a function to call after each further unit.
        """
        if self._console.is_terminal and not self._console.is_dumb_terminal:
            with self._bar(timed) as bar:
                task = bar.add_task(label, total=total, completed=finished, note="")
                yield lambda note: bar.update(task, advance=1, note=note)
        else:
            yield _Lines(self.say, label, total, finished)

    @contextmanager
    def live(self, label: str) -> Iterator[Tell]:
        """Show a piece of work that does not know how far it is, with the time since it began.

        Args:
            label: what is worked on, such as `Vitis HLS csynth`.
        Yields:
            a function to call as often as one likes.
        """
        if self._console.is_terminal and not self._console.is_dumb_terminal:
            columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
            rest = TextColumn("{task.fields[note]}", table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis"))
            with Bar(*columns, rest, console=self._console, expand=True) as bar:
                task = bar.add_task(label, total=None, note="")
                yield lambda phase, remark: bar.update(task, note=f"{phase}: {remark[:REMARK]}")
        else:
            yield _Phases(self.say, label)

    def _bar(self, timed: bool) -> Bar:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        clock = (TimeRemainingColumn(),) if timed else ()
        return Bar(*columns, *clock, TextColumn("{task.fields[note]}"), console=self._console)


class _Lines:
    """Some of the units as plain lines: the first, the last, and those between at fair distances."""

    def __init__(self, say: Callable[[str], None], label: str, total: int, finished: int) -> None:
        self._say, self._label, self._total, self._done = say, label, total, finished
        self._next, self._spoken = finished + 1, time.monotonic()

    def __call__(self, note: str) -> None:
        self._done += 1
        silent = time.monotonic() - self._spoken > SILENCE
        if self._done >= self._next or self._done == self._total or silent:
            self._say(f"{self._label} {self._done}/{self._total} {note}".rstrip())
            self._next, self._spoken = self._done + max(1, self._total // LINES), time.monotonic()


class _Phases:
    """Plain lines: one for each new phase, and one now and then while it lasts."""

    def __init__(self, say: Callable[[str], None], label: str) -> None:
        self._say, self._label, self._phase = say, label, ""
        self._began = self._spoken = time.monotonic()

    def __call__(self, phase: str, remark: str) -> None:
        now = time.monotonic()
        if phase == self._phase and now - self._spoken < HEARTBEAT:
            return
        self._say(f"{self._label} {clock(now - self._began)} {phase}: {remark[:REMARK]}".rstrip(": "))
        self._phase, self._spoken = phase, now


def clock(seconds: float) -> str:
    """A duration as hours, minutes and seconds: 0:01:05."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def duration(seconds: float) -> str:
    """A duration in words, for a sentence: "90 min", "1.5 s"."""
    return f"{seconds:.3g} s" if seconds < 120 else f"{seconds / 60:.3g} min"
