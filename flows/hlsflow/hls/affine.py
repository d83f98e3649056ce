"""Keras' preprocessing layers within a network, as one scale and one bias per channel.

In: a Normalization or a Rescaling. Out: the frozen layer that stands for it, exact where its constants lie on a grid of
few bits, as powers of two do; else rounded as those of a batch normalization are, which is listed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hlsflow.core.errors import UnsupportedLayer
from hlsflow.hls import batchnorm
from hlsflow.hls.corrections import Correction
from hlsflow.ir.fixed import Array
from hlsflow.keras.graph import Part


def frozen(layer: Any) -> tuple[list[Part], list[Correction]]:
    """The layer x * scale + bias that stands for one of these.

    Raises:
        UnsupportedLayer: its constants differ along another axis than the last one.
    """
    constants = _normalization(layer) if type(layer).__name__ == "Normalization" else (layer.scale, layer.offset)
    scale, bias = (_per_channel(layer, np.asarray(values, np.float64)) for values in constants)
    return batchnorm.frozen_constants(layer.name, scale, bias)


def _normalization(layer: Any) -> tuple[Array, Array]:
    """(x - mean) / max(sqrt(variance), epsilon), or its inverse: `Normalization.call` of Keras 2."""
    from tf_keras import backend

    mean = np.asarray(layer.mean, np.float64)
    deviation = np.maximum(np.sqrt(np.asarray(layer.variance, np.float64)), backend.epsilon())
    return (deviation, mean) if layer.invert else (1 / deviation, -mean / deviation)


def _per_channel(layer: Any, values: Array) -> Array:
    """(channels,): constants for each index of the last axis."""
    channels = int(layer.input_shape[-1])
    if values.size not in (1, *values.shape[-1:]):
        message = f"layer '{layer.name}', a {type(layer).__name__}, has constants along another axis than the last one"
        raise UnsupportedLayer(message, "give it axis=-1, or constants for each channel")
    return np.asarray(np.broadcast_to(values.reshape(-1), (channels,)), np.float64)
