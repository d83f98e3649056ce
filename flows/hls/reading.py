"""Reads a Keras model as hls4ml's own list of layers, with everything that the hardware cannot hold refused by name.

In: a QKeras model. Out: `Reading`: the model that ends at the logits, hls4ml's layer list with weights frozen to exact
fixed-point values, and the corrections made on the way. hls4ml's Keras 2 reader is called directly, because its front
door takes every model for Keras 3.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from flows import keras2
from flows.errors import ModelError, UnsupportedLayer
from flows.hls.corrections import Correction
from flows.hls.keras_graph import require_chain
from flows.hls.precision import MAX_WEIGHT_BITS, declared_weight_type, frozen
from flows.ir.fixed import Array, Fixed

SUPPORTED = ("InputLayer", "QDense", "Dense", "QActivation", "Activation", "ReLU", "Flatten", "Dropout")
"""Keras layer classes that hlsflow carries from training to RTL; a softmax or sigmoid at the end is cut before."""

DUST = 2.0**-10
"""Largest distance of a frozen weight from its grid, in steps, that is float32 dust of QKeras' straight-through sum."""

SHARED = ("kernel_quantizer", "kernel_quantizer_internal", "bias_quantizer", "bias_quantizer_internal", "quantizer")
"""Attributes that a copied layer takes over as they are: their configuration does not hold all of their options."""

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
    model, dust = _without_dust(model)
    layers, inputs, outputs, _ = parse_keras_model(json.loads(model.to_json()), KerasModelReader(model))
    frozen = [note for layer in layers for note in _freeze(layer, model)]
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
        return _functional(model.inputs, last.input, model.name), [note]
    return _rebuilt(model, {last.name: {"activation": "linear"}}), [note]


def _functional(inputs: Any, outputs: Any, name: str) -> Any:
    import tf_keras

    return tf_keras.Model(inputs, outputs, name=name)


def _rebuilt(model: Any, changes: Mapping[str, Mapping[str, Any]]) -> Any:
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


def _without_dust(model: Any) -> tuple[Any, list[Correction]]:
    """Replace kernels by their quantized values where QKeras leaves float32 rounding errors on these."""
    exact: dict[str, list[Array]] = {}
    for layer in model.layers:
        if type(layer).__name__ == "QDense":
            weights = [_settled(layer, name, array) for name, array in _named_weights(layer)]
            if any(not np.array_equal(old, new) for old, new in zip(layer.get_weights(), weights, strict=True)):
                exact[layer.name] = weights
    if not exact:
        return model, []
    copy = _rebuilt(model, {})
    for name, weights in exact.items():
        copy.get_layer(name).set_weights(weights)
    reason = "QKeras computes x + (q(x) - x) in float32, which misses q(x) by a rounding error for clipped weights"
    return copy, [Correction(name, "weights set to their own quantized values", reason) for name in exact]


def _named_weights(layer: Any) -> list[tuple[str, Array]]:
    names = ["kernel", "bias"] if layer.use_bias else ["kernel"]
    return list(zip(names, layer.get_weights(), strict=True))


def _settled(layer: Any, name: str, raw: Array) -> Array:
    """The raw weights, or their exact quantized values if QKeras' own quantized values carry dust."""
    kind, used = _declared(layer, name), _quantized(layer, name, raw)
    if kind is None or _holds(kind, used):
        return raw
    snapped = kind.real(np.rint(np.asarray(used, np.float64) * 2.0**kind.frac))
    is_dust = np.abs(snapped - used).max() <= DUST * 2.0**-kind.frac and _holds(kind, snapped)
    return snapped.astype(raw.dtype) if is_dust else raw


def _quantizer(layer: Any, name: str) -> Any:
    return getattr(layer, f"{name}_quantizer_internal", None)


def _quantized(layer: Any, name: str, raw: Array) -> Array:
    quantizer = _quantizer(layer, name)
    values = raw if quantizer is None else np.asarray(quantizer(raw))
    if not np.isfinite(values).all():
        raise ModelError(f"layer '{layer.name}': some {name} values are NaN or infinite", "train the model anew")
    return values


def _declared(layer: Any, name: str) -> Fixed | None:
    quantizer = _quantizer(layer, name)
    if quantizer is None:
        return None
    return declared_weight_type(layer.name, {"class_name": type(quantizer).__name__, "config": quantizer.get_config()})


def _holds(kind: Fixed, values: Array) -> bool:
    scaled = np.asarray(values, np.float64) * 2.0**kind.frac
    return bool(np.array_equal(scaled, np.rint(scaled))) and kind.holds(scaled.astype(np.int64))


def _freeze(layer: dict[str, Any], model: Any) -> list[Correction]:
    """Give hls4ml the exact values that QKeras multiplies with, on a grid that holds them."""
    if layer["class_name"] not in ("QDense", "Dense"):
        return []
    source, notes = model.get_layer(layer["name"]), []
    for name, raw in _named_weights(source):
        key = "weight" if name == "kernel" else "bias"
        declared, values = _declared(source, name), _quantized(source, name, raw)
        kind = declared if declared is not None and _holds(declared, values) else _own_grid(source, name, values)
        theirs = layer.get(f"{key}_quantizer")
        if theirs is None or str(theirs.hls_type) != str(frozen(kind).hls_type):
            notes.append(_grid_note(source, name, kind))
        layer[f"{key}_data"], layer[f"{key}_quantizer"] = values, frozen(kind)
    return notes


def _own_grid(layer: Any, name: str, values: Array) -> Fixed:
    kind = Fixed.narrowest(values, MAX_WEIGHT_BITS)
    if kind is not None:
        return kind
    quantizer = _quantizer(layer, name)
    said = f"are quantized by {quantizer}" if quantizer is not None else "are not quantized"
    raise UnsupportedLayer(
        f"layer '{layer.name}': the {name} values {said} and lie on no fixed-point grid",
        f"give the layer {name}_quantizer=quantized_bits(bits, integer, alpha=1), or alpha='auto_po2'",
    )


def _grid_note(layer: Any, name: str, kind: Fixed) -> Correction:
    what = f"{name} frozen to its quantized values as {kind}"
    return Correction(layer.name, what, f"hls4ml loses scale, range or sign of {_quantizer(layer, name)}")
