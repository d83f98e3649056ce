"""Samples brought to mean 0 and standard deviation 1, as many networks are trained on them.

In: the samples that mean and deviation are learnt from. Out: a `Standard`, which standardizes others by them and says
whose they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from hlsflow.core.errors import DataError
from hlsflow.data.sources import read_file
from hlsflow.data.split import check

Array = NDArray[Any]

ASKED = "data.standardize (--standardize-by)"
"""Where a project, or a command with a model file, names the samples that mean and deviation are learnt from."""


@dataclass(frozen=True, eq=False)
class Standard:
    """Mean and deviation of each feature.

    Attributes:
        by: whose they are, for people.
        mean: (...), of the shape of a sample.
        deviation: (...), the population's standard deviation; 1 for a feature that never changes.
        features: names of the features; empty: they have none.
    """

    by: str
    mean: Array
    deviation: Array
    features: tuple[str, ...] = ()

    @classmethod
    def of(cls, samples: Array, by: str = "", features: Sequence[str] = ()) -> Self:
        """That of samples, (n, ...), real."""
        deviation = samples.std(0)
        return cls(by, samples.mean(0), np.where(deviation > 0, deviation, 1.0), tuple(features))

    def __call__(self, samples: Array) -> Array:
        """Samples, (n, ...), standardized; a feature that never changed is 0 where it still has its value."""
        moved: Array = (samples - self.mean) / self.deviation
        return moved

    def __str__(self) -> str:
        return f"samples standardized by mean and deviation of {self.by}"

    def to_json(self) -> dict[str, Any]:
        """Plain values; features are numbered from 0 where they have no names."""
        mean, deviation = self.mean.ravel().tolist(), self.deviation.ravel().tolist()
        names = list(self.features) or [str(number) for number in range(len(mean))]
        return {"by": self.by, "features": names, "mean": mean, "deviation": deviation}


def samples_like(path: Path, shape: tuple[int, ...], features: Sequence[str]) -> Array:
    """The samples of another file with the features of a data source: its training samples, where it tells them apart.

    Args:
        path: `.npz`, or a table whose columns may stand in another order.
        shape: of one sample of the source.
        features: columns of a table; of an `.npz` what takes the place of `x`; empty: all but the class, and `x`.
    Returns:
        (n, *shape), real.
    Raises:
        DataError: the file cannot be read, or its samples are of another shape.
    """
    if not path.is_file():
        raise DataError(f"there is no file {path} to learn mean and deviation from", f"correct {ASKED}")
    arrays = read_file(path, None, features)
    key = next((key for key in ("x_train", "x") if key in arrays), None)
    if key is None:
        raise DataError(
            f"{path} has no array x_train or x to learn mean and deviation from; it has: {', '.join(sorted(arrays))}",
            f"name the file that holds the training samples by {ASKED}",
        )
    samples = arrays[key]
    check(samples, np.zeros(len(samples)), str(path))
    if samples.shape[1:] != shape:
        raise DataError(
            f"{path} has samples of shape {samples.shape[1:]} to learn mean and deviation from, and those to be "
            f"standardized have {shape}",
            f"name the file with the training samples of this network by {ASKED}",
        )
    return samples


SPREAD = 10.0
"""How often the deviation of one feature is that of another in samples that look as if nobody had scaled them."""


def doubt(samples: Array, classes: NDArray[np.int64], accuracy: float, standardized: bool) -> str | None:
    """What to say of a trained model that hardly tells classes apart: were its samples prepared in the same way?

    Args:
        samples: (n, ...), as the network sees them.
        classes: (n,), numbers from 0.
        accuracy: of the network on them, a fraction.
    Returns:
        None where the accuracy is nearer to 1 than to that of naming the most frequent class always, or nothing looks
        wrong about the samples.
    """
    guessed = float(np.bincount(classes).max()) / len(classes)
    if accuracy > (1 + guessed) / 2:
        return None
    said = f"accuracy {accuracy:.4f} is poor (always naming the most frequent class: {guessed:.4f})"
    if standardized:
        return (
            f"{said}, and the samples are standardized: if the network was trained on raw ones, or begins with a "
            "Normalization layer, leave out --standardize (data.standardize)"
        )
    deviation = samples.reshape(len(samples), -1).std(0)
    varying = deviation[deviation > 0]
    if not len(varying) or varying.max() < SPREAD * varying.min():
        return None
    return (
        f"{said}, and the features' deviations range from {varying.min():.3g} to {varying.max():.3g}: if the network "
        "was trained on standardized samples, add --standardize-by FILE with its training samples, or --standardize "
        "(data.standardize)"
    )
