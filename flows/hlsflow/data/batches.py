"""A project's training samples as a `tf.data` pipeline, for training with Keras' own `fit` or on several devices.

In: a data set, the project's [data], batch size, seed and epoch. Out: a `tf.data.Dataset` of batches, in the order and
with the changes that the project's own training has in that epoch.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hlsflow.data.augment import Changes, Images, check_images, drawn
from hlsflow.data.data import Dataset
from hlsflow.ir.integers import ceil_div
from hlsflow.project import Data

AUGMENTATION = 1
"""Tells the random numbers that change images from those that shuffle them."""


def order_of(rows: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """In which order the samples come in an epoch."""
    return np.random.default_rng((seed, epoch)).permutation(rows)


def changed(images: Images, source: Data, seed: int, epoch: int) -> Images:
    """The training samples of an epoch, changed at random where the project asks for it."""
    return _changes(len(images), source, seed, epoch).applied(images) if source.flip or source.shift else images


def _changes(count: int, source: Data, seed: int, epoch: int) -> Changes:
    return drawn(count, source, np.random.default_rng((seed, epoch, AUGMENTATION)))


def batches(data: Dataset, source: Data, batch_size: int, seed: int, epoch: int) -> Any:
    """The training batches of one epoch, the next ones made ready while one is worked on.

    Only the samples of a batch are read, and changed, at a time: `data` may be memory-mapped
    (`numpy.load("x_train.npy", mmap_mode="r")`) and larger than memory. What is kept of a whole epoch is its order and
    what is drawn at random, 8 to 25 bytes a sample. Batches are not cached, as each epoch has others.

    Args:
        data: shaped as the model takes it.
        source: flip and shift of it are heeded.
        epoch: from 0.
    Returns:
        a `tf.data.Dataset` of (samples, what is right of them); the last batch may be smaller.
    Raises:
        DataError: changes of images are asked for, and the samples are none.
    """
    import tensorflow as tf

    check_images(data.shape, source)
    count = len(data.x_train)

    def chosen() -> Iterator[tuple[Images, NDArray[Any]]]:
        changes, order = _changes(count, source, seed, epoch), order_of(count, seed, epoch)
        for start in range(0, count, batch_size):
            rows = order[start : start + batch_size]
            yield changes.of(rows).applied(np.asarray(data.x_train[rows])), np.asarray(data.y_train[rows])

    right = tf.TensorSpec((None, *data.y_train.shape[1:]), tf.as_dtype(data.y_train.dtype))
    signature = tf.TensorSpec((None, *data.shape), tf.float32), right
    dataset = tf.data.Dataset.from_generator(chosen, output_signature=signature)
    steps = ceil_div(count, batch_size)
    return dataset.apply(tf.data.experimental.assert_cardinality(steps)).prefetch(tf.data.AUTOTUNE)
