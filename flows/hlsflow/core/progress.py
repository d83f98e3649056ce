"""What a run tells its user while it works: bars on a terminal, plain lines in a log.

In: texts, and counts of finished work. Out: text on a stream (standard output unless told otherwise); what goes to
standard output is in the log of the run too, and `--quiet` shows none of it but results.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TextIO

from rich.console import Console, RenderableType
from rich.progress import BarColumn, ProgressColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.progress import Task as Shown
from rich.table import Column
from rich.text import Text

from hlsflow.core import journal

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

WORKING = 30.0
"""Seconds without a line after which a plain log says what is worked on."""

REMARK = 100
"""Characters of a remark that are shown."""


def console(stream: TextIO) -> Console:
    """A console that writes to a stream as it is: colours and bars on terminals alone, no markup, no cut lines."""
    terminal = stream.isatty()  # rich also believes FORCE_COLOR, which would fill a log with bars
    return Console(file=stream, force_terminal=terminal, highlight=False, soft_wrap=True, emoji=False, markup=False)


class Progress:
    """Where a run reports to.

    Args:
        stream: a text stream; standard output by default.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._own = stream
        self._console = console(stream or sys.stdout)
        self._board = _Board(self._console)
        self._pulse = _Pulse(self._say_working)

    @property
    def file(self) -> Path | None:
        """The file that it reports to, for another process to go on; None: standard output."""
        name = getattr(self._own, "name", None)
        return Path(name) if isinstance(name, str) and self._own is not sys.stdout else None

    def say(self, text: str, drawn: RenderableType | None = None) -> None:
        """Tell what was done, at once.

        Args:
            text: one line or several, for logs and files.
            drawn: the same for terminals; None: the text.
        """
        self._tell(logging.INFO, text, drawn)

    def result(self, text: str, drawn: RenderableType | None = None) -> None:
        """The same for what was asked for, which `--quiet` shows too."""
        self._tell(logging.WARNING, text, drawn)

    def _tell(self, level: int, text: str, drawn: RenderableType | None) -> None:
        self._pulse.beat()
        if self._own is None:
            journal.LOGGER.log(level, "%s", text)
        if not self._shows(level):
            return
        if self._console.is_terminal:
            self._console.print(text if drawn is None else drawn)
        else:
            print(text, file=self._console.file)
        self._console.file.flush()

    def _shows(self, level: int) -> bool:
        return self._own is not None or journal.shows(level)

    @property
    def _moves(self) -> bool:
        """Whether there are bars."""
        return self._shows(logging.INFO) and self._console.is_terminal and not self._console.is_dumb_terminal

    @contextmanager
    def working(self, label: str) -> Iterator[None]:
        """Show that something is worked on, with the time since it began; several threads may at once.

        Args:
            label: such as `synth R16-xc7`.
        """
        with self._board.row(label) if self._moves else nullcontext(), self._pulse.during(label):
            yield

    def _say_working(self, running: str) -> None:
        if not self._moves:
            self.say(running)

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
        if not self._moves:
            yield _Lines(self.say, label, total, finished)
            return
        lines = _Lines(lambda text: journal.LOGGER.info("%s", text), label, total, finished)
        with self._board.row(label, total, finished, timed) as update:

            def advance(note: str) -> None:
                lines(note)
                update(note, 1)

            yield advance
        self._console.print(lines.last)

    @contextmanager
    def live(self, label: str) -> Iterator[Tell]:
        """Show a piece of work that does not know how far it is, with the time since it began.

        Args:
            label: what is worked on, such as `Vitis HLS csynth`.
        Yields:
            a function to call as often as one likes.
        """
        if not self._moves:
            yield _Phases(self.say, label)
            return
        log = _Phases(lambda text: journal.LOGGER.info("%s", text), label)
        with self._board.row(label) as update:

            def tell(phase: str, remark: str) -> None:
                log(phase, remark)
                update(f"{phase}: {remark[:REMARK]}", 0)

            yield tell


