"""Raw integers enter the network: constants from the data, the same function in Keras, C-simulation and oracle."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tf_keras

from hlsflow.core.errors import ProjectError
from hlsflow.core.metrics import Stage
from hlsflow.core.progress import Progress
from hlsflow.data import load_data
from hlsflow.ir import Fixed
from hlsflow.pipeline.run import CHECK_STEPS, run
from hlsflow.qat import load_model
from hlsflow.qat.normalize import GRID, NAME, constants
from tests.qat.qat_project import MODEL, TOML, project_of

RAW = TOML.replace("scale = 0.0625", 'normalize = "fixed<8,3>"').replace("ufixed<5,1>", "ufixed<5,5>")


def test_constants_are_exact_in_hardware() -> None:
    x = np.random.default_rng(0).integers(0, 200, (500, 3)) * np.array([1, 0.25, 0]) + np.array([7, 0, 3])
    mean, scale = constants(x.astype(np.float32), Fixed.parse("ufixed<10,8>"))
    np.testing.assert_array_equal(mean * 4, np.rint(x.mean(0) * 4))
    spread = (x.std(0) * scale)[:2]
    assert np.all((spread >= 2**-0.5) & (spread <= 2**0.5))
    np.testing.assert_array_equal(np.log2(scale) % 1, 0)
    assert scale[2] == 1
    images = np.random.default_rng(1).integers(0, 9, (20, 4, 4, 2)).astype(np.float32)
    assert constants(images, Fixed.parse("ufixed<4,4>"))[0].shape == (2,)


def test_raw_integers_pass_the_gate(tmp_path: Path) -> None:
    project = project_of(tmp_path, RAW.format(epochs=3), MODEL)
    results = run(project, tmp_path / "build", CHECK_STEPS, Progress(io.StringIO()))
    assert results.gate is not None
    assert results.gate.passed
    assert results.translated is not None
    with np.load(results.translated.folder / "samples.npz") as samples:
        assert samples["x"].min() == 0
        assert samples["x"].max() == 16  # the pixels as they come
    echo = json.loads((results.translated.folder / "translation.json").read_text())
    (constant,) = (one["what"] for one in echo["corrections"] if one["what"].startswith("scale frozen"))
    assert "changed by up to 0)" in constant  # powers of two, and means on the input's grid
    accuracies = [results.metrics.get("accuracy", stage) for stage in (Stage.FLOAT, Stage.QAT, Stage.CSIM)]
    values = [one.value for one in accuracies if one is not None and one.value is not None]
    assert len(values) == 3
    assert min(values) > 0.5  # of ten classes, three epochs with eight neurons
    assert values[1] == pytest.approx(values[2], abs=0.01)


IMAGES = """
from tf_keras import Sequential
from tf_keras.layers import BatchNormalization, Conv2D, Dense, Flatten, Input, ReLU


def baseline():
    return Sequential([Input((8, 8, 1)), Conv2D(6, 3), BatchNormalization(), ReLU(), Flatten(), Dense(10)])
"""


@pytest.mark.parametrize(("lower", "model"), [("", IMAGES), ("lower = [8]", MODEL)])
def test_a_float_network_behind_it_is_quantized(lower: str, model: str, tmp_path: Path) -> None:
    text = RAW.format(epochs=3).replace('quantized = "quantized"\n', "")
    text += f"[quantize]\nbits = 6\nepochs = 2\n{lower}\n"
    project = project_of(tmp_path, text, model)
    results = run(project, tmp_path / "build", CHECK_STEPS, Progress(io.StringIO()))
    assert results.gate is not None
    assert results.gate.passed
    assert results.trained is not None
    models = [load_model(results.trained.folder / f"{name}.h5") for name in ("float", "ptq", "qat")]
    x = load_data(project).shaped(models[0].input_shape[1:]).x_test
    parts = [tf_keras.Model(one.inputs, one.get_layer(GRID).output) for one in models]
    first, *others = (part.predict(x, verbose=0) for part in parts)
    assert len(np.unique(first)) >= 17  # of the pixels, 0 to 16
    for other in others:
        np.testing.assert_array_equal(other, first)  # trained, folded and quantized, but normalized alike
    choices = json.loads((results.trained.folder / "quantizers.json").read_text())
    assert NAME not in {one["layer"].removesuffix("_grid") for one in choices}
    values = {metric.stage: metric.value for metric in results.metrics if metric.name == "accuracy"}
    assert set(values) == {Stage.FLOAT, Stage.PTQ, Stage.QAT, Stage.CSIM}
    assert all(value is not None and value > 0.5 for value in values.values())  # of ten classes
    assert values[Stage.QAT] == pytest.approx(values[Stage.CSIM], abs=0.01)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[model]", "scale = 0.5\n[model]", "normalize takes raw values"),
        ("fixed<8,3>", "ufixed<8,3>", "needs a signed type"),
        ('quantized = "quantized"\nbaseline = "baseline"', 'file = "model.h5"', "not before a file's"),
    ],
)
def test_what_does_not_go_together_is_refused(old: str, new: str, said: str, tmp_path: Path) -> None:
    text: Any = RAW.format(epochs=1).replace(old, new)
    with pytest.raises(ProjectError, match=said):
        project_of(tmp_path, text, MODEL)
