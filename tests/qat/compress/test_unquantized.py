"""Layers of QKeras whose kernel has no quantizer are quantized like those of a float model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hlsflow.project import Quantize
from hlsflow.qat.compress.fold import folded
from hlsflow.qat.compress.quantize import quantized
from hlsflow.qat.compress.unquantized import as_plain

X = np.random.default_rng(5).integers(-32, 32, (64, 5, 4, 2)) / np.float32(16)

BITS, RELU = "quantized_bits(20,3,alpha=1)", "quantized_relu(16,4)"
"""So fine that taking one away changes little."""


@pytest.fixture(scope="module")
def network() -> Any:
    """Every kind of layer without a quantizer of its kernel, or of one of its kernels; and layers with all of them."""
    import qkeras
    from tf_keras import Model, layers

    x = layers.Input((5, 4, 2), name="x")
    h = qkeras.QConv2D(3, (2, 1), activation=RELU, name="conv")(x)
    h = qkeras.QConv2DBatchnorm(3, (2, 2), use_bias=False, name="norm")(h)
    h = qkeras.QSeparableConv2D(4, (2, 1), depthwise_quantizer=BITS, activation=RELU, name="apart")(h)
    h = qkeras.QDepthwiseConv2D((2, 1), bias_quantizer=BITS, name="deep")(h)
    h = qkeras.QActivation(RELU, name="act")(h)
    h = qkeras.QDense(4, kernel_quantizer=BITS, bias_quantizer=BITS, name="own")(layers.Flatten(name="flat")(h))
    model = Model(x, qkeras.QDense(3, activation="softmax", name="end")(qkeras.QActivation(BITS, name="grid")(h)))
    rng = np.random.default_rng(1)
    for weight in model.weights:
        low = 0.5 if "variance" in weight.name else -0.7
        if "iteration" not in weight.name:
            weight.assign(rng.uniform(low, 0.9, weight.shape))
    return model


def test_they_become_layers_of_keras_that_compute_the_same(network: Any) -> None:
    found, notes = as_plain(network)
    kinds = {layer.name: type(layer).__name__ for layer in found.layers if layer.name in {n.layer for n in notes}}
    assert kinds == {
        "conv": "Conv2D", "norm": "Conv2D", "apart": "SeparableConv2D", "deep": "DepthwiseConv2D", "end": "Dense"
    }  # fmt: skip
    assert [note.layer for note in notes] == list(kinds)
    assert notes[1].what == "taken for a Conv2D"
    np.testing.assert_allclose(found.predict(X, verbose=0), network.predict(X, verbose=0), atol=2e-3)


def test_they_get_the_bits_that_are_asked_for_and_the_others_keep_theirs(network: Any) -> None:
    one = quantized(folded(as_plain(network)[0]), Quantize.model_validate({"bits": 5}), X)
    kernels = [choice.layer for choice in one.choices if choice.what in ("kernel", "depthwise")]
    assert kernels == ["conv", "norm", "apart", "deep", "end"]
    assert all("_bits(5," in choice.quantizer for choice in one.choices if choice.what == "kernel")
    own, given = (model.get_layer("own").kernel_quantizer_internal for model in (one.model, network))
    assert str(own) == str(given)
    for name in ("conv_activation", "apart_activation"):
        assert str(one.model.get_layer(name).quantizer) == RELU
    assert all(getattr(layer, "kernel_quantizer_internal", 0) is not None for layer in one.model.layers)


def test_a_network_with_all_of_its_quantizers_is_left_alone() -> None:
    import qkeras
    from tf_keras import Sequential, layers

    model = Sequential([layers.Input((4,)), qkeras.QDense(2, kernel_quantizer="binary(alpha=1)", name="fc")])
    assert as_plain(model) == (model, [])
