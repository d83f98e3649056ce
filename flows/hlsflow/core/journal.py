"""How much a command says, and the log that holds all of it.

In: messages of the logger `hlsflow`: INFO for what is told while the work goes on and for the result, DEBUG for tools
and their times. Out: on the terminal what `Verbosity` lets through; in the log files of a run everything, with the time
of day. A log is a help, never a condition: where it cannot be written, the work goes on without it.
"""

from __future__ import annotations

import contextlib
import enum
import logging
import logging.handlers
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path


def _as_text(record: logging.LogRecord) -> bool:
    """File names that are no text become escapes, as some handlers take text alone."""
    record.msg, record.args = record.getMessage().encode("utf-8", "backslashreplace").decode("utf-8"), ()
    return True


LOGGER = logging.getLogger("hlsflow")
LOGGER.addFilter(_as_text)
LOGGER.setLevel(logging.DEBUG)
LOGGER.addHandler(logging.NullHandler())
LOGGER.propagate = False  # what is told on standard output already would come twice to who logs on the console

LOG = "run.log"
"""Name of the log in the folder of a run or an exploration."""

FORMAT = "%(asctime)s %(message)s"
NEVER = logging.CRITICAL + 1


class Verbosity(enum.IntEnum):
    """From which level on messages are shown."""

    QUIET = logging.WARNING
    NORMAL = logging.INFO
    VERBOSE = logging.DEBUG


class _Session:
    """One command: what it shows, and its logs, which stay open until its end."""

    def __init__(self, verbosity: Verbosity) -> None:
        self.verbosity = verbosity
        self.early = logging.handlers.MemoryHandler(0, flushLevel=NEVER)
        self.files: list[Path] = []
        self.open = ExitStack()


_session: _Session | None = None


def shows(level: int) -> bool:
    """Whether a message of this level is shown: without a session those of the normal verbosity are."""
    return level >= (_session.verbosity if _session else Verbosity.NORMAL)


@contextmanager
def session(verbosity: Verbosity, command: str) -> Iterator[None]:
    """Hold the verbosity for one command; what is said before its log has a place is kept for it.

    Args:
        verbosity: of all that this process says.
        command: the first line of the log.
    """
    global _session
    before, _session = _session, _Session(verbosity)
    with _session.open:
        _session.open.enter_context(_attached(_session.early))
        if verbosity is Verbosity.VERBOSE:
            _session.open.enter_context(_attached(_Shown(logging.DEBUG)))
        LOGGER.info("%s", command)
        try:
            yield
        finally:
            _session = before


@contextmanager
def kept_in(file: Path) -> Iterator[None]:
    """Keep all messages in a file too, after what it holds already: while this holds, or to the end of the session."""
    with ExitStack() as own:
        handler = _opened(file)
        if handler is not None:
            stack = _session.open if _session else own
            if _session:
                _replay(_session, handler)
                _session.files.append(file)
            stack.enter_context(_attached(handler))
        yield


def file_of_session() -> Path | None:
    """The log that was opened first; None where none is open."""
    return _session.files[0] if _session and _session.files else None


def _replay(running: _Session, handler: logging.Handler) -> None:
    """Give a log what was said before it was opened: the first one everything, later ones the command."""
    early = running.early.buffer
    for record in early if not running.files else early[:1]:
        handler.handle(record)
    LOGGER.removeHandler(running.early)


def _opened(file: Path) -> logging.Handler | None:
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        handler = _File(file, encoding="utf-8", errors="backslashreplace")
        handler.setFormatter(logging.Formatter(FORMAT))
        return handler
    return None


@contextmanager
def _attached(handler: logging.Handler) -> Iterator[None]:
    LOGGER.addHandler(handler)
    try:
        yield
    finally:
        LOGGER.removeHandler(handler)
        with contextlib.suppress(OSError, ValueError):
            handler.close()


class _File(logging.FileHandler):
    """A log that a full disk does not stop."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Go on without the record."""


class _Shown(logging.Handler):
    """What only `--verbose` shows: tools and times."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno <= self.level:
            print(record.getMessage())
