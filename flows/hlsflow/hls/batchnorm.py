"""Batch normalization as the hardware has it: folded into a convolution, or one scale and one bias per channel.

In: a trained batch normalization, on its own or inside a QKeras layer that folds it. Out: the layers that stand for it,
and, once it is known what they read, their constants on fixed-point grids. At inference a batch normalization computes
gamma * (x - mean) / sqrt(variance + epsilon) + beta (Ioffe and Szegedy 2015), which is scale * x + bias.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from hlsflow.core.errors import UnsupportedLayer
from hlsflow.hls import scales
from hlsflow.hls.exact import Span
from hlsflow.hls.precision import frozen
from hlsflow.ir.fixed import Array, Fixed
from hlsflow.keras.graph import Part

FOLDED = {"QConv2DBatchnorm": "QConv2D", "QDepthwiseConv2DBatchnorm": "QDepthwiseConv2D"}
"""QKeras layer with a batch normalization inside → the layer without one that computes the same at inference."""

SCALE = "FrozenBatchNormalization"
"""Class name of the layer that stands for a batch normalization."""


def folded(layer: Any) -> tuple[list[Part], list[Any]]:
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


def frozen_scale(layer: Any) -> tuple[list[Part], list[Any]]:
    """One scale and one bias per channel for a batch normalization; `settle` brings them onto grids.

    Raises:
        UnsupportedLayer: as `frozen_constants`, or it does not normalize the last axis.
    """
    rank = len(layer.input_shape)
    if list(layer.axis) != [rank - 1]:
        raise UnsupportedLayer(f"layer '{layer.name}' normalizes axis {list(layer.axis)}", "normalize the last axis")
    usual = float(np.median(np.abs(_parameter(layer, "gamma", 1.0))))
    return frozen_constants(layer.name, *_constants(layer), usual)


def frozen_constants(
    name: str, scale: Array, bias: Array, usual: float | None = 1.0, of: str = ""
) -> tuple[list[Part], list[Any]]:
    """A layer of that name that computes x * scale + bias, (channels,) each; `settle` brings these onto grids.

    Args:
        usual: what a channel usually gives, real; None: as much as what comes in makes of the usual scale.
        of: name of the layer whose kernel has this scale; empty where the scale is a layer of the model.
    Raises:
        UnsupportedLayer: they are no finite numbers.
    """
    if not np.isfinite([scale, bias]).all():
        raise UnsupportedLayer(f"layer '{name}' has parameters that are NaN or infinite", "train the model anew")
    return [Part(_class()(usual, of, name=name), [scale, bias])], []


def settle(layer: dict[str, Any], source: Span, after: Sequence[Fixed]) -> tuple[str, bool]:
    """Bring scale and bias onto grids, now that the values that come in are known.

    Args:
        layer: its entry in hls4ml's layer list; changed in place, and so is the Keras layer.
        source: the values that come in.
        after: types of the quantizers that alone read the result; empty where others do.
    Returns:
        what was done, in words, and whether values that are read may differ because of it.
    """
    exact = layer["scale_data"], layer["bias_data"]
    usual = layer["keras"].usual
    grids = scales.settled(*exact, _usual(exact[0], source) if usual is None else usual, source, after)
    values, changes = (grids.scale, grids.bias), []
    for key, old, new, kind in zip(("scale", "bias"), exact, values, grids.kinds, strict=True):
        layer[f"{key}_data"], layer[f"{key}_quantizer"] = new, frozen(kind)
        changes.append(f"{np.abs(new - old).max():.2g}")
    layer["keras"].set_weights(list(values))
    what = (
        f"scale frozen as {grids.kinds[0]} (changed by up to {changes[0]}), bias as {grids.kinds[1]} (by {changes[1]})"
    )
    because = ", so that the quantizer after it gives the same for every input" if grids.same and after else ""
    return what + because, not grids.same


def _usual(scale: Array, source: Span) -> float:
    """The largest value that the usual scale makes of what comes in."""
    return float(np.median(np.abs(scale[scale != 0]))) * source.largest if scale.any() else 0.0


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


@cache
def _class() -> Any:
    """The Keras layer; made once, and made known to hls4ml's reader through its own registry."""
    import tf_keras
    from hls4ml.converters import register_keras_v2_layer_handler

    class FrozenBatchNormalization(tf_keras.layers.Layer):  # type: ignore[misc]  # tf_keras ships no types
        """x * scale + bias, for each channel."""

        def __init__(self, usual: float | None, of: str, **options: Any) -> None:
            super().__init__(**options)
            self.usual, self.of = usual, of

        def build(self, input_shape: Any) -> None:
            options = {"shape": input_shape[-1:], "dtype": "float64", "trainable": False}
            self.scale, self.bias = (self.add_weight(name=name, **options) for name in ("scale", "bias"))

        def call(self, inputs: Any) -> Any:
            import tensorflow as tf

            return inputs * tf.cast(self.scale, inputs.dtype) + tf.cast(self.bias, inputs.dtype)

        def get_config(self) -> dict[str, Any]:
            config: dict[str, Any] = super().get_config()
            return config | {"usual": self.usual, "of": self.of}

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
    entry["keras"] = reader.model.get_layer(config["name"])
    for key in ("scale", "bias"):
        entry[f"{key}_data"] = np.asarray(reader.get_weights_data(config["name"], key), np.float64)
    return entry, list(shape)
