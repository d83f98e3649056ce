"""Changes training images at random, so that few of them teach more: mirrored left to right, moved by some pixels.

In: images and a random generator. Out: as many images of the same shape; the same for the same state of the generator.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flows.errors import DataError
from flows.project import Data

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


def augmented(images: Images, data: Data, random: np.random.Generator) -> Images:
    """The images, changed as the project asks.

    Args:
        images: (n, height, width, channels).
    """
    if data.flip:
        images = np.where(random.random((len(images), 1, 1, 1)) < 0.5, images[:, :, ::-1], images)
    return _moved(images, data.shift, random) if data.shift else images


def _moved(images: Images, most: int, random: np.random.Generator) -> Images:
    """Each image moved on its own, by -most to most pixels along both axes; zeros move in."""
    padded = np.pad(images, ((0, 0), (most, most), (most, most), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, images.shape[1:3], (1, 2))
    down, right = random.integers(0, 2 * most + 1, (2, len(images)))
    return np.moveaxis(windows[np.arange(len(images)), down, right], 1, 3)
