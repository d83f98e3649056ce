"""Batches of a tf.data pipeline are those of the project's own training."""

from __future__ import annotations

import numpy as np
import pytest

from flows.errors import DataError
from flows.project import Data
from flows.qat.augment import augmented
from flows.qat.data import Dataset
from flows.qat.pipeline import batches

RNG = np.random.default_rng(0)
X = RNG.integers(0, 9, (23, 4, 4, 1)).astype(np.float32)
Y = np.arange(23, dtype=np.int64)
DATA = Dataset("made", X, Y, X[:0], Y[:0], X[:1], Y[:1])


def drawn(source: Data, seed: int, epoch: int) -> list[tuple[np.ndarray, np.ndarray]]:
    return [(x.numpy(), y.numpy()) for x, y in batches(DATA, source, 8, seed, epoch)]


def test_an_epoch_has_each_sample_once_in_an_order_of_its_own() -> None:
    plain = Data(source="x.npz")
    first = drawn(plain, 3, 0)
    assert [len(y) for _, y in first] == [8, 8, 7] == [8] * (len(batches(DATA, plain, 8, 3, 0)) - 1) + [7]
    orders = [np.concatenate([y for _, y in drawn(plain, seed, epoch)]) for seed, epoch in ((3, 0), (3, 0), (3, 1))]
    np.testing.assert_array_equal(orders[0], orders[1])
    assert not np.array_equal(orders[0], orders[2])
    assert sorted(orders[0]) == list(range(23))
    np.testing.assert_array_equal(orders[0], np.random.default_rng((3, 0)).permutation(23))
    for x, y in first:
        np.testing.assert_array_equal(x, X[y])


def test_images_are_changed_as_in_training() -> None:
    source = Data(source="x.npz", flip=True, shift=1)
    expected = augmented(X, source, np.random.default_rng((3, 2, 1)))
    assert not np.array_equal(expected, X)
    for x, y in drawn(source, 3, 2):
        np.testing.assert_array_equal(x, expected[y])


def test_rows_of_numbers_are_not_changed() -> None:
    with pytest.raises(DataError, match="are for images"):
        batches(DATA.shaped((16,)), Data(source="x.npz", flip=True), 8, 0, 0)
