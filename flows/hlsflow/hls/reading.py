"""Reads a Keras model as hls4ml's own list of layers, with everything that the hardware cannot hold refused by name.

In: a QKeras model. Out: `Reading`: the model that ends at the logits, hls4ml's layer list with weights frozen to exact
fixed-point values, and the corrections made on the way. hls4ml's Keras 2 reader is called directly, because its front
door takes every model for Keras 3.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from hlsflow.core.errors import UnsupportedLayer
from hlsflow.hls import activations, affine, batchnorm, merges, recurrent, scaled, separable, softmax, weights
from hlsflow.hls import names as naming
from hlsflow.hls.corrections import Correction
from hlsflow.ir.fixed import Array
from hlsflow.keras import keras2
from hlsflow.keras.endings import left_to_software
from hlsflow.keras.graph import Part, input_names, nodes, output_names, rebuilt, require_graph
from hlsflow.keras.plain import IDENTITIES, plain
from hlsflow.project.errors import nearest

Options = dict[str, tuple[object, ...]]

_IMAGE: Options = {"data_format": ("channels_last",)}
_CONV: Options = _IMAGE | {"dilation_rate": ((1, 1), (1,)), "groups": (1,)}
_DEPTHWISE: Options = _CONV | {"depth_multiplier": (1,)}
_GLOBAL: Options = _IMAGE | {"keepdims": (False,)}

SUPPORTED: Mapping[str, Options] = {
    "InputLayer": {},
    "Dense": {},
    "QDense": {},
    "Conv1D": _CONV,
    "QConv1D": _CONV,
    "Conv2D": _CONV,
    "QConv2D": _CONV,
    "QConv2DBatchnorm": _CONV,
    "DepthwiseConv1D": _DEPTHWISE,
    "DepthwiseConv2D": _DEPTHWISE,
    "QDepthwiseConv2D": _DEPTHWISE,
    "QDepthwiseConv2DBatchnorm": _DEPTHWISE,
    "QSeparableConv1D": _DEPTHWISE,
    "QSeparableConv2D": _DEPTHWISE,
    "BatchNormalization": {},
    "QBatchNormalization": {},
    "QActivation": {},
    "Activation": {},
    "ReLU": {},
    "LeakyReLU": {},
    "ThresholdedReLU": {},
    "ELU": {},
    "Softmax": {},
    "QLSTM": {"go_backwards": (False,), "return_state": (False,), "stateful": (False,), "time_major": (False,)},
    "MaxPooling1D": _IMAGE,
    "MaxPooling2D": _IMAGE,
    "AveragePooling1D": _IMAGE,
    "AveragePooling2D": _IMAGE,
    "GlobalMaxPooling1D": _GLOBAL,
    "GlobalMaxPooling2D": _GLOBAL,
    "GlobalAveragePooling1D": _GLOBAL,
    "GlobalAveragePooling2D": _GLOBAL,
    "ZeroPadding1D": {},
    "ZeroPadding2D": _IMAGE,
    "UpSampling1D": {},
    "UpSampling2D": _IMAGE | {"interpolation": ("nearest",)},
    "Flatten": _IMAGE,
    "Reshape": {},
    "Permute": {},
    "Add": {},
    "Subtract": {},
    "Multiply": {},
    "Average": {},
    "Maximum": {},
    "Minimum": {},
    "Concatenate": {},
    "Normalization": {},
    "Rescaling": {},
    **{name: {} for name in IDENTITIES},
}
"""Keras layer class → options that must have one of these values. A softmax or sigmoid at an end is cut before."""

Layers = list[dict[str, Any]]


@dataclass(frozen=True)
class Reading:
    """A model as hls4ml reads it.

    Attributes:
        given: the model as it was handed over.
        file: the same in plain form and up to where the hardware ends, otherwise as it is.
        model: the Keras model whose outputs the hardware must equal: `file` frozen.
        layers: hls4ml's layer list, in order, the inputs first; each entry says what it reads.
        inputs, outputs: names of the first and last layers, in the order of the model's arguments and results.
        names: of all layers, those of the given model and those of `model`.
        corrections: what was changed, and why.
    """

    original: Any
    file: Any
    model: Any
    layers: Layers
    inputs: list[str]
    outputs: list[str]
    names: list[str]
    corrections: tuple[Correction, ...]


class _Weights:
    """hls4ml's interface to the weights; its own takes a kernel for the bias of a layer with "bias" in its name."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def get_weights_data(self, layer: str, name: str) -> Array | None:
        weights = [w for w in self.model.get_layer(layer).weights if w.name.split("/")[-1] == f"{name}:0"]
        return weights[0].numpy() if weights else None


