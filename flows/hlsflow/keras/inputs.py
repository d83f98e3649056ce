"""Samples for a Keras model of one input or of several: several lie side by side in a row, in the model's own order.

In: a model and its samples. Out: the shape that samples have, and the arguments that the model takes.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def shapes_of(model: Any) -> list[tuple[int, ...]]:
    """Shape of each input, without the batch axis, in the order in which the model takes them."""
    return [tuple(tensor.shape[1:]) for tensor in model.inputs]


def sample_shape(model: Any) -> tuple[int, ...]:
    """Shape of one sample: that of the input, or (values of all inputs,) where there are several."""
    shapes = shapes_of(model)
    return shapes[0] if len(shapes) == 1 else (sum(map(math.prod, shapes)),)


def split(model: Any, x: Any) -> Any:
    """What the model takes: the samples as they are for one input, a list of one part for each of several inputs.

    Args:
        model: of Keras.
        x: (n, *`sample_shape`), an array or a tensor.
    """
    shapes = shapes_of(model)
    if len(shapes) == 1:
        return x
    ends = np.cumsum([math.prod(shape) for shape in shapes]).tolist()
    parts = [x[:, begin:end] for begin, end in zip([0, *ends[:-1]], ends, strict=True)]
    if isinstance(x, np.ndarray):
        return [part.reshape(-1, *shape) for part, shape in zip(parts, shapes, strict=True)]
    import tensorflow as tf

    return [tf.reshape(part, (-1, *shape)) for part, shape in zip(parts, shapes, strict=True)]
