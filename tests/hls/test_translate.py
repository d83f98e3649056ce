"""Translation: knobs applied and echoed, corrections listed, everything else refused by name. No compiler is needed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import qkeras
import tf_keras

from hlsflow.core.errors import FlowError, ModelError, ProjectError, UnsupportedLayer
from hlsflow.hls.translate import Settings, Translation, translate
from hlsflow.ir import Fixed, Op
from tests.hls.networks import INPUT, TARGET, act, bits, dense, every_construct, knobs, network


def translated(model: Any, folder: Path, **values: Any) -> Translation:
    return translate(model, Settings(INPUT, TARGET, knobs(**values)), folder)


def test_knobs_reach_hls4ml_and_are_echoed(tmp_path: Path) -> None:
    own = {"fc1": {"reuse_factor": 4, "strategy": "resource", "precision": {"accum": "fixed<24,12>"}}}
    result = translated(
        network(dense(8, "fc1"), act(qkeras.quantized_relu(6, 2), "relu"), dense(4, "fc2")),
        tmp_path / "hls",
        reuse_factor=2,
        layers=own,
    )
    rows = {row.name: row for row in result.rows}
    assert (rows["fc1"].strategy, rows["fc1"].asked, rows["fc1"].granted, rows["fc1"].multipliers) == (
        "resource",
        4,
        4,
        16,
    )
    assert (rows["fc2"].strategy, rows["fc2"].asked, rows["fc2"].granted, rows["fc2"].multipliers) == (
        "latency",
        2,
        2,
        16,
    )
    assert (rows["fc1"].weight, rows["fc1"].accum) == ("fixed<6,1>", "fixed<24,12>")
    assert rows["relu"].result == "ufixed<6,2,RND_CONV,SAT>"
    parameters = (tmp_path / "hls" / "firmware" / "parameters.h").read_text()
    assert "static const unsigned reuse_factor = 4;" in parameters
    assert "static const unsigned strategy = nnet::resource;" in parameters


def test_the_graph_is_the_network_as_integers(tmp_path: Path) -> None:
    model = network(dense(3, "fc1"), act(qkeras.quantized_relu(6, 2), "relu"), dense(2, "fc2"))
    graph = translated(model, tmp_path, strategy="resource").graph
    assert [(node.name, node.op) for node in graph.nodes] == [
        ("x", Op.INPUT), ("fc1", Op.DENSE), ("relu", Op.RELU), ("fc2", Op.DENSE)
    ]  # fmt: skip
    kernel = np.asarray(bits(6, 0)(model.get_layer("fc1").get_weights()[0]))
    assert np.array_equal(graph["fc1"].params["weight"], kernel * 32)
    assert graph["fc1"].types["weight"] == Fixed(6, 1)


CORRECTED = {
    "x": "input set to fixed<10,4>",
    "scaled": "kernel frozen to its quantized values",
    "symmetric": "result set to fixed<6,3,RND_CONV,SAT_SYM>",
    "powers": "kernel frozen to its quantized values",
    "whole_numbers": "result set to ufixed<4,4,RND_CONV,SAT>",
    "binary": "kernel frozen to its quantized values",
    "unsigned": "result set to ufixed<5,4,RND_CONV,SAT>",
    "leaky": "its input clipped to fixed<",
    "twice": "result set to fixed<8,4,RND_CONV,SAT>, the type of 'first'",
    "logits": "softmax left to software",
}


def test_every_correction_is_listed_with_a_reason(tmp_path: Path) -> None:
    found = translated(every_construct(), tmp_path).corrections
    for layer, what in CORRECTED.items():
        assert any(item.layer == layer and item.what.startswith(what) for item in found), (layer, found)
    assert all(item.reason for item in found)


def test_a_plain_network_needs_the_input_set_and_nothing_else(tmp_path: Path) -> None:
    model = network(dense(4, "fc1"), act(qkeras.quantized_relu(6, 2), "relu"), dense(2, "fc2"), spread=0.2)
    assert [item.layer for item in translated(model, tmp_path).corrections] == ["x"]


def test_an_input_of_hls4ml_s_own_type_is_no_correction(tmp_path: Path) -> None:
    model = network(dense(4, "fc1"), spread=0.2)
    assert translate(model, Settings(Fixed(16, 6), TARGET, knobs()), tmp_path / "same").corrections == ()
    other = translate(model, Settings(Fixed(16, 7), TARGET, knobs()), tmp_path / "other").corrections
    assert [(one.layer, one.what) for one in other] == [("x", "input set to fixed<16,7>")]


def test_an_illegal_reuse_factor_of_a_layer_s_own_names_its_neighbours(tmp_path: Path) -> None:
    own = {"fc1": {"reuse_factor": 5}}
    with pytest.raises(ProjectError, match=r"layer 'fc1'.*cannot build reuse factor 5") as error:
        translated(network(dense(6, "fc1")), tmp_path, strategy="resource", layers=own)
    assert "4 or 8" in error.value.hint


def test_a_default_reuse_factor_becomes_the_nearest_legal_one_where_it_must(tmp_path: Path) -> None:
    model = network(dense(6, "fc1"), act(qkeras.quantized_relu(6, 2), "relu"), dense(3, "fc2"))
    result = translated(model, tmp_path, reuse_factor=7, strategy="resource", layers={"fc2": {"reuse_factor": 6}})
    rows = {row.name: row for row in result.rows}
    assert [(rows[name].asked, rows[name].granted) for name in ("fc1", "fc2")] == [(7, 8), (6, 6)]
    assert [(one.layer, one.what) for one in result.corrections if "reuse" in one.what] == [
        ("fc1", "reuse factor 8 in hls4ml's project instead of the default 7")
    ]
    few = translated(network(dense(2, "fc1")), tmp_path / "few", reuse_factor=100)  # more than its 16 products
    assert [(row.asked, row.granted) for row in few.rows if row.weight] == [(100, 16)]


def images() -> Any:
    return image(
        qkeras.QConv2D(4, 3, kernel_quantizer=bits(6, 0), bias_quantizer=bits(6, 0), name="conv"),
        qkeras.QDepthwiseConv2D(2, depthwise_quantizer=bits(6, 0), bias_quantizer=bits(6, 0), name="dw"),
    )


def test_the_knobs_of_convolutions_are_those_of_the_product_they_repeat(tmp_path: Path) -> None:
    own = {"conv": {"reuse_factor": 9, "strategy": "resource", "precision": {"result": "fixed<9,4,RND,SAT>"}}}
    result = translated(images(), tmp_path, layers=own)
    rows = {row.name: row for row in result.rows}
    assert (rows["conv"].shape, rows["conv"].granted, rows["conv"].multipliers) == ((3, 3, 3, 4), 9, 12)
    assert str(result.graph["conv"].type) == "fixed<9,4,RND,SAT>"
    kernel = np.asarray(bits(6, 0)(images().get_layer("conv").get_weights()[0]))
    assert result.graph["conv"].params["weight"].shape == kernel.shape
    with pytest.raises(
        ProjectError, match=r"layer 'conv' \(27 x 4, strategy resource\): hls4ml cannot build .* 10"
    ) as error:
        translated(images(), tmp_path, layers={"conv": {"reuse_factor": 10, "strategy": "resource"}})
    assert "9 or 27" in error.value.hint


def test_depthwise_layers_have_the_strategy_that_hls4ml_has_for_them(tmp_path: Path) -> None:
    rows = {row.name: row for row in translated(images(), tmp_path, strategy="resource").rows}
    assert (rows["conv"].strategy, rows["dw"].strategy) == ("resource", "latency")
    with pytest.raises(ProjectError, match=r"knobs.layers.dw.strategy: hls4ml has no resource strategy"):
        translated(images(), tmp_path, layers={"dw": {"strategy": "resource"}})
    stream = TARGET.model_copy(update={"io_type": "io_stream"})
    rows = {
        row.name: row for row in translate(images(), Settings(INPUT, stream, knobs(strategy="resource")), tmp_path).rows
    }
    assert rows["dw"].strategy == "resource"


def test_knobs_for_a_layer_that_is_not_there_suggest_one_that_is(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"knobs.layers.fc2: .*did you mean fc1"):
        translated(network(dense(6, "fc1")), tmp_path, layers={"fc2": {"reuse_factor": 2}})


def applied_twice() -> Any:
    x, layer = tf_keras.layers.Input((4,), name="x"), dense(4, "fc")
    return tf_keras.Model(x, layer(layer(x)))


def refused_activation(quantizer: Any, integer: int) -> Any:
    """QKeras cannot even call some quantizers, so they are changed after the model is built."""
    model = network(dense(3, "fc"), act(quantizer, "a"))
    model.get_layer("a").quantizer.integer = integer
    return model


def image(*layers: Any) -> Any:
    return tf_keras.Sequential([tf_keras.layers.Input((4, 5, 3), name="x"), *layers])


def merged(layer: Any, *shapes: tuple[int, ...]) -> Any:
    inputs = [tf_keras.layers.Input(shape, name=f"x{index}") for index, shape in enumerate(shapes)]
    return tf_keras.Model(inputs, layer(inputs))


REFUSED = {
    "layer 'conv' is a QConv2D with dilation_rate": lambda: image(
        qkeras.QConv2D(2, 2, kernel_quantizer=bits(6, 0), dilation_rate=2, name="conv")
    ),
    "layer 'conv' is a QConv2D with data_format": lambda: image(
        qkeras.QConv2D(2, 2, kernel_quantizer=bits(6, 0), data_format="channels_first", name="conv")
    ),
    "layer 'conv' is a Conv2DTranspose": lambda: image(tf_keras.layers.Conv2DTranspose(2, 2, name="conv")),
    "layer 'dw' is a QDepthwiseConv2D with depth_multiplier": lambda: image(
        qkeras.QDepthwiseConv2D(2, depthwise_quantizer=bits(6, 0), depth_multiplier=2, name="dw")
    ),
    "layer 'up' is a UpSampling2D with interpolation": lambda: image(
        tf_keras.layers.UpSampling2D(interpolation="bilinear", name="up")
    ),
    "layer 'pool' is a GlobalAveragePooling2D with keepdims": lambda: image(
        tf_keras.layers.GlobalAveragePooling2D(keepdims=True, name="pool")
    ),
    "layer 'pool' averages 9 values, whose result lies on no grid": lambda: image(
        tf_keras.layers.AveragePooling2D(3, name="pool")
    ),
    "layer 'bn' normalizes axis": lambda: image(tf_keras.layers.BatchNormalization(axis=1, name="bn")),
    "layer 'mean' averages 3 tensors": lambda: merged(tf_keras.layers.Average(name="mean"), (4,), (4,), (4,)),
    "layer 'sum' merges shapes": lambda: merged(tf_keras.layers.Add(name="sum"), (3, 4), (1, 4)),
    "layer 'fc' has exact results of": lambda: network(
        *[dense(4, name, bits(16, 0)) for name in ("a", "b", "c", "fc")]
    ),
    "the result of layer 'x' is an output more than once": lambda: tf_keras.Model(
        *[tf_keras.layers.Input((4,), name="x")] * 2
    ),
    "layer 'fc': the kernel values are not quantized": lambda: network(tf_keras.layers.Dense(3, name="fc")),
    "layer 'a': quantized_bits with alpha='auto_po2' scales by the largest value": lambda: network(
        act(bits(6, 2, alpha="auto_po2"), "a")
    ),
    r"layer 'a' \(quantized_relu\) cannot be computed exactly: its values lie on no fixed-point grid": lambda: network(
        act(qkeras.quantized_relu(6, 2, qnoise_factor=0.3), "a")
    ),
    "layer 'a': bernoulli is random": lambda: network(act(qkeras.bernoulli(), "a")),
    "layer 'a': quantized_relu with a negative integer": lambda: refused_activation(qkeras.quantized_relu(4, 0), -2),
    "layer 's' is a softmax inside the network": lambda: network(
        dense(3, "fc"), tf_keras.layers.Softmax(name="s"), tf_keras.layers.Dropout(0.1)
    ),
    "layer 'fc' is applied 2 times": lambda: applied_twice(),
    "has no known input shape": lambda: tf_keras.Sequential([dense(3, "fc")]),
    r"layer 'a' \(tanh\) cannot be computed exactly: its values lie on no fixed-point grid": lambda: network(
        tf_keras.layers.Activation("tanh", name="a"), dense(3, "fc")
    ),
    r"layer 'a' \(quantized_tanh\) cannot be computed exactly: it needs a table of \d+ entries": lambda: network(
        dense(3, "fc", bits(10, 0)), act(qkeras.quantized_tanh(6, use_real_tanh=True), "a")
    ),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_what_cannot_be_exact_is_refused_by_name(reason: str, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedLayer, match=reason) as error:
        translated(REFUSED[reason](), tmp_path)
    assert error.value.hint


def test_weights_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    model = network(dense(3, "fc"))
    model.set_weights([np.full(array.shape, np.nan) for array in model.get_weights()])
    with pytest.raises(ModelError, match="layer 'fc': some kernel values are NaN"):
        translated(model, tmp_path)


def branches() -> Any:
    x, y = tf_keras.layers.Input((4,), name="x"), tf_keras.layers.Input((3, 1), name="y")
    fork = dense(4, "fork")(x)
    total = tf_keras.layers.Add(name="total")([act("quantized_bits(6,2,alpha=1)", "left")(fork), fork])
    return tf_keras.Model(
        [y, x], [act(bits(8, 3), "end")(total), tf_keras.layers.Flatten(name="flat")(act(bits(4, 1), "q")(y))]
    )


def test_branches_inputs_and_outputs_keep_their_order_and_exact_types(tmp_path: Path) -> None:
    result = translated(branches(), tmp_path)
    graph = result.graph
    assert [node.name for node in graph.inputs] == ["y", "x"]
    assert graph.outputs == ("total", "q")  # the quantizer 'end' is merged into the sum, the flattening does nothing
    assert [node.name for node in graph.readers("fork")] == ["left", "total"]
    assert str(graph["left"].type) == "fixed<6,3,RND_CONV,SAT>"
    assert graph["fork"].type.frac == INPUT.frac + 5
    assert str(graph["total"].type) == "fixed<8,4,RND_CONV,SAT>"
    assert any(item.layer == "total" and "the type of 'end'" in item.what for item in result.corrections)


def test_poolings_that_cannot_stream_are_refused_for_streams_alone(tmp_path: Path) -> None:
    stream = TARGET.model_copy(update={"io_type": "io_stream"})
    pool = tf_keras.layers.MaxPooling2D
    for layer in (pool(2, padding="same", name="pool"), pool(3, strides=1, name="pool")):
        assert translated(image(layer), tmp_path / "parallel").graph["pool"].op is Op.MAX_POOL
        with pytest.raises(UnsupportedLayer, match=r"layer 'pool' .* cannot with io_stream"):
            translate(image(layer), Settings(INPUT, stream, knobs()), tmp_path / "stream")


def test_averages_get_the_bits_they_need(tmp_path: Path) -> None:
    """Exactly, where a binary fraction holds them; else as many as their quantizer needs to round them rightly."""
    mean = translated(merged(tf_keras.layers.Average(name="mean"), (4,), (4,)), tmp_path / "merge")
    assert mean.graph["mean"].type.frac == INPUT.frac + 1
    pool = tf_keras.layers.AveragePooling2D
    exact = translated(image(pool(2, name="mean")), tmp_path / "exact")
    assert exact.graph["mean"].type.frac == exact.graph["mean"].types["accum"].frac == INPUT.frac + 2
    rounded = translated(image(pool(3, name="mean"), act(qkeras.quantized_relu(6, 2), "q")), tmp_path / "rounded")
    assert rounded.graph["mean"].types["accum"].frac == INPUT.frac + 4  # nine values: ceil(log2(9)) bits more
    for result in (mean, exact, rounded):
        assert any(item.layer == "mean" and "fractional bits" in item.what for item in result.corrections)


def test_flattenings_keep_the_order_of_values(tmp_path: Path) -> None:
    """hls4ml would drop the permutation, and in streams hand the quantizer pixels instead of a vector."""
    permuted = image(tf_keras.layers.Permute((3, 1, 2), name="p"), tf_keras.layers.Flatten(name="flat"), dense(2, "fc"))
    result = translated(permuted, tmp_path / "parallel")
    assert [node.op for node in result.graph.nodes] == [Op.INPUT, Op.PERMUTE, Op.RESHAPE, Op.RESHAPE, Op.DENSE]
    assert any(item.layer == "flat" and "separated" in item.what for item in result.corrections)
    stream = Settings(INPUT, TARGET.model_copy(update={"io_type": "io_stream"}), knobs())
    quantized = image(tf_keras.layers.Flatten(name="flat"), act(bits(4, 1), "q"), dense(2, "fc"))
    result = translate(quantized, stream, tmp_path / "stream")
    assert any(item.layer == "flat" and "collects the vector" in item.what for item in result.corrections)


def test_layers_named_like_weights_are_read_rightly(tmp_path: Path) -> None:
    """hls4ml's own reader takes the first weight whose whole name contains the word "bias"."""
    model = network(dense(3, "no_bias", use_bias=False, bias_quantizer=None))
    assert not translated(model, tmp_path).graph["no_bias"].params["bias"].any()