def read(model: Any, forms: Mapping[str, str] | None = None) -> Reading:
    """Read a QKeras model.

    Raises:
        UnsupportedLayer: a layer, an activation or a weight quantizer that hlsflow does not carry.
    """
    keras2.ready()
    from hls4ml.converters.keras_v2_to_hls import parse_keras_model

    original, opening = model, plain(model)
    require_graph(opening.model)
    model, called = naming.distinct(opening.model)
    opened = [Correction(*note) for note in opening.notes]
    names = [node.layer.name for node in nodes(model)]
    file, cuts = _end_at_logits(model, forms or {})
    model = softmax.formed(file, forms or {})
    _refuse_unsupported(model)
    model, notes = _replaced(model)
    model, split = scaled.split(model)
    model, frozen = weights.freeze(activations.tabled(model))
    try:
        layers, inputs, outputs, _ = parse_keras_model(json.loads(model.to_json()), _Weights(model))
    except Exception as error:  # hls4ml's readers raise nothing more precise
        raise UnsupportedLayer(f"hls4ml cannot read this model: {error}", "use another layer or activation") from error
    layers, outputs = _without_linear(_ordered(layers, input_names(model)), outputs)
    for layer in layers:
        weights.describe(layer, model)
    names += [node.layer.name for node in nodes(model) if node.layer.name not in names]
    return Reading(
        original, file, model, layers, inputs, outputs, names, (*opened, *called, *cuts, *notes, *split, *frozen)
    )


def _ordered(layers: Layers, inputs: list[str]) -> Layers:
    """The inputs first, in the model's order, and every other layer with the names of what it reads."""
    for before, layer in pairwise(layers):
        if layer["name"] not in inputs and not layer.get("inputs"):
            layer["inputs"] = [before["name"]]
    by_name = {layer["name"]: layer for layer in layers}
    return [by_name[name] for name in inputs] + [layer for layer in layers if layer["name"] not in inputs]


def _without_linear(layers: Layers, outputs: list[str]) -> tuple[Layers, list[str]]:
    """Leave out linear activations without a quantizer, such as hls4ml adds after layers that have no activation."""
    stands_for: dict[str, str] = {}
    remaining: Layers = []
    for layer in layers:
        layer["inputs"] = [stands_for.get(name, name) for name in layer.get("inputs") or []]
        if _does_nothing(layer) and not (layer["name"] in outputs and layer["inputs"][0] in outputs):
            stands_for[layer["name"]] = layer["inputs"][0]
        else:
            remaining.append(layer)
    return remaining, [stands_for.get(name, name) for name in outputs]


def _does_nothing(layer: dict[str, Any]) -> bool:
    is_linear = layer["class_name"] == "Activation" and layer["activation"] == "linear"
    return is_linear and "activation_quantizer" not in layer


def _refuse_unsupported(model: Any) -> None:
    for node in nodes(model):
        layer, name = node.layer, type(node.layer).__name__
        if name == softmax.FORMED:
            continue
        if name not in SUPPORTED:
            raise UnsupportedLayer(
                f"layer '{layer.name}' is a {name}, which is not supported",
                _INSTEAD.get(name, f"docs/reference/support.md lists what is carried{nearest(name, SUPPORTED)}"),
            )
        for option, allowed in SUPPORTED[name].items():
            value = getattr(layer, option, allowed[0])
            if value not in allowed:
                message = f"layer '{layer.name}' is a {name} with {option}={value}, which is not supported"
                raise UnsupportedLayer(message, f"use {option}={allowed[0]}")


