"""The one error family of hlsflow.

Every expected failure (bad input, a missing tool, a full disk, a failed gate) is a `FlowError`. Its message
says what is wrong and where; `hint` says what to do next. The command line prints both and exits with
`exit_code`; it never shows a traceback for a `FlowError`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LONGEST = 500
"""Characters that are told of what others say."""


class FlowError(Exception):
    """What went wrong, where, and what to do next.

    Args:
        message: one sentence: what is wrong and where.
        hint: what the user can do next; may be empty.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  next: {self.hint}" if self.hint else self.message


def first_line(error: BaseException) -> str:
    """The first line of what an exception says, or its name; an exception of others may fail to say anything."""
    for words in (str, repr):
        try:
            text = words(error).strip()
        except Exception:  # their code
            continue
        if text:
            return text.splitlines()[0][:LONGEST]
    return type(error).__name__


class ProjectError(FlowError):
    """The project file, a knob or a command-line value is not valid."""

    exit_code = 2


class DataError(FlowError):
    """A data set cannot be found, read or used."""

    exit_code = 2


class ModelError(FlowError):
    """A model file cannot be loaded, or not safely."""

    exit_code = 2


class UnsupportedLayer(FlowError):
    """A layer, or a setting of it, that hlsflow refuses by name."""

    exit_code = 2


class GateFailed(FlowError):
    """A link of the chain file = frozen = csim = oracle = RTL is broken, or further from the file than is allowed.

    Args:
        gate: the verdict as JSON, for a report of it; None where nothing was compared.
    """

    exit_code = 3

    def __init__(self, message: str, hint: str = "", gate: Mapping[str, Any] | None = None) -> None:
        super().__init__(message, hint)
        self.gate = gate


class BaselineMoved(FlowError):
    """A figure has moved beyond the tolerance of its baseline, or is missing now."""

    exit_code = 7


class ToolMissing(FlowError):
    """An external program is not installed, or too old."""

    exit_code = 4


class ToolFailed(FlowError):
    """An external program ended with an error, ran out of time, or left no usable result."""

    exit_code = 5


class DeviceError(FlowError):
    """A device that [devices] names is not there, or cannot train the network."""

    exit_code = 4


class WorkerLost(FlowError):
    """Another machine of a training is gone."""

    exit_code = 5


class OutputLost(FlowError):
    """Standard output cannot be written."""

    exit_code = 6


class ReaderGone(OutputLost):
    """Nobody reads standard output any more, as after `| head`; the code is the shell's own for that."""

    exit_code = 141


class StorageError(FlowError):
    """The build folder cannot be written or read (full disk, permissions, damaged file)."""

    exit_code = 6
