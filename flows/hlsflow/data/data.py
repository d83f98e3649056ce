"""Data sets: real samples on the exact grid of the hardware's input, split the same way every time.

In: a project. Out: a `Dataset`. A source is in one piece, `x` and `y`, or in parts, `x_train`, `y_train`, `x_test`,
`y_test` and perhaps `x_val`, `y_val`. A trained model needs a test set alone, with `y` only if it is to be known how
good it is; where data.test names a fraction it is judged by that part, which another training has not seen. What `y`
holds `hlsflow.data.targets` says. With [anomaly] the class of a normal sample is 0 and that of all others 1, in all
three sets.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hlsflow.core.errors import DataError, ModelError
from hlsflow.core.progress import Progress
from hlsflow.core.store import code, file_digest
from hlsflow.core.tasks import Kind
from hlsflow.data.grid import Saturation, on_grid, saturation
from hlsflow.data.kept import LARGE_BYTES, cached
from hlsflow.data.openml import settled
from hlsflow.data.sources import read_source
from hlsflow.data.split import Part, check, outside_the_test, part_of, parts_of
from hlsflow.data.standard import Standard, samples_like
from hlsflow.data.targets import converted, flat, kind_of
from hlsflow.project import FETCHED_SETS, TABLES, Project

Samples = NDArray[Any]

PARTS = ("x_train", "y_train", "w_train", "x_val", "y_val", "w_val", "x_test", "y_test")
"""Arrays of a `Dataset`."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """Samples, and what is right of them.

    Attributes:
        name: of the source.
        x_train, x_val, x_test: float32, (n, *shape), every value exactly on the input quantizer's grid.
        y_train, y_val, y_test: int64, (n,), class numbers from 0; or as `kind` says, in the form that
            `hlsflow.core.tasks.Task.predicted` has. (0,) where it is not known.
        labels: names of the classes, where the source has texts; the place in it is the number.
        kind: `CLASSES`, also of yes and no; `MULTILABEL`, `REGRESSION`, or `DETECTION`.
        w_train, w_val: float32, (n,), how much each sample counts in training; (0,): all alike.
        saturated: what of the samples is beyond the input type's range; None: nothing.
        standard: `Standard.to_json` of mean and deviation that they are standardized by; None: they are not.

    Training and validation sets are empty for a trained model.
    """

    name: str
    x_train: NDArray[np.float32]
    y_train: Samples
    x_val: NDArray[np.float32]
    y_val: Samples
    x_test: NDArray[np.float32]
    y_test: Samples
    labels: tuple[str, ...] = ()
    kind: Kind = Kind.CLASSES
    w_train: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    w_val: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    saturated: Saturation | None = None
    standard: Mapping[str, Any] | None = None

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
        return replace(self, x_train=x_train, x_val=x_val, x_test=x_test)

    def against_itself(self) -> Dataset:
        """The same samples, to be reconstructed: what is right of each are its own values."""
        y_train, y_val, y_test = map(_own_values, (self.x_train, self.x_val, self.x_test))
        return replace(self, y_train=y_train, y_val=y_val, y_test=y_test, kind=Kind.REGRESSION)

    def digest(self) -> str:
        """SHA-256 of all samples, what is right of them, and weights, in order."""
        digest = hashlib.sha256()
        weights = [weights_of_part for weights_of_part in (self.w_train, self.w_val) if len(weights_of_part)]
        for part in (self.x_train, self.y_train, self.x_val, self.y_val, self.x_test, self.y_test, *weights):
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
    arrays = cached(_key(project, path), make, say) if large and path else make()
    facts = json.loads(str(arrays["told"]))
    saturated = Saturation.from_json(facts["saturated"]) if facts["saturated"] else None
    parts = {key: arrays[key] for key in PARTS}
    labels, kind = tuple(facts["labels"]), Kind(facts["kind"])
    return Dataset(name, **parts, labels=labels, kind=kind, saturated=saturated, standard=facts["standard"])


def real_samples(project: Project) -> Samples:
    """The test samples of the project's source, or all where it does not tell them apart, as the network sees them.

    Returns:
        (n, ...), float64, scaled and standardized, not yet on a grid.
    Raises:
        DataError: the file is not usable.
    """
    arrays, name = read_source(project), project.data_set or str(project.data_path)
    samples = part_of(arrays, "x" if "x" in arrays else "x_test", None, name).x
    check(samples, np.zeros(len(samples)), name)
    to_real, _ = _transform(arrays, project, _kind(arrays, project, name), name)
    return to_real(samples)


def _key(project: Project, path: Path) -> dict[str, Any]:
    """All that the prepared samples of a file depend on."""
    data = project.data.model_dump(mode="json", exclude={"source", "fallback", "normalize", "flip", "shift", "unit"})
    return {
        "samples": [file_digest(path), path.suffix, other_digest(project)],
        "data": data,
        **project.digest_fields("anomaly", "task"),
        "input": str(project.input.precision),
        "training": project.training is not None,
        "packages": {name: version(name) for name in ("numpy", "pyarrow", "scikit-learn")},
        "code": code("data", "ir/fixed.py", "ir/integers.py"),
    }


def other_digest(project: Project) -> str | None:
    """Of the file that samples are standardized by; None: there is none."""
    path = project.standard_path
    return file_digest(path) if path is not None and path.is_file() else None


def _prepared(project: Project, name: str) -> Mapping[str, Samples]:
    """The fields of a `Dataset` but for its name; `facts` holds those that are no arrays, as JSON."""
    arrays = read_source(project)
    kind = _kind(arrays, project, name)
    parts = parts_of(arrays, project, kind, name)
    for part in parts:
        has_targets = len(part.y) or not (project.training is None or project.task == "regression")
        check(part.x, part.y if has_targets else np.zeros(len(part.x)), name)
    if len({part.x.shape[1:] for part in parts}) > 1:
        raise DataError(f"the samples of {name} have different shapes: {[part.x.shape[1:] for part in parts]}")
    (to_real, standard), grid = _transform(arrays, project, kind, name), project.input.precision
    reals = [to_real(part.x) for part in parts]
    x = [on_grid(real, grid, name) for real in reals]
    y, labels = _right(parts, x, project, kind, name), _texts(arrays, name) if kind is Kind.CLASSES else ()
    if project.anomaly is not None:
        y, labels, kind = _marked(y, project, labels, name), ("normal", "anomaly"), Kind.DETECTION
    saturated = saturation(reals, grid)
    facts = {
        "labels": labels,
        "kind": kind,
        "saturated": saturated.to_json() if saturated else None,
        "standard": standard.to_json() if standard else None,
    }
    (w_train, w_val) = (_weights(part, name) for part in parts[:2])
    made = x[0], y[0], w_train, x[1], y[1], w_val, x[2], y[2]
    return {**dict(zip(PARTS, made, strict=True)), "told": np.array(json.dumps(facts))}


def _kind(arrays: Mapping[str, Samples], project: Project, name: str) -> Kind:
    """What the source tells of its samples."""
    if project.anomaly is not None:
        return Kind.CLASSES
    given_targets = [arrays[key] for key in ("y", "y_train", "y_val", "y_test") if key in arrays and arrays[key].size]
    numbers = [targets for targets in given_targets if targets.dtype.kind in "biuf"]
    return kind_of(numbers, project.task, name)


def _right(parts: Sequence[Part], x: Sequence[Samples], project: Project, kind: Kind, name: str) -> list[Samples]:
    """What is right of each set: as the source says, or, where it says nothing of a regression, the samples' values."""
    if project.task == "regression" and not any(len(part.y) for part in parts):
        return [_own_values(samples) for samples in x]
    return [converted(part.y, kind, name, binary=project.task == "binary") for part in parts]


