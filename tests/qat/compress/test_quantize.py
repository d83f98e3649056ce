"""Float models become quantized ones: the same function first, on grids learnt from data, and exact in hardware."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hlsflow.core.errors import ProjectError, UnsupportedLayer
from hlsflow.project import Quantize
from hlsflow.qat.compress.fold import folded
from hlsflow.qat.compress.quantize import WEIGHTS, quantized
from hlsflow.qat.compress.ranges import best_integer, relative_error
from hlsflow.qat.train import make_deterministic

X = np.random.default_rng(5).integers(-32, 32, (64, 6, 6, 2)) / np.float32(16)


def table(**values: Any) -> Quantize:
    return Quantize.model_validate(values)


def disturbed(model: Any, seed: int = 0) -> Any:
    """The model with random weights, batch normalizations far from doing nothing included."""
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        layer.set_weights([rng.uniform(0.2, 1.2, w.shape) * rng.choice([-1, 1], w.shape) for w in layer.get_weights()])
        if type(layer).__name__ == "BatchNormalization":
            *rest, variance = layer.get_weights()
            layer.set_weights([*rest, np.abs(variance)])
    return model


@pytest.fixture(scope="module")
def network() -> Any:
    """Branches, two batch normalizations that can be folded and one that cannot, several functions, a softmax."""
    from tf_keras import Model
    from tf_keras.layers import (
        Activation,
        Add,
        AveragePooling2D,
        BatchNormalization,
        Conv2D,
        Dense,
        DepthwiseConv2D,
        Flatten,
        Input,
        LeakyReLU,
        ReLU,
        SeparableConv2D,
    )

    make_deterministic(0)
    x = Input((6, 6, 2), name="x")
    a = ReLU(name="relu1")(BatchNormalization(name="bn1")(Conv2D(3, 3, use_bias=False, name="conv")(x)))
    b = BatchNormalization(name="bn2")(DepthwiseConv2D(3, padding="same", name="deep")(a))
    c = BatchNormalization(name="bn3")(SeparableConv2D(3, 3, padding="same", activation="relu", name="apart")(a))
    merged = Add(name="add")([LeakyReLU(0.25, name="leaky")(b), c])
    flat = Flatten(name="flat")(AveragePooling2D(2, name="pool")(Activation("sigmoid", name="sig")(merged)))
    logits = Dense(4, activation="softmax", name="logits")(Dense(5, name="wide")(flat))
    return disturbed(Model(x, logits, name="branches"))


def logits_of(network: Any) -> NDArray[np.float64]:
    probabilities = np.float64(network.predict(X, verbose=0))
    logits: NDArray[np.float64] = np.log(probabilities)
    return logits


def centred(logits: NDArray[Any]) -> NDArray[np.float64]:
    """Softmax forgets what is added to all logits."""
    result: NDArray[np.float64] = np.float64(logits) - np.float64(logits).mean(1, keepdims=True)
    return result


def test_folding_keeps_the_function_and_leaves_what_cannot_be_folded(network: Any) -> None:
    plain = folded(network)
    names = {layer.name for layer in plain.layers}
    assert {"bn1", "bn2"} & names == set()
    assert "bn3" in names  # a function stands between it and the sums
    assert plain.get_layer("conv").use_bias
    np.testing.assert_allclose(centred(plain.predict(X, verbose=0)), centred(logits_of(network)), atol=2e-4)


def test_wide_quantizers_compute_what_the_float_model_does(network: Any) -> None:
    plain = folded(network)
    one = quantized(plain, table(bits=16, table=16), X)
    given, wanted = one.model.predict(X, verbose=0), plain.predict(X, verbose=0)
    assert np.abs(given - wanted).max() < 0.01 * np.abs(wanted).max()
    assert {choice.what for choice in one.choices} == {*WEIGHTS, "activation", "argument"}
    assert all(choice.error is not None and choice.error < 0.001 for choice in one.choices)


def test_fewer_bits_cost_more(network: Any) -> None:
    plain = folded(network)
    wanted = plain.predict(X, verbose=0)
    off = [
        np.abs(quantized(plain, table(bits=bits), X).model.predict(X, verbose=0) - wanted).mean() for bits in (4, 6, 8)
    ]
    assert off[0] > 2 * off[1] > 4 * off[2]


def test_the_quantized_model_is_bit_exact(network: Any, assert_bit_exact: Callable[..., Any]) -> None:
    one = quantized(folded(network), table(bits=6, layers={"wide": {"weight": 4, "activation": 5}}), X)
    assert_bit_exact(one.model, X, input_precision="fixed<6,2>")
    by_layer = {(choice.layer, choice.what): choice.quantizer for choice in one.choices}
    assert by_layer["wide", "kernel"].startswith("quantized_bits(4,")
    assert by_layer["wide", "activation"].startswith("quantized_bits(5,")
    assert by_layer["relu1", "activation"].startswith("quantized_relu(6,")
    assert by_layer["leaky", "activation"].startswith("quantized_bits(6,")
    assert by_layer["sig", "activation"].startswith("quantized_relu(6,")  # never negative
    assert by_layer["sig", "argument"].startswith("quantized_bits(10,")


@pytest.fixture(scope="module")
def small() -> Any:
    """Two dense layers, the first with weights far below 1."""
    from tf_keras import Sequential
    from tf_keras.layers import Dense, Flatten, Input

    make_deterministic(0)
    layers = [Input((6, 6, 2)), Flatten(), Dense(6, activation="relu", name="fc"), Dense(3, name="logits")]
    model = disturbed(Sequential(layers, name="small"), 1)
    kernel, bias = model.get_layer("fc").get_weights()
    model.get_layer("fc").set_weights([kernel / 20, bias / 9])
    return folded(model)


def test_small_weights_use_all_of_their_bits(small: Any) -> None:
    one = quantized(small, table(bits=5), X)
    (kernel,) = (choice for choice in one.choices if (choice.layer, choice.what) == ("fc", "kernel"))
    assert kernel.quantizer == "quantized_bits(5,0,alpha=0.0625)"
    layer = one.model.get_layer("fc")
    used = np.asarray(layer.kernel_quantizer_internal(layer.kernel))
    np.testing.assert_allclose(used, small.get_layer("fc").get_weights()[0], atol=0.0625 / 2**4 / 2 + 1e-7)
    assert np.abs(used).max() >= 0.0625 * 12 / 16


def test_weights_can_be_given_back(small: Any) -> None:
    before = [weight.copy() for weight in small.get_weights()]
    one = quantized(small, table(bits=5), X)
    one.give(small)
    for old, new in zip(before, small.get_weights(), strict=True):
        np.testing.assert_allclose(new, old, rtol=1e-6)


def test_other_kinds_of_weights_are_bit_exact(assert_bit_exact: Callable[..., Any]) -> None:
    from tf_keras import Sequential
    from tf_keras.layers import Dense, Flatten, Input

    kinds = ("binary", "ternary", "power_of_two")
    layers = [Input((6, 6, 2)), Flatten(), *(Dense(6, activation="relu", name=kind) for kind in kinds), Dense(3)]
    rows = {kind: {"kind": kind, "weight": 4} for kind in kinds}
    one = quantized(folded(disturbed(Sequential(layers), 1)), table(bits=6, layers=rows, symmetric=True), X)
    assert_bit_exact(one.model, X, input_precision="fixed<6,2>")
    for kind in kinds:
        layer = one.model.get_layer(kind)
        levels = np.unique(np.abs(np.asarray(layer.kernel_quantizer_internal(layer.kernel))))
        assert np.allclose(np.log2(levels[levels > 0]) % 1, 0)  # powers of two
        assert (0 in levels) <= (kind == "ternary")
        if kind != "power_of_two":
            assert len(levels[levels > 0]) == 1  # one scale a layer, so that hardware multiplies by signs


@pytest.mark.parametrize(("kind", "levels"), [("binary", (-1, 1)), ("ternary", (-1, 0, 1))])
def test_signs_have_the_scale_of_the_least_error(kind: Any, levels: tuple[int, ...]) -> None:
    from tf_keras import Sequential
    from tf_keras.layers import Dense, Input

    model = Sequential([Input((72,)), Dense(4, name="fc")])
    kernel = np.random.default_rng(5).normal(0, 0.07, (72, 4)).astype(np.float32)
    model.set_weights([kernel, np.zeros(4)])
    one = quantized(folded(model), table(bits=4, kind=kind), np.zeros((3, 72), np.float32))
    (choice,) = (choice for choice in one.choices if choice.what == "kernel")
    found = np.asarray(one.model.get_layer("fc").kernel_quantizer_internal(kernel))
    nearest = [
        np.min([(kernel - scale * level) ** 2 for level in levels], 0).mean() for scale in 2.0 ** np.arange(-12, 3)
    ]
    assert np.mean((kernel - found) ** 2) == pytest.approx(min(nearest), rel=1e-4)
    assert choice.error == pytest.approx(np.sqrt(min(nearest) / np.mean(kernel**2)), rel=1e-4)


def test_frozen_layers_are_not_trained(small: Any) -> None:
    one = quantized(small, table(frozen=["fc"]), X)
    assert {layer.name for layer in one.model.layers if not layer.trainable} == {"fc"}


@pytest.mark.parametrize("rows", [{"layers": {"fcc": {"weight": 3}}}, {"frozen": ["fcc"]}])
def test_a_row_for_no_layer_is_an_error(rows: dict[str, Any], small: Any) -> None:
    with pytest.raises(ProjectError, match=r"'fcc', which has nothing to quantize.*fc"):
        quantized(small, table(**rows), X)


def mixed(kind: str) -> Any:
    """Networks of QKeras with layers that have no quantizers."""
    import qkeras
    from tf_keras import Model, layers

    bits = {"bias_quantizer": "quantized_bits(5,1,alpha=1)"}
    x = layers.Input((6, 6, 2), name="x")
    if kind == "end":  # as tutorials have it
        h = qkeras.QConv2D(3, 3, kernel_quantizer="quantized_bits(5,0,alpha='auto_po2')", name="conv", **bits)(x)
        h = layers.Flatten()(qkeras.QActivation("quantized_relu(5,2)", name="act")(h))
        return disturbed(Model(x, layers.Softmax(name="softmax")(layers.Dense(3, name="end")(h))), 1)
    if kind == "start":
        h = qkeras.QActivation("quantized_relu(6,3)", name="act")(layers.Conv2D(3, 3, name="conv")(x))
    else:  # within, with a norm that is folded and a ReLU before a quantizer of the model's own
        h = layers.BatchNormalization(name="bn")(layers.DepthwiseConv2D(3, use_bias=False, name="deep")(x))
        h = qkeras.QActivation("quantized_relu(6,3)", name="act")(layers.ReLU(name="relu")(h))
    dense = qkeras.QDense(3, kernel_quantizer="quantized_bits(5,0,alpha=1)", activation="softmax", name="end", **bits)
    return disturbed(Model(x, dense(layers.Flatten()(h))), 1)


@pytest.mark.parametrize("kind", ["end", "start", "within"])
def test_layers_with_quantizers_keep_them_where_others_get_some(kind: str) -> None:
    model = mixed(kind)
    plain = folded(model)
    wide = quantized(plain, table(bits=18), X)
    assert np.allclose(wide.model.predict(X, verbose=0), plain.predict(X, verbose=0), atol=0.1)
    own = {"end": {"end"}, "start": {"conv"}, "within": {"deep"}}[kind]
    assert {choice.layer for choice in wide.choices} == own  # and no activation: the model's own quantizers follow
    kept = quantized(plain, table(bits=3), X).model
    assert str(kept.get_layer("act").quantizer) == str(model.get_layer("act").quantizer)
    name = "conv" if kind == "end" else "end"
    np.testing.assert_array_equal(kept.get_layer(name).get_weights()[0], model.get_layer(name).get_weights()[0])
    assert str(kept.get_layer(name).kernel_quantizer_internal) == str(model.get_layer(name).kernel_quantizer_internal)


def test_a_network_that_is_quantized_already_is_no_float_one() -> None:
    import qkeras
    from tf_keras import Sequential, layers

    model = Sequential([layers.Input((4,)), qkeras.QDense(2, kernel_quantizer="binary(alpha=1)", name="fc")])
    with pytest.raises(ProjectError, match="has quantizers already") as error:
        quantized(folded(model), table(bits=8), X[:, 0, 0, :2].repeat(2, 1))
    assert "leave out --bits" in error.value.hint


def test_preprocessing_gets_a_grid() -> None:
    from tf_keras import Sequential, layers

    norm = layers.Normalization(mean=[0.3, -0.4], variance=[0.7, 1.9], name="norm")
    model = disturbed(Sequential([layers.Input((6, 6, 2)), norm, layers.Flatten(), layers.Dense(2, name="end")]))
    found = quantized(folded(model), table(bits=6), X)
    assert [(choice.layer, choice.what) for choice in found.choices] == [
        ("norm", "activation"), ("end", "kernel"), ("end", "bias")
    ]  # fmt: skip
    assert type(found.model.get_layer("norm_grid")).__name__ == "QActivation"


def test_layers_without_a_quantized_form_are_refused() -> None:
    from tf_keras import Sequential
    from tf_keras.layers import GRU, Dense, Input

    model = folded(Sequential([Input((4, 3)), GRU(2, name="gru"), Dense(2, name="out")]))
    with pytest.raises(UnsupportedLayer, match="'gru' is a GRU"):
        quantized(model, table(), np.zeros((2, 4, 3), np.float32))


def test_a_layer_applied_twice_is_refused() -> None:
    from tf_keras import Model
    from tf_keras.layers import Dense, Input

    x, twice = Input((3,)), Dense(3, name="twice")
    with pytest.raises(UnsupportedLayer, match="'twice' is applied 2 times"):
        folded(Model(x, twice(twice(x))))


@pytest.mark.parametrize(("largest", "integer"), [(0.9, 0), (1.7, 1), (0.24, -2), (6.0, 3)])
def test_binary_points_hold_the_largest_value_of_even_samples(largest: float, integer: int) -> None:
    values = np.linspace(-largest, largest, 2001)
    assert best_integer(values, 8, True) == integer
    assert relative_error(values, 8, integer, True) < relative_error(values, 8, integer + 1, True)


def test_rare_large_values_are_cut_off_when_that_is_better() -> None:
    values = np.concatenate([np.random.default_rng(0).normal(0, 0.2, 10000), [7.0]])
    assert best_integer(values, 4, True) < 3
