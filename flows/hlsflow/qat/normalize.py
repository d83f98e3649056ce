"""Normalization as a layer of the network, so that raw sensor integers enter the hardware.

In: the network that a project builds, and its raw training samples. Out: the network behind a batch normalization with
constants from these samples, and a quantizer behind that, which keeps the multipliers that follow narrow. A float
network that is quantized later is trained behind both, and keeps them as they are.

Each feature, or channel of an image, becomes (x - mean) * 2**-k: the mean rounded to the input's grid, 2**k the power
of two next to the standard deviation. Both are exact in hardware, and the result has a deviation of 0.7 to 1.4.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hlsflow.core.errors import ModelError
from hlsflow.ir import Fixed
from hlsflow.keras.inputs import sample_shape
from hlsflow.qat.compress.fold import layers_of, parents_of

NAME = "normalization"
GRID = f"{NAME}_grid"
"""Names of the two layers."""


def normalized(model: Any, x: NDArray[np.float32], grid: Fixed, result: Fixed) -> Any:
    """A copy of an untrained model of one input, behind the normalization of its samples.

    Args:
        model: as a project's function builds it.
        x: raw training samples (n, *shape), on the grid.
        grid: of the input.
        result: type of normalized values; it saturates.
    Raises:
        ModelError: the model has several inputs.
    """
    import tf_keras
    from qkeras import QActivation

    if len(model.inputs) > 1:
        raise ModelError(
            f"data.normalize is for one input, but the model has {len(model.inputs)}",
            "scale the samples in the data file, or use data.standardize",
        )
    shape = sample_shape(model)
    raw = tf_keras.Input(shape, name="raw")
    layer = tf_keras.layers.BatchNormalization(epsilon=0.0, fused=False, trainable=False, name=NAME)
    values = layer(raw)
    mean, scale = constants(x.reshape(-1, *shape), grid)
    layer.set_weights([scale, np.zeros_like(scale), mean, np.ones_like(scale)])
    quantizer = f"quantized_bits({result.width},{result.integer - result.signed},alpha=1)"
    values = QActivation(quantizer, name=GRID)(values)
    parents, tensors = parents_of(model), {}
    for original in layers_of(model):
        if type(original).__name__ == "InputLayer":
            tensors[original.name] = values
        else:
            read = [tensors[name] for name in parents[original.name]]
            tensors[original.name] = type(original).from_config(original.get_config())(
                read[0] if len(read) == 1 else read
            )
    return tf_keras.Model(raw, [tensors[end.node.layer.name] for end in model.outputs], name=model.name)


def constants(x: NDArray[np.float32], grid: Fixed) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(channels,) each: the mean on the grid, and 2**-k; a feature that never changes keeps its scale.

    Args:
        x: raw samples (n, ..., channels).
    """
    axes = tuple(range(x.ndim - 1))
    mean, deviation = x.mean(axes, dtype=np.float64), x.std(axes, dtype=np.float64)
    step = 2.0**-grid.frac
    power = np.rint(np.log2(np.where(deviation > 0, deviation, 1.0)))
    return (np.rint(mean / step) * step).astype(np.float32), (2.0**-power).astype(np.float32)
