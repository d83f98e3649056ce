"""All processes of one tool: what they take of the memory.

In: the guard under which the tool runs. Out: bytes. The guard adopts what its descendants leave behind (see
`guard.py`), so nothing of a tool is missed, whatever sessions or process groups it makes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import psutil


def _members(guard: int) -> Iterator[psutil.Process]:
    with contextlib.suppress(psutil.Error):
        yield from psutil.Process(guard).children(recursive=True)


def resident_bytes(guard: int) -> int:
    """The sum of their resident memory; pages that several share count for each, so it is at most too large."""
    total = 0
    for member in _members(guard):
        with contextlib.suppress(psutil.Error):  # it has ended meanwhile
            total += member.memory_info().rss
    return total


def proportional_bytes(guard: int) -> int:
    """What they take together, shared pages counted once (PSS of Linux's proc(5)); slow for large processes."""
    total = 0
    for member in _members(guard):
        with contextlib.suppress(psutil.Error):
            figures = member.memory_full_info()
            total += getattr(figures, "pss", figures.rss)
    return total
