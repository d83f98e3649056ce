"""What trainings for each task minimize: the losses of Keras, with weights of samples and classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from tf_keras import losses

from hlsflow.core.errors import ModelError, ProjectError
from hlsflow.core.metrics import MetricSet, Stage
from hlsflow.core.tasks import Kind, Task
from hlsflow.project import Project
from hlsflow.qat import train
from hlsflow.qat.objective import LOSSES, Supervised
from tests.qat.qat_project import project_of

RANDOM = np.random.default_rng(2)
LOGITS = RANDOM.normal(size=(9, 3)).astype(np.float32)
P = tf.sigmoid(LOGITS).numpy()
CLASSES = np.arange(9) % 3
ONE_HOT = np.eye(3, dtype=np.float32)[CLASSES]
LABELS = (RANDOM.random((9, 3)) > 0.5).astype(np.int64)
NUMBERS = RANDOM.normal(size=(9, 3))

LABELLED, BEHIND_SIGMOID = Task(Kind.MULTILABEL), Task(Kind.MULTILABEL, 0.5)


def entropy(y: Any, p: Any) -> Any:
    return -np.where(y == 1, np.log(p), np.log(1 - p)).mean(1)


@pytest.mark.parametrize(
    ("task", "loss", "y", "outputs", "wanted"),
    [
        (Task(), "cross_entropy", CLASSES, LOGITS, lambda: -tf.nn.log_softmax(LOGITS).numpy()[range(9), CLASSES]),
        (Task(), "hinge", CLASSES, LOGITS, lambda: losses.categorical_hinge(ONE_HOT, LOGITS)),
        (Task(), "mse", CLASSES, LOGITS, lambda: ((tf.nn.softmax(LOGITS) - ONE_HOT).numpy() ** 2).mean(1)),
        (LABELLED, "cross_entropy", LABELS, LOGITS, lambda: entropy(LABELS, P)),
        (BEHIND_SIGMOID, "cross_entropy", LABELS, P, lambda: entropy(LABELS, P)),
        (LABELLED, "hinge", LABELS, LOGITS, lambda: np.maximum(1 - (2 * LABELS - 1) * LOGITS, 0).mean(1)),
        (LABELLED, "mse", LABELS, LOGITS, lambda: ((LABELS - P) ** 2).mean(1)),
        (BEHIND_SIGMOID, "mse", LABELS, P, lambda: ((LABELS - P) ** 2).mean(1)),
        (
            LABELLED,
            "focal",
            LABELS,
            LOGITS,
            lambda: (-(np.abs(LABELS - P) ** 2) * np.log(1 - np.abs(LABELS - P))).mean(1),
        ),
        (Task(Kind.REGRESSION), "mse", NUMBERS, LOGITS, lambda: ((NUMBERS - LOGITS) ** 2).mean(1)),
        (Task(Kind.REGRESSION), "mae", NUMBERS, LOGITS, lambda: np.abs(NUMBERS - LOGITS).mean(1)),
        (Task(Kind.REGRESSION), "log_cosh", NUMBERS, LOGITS, lambda: np.log(np.cosh(NUMBERS - LOGITS)).mean(1)),
        (Task(Kind.REGRESSION), "huber", NUMBERS, LOGITS, lambda: huber(np.abs(NUMBERS - LOGITS))),
    ],
)
def test_losses_are_what_their_names_say(task: Task, loss: str, y: Any, outputs: Any, wanted: Any) -> None:
    found = Supervised(task, loss).losses(None, tf.constant(y), tf.constant(outputs))
    assert found.shape == (9,)
    np.testing.assert_allclose(found, wanted(), rtol=2e-5, atol=1e-6)


def huber(error: Any) -> Any:
    return np.where(error <= 1, error**2 / 2, error - 0.5).mean(1)


@pytest.mark.parametrize("kind", list(LOSSES))
def test_every_loss_has_a_gradient(kind: Kind) -> None:
    y = {Kind.CLASSES: CLASSES, Kind.REGRESSION: NUMBERS}.get(kind, LABELS)
    for loss in LOSSES[kind]:
        outputs = tf.Variable(LOGITS)
        with tf.GradientTape() as tape:
            total = tf.reduce_sum(Supervised(Task(kind), loss).losses(None, tf.constant(y), outputs))
        assert np.abs(tape.gradient(total, outputs)).sum() > 0, loss


def test_classes_count_as_much_as_they_are_given() -> None:
    plain, weighed = Supervised(Task(), "cross_entropy"), Supervised(Task(), "cross_entropy", (0.5, 1.0, 4.0))
    ratio = weighed.losses(None, tf.constant(CLASSES), LOGITS) / plain.losses(None, tf.constant(CLASSES), LOGITS)
    np.testing.assert_allclose(ratio, np.array([0.5, 1.0, 4.0])[CLASSES], rtol=1e-5)


def test_figures_are_shares_or_errors() -> None:
    (accuracy,) = Supervised(Task(), "hinge").figures(None, tf.constant(CLASSES), tf.constant(LOGITS))
    np.testing.assert_array_equal(accuracy, LOGITS.argmax(1) == CLASSES)
    for task, outputs in ((LABELLED, LOGITS), (BEHIND_SIGMOID, P)):
        (accuracy,) = Supervised(task, "mse").figures(None, tf.constant(LABELS), tf.constant(outputs))
        np.testing.assert_allclose(accuracy, ((LOGITS > 0) == LABELS).mean(1))
    mse, mae = Supervised(Task(Kind.REGRESSION), "huber").figures(None, tf.constant(NUMBERS), tf.constant(LOGITS))
    np.testing.assert_allclose(mse, ((NUMBERS - LOGITS) ** 2).mean(1), rtol=1e-5)
    np.testing.assert_allclose(mae, np.abs(NUMBERS - LOGITS).mean(1), rtol=1e-5)


MODEL = """
from qkeras import QActivation, QDense, quantized_bits
from tf_keras import Sequential
from tf_keras.layers import Dense, Input

