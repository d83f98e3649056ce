"""Kernels with float scales: whole multiples of one step as the kernel, the scale of each channel once, after the sum.

In: a Keras model with kernels such as those of `alpha='auto'`, whose scales are float32 numbers. Out: the same model in
which each of these layers is two, or three with its activation. The sum over the short weights is exact; scale and bias
are those of a `batchnorm.SCALE` layer, whose grids are decided when it is known what reads them; where such a layer
follows anyway, it takes both. A scale stays in the kernel (see `weights`) where it is a power of two, differs among the
products of one sum, or where a table or other products read what is not yet quantized.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hlsflow.hls import activations, batchnorm, weights
from hlsflow.hls.corrections import Correction
from hlsflow.ir.fixed import Array
from hlsflow.keras.graph import Part, activation_name, copied, free_name, nodes, output_names, rebuilt

CHANNEL_AXIS: Mapping[str, int] = {"depthwise": -2, "kernel": -1}
"""Keras' name of a kernel → its axis along which the sums are different ones."""


def split(model: Any) -> tuple[Any, list[Correction]]:
    """The model with the float scales of kernels in layers of their own, and what was changed.

    Raises:
        UnsupportedLayer: a kernel that is no whole multiple of its scales. ModelError: weights that are no numbers.
    """
    taken = {node.layer.name for node in nodes(model)}
    replaced: dict[str, list[Part]] = {}
    notes: list[Correction] = []
    for layer in (node.layer for node in nodes(model) if type(node.layer).__name__ in weights.WEIGHTED):
        scale, readers = _scale(layer), _readers(model, layer)
        if scale is None or _stays(layer, readers):
            continue
        (bias, dust), following = _bias(layer), _scale_after(model, layer, readers)
        if following is None:
            name = free_name(f"{layer.name}_scale", taken)
            after, _ = batchnorm.frozen_constants(name, scale, bias, None, layer.name)
            replaced[layer.name] = [_kernel(layer, scale), *after, *_activation(layer)]
        else:
            name, (factor, offset) = following.name, following.get_weights()
            constants = scale * factor, bias * factor + offset
            replaced[layer.name] = [_kernel(layer, scale)]
            replaced[name], _ = batchnorm.frozen_constants(name, *constants, following.usual, layer.name)
        notes += [_note(layer, name), *dust]
    return (rebuilt(model, replaced=replaced) if replaced else model), notes


def _readers(model: Any, layer: Any) -> list[Any]:
    return [node.layer for node in nodes(model) if layer.name in [parent.layer.name for parent in node.parent_nodes]]


def _stays(layer: Any, readers: Sequence[Any]) -> bool:
    """Whether a scale stays in the kernel, because its wide products would be looked up or multiplied as they are."""
    has_own = activation_name(layer) != "linear"
    multiplied = any(type(reader).__name__ in (*weights.WEIGHTED, "Multiply") for reader in readers)
    return activations.needs_table(layer) if has_own else multiplied or any(map(activations.needs_table, readers))


def _scale_after(model: Any, layer: Any, readers: Sequence[Any]) -> Any:
    """The batch normalization that alone reads a layer, whose scale can take over that of the kernel; else None."""
    is_alone = len(readers) == 1 and layer.name not in output_names(model) and activation_name(layer) == "linear"
    return readers[0] if is_alone and type(readers[0]).__name__ == batchnorm.SCALE else None


def _quantizer(layer: Any) -> tuple[str, Any]:
    """Keras' name of a layer's kernel, and its quantizer."""
    name, _ = weights.WEIGHTED[type(layer).__name__]
    return name, weights.quantizer_of(layer, name)


def _scale(layer: Any) -> Array | None:
    """(channels,): the scales of a kernel, where they are float numbers, one for each sum; else None."""
    (name, quantizer), raw = _quantizer(layer), layer.get_weights()[0]
    if quantizer is None:
        return None
    weights.used_by(layer, name, raw)  # which finds the scale, where it follows from the weights
    if getattr(quantizer, "scale", None) is None:
        return None
    scale = np.asarray(quantizer.scale, np.float64)
    of_sums = np.moveaxis(np.broadcast_to(scale, raw.shape), CHANNEL_AXIS[name], 0)
    of_sums = of_sums.reshape(len(of_sums), -1)
    is_one_each = bool((of_sums == of_sums[:, :1]).all())
    return of_sums[:, 0] if is_one_each and not weights.powers_of_two(scale) else None


def _kernel(layer: Any, scale: Array) -> Part:
    """The layer with what its quantizer gives before the scale, and without bias and activation."""
    (name, quantizer), raw = _quantizer(layer), layer.get_weights()[0]
    used, unit = weights.used_by(layer, name, raw), weights.unit_of(quantizer)
    steps = unit * (scale[:, None] if CHANNEL_AXIS[name] == -2 else scale)
    codes = weights.multiples(used, steps)
    weights.require_same(layer.name, name, codes * steps, used, weights.dust(steps, raw))
    copy = copied(layer, {"use_bias": False, "bias_constraint": None, "activation": "linear"})
    weights.without_quantizers(copy, [name, "bias"])
    return Part(copy, [codes * unit])


def _bias(layer: Any) -> tuple[Array, list[Correction]]:
    """(channels,): what is added, real, and what was changed of it: rounding errors of float32."""
    if not layer.use_bias:
        return np.zeros(layer.output_shape[-1]), []
    raw = layer.get_weights()[1]
    held = weights.held_as(layer, "bias", raw)
    if held.moved:
        return weights.used_by(layer, "bias", raw), []
    return held.values, [Correction(layer.name, *held.note)] if held.note else []


def _activation(layer: Any) -> list[Part]:
    """A layer's own activation, under hls4ml's name for it."""
    import qkeras
    import tf_keras

    title = activation_name(layer)
    if title == "linear":
        return []
    is_quantizer = type(layer.activation).__module__.startswith("qkeras")
    kind = qkeras.QActivation if is_quantizer else tf_keras.layers.Activation
    return [Part(kind(layer.activation, name=f"{layer.name}_{title}"))]


def _note(layer: Any, name: str) -> Correction:
    kernel, quantizer = _quantizer(layer)
    what = f"{kernel} held before its scales, which '{name}' applies once, after the sum"
    reason = f"multiples of the float32 scales of {quantizer} lie on no grid; float32 rounds each, and so breaks ties"
    return Correction(layer.name, what, reason, moves=True)
