"""Layers that TensorFlow cannot make, told from the error that it raises: of no values, or of more than memory holds.

In: what a builder of models raised. Out: one error that names the layer and its weights, where it is known which.
TensorFlow's own message is empty, or speaks of a reduction.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from types import FrameType, TracebackType
from typing import Any

from hlsflow.core.errors import ModelError

EMPTY = "zero-size array"
"""What NumPy says of the largest of no values, which QKeras' initializers ask for."""

TOO_LARGE = ("ResourceExhaustedError", "MemoryError")


def impossible(error: BaseException, where: str) -> ModelError | None:
    """The error in words; None where it is another kind of fault.

    Args:
        where: what failed, such as `quantized() in model.py at line 3`.
    """
    is_empty, is_large = EMPTY in str(error), type(error).__name__ in TOO_LARGE
    shape = _shape(error) if is_empty or is_large else None
    if shape is None:
        return None
    layer, form = _layer(error), " x ".join(map(str, shape))
    if is_empty:
        message = f"{where}: {layer} has no values: its weights are {form}"
        return ModelError(message, "give every layer at least one value")
    message = f"{where}: {layer} has {math.prod(shape):,} weights ({form}), more than memory holds"
    return ModelError(message, "use fewer units or filters there, or a smaller input: pool or crop before it")


def _frames(error: BaseException) -> Iterator[FrameType]:
    """From where it was raised outwards; tracebacks of Keras leave its own frames out, which are still linked."""
    last: TracebackType | None = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    frame = last.tb_frame if last is not None else None
    while frame is not None:
        yield frame
        frame = frame.f_back


def _shape(error: BaseException) -> tuple[int, ...] | None:
    """Of the weights that were made."""
    for frame in _frames(error):
        shape = frame.f_locals.get("shape")
        if isinstance(shape, list | tuple) and shape and all(isinstance(size, int) for size in shape):
            return tuple(shape)
    return None


def _layer(error: BaseException) -> str:
    from tf_keras import layers

    made: list[Any] = [frame.f_locals.get("self") for frame in _frames(error)]
    return next((f"layer '{layer.name}'" for layer in made if isinstance(layer, layers.Layer)), "a layer")
