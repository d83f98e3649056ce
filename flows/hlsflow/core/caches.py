"""Where hlsflow keeps what all runs and projects of a user can use again.

In: the environment. Out: folders, which may be deleted at any time.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from hlsflow.core.errors import StorageError

CACHE_VARIABLE = "XDG_CACHE_HOME"
"""The environment variable that names the user's cache folder."""

HINT = f"set {CACHE_VARIABLE} to a folder that you may write to"

DATA_VARIABLE = "HLSFLOW_DATA"
"""The environment variable that names another folder for samples."""


def cache_folder() -> Path:
    """hlsflow's part of the user's cache folder.

    Raises:
        StorageError: the user has no home folder, as in a container, and the environment names no other place.
    """
    base = os.environ.get(CACHE_VARIABLE)
    if base:
        return Path(base) / "hlsflow"
    try:
        return Path.home() / ".cache" / "hlsflow"
    except RuntimeError:
        raise StorageError(f"user {os.getuid()} has no home folder, and so no cache folder", HINT) from None


def filled(folder: Path, fill: Callable[[Path], None]) -> Path:
    """A folder of the cache, filled at first use on this machine.

    Safe with any number of processes at once: each fills a folder of its own, and the first one to finish moves it into
    place in one step.

    Args:
        folder: in `cache_folder()`.
        fill: writes what belongs there into the folder that it is given.

    Raises:
        OSError: the cache cannot be written.
    """
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="new-", dir=folder.parent) as name:
            fresh = Path(name) / "content"
            fresh.mkdir()
            fill(fresh)
            _move_into_place(fresh, folder)
    return folder


def _move_into_place(fresh: Path, folder: Path) -> None:
    try:
        os.rename(fresh, folder)
    except OSError:
        if not folder.is_dir():
            raise


def hint_for(path: Path, otherwise: str) -> str:
    """What to do where `path` cannot be written: another folder for the cache, when it lies there."""
    with suppress(StorageError):
        if cache_folder() in (path, *path.parents):
            return HINT
    return otherwise


def data_folder() -> Path:
    """Of downloaded and prepared samples: the folder that `HLSFLOW_DATA` names, or `data` in `cache_folder()`."""
    return Path(os.environ.get(DATA_VARIABLE) or cache_folder() / "data")
