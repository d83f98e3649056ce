"""Data sets: real samples on the exact grid of the hardware's input, split the same way every time.

In: a project. Out: a `Dataset`. A source is in one piece, `x` and `y`, or in parts, `x_train`, `y_train`, `x_test`,
`y_test` and perhaps `x_val`, `y_val`. A trained model needs a test set alone, with classes only if its accuracy is to
be known; where data.test names a fraction it is judged by that part, which another training has not seen. With
[anomaly] the class of a normal sample is 0 and that of all others 1, in all three sets.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hlsflow.core.errors import DataError, ModelError
from hlsflow.core.progress import Progress
from hlsflow.core.store import code, file_digest
from hlsflow.data.kept import LARGE_BYTES, kept
from hlsflow.data.openml import settled
from hlsflow.data.sources import read_file, read_source
from hlsflow.ir.fixed import MAX_WIDTH, Fixed, Overflow
from hlsflow.project import FETCHED_SETS, TABLES, Data, Project

Samples = NDArray[Any]
Pair = tuple[Samples, Samples]

PARTS = ("x_train", "y_train", "x_val", "y_val", "x_test", "y_test")
"""Arrays of a `Dataset`."""

FLOAT_BITS = 24
"""Width of float32's significand: Keras computes in float32, so wider inputs would not stay exact."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """Samples and their classes.

    Attributes:
        name: of the source.
        x_train, x_val, x_test: float32, (n, *shape), every value exactly on the input quantizer's grid.
        y_train, y_val, y_test: int64, (n,), class numbers from 0.
        labels: names of the classes, where the source has texts; the place in it is the number.

    Training and validation sets are empty for a trained model.
    """

    name: str
    x_train: NDArray[np.float32]
    y_train: NDArray[np.int64]
    x_val: NDArray[np.float32]
    y_val: NDArray[np.int64]
    x_test: NDArray[np.float32]
    y_test: NDArray[np.int64]
    labels: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one sample."""
        return self.x_test.shape[1:]

    @property
    def classes(self) -> int:
        """How many there are by the largest number; 0 for a test set without classes."""
        return 1 + max((int(y.max()) for y in (self.y_train, self.y_val, self.y_test) if y.size), default=-1)

    def shaped(self, shape: tuple[int, ...]) -> Dataset:
        """The same samples, each brought to `shape` in row-major order.

        Raises:
            DataError: the numbers of values differ.
        """
        if np.prod(shape) != np.prod(self.shape):
            raise DataError(
                f"a sample of '{self.name}' has shape {self.shape}, but the model's input has {shape}",
                "give the model an input of the samples' size",
            )
        x_train, x_val, x_test = (x.reshape(-1, *shape) for x in (self.x_train, self.x_val, self.x_test))
        return Dataset(self.name, x_train, self.y_train, x_val, self.y_val, x_test, self.y_test, self.labels)

    def digest(self) -> str:
        """SHA-256 of all samples and classes, in order."""
        digest = hashlib.sha256()
        for part in (self.x_train, self.y_train, self.x_val, self.y_val, self.x_test, self.y_test):
            digest.update(repr(part.shape).encode() + np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()


def load_data(project: Project) -> Dataset:
    """The project's data, split, scaled, and on the grid of its input quantizer; downloaded where it has to be.

    Raises:
        DataError: the source is missing, damaged, not to be downloaded, of the wrong form, or leaves the input's range.
    """
    say = Progress().say
    project = settled(project, say)
    name, path = project.data_set or str(project.data_path), project.data_path
    make = partial(_prepared, project, name)
    large = path is not None and path.is_file() and path.stat().st_size >= LARGE_BYTES
    arrays = kept(_key(project, path), make, say) if large and path else make()
    return Dataset(name, **{key: arrays[key] for key in PARTS}, labels=tuple(map(str, arrays["labels"])))


def _key(project: Project, path: Path) -> dict[str, Any]:
    """All that the prepared samples of a file depend on."""
    data = project.data.model_dump(mode="json", exclude={"source", "fallback", "normalize", "flip", "shift"})
    return {
        "samples": [file_digest(path), path.suffix],
        "data": data,
        **project.digest_fields("anomaly"),
        "input": str(project.input.precision),
        "training": project.training is not None,
        "packages": {name: version(name) for name in ("numpy", "pyarrow", "scikit-learn")},
        "code": code("data/columns.py", "data/data.py", "data/sources.py", "ir/fixed.py"),
    }


def _prepared(project: Project, name: str) -> Mapping[str, Samples]:
    """The fields of a `Dataset` but for its name."""
    arrays = read_source(project)
    parts = _parts(arrays, project, name)
    for x, y in parts:
        _check_pair(x, np.zeros(len(x)) if project.training is None and not y.size else y, name)
    if len({x.shape[1:] for x, _ in parts}) > 1:
        raise DataError(f"the samples of {name} have different shapes: {[x.shape[1:] for x, _ in parts]}")
    to_real = _transform(arrays, project, name)
    (x_train, y_train), (x_val, y_val), (x_test, y_test) = (
        (_on_grid(to_real(x), project.input.precision, name), _classes(y, name)) for x, y in parts
    )
    labels = _texts(arrays, name)
    if project.anomaly is not None:
        y_train, y_val, y_test = _marked((y_train, y_val, y_test), project, labels, name)
        labels = ("normal", "anomaly")
    made = x_train, y_train, x_val, y_val, x_test, y_test, np.array(labels, str)
    return dict(zip((*PARTS, "labels"), made, strict=True))


def _texts(arrays: Mapping[str, Samples], name: str) -> tuple[str, ...]:
    """Names of the classes, by number, where the source has such."""
    has_texts = name in FETCHED_SETS or Path(name).suffix in TABLES
    return tuple(map(str, arrays.get("labels", ()))) if has_texts else ()


def _marked(
    classes: Sequence[NDArray[np.int64]], project: Project, labels: Sequence[str], name: str
) -> list[NDArray[np.int64]]:
    """Class numbers of each set as 0 for a normal sample and 1 for any other.

    Args:
        project: its [anomaly] names the normal ones, by number or by one of `labels`.
        name: of the data, for the message.
    Raises:
        DataError: a class that is said to be normal does not occur; without a training set, an unknown name alone.
    """
    assert project.anomaly is not None
    normal = project.anomaly.normal
    numbers = [labels.index(one) if one in labels else one for one in normal]
    there = sorted({int(number) for part in classes for number in np.unique(part)})
    for given, number in zip(normal, numbers, strict=True):
        if there and number not in there and (project.training is not None or isinstance(number, str)):
            known = ", ".join(labels) if labels else ", ".join(map(str, there))
            raise DataError(f"anomaly.normal names {given!r}, but {name} has the classes {known}", "correct the list")
    return [(~np.isin(part, numbers)).astype(np.int64) for part in classes]


def check_classes(data: Dataset, outputs: int, name: str) -> None:
    """Refuse classes that a model of so many outputs cannot give; one output tells 0 from 1.

    Args:
        name: of the model or the function that builds it, for the message.
    Raises:
        ModelError: there are more classes than the outputs tell apart.
    """
    if data.classes > max(outputs, 2):
        raise ModelError(
            f"{name} gives {outputs} output{'s' * (outputs > 1)}, but '{data.name}' has {data.classes} classes, "
            f"0 to {data.classes - 1}",
            "end the model with one logit a class, or correct the data's classes",
        )


def natural_grid(path: Path) -> Fixed:
    """The narrowest type that holds all samples of a file exactly, for users who name no input quantizer.

    Raises:
        DataError: the file is not usable, or its samples lie on no grid of `FLOAT_BITS` bits.
    """
    arrays = read_file(path)
    key = "x" if "x" in arrays else "x_test"
    samples, _ = _pair(arrays, key, key, str(path))
    _check_pair(samples, np.zeros(len(samples)), str(path))
    kind = Fixed.narrowest(samples, FLOAT_BITS, signed=bool(samples.min() < 0))
    if kind is None:
        raise DataError(
            f"the samples of {path} lie on no fixed-point grid of {FLOAT_BITS} bits or fewer",
            "name the input quantizer that the network was trained with, such as --input-precision fixed<10,4>",
        )
    return kind


def _parts(arrays: Mapping[str, Samples], project: Project, name: str) -> tuple[Pair, Pair, Pair]:
    """Training, validation and test samples with their classes, as they come."""
    whole, data = "x" in arrays, project.data
    if project.training is None and data.test is None:
        test = _test_alone(arrays, "x" if whole else "x_test", "y" if whole else "y_test", name)
        return _no_training(test)
    rest = _pair(arrays, "x", "y", name) if whole else _pair(arrays, "x_train", "y_train", name)
    rest, test = _take(arrays, "test", rest, data.test, data, name)
    if project.training is None:
        return _no_training(test)
    train, validation = _take(arrays, "val", rest, data.validation, data, name)
    return train, validation, test


def _no_training(test: Pair) -> tuple[Pair, Pair, Pair]:
    """A test set for a trained model."""
    empty = test[0][:0], test[1][:0]
    return empty, empty, test


def _test_alone(arrays: Mapping[str, Samples], x: str, y: str, name: str) -> Pair:
    """Samples for a trained model: the gate needs no classes, only the accuracies do."""
    return _pair(arrays, x, y, name) if y in arrays else (_pair(arrays, x, x, name)[0], np.zeros(0, np.int64))


def _take(
    arrays: Mapping[str, Samples], part: str, rest: Pair, fraction: float | None, data: Data, name: str
) -> tuple[Pair, Pair]:
    """What remains, and one part: from arrays of its own, or split off."""
    key = {"test": "data.test", "val": "data.validation"}[part]
    own = f"x_{part}" in arrays
    if own and fraction is not None:
        raise DataError(f"{name} has x_{part}, so {key} = {fraction} would split off a second one", f"remove {key}")
    if own:
        return rest, _pair(arrays, f"x_{part}", f"y_{part}", name)
    if fraction is None:
        raise DataError(f"{name} has no x_{part} and {key} is not given", f"set {key}, such as 0.1, or add x_{part}")
    return _split(rest, fraction, data.seed, name)


def _pair(arrays: Mapping[str, Samples], x: str, y: str, name: str) -> Pair:
    missing = [key for key in (x, y) if key not in arrays]
    if missing:
        raise DataError(
            f"{name} has no array {' and no array '.join(missing)}; it has: {', '.join(sorted(arrays)) or 'nothing'}",
            "arrays are named x_train, y_train, x_test, y_test (x_val, y_val), or x and y; of a table, data.label "
            "names the column of the class",
        )
    for key in (x, y):
        if not arrays[key].ndim:
            raise DataError(f"{name}: {key} is one number, no array with a row for each sample", "correct the data file")
    if not arrays[x].size:
        raise DataError(f"{name} has no samples in {x}", "correct the data file")
    return arrays[x], arrays[y]


def _split(pair: Pair, fraction: float, seed: int, name: str) -> tuple[Pair, Pair]:
    """Split off a fraction with the same share of each class."""
    from sklearn.model_selection import train_test_split

    x, y = pair
    _check_pair(x, y, name)
    try:
        rest_x, part_x, rest_y, part_y = train_test_split(
            x, y, test_size=fraction, random_state=seed, stratify=_classes(y, name)
        )
    except ValueError as error:
        raise DataError(f"{name} cannot be split evenly: {error}", "give more samples, or other fractions") from error
    return (rest_x, rest_y), (part_x, part_y)


def _check_pair(x: Samples, y: Samples, name: str) -> None:
    for problem in _problems(x, y):
        raise DataError(f"{name}: {problem}", "correct the data file")


def _problems(x: Samples, y: Samples) -> Iterator[str]:
    if x.dtype.kind not in "biuf" or y.dtype.kind not in "biuf":
        yield f"samples of type {x.dtype} and classes of type {y.dtype} are not real numbers"
    elif x.ndim < 2 or y.shape[:1] != x.shape[:1]:
        yield f"x {x.shape} and y {y.shape} must be (n, …) and (n,), with the same n"
    elif not np.isfinite(x).all() or not np.isfinite(y).all():
        rows = np.flatnonzero(~np.isfinite(x.reshape(len(x), -1)).all(1))
        yield f"{len(rows)} samples hold NaN or infinity" + (f", the first is number {rows[0]}" if len(rows) else "")


def _classes(y: Samples, name: str) -> NDArray[np.int64]:
    """Class numbers, from numbers (n,) or (n, 1), or from one-hot rows (n, classes)."""
    one_hot = y.ndim == 2 and y.shape[1] > 1 and np.isin(y, (0, 1)).all() and (y.sum(1) == 1).all()
    numbers = np.argmax(y, 1) if one_hot else y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
    classes: NDArray[np.int64] = numbers.astype(np.int64)
    if numbers.ndim != 1 or np.any(classes != numbers) or np.any(classes < 0):
        raise DataError(f"{name}: y must hold class numbers 0, 1, 2, … or one-hot rows", "correct the data file")
    return classes


def _transform(arrays: Mapping[str, Samples], project: Project, name: str) -> Callable[[Samples], Samples]:
    """What makes the real input of the network of raw samples."""
    data = project.data

    def scaled(x: Samples) -> Samples:
        return (x.astype(np.float64) - data.offset) * data.scale

    if not data.standardize:
        return scaled
    known = scaled(_outside_the_test(arrays, project, name))
    mean, deviation = known.mean(0), known.std(0)
    return lambda x: (scaled(x) - mean) / np.where(deviation > 0, deviation, 1.0)


def _outside_the_test(arrays: Mapping[str, Samples], project: Project, name: str) -> Samples:
    """The samples that statistics are learnt from: the same ones whether a model is trained or only judged; with
    [anomaly] the normal ones alone."""
    if "x" in arrays and project.data.test is not None:
        (x, y), _ = _take(arrays, "test", _pair(arrays, "x", "y", name), project.data.test, project.data, name)
    elif "x_train" in arrays:
        x, y = arrays["x_train"], arrays.get("y_train", np.zeros(0))
    else:
        raise DataError(
            f"{name} has no training samples to learn mean and deviation from",
            "remove data.standardize, or set data.test",
        )
    if project.anomaly is None:
        return x
    _check_pair(x, y, name)
    (classes,) = _marked([_classes(y, name)], project, _texts(arrays, name), name)
    normal: Samples = x[classes == 0]
    return normal


def _on_grid(real: Samples, grid: Fixed, name: str) -> NDArray[np.float32]:
    """Samples, each on the grid; out of range is an error unless the type says that it saturates."""
    if grid.width > FLOAT_BITS:
        raise DataError(f"input.precision {grid} is wider than the {FLOAT_BITS} bits that Keras computes exactly with")
    step = 2.0**-grid.frac
    wide = Fixed(MAX_WIDTH, MAX_WIDTH - grid.frac, True, grid.rounding, Overflow.SAT).quantize(real)
    outside = int(((wide < grid.min) | (wide > grid.max)).sum())
    if outside and grid.overflow is Overflow.WRAP:
        raise DataError(
            f"{name}: {outside} of {real.size} values, from {real.min():g} to {real.max():g}, leave the range of "
            f"input.precision {grid}, {grid.min * step:g} to {grid.max * step:g}, and would wrap around",
            "widen input.precision, set data.scale, or let it saturate, such as fixed<10,4,RND,SAT>",
        )
    return grid.real(grid.quantize(real)).astype(np.float32)
