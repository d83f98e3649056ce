"""The one place through which the command line writes: standard output and standard error.

In: whatever is printed while `guarded` holds. Out: the same on the process' own streams. Characters that a stream's
encoding lacks, and file names that are no text, are written as escapes. A stream that is closed takes everything in
silence. Where standard output takes no more (a full disk, a pipe that nobody reads), that is one `OutputLost`, raised
in the main thread; standard error never fails.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast

from hlsflow.core.errors import OutputLost, ReaderGone, first_line


class _Stream:
    """A text stream that fails in one way, once."""

    def __init__(self, stream: TextIO, fails: bool) -> None:
        self._stream, self._fails = stream, fails
        self._lost: Exception | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        with self._guard():
            self._stream.write(text)
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        with self._guard():
            self._stream.flush()

    @contextmanager
    def _guard(self) -> Iterator[None]:
        try:
            if self._lost is None:
                yield
            else:
                with contextlib.suppress(OSError, ValueError):
                    yield
        except (OSError, ValueError) as error:  # a closed stream raises ValueError
            self._lost = error
            _give_up(self._stream)
        if self._lost is not None and self._fails and threading.current_thread() is threading.main_thread():
            self._fails = False
            raise _error(self._lost) from self._lost


def _error(lost: Exception) -> OutputLost:
    if isinstance(lost, BrokenPipeError):
        return ReaderGone("nobody reads standard output any more", "what was finished is kept")
    reason = lost.strerror if isinstance(lost, OSError) and lost.strerror else first_line(lost)
    return OutputLost(f"cannot write to standard output: {reason}", "free some space, or write somewhere else")


def _give_up(stream: TextIO) -> None:
    """Let what the stream still holds, and what other processes write to it, go nowhere."""
    with contextlib.suppress(OSError, ValueError), open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), stream.fileno())


@contextmanager
def guarded() -> Iterator[None]:
    """Write through this module while it holds."""
    _fill_standard_files()
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _wrapped(before[0], fails=True), _wrapped(before[1], fails=False)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def _fill_standard_files() -> None:
    """Where a standard file is closed, the next one to be opened would take its number, and get what is printed."""
    number = 0
    while number < 3:
        number = os.open(os.devnull, os.O_RDWR)
        os.set_inheritable(number, number < 3)
    os.close(number)


def _wrapped(stream: TextIO | None, fails: bool) -> TextIO:
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
    return cast(TextIO, _Stream(stream or io.StringIO(), fails))
