"""How the layers of one Keras model are connected, whatever other models share them, and copies of a model.

In: a tf_keras model. Out: its nodes (applications of a layer) in order, or a refusal of anything but a chain; or a
model with some of it changed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from flows.errors import UnsupportedLayer

CHAIN = "supported: chains of layers, each applied once"

TYPE_WORDS = ("bool", "char", "double", "float", "int", "long", "short", "signed", "unsigned", "void", "auto", "class")
"""C++ keywords that an input may well be called; hls4ml uses the input's name as a variable."""

SHARED = ("kernel_quantizer", "kernel_quantizer_internal", "bias_quantizer", "bias_quantizer_internal", "quantizer")
"""Attributes that a copied layer takes over as they are: their configuration does not hold all of their options."""


def nodes(model: Any) -> list[Any]:
    """The applications of layers in this model, inputs first."""
    return [node for depth in sorted(model._nodes_by_depth, reverse=True) for node in model._nodes_by_depth[depth]]


def layer_outputs(model: Any) -> dict[str, Any]:
    """Layer name → symbolic output, in order, without the input layer."""
    return {node.layer.name: node.outputs for node in nodes(model) if type(node.layer).__name__ != "InputLayer"}


def require_chain(model: Any) -> None:
    """Refuse a model that is no chain of once-applied layers with names that C++ can carry; raises UnsupportedLayer."""
    if not getattr(model, "inputs", None):
        raise UnsupportedLayer(f"model '{model.name}' has no known input shape", "start it with an Input layer")
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        count = f"{len(model.inputs)} inputs and {len(model.outputs)} outputs"
        raise UnsupportedLayer(f"model '{model.name}' has {count}", "supported: one input and one output")
    found = nodes(model)
    for name, times in Counter(node.layer.name for node in found).items():
        if times > 1:
            raise UnsupportedLayer(f"layer '{name}' is applied {times} times", CHAIN)
    readers: dict[str, list[str]] = {}
    for node in found:
        sources = [parent.layer.name for parent in node.parent_nodes]
        if len(sources) > 1:
            raise UnsupportedLayer(f"layer '{node.layer.name}' has several inputs: {', '.join(sources)}", CHAIN)
        for source in sources:
            readers.setdefault(source, []).append(node.layer.name)
    for source, names in readers.items():
        if len(names) > 1:
            raise UnsupportedLayer(f"layer '{source}' feeds {', '.join(names)}", CHAIN)
    _require_names([node.layer for node in found])


def _require_names(layers: list[Any]) -> None:
    """hls4ml makes C++ names of layer names, and adds `<layer>_<activation>` for a layer's own activation."""
    names = [layer.name for layer in layers]
    for name in names:
        if not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII) or (name in TYPE_WORDS and name == names[0]):
            raise UnsupportedLayer(f"the layer name '{name}' is no name in C++", "use letters, digits and _ alone")
    for layer in layers:
        own = f"{layer.name}_{_activation_name(layer)}"
        if own in names:
            message = f"hls4ml calls the activation of layer '{layer.name}' '{own}' too"
            raise UnsupportedLayer(message, f"rename the layer '{own}'")


def _activation_name(layer: Any) -> str:
    activation = getattr(layer, "activation", None)
    return str(getattr(activation, "__name__", type(activation).__name__))


def functional(inputs: Any, outputs: Any, name: str) -> Any:
    """The Keras model from these inputs to these outputs."""
    import tf_keras

    return tf_keras.Model(inputs, outputs, name=name)


def rebuilt(model: Any, changes: Mapping[str, Mapping[str, Any]]) -> Any:
    """A copy of the model with other values in the configuration of some layers, and the same weights."""
    import tf_keras

    def clone(layer: Any) -> Any:
        changed = changes.get(layer.name, {})
        copy = type(layer).from_config({**layer.get_config(), **changed})
        for name in SHARED:
            if hasattr(layer, name):
                setattr(copy, name, getattr(layer, name))
        if hasattr(layer, "activation") and "activation" not in changed:
            copy.activation = layer.activation
        return copy

    copy = tf_keras.models.clone_model(model, clone_function=clone)
    copy.set_weights(model.get_weights())
    return copy
