"""Take turns where there are fewer licences than runs.

In: a licence feature, and how many of it hlsflow may hold at once on this machine. Out: permission, one run at a time
for each. The slots are locked files in the cache folder, so that they count across processes, and the system frees
them when a holder dies.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from hlsflow.core.caches import cache_folder
from hlsflow.core.errors import ProjectError
from hlsflow.toolchains.process import make_folder

POLL_S = 0.2
VARIABLE = "HLSFLOW_LICENCES"


@contextmanager
def held(feature: str, count: int | None, say: Callable[[str], None]) -> Iterator[None]:
    """Hold one of `count` licences, waiting until there is one.

    Args:
        feature: the licence's name; "" when the program takes none.
        count: how many there are; None: as many as the environment variable HLSFLOW_LICENCES says, or not bounded.
        say: is told once when there is a wait.
    """
    bound = count or _in_environment()
    if not feature or bound is None:
        yield
        return
    lock = _acquire(feature, bound, say)
    try:
        yield
    finally:
        lock.release()


def _in_environment() -> int | None:
    text = os.environ.get(VARIABLE, "")
    if text and not (text.isdigit() and int(text)):
        raise ProjectError(f"{VARIABLE}={text} is no number of licences", "write 1 or more, or leave it out")
    return int(text) if text else None


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