def test_a_stream_read_too_often_is_refused(tmp_path: Path) -> None:
    x = tf_keras.layers.Input((4,), name="x")
    model = tf_keras.Model(x, [dense(2, f"fc{index}")(x) for index in range(8)])
    stream = TARGET.model_copy(update={"io_type": "io_stream"})
    with pytest.raises(UnsupportedLayer, match="layer 'x' is read 8 times"):
        translate(model, Settings(INPUT, stream, knobs()), tmp_path)


def test_a_saturating_accumulator_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedLayer, match=r"accumulator .* saturates"):
        translated(network(dense(3, "fc")), tmp_path, precision={"accum": "fixed<12,6,TRN,SAT>"})


def test_shapes_are_kept(tmp_path: Path) -> None:
    model = tf_keras.Sequential([tf_keras.layers.Input((4, 2), name="x"), tf_keras.layers.Flatten(), dense(3, "fc")])
    graph = translated(model, tmp_path).graph
    assert [node.shape for node in graph.nodes] == [(4, 2), (8,), (3,)]


def test_every_refusal_is_of_the_one_error_family() -> None:
    assert issubclass(UnsupportedLayer, FlowError)


def test_layers_shared_with_another_model_are_no_branches(tmp_path: Path) -> None:
    first = network(dense(4, "fc1"), act(qkeras.quantized_relu(6, 2), "relu"), dense(2, "head"))
    second = tf_keras.Sequential([tf_keras.layers.Input((8,), name="x"), *first.layers[:-1], dense(3, "tail")])
    assert [node.name for node in translated(second, tmp_path / "2").graph.nodes] == ["x", "fc1", "relu", "tail"]
    assert [node.name for node in translated(first, tmp_path / "1").graph.nodes] == ["x", "fc1", "relu", "head"]


