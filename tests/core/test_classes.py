"""Which class a network's outputs stand for, and what a detector finds."""

from __future__ import annotations

import numpy as np
import pytest

from hlsflow.core.classes import detection, predicted
from hlsflow.core.metrics import Metric, Stage


def test_the_largest_logit_is_the_class_and_the_first_of_equals() -> None:
    assert predicted(np.array([[1, 5, -2], [-3, -3, -4], [0.1, 0.2, 0.3]])).tolist() == [1, 0, 2]


def test_one_logit_alone_is_judged_by_its_sign() -> None:
    assert predicted(np.array([[-1], [0], [1], [7]])).tolist() == [0, 0, 1, 1]


ACCURACY = Metric("accuracy", 0.5, Stage.CSIM, "t", "1.0", "x.npz, 6 test samples", "metrics.json")


def test_a_detector_is_told_by_its_shares_and_by_every_pair_of_samples() -> None:
    outputs, y = np.array([[3], [1], [0], [0], [-2], [5]]), np.array([1, 0, 1, 0, 0, 1])
    found = detection(outputs, y, ACCURACY)
    pairs = [(a > n) + (a == n) / 2 for a in outputs[y == 1, 0] for n in outputs[y == 0, 0]]
    wanted = {"tpr": 2 / 3, "fpr": 1 / 3, "auc": float(np.mean(pairs))}
    assert {metric.name: metric.value for metric in found} == pytest.approx(wanted)
    assert {(metric.stage, metric.tool, metric.target) for metric in found} == {(Stage.CSIM, "t", ACCURACY.target)}


@pytest.mark.parametrize(("value", "missing"), [(0, {"tpr", "auc"}), (1, {"fpr", "auc"})])
def test_what_there_are_no_samples_for_is_missing(value: int, missing: set[str]) -> None:
    found = detection(np.array([[3], [-1]]), np.array([value, value]), ACCURACY)
    assert {metric.name for metric in found if metric.value is None} == missing
    assert {metric.value for metric in found if metric.value is not None} == {0.5}
