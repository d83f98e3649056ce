"""Merges of more than two tensors, which hls4ml cannot read, as chains of merges of two.

In: a Keras merge layer. Out: the chain that stands for it, or a refusal of what hls4ml's merges cannot do.
"""

from __future__ import annotations

from typing import Any

from hlsflow.core.errors import UnsupportedLayer
from hlsflow.hls.corrections import Correction
from hlsflow.keras.graph import Part

MAX_RANK = 3
"""Axes without the batch of the largest concatenation (`concatenate3d` in hls4ml's `nnet_merge.h`)."""


def chained(layer: Any) -> tuple[list[Part], list[Correction]] | None:
    """A chain of merges of two for one of more; None for one of two.

    Raises:
        UnsupportedLayer: shapes that differ, an average of more than two, or a concatenation along the batch.
    """
    shapes = layer.input_shape
    if type(layer).__name__ == "Concatenate":
        _check_concatenation(layer, shapes)
    elif len(set(shapes)) > 1:
        message = f"layer '{layer.name}' merges shapes {', '.join(str(shape[1:]) for shape in shapes)}"
        raise UnsupportedLayer(message, "give all of them the same shape, with an UpSampling or a Reshape before it")
    if len(shapes) == 2:
        return None
    if type(layer).__name__ == "Average":
        message = f"layer '{layer.name}' averages {len(shapes)} tensors, which hls4ml cannot"
        raise UnsupportedLayer(message, "average two, or add them and quantize the sum")
    note = Correction(
        layer.name, f"made a chain of {len(shapes) - 1} merges of two", "hls4ml merges two tensors at once"
    )
    return [Part(lambda tensors: _chain(layer, tensors))], [note]


def _chain(layer: Any, tensors: list[Any]) -> Any:
    result, config = tensors[0], layer.get_config()
    for index, tensor in enumerate(tensors[1:], start=1):
        name = layer.name if index == len(tensors) - 1 else f"{layer.name}_{index}"
        result = type(layer).from_config(config | {"name": name})([result, tensor])
    return result


def _check_concatenation(layer: Any, shapes: list[Any]) -> None:
    rank = len(shapes[0]) - 1
    if rank > MAX_RANK or layer.axis % (rank + 1) == 0:
        message = f"layer '{layer.name}' concatenates {rank} axes along axis {layer.axis}"
        raise UnsupportedLayer(message, f"concatenate at most {MAX_RANK} axes, not along the batch")
