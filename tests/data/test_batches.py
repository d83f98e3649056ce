"""Batches of a tf.data pipeline are those of the project's own training."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hlsflow.core.errors import DataError
from hlsflow.data import augment
from hlsflow.data.batches import batches
from hlsflow.data.data import Dataset
from hlsflow.project import Data

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
    expected = augment.drawn(len(X), source, np.random.default_rng((3, 2, 1))).applied(X)
    assert not np.array_equal(expected, X)
    for x, y in drawn(source, 3, 2):
        np.testing.assert_array_equal(x, expected[y])


def test_rows_of_numbers_are_not_changed() -> None:
    with pytest.raises(DataError, match="are for images"):
        batches(DATA.shaped((16,)), Data(source="x.npz", flip=True), 8, 0, 0)


@pytest.mark.parametrize("changes", [{"flip": True}, {"shift": 2}, {"flip": True, "shift": 1}])
def test_memory_mapped_images_give_the_same_batches(changes: dict[str, int], tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", X)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    source = Data(source="x.npz", **changes)
    data = Dataset("mapped", mapped, Y, X[:0], Y[:0], X[:1], Y[:1])
    for (x, y), (mapped_x, mapped_y) in zip(drawn(source, 5, 1), batches(data, source, 8, 5, 1), strict=True):
        np.testing.assert_array_equal(mapped_x.numpy(), x)
        np.testing.assert_array_equal(mapped_y.numpy(), y)


LIMITED = """
import resource, sys
import numpy as np, psutil
from hlsflow.project import Data
from hlsflow.data.data import Dataset
from hlsflow.data.batches import batches

x = np.lib.format.open_memmap(sys.argv[1], "w+", np.float32, ({rows}, 32, 32, 4))
x[1000], x[-1] = 3, 5
del x
x, y = np.load(sys.argv[1], mmap_mode="r"), np.arange({rows})
source, rest = Data(source="x.npz", flip=True, shift=2), (x[:0], y[:0], x[:1], y[:1])
for _ in batches(Dataset("few", x[:256], y[:256], *rest), source, 64, 0, 0):
    pass  # TensorFlow's own threads and buffers
used = psutil.Process().memory_info().data
resource.setrlimit(resource.RLIMIT_DATA, (used + {free}, used + {free}))
data = Dataset("large", x, y, *rest)
print(x.nbytes, sum(float(given.numpy().max()) for given, _ in batches(data, source, 64, 0, 0)))
try:
    np.array(x)
except MemoryError:
    print("all at once: no")
"""
ROWS, FREE = 2**14, 2**26
"""Images of 16 KiB, 256 MiB in all; bytes that a process may take while it goes through them."""


@pytest.mark.skipif(sys.platform != "linux", reason="limits of private memory are Linux's")
def test_an_epoch_needs_a_fraction_of_the_memory_of_its_samples(tmp_path: Path) -> None:
    """The limit leaves mapped files out, and holds: a copy of the samples does not fit."""
    call = [sys.executable, "-c", LIMITED.format(rows=ROWS, free=FREE), str(tmp_path / "x.npy")]
    done = subprocess.run(call, capture_output=True, text=True)
    assert done.stdout.splitlines() == [f"{ROWS * 2**14} 8.0", "all at once: no"], done.stderr