class _Board:
    """One display for all that is worked on at a time: a row each, there while the work lasts."""

    def __init__(self, console: Console) -> None:
        self._console, self._lock = console, threading.Lock()
        self._bars: Bars | None = None
        self._rows = 0

    @contextmanager
    def row(
        self, label: str, total: int | None = None, done: int = 0, timed: bool = True
    ) -> Iterator[Callable[[str, int], None]]:
        """Show a row; yields a function that sets its note and adds to the units that are done."""
        bars = self._entered()
        task = bars.add_task(label, total=total, completed=done, note="", timed=timed)
        try:
            yield lambda note, units: bars.update(task, advance=units, note=note)
            bars.refresh()
        finally:
            bars.remove_task(task)
            self._left(bars)

    def _entered(self) -> Bars:
        with self._lock:
            if self._bars is None:
                self._bars = _bars(self._console)
                self._bars.start()
            self._rows += 1
            return self._bars

    def _left(self, bars: Bars) -> None:
        with self._lock:
            self._rows -= 1
            if not self._rows:
                bars.stop()
                self._bars = None


def _bars(console: Console) -> Bars:
    note = TextColumn("{task.fields[note]}", table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis"))
    columns = (TextColumn("{task.description}"), BarColumn(20), _HowFar(), TimeElapsedColumn(), _Left(), note)
    return Bars(*columns, console=console, transient=True, expand=True)


class _HowFar(ProgressColumn):
    """Units done of all; nothing where that is not known."""

    def render(self, task: Shown) -> Text:
        return Text("" if task.total is None else f"{task.completed:.0f}/{task.total:.0f}")


class _Left(ProgressColumn):
    """The time left; nothing where units do not take equally long."""

    max_refresh = 0.5

    def render(self, task: Shown) -> Text:
        seconds = task.time_remaining if task.fields["timed"] and task.total else None
        return Text("" if seconds is None else f"{clock(seconds)} left")


class _Pulse:
    """Says what is worked on where nothing else has been said for some time."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say, self._lock = say, threading.Lock()
        self._running: dict[str, float] = {}
        self._spoken = time.monotonic()
        self._stop = threading.Event()

    def beat(self) -> None:
        """Something was said."""
        self._spoken = time.monotonic()

    @contextmanager
    def during(self, label: str) -> Iterator[None]:
        """Watch over a piece of work."""
        with self._lock:
            if not self._running:
                self._stop = threading.Event()
                threading.Thread(target=self._watch, args=(self._stop,), daemon=True).start()
            self._running[label] = time.monotonic()
        try:
            yield
        finally:
            with self._lock:
                self._running.pop(label, None)
                if not self._running:
                    self._stop.set()

    def _watch(self, stop: threading.Event) -> None:
        while not stop.wait(max(0.01, self._spoken + WORKING - time.monotonic())):
            if time.monotonic() - self._spoken >= WORKING:
                self.beat()
                self._say(self._told())

    def _told(self) -> str:
        with self._lock:
            running, now = dict(self._running), time.monotonic()
        parts = [label for label in running if not any(other.startswith(f"{label} ") for other in running)]
        return "at work: " + ", ".join(f"{label} {clock(now - running[label])}" for label in parts)


class _Lines:
    """Some of the units as plain lines: the first, the last, and those between at fair distances."""

    def __init__(self, say: Callable[[str], None], label: str, total: int, finished: int) -> None:
        self._say, self._label, self._total, self._done = say, label, total, finished
        self._next, self._spoken = finished + 1, time.monotonic()
        self.last = f"{label} {finished}/{total}"

    def __call__(self, note: str) -> None:
        self._done += 1
        silent = time.monotonic() - self._spoken > SILENCE
        self.last = f"{self._label} {self._done}/{self._total} {note}".rstrip()
        if self._done >= self._next or self._done == self._total or silent:
            self._say(self.last)
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