_INSTEAD: Mapping[str, str] = {
    **activations.REFUSED,
    **recurrent.REFUSED,
    **dict.fromkeys(("Conv1DTranspose", "Conv2DTranspose"), "use an UpSampling layer and a convolution"),
    **dict.fromkeys(("LayerNormalization", "GroupNormalization", "UnitNormalization"), "use a BatchNormalization"),
    **dict.fromkeys(("Cropping1D", "Cropping2D"), "crop the samples, or use padding='valid' in the layer before"),
    "Conv3D": "use a Conv2D on the last two axes",
    "LocallyConnected1D": "use a Conv1D, or a Dense layer",
    "Embedding": "give the network what the table holds instead of the index",
    "MultiHeadAttention": "hls4ml 1.3.0 has none; use convolutions or Dense layers",
}
"""Keras layer class that is not carried → what to use instead."""


def _end_at_logits(model: Any, forms: Mapping[str, str]) -> tuple[Any, list[Correction]]:
    """Cut a softmax or sigmoid at an end: both keep the order of the logits, so the class is known without them.

    Args:
        forms: names of the layers whose softmax a knob puts into hardware; these stay.
    """
    ends, changes, notes = output_names(model), {}, []
    cut = left_to_software(model)
    for node in nodes(model):
        layer, name = node.layer, cut.get(node.layer.name)
        if name is None or layer.name in forms:
            continue
        reason = f"{name} keeps the order of the logits, and hls4ml's tables for it are not bit-exact"
        notes.append(Correction(layer.name, f"{name} left to software, the hardware ends at the logits", reason))
        if type(layer).__name__ in ("Softmax", "Activation"):
            ends = [node.parent_nodes[0].layer.name if end == layer.name else end for end in ends]
        else:
            changes[layer.name] = {"activation": "linear"}
    return (rebuilt(model, changes, ends=ends), notes) if notes else (model, [])


def _replaced(model: Any) -> tuple[Any, list[Correction]]:
    """The model with layers that hls4ml reads wrongly or not at all replaced by such as it reads rightly."""
    replaced: dict[str, list[Part]] = {}
    notes: list[Correction] = []
    for node in nodes(model):
        make = _REPLACED.get(type(node.layer).__name__)
        replacement = make(node.layer) if make else None
        if replacement is not None:
            replaced[node.layer.name] = replacement[0]
            notes += replacement[1]
    return (rebuilt(model, replaced=replaced), notes) if replaced else (model, notes)


def _explicit(layer: Any) -> tuple[list[Part], list[Correction]] | None:
    """A Reshape that leaves a size open with -1, which hls4ml would take for the size of the next layer's input."""
    if -1 not in layer.target_shape:
        return None
    return [Part(type(layer)(layer.output_shape[1:], name=layer.name))], []


def _nothing(layer: Any) -> tuple[list[Part], list[Correction]]:
    """A layer that does nothing at inference."""
    return [], []


_REPLACED: Mapping[str, Callable[[Any], tuple[list[Part], list[Correction]] | None]] = {
    "QConv2DBatchnorm": batchnorm.folded,
    "QDepthwiseConv2DBatchnorm": batchnorm.folded,
    "BatchNormalization": batchnorm.frozen_scale,
    "QBatchNormalization": batchnorm.frozen_scale,
    "QLSTM": recurrent.unrolled,
    "QSeparableConv1D": separable.split,
    "QSeparableConv2D": separable.split,
    "Add": merges.chained,
    "Multiply": merges.chained,
    "Average": merges.chained,
    "Maximum": merges.chained,
    "Minimum": merges.chained,
    "Concatenate": merges.chained,
    "Subtract": merges.chained,
    "Reshape": _explicit,
    "Normalization": affine.frozen,
    "Rescaling": affine.frozen,
    **dict.fromkeys(IDENTITIES, _nothing),
}
"""Keras layer class → what makes the layers that stand for one; None where the layer can stay."""
