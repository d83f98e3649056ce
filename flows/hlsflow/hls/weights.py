"""Weights as the hardware holds them: the exact values that QKeras multiplies with, on a fixed-point grid.

In: the layers of a Keras model, and hls4ml's descriptions of them. Out: the same with weights frozen to exact values,
and the corrections made on the way; a quantizer whose values lie on no grid is refused by name. A frozen layer of Keras
has no quantizers any more: its weights are what they gave, so that nothing downstream can read them otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hlsflow.core.errors import ModelError, UnsupportedLayer
from hlsflow.hls.corrections import Correction
from hlsflow.hls.precision import MAX_WEIGHT_BITS, declared_weight_type, frozen
from hlsflow.ir.fixed import Array, Fixed, Overflow, Rounding
from hlsflow.keras.graph import rebuilt

DUST = 2.0**-10
"""Largest distance of a frozen weight from its grid, in steps, that is float32 dust of QKeras' straight-through sum."""

FLOAT32_BITS = 22
"""QKeras' straight-through sum misses by less than 2**-22 of the unquantized weight (two roundings of binary32)."""

STEP_SHARE = 3
"""No weight moves by more than 2**-3 of its quantization step when a float scale (alpha='auto') is frozen ..."""

SCALE_BITS = 8
"""... nor by more than 2**-8 of itself, where a multiple of such a scale has no more than `MAX_WEIGHT_BITS` bits."""

SCALE_SPREAD = 6
"""Scales more than 2**6 times smaller than the largest one of their layer keep so many bits as 24-bit weights allow."""

BIAS_BITS = 18
"""Width of a frozen bias that has no quantizer: the narrow port of the multipliers of ECP5 and Xilinx FPGAs."""

BIAS_SPREAD = 7
"""A bias more than 2**7 times larger than the usual one takes no bits from the others: all of them get more."""

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

FROZEN = ("quantizer", "quantizer_internal", "initializer", "constraint")
"""What a weight array of a Keras layer has for training alone, once it is frozen."""


@dataclass(frozen=True, eq=False)
class Held:
    """One weight array as the hardware holds it.

    Attributes:
        values: real values on the grid of `kind`.
        kind: their type.
        note: what was changed to get there and why, or None where QKeras and hls4ml agree on it.
        moved: whether the values are other ones than those that QKeras multiplies with.
    """

    values: Array
    kind: Fixed
    note: tuple[str, str] | None = None
    moved: bool = False


def freeze(model: Any) -> tuple[Any, list[Correction]]:
    """The model with each weight replaced by its quantized value, and without weight quantizers.

    Raises:
        UnsupportedLayer: values that lie on no fixed-point grid. ModelError: values that are no numbers.
    """
    held = {
        layer.name: {name: held_as(layer, name, raw) for name, raw in _named_weights(layer)}
        for layer in model.layers
        if type(layer).__name__ in WEIGHTED
    }
    copy = rebuilt(model)
    for layer, arrays in held.items():
        without_quantizers(copy.get_layer(layer), arrays)
        copy.get_layer(layer).set_weights([array.values for array in arrays.values()])
        copy.get_layer(layer).held = arrays
    return copy, [
        _correction(layer, array) for layer, arrays in held.items() for array in arrays.values() if array.note
    ]


def _correction(layer: str, array: Held) -> Correction:
    assert array.note is not None
    return Correction(layer, *array.note, array.moved)


def without_quantizers(layer: Any, names: Iterable[str]) -> None:
    """Take from a layer all that its weights of these names have for training alone."""
    for name in names:
        for attribute in FROZEN:
            if hasattr(layer, f"{name}_{attribute}"):
                setattr(layer, f"{name}_{attribute}", None)


def describe(layer: dict[str, Any], model: Any) -> None:
    """Give hls4ml the frozen values and their types.

    Args:
        layer: hls4ml's description of a layer; changed in place.
        model: the frozen Keras model it comes from.
    """
    if layer["class_name"] in WEIGHTED:
        for name, array in model.get_layer(layer["name"]).held.items():
            key = "bias" if name == "bias" else WEIGHTED[layer["class_name"]][1]
            layer[f"{key}_data"], layer[f"{key}_quantizer"] = array.values, frozen(array.kind)


def _named_weights(layer: Any) -> list[tuple[str, Array]]:
    kernel, _ = WEIGHTED[type(layer).__name__]
    names = [kernel, "bias"] if layer.use_bias else [kernel]
    return list(zip(names, layer.get_weights(), strict=True))


def held_as(layer: Any, name: str, raw: Array) -> Held:
    """The exact values of one weight array; raises as `freeze`."""
    quantizer, used = quantizer_of(layer, name), used_by(layer, name, raw)
    held = _unquantized(layer, name, used) if quantizer is None else _quantized(layer, name, quantizer, used)
    require_same(layer.name, name, held.values, used, _allowed(held, used, raw))
    return held


def quantizer_of(layer: Any, name: str) -> Any:
    """The quantizer of a layer's weights of that name; None where they have none."""
    return getattr(layer, f"{name}_quantizer_internal", None)


