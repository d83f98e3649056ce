"""Fixed-point types across the border: QKeras quantizers and hls4ml precisions, both as `hlsflow.ir.Fixed`.

In: a quantizer's configuration, real arrays, or an hls4ml precision object. Out: a `Fixed`, or a refusal by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from hlsflow.core.errors import UnsupportedLayer
from hlsflow.ir.fixed import MAX_WIDTH, Array, Fixed, Overflow, Rounding

FLOAT_RANGE = 127
"""The largest exponent of float32, in which Keras computes."""

MAX_WEIGHT_BITS = 24
"""A wider grid cannot be told from unquantized float32, whose mantissa has 24 bits (IEEE 754 binary32)."""


def from_hls4ml(precision: Any, where: str) -> Fixed:
    """An hls4ml precision as our type; raises UnsupportedLayer for kinds that are no fixed-point types."""
    text = str(precision)
    parts = text.removesuffix(">").split(",")
    if len(parts) == 5:  # hls4ml appends the number of saturation bits, which its backends do not use
        text = ",".join(parts[:4]) + ">"
    try:
        return Fixed.parse(text)
    except ValueError as error:
        raise UnsupportedLayer(f"{where} has the type {text}, which is no fixed-point type", str(error)) from error


def layer_type(layer: Any, name: str) -> Fixed:
    """A type of a layer of a resolved `ModelGraph`, such as `result_t`; raises as `from_hls4ml`."""
    return from_hls4ml(layer.types[name].precision, f"{name} of layer '{layer.name}'")


def frozen(kind: Fixed) -> Any:
    """An hls4ml quantizer for values that are quantized already."""
    from hls4ml.model.quantizers import Quantizer
    from hls4ml.model.types import FixedPrecisionType

    class Frozen(Quantizer):  # type: ignore[misc]  # hls4ml ships no types
        def __call__(self, data: Array) -> Array:
            return np.asarray(data)

    return Frozen(kind.width, FixedPrecisionType(kind.width, kind.integer, kind.signed))


def declared_weight_type(layer: str, quantizer: Mapping[str, Any]) -> Fixed | None:
    """The type that a weight quantizer names when it has no scale; None for quantizers that name none."""
    config = quantizer["config"]
    require_integer(layer, quantizer)
    if quantizer["class_name"] != "quantized_bits" or config["bits"] <= bool(config.get("keep_negative", True)):
        return None
    signed = bool(config.get("keep_negative", True))
    return Fixed(int(config["bits"]), int(config["integer"]) + signed, signed)


def activation_type(layer: str, quantizer: Mapping[str, Any]) -> Fixed:
    """The type of what an activation quantizer puts out.

    The formulas are those of `quantized_bits.__call__` and `quantized_relu.__call__` of QKeras 0.9.0: round half to
    even on a grid of 2**(integer - bits without sign), then clip to the largest and smallest code.

    Raises:
        UnsupportedLayer: a mode that no fixed-point type expresses, with the alternative.
    """
    kind, config = quantizer["class_name"], quantizer["config"]
    if kind not in _ONLY:
        raise UnsupportedLayer(f"layer '{layer}': activation {kind} is not supported", SUPPORTED_ACTIVATIONS)
    require_integer(layer, quantizer)
    bits, integer = int(config["bits"]), int(config["integer"])
    for key, usual in _ONLY[kind].items():
        if config.get(key, usual[0]) not in usual:
            raise UnsupportedLayer(
                f"layer '{layer}': {kind} with {key}={config[key]!r} is not supported", f"use {key}={usual[0]!r}"
            )
    if kind == "quantized_relu":
        signed = config.get("negative_slope", 0.0) != 0.0
        return Fixed(bits, integer + signed, signed, Rounding.RND_CONV, Overflow.SAT)
    if bits > 1:
        signed = bool(config.get("keep_negative", True))
        symmetric = signed and bool(config.get("symmetric", False))
        overflow = Overflow.SAT_SYM if symmetric else Overflow.SAT
        return Fixed(bits, integer + signed, signed, Rounding.RND_CONV, overflow)
    raise UnsupportedLayer(
        f"layer '{layer}': activation {kind} with {bits} bits is not supported", SUPPORTED_ACTIVATIONS
    )


def require_integer(layer: str, quantizer: Mapping[str, Any]) -> None:
    """Refuse a quantizer with a negative `integer`, which QKeras fails on, or with bits that no type has."""
    config = quantizer["config"]
    bits, integer = 1 if config.get("bits") is None else config["bits"], config.get("integer") or 0
    if not (_is_whole(bits, MAX_WIDTH) and bits > 0 and _is_whole(integer, FLOAT_RANGE)):
        message = f"layer '{layer}': {quantizer['class_name']} of {bits} bits with integer={integer}"
        raise UnsupportedLayer(message, f"use a whole number of bits, 1 to {MAX_WIDTH}, and a whole integer")
    if int(integer) < 0:
        message = f"layer '{layer}': {quantizer['class_name']} with a negative integer, which QKeras cannot compute"
        raise UnsupportedLayer(message, "use integer=0 and more bits")


def _is_whole(value: Any, largest: int) -> bool:
    return bool(value == int(value)) and abs(value) <= largest


SUPPORTED_ACTIVATIONS = "supported activations: quantized_relu, quantized_bits of 2 bits or more, relu, linear"

_USUAL: Mapping[str, tuple[object, ...]] = {"use_stochastic_rounding": (False, 0), "qnoise_factor": (1.0, 1)}

_ONLY: Mapping[str, Mapping[str, tuple[object, ...]]] = {
    "quantized_relu": {"use_sigmoid": (0, False), "relu_upper_bound": (None,), **_USUAL},
    "quantized_bits": {"alpha": (1, 1.0, None), **_USUAL},
}
"""Options that must have one of these values (the first one is what we advise)."""
