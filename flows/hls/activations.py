"""Lowers hls4ml's activation layers to nodes of our graph.

In: an activation layer of a resolved `ModelGraph` and the node it reads. Out: the node it becomes. What hls4ml
computes was read from `nnet_activation.h` and `nnet_activation_stream.h`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flows.errors import UnsupportedLayer
from flows.hls.precision import layer_type
from flows.ir import Node, Op
from flows.ir.fixed import Array


def activation(layer: Any, source: Node) -> Node:
    """An hls4ml `Activation`; raises UnsupportedLayer for a function that is not carried."""
    op = {"relu": Op.RELU, "linear": Op.QUANTIZE}.get(str(layer.get_attr("activation")).lower())
    if op is None:
        raise UnsupportedLayer(
            f"layer '{layer.name}': activation {layer.get_attr('activation')} has no RTL yet",
            "supported: relu, quantized_relu, quantized_bits, linear",
        )
    return Node(layer.name, op, (source.name,), source.shape, layer_type(layer, "result_t"))


def leaky_relu(layer: Any, source: Node) -> Node:
    """An hls4ml `ParametrizedActivation`; raises UnsupportedLayer for a function that is not carried."""
    if layer.get_attr("activation") not in ("leaky_relu", "leakyrelu"):
        raise UnsupportedLayer(f"layer '{layer.name}': {layer.get_attr('activation')} has no RTL yet", "use leaky_relu")
    kind = layer_type(layer, "param_t")
    slope: Array = np.asarray(kind.quantize(np.asarray(layer.get_attr("activ_param"))))
    return Node(
        layer.name,
        Op.LEAKY_RELU,
        (source.name,),
        source.shape,
        layer_type(layer, "result_t"),
        {"slope": kind},
        {"slope": slope},
    )
