"""Reads a Keras model as hls4ml's own list of layers, with everything that the hardware cannot hold refused by name.

In: a QKeras model. Out: `Reading`: the model that ends at the logits, hls4ml's layer list with weights frozen to exact
fixed-point values, and the corrections made on the way. hls4ml's Keras 2 reader is called directly, because its front
door takes every model for Keras 3.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from flows import keras2
from flows.errors import UnsupportedLayer
from flows.hls import weights
from flows.hls.corrections import Correction
from flows.hls.keras_graph import functional, rebuilt, require_chain

SUPPORTED = ("InputLayer", "QDense", "Dense", "QActivation", "Activation", "ReLU", "Flatten", "Dropout")
"""Keras layer classes that hlsflow carries from training to RTL; a softmax or sigmoid at the end is cut before."""

Layers = list[dict[str, Any]]


@dataclass(frozen=True)
class Reading:
    """A model as hls4ml reads it.

    Attributes:
        model: the Keras model whose outputs the hardware must equal: the given one up to its logits.
        layers: hls4ml's layer list, in order.
        inputs, outputs: names of the first and last layers, or None for a sequential model.
        corrections: what was changed, and why.
    """

    model: Any
    layers: Layers
    inputs: list[str] | None
    outputs: list[str] | None
    corrections: tuple[Correction, ...]


def read(model: Any) -> Reading:
    """Read a QKeras model.

    Raises:
        UnsupportedLayer: a layer, an activation or a weight quantizer that hlsflow does not carry.
    """
    keras2.ready()
    from hls4ml.converters.keras_v2_to_hls import KerasModelReader, parse_keras_model

    require_chain(model)
    model, notes = _end_at_logits(model)
    _refuse_unsupported(model)
    model, dust = weights.without_dust(model)
    layers, inputs, outputs, _ = parse_keras_model(json.loads(model.to_json()), KerasModelReader(model))
    frozen = [note for layer in layers for note in weights.freeze(layer, model)]
    return Reading(model, layers, inputs, outputs, (*notes, *dust, *frozen))


def _refuse_unsupported(model: Any) -> None:
    for layer in model.layers:
        name = type(layer).__name__
        if name not in SUPPORTED:
            raise UnsupportedLayer(
                f"layer '{layer.name}' is a {name}, which is not supported",
                f"supported layers: {', '.join(SUPPORTED)}; and a softmax or sigmoid at the very end",
            )
        options = {"max_value": None, "negative_slope": 0, "threshold": 0} if name == "ReLU" else {}
        for option, usual in options.items():
            if getattr(layer, option) != usual:
                raise UnsupportedLayer(f"layer '{layer.name}' is a ReLU with {option}", "use a quantized_relu instead")


def _end_at_logits(model: Any) -> tuple[Any, list[Correction]]:
    """Cut a softmax or sigmoid at the end: both keep the order of the logits, so the class is known without them."""
    last = model.layers[-1]
    name = "softmax" if type(last).__name__ == "Softmax" else getattr(getattr(last, "activation", None), "__name__", "")
    if name not in ("softmax", "sigmoid"):
        return model, []
    reason = f"the class follows from the logits alone, and hls4ml's tables for {name} are not bit-exact"
    note = Correction(last.name, f"{name} left to software, the hardware ends at the logits", reason)
    if type(last).__name__ in ("Softmax", "Activation"):
        return functional(model.inputs, last.input, model.name), [note]
    return rebuilt(model, {last.name: {"activation": "linear"}}), [note]
