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
from flows.errors import UnsupportedLayer
from flows.hls.corrections import Correction
from flows.hls.precision import MAX_WEIGHT_BITS, declared_weight_type
from flows.ir.fixed import Array, Fixed

SUPPORTED = (
    "InputLayer", "QDense", "Dense", "QActivation", "Activation", "ReLU", "Flatten", "Dropout", "Softmax",
)  # fmt: skip
"""Keras layer classes that hlsflow carries from training to RTL."""

DUST = 2.0**-10
"""Largest distance of a frozen weight from its grid, in steps, that is float32 dust of QKeras' straight-through sum."""

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

    _refuse_unsupported(model)
    model, notes = _end_at_logits(model)
    model, dust = _without_dust(model)
    layers, inputs, outputs, _ = parse_keras_model(json.loads(model.to_json()), KerasModelReader(model))
    frozen = [note for layer in layers for note in _freeze(layer, model)]
    return Reading(model, layers, inputs, outputs, (*notes, *dust, *frozen))


def _refuse_unsupported(model: Any) -> None:
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise UnsupportedLayer(
            f"model '{model.name}' has {len(model.inputs)} inputs and {len(model.outputs)} outputs",
            "one input and one output are supported",
        )
    for layer in model.layers:
        if type(layer).__name__ not in SUPPORTED:
            raise UnsupportedLayer(
                f"layer '{layer.name}' is a {type(layer).__name__}, which is not supported",
                f"supported layers: {', '.join(SUPPORTED)}",
            )
        if isinstance(getattr(layer, "input", None), list):
            raise UnsupportedLayer(f"layer '{layer.name}' has several inputs", "supported: chains of layers")
    _refuse_branches(model)


def _refuse_branches(model: Any) -> None:
    for layer in model.layers:
        readers = [node.outbound_layer.name for node in layer._outbound_nodes if node.outbound_layer in model.layers]
        if len(readers) > 1:
            raise UnsupportedLayer(f"layer '{layer.name}' feeds {', '.join(readers)}", "supported: chains of layers")


def _end_at_logits(model: Any) -> tuple[Any, list[Correction]]:
    """Cut a softmax or sigmoid at the end: the class is the largest logit, so the hardware needs no exponentials."""
    last = model.layers[-1]
    name = "softmax" if type(last).__name__ == "Softmax" else _function_name(getattr(last, "activation", None))
    if name not in ("softmax", "sigmoid"):
        return model, []
    reason = "the largest logit is the class already; hls4ml's tables of exponentials are not bit-exact"
    note = Correction(last.name, f"{name} left to software, the hardware ends at the logits", reason)
    if type(last).__name__ in ("Softmax", "Activation"):
        return _functional(model.inputs, last.input, model.name), [note]
    return _rebuilt(model, {last.name: {"activation": "linear"}}), [note]


def _functional(inputs: Any, outputs: Any, name: str) -> Any:
    import tf_keras

    return tf_keras.Model(inputs, outputs, name=name)


def _function_name(activation: Any) -> str:
    return str(getattr(activation, "__name__", ""))


def _rebuilt(model: Any, changes: Mapping[str, Mapping[str, Any]]) -> Any:
    """A copy of the model with other values in the configuration of some layers, and the same weights."""

    import tf_keras

    def clone(layer: Any) -> Any:
        return type(layer).from_config({**layer.get_config(), **changes.get(layer.name, {})})

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
    used, kind = _quantized(layer, name, raw), _declared(layer, name)
    if kind is None or _holds(kind, used):
        return raw
    snapped = kind.real(np.rint(np.asarray(used, np.float64) * 2.0**kind.frac))
    is_dust = np.abs(snapped - used).max() <= DUST * 2.0**-kind.frac and _holds(kind, snapped)
    return snapped.astype(raw.dtype) if is_dust else raw


def _quantizer(layer: Any, name: str) -> Any:
    return getattr(layer, f"{name}_quantizer_internal", None)


def _quantized(layer: Any, name: str, raw: Array) -> Array:
    quantizer = _quantizer(layer, name)
    return raw if quantizer is None else np.asarray(quantizer(raw))


def _declared(layer: Any, name: str) -> Fixed | None:
    quantizer = _quantizer(layer, name)
    if quantizer is None:
        return None
    return declared_weight_type({"class_name": type(quantizer).__name__, "config": quantizer.get_config()})


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
        values, declared = _quantized(source, name, raw), _declared(source, name)
        kind = declared if declared is not None and _holds(declared, values) else _own_grid(source, name, values)
        theirs = layer.get(f"{key}_quantizer")
        if theirs is None or str(theirs.hls_type) != str(_frozen(kind).hls_type):
            notes.append(_grid_note(source, name, kind))
        layer[f"{key}_data"], layer[f"{key}_quantizer"] = values, _frozen(kind)
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


def _frozen(kind: Fixed) -> Any:
    """An hls4ml quantizer for values that are quantized already."""
    from hls4ml.model.quantizers import Quantizer
    from hls4ml.model.types import FixedPrecisionType

    class Frozen(Quantizer):  # type: ignore[misc]  # hls4ml ships no types
        def __call__(self, data: Array) -> Array:
            return np.asarray(data)

    return Frozen(kind.width, FixedPrecisionType(kind.width, kind.integer, kind.signed))
