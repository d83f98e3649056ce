"""Lowers hls4ml's resolved `ModelGraph` to our graph: one row per layer class, integers on exact grids.

In: a `ModelGraph` after its optimizer flow, so that every precision is known. Out: a verified `flows.ir.Graph`.
What hls4ml computes was read from its C++ templates (`nnet_dense_latency.h`, `nnet_dense_resource.h`,
`nnet_activation.h`): a product is cast to the accumulator's type before it is added, and the sum to the result's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from flows.errors import UnsupportedLayer
from flows.hls import activations
from flows.hls.precision import layer_type
from flows.ir import Graph, Node, Op, Overflow, verify


def lower(model: Any, name: str) -> Graph:
    """The network as integers.

    Args:
        model: hls4ml `ModelGraph`, resolved.
        name: of the graph.
    Raises:
        UnsupportedLayer: a layer that the open backend does not carry; names it and says what is supported.
    """
    nodes: dict[str, Node] = {}
    producer: dict[str, str] = {}
    for layer in model.get_layers():
        source = nodes[producer[layer.inputs[0]]] if producer else None
        node = _lower_layer(layer, source)
        nodes[node.name] = node
        producer |= dict.fromkeys(layer.outputs, node.name)
    return verify(Graph(name, tuple(nodes.values()), tuple(producer[output] for output in model.outputs)))


def _lower_layer(layer: Any, source: Node | None) -> Node:
    if source is None:
        return _input(layer)
    make = _LOWER.get(layer.class_name)
    if make is None:
        raise UnsupportedLayer(
            f"layer '{layer.name}' becomes hls4ml's {layer.class_name}, which has no RTL yet",
            f"supported: {', '.join(_LOWER)}",
        )
    return make(layer, source)


def _input(layer: Any) -> Node:
    size = int(np.prod(layer.get_output_variable().shape))
    return Node(layer.name, Op.INPUT, (), (size,), layer_type(layer, "result_t"))


def _dense(layer: Any, source: Node) -> Node:
    types = {
        "weight": layer_type(layer, "weight_t"),
        "bias": layer_type(layer, "bias_t"),
        "accum": layer_type(layer, "accum_t"),
    }
    if types["accum"].overflow is not Overflow.WRAP:
        raise UnsupportedLayer(
            f"layer '{layer.name}': accumulator {types['accum']} saturates, so its sum depends on the order",
            f"use fixed<{types['accum'].width},{types['accum'].integer}>, which wraps, with enough integer bits",
        )
    weight = np.asarray(layer.weights["weight"].data, np.float64)
    if layer.get_attr("_weights_transposed"):
        weight = weight.T
    params = {
        "weight": types["weight"].quantize(weight),
        "bias": types["bias"].quantize(layer.weights["bias"].data),
    }
    return Node(layer.name, Op.DENSE, (source.name,), (weight.shape[1],), layer_type(layer, "result_t"), types, params)


def _reshape(layer: Any, source: Node) -> Node:
    """The elements keep their order and their type: a graph has flat vectors only, so nothing happens."""
    return Node(layer.name, Op.QUANTIZE, (source.name,), source.shape, source.type)


_LOWER: dict[str, Callable[[Any, Node], Node]] = {
    "Dense": _dense,
    "Activation": activations.activation,
    "ParametrizedActivation": activations.leaky_relu,
    "Reshape": _reshape,
}
"""hls4ml layer class → how it is lowered."""
