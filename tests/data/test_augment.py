"""Training images changed at random: what may happen to an image, and that it happens again."""

from __future__ import annotations

import numpy as np
import pytest

from hlsflow.core.errors import DataError
from hlsflow.data.augment import Images, check_images, drawn
from hlsflow.project import Data

IMAGES: Images = np.random.default_rng(0).uniform(1, 2, (60, 5, 4, 3)).astype(np.float32)


def data(flip: bool = False, shift: int = 0) -> Data:
    return Data(source="x.npz", flip=flip, shift=shift)


def changed(asked: Data, seed: int = 0) -> Images:
    return drawn(len(IMAGES), asked, np.random.default_rng(seed)).applied(IMAGES)


def moved(image: Images, down: int, right: int) -> Images:
    """One image, row by row and column by column."""
    out = np.zeros_like(image)
    for row in range(5):
        for column in range(4):
            if 0 <= row - down < 5 and 0 <= column - right < 4:
                out[row, column] = image[row - down, column - right]
    return out


def test_nothing_asked_nothing_changed() -> None:
    np.testing.assert_array_equal(changed(data()), IMAGES)


def test_about_half_are_mirrored_and_the_others_stay() -> None:
    mirrored = [np.array_equal(new, old[:, ::-1]) for new, old in zip(changed(data(flip=True)), IMAGES, strict=True)]
    kept = [np.array_equal(new, old) for new, old in zip(changed(data(flip=True)), IMAGES, strict=True)]
    assert np.logical_xor(mirrored, kept).all()
    assert 15 < sum(mirrored) < 45


def test_each_image_is_moved_on_its_own_and_by_no_more_than_asked() -> None:
    seen = set()
    for new, old in zip(changed(data(shift=2)), IMAGES, strict=True):
        moves = [(d, r) for d in range(-2, 3) for r in range(-2, 3) if np.array_equal(new, moved(old, d, r))]
        assert len(moves) == 1
        seen |= set(moves)
    assert len(seen) > 15
    assert {-2, 2} <= {down for down, _ in seen}
    assert {-2, 2} <= {right for _, right in seen}


def test_the_same_seed_gives_the_same_images_of_the_same_type() -> None:
    both = data(flip=True, shift=1)
    np.testing.assert_array_equal(changed(both, 3), changed(both, 3))
    assert not np.array_equal(changed(both, 3), changed(both, 4))
    assert (changed(both).dtype, changed(both).shape) == (IMAGES.dtype, IMAGES.shape)


def test_rows_of_numbers_are_no_images() -> None:
    check_images((64,), data())
    check_images((8, 8, 1), data(flip=True))
    with pytest.raises(DataError, match=r"are for images \(height, width, channels\), but the model takes \(64,\)"):
        check_images((64,), data(shift=1))