def _own_values(x: Samples) -> Samples:
    return flat(x).astype(np.float64)


def _weights(part: Part, name: str) -> NDArray[np.float32]:
    w = part.w
    if not len(w):
        return np.zeros(0, np.float32)
    if w.dtype.kind not in "biuf" or w.shape != part.x.shape[:1] or not np.isfinite(w).all() or (w < 0).any():
        raise DataError(
            f"{name}: data.sample_weight names {w.shape} values of type {w.dtype}, not {len(part.x)} numbers from 0 on",
            "give one weight for each sample",
        )
    if not w.any():
        raise DataError(f"{name}: all sample weights are 0", "give some samples a weight above 0")
    return w.astype(np.float32)


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
    numbers = [labels.index(label) if label in labels else label for label in normal]
    there = sorted({int(number) for part in classes for number in np.unique(part)})
    for label, number in zip(normal, numbers, strict=True):
        if there and number not in there and (project.training is not None or isinstance(number, str)):
            those = ", ".join(labels) if labels else ", ".join(map(str, there))
            raise DataError(f"anomaly.normal names {label!r}, but {name} has the classes {those}", "correct the list")
    return [(~np.isin(part, numbers)).astype(np.int64) for part in classes]


def check_classes(data: Dataset, outputs: int, name: str) -> None:
    """Refuse classes that a model of so many outputs cannot give; one output tells 0 from 1.

    Args:
        name: of the model or the function that builds it, for the message.
    Raises:
        ModelError: there are more classes than the outputs tell apart.
    """
    if data.classes > max(outputs, 2):
        there = np.unique(np.concatenate([data.y_train, data.y_val, data.y_test]))
        numbers = ", ".join(map(str, there[:8])) + (", …" if len(there) > 8 else "")
        raise ModelError(
            f"{name} gives {outputs} output{'s' * (outputs > 1)}, but y of '{data.name}' has class numbers up to "
            f"{data.classes - 1} ({len(there)} different ones: {numbers})",
            "end the model with one logit a class, number the classes from 0 without gaps, or, if y holds numbers to "
            'estimate, set task = "regression" (--task regression with a model file)',
        )


