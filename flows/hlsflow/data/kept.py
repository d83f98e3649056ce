"""Prepared samples, kept on disk: a large file is parsed, split and put on the input's grid once, not in every step.

In: a key, and what makes the arrays. Out: the arrays, memory-mapped. A copy is written whole or not at all, two runs at
once make one, and one whose checksums are wrong is made again.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hlsflow.core.caches import DATA_VARIABLE, data_folder
from hlsflow.core.errors import StorageError
from hlsflow.core.store import Key, Store

LARGE_BYTES = 2**25
"""Of a file with samples, from which a copy pays: smaller ones are read and prepared in less than a second."""

COPIES = 8
"""That are kept: those that were used last."""

SHARE = 0.1
"""Of the disk's free space, which a copy may take at most."""

Arrays = Mapping[str, NDArray[Any]]


def cached(key: Key, make: Callable[[], Arrays], say: Callable[[str], None]) -> Arrays:
    """The arrays of a key from their copy; where there is none, they are made and kept.

    A folder that cannot be written, or a disk without room, is no error: the arrays are made anew each time then.

    Args:
        key: plain JSON values that say all that the arrays depend on.
        say: where to report waiting for another run, and damage.
    Raises:
        Whatever `make` raises; nothing is kept then.
    """
    made: dict[str, NDArray[Any]] = {}

    def work(folder: Path) -> None:
        try:
            made.update(make())
            _write(folder, made)
        except BaseException:
            shutil.rmtree(folder)
            raise

    try:
        stored = Store(data_folder(), say).do("prepared", key, work)
        os.utime(stored.folder)
        if not stored.reused:
            _forget_the_oldest(stored.folder.parent)
        return {Path(name).stem: _mapped(stored.folder / name) for name in stored.outputs}
    except (StorageError, OSError):
        return made or make()


def _write(folder: Path, arrays: Arrays) -> None:
    size = sum(array.nbytes for array in arrays.values())
    if size > SHARE * shutil.disk_usage(folder).free:
        raise StorageError(f"{folder} has no room for {size} bytes", f"name another folder with {DATA_VARIABLE}")
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)


def _mapped(file: Path) -> NDArray[Any]:
    """An array whose values are read from the disk when they are used."""
    array: NDArray[Any] = np.load(file, mmap_mode="r", allow_pickle=False)
    return array.view(np.ndarray)


def _forget_the_oldest(folder: Path) -> None:
    copies = [path for path in folder.iterdir() if path.is_dir() and path.suffix != ".partial"]
    for path in sorted(copies, key=lambda path: path.stat().st_mtime, reverse=True)[COPIES:]:
        shutil.rmtree(path, ignore_errors=True)