def used_by(layer: Any, name: str, raw: Array) -> Array:
    """What QKeras multiplies with, or adds; raises ModelError where that is no number."""
    quantizer = quantizer_of(layer, name)
    used = np.asarray(raw if quantizer is None else quantizer(raw), np.float64)
    if not np.isfinite(used).all():
        raise _no_numbers(layer.name, name, quantizer, raw)
    return used


def _no_numbers(layer: str, name: str, quantizer: Any, raw: Array) -> ModelError:
    if quantizer is None or not np.isfinite(raw).all():
        return ModelError(f"layer '{layer}': some {name} values are NaN or infinite", "train the model anew")
    message = f"layer '{layer}': {quantizer} makes NaN or infinite values of its {name}, in QKeras itself"
    return ModelError(message, "give it another quantizer; of one bit with a scale, binary(alpha='auto')")


def _quantized(layer: Any, name: str, quantizer: Any, used: Array) -> Held:
    declared = declared_weight_type(
        layer.name, {"class_name": type(quantizer).__name__, "config": quantizer.get_config()}
    )
    if declared is not None and _holds(declared, used):
        return Held(used, declared)
    if getattr(quantizer, "scale", None) is not None:
        return _rescaled(name, quantizer, used)
    return _settled(layer.name, name, quantizer, used, declared)


def _allowed(held: Held, used: Array, raw: Array) -> Array:
    """How far each frozen weight may be from what its quantizer gives."""
    step, size = 2.0**-held.kind.frac, np.abs(used)
    if not held.moved:
        return dust(step, raw)
    rounded = np.maximum(step, size * 2.0**-SCALE_BITS) + size.max(initial=0) * 2.0 ** -(SCALE_SPREAD + SCALE_BITS)
    return np.asarray(rounded)


def dust(step: Array | float, raw: Array) -> Array:
    """How far a value of QKeras may be from its grid of this step because of float32 alone."""
    return np.asarray(DUST * step + np.abs(raw) * 2.0**-FLOAT32_BITS)


def require_same(layer: str, name: str, values: Array, used: Array, allowed: Array) -> None:
    """Frozen weights are the quantizer's own, or as near as a correction that is listed says; whatever made them.

    Raises:
        UnsupportedLayer: some are not.
    """
    distance = np.abs(values - used)
    if (distance > allowed).any():
        moved = f"{int((distance > allowed).sum())} of {used.size} {name} values, by up to {distance.max():.2g}"
        raise UnsupportedLayer(
            f"layer '{layer}': freezing moves {moved}, from what its quantizer gives",
            "this is a fault of hlsflow: report it with the model; quantized_bits(bits, integer, alpha=1) is exact",
        )


def _holds(kind: Fixed, values: Array) -> bool:
    scaled = values * 2.0**kind.frac
    return bool(np.array_equal(scaled, np.rint(scaled))) and kind.holds(scaled.astype(np.int64))


BY_BITS = (
    "add --bits 8 (in a project: model.float_file and [quantize]), which quantizes the layers without quantizers and "
    "leaves the others alone; or train the layer with a {name}_quantizer"
)
HINTS = {"DepthwiseConv1D": "QKeras has no quantized form of it: write it as a QDepthwiseConv2D of a single row"}
"""Layer class → what to do about a kernel without a quantizer, where that is not `BY_BITS`."""


def _unquantized(layer: Any, name: str, values: Array) -> Held:
    """Weights of a layer without a quantizer: used as they are if they lie on a grid, biases are put on one."""
    kind = Fixed.narrowest(values, MAX_WEIGHT_BITS)
    if kind is not None:
        return Held(values, kind)
    if name != "bias":
        raise UnsupportedLayer(
            f"layer '{layer.name}': the {name} values are not quantized and lie on no fixed-point grid",
            HINTS.get(type(layer).__name__, BY_BITS.format(name=name)),
        )
    top, usual = (int(np.frexp(size)[1]) for size in (np.abs(values).max(), np.median(np.abs(values[values != 0]))))
    width = BIAS_BITS + min(max(0, top - usual - BIAS_SPREAD), BIAS_BITS)
    kind = Fixed(width, top + 1, rounding=Rounding.RND_CONV, overflow=Overflow.SAT)
    rounded, plain = kind.real(kind.quantize(values)), Fixed(width, top + 1)
    what = f"bias frozen as {plain}, changed by up to {np.abs(rounded - values).max():.2g}"
    reason = "it has no quantizer, and float32 values lie on no grid that hardware has"
    return Held(rounded, plain, (what, reason), moved=True)