def test_a_plain_keras_relu_is_carried(tmp_path: Path) -> None:
    model = network(dense(4, "fc1"), tf_keras.layers.ReLU(name="relu"), dense(2, "fc2"))
    assert translated(model, tmp_path).graph["relu"].op is Op.RELU


def test_cutting_a_softmax_keeps_what_a_configuration_does_not_hold(tmp_path: Path) -> None:
    """QKeras' get_config drops scale_axis: a copy by configuration alone would have other weights."""
    kernel = bits(6, 0, alpha="auto_po2", scale_axis=0)
    model = network(
        dense(6, "fc1", kernel), act(qkeras.quantized_relu(6, 2), "r"), dense(4, "fc2", activation="softmax")
    )
    result = translated(model, tmp_path)
    used = np.asarray(model.get_layer("fc1").kernel_quantizer_internal(model.get_layer("fc1").kernel))
    node = result.graph["fc1"]
    assert np.array_equal(node.types["weight"].real(node.params["weight"]), used)
    assert any("softmax left to software" in item.what for item in result.corrections)


USELESS = {
    "relu.reuse_factor": {"relu": {"reuse_factor": 2}},
    "relu.precision.accum": {"relu": {"precision": {"accum": "fixed<20,10>"}}},
    "drop.precision.result": {"drop": {"precision": {"result": "fixed<8,4>"}}},
}


