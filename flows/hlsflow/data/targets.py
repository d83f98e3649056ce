"""What a data set says is right: class numbers, labels or numbers to estimate, and which of these it says.

In: the arrays `y` as they come, and perhaps the project's task. Out: the kind of task, and `y` in the form that
`hlsflow.core.tasks.Task.predicted` has.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hlsflow.core.errors import DataError
from hlsflow.core.tasks import Kind

Array = NDArray[Any]

SAY = 'set task = "{}" in project.toml, or give --task {} with a model file'

CLASSES = "y must hold class numbers 0, 1, 2, … or one-hot rows"


def flat(values: Array) -> Array:
    """(n, ...) as (n, values)."""
    return values.reshape(len(values), math.prod(values.shape[1:]))


def kind_of(parts: Sequence[Array], task: str | None, name: str) -> Kind:
    """What `y` tells; yes and no (`Kind.BINARY`) are classes 0 and 1 here, as a model's outputs tell them apart.

    Whole numbers from 0 on and one-hot rows are classes, -1 and 1 yes and no, other rows of 0 and 1 labels, and other
    numbers are to be estimated.

    Args:
        parts: the arrays of all sets, (n,) or (n, values).
        task: what the project says; None: nothing.
        name: of the data, for messages.
    Raises:
        DataError: it cannot be told what y is.
    """
    if task is not None:
        return Kind.CLASSES if task == Kind.BINARY else Kind(task)
    if any(part.ndim > 2 for part in parts):
        shape = next(part.shape for part in parts if part.ndim > 2)
        raise DataError(f"{name}: y of shape {shape} holds neither classes nor labels", _meant(Kind.REGRESSION))
    rows = [part for part in parts if part.ndim == 2 and part.shape[1] > 1]
    if rows:
        if not all(_is_binary(part) for part in rows):
            return Kind.REGRESSION
        return Kind.CLASSES if all((part.sum(1) == 1).all() for part in rows) else Kind.MULTILABEL
    if any((part != np.rint(part)).any() for part in parts):
        return Kind.REGRESSION
    if any((part < 0).any() for part in parts) and not all(np.isin(part, (-1, 1)).all() for part in parts):
        least = min(float(part.min()) for part in parts if part.size)
        hint = f"number classes from 0; if these are numbers to estimate, {_meant(Kind.REGRESSION)}"
        raise DataError(f"{name}: y holds whole numbers, the least {least:g}, and classes are numbered from 0", hint)
    return Kind.CLASSES


def _meant(kind: Kind) -> str:
    return SAY.format(kind, kind)


def _is_binary(y: Array) -> bool:
    return bool(np.isin(y, (0, 1)).all())


def converted(y: Array, kind: Kind, name: str, binary: bool = False) -> Array:
    """`y` in the form of a kind.

    Args:
        y: (n, ...), finite.
        name: of the data, for messages.
        binary: whether the project says that it is yes or no.
    Returns:
        (n,) class numbers, int64; (n, labels), int64, 0 and 1; (n, values) to estimate, float64.
    Raises:
        DataError: it is no such thing.
    """
    if y.dtype.kind not in "biuf":
        raise DataError(f"{name}: y holds {y.dtype}, and must hold numbers", "write it as plain numbers, one a sample")
    if kind is Kind.REGRESSION:
        return flat(y).astype(np.float64)
    if kind is Kind.MULTILABEL:
        if not _is_binary(y):
            raise DataError(f"{name}: y must hold 0 and 1 alone, a column for each label", _other(y))
        return flat(y).astype(np.int64)
    classes = _numbers(y, name)
    if binary and classes.max(initial=0) > 1:
        raise DataError(f"{name}: y must hold 0 and 1 alone (or -1 and 1), not {classes.max()}", _other(y))
    return classes


def _numbers(y: Array, name: str) -> NDArray[np.int64]:
    """Class numbers, from numbers (n,) or (n, 1), from one-hot rows (n, classes), or from -1 and 1."""
    one_hot = y.ndim == 2 and y.shape[1] > 1 and _is_binary(y) and (y.sum(1) == 1).all()
    numbers = np.argmax(y, 1) if one_hot else y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
    if (numbers == -1).any() and np.isin(numbers, (-1, 1)).all():
        numbers = (numbers == 1).astype(np.int64)
    classes: NDArray[np.int64] = numbers.astype(np.int64)
    if numbers.ndim != 1 or np.any(classes != numbers) or np.any(classes < 0):
        raise DataError(f"{name}: {CLASSES}", _other(y))
    return classes


def _other(y: Array) -> str:
    """What to do where `y` is not what the project says."""
    kind = Kind.MULTILABEL if y.ndim == 2 and _is_binary(y) else Kind.REGRESSION
    what = "rows of labels" if kind is Kind.MULTILABEL else "numbers to estimate"
    return f"correct the data file; if it holds {what}, {_meant(kind)}"
