"""What y holds: classes, labels or numbers, found or said, for every stage in one form."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from hlsflow.core.errors import DataError
from hlsflow.core.tasks import Kind
from hlsflow.data.targets import converted, kind_of

CLASSES = np.arange(12) % 3
LABELS = np.array([[1, 0], [1, 1], [0, 0]] * 4)


@pytest.mark.parametrize(
    ("y", "kind"),
    [
        (CLASSES, Kind.CLASSES),
        (CLASSES.astype(float)[:, None], Kind.CLASSES),
        (np.eye(3)[CLASSES], Kind.CLASSES),
        (CLASSES == 1, Kind.CLASSES),
        (np.where(CLASSES == 1, 1.0, -1.0), Kind.CLASSES),
        (LABELS, Kind.MULTILABEL),
        (LABELS.astype(bool), Kind.MULTILABEL),
        (np.zeros((3, 2)), Kind.MULTILABEL),
        (CLASSES + 0.5, Kind.REGRESSION),
        (np.linspace(-1, 1, 12)[:, None], Kind.REGRESSION),
        (np.eye(3)[CLASSES] * 0.5, Kind.REGRESSION),
        (np.stack([CLASSES, CLASSES + 5], 1), Kind.REGRESSION),
    ],
)
def test_what_is_clear_is_found(y: Any, kind: Kind) -> None:
    assert kind_of([y], None, "x.npz") is kind


def test_all_sets_together_say_what_y_is() -> None:
    """A test set that happens to hold whole numbers, or rows of one label each, is no other task."""
    assert kind_of([CLASSES + 0.5, CLASSES], None, "x.npz") is Kind.REGRESSION
    assert kind_of([LABELS, np.eye(2)], None, "x.npz") is Kind.MULTILABEL
    assert kind_of([], None, "x.npz") is Kind.CLASSES


@pytest.mark.parametrize("task", ["classes", "binary", "multilabel", "regression"])
def test_what_the_project_says_counts(task: str) -> None:
    wanted = Kind.CLASSES if task == "binary" else Kind(task)
    assert kind_of([np.array([0, 1, 1])], task, "x.npz") is wanted


def test_each_kind_has_its_form() -> None:
    np.testing.assert_array_equal(converted(np.eye(3)[CLASSES], Kind.CLASSES, "x"), CLASSES)
    np.testing.assert_array_equal(converted(np.where(CLASSES == 1, 1, -1), Kind.CLASSES, "x"), CLASSES == 1)
    assert converted(np.array([0, 1, 1]), Kind.MULTILABEL, "x").shape == (3, 1)
    assert converted(LABELS.astype(float), Kind.MULTILABEL, "x").dtype == np.int64
    numbers = converted(np.arange(24).reshape(2, 3, 4), Kind.REGRESSION, "x")
    assert (numbers.shape, numbers.dtype) == ((2, 12), np.float64)


@pytest.mark.parametrize(
    ("y", "kind", "binary", "message"),
    [
        (
            CLASSES + 0.5,
            Kind.CLASSES,
            False,
            "y must hold class .*numbers to estimate, set task = .regression",
        ),
        (LABELS, Kind.CLASSES, False, "y must hold class .*rows of labels, set task = .multilabel"),
        (CLASSES, Kind.CLASSES, True, r"y must hold 0 and 1 alone \(or -1 and 1\), not 2"),
        (LABELS * 2, Kind.MULTILABEL, False, r"y must hold 0 and 1 alone, a column for each label"),
    ],
)
def test_what_is_not_as_said_is_refused_with_what_it_may_be(y: Any, kind: Kind, binary: bool, message: str) -> None:
    with pytest.raises(DataError) as error:
        converted(y, kind, "x.npz", binary)
    assert re.search(message, str(error.value).replace("\n", " "))


def test_y_that_holds_no_numbers_is_refused() -> None:
    for y in (np.zeros(3, [("a", "f4")]), np.zeros(3, "V4"), np.array(["a", "b"])):
        with pytest.raises(DataError, match="and must hold numbers"):
            converted(y, Kind.CLASSES, "x.npz")