def _transform(
    arrays: Mapping[str, Samples], project: Project, kind: Kind, name: str
) -> tuple[Callable[[Samples], Samples], Standard | None]:
    """What makes the real input of the network of raw samples, and the mean and deviation in it."""
    data = project.data

    def scaled(x: Samples) -> Samples:
        return (x.astype(np.float64) - data.offset) * data.scale

    if not data.standardize:
        return scaled, None
    raw, by = _learnt_from(arrays, project, kind, name)
    standard = Standard.of(scaled(raw), by, _columns(arrays, name))
    return lambda x: standard(scaled(x)), standard


def _columns(arrays: Mapping[str, Samples], name: str) -> tuple[str, ...]:
    """Names of the features, where the source is a table."""
    return tuple(map(str, arrays["features"])) if Path(name).suffix in TABLES else ()


def _learnt_from(arrays: Mapping[str, Samples], project: Project, kind: Kind, name: str) -> tuple[Samples, str]:
    """The samples that mean and deviation are learnt from, and what they are; with [anomaly] the normal ones alone."""
    path = project.standard_path
    if path is not None:
        own = next(arrays[key] for key in ("x", "x_test", "x_train") if key in arrays)
        names = _columns(arrays, name) if path.suffix in TABLES else project.data.features
        samples = samples_like(path, own.shape[1:], names)
        return samples, f"the {len(samples)} samples of {path.name}"
    part, place = outside_the_test(arrays, project, kind, name)
    if project.anomaly is None:
        return part.x, f"the {len(part.x)} samples of {project.data_name} {place}"
    check(part.x, part.y, name)
    (classes,) = _marked([converted(part.y, kind, name)], project, _texts(arrays, name), name)
    normal: Samples = part.x[classes == 0]
    return normal, f"the {len(normal)} normal samples of {project.data_name} {place}"
