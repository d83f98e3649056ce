"""Networks taken apart: each layer alone is what it is in the network, and what cannot be alone is refused by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import qkeras
import tf_keras

from hlsflow.core.errors import UnsupportedLayer
from hlsflow.hls.reference import reference
from hlsflow.hls.segments import segments
from hlsflow.hls.translate import Settings, translate
from hlsflow.ir import Op, evaluate
from hlsflow.project import Target
from tests.hls.networks import INPUT, act, bits, dense, every_construct, knobs, network

IMAGE = bits(6, 0)
CHAIN = ("plain", "scaled", "ternary", "powers", "binary", "before_leaky", "twice", "logits")


def convolutional() -> Any:
    layers = tf_keras.layers
    model = tf_keras.Sequential(
        [
            layers.Input((5, 5, 2), name="x"),
            layers.ZeroPadding2D(1, name="pad"),
            qkeras.QConv2D(3, 3, kernel_quantizer=IMAGE, bias_quantizer=IMAGE, name="conv"),
            act("quantized_relu(5,2)", "relu1"),
            layers.MaxPooling2D(2, name="pool"),
            qkeras.QDepthwiseConv2D(2, depthwise_quantizer=IMAGE, bias_quantizer=IMAGE, name="deep"),
            layers.BatchNormalization(name="norm"),
            act("quantized_relu(5,2)", "relu2"),
            layers.Flatten(name="flat"),
            dense(4, "last"),
        ]
    )
    random = np.random.default_rng(3)
    model.set_weights([random.random(array.shape) for array in model.get_weights()])
    return model


def two_heads() -> Any:
    x = start = tf_keras.Input((6,), name="x")
    x = dense(5, "shared")(x)
    left = dense(3, "left", activation=qkeras.quantized_relu(4, 1))(act("quantized_relu(5,2)", "relu")(x))
    right = dense(2, "deeper")(act(bits(6, 2), "rounded")(dense(4, "right")(act(bits(5, 2), "other")(x))))
    return tf_keras.Model(start, [left, right])


@pytest.mark.parametrize(
    ("make", "io_type", "parents"),
    [
        (convolutional, "io_parallel", {"conv": None, "deep": "conv", "last": "deep"}),
        (convolutional, "io_stream", {"conv": None, "deep": "conv", "last": "deep"}),
        (two_heads, "io_parallel", {"shared": None, "left": "shared", "right": "shared", "deeper": "right"}),
        pytest.param(
            every_construct,
            "io_parallel",
            dict(zip(CHAIN, [None, *CHAIN], strict=False)),
            marks=pytest.mark.slow,
        ),
    ],
    ids=["images", "streamed images", "two heads", "every construct"],
)
def test_a_layer_alone_is_what_it_is_in_the_network(
    make: Callable[[], Any], io_type: str, parents: dict[str, str | None], tmp_path: Path
) -> None:
    model, target = make(), Target(io_type=io_type)
    graph = translate(model, Settings(INPUT, target, knobs()), tmp_path / "whole").graph
    parts = segments(model, graph)
    names = [part.layer for part in parts]
    assert {part.layer: None if part.parent is None else names[part.parent] for part in parts} == parents
    covered = [name for part in parts for name in part.nodes]
    assert sorted(covered) == sorted(node.name for node in graph.nodes if node.op is not Op.INPUT)
    for part in parts:
        alone = translate(part.model, Settings(part.feed, target, knobs()), tmp_path / part.layer)
        part.require_same(alone.graph)
        size = alone.graph.inputs[0].size
        codes = np.random.default_rng(0).integers(part.feed.min, part.feed.max + 1, (20, size))
        said = reference(
            alone.reading.model, part.feed.real(codes).reshape(20, *alone.graph.inputs[0].shape), wide=True
        )
        np.testing.assert_array_equal(
            np.concatenate([node.type.real(found) for node, found in _results(alone.graph, codes)], axis=1),
            said.output.reshape(20, -1),
        )


def _results(graph: Any, codes: Any) -> list[tuple[Any, Any]]:
    ends = np.cumsum([node.size for node in graph.results])[:-1]
    return list(zip(graph.results, np.split(evaluate(graph, codes), ends, axis=1), strict=True))


def test_another_type_is_noticed(tmp_path: Path) -> None:
    model = network(dense(4, "first"), act("quantized_relu(5,2)", "relu"), dense(2, "second"))
    graph = translate(model, Settings(INPUT, Target(), knobs()), tmp_path / "whole").graph
    part = segments(model, graph)[1]
    other = translate(part.model, Settings(INPUT, Target(), knobs()), tmp_path / "part").graph
    with pytest.raises(UnsupportedLayer, match="layer 'second' on its own is not what it is in the network: second"):
        part.require_same(other)


def residual() -> Any:
    start = tf_keras.Input((4,), name="x")
    x = act(bits(8, 3), "entry")(dense(4, "first")(start))
    return tf_keras.Model(start, dense(2, "last")(tf_keras.layers.Add(name="sum")([x, dense(4, "second")(x)])))


def early_fork() -> Any:
    start = tf_keras.Input((4,), name="x")
    x = act(bits(8, 3), "entry")(start)
    return tf_keras.Model(start, [dense(2, "left")(x), dense(3, "right")(x)])


def separable() -> Any:
    kernels = {"depthwise_quantizer": IMAGE, "pointwise_quantizer": IMAGE, "bias_quantizer": IMAGE}
    layers = [qkeras.QSeparableConv2D(3, 2, name="sep", **kernels), tf_keras.layers.Flatten(), dense(2, "last")]
    return tf_keras.Sequential([tf_keras.layers.Input((4, 4, 2), name="x"), *layers])


def weightless() -> Any:
    return network(act(bits(8, 3), "entry"))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (residual, "layer 'sum' reads 2 layers"),
        (early_fork, "'entry' stands before the first layer with weights, and 2 layers read it"),
        (separable, "layer 'sep', a QSeparableConv2D, is no single layer in hls4ml"),
        (weightless, "has no layer with weights"),
    ],
)
def test_what_cannot_be_alone_is_refused_by_name(make: Callable[[], Any], said: str, tmp_path: Path) -> None:
    model = make()
    graph = translate(model, Settings(INPUT, Target(), knobs()), tmp_path / "whole").graph
    with pytest.raises(UnsupportedLayer, match=said):
        segments(model, graph)
