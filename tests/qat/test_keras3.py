"""Float networks that Keras 3 saved compute what Keras 3 computes; it runs in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hlsflow.core.errors import ModelError
from hlsflow.qat import load_model
from hlsflow.qat.keras3 import _snake, rebuilt

MODELS = """
import sys, keras, numpy as np
L, folder = keras.layers, sys.argv[1]
i = L.Input((6, 6, 2), name="img")
h = L.BatchNormalization()(L.Conv2D(4, 3, activation="relu", name="block1-conv")(i))
h = L.Add()([h, L.DepthwiseConv2D(3, padding="same", use_bias=False)(h)])
h = L.Concatenate()([L.LeakyReLU(negative_slope=0.3)(h), L.SeparableConv2D(2, 1)(h)])
h = L.Flatten()(L.Dropout(0.3)(L.AveragePooling2D(2)(h)))
ends = [L.Dense(3, activation="softmax", name="b")(h), L.Dense(2, activation="tanh", name="a")(h)]
functional = keras.Model(i, ends)
sequential = keras.Sequential([
    L.Input((10, 3)), L.Conv1D(4, 3, strides=2), L.ReLU(max_value=2.0), L.Reshape((2, 8)), L.GlobalMaxPooling1D(),
    L.Dense(5, activation="elu"), L.Rescaling(0.5, offset=1.0), L.Activation("sigmoid"), L.Dense(2)])
random = np.random.default_rng(0)
for name, model in {"functional": functional, "sequential": sequential}.items():
    for weight in model.weights:
        sign = 1 if "variance" in weight.path else random.choice([-1, 1], weight.shape)
        weight.assign(random.uniform(0.2, 1.0, weight.shape) * sign)
    model.compile("adam", "mse")
    x = random.normal(size=(20, *model.input_shape[1:])).astype("float32")
    y = model.predict(x, verbose=0)
    np.savez(f"{folder}/{name}.npz", x, *(y if isinstance(y, list) else [y]))
    model.save(f"{folder}/{name}.h5")
    model.save(f"{folder}/{name}.keras")
keras.Sequential([L.Input((4,)), L.Dense(3, activation="hard_sigmoid")]).save(f"{folder}/hard.keras")
keras.Sequential([L.Input((4,)), L.LayerNormalization(name="norm")]).save(f"{folder}/norm.h5")
keras.Sequential([L.Input((4,)), L.Lambda(lambda x: x, name="evil")]).save(f"{folder}/code.keras")
shared = L.Dense(4, name="shared")
i = L.Input((4,))
keras.Model(i, shared(shared(i))).save(f"{folder}/shared.keras")
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keras3")
    environment = {**os.environ, "TF_USE_LEGACY_KERAS": "0", "KERAS_BACKEND": "tensorflow"}
    subprocess.run([sys.executable, "-c", MODELS, str(folder)], env=environment, check=True, capture_output=True)
    return folder


@pytest.mark.parametrize("name", ["functional", "sequential"])
@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_the_model_computes_what_keras_3_does(name: str, suffix: str, files: Path) -> None:
    model = load_model(files / f"{name}{suffix}")
    with np.load(files / f"{name}.npz") as data:
        x, *wanted = (data[key] for key in data.files)
    found = model.predict(x, verbose=0)
    for one, other in zip(found if isinstance(found, list) else [found], wanted, strict=True):
        assert np.abs(one - other).max() < 1e-5 * max(1.0, np.abs(other).max())
    assert type(model).__module__.startswith("tf_keras")


REFUSED = {
    "hard.keras": "has the activation hard_sigmoid",
    "norm.h5": "layer 'norm' is a LayerNormalization",
    "code.keras": "layer 'evil' is a Lambda",
    "shared.keras": "layer 'shared' is applied 2 times",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_read_is_named(name: str, files: Path) -> None:
    with pytest.raises(ModelError, match=REFUSED[name]) as error:
        load_model(files / name, allow_lambda=True)
    assert "Keras 3" in error.value.message
    assert "set_weights" in error.value.hint


STRANGE = {
    "no layers": {"class_name": "Sequential", "config": {"name": "m", "layers": []}},
    "no config": {"class_name": "Functional"},
    "no name": {"class_name": "Sequential", "config": {"layers": [{"class_name": "Dense", "config": {}}]}},
    "a subclass": {"class_name": "Mine", "config": {}},
}


@pytest.mark.parametrize("name", STRANGE)
def test_strange_configurations_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="was saved by Keras 3"):
        rebuilt(tmp_path / "model.h5", json.loads(json.dumps(STRANGE[name])))


def test_classes_are_called_as_in_the_archive() -> None:
    names = ["ReLU", "Conv2D", "MaxPooling2D", "BatchNormalization", "ELU", "LeakyReLU", "UpSampling1D"]
    assert [_snake(name) for name in names] == [
        "re_lu", "conv2d", "max_pooling2d", "batch_normalization", "elu", "leaky_re_lu", "up_sampling1d"
    ]  # fmt: skip