@pytest.mark.parametrize("key", USELESS)
def test_a_knob_that_would_do_nothing_is_an_error(key: str, tmp_path: Path) -> None:
    model = network(
        dense(4, "fc1"),
        act(qkeras.quantized_relu(6, 2), "relu"),
        tf_keras.layers.Dropout(0.1, name="drop"),
        dense(2, "fc2"),
    )
    with pytest.raises(ProjectError, match=f"knobs.layers.{key}: layer '{key.split('.')[0]}' has no such knob"):
        translated(model, tmp_path, layers=USELESS[key])


def test_weight_and_activation_precision_knobs_are_applied(tmp_path: Path) -> None:
    model = network(dense(4, "fc1"), act(qkeras.quantized_relu(6, 2), "relu"), dense(2, "fc2"))
    own = {
        "fc1": {"precision": {"weight": "fixed<4,1>", "bias": "fixed<5,1>"}},
        "relu": {"precision": {"result": "ufixed<4,2,RND,SAT>"}},
    }
    result = translated(model, tmp_path, layers=own)
    assert {row.name: row.weight for row in result.rows}["fc1"] == "fixed<4,1>"
    assert result.graph["fc1"].types["bias"] == Fixed(5, 1)
    assert str(result.graph["relu"].type) == "ufixed<4,2,RND,SAT>"
