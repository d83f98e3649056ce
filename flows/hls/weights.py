"""Weights as the hardware holds them: the exact values that QKeras multiplies with, on a fixed-point grid.

In: the layers of a Keras model, and hls4ml's descriptions of them. Out: the same with weights frozen to exact values,
and the corrections made on the way; a quantizer whose values lie on no grid is refused by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from flows.errors import ModelError, UnsupportedLayer
from flows.hls.corrections import Correction
from flows.hls.keras_graph import rebuilt
from flows.hls.precision import MAX_WEIGHT_BITS, declared_weight_type, frozen
from flows.ir.fixed import Array, Fixed

DUST = 2.0**-10
"""Largest distance of a frozen weight from its grid, in steps, that is float32 dust of QKeras' straight-through sum."""

WEIGHTED: Mapping[str, tuple[str, str]] = {
    "QDense": ("kernel", "weight"),
    "Dense": ("kernel", "weight"),
    "QConv1D": ("kernel", "weight"),
    "Conv1D": ("kernel", "weight"),
    "QConv2D": ("kernel", "weight"),
    "Conv2D": ("kernel", "weight"),
    "QDepthwiseConv2D": ("depthwise", "depthwise"),
    "DepthwiseConv2D": ("depthwise", "depthwise"),
    "DepthwiseConv1D": ("depthwise", "depthwise"),
}
"""Layer class → what Keras and hls4ml call its kernel: the start of `..._quantizer` and `..._data`."""


def without_dust(model: Any) -> tuple[Any, list[Correction]]:
    """Replace kernels by their quantized values where QKeras leaves float32 rounding errors on these."""
    exact: dict[str, list[Array]] = {}
    for layer in model.layers:
        if type(layer).__name__ in WEIGHTED:
            weights = [_settled(layer, name, array) for name, array in _named_weights(layer)]
            if any(not np.array_equal(old, new) for old, new in zip(layer.get_weights(), weights, strict=True)):
                exact[layer.name] = weights
    if not exact:
        return model, []
    copy = rebuilt(model, {})
    for name, weights in exact.items():
        copy.get_layer(name).set_weights(weights)
    reason = "QKeras computes x + (q(x) - x) in float32, which misses q(x) by a rounding error for clipped weights"
    return copy, [Correction(name, "weights set to their own quantized values", reason) for name in exact]


def _named_weights(layer: Any) -> list[tuple[str, Array]]:
    kernel, _ = WEIGHTED[type(layer).__name__]
    names = [kernel, "bias"] if layer.use_bias else [kernel]
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


def freeze(layer: dict[str, Any], model: Any) -> list[Correction]:
    """Give hls4ml the exact values that QKeras multiplies with, on a grid that holds them.

    Args:
        layer: hls4ml's description of a layer; changed in place.
        model: the Keras model it comes from.
    Raises:
        UnsupportedLayer: the values lie on no fixed-point grid.
    """
    if layer["class_name"] not in WEIGHTED:
        return []
    source, notes = model.get_layer(layer["name"]), []
    for name, raw in _named_weights(source):
        key = "bias" if name == "bias" else WEIGHTED[layer["class_name"]][1]
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
