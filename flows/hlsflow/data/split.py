"""The sets of a data source: which samples train, which choose the best epoch, and which judge.

In: named arrays, as they come, and the project. Out: a `Part` for each set: samples, what is right of them, and how
much each counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hlsflow.core.errors import DataError
from hlsflow.core.tasks import Kind
from hlsflow.data.targets import converted, flat
from hlsflow.project import Data, Project

Array = NDArray[Any]

ALL_JUDGED = "that are judged; if the network was trained on others, name their file: data.standardize = FILE (of a \
model file --standardize-by FILE)"
"""What the samples are that a trained model's statistics are learnt from, where its data hold no training set."""

LARGEST_EXACT = 2**53
"""Whole numbers of up to so much have a float64 each."""


@dataclass(frozen=True, eq=False)
class Part:
    """Samples of one set.

    Attributes:
        x: (n, ...).
        y: (n, ...), what is right; (0,) where that is not known.
        w: (n,), how much each sample counts in training; (0,): all alike.
    """

    x: Array
    y: Array
    w: Array

    def of(self, rows: Any) -> Part:
        return Part(*(array[rows] if len(array) else array for array in (self.x, self.y, self.w)))


Parts = tuple[Part, Part, Part]


def parts_of(arrays: Mapping[str, Array], project: Project, kind: Kind, name: str) -> Parts:
    """Training, validation and test set as they come; the first two are empty for a trained model.

    Raises:
        DataError: an array is missing, or the samples cannot be split.
    """
    undivided, data = "x" in arrays, project.data
    weight = data.sample_weight
    if project.training is None and data.test is None:
        key = "y" if undivided else "y_test"
        return _no_training(part_of(arrays, "x" if undivided else "x_test", key if key in arrays else None, name))
    has_targets = not (project.task == "regression" and not {"y", "y_train", "y_test"} & set(arrays))
    splitter = _Splitter(arrays, data, kind, name, has_targets)
    first = ("x", "y", weight) if undivided else ("x_train", "y_train", weight and f"{weight}_train")
    rest = part_of(arrays, first[0], first[1] if has_targets else None, name, first[2])
    rest, test = splitter.take("test", rest, data.test)
    if project.training is None:
        return _no_training(test)
    train, validation = splitter.take("val", rest, data.validation)
    return train, validation, test


def outside_the_test(arrays: Mapping[str, Array], project: Project, kind: Kind, name: str) -> tuple[Part, str]:
    """The samples that statistics are learnt from, and what they are: the same ones whether a model is trained or only
    judged; of a trained model whose samples are all judged, these."""
    has_targets = "y" in arrays
    if "x" in arrays and project.data.test is not None:
        everything = part_of(arrays, "x", "y" if has_targets else None, name)
        rest, _ = _Splitter(arrays, project.data, kind, name, has_targets).take("test", everything, project.data.test)
        return rest, "outside the test set"
    if "x_train" in arrays:
        return Part(arrays["x_train"], arrays.get("y_train", np.zeros(0)), np.zeros(0)), "in x_train"
    if project.training is None:
        x, y = ("x", "y") if "x" in arrays else ("x_test", "y_test")
        return part_of(arrays, x, y if y in arrays else None, name), ALL_JUDGED
    raise DataError(
        f"{name} has no training samples to learn mean and deviation from", "remove data.standardize, or set data.test"
    )


def part_of(arrays: Mapping[str, Array], x: str, y: str | None, name: str, weight: str | None = None) -> Part:
    """Arrays of these names as a set; raises DataError where one is missing or there are no samples."""
    wanted = [key for key in (x, y, weight) if key is not None]
    missing = [key for key in wanted if key not in arrays]
    if missing:
        raise DataError(
            f"{name} has no array {' and no array '.join(missing)}; it has: {', '.join(sorted(arrays)) or 'nothing'}",
            _names(y, missing),
        )
    for key in (key for key in wanted if not arrays[key].ndim):
        raise DataError(f"{name}: {key} is one number, no array with a row for each sample", "correct the data file")
    if not arrays[x].size:
        raise DataError(f"{name} has no samples in {x}", "correct the data file")
    none = np.zeros(0)
    return Part(arrays[x], none if y is None else arrays[y], none if weight is None else arrays[weight])


