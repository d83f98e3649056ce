"""Take turns where there are fewer licences than runs.

In: a licence feature, and how many of it hlsflow may hold at once on this machine. Out: permission, one run at a time
for each. The slots are locked files in the cache folder, so that they count across processes, and the system frees
them when a holder dies.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from flows.toolchains.process import make_folder
from flows.toolchains.tool import cache_folder

POLL_S = 0.2


@contextmanager
def held(feature: str, count: int | None, say: Callable[[str], None]) -> Iterator[None]:
    """Hold one of `count` licences, waiting until there is one.

    Args:
        feature: the licence's name; "" when the program takes none.
        count: how many there are; None: not bounded.
        say: is told once when there is a wait.
    """
    if not feature or count is None:
        yield
        return
    lock = _acquire(feature, count, say)
    try:
        yield
    finally:
        lock.release()


def _acquire(feature: str, count: int, say: Callable[[str], None]) -> FileLock:
    folder = cache_folder() / "licences" / re.sub(r"\W", "_", feature)
    make_folder(folder)
    waited = False
    while True:
        for number in range(count):
            lock = _try(folder / f"{number}.lock")
            if lock is not None:
                return lock
        if not waited:
            say(f"waiting for a licence of {feature}: all {count} are in use")
            waited = True
        time.sleep(POLL_S)


def _try(file: Path) -> FileLock | None:
    lock = FileLock(file)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return None
    return lock
