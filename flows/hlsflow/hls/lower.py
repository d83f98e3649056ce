"""Lowers hls4ml's resolved `ModelGraph` to our graph: one row per layer class, integers on exact grids.

In: a `ModelGraph` after its optimizer flow, so that every precision is known. Out: a verified `hlsflow.ir.Graph`.
What hls4ml computes was read from its C++ templates (`nnet_dense_latency.h`, `nnet_dense_resource.h`, `nnet_conv2d.h`,
`nnet_sepconv2d.h`, `nnet_batchnorm.h`, `nnet_pooling.h`, `nnet_merge.h`, `nnet_image.h`, `nnet_activation.h` and the
`..._stream.h` beside them): a product is cast to the accumulator's type before it is added, the sum to the result's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from hlsflow.core.errors import UnsupportedLayer
from hlsflow.hls import activations, softmax
from hlsflow.hls.precision import layer_type
from hlsflow.ir import Graph, Node, Op, Overflow, verify
from hlsflow.ir.fixed import Array, Fixed
from hlsflow.ir.graph import image


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
        if layer.class_name in PASSING:
            producer |= dict.fromkeys(layer.outputs, producer[layer.inputs[0]])
            continue
        sources = [nodes[producer[tensor]] for tensor in layer.inputs if tensor in producer]
        node = _lower_layer(layer, sources)
        nodes[node.name] = node
        producer |= dict.fromkeys(layer.outputs, node.name)
    return verify(Graph(name, tuple(nodes.values()), tuple(producer[output] for output in model.outputs)))


PASSING = ("Clone",)
"""hls4ml layer classes that hand on what they read, once or several times."""


def _lower_layer(layer: Any, sources: list[Node]) -> Node:
    make = _LOWER.get(layer.class_name)
    if make is None:
        raise UnsupportedLayer(
            f"layer '{layer.name}' becomes hls4ml's {layer.class_name}, which has no RTL yet",
            f"supported: {', '.join(_LOWER)}",
        )
    return make(layer, *sources)


def _shape(layer: Any) -> tuple[int, ...]:
    return tuple(int(size) for size in layer.get_output_variable().shape)


def _result(layer: Any) -> Fixed:
    return layer_type(layer, "result_t")


def _input(layer: Any) -> Node:
    return Node(layer.name, Op.INPUT, (), _shape(layer), _result(layer))


def kernel(layer: Any) -> Array:
    """A layer's kernel in the order of Keras: (n_in, n_out), (kw, c_in, c_out) or (kh, kw, c_in, c_out).

    The resource strategy stores the last axis first (`ApplyResourceStrategy`).
    """
    weight = np.asarray(layer.weights["weight"].data, np.float64)
    return np.moveaxis(weight, 0, -1) if layer.get_attr("_weights_transposed") else weight


def _sum_types(layer: Any) -> dict[str, Fixed]:
    types = {key: layer_type(layer, f"{key}_t") for key in ("weight", "bias", "accum")}
    if types["accum"].overflow is not Overflow.WRAP:
        raise UnsupportedLayer(
            f"layer '{layer.name}': accumulator {types['accum']} saturates, so its sum depends on the order",
            f"use fixed<{types['accum'].width},{types['accum'].integer}>, which wraps, with enough integer bits",
        )
    return types


def _sum_params(layer: Any, weight: Array, types: Mapping[str, Fixed]) -> dict[str, Array]:
    return {"weight": types["weight"].quantize(weight), "bias": types["bias"].quantize(layer.weights["bias"].data)}


def _dense(layer: Any, source: Node) -> Node:
    types = _sum_types(layer)
    return Node(
        layer.name,
        Op.DENSE,
        (source.name,),
        _shape(layer),
        _result(layer),
        types,
        _sum_params(layer, kernel(layer), types),
    )


def _conv(layer: Any, source: Node) -> Node:
    types, weight = _sum_types(layer), kernel(layer)
    weight = weight.reshape(1, *weight.shape) if weight.ndim == 3 else weight
    params = _sum_params(layer, weight, types)
    return Node(layer.name, Op.CONV, (source.name,), _shape(layer), _result(layer), types, params, _window(layer))


def _depthwise(layer: Any, source: Node) -> Node:
    types, weight = _sum_types(layer), kernel(layer)
    weight = weight.reshape(-1, *weight.shape[-3:-1]) if weight.ndim == 4 else weight.reshape(1, *weight.shape[:2])
    params = _sum_params(layer, weight, types)
    return Node(layer.name, Op.DEPTHWISE, (source.name,), _shape(layer), _result(layer), types, params, _window(layer))


def _window(layer: Any) -> dict[str, tuple[int, ...]]:
    stride = layer.get_attr("stride_height", 1), layer.get_attr("stride_width")
    return {"stride": stride, "pad": _pad(layer)}


def _pad(layer: Any) -> tuple[int, ...]:
    return tuple(int(layer.get_attr(f"pad_{side}") or 0) for side in ("top", "bottom", "left", "right"))


def _scale(layer: Any, source: Node) -> Node:
    types = {key: layer_type(layer, f"{key}_t") for key in ("scale", "bias")}
    params = {key: np.asarray(kind.quantize(layer.weights[key].data)).reshape(-1) for key, kind in types.items()}
    return Node(layer.name, Op.SCALE, (source.name,), _shape(layer), _result(layer), types, params)


def _pool(layer: Any, source: Node) -> Node:
    window = int(layer.get_attr("pool_height") or 1), int(layer.get_attr("pool_width"))
    return _pooling(layer, source, {"window": window, **_window(layer)})


def _global_pool(layer: Any, source: Node) -> Node:
    size = image(source.shape)[:2]
    return _pooling(layer, source, {"window": size, "stride": size, "pad": (0, 0, 0, 0)})


def _pooling(layer: Any, source: Node, attrs: dict[str, tuple[int, ...]]) -> Node:
    if layer.get_attr("pool_op") == "Max":
        return Node(layer.name, Op.MAX_POOL, (source.name,), _shape(layer), _result(layer), attrs=attrs)
    attrs["count_pad"] = (int(bool(layer.get_attr("count_pad"))),)
    types = {"accum": layer_type(layer, "accum_t")}
    return Node(layer.name, Op.AVG_POOL, (source.name,), _shape(layer), _result(layer), types, attrs=attrs)


def _zero_pad(layer: Any, source: Node) -> Node:
    return Node(layer.name, Op.ZERO_PAD, (source.name,), _shape(layer), source.type, attrs={"pad": _pad(layer)})


def _upsample(layer: Any, source: Node) -> Node:
    old, new = image(source.shape), image(_shape(layer))
    factor = new[0] // old[0], new[1] // old[1]
    return Node(layer.name, Op.UPSAMPLE, (source.name,), _shape(layer), source.type, attrs={"factor": factor})


def _reshape(layer: Any, source: Node) -> Node:
    return Node(layer.name, Op.RESHAPE, (source.name,), _shape(layer), source.type)


def _permute(layer: Any, source: Node) -> Node:
    axes = tuple(int(axis) for axis in layer.get_attr("perm"))
    return Node(layer.name, Op.PERMUTE, (source.name,), _shape(layer), source.type, attrs={"axes": axes})


def _merge(layer: Any, left: Node, right: Node) -> Node:
    op = Op(str(layer.get_attr("op")).lower())
    return Node(layer.name, op, (left.name, right.name), _shape(layer), _result(layer))


def _concatenate(layer: Any, left: Node, right: Node) -> Node:
    axis = int(layer.get_attr("axis"))
    axis = axis - 1 if axis > 0 else axis + len(left.shape)
    names = (left.name, right.name)
    return Node(layer.name, Op.CONCAT, names, _shape(layer), _result(layer), attrs={"axis": (axis,)})


_LOWER: dict[str, Callable[..., Node]] = {
    "Input": _input,
    "Dense": _dense,
    "Conv1D": _conv,
    "Conv2D": _conv,
    "PointwiseConv1D": _conv,
    "PointwiseConv2D": _conv,
    "DepthwiseConv1D": _depthwise,
    "DepthwiseConv2D": _depthwise,
    "BatchNormalization": _scale,
    "Pooling1D": _pool,
    "Pooling2D": _pool,
    "GlobalPooling1D": _global_pool,
    "GlobalPooling2D": _global_pool,
    "ZeroPadding1D": _zero_pad,
    "ZeroPadding2D": _zero_pad,
    "Resize": _upsample,
    "Reshape": _reshape,
    "Repack": _reshape,
    "Transpose": _permute,
    "Merge": _merge,
    "Concatenate": _concatenate,
    "Activation": activations.activation,
    "ParametrizedActivation": activations.leaky_relu,
    "UnaryLUT": activations.table,
    "Softmax": softmax.softmax,
}
"""hls4ml layer class → how it is lowered, from the layer and the nodes that it reads."""
