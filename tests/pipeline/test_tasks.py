"""Networks for every task through the flow: what all stages say of them is what Keras says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tf_keras
from qkeras import QActivation, QDense, quantized_bits, quantized_sigmoid
from sklearn.metrics import mean_absolute_error, r2_score, roc_auc_score, root_mean_squared_error

from hlsflow.core.metrics import MetricSet, Stage
from hlsflow.core.progress import Progress
from hlsflow.core.tasks import Kind, told_of
from hlsflow.pipeline.context import Results, Samples
from hlsflow.pipeline.hardware import rtl, rtlsim
from hlsflow.pipeline.run import CHECK_STEPS, run
from hlsflow.project import for_model

RANDOM = np.random.default_rng(5)
X = RANDOM.integers(-64, 64, (150, 6)) / 32
"""On the grid of fixed<7,2>."""


def layer(units: int, name: str, **options: Any) -> Any:
    grid = {"kernel_quantizer": quantized_bits(6, 1, alpha=1), "bias_quantizer": quantized_bits(6, 1, alpha=1)}
    return QDense(units, name=name, **grid, **options)


def model_of(*ends: Any) -> Any:
    hidden = [layer(5, "fc"), QActivation("quantized_relu(6,2)", name="relu")]
    return tf_keras.Sequential([tf_keras.Input((6,), name="x"), *hidden, *ends])


def checked(model: Any, folder: Path, y: Any, vectors: int = 150, rtl_too: bool = False) -> Results:
    """The gate, and perhaps the RTL, of a model file."""
    model.save(folder / "m.h5")
    np.savez(folder / "d.npz", x=X, **({} if y is None else {"y": y}))
    project = for_model(folder / "m.h5", folder / "d.npz", "fixed<7,2>", (64,))
    project = project.model_copy(update={"gate": project.gate.model_copy(update={"vectors": vectors})})
    steps = (*CHECK_STEPS, rtl, rtlsim) if rtl_too else CHECK_STEPS
    return run(project, folder / "build", steps, Progress())


def figures(metrics: MetricSet, stage: Stage, count: int = 150) -> dict[str, float | None]:
    wanted = told_of("d.npz", count, 150)
    return {metric.name: metric.value for metric in metrics if (metric.stage, metric.target) == (stage, wanted)}


ENDS = {
    "sigmoid of its own": lambda: [layer(1, "logit", activation="sigmoid")],
    "sigmoid as a layer": lambda: [layer(1, "logit"), tf_keras.layers.Activation("sigmoid", name="p")],
    "quantized sigmoid": lambda: [layer(1, "logit"), QActivation(quantized_sigmoid(6), name="p")],
    "quantized sigmoid, real and symmetric": lambda: [
        layer(1, "logit"),
        QActivation(quantized_sigmoid(5, use_real_sigmoid=True, symmetric=True), name="p"),
    ],
    "quantized sigmoid of its own": lambda: [layer(1, "logit", activation=quantized_sigmoid(6))],
}


LIKE_OTHERS = ("sigmoid as a layer", "quantized sigmoid", "quantized sigmoid of its own")
"""Which take the way of the two others; their translation has tests of its own."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name in LIKE_OTHERS else []) for name in ENDS]
)
def test_every_stage_agrees_with_keras_on_a_model_that_ends_in_a_sigmoid(name: str, tmp_path: Path) -> None:
    """Half of the samples are above 1/2 and few below 0 there, so a cut at 0 would be far off."""
    tf_keras.utils.set_random_seed(3)
    model = model_of(*ENDS[name]())
    kernel, bias = model.get_layer("logit").get_weights()
    model.get_layer("logit").set_weights([kernel, bias + 0.25])
    model.compile(loss="binary_crossentropy", metrics=["accuracy"])
    p = model.predict(X, verbose=0)[:, 0]
    y = ((p > 0.5) ^ (RANDOM.random(150) < 0.2)).astype(np.int64)
    keras = model.evaluate(X, y, verbose=0)[1]
    assert 0.7 < keras < 0.9
    results = checked(model, tmp_path, y)
    wanted = {"accuracy": pytest.approx(keras), "auc": pytest.approx(roc_auc_score(y, p))}
    assert figures(results.metrics, Stage.QAT) == figures(results.metrics, Stage.CSIM) == wanted


