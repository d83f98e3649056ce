"""A model in plain form: one graph of layers, whatever models, wrappers and layers stand inside others.

In: a tf_keras model as its file has it. Out: a copy that computes the same at inference, in which no layer holds
another one, and what was taken apart. Layers of a model inside get its name before theirs; the rest keep their names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from hlsflow.core.errors import UnsupportedLayer
from hlsflow.keras.graph import copied, free_name, is_input, nodes

PRUNED = "PruneLowMagnitude"
"""Class name of the wrapper that pruning with TensorFlow Model Optimization leaves around layers."""


IDENTITIES = (
    *("Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "AlphaDropout"),
    *("GaussianNoise", "GaussianDropout", "ActivityRegularization"),
    *("RandomFlip", "RandomTranslation", "RandomRotation", "RandomZoom", "RandomContrast", "RandomBrightness"),
)
"""Keras layer classes that do nothing at inference."""


class Note(NamedTuple):
    """What was taken apart: name of the layer, what was done, and why."""

    layer: str
    what: str
    reason: str


@dataclass(frozen=True, eq=False)
class Plain:
    """A model in plain form; the given one itself where it has that form already."""

    model: Any
    notes: tuple[Note, ...] = ()


Tensors = dict[tuple[int, int, int], Any]
"""(layer, which of its applications, which of its results) → the tensor of the copy."""


@dataclass
class _Copy:
    """The copy as it grows: names of its layers and of opened models, weights still to be given, and what was done."""

    names: set[str]
    opened: set[str] = field(default_factory=set)
    weights: list[tuple[Any, Sequence[Any]]] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    def unique(self, name: str, taken: set[str] | None = None) -> str:
        """The name, or the first one with a number behind it that is not taken; it is then."""
        taken = self.names if taken is None else taken
        name = free_name(name, taken)
        taken.add(name)
        return name

    def add(self, layer: Any, tensors: Any, weights: Sequence[Any], **changed: Any) -> Any:
        """The result of a copy of a layer with these weights."""
        constant = _constant(layer)
        copy = copied(layer, changed | constant)
        self.weights.append((copy, [] if constant else weights))
        return copy(tensors)


def plain(model: Any) -> Plain:
    """Take a model apart.

    Raises:
        UnsupportedLayer: an activation has weights.
    """
    if not getattr(model, "inputs", None) or not any(_holds_another(node.layer) for node in nodes(model)):
        return Plain(model)
    import tf_keras

    copy = _Copy({node.layer.name for node in nodes(model)})
    inputs = [_fresh(tensor.node.layer) for tensor in model.inputs]
    result = tf_keras.Model(inputs, _applied(copy, model, inputs, ""), name=model.name)
    for layer, weights in copy.weights:
        layer.set_weights(weights)
    return Plain(result, tuple(copy.notes))


def is_model(layer: Any) -> bool:
    """Whether a layer is a model whose graph is known."""
    return hasattr(layer, "_nodes_by_depth") and bool(layer.inputs)


def _holds_another(layer: Any) -> bool:
    return (
        is_model(layer)
        or type(layer).__name__ == PRUNED
        or _function(layer) is not None
        or (type(layer).__name__ == "Normalization" and bool(layer.weights))
    )


def _constant(layer: Any) -> dict[str, Any]:
    """The entries by which the configuration of an adapted Normalization holds what its weights do; else none."""
    if type(layer).__name__ != "Normalization" or not layer.weights:
        return {}
    return {"mean": layer.adapt_mean.numpy().tolist(), "variance": layer.adapt_variance.numpy().tolist()}


def _function(layer: Any) -> Any:
    """The layer that a layer has for its activation; None where that is a function or a quantizer."""
    import tf_keras

    function = getattr(layer, "activation", None)
    return function if isinstance(function, tf_keras.layers.Layer) else None


def _fresh(layer: Any) -> Any:
    import tf_keras

    return tf_keras.Input(layer.input_shape[0][1:], name=layer.name, dtype=layer.dtype)


def _applied(copy: _Copy, model: Any, inputs: Sequence[Any], prefix: str) -> list[Any]:
    """The results of a copy of a model for these inputs."""
    tensors: Tensors = {}
    for tensor, inputs_of_copy in zip(model.inputs, inputs, strict=True):
        tensors[_key(tensor)] = inputs_of_copy
    for node in nodes(model):
        if is_input(node.layer):
            continue
        results = _results(copy, node, _given(node, tensors), prefix)
        for index, tensor in enumerate(_listed(node.outputs)):
            tensors[_key(tensor)] = results[index]
    return [tensors[_key(tensor)] for tensor in model.outputs]


def _key(tensor: Any) -> tuple[int, int, int]:
    layer, node, index = tensor._keras_history
    return id(layer), node, index


def _given(node: Any, tensors: Mapping[tuple[int, int, int], Any]) -> Any:
    inputs = [tensors[_key(tensor)] for tensor in node.keras_inputs]
    return inputs if len(inputs) > 1 or isinstance(node.call_args[0], list | tuple) else inputs[0]


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _results(copy: _Copy, node: Any, tensors: Any, prefix: str) -> list[Any]:
    """What an application of a layer gives."""
    layer, name = node.layer, node.layer.name
    weights = layer.get_weights()
    if type(layer).__name__ == PRUNED:
        weights, layer = _masked(layer), layer.layer
        name = f"{prefix}{layer.name}"
        copy.notes.append(Note(name, "its pruning wrapper left out", "at inference it does nothing but mask weights"))
    if is_model(layer):
        return _opened(copy, layer, tensors, f"{prefix}{layer.name}")
    own = copy.unique(f"{prefix}{layer.name}") if prefix or layer is not node.layer else name
    if _function(layer) is None:
        return _listed(copy.add(layer, tensors, weights, name=own))
    return [_with_function(copy, layer, tensors, weights, own)]


def _masked(wrapper: Any) -> list[Any]:
    """The weights of a wrapped layer as `PruneLowMagnitude.call` uses them: times their masks."""
    masks = {id(weight): mask.numpy() for weight, mask, _ in wrapper.pruning_vars}
    return [
        value * masks.get(id(weight), 1)
        for weight, value in zip(wrapper.layer.weights, wrapper.layer.get_weights(), strict=True)
    ]


def _opened(copy: _Copy, model: Any, tensors: Any, name: str) -> list[Any]:
    """The layers of a model inside another one; each application has layers of its own."""
    prefix = f"{copy.unique(name, copy.opened)}_"
    count = sum(not is_input(node.layer) for node in nodes(model))
    what = f"opened: its layers ({count}) are called {prefix}…"
    copy.notes.append(Note(name, what, "hardware has one level of layers"))
    return _applied(copy, model, _listed(tensors), prefix)


def _with_function(copy: _Copy, layer: Any, tensors: Any, weights: Sequence[Any], name: str) -> Any:
    """A layer whose activation is a layer, as two."""
    function = _function(layer)
    if function.weights:
        raise UnsupportedLayer(
            f"layer '{layer.name}' has a {type(function).__name__} for its activation, which has weights",
            "use a quantized_relu with negative_slope",
        )
    if type(layer).__name__ == "Activation":
        return copy.add(function, tensors, [], name=name)
    kind = type(function).__name__
    copy.notes.append(Note(name, f"its {kind} made a layer of its own", "hls4ml reads activations by name"))
    own = copy.unique(f"{name}_{kind.lower()}")
    return copy.add(function, copy.add(layer, tensors, weights, name=name, activation="linear"), [], name=own)
