"""Changes training images at random, so that few of them teach more: mirrored left to right, moved by some pixels.

In: images and a random generator. Out: as many images of the same shape; the same for the same state of the generator.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hlsflow.core.errors import DataError
from hlsflow.project import Data

Images = NDArray[np.float32]


def check_images(shape: tuple[int, ...], data: Data, inputs: int = 1) -> None:
    """Refuse to change samples that are no images.

    Args:
        shape: of one sample, as the model takes it.
        inputs: of the model.
    Raises:
        DataError: changes are asked for, and a sample is not one image (height, width, channels).
    """
    if (data.flip or data.shift) and len(shape) != 3:
        takes = shape if inputs == 1 else f"{inputs} inputs"
        raise DataError(
            f"data.flip and data.shift are for images (height, width, channels), but the model takes {takes}",
            "remove both",
        )


@dataclass(frozen=True, eq=False)
class Changes:
    """What happens to each of some images.

    Attributes:
        mirrored: (n,) whether left and right change places; None: for no image.
        moves: (2, n) rows and columns of the padded image that are left out before it; None: no moves.
        most: pixels that an image moves by at most.
    """

    mirrored: NDArray[np.bool_] | None = None
    moves: NDArray[np.int64] | None = None
    most: int = 0

    def of(self, rows: NDArray[np.int64]) -> Changes:
        """Those of some of the images, by their numbers."""
        mirrored = None if self.mirrored is None else self.mirrored[rows]
        return Changes(mirrored, None if self.moves is None else self.moves[:, rows], self.most)

    def applied(self, images: Images) -> Images:
        """The images, changed.

        Args:
            images: (n, height, width, channels).
        """
        if self.mirrored is not None:
            images = np.where(self.mirrored[:, None, None, None], images[:, :, ::-1], images)
        return images if self.moves is None else _moved(images, self.moves, self.most)


def drawn(count: int, data: Data, random: np.random.Generator) -> Changes:
    """The changes of so many images, as the project asks."""
    mirrored = random.random(count) < 0.5 if data.flip else None
    moves = random.integers(0, 2 * data.shift + 1, (2, count)) if data.shift else None
    return Changes(mirrored, moves, data.shift)


def _moved(images: Images, moves: NDArray[np.int64], most: int) -> Images:
    """Each image moved on its own, by -most to most pixels along both axes; zeros move in."""
    padded = np.pad(images, ((0, 0), (most, most), (most, most), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, images.shape[1:3], (1, 2))
    down, right = moves
    return np.moveaxis(windows[np.arange(len(images)), down, right], 1, 3)
