"""Batch normalization as the hardware has it: folded into a convolution, or one scale and one bias per channel.

In: a trained batch normalization, on its own or inside a QKeras layer that folds it. Out: the layers that stand for it,
with constants on fixed-point grids, and what was changed for that. At inference a batch normalization computes
gamma * (x - mean) / sqrt(variance + epsilon) + beta (Ioffe and Szegedy 2015), which is scale * x + bias.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from hlsflow.core.errors import UnsupportedLayer
from hlsflow.hls.corrections import Correction
from hlsflow.hls.precision import frozen
from hlsflow.ir.fixed import Array, Fixed, Overflow, Rounding
from hlsflow.keras.graph import Part

BITS = 18
"""Width of a frozen scale or bias: the narrow port of the multipliers of ECP5 and Xilinx FPGAs."""

FOLDED = {"QConv2DBatchnorm": "QConv2D", "QDepthwiseConv2DBatchnorm": "QDepthwiseConv2D"}
"""QKeras layer with a batch normalization inside → the layer without one that computes the same at inference."""

SCALE = "FrozenBatchNormalization"
"""Class name of the layer that stands for a batch normalization."""


def folded(layer: Any) -> tuple[list[Part], list[Correction]]:
    """The plain convolution that a layer with a folded batch normalization is at inference."""
    import qkeras

    kind = getattr(qkeras, FOLDED[type(layer).__name__])
    config = kind.get_config(layer) | {"use_bias": True}
    plain = kind.from_config(config)
    for name in ("kernel_quantizer", "depthwise_quantizer", "bias_quantizer"):
        for attribute in (name, f"{name}_internal"):
            if hasattr(layer, attribute):
                setattr(plain, attribute, getattr(layer, attribute))
    plain.activation = layer.activation
    weights = [np.asarray(array) for array in layer.get_folded_weights()]
    return [Part(plain, weights)], []


def frozen_scale(layer: Any) -> tuple[list[Part], list[Correction]]:
    """One scale and one bias per channel, on grids of at most `BITS` bits, for a batch normalization.

    Raises:
        UnsupportedLayer: as `frozen_constants`, or it does not normalize the last axis.
    """
    rank = len(layer.input_shape)
    if list(layer.axis) != [rank - 1]:
        raise UnsupportedLayer(f"layer '{layer.name}' normalizes axis {list(layer.axis)}", "normalize the last axis")
    return frozen_constants(layer, *_constants(layer))


def frozen_constants(layer: Any, scale: Array, bias: Array) -> tuple[list[Part], list[Correction]]:
    """A layer of that name that computes x * scale + bias, with (channels,) each on grids of at most `BITS` bits.

    Raises:
        UnsupportedLayer: they are no finite numbers.
    """
    if not np.isfinite([scale, bias]).all():
        raise UnsupportedLayer(f"layer '{layer.name}' has parameters that are NaN or infinite", "train the model anew")
    kinds = [_grid(scale), _grid(bias)]
    values = [kind.real(kind.quantize(array)) for kind, array in zip(kinds, (scale, bias), strict=True)]
    changes = [float(np.abs(new - old).max()) for new, old in zip(values, (scale, bias), strict=True)]
    part = Part(_class()(str(kinds[0]), str(kinds[1]), name=layer.name), values)
    return [part], [_note(layer, kinds, changes)]


def _note(layer: Any, kinds: list[Fixed], changes: list[float]) -> Correction:
    plain = [Fixed(kind.width, kind.integer, kind.signed) for kind in kinds]
    what = f"scale frozen as {plain[0]} (changed by up to {changes[0]:.2g}), bias as {plain[1]} (by {changes[1]:.2g})"
    reason = "float32 constants lie on no grid that multipliers can have, and hls4ml drops the quantizers of QKeras"
    return Correction(layer.name, what, reason, moves=any(changes))


def _constants(layer: Any) -> tuple[Array, Array]:
    variance, mean = _parameter(layer, "moving_variance", 1.0), _parameter(layer, "moving_mean", 0.0)
    scale = _parameter(layer, "gamma", 1.0) / np.sqrt(variance + layer.epsilon)
    return scale, _parameter(layer, "beta", 0.0) - mean * scale


def _parameter(layer: Any, name: str, missing: float) -> Array:
    """A parameter as the layer uses it: quantized, where a QBatchNormalization does so."""
    variable = getattr(layer, name, None)
    channels = layer.moving_mean.shape
    if variable is None:
        return np.full(channels, missing)
    short = name.removeprefix("moving_")
    quantizer = getattr(layer, f"{short}_quantizer_internal", None)
    value = variable if quantizer is None else quantizer(variable)
    return np.asarray(value, np.float64)


def _grid(values: Array) -> Fixed:
    exact = Fixed.narrowest(values, BITS)
    if exact is not None:
        return exact
    top = int(np.frexp(np.abs(values).max())[1])
    return Fixed(BITS, top + 1, rounding=Rounding.RND_CONV, overflow=Overflow.SAT)


@cache
def _class() -> Any:
    """The Keras layer; made once, and made known to hls4ml's reader through its own registry."""
    import tf_keras
    from hls4ml.converters import register_keras_v2_layer_handler

    class FrozenBatchNormalization(tf_keras.layers.Layer):  # type: ignore[misc]  # tf_keras ships no types
        """x * scale + bias, for each channel."""

        def __init__(self, scale_type: str, bias_type: str, **options: Any) -> None:
            super().__init__(**options)
            self.scale_type, self.bias_type = scale_type, bias_type

        def build(self, input_shape: Any) -> None:
            self.scale = self.add_weight(name="scale", shape=input_shape[-1:], trainable=False)
            self.bias = self.add_weight(name="bias", shape=input_shape[-1:], trainable=False)

        def call(self, inputs: Any) -> Any:
            return inputs * self.scale + self.bias

        def get_config(self) -> dict[str, Any]:
            config: dict[str, Any] = super().get_config()
            return config | {"scale_type": self.scale_type, "bias_type": self.bias_type}

    register_keras_v2_layer_handler(SCALE, _parsed)
    return FrozenBatchNormalization


def _parsed(layer: dict[str, Any], names: Any, shapes: list[Any], reader: Any) -> tuple[dict[str, Any], Any]:
    """The layer as hls4ml's list has it."""
    config, shape = layer["config"], shapes[0]
    entry = {
        "name": config["name"],
        "class_name": "BatchNormalization",
        "inputs": names,
        "n_in": int(np.prod(shape[1:])),
        "n_filt": shape[-1] if len(shape) > 2 else -1,
    }
    for key in ("scale", "bias"):
        entry[f"{key}_data"] = np.asarray(reader.get_weights_data(config["name"], key), np.float64)
        entry[f"{key}_quantizer"] = frozen(Fixed.parse(config[f"{key}_type"]))
    return entry, list(shape)
