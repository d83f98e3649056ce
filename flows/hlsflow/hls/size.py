"""How large hls4ml's C++ for io_parallel gets: what decides how long a compiler takes for it.

In: a Keras model. Out: the number of values that the C++ names one by one. For each pixel of a convolution's result
hls4ml writes out which values of the image its window reads (`nnet_code_gen.h`); all else are loops and templates.
"""

from __future__ import annotations

import math
from typing import Any

from hlsflow.keras.graph import nodes
from hlsflow.keras.plain import plain

PARALLEL = 60_000
"""Named values up to which io_parallel is the default; DECISIONS has how long a compiler takes for so many."""


def named_values(model: Any) -> int:
    """Values of all windows of all convolutions of a model."""
    return sum(_windows(node.layer) for node in nodes(plain(model).model))


def _windows(layer: Any) -> int:
    if "Conv" not in type(layer).__name__ or not hasattr(layer, "kernel_size"):
        return 0
    pixels = math.prod(layer.output_shape[1:-1])
    return int(pixels * math.prod(layer.kernel_size) * layer.input_shape[-1])
