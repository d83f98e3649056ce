"""Float scales of kernels are applied once, after the sum: what is computed stays, and the kernel stays as short."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import qkeras
import tf_keras
from tf_keras import layers as keras

from hlsflow.core.errors import UnsupportedLayer
from hlsflow.hls import reading, scaled, weights
from hlsflow.hls.translate import Settings, translate
from hlsflow.ir import Op, evaluate
from hlsflow.ir.fixed import Fixed
from tests.hls.networks import INPUT, TARGET, act, bits, dense, knobs, network, samples

FLOAT_SCALES = {
    "auto": (lambda: bits(4, 0, alpha="auto"), 4),
    "whole": (lambda: bits(5, 2, alpha="auto"), 5),
    "wide": (lambda: bits(14, 0, alpha="auto"), 14),
    "binary": (lambda: qkeras.binary(alpha="auto"), 2),
    "ternary": (lambda: qkeras.ternary(alpha="auto"), 2),
    "number": (lambda: qkeras.ternary(alpha=0.3), 2),
}


@pytest.mark.parametrize("name", FLOAT_SCALES)
def test_the_kernel_times_its_scales_is_what_qkeras_multiplies_with(name: str) -> None:
    make, width = FLOAT_SCALES[name]
    model = network(dense(16, "fc", make()), n_in=12)
    layer = model.get_layer("fc")
    used = np.asarray(layer.kernel_quantizer_internal(layer.kernel), np.float64)
    copy, notes = scaled.split(model)
    kernel, (scale, bias) = copy.get_layer("fc").get_weights()[0], copy.get_layer("fc_scale").get_weights()
    assert np.abs(kernel * scale - used).max() <= np.abs(used).max() * 2.0**-20
    assert np.array_equal(bias, np.asarray(layer.bias_quantizer_internal(layer.bias)))
    kind = Fixed.narrowest(np.asarray(kernel, np.float64), 24)
    assert kind is not None
    assert kind.width <= width
    assert [note.what for note in notes] == [
        "kernel held before its scales, which 'fc_scale' applies once, after the sum"
    ]
    assert notes[0].moves


@pytest.mark.parametrize(
    "quantizer", [bits(4, 0), bits(4, 0, alpha="auto_po2"), bits(4, 0, alpha="auto", scale_axis=0)]
)
def test_scales_that_are_powers_of_two_or_differ_within_a_sum_stay_in_the_kernel(quantizer: Any) -> None:
    model = network(dense(6, "fc", quantizer))
    assert scaled.split(model) == (model, [])


def test_scales_stay_where_a_table_or_products_read_the_wide_result() -> None:
    auto = bits(4, 0, alpha="auto")
    model = network(
        dense(6, "linear", auto), dense(6, "own", auto, activation=qkeras.quantized_tanh(6)),
        dense(6, "before", auto), act(qkeras.quantized_sigmoid(6), "sigmoid"), dense(3, "end", auto),
    )  # fmt: skip
    assert [note.layer for note in scaled.split(model)[1]] == ["end"]


def test_a_kernel_that_is_no_multiple_of_its_scales_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "unit_of", lambda quantizer: 0.3)
    with pytest.raises(UnsupportedLayer, match=r"layer 'fc': freezing moves \d+ of 48 kernel values"):
        scaled.split(network(dense(6, "fc", bits(4, 0, alpha="auto"))))


def image_network() -> Any:
    """Scales before a batch normalization, a quantizer, an activation of the layer's own, and of all channels alike."""
    quantized = {"kernel_quantizer": bits(4, 0, alpha="auto"), "bias_quantizer": bits(6, 1)}
    model = tf_keras.Sequential([
        keras.Input((5, 4, 2), name="x"),
        qkeras.QConv2D(3, 2, **quantized, name="conv"), keras.BatchNormalization(name="bn"), act(bits(6, 2), "a"),
        qkeras.QDepthwiseConv2D(
            2, depthwise_quantizer=bits(3, 0, alpha="auto"), bias_quantizer=bits(6, 1), name="depth"
        ),
        act(qkeras.quantized_relu(6, 2), "b"), keras.Flatten(name="flat"),
        qkeras.QDense(4, **quantized, activation=qkeras.quantized_relu(6, 2), name="own"),
        qkeras.QDense(3, kernel_quantizer=bits(4, 0), bias_quantizer=bits(6, 1), name="end"),
    ])  # fmt: skip
    random = np.random.default_rng(5)
    model.set_weights([random.normal(size=array.shape) * 0.5 + 0.1 for array in model.get_weights()])
    model.get_layer("bn").moving_variance.assign([0.4, 1.3, 2.2])
    return model


def test_networks_compute_the_same_and_the_sums_are_short(tmp_path: Path) -> None:
    model, x = image_network(), samples(200, 40)
    result = translate(model, Settings(INPUT, TARGET, knobs()), tmp_path)
    graph, layers = result.graph, [node.name for node in result.graph.nodes if node.op is Op.SCALE]
    assert layers == ["bn", "depth_scale", "own_scale"]  # one for the convolution and the normalization together
    assert [graph[name].types["weight"].width for name in ("conv", "depth", "own")] == [4, 3, 4]
    found = graph.results[0].type.real(evaluate(graph, INPUT.quantize(x)))
    np.testing.assert_array_equal(found, model.predict(x.reshape(-1, 5, 4, 2), verbose=0))


def test_a_result_type_is_that_of_what_the_scale_makes_of_the_sum(tmp_path: Path) -> None:
    model = network(dense(6, "fc", bits(4, 0, alpha="auto")), act(bits(6, 2), "q"), dense(2, "end"))
    layers = {"fc": {"precision": {"result": "fixed<20,8>"}, "reuse_factor": 2}}
    result = translate(model, Settings(INPUT, TARGET, knobs(layers=layers)), tmp_path)
    assert result.graph["fc_scale"].type == Fixed(20, 8)
    assert next(row.granted for row in result.rows if row.name == "fc") == 2


def test_a_name_that_is_taken_is_left_to_its_layer() -> None:
    model = network(dense(6, "fc", bits(4, 0, alpha="auto")), act(bits(6, 2), "fc_scale"), dense(2, "end"))
    assert [layer.name for layer in reading.read(model).model.layers[1:4]] == ["fc", "fc_scale_2", "fc_scale"]
