"""Pruned neurons and filters are taken out, and what is left computes the same bits."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hlsflow.core.progress import Progress
from hlsflow.qat import load_model, train
from hlsflow.qat.compress.shrink import shrunk
from tests.qat.qat_project import MODEL, TOML, project_of

GRIDS = {"kernel_quantizer": "quantized_bits(6,0,alpha=1)", "bias_quantizer": "quantized_bits(6,0,alpha=1)"}


def convolutions(**own: Any) -> Any:
    """A sequential network of three layers with weights."""
    from qkeras import QActivation, QConv2D, QDense
    from tf_keras import Sequential
    from tf_keras.layers import Flatten, Input, MaxPooling2D

    return Sequential(
        [
            Input((8, 8, 2)),
            QConv2D(5, 3, name="conv1", **(GRIDS | own)),
            QActivation("quantized_relu(5,2)"),
            MaxPooling2D(2),
            QConv2D(4, 2, name="conv2", padding="same", **(GRIDS | own)),
            QActivation("quantized_relu(5,2)"),
            Flatten(),
            QDense(3, name="logits", **GRIDS),
        ]
    )


def filled(model: Any, dead: dict[str, list[int]]) -> Any:
    """Random weights, none of them nearly zero, but for the units named."""
    rng = np.random.default_rng(0)
    for layer in model.layers:
        weights = [rng.choice([-1, 1], w.shape) * rng.uniform(0.1, 0.9, w.shape) for w in layer.get_weights()]
        for values in weights:
            values[..., dead.get(layer.name, [])] = 0
        layer.set_weights(weights)
    return model


def assert_equal_results(one: Any, other: Any) -> None:
    x = np.random.default_rng(1).integers(-16, 16, (20, *one.input_shape[1:])) / 8
    np.testing.assert_array_equal(one.predict(x, verbose=0), other.predict(x, verbose=0))


def test_filters_go_through_pools_and_flatten() -> None:
    model = filled(convolutions(), {"conv1": [0, 3], "conv2": [1]})
    small, gone = shrunk(model)
    assert gone == {"conv1": 2, "conv2": 1}
    assert [small.get_layer(name).kernel.shape for name in ("conv1", "conv2", "logits")] == [
        (3, 3, 2, 3),
        (2, 2, 3, 3),
        (3 * 3 * 3, 3),
    ]
    assert_equal_results(model, small)


def test_a_layer_keeps_at_least_one_unit() -> None:
    model = filled(convolutions(), {"conv1": [0, 1, 2, 3, 4]})
    small, gone = shrunk(model)
    assert gone == {"conv1": 4}
    assert_equal_results(model, small)


def test_units_with_a_bias_and_outputs_stay() -> None:
    model = filled(convolutions(), {"logits": [1]})
    layer = model.get_layer("conv1")
    kernel, bias = layer.get_weights()
    kernel[..., 2] = 0
    layer.set_weights([kernel, bias])
    assert shrunk(model) == (model, {})


@pytest.mark.parametrize("alpha", ["'auto'", "'auto_po2'"])
def test_scales_of_all_weights_together_keep_the_units_that_decide_them(alpha: str) -> None:
    """A scale is the mean over the inputs of an output: without the dead inputs it would be another one."""
    model = filled(convolutions(kernel_quantizer=f"binary(alpha={alpha})"), {})
    assert shrunk(model)[1] == {}
    mixed = filled(convolutions(), {"conv1": [2]})
    small, gone = shrunk(mixed)
    assert gone == {"conv1": 1}
    assert_equal_results(mixed, small)


def test_units_before_a_merge_and_functions_of_zero_stay() -> None:
    from qkeras import QActivation, QDense
    from tf_keras import Model
    from tf_keras.layers import Add, Input

    given = Input((6,))
    one = QActivation("quantized_sigmoid(6)", name="half")(QDense(4, name="fc1", **GRIDS)(given))
    two = QDense(4, name="fc2", **GRIDS)(one)
    three = QActivation("quantized_relu(6,2)", name="relu")(QDense(4, name="fc3", **GRIDS)(given))
    model = filled(Model(given, QDense(3, name="logits", **GRIDS)(Add()([two, three]))), {})
    for name in ("fc1", "fc2", "fc3"):
        layer = model.get_layer(name)
        weights = layer.get_weights()
        for values in weights:
            values[..., 1] = 0
        layer.set_weights(weights)
    assert shrunk(model)[1] == {}


def test_a_training_that_prunes_neurons_leaves_a_smaller_network(tmp_path: Path) -> None:
    table = '[prune]\nsparsity = 0.5\npattern = "neuron"\nlayers = { logits = 0 }\n'
    project = project_of(tmp_path, TOML.format(epochs=4) + table, MODEL)
    log = io.StringIO()
    result = train(project, tmp_path / "work", Progress(log))
    assert "pruned units taken out: 4 of fc1" in log.getvalue()
    model = load_model(result.model)
    assert model.get_layer("fc1").kernel.shape == (64, 4)
    assert model.get_layer("logits").kernel.shape == (4, 10)
