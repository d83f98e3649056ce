"""How the layers of one Keras model are connected, whatever other models share them, and copies of a model.

In: a tf_keras model. Out: its nodes (applications of a layer) in order, a refusal of connections that hardware cannot
have, or a copy of the model with some layers changed, replaced or left out.
"""

from __future__ import annotations

import itertools
import warnings
from collections import Counter
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hlsflow.core.errors import UnsupportedLayer
from hlsflow.ir.fixed import Array

SHARED = (
    "kernel_quantizer",
    "kernel_quantizer_internal",
    "depthwise_quantizer",
    "depthwise_quantizer_internal",
    "bias_quantizer",
    "bias_quantizer_internal",
    "quantizer",
)
"""Attributes that a copied layer takes over as they are: their configuration does not hold all of their options."""


@dataclass(frozen=True, eq=False)
class Part:
    """A layer that stands in a copied model for another one, or for a part of it.

    Attributes:
        layer: a fresh Keras layer, or a function from tensors to a tensor that applies several.
        weights: of the layer, as `set_weights` takes them.
    """

    layer: Any
    weights: Sequence[Array] = ()


def nodes(model: Any) -> list[Any]:
    """The applications of layers in this model, inputs first, in the order of the model's own inputs."""
    every = [node for depth in sorted(model._nodes_by_depth, reverse=True) for node in model._nodes_by_depth[depth]]
    order = input_names(model)
    first = sorted((node for node in every if is_input(node.layer)), key=lambda node: order.index(node.layer.name))
    return first + [node for node in every if not is_input(node.layer)]


def is_input(layer: Any) -> bool:
    return type(layer).__name__ == "InputLayer"


def input_names(model: Any) -> list[str]:
    """Names of the input layers, in the order in which the model takes its arguments."""
    return [tensor.node.layer.name for tensor in model.inputs]


def output_names(model: Any) -> list[str]:
    """Names of the layers whose results the model returns, in order."""
    return [tensor.node.layer.name for tensor in model.outputs]


def layer_outputs(model: Any) -> dict[str, Any]:
    """Layer name → symbolic output, in order, without the input layers."""
    return {node.layer.name: node.outputs for node in nodes(model) if not is_input(node.layer)}


def parents(model: Any) -> dict[str, tuple[str, ...]]:
    """Layer name → names of the layers it reads, in the order of `layer_outputs`."""
    layers = [node for node in nodes(model) if not is_input(node.layer)]
    return {node.layer.name: tuple(parent.layer.name for parent in node.parent_nodes) for node in layers}


def require_graph(model: Any) -> None:
    """Refuse a model whose connections hls4ml cannot carry; raises UnsupportedLayer."""
    if not getattr(model, "inputs", None):
        raise UnsupportedLayer(f"model '{model.name}' has no known input shape", "start it with an Input layer")
    applications = nodes(model)
    for name, times in Counter(node.layer.name for node in applications).items():
        if times > 1:
            raise UnsupportedLayer(f"layer '{name}' is applied {times} times", "give each application its own layer")
    results = output_names(model)
    for name in results:
        if results.count(name) > 1 or name in input_names(model):
            message = f"the result of layer '{name}' is an output more than once, or an input too"
            raise UnsupportedLayer(message, "return each tensor once, and no inputs")


def free_name(name: str, taken: Container[str]) -> str:
    """The name, or the first one with a number behind it that is not taken."""
    numbers = itertools.count(2)
    free = name
    while free in taken:
        free = f"{name}_{next(numbers)}"
    return free


def activation_name(layer: Any) -> str:
    """The name of a layer's own activation, as hls4ml has it."""
    activation = getattr(layer, "activation", None)
    return str(getattr(activation, "__name__", type(activation).__name__))


def rebuilt(
    model: Any,
    changes: Mapping[str, Mapping[str, Any]] | None = None,
    replaced: Mapping[str, Sequence[Part]] | None = None,
    ends: Sequence[str] | None = None,
) -> Any:
    """A copy of the model, always a functional one, with the same weights.

    Args:
        changes: layer name → entries of its configuration that the copy has otherwise.
        replaced: layer name → the layers that stand for it, one after the other; none: it does nothing.
        ends: names of the layers of `model` whose results the copy returns; by default those that the model returns.
    """
    import tf_keras

    changes, replaced = changes or {}, replaced or {}
    tensors: dict[str, Any] = {}
    pending: list[tuple[Any, Sequence[Array]]] = []
    for node in nodes(model):
        layer, sources = node.layer, [tensors[parent.layer.name] for parent in node.parent_nodes]
        if is_input(layer):
            options = {"name": layer.name, "dtype": layer.dtype, **changes.get(layer.name, {})}
            tensors[layer.name] = tf_keras.Input(layer.input_shape[0][1:], **options)
            continue
        result = sources if len(sources) > 1 else sources[0]
        for part in replaced[layer.name] if layer.name in replaced else [_copy(layer, changes)]:
            result = part.layer(result)
            if part.weights:
                pending.append((part.layer, part.weights))
        tensors[layer.name] = result
    ends = ends or output_names(model)
    copy = tf_keras.Model(
        [tensors[name] for name in input_names(model)], [tensors[name] for name in ends], name=model.name
    )
    for layer, weights in pending:
        layer.set_weights(weights)
    return copy


def _copy(layer: Any, changes: Mapping[str, Mapping[str, Any]]) -> Part:
    return Part(copied(layer, changes.get(layer.name, {})), layer.get_weights())


def on_numpy(function: Callable[[Array], Array], values: Any) -> Any:
    """A tensor of the same shape and number type, computed by a function on arrays."""
    import tensorflow as tf

    result = tf.numpy_function(lambda x: function(x).astype(x.dtype), [values], values.dtype)
    return tf.ensure_shape(result, values.shape)


def without_activation(layer: Any) -> Part:
    """A copy of a layer that leaves out its own activation."""
    return Part(copied(layer, {"activation": "linear"}), layer.get_weights())


def config_of(layer: Any) -> dict[str, Any]:
    """The configuration of a layer, without the warning of Keras that QKeras' quantizers are no Keras constraints."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        config: dict[str, Any] = layer.get_config()
    return config


def copied(layer: Any, changed: Mapping[str, Any]) -> Any:
    """A copy of a layer with other values in its configuration; what that does not hold is taken over."""
    copy = type(layer).from_config({**config_of(layer), **changed})
    for name in (*SHARED, "activation"):
        is_property = isinstance(getattr(type(layer), name, None), property)
        if hasattr(layer, name) and name not in changed and not is_property:
            setattr(copy, name, getattr(layer, name))
    return copy