GRID = quantized_bits(8, 2, alpha=1)


def quantized(outputs=1, end=None):
    return Sequential([
        Input((4,)),
        QDense(12, kernel_quantizer=GRID, bias_quantizer=GRID, name="fc"),
        QActivation("quantized_relu(8,3)", name="relu"),
        QDense(outputs, kernel_quantizer=GRID, bias_quantizer=GRID, name="last"),
        *([QActivation(end, name="end")] if end else []),
    ])


def baseline(outputs=1):
    return Sequential([Input((4,)), Dense(12, activation="relu"), Dense(outputs)])
"""

TOML = """
name = "task"
{top}
[data]
source = "x.npz"
test = 0.25
validation = 0.25
{data}
[model]
quantized = "quantized"
{model}
[training]
epochs = {epochs}
batch_size = 16
learning_rate = 0.02
seed = 1
{training}
[input]
precision = "fixed<8,3>"
[knobs]
reuse_factor = 4
"""

X = RANDOM.integers(-64, 64, (240, 4)) / 32
LINE = X @ np.array([[1.0, -2.0], [0.5, 0.25], [-1.5, 1.0], [0.0, 0.5]])


def trained(
    folder: Path,
    y: Any,
    top: str = "",
    data: str = "",
    model: str = "",
    training: str = "",
    epochs: int = 12,
    text: str = TOML,
    **arrays: Any,
) -> MetricSet:
    """The test figures of the quantized network."""
    text = text.format(top=top, data=data, model=model, training=training, epochs=epochs)
    project: Project = project_of(folder, text, MODEL)
    given = {"x": X, "y": y, **arrays}
    np.savez(folder / "x.npz", **{name: one for name, one in given.items() if one is not None})
    metrics = train(project, folder / "train").metrics
    return MetricSet(tuple(one for one in metrics if one.stage is Stage.QAT))


def value(figures: MetricSet, name: str) -> float:
    found = figures.get(name)
    assert found is not None
    assert found.value is not None
    return found.value


def test_a_regression_is_trained(tmp_path: Path) -> None:
    found = trained(tmp_path, LINE, data='unit = "cm"', model="arguments = { outputs = 2 }", training='loss = "huber"')
    assert value(found, "r2") > 0.9
    assert [one.unit for one in found if one.name == "mae"] == ["cm"]
    model = tf_keras.models.load_model(tmp_path / "train" / "qat.h5", compile=False, custom_objects=_qkeras())
    assert model.output_shape == (None, 2)


def _qkeras() -> dict[str, Any]:
    from qkeras.utils import _add_supported_quantized_objects

    found: dict[str, Any] = {}
    _add_supported_quantized_objects(found)
    return found


@pytest.mark.parametrize("end", ["", ', end = "quantized_sigmoid(8)"'])
def test_a_yes_or_no_is_trained_by_one_output(end: str, tmp_path: Path) -> None:
    found = trained(tmp_path, (LINE[:, 0] > 0).astype(int), model=f"arguments = {{ outputs = 1{end} }}", epochs=20)
    assert value(found, "accuracy") > 0.9
    assert value(found, "auc") > 0.95


def test_labels_are_trained_together(tmp_path: Path) -> None:
    found = trained(tmp_path, (LINE > 0).astype(int), "task = 'multilabel'", model="arguments = { outputs = 2 }")
    assert value(found, "accuracy") > 0.9
    assert value(found, "exact_match") <= value(found, "accuracy")


def test_an_autoencoder_is_trained_without_y(tmp_path: Path) -> None:
    found = trained(tmp_path, None, "task = 'regression'", model="arguments = { outputs = 4 }")
    assert value(found, "r2") > 0.5


def test_samples_without_weight_are_not_learnt(tmp_path: Path) -> None:
    """Half of the training samples say the contrary: who counts them alone learns the contrary."""
    y, wrong = (LINE[:, 0] > 0).astype(int), np.arange(240) % 2 == 1
    parts = {"x_train": X[:160], "y_train": np.where(wrong, 1 - y, y)[:160]}
    parts |= {"x_val": X[:160], "y_val": parts["y_train"], "x_test": X[160:], "y_test": y[160:]}
    text = TOML.replace("test = 0.25\nvalidation = 0.25\n", "")
    found = {}
    for name, counts in (("right", ~wrong), ("wrong", wrong)):
        w = counts[:160].astype(float)
        weights = {"w_train": w, "w_val": w}
        arrays = {**parts, **weights, "x": None}
        found[name] = value(trained(tmp_path / name, None, data='sample_weight = "w"', text=text, **arrays), "auc")
    assert found["right"] > 0.9
    assert found["wrong"] < 0.1


def test_a_rare_class_is_found_where_it_counts_more(tmp_path: Path) -> None:
    """The rare one cannot be told from the others for sure, so it is found where a miss costs more."""
    y = ((LINE[:, 0] > 2) & (RANDOM.random(240) < 0.4)).astype(int)
    plain = trained(tmp_path / "plain", y, training="class_weight = [1.0, 0.01]")
    more = trained(tmp_path / "more", y, training='class_weight = "balanced"')
    assert value(plain, "accuracy") == pytest.approx(1 - y.mean(), abs=0.05)  # nothing is found
    assert value(more, "accuracy") < value(plain, "accuracy")


@pytest.mark.parametrize(
    ("y", "options", "error", "message"),
    [
        (
            LINE,
            {"model": "arguments = { outputs = 3 }"},
            ModelError,
            r"quantized\(\) gives 3 outputs, .* 2 values",
        ),
        (
            LINE[:, 0],
            {"training": 'loss = "hinge"'},
            ProjectError,
            "loss is 'hinge', and the task is regression",
        ),
        (LINE[:, 0] > 0, {"training": "class_weight = [1.0, 2.0, 3.0]"}, ProjectError, "3 numbers, and .* 2 classes"),
        (
            LINE,
            {"training": 'class_weight = "balanced"'},
            ProjectError,
            "class_weight is for classes, and the task",
        ),
        (
            LINE[:, 0] > 0,
            {"model": 'baseline = "baseline"\n[distil]'},
            ProjectError,
            r"\[distil\] learns what the float network says of several classes, and the task is binary",
        ),
        (
            LINE[:, 0] > 0,
            {"model": 'arguments = { end = "quantized_sigmoid(6)" }', "training": 'loss = "hinge"'},
            ProjectError,
            "'hinge' takes logits",
        ),
    ],
)
def test_what_does_not_go_with_a_task_is_refused(
    y: Any, options: dict[str, str], error: type[Exception], message: str, tmp_path: Path
) -> None:
    if "outputs" not in options.get("model", "") and y.ndim == 2:
        options = options | {"model": "arguments = { outputs = 2 }"}
    with pytest.raises(error, match=message):
        trained(tmp_path, y, epochs=1, **options)
