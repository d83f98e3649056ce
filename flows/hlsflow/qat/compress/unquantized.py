"""Layers of QKeras without a quantizer of their kernel, as the layers of Keras that they are.

In: a model that was trained with QKeras, in part or without any bits. Out: the same with `Dense` in place of such a
`QDense`, and so on, so that they are quantized like a float model's own; and what was replaced. An activation that is
a quantizer becomes a layer of its own and stays as it is.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from hlsflow.keras import keras2
from hlsflow.keras.graph import Part, config_of, free_name, nodes, rebuilt
from hlsflow.keras.plain import Note
from hlsflow.qat.compress.fold import KERNELS, is_quantized

FOR_TRAINING = ("initializer", "regularizer", "constraint")
"""Ends of the names of options that matter to a training alone."""


def as_plain(model: Any) -> tuple[Any, list[Note]]:
    """A model without such layers, and what was done to it."""
    keras2.ready()
    names = {node.layer.name for node in nodes(model)}
    layers = [node.layer for node in nodes(model) if _lacks_quantizer(node.layer)]
    if not layers:
        return model, []
    replaced = {layer.name: list(_parts(layer, names)) for layer in layers}
    return rebuilt(model, replaced=replaced), [_note(layer) for layer in layers]


def _plain_kind(layer: Any) -> str:
    """What Keras calls a layer of QKeras."""
    return type(layer).__name__.removeprefix("Q").removesuffix("Batchnorm")


def _lacks_quantizer(layer: Any) -> bool:
    kernels = KERNELS.get(_plain_kind(layer), ())
    return is_quantized(layer) and any(getattr(layer, f"{name}_quantizer_internal") is None for name in kernels)


def _note(layer: Any) -> Note:
    return Note(layer.name, f"taken for a {_plain_kind(layer)}", "its kernel has no quantizer of its own")


def _parts(layer: Any, names: set[str]) -> Iterator[Part]:
    import tf_keras
    from qkeras import QActivation

    kind = getattr(tf_keras.layers, _plain_kind(layer))
    own = _is_own(layer.activation)
    folds = hasattr(layer, "get_folded_weights")
    changed = {"activation": "linear" if own else layer.activation, "use_bias": folds or layer.use_bias}
    known = {name for name in inspect.signature(kind).parameters if not name.endswith(FOR_TRAINING)}
    options = {name: value for name, value in config_of(layer).items() if name in known}
    weights = [array.numpy() for array in layer.get_folded_weights()] if folds else layer.get_weights()
    yield Part(kind(**options | changed, name=layer.name), weights)
    if own:
        yield Part(QActivation(layer.activation, name=free_name(f"{layer.name}_activation", names)))


def _is_own(activation: Any) -> bool:
    """Whether a function is one of QKeras."""
    owner = activation if inspect.isfunction(activation) else type(activation)
    return owner.__module__.startswith("qkeras")
