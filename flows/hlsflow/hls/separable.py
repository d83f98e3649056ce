"""Separable convolutions as what they are: a depthwise one, and a pointwise one after it.

In: a QKeras layer. Out: the two layers that compute the same. hls4ml splits them too, but leaves the type between the
two open; as layers of their own they get exact types like all others.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hlsflow.hls.corrections import Correction
from hlsflow.keras.graph import Part


def split(layer: Any) -> tuple[list[Part], list[Correction]]:
    """The depthwise layer `<name>_depthwise` without bias, and the pointwise layer of the same name."""
    depthwise, pointwise, *bias = layer.get_weights()
    first, weights = _depthwise(layer, depthwise)
    return [Part(first, [weights]), Part(_pointwise(layer), [pointwise, *bias])], []


def _depthwise(layer: Any, weights: Any) -> tuple[Any, Any]:
    import qkeras
    import tf_keras

    options = {"strides": layer.strides, "padding": layer.padding, "use_bias": False, "name": f"{layer.name}_depthwise"}
    quantizer = layer.depthwise_quantizer_internal
    if type(layer).__name__ == "QSeparableConv2D":
        return qkeras.QDepthwiseConv2D(layer.kernel_size, depthwise_quantizer=quantizer, **options), weights
    values = weights if quantizer is None else np.asarray(quantizer(weights))  # QKeras has no QDepthwiseConv1D
    return tf_keras.layers.DepthwiseConv1D(layer.kernel_size[0], **(options | {"strides": layer.strides[0]})), values


def _pointwise(layer: Any) -> Any:
    import qkeras

    make = qkeras.QConv2D if type(layer).__name__ == "QSeparableConv2D" else qkeras.QConv1D
    quantizers = {
        "kernel_quantizer": layer.pointwise_quantizer_internal,
        "bias_quantizer": layer.bias_quantizer_internal,
    }
    plain = make(layer.filters, 1, use_bias=layer.use_bias, name=layer.name, **quantizers)
    plain.activation = layer.activation
    return plain