def _settled(layer: str, name: str, quantizer: Any, used: Array, declared: Fixed | None) -> Held:
    """Values on a grid, but for float32 rounding errors of QKeras."""
    kind = Fixed.narrowest(used, MAX_WEIGHT_BITS)
    if kind is not None:
        what = f"{name} frozen to its quantized values as {kind}"
        return Held(used, kind, (what, f"hls4ml loses scale, range or sign of {quantizer}"))
    frac = declared.frac if declared is not None else _dusty_grid(layer, name, quantizer, used)
    exact = np.rint(used * 2.0**frac) * 2.0**-frac
    kind = declared or Fixed.narrowest(exact, MAX_WEIGHT_BITS)
    if kind is None or np.abs(exact - used).max() > DUST * 2.0**-frac or not _holds(kind, exact):
        raise _no_grid(layer, name, quantizer)
    reason = "QKeras computes x + (q(x) - x) in float32, which misses q(x) by a rounding error"
    return Held(exact, kind, (f"{name} set to its own quantized values as {kind}", reason))


def _dusty_grid(layer: str, name: str, quantizer: Any, used: Array) -> int:
    """Fewest fractional bits of a grid that all values almost lie on."""
    for frac in range(MAX_WEIGHT_BITS):
        if np.abs(used * 2.0**frac - np.rint(used * 2.0**frac)).max() <= DUST:
            return frac
    raise _no_grid(layer, name, quantizer)


def _no_grid(layer: str, name: str, quantizer: Any) -> UnsupportedLayer:
    return UnsupportedLayer(
        f"layer '{layer}': the {name} values are quantized by {quantizer} and lie on no fixed-point grid",
        f"give the layer {name}_quantizer=quantized_bits(bits, integer, alpha=1), or alpha='auto_po2'",
    )


def unit_of(quantizer: Any) -> float:
    """The step between neighbouring values of a quantizer before they are multiplied with its scale.

    Formulas of QKeras 0.9.0: `quantized_bits.__call__`, where it is m_i / m, but for one bit with a sign, which gives
    -scale and scale whatever `integer` is; `_get_scale` of the others.
    """
    if type(quantizer).__name__ != "quantized_bits" or quantizer.bits <= bool(quantizer.keep_negative):
        return 1.0
    return float(2.0 ** (int(quantizer.integer) - quantizer.bits + bool(quantizer.keep_negative)))


def multiples(used: Array, steps: Array) -> Array:
    """How many steps each value is; 0 where the step is."""
    shape = np.broadcast(used, steps).shape
    return np.asarray(np.rint(np.divide(used, steps, out=np.zeros(shape), where=steps != 0)))


def _rescaled(name: str, quantizer: Any, used: Array) -> Held:
    """Whole multiples of the scales of a quantizer: powers of two stay, others are rounded to a short mantissa.

    Where that takes too many bits, as 11 for a code and 14 for its scale do, the multiples themselves are rounded.
    """
    steps = np.asarray(quantizer.scale, np.float64) * unit_of(quantizer)
    codes = multiples(used, steps)
    magnitude = int(np.abs(codes).max(initial=0)).bit_length()
    short = steps if powers_of_two(steps) else _shortened(steps, magnitude)
    exact = codes * short
    kind = Fixed.narrowest(exact, MAX_WEIGHT_BITS)
    if kind is None:
        return _rounded(name, quantizer, codes * steps, steps)
    if short is steps:
        what = f"{name} frozen to its quantized values as {kind}"
        return Held(exact, kind, (what, f"hls4ml loses the scale of {quantizer}"))
    what = f"{name} scales frozen, {name} as {kind}, changed by up to {np.abs(exact - used).max():.2g}"
    reason = f"the float32 scales of {quantizer} lie on no grid that hardware has"
    return Held(exact, kind, (what, reason), moved=True)


def _rounded(name: str, quantizer: Any, used: Array, steps: Array) -> Held:
    """Values on the coarsest grid that moves none by more than 2**-STEP_SHARE of its step, of steps not far smaller
    than the largest; or on the finest one of `MAX_WEIGHT_BITS` bits."""
    exponent = np.frexp(steps[steps != 0])[1]
    frac = STEP_SHARE - int(max(exponent.min(), exponent.max() - SCALE_SPREAD))
    while (kind := Fixed.narrowest(values := np.rint(used * 2.0**frac) * 2.0**-frac, MAX_WEIGHT_BITS)) is None:
        frac -= 1
    what = f"{name} frozen as {kind}, changed by up to {np.abs(values - used).max():.2g}"
    reason = f"multiples of the float32 scales of {quantizer} need more bits than weights have"
    return Held(values, kind, (what, reason), moved=True)


def powers_of_two(steps: Array) -> bool:
    return bool((np.frexp(steps[steps != 0])[0] == 0.5).all())


def _shortened(steps: Array, magnitude: int) -> Array:
    """Scales rounded to so many bits each that no weight, of `magnitude` bits before its scale, moves by much.

    Far smaller ones than the largest keep as many as fit in `MAX_WEIGHT_BITS`, and those of a spread of `SCALE_SPREAD`.
    """
    mantissa = max(magnitude + STEP_SHARE, SCALE_BITS)
    spread = max(SCALE_SPREAD, MAX_WEIGHT_BITS - 1 - magnitude - mantissa)
    exponent = np.frexp(steps)[1]
    grid = 2.0 ** (np.maximum(exponent, exponent.max() - spread) - mantissa)
    return np.asarray(np.rint(steps / grid) * grid)