def _names(y: str | None, missing: list[str]) -> str:
    hint = (
        "arrays are named x_train, y_train, x_test, y_test (x_val, y_val), or x and y; say what yours are called by "
        "--features NAME --label NAME (data.features, data.label)"
    )
    if y is None:
        return f"{hint}; without a training x or x_test is enough"
    more = f'; of an autoencoder, which needs no {y}, set task = "regression"' if missing == [y] else ""
    return f"{hint}; of a table, data.label names the column of the class{more}"


def _no_training(test: Part) -> Parts:
    """A test set for a trained model."""
    empty = test.of(slice(0))
    return empty, empty, test


@dataclass(frozen=True)
class _Splitter:
    """Takes sets from arrays of their own, or splits them off.

    Attributes:
        has_targets: whether it is known what is right.
    """

    arrays: Mapping[str, Array]
    data: Data
    kind: Kind
    name: str
    has_targets: bool

    def take(self, part: str, rest: Part, fraction: float | None) -> tuple[Part, Part]:
        """What remains, and the set."""
        key, own = {"test": "data.test", "val": "data.validation"}[part], f"x_{part}" in self.arrays
        if own and fraction is not None:
            raise DataError(
                f"{self.name} has x_{part}, so {key} = {fraction} would split off a second one", f"remove {key}"
            )
        if own:
            weight = self.data.sample_weight if part == "val" else None  # a test set is judged as it is
            names = f"y_{part}" if self.has_targets else None, weight and f"{weight}_{part}"
            return rest, part_of(self.arrays, f"x_{part}", names[0], self.name, names[1])
        if fraction is None:
            raise DataError(
                f"{self.name} has no x_{part} and {key} is not given", f"set {key}, such as 0.1, or add x_{part}"
            )
        return self._split(rest, fraction)

    def _split(self, part: Part, fraction: float) -> tuple[Part, Part]:
        """At random; the same share of each class in both."""
        from sklearn.model_selection import train_test_split

        check(part.x, part.y if self.has_targets else np.zeros(len(part.x)), self.name)
        classes = converted(part.y, self.kind, self.name) if self.has_targets and self.kind is Kind.CLASSES else None
        try:
            rest, taken = train_test_split(
                np.arange(len(part.x)), test_size=fraction, random_state=self.data.seed, stratify=classes
            )
        except ValueError as error:
            raise DataError(
                f"{self.name} cannot be split evenly: {error}", "give more samples, or other fractions"
            ) from error
        return part.of(rest), part.of(taken)


def check(x: Array, y: Array, name: str) -> None:
    """Refuse samples that no network can take; raises DataError.

    Args:
        y: (n, ...), what is right of them.
    """
    for problem, hint in _problems(x, y):
        raise DataError(f"{name}: {problem}", hint)


def _problems(x: Array, y: Array) -> Iterator[tuple[str, str]]:
    correct = "correct the data file"
    if x.dtype.kind not in "biuf" or y.dtype.kind not in "biuf":
        yield f"x of type {x.dtype} and y of type {y.dtype} are not real numbers", correct
    elif x.ndim < 2 or y.shape[:1] != x.shape[:1]:
        yield f"x {x.shape} and y {y.shape} must be (n, …) and (n,) or (n, values), with the same n", correct
    else:
        for key, array in (("x", x), ("y", y)):
            rows = np.flatnonzero(~np.isfinite(flat(array)).all(1))
            if len(rows):
                many = "samples hold" if len(rows) > 1 else "sample holds"
                yield f"{len(rows)} {many} NaN or infinity in {key}, the first is number {rows[0]}", correct
        rows = np.flatnonzero(~flat(_exact(x)).all(1))
        if len(rows):
            yield (
                f"x holds numbers of more than 53 bits, which float64 cannot hold, first in sample {rows[0]}",
                "take away an offset, or scale them, in the data file",
            )


def _exact(x: Array) -> NDArray[np.bool_]:
    """Which values have a float64 each: those whose bits from the first one to the last one are 53 at the most."""
    if x.dtype.kind == "f" and x.dtype.itemsize > 8:
        return np.asarray(x.astype(np.float64) == x)
    if x.dtype.kind not in "iu" or x.dtype.itemsize < 8:
        return np.ones(x.shape, np.bool_)
    size = np.where(x < 0, -x, x).astype(np.uint64) if x.dtype.kind == "i" else x
    last = np.maximum(size & (~size + np.uint64(1)), np.uint64(1))
    exact: NDArray[np.bool_] = size // last < LARGEST_EXACT
    return exact