def test_rtl_is_told_beside_the_other_stages_on_the_same_samples(tmp_path: Path) -> None:
    model = model_of(*ENDS["quantized sigmoid"]())
    p = model.predict(X, verbose=0)[:, 0]
    y = ((p > np.median(p)) ^ (np.arange(150) < 60)).astype(np.int64)
    results = checked(model, tmp_path, y, vectors=60, rtl_too=True)
    first = {"accuracy": np.mean((p[:60] > 0.5) == y[:60]), "auc": roc_auc_score(y[:60], p[:60])}
    assert figures(results.points[0].metrics, Stage.SIMULATED, 60) == first
    assert figures(results.metrics, Stage.CSIM, 60) == figures(results.metrics, Stage.QAT, 60) == first
    assert figures(results.metrics, Stage.CSIM)["accuracy"] == np.mean((p > 0.5) == y)
    assert figures(results.points[0].metrics, Stage.SIMULATED) == {}


def test_two_values_of_a_tanh_are_cut_at_0(tmp_path: Path) -> None:
    model = model_of(layer(1, "logit"), QActivation("binary_tanh", name="sign"))
    said = model.predict(X, verbose=0)[:, 0]
    assert set(said) == {-1, 1}
    y = ((said > 0) ^ (np.arange(150) < 30)).astype(np.int64)
    results = checked(model, tmp_path, y)
    assert figures(results.metrics, Stage.CSIM)["accuracy"] == figures(results.metrics, Stage.QAT)["accuracy"] == 0.8
    assert results.translated is not None
    assert Samples.load(results.translated.folder).task.kind is Kind.BINARY


@pytest.mark.parametrize("end", [None, "sigmoid"])
def test_a_regression_is_judged_by_the_networks_own_numbers(end: str | None, tmp_path: Path) -> None:
    """Also where the sigmoid at its end is left to software."""
    model = model_of(layer(2, "last", activation=end))
    outputs = model.predict(X, verbose=0)
    y = outputs + RANDOM.normal(0, outputs.std() / 2, outputs.shape)
    results = checked(model, tmp_path, y)
    wanted = {
        "r2": r2_score(y, outputs, multioutput="variance_weighted"),
        "mae": mean_absolute_error(y, outputs),
        "rmse": root_mean_squared_error(y.ravel(), outputs.ravel()),
        "largest_error": np.abs(y - outputs).max(),
    }
    assert figures(results.metrics, Stage.CSIM) == pytest.approx(wanted, rel=1e-5)
    assert figures(results.metrics, Stage.QAT) == pytest.approx(wanted, rel=1e-5)


def test_labels_are_cut_one_by_one(tmp_path: Path) -> None:
    model = model_of(layer(3, "logits"), QActivation(quantized_sigmoid(6), name="p"))
    p = model.predict(X, verbose=0)
    y = ((p > 0.5) ^ (RANDOM.random(p.shape) < 0.2)).astype(np.int64)
    y[:, 0], y[:2, 0] = 0, 1
    results = checked(model, tmp_path, y)
    right = (p > 0.5) == y
    wanted = {"accuracy": right.mean(), "exact_match": right.all(1).mean(), "auc": roc_auc_score(y, p)}
    assert figures(results.metrics, Stage.CSIM) == figures(results.metrics, Stage.QAT) == pytest.approx(wanted)


def test_an_autoencoder_without_y_is_judged_by_the_sample_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = model_of(layer(6, "again"))
    outputs = model.predict(X, verbose=0)
    results = checked(model, tmp_path, None)
    assert figures(results.metrics, Stage.CSIM)["mae"] == pytest.approx(np.abs(X - outputs).mean(), rel=1e-5)
    assert "task: regression, numbers (without y in the data, the sample itself is what is estimated)" in (
        capsys.readouterr().out
    )
