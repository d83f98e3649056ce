"""How outputs are read, and how good they are, for each task."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hlsflow.core.metrics import Metric, MetricSet, Stage
from hlsflow.core.tasks import Kind, Task, told_of

ABOUT = Metric("accuracy", 0.5, Stage.CSIM, "t", "1.0", "x.npz, 6 test samples", "metrics.json")
DETECTION, LABELS, REGRESSION = (Task(kind) for kind in (Kind.DETECTION, Kind.MULTILABEL, Kind.REGRESSION))


def values(found: MetricSet) -> dict[str, float | None]:
    return {metric.name: metric.value for metric in found}


def test_the_largest_logit_is_the_class_and_the_first_of_equals() -> None:
    assert Task().predicted(np.array([[1, 5, -2], [-3, -3, -4], [0.1, 0.2, 0.3]])).tolist() == [1, 0, 2]


def test_one_logit_is_judged_by_its_sign_and_one_probability_by_a_half() -> None:
    outputs = np.array([[-1.0], [0.0], [0.25], [0.5], [0.625], [7.0]])
    assert Task().predicted(outputs).tolist() == [0, 0, 1, 1, 1, 1]
    assert Task(Kind.BINARY).predicted(outputs).tolist() == [0, 0, 1, 1, 1, 1]
    assert Task(Kind.BINARY, cut=0.5).predicted(outputs).tolist() == [0, 0, 0, 0, 1, 1]


def test_each_label_is_cut_on_its_own() -> None:
    outputs = np.array([[0.75, 0.25, -1.0], [0.5, 0.5, 0.625]])
    assert replace(LABELS, cut=0.5).predicted(outputs).tolist() == [[1, 0, 0], [0, 0, 1]]
    assert LABELS.predicted(outputs).tolist() == [[1, 1, 0], [1, 1, 1]]


def test_what_is_left_to_software_is_applied_to_numbers_and_not_to_cuts() -> None:
    logits = np.array([[0.0, np.log(3)], [-np.log(3), 1000.0]])
    sigmoid = Task(Kind.REGRESSION, after="sigmoid")
    assert sigmoid.predicted(logits) == pytest.approx(np.array([[0.5, 0.75], [0.25, 1.0]]))
    softmax = Task(Kind.REGRESSION, after="softmax")
    assert softmax.predicted(logits) == pytest.approx(np.array([[0.25, 0.75], [0.0, 1.0]]))
    assert Task(Kind.BINARY, cut=0.0, after="sigmoid").predicted(logits[:, 1:]).tolist() == [1, 1]


def test_a_yes_or_no_is_told_by_accuracy_and_every_pair_of_samples() -> None:
    outputs, y = np.array([[3.0], [1.0], [0.0], [0.0], [-2.0], [5.0]]), np.array([1, 0, 1, 0, 0, 1])
    pairs = [(a > n) + (a == n) / 2 for a in outputs[y == 1, 0] for n in outputs[y == 0, 0]]
    found = Task(Kind.BINARY).figures(outputs, y, ABOUT)
    assert values(found) == pytest.approx({"accuracy": 4 / 6, "auc": float(np.mean(pairs))})
    assert {(metric.stage, metric.tool, metric.target) for metric in found} == {(Stage.CSIM, "t", ABOUT.target)}
    shares = values(DETECTION.figures(outputs, y, ABOUT, "a remark"))
    assert shares == pytest.approx({**values(found), "tpr": 2 / 3, "fpr": 1 / 3})


@pytest.mark.parametrize(("value", "missing"), [(0, {"tpr", "auc"}), (1, {"fpr", "auc"})])
def test_what_there_are_no_samples_for_is_missing(value: int, missing: set[str]) -> None:
    found = DETECTION.figures(np.array([[3.0], [-1.0]]), np.array([value, value]), ABOUT)
    assert {metric.name for metric in found if metric.value is None} == missing
    assert {metric.value for metric in found if metric.value is not None} == {0.5}


def test_labels_are_told_one_by_one_and_together() -> None:
    y = np.array([[1, 0], [0, 0], [1, 1], [0, 1]])
    outputs = np.array([[2.0, -1.0], [-1.0, -3.0], [1.0, -2.0], [3.0, 1.0]])
    found = LABELS.figures(outputs, y, ABOUT)
    assert values(found) == pytest.approx({"accuracy": 6 / 8, "exact_match": 2 / 4, "auc": (2 / 4 + 3 / 4) / 2})
    assert "share of all labels" in found.metrics[0].note


def test_a_label_that_never_occurs_has_no_area() -> None:
    found = LABELS.figures(np.array([[1.0, 1.0], [-1.0, 2.0]]), np.array([[1, 0], [0, 0]]), ABOUT)
    auc = found.get("auc")
    assert auc is not None
    assert (auc.value, auc.note) == (None, "of label 1 there are no samples with it in the test set")


def test_a_regression_is_told_by_its_errors_in_the_unit_of_its_targets() -> None:
    y, outputs = np.array([[0.0], [1.0], [2.0], [5.0]]), np.array([[0.5], [1.0], [1.0], [3.0]])
    found = replace(REGRESSION, unit="GeV").figures(outputs, y, ABOUT)
    squares, spread = 0.25 + 1 + 4, 4 + 1 + 0 + 9
    wanted = {"r2": 1 - squares / spread, "mae": 3.5 / 4, "rmse": (squares / 4) ** 0.5, "largest_error": 2.0}
    assert values(found) == pytest.approx(wanted)
    assert {metric.name: metric.unit for metric in found} == {
        "r2": "fraction",
        **dict.fromkeys(("mae", "rmse", "largest_error"), "GeV"),
    }
    assert MetricSet.from_json(found.to_json()) == found


def test_equal_targets_have_no_variance_to_explain() -> None:
    found = REGRESSION.figures(np.array([[1.0], [2.0]]), np.array([[3.0], [3.0]]), ABOUT)
    assert values(found) == {"r2": None, "mae": 1.5, "rmse": pytest.approx(2.5**0.5), "largest_error": 2.0}


@pytest.mark.parametrize(("task", "name", "word"), [(Task(), "accuracy", "classes"), (REGRESSION, "r2", "targets")])
def test_nothing_known_is_missing(task: Task, name: str, word: str) -> None:
    (one,) = task.figures(np.zeros((2, 3)), np.zeros(0), ABOUT)
    assert (one.name, one.value, one.note) == (name, None, f"the data has no {word}")


@pytest.mark.parametrize("kind", list(Kind))
def test_points_add_up_to_what_tells_networks_apart(kind: Kind) -> None:
    random, task = np.random.default_rng(3), Task(kind)
    outputs = random.normal(size=(40, 1 if kind in (Kind.BINARY, Kind.DETECTION) else 3))
    y = task.predicted(random.normal(size=outputs.shape))
    parts = task.points(outputs[:7], y[:7]) + task.points(outputs[7:], y[7:])
    assert parts == pytest.approx(task.points(outputs, y))
    score = task.score(outputs, y)
    spread = ((y - y.mean(0)) ** 2).sum()
    assert score == pytest.approx(1 + parts / spread if kind is Kind.REGRESSION else parts / 40)


def test_a_task_goes_through_json() -> None:
    task = Task(Kind.MULTILABEL, 0.5, "softmax", "mm")
    assert Task.from_json(task.to_json()) == task


def test_the_first_samples_are_told_as_such() -> None:
    assert told_of("x.npz", 9, 9) == "x.npz, 9 test samples"
    assert told_of("x.npz", 4, 9) == "x.npz, first 4 of 9 test samples"
