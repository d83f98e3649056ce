"""A training's figures as TensorBoard shows them, while it runs.

In: the figures of each epoch. Out: event files in `train/` and `validation/` of one folder, with the names that Keras'
own callback gives: `epoch_loss`, `epoch_accuracy` and so on, a point for each epoch, from 0.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from hlsflow.core.errors import StorageError

Figures = Mapping[str, float]

LOGS = "tensorboard"
"""Folder of the logs of all networks that a step trains, a folder for each in it."""

VALIDATION = "val_"
"""What the names of figures of the validation set begin with."""

PARTS = TRAINED, VALIDATED = "train", "validation"
"""Folders of both."""


class Curves:
    """The event files of one training. A resumed training writes those of all its epochs anew, so each is there once.

    Args:
        folder: emptied, and made where missing.
        history: figures of the epochs done.
    Raises:
        StorageError: the folder cannot be written.
    """

    def __init__(self, folder: Path, history: Sequence[Figures] = ()) -> None:
        import tensorflow as tf

        try:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
        except OSError as error:
            raise StorageError(
                f"logs for TensorBoard cannot be written to {folder}: {error.strerror}", "make room, then run again"
            ) from error
        with tf.device("/CPU:0"):
            self._writers = {part: tf.summary.create_file_writer(str(folder / part)) for part in PARTS}
        for epoch, figures in enumerate(history):
            self.add(epoch, figures)

    def add(self, epoch: int, figures: Figures) -> None:
        """The figures of an epoch, written at once."""
        import tensorflow as tf

        for name, value in figures.items():
            part = VALIDATED if name.startswith(VALIDATION) else TRAINED
            with self._writers[part].as_default(step=epoch), tf.device("/CPU:0"):
                tf.summary.scalar(f"epoch_{name.removeprefix(VALIDATION)}", value)
        for writer in self._writers.values():
            writer.flush()
