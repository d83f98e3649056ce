"""Brings a float model into the form that is quantized: batch normalization folded, activations layers of their own.

In: a trained `tf_keras` model, sequential or functional. Out: one that computes the same in real numbers (in float32 it
rounds elsewhere), in which a layer with weights does nothing but sum products, and which ends at the logits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hlsflow.core.errors import ModelError, UnsupportedLayer
from hlsflow.keras import keras2
from hlsflow.keras.graph import copied

KERNELS: Mapping[str, tuple[str, ...]] = {
    "Dense": ("kernel",),
    "Conv1D": ("kernel",),
    "Conv2D": ("kernel",),
    "DepthwiseConv2D": ("depthwise",),
    "SeparableConv1D": ("depthwise", "pointwise"),
    "SeparableConv2D": ("depthwise", "pointwise"),
}
"""Layer with weights → what Keras and QKeras call its kernels, in the order of its weights; then comes the bias."""

FUNCTIONS = frozenset({"Activation", "ReLU", "LeakyReLU", "ELU", "ThresholdedReLU", "Softmax"})
"""Layers that do nothing but apply a function to each value."""


def folded(model: Any) -> Any:
    """A copy of a model, with batch normalizations that follow a sum of products folded into its weights.

    Folded is what is the same in real numbers: a BatchNormalization of the channels of a layer with weights that has no
    activation, and whose result nothing else reads. Others stay. A softmax at the end is left out.

    Raises:
        UnsupportedLayer: a layer is applied twice.
    """
    keras2.ready()
    import tf_keras

    parents = parents_of(model)
    norms = _foldable(model, parents)
    tensors: dict[str, Any] = {}
    for layer in layers_of(model):
        name = layer.name
        if type(layer).__name__ == "InputLayer":
            tensors[name] = tf_keras.Input(layer.input_shape[0][1:], name=name)
        elif name in norms.values() or (type(layer).__name__ in FUNCTIONS and _is_last_softmax(model, layer)):
            tensors[name] = tensors[parents[name][0]]
        else:
            function = "linear" if _is_last_softmax(model, layer) else function_of(layer)
            tensors[name] = _applied(layer, [tensors[parent] for parent in parents[name]], function, name in norms)
    inputs, outputs = ([tensors[end.node.layer.name] for end in ends] for ends in (model.inputs, model.outputs))
    result = tf_keras.Model(inputs, outputs, name=model.name)
    for layer in result.layers:
        _give_weights(layer, model, norms)
    return result


def parents_of(model: Any) -> dict[str, list[str]]:
    """Layer → the layers that it reads, in order.

    Raises:
        UnsupportedLayer: a layer is applied twice. ModelError: the model has no inputs yet.
    """
    if not model.inputs:
        raise ModelError(f"model '{model.name}' has no input shape", "give it an Input layer")
    inside = {id(node) for nodes in model._nodes_by_depth.values() for node in nodes}
    parents = {}
    for layer in layers_of(model):
        nodes = [node for node in layer.inbound_nodes if id(node) in inside]
        if len(nodes) != 1:
            raise UnsupportedLayer(f"layer '{layer.name}' is applied {len(nodes)} times", "give each use its own layer")
        parents[layer.name] = [parent.layer.name for parent in nodes[0].parent_nodes]
    return parents


def layers_of(model: Any) -> list[Any]:
    """All layers, those before the ones that read them; a sequential model does not tell its input among them."""
    inputs = [end.node.layer for end in model.inputs]
    return [*inputs, *(layer for layer in model.layers if layer not in inputs)]


def _foldable(model: Any, parents: Mapping[str, list[str]]) -> dict[str, str]:
    """Layer with weights → the batch normalization to fold into it."""
    readers = [parent for each in parents.values() for parent in each] + [end.node.layer.name for end in model.outputs]
    norms = {}
    for layer in model.layers:
        if type(layer).__name__ != "BatchNormalization":
            continue
        (parent,) = parents[layer.name]
        summing = model.get_layer(parent)
        linear = type(summing).__name__ in KERNELS and function_of(summing) == "linear"
        if linear and readers.count(parent) == 1 and list(layer.axis) == [len(layer.output_shape) - 1]:
            norms[parent] = layer.name
    return norms


def is_quantized(layer: Any) -> bool:
    """Whether a layer is one of QKeras, with quantizers of its own."""
    return type(layer).__module__.startswith("qkeras")


def function_of(layer: Any) -> str:
    """Name of the function that a layer applies to its result."""
    function = getattr(layer, "activation", None)
    return "linear" if function is None else str(getattr(function, "__name__", type(function).__name__))


def _is_last_softmax(model: Any, layer: Any) -> bool:
    softmax = type(layer).__name__ == "Softmax" or function_of(layer) == "softmax"
    return softmax and layer.name in {end.node.layer.name for end in model.outputs}


def _applied(layer: Any, tensors: list[Any], function: str, biased: bool) -> Any:
    """The tensor that a copy of the layer makes of what it is given; its function becomes a layer that follows."""
    import tf_keras

    config, source = layer.get_config(), tensors[0] if len(tensors) == 1 else tensors
    if type(layer).__name__ not in KERNELS:
        cut = function == "linear" and is_quantized(layer) and function_of(layer) == "softmax"
        return copied(layer, {"activation": "linear"} if cut else {})(source)
    sums = type(layer).from_config(config | {"activation": "linear", "use_bias": layer.use_bias or biased})(source)
    if function == "linear":
        return sums
    return tf_keras.layers.Activation(layer.activation, name=f"{layer.name}_{function}")(sums)


def _give_weights(layer: Any, model: Any, norms: Mapping[str, str]) -> None:
    """Weights of the original, times what the batch normalization multiplies by."""
    names = {original.name for original in model.layers}
    if layer.name not in names or not layer.weights:
        return
    source = model.get_layer(layer.name)
    weights = source.get_weights()
    if layer.name in norms:
        weights = _with_norm(source, weights, model.get_layer(norms[layer.name]))
    layer.set_weights(weights)


def _with_norm(layer: Any, weights: list[NDArray[Any]], norm: Any) -> list[NDArray[Any]]:
    """gamma * (x - mean) / sqrt(variance + epsilon) + beta, as weights and a bias (Ioffe and Szegedy, 2015)."""
    *kernels, bias = weights if layer.use_bias else (*weights, np.zeros(layer.output_shape[-1], np.float32))
    rest = iter(norm.get_weights())
    gamma = next(rest) if norm.scale else np.float32(1)
    beta = next(rest) if norm.center else np.float32(0)
    mean, variance = next(rest), next(rest)
    factor = gamma / np.sqrt(variance + norm.epsilon)
    depthwise = type(layer).__name__ == "DepthwiseConv2D"  # its result has a channel for each of the last two axes
    last = kernels[-1] * (factor.reshape(kernels[-1].shape[-2:]) if depthwise else factor)
    return [*kernels[:-1], last.astype(np.float32), ((bias - mean) * factor + beta).astype(np.float32)]
