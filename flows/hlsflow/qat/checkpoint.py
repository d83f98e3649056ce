"""Checkpoints of a training: written whole or not at all, the last two kept, damaged ones passed over.

In: the state after an epoch. Out: `epoch-00012.npz` files in one folder, and the newest readable state of them.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hlsflow.core.errors import StorageError
from hlsflow.core.store import replacing

KEPT = 2
"""How many checkpoints stay: the newest, and the one before in case the newest is damaged."""

Weights = tuple[NDArray[Any], ...]


@dataclass(frozen=True, eq=False)
class State:
    """A training after an epoch. Shuffling and learning rate follow from the epoch's number: they need no place here.

    Attributes:
        epoch: epochs done.
        weights, optimizer: all variables of the model and of the optimizer.
        best: weights of the best epoch so far.
        history: a dictionary of figures for each epoch done.
    """

    epoch: int
    weights: Weights
    optimizer: Weights
    best: Weights
    history: tuple[Mapping[str, float], ...]


def save(folder: Path, fingerprint: str, state: State) -> None:
    """Write the state, then remove the checkpoints that are no longer needed.

    Args:
        fingerprint: of everything that determines the training; a state of another one is never resumed.
    Raises:
        StorageError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(folder / f"epoch-{state.epoch:05d}.npz") as part:
            part.write_bytes(packed(fingerprint, state))
        for old in _files(folder)[KEPT:]:
            old.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(
            f"the checkpoint of epoch {state.epoch} cannot be written to {folder}: {error.strerror}",
            "make room or correct the permissions, then run again: training goes on where it stopped",
        ) from error


def packed(fingerprint: str, state: State) -> bytes:
    """A state as the content of a file."""
    head = {"fingerprint": fingerprint, "epoch": state.epoch, "history": [dict(row) for row in state.history]}
    arrays = {"head": np.array(json.dumps(head))}
    for group in ("weights", "optimizer", "best"):
        arrays |= {f"{group}/{number:04d}": array for number, array in enumerate(getattr(state, group))}
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]  # numpy's stubs take the names for keyword options
    return buffer.getvalue()


def unpacked(content: bytes) -> tuple[str, State]:
    """Fingerprint and state of a file's content."""
    with np.load(io.BytesIO(content), allow_pickle=False) as data:
        head = json.loads(str(data["head"]))
        groups = {
            group: tuple(data[key] for key in sorted(data.files) if key.startswith(f"{group}/"))
            for group in ("weights", "optimizer", "best")
        }
    return head["fingerprint"], State(head["epoch"], **groups, history=tuple(head["history"]))


def latest(folder: Path, fingerprint: str, say: Callable[[str], None]) -> State | None:
    """The newest readable state of that training, or None; tells the user about files it has to pass over."""
    for file in _files(folder):
        try:
            owner, state = unpacked(file.read_bytes())
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            say(f"checkpoint {file.name} is damaged ({error}); using the one before")
            continue
        if owner == fingerprint:
            return state
        say(f"checkpoint {file.name} belongs to other settings, data or versions; training starts anew")
        return None
    return None


def _files(folder: Path) -> list[Path]:
    """Newest first."""
    return sorted(folder.glob("epoch-*.npz"), reverse=True)
