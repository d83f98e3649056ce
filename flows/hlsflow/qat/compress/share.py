"""Weight sharing while training: the weights of a kernel have few different values, and keep them together.

In: a model and the project's [share] table. Out: clusters that the training holds together after every step. The
clusters of an epoch follow from the weights it begins with, so an interrupted training goes on to the same bits.

Trained as in Han, Mao and Dally, "Deep compression" (2016), section 3: weights of one cluster take their steps
together, so that what is trained is the cluster's value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hlsflow.core.errors import ProjectError
from hlsflow.core.store import digest
from hlsflow.project import Share
from hlsflow.project.errors import nearest
from hlsflow.qat.compress.prune import KERNELS

FEW = ("binary", "stochastic_binary", "ternary", "stochastic_ternary")
"""Quantizers with three values at the most."""


LEVELS = 1024
"""Different weights up to which clusters are exact; the work grows with the square."""


@dataclass(frozen=True, eq=False)
class Shared:
    """A kernel whose weights are shared.

    Attributes:
        layer: its name.
        variable: of Keras.
        quantizer: of QKeras, of each weight on its own.
        values: how many different weights there may be.
    """

    layer: str
    variable: Any
    quantizer: Any
    values: int


def shared_kernels(model: Any, table: Share) -> tuple[Shared, ...]:
    """The kernels that a table shares; those whose quantizer has no more values anyway are left out.

    Args:
        model: a QKeras model.
        table: of the project.
    Raises:
        ProjectError: the table names a layer without a kernel, or the quantizer of a layer has a scale for each output.
    """
    layers = {layer.name: layer for layer in model.layers if type(layer).__name__ in KERNELS}
    for name in table.layers:
        if name not in layers:
            raise ProjectError(f"[share] names '{name}', which has no kernel to share{nearest(name, layers)}")
    return tuple(_kernels(layers, table))


def _kernels(layers: Mapping[str, Any], table: Share) -> Iterator[Shared]:
    for name, layer in layers.items():
        values = table.layers.get(name, table.values)
        variable = getattr(layer, KERNELS[type(layer).__name__])
        quantizer = getattr(layer, f"{KERNELS[type(layer).__name__].split('_')[0]}_quantizer_internal")
        kind = type(quantizer).__name__
        if not values or not layer.trainable or kind in FEW or 2 ** getattr(quantizer, "bits", 32) <= values:
            continue
        if isinstance(getattr(quantizer, "alpha", None), str):
            raise ProjectError(
                f"weights of layer '{name}' have a scale for each output, so they cannot share values",
                f"give its quantizer a number for alpha, or set share.layers.{name} = 0",
            )
        yield Shared(name, variable, quantizer, values)


def clusters(weights: NDArray[np.floating], values: int) -> NDArray[np.int32]:
    """The cluster of each weight, of the same shape: the least squared error by the means of `values` clusters.

    One dimension has an exact answer: of sorted values a cluster is a run, and the best runs follow from the best ones
    of fewer values (Wang and Song, "Ckmeans.1d.dp", 2011). More than `LEVELS` different weights are rounded first.
    """
    if len(np.unique(weights)) > LEVELS:
        step = np.ptp(weights) / (LEVELS - 1)
        weights = np.rint((weights - weights.min()) / step) * step
    levels, index, count = np.unique(weights, return_inverse=True, return_counts=True)
    first = _firsts(levels.astype(np.float64), count.astype(np.float64), min(values, len(levels)))
    result: NDArray[np.int32] = (np.searchsorted(first, index.ravel(), side="right") - 1).astype(np.int32)
    return result.reshape(weights.shape)


def _firsts(levels: NDArray[np.float64], count: NDArray[np.float64], values: int) -> NDArray[np.int64]:
    """(values,): the number of the first level of each cluster."""
    n = len(levels)
    weight, total, power = (np.concatenate([[0.0], np.cumsum(count * levels**order)]) for order in (0, 1, 2))
    begin, end = np.meshgrid(np.arange(n), np.arange(1, n + 1), indexing="ij")
    number = np.where(end > begin, weight[end] - weight[begin], 1.0)
    cost = np.where(end > begin, power[end] - power[begin] - (total[end] - total[begin]) ** 2 / number, np.inf)
    best, chosen = np.concatenate([[0.0], np.full(n, np.inf)]), []
    for _ in range(values):
        costs = best[:-1, None] + cost  # [begin of the last cluster, its end - 1]
        chosen.append(np.argmin(costs, 0))
        best = np.concatenate([[np.inf], costs.min(0)])
    firsts, last = [], n
    for begins in reversed(chosen):
        last = int(begins[last - 1])
        firsts.append(last)
    return np.array(firsts[::-1])


def sharer_of(model: Any, table: Share, epochs: int) -> Sharer:
    """The clusters for a model; arguments as of `shared_kernels` and `Sharer`."""
    return Sharer(shared_kernels(model, table), table, epochs)


class Sharer:
    """The clusters of a training.

    Args:
        kernels: to share.
        table: with the epoch from which on weights are shared.
        epochs: of the training.
    """

    def __init__(self, kernels: tuple[Shared, ...], table: Share, epochs: int) -> None:
        import tensorflow as tf

        self._kernels, self._table, self._first = kernels, table, min(int(table.start * epochs), epochs - 1)
        self._epochs = epochs
        self._clusters = [
            tf.Variable(tf.range(tf.size(kernel.variable), dtype=tf.int32), trainable=False) for kernel in kernels
        ]

    def on(self, model: Any) -> Sharer:
        """The same for a copy of the model."""
        layers = {kernel.layer: model.get_layer(kernel.layer) for kernel in self._kernels}
        variables = {name: getattr(layer, KERNELS[type(layer).__name__]) for name, layer in layers.items()}
        kernels = tuple(replace(kernel, variable=variables[kernel.layer]) for kernel in self._kernels)
        return Sharer(kernels, self._table, self._epochs)

    def begin(self, epoch: int) -> float:
        """Set the clusters of an epoch, and apply them; returns 1 where weights are shared, 0 before that."""
        if epoch < self._first:
            return 0.0
        for kernel, held in zip(self._kernels, self._clusters, strict=True):
            held.assign(self._chosen(kernel).ravel())
        self.apply()
        return 1.0

    def _chosen(self, kernel: Shared) -> NDArray[np.int32]:
        """The clusters of a kernel; pruned weights, which are 0, are one of their own."""
        weights = kernel.variable.numpy()
        pruned = weights == 0
        quantized = np.asarray(kernel.quantizer(weights))
        numbers = np.zeros(weights.shape, np.int32)
        free = kernel.values - int(pruned.any())
        numbers[~pruned] = clusters(quantized[~pruned], max(free, 1)) + int(pruned.any())
        return numbers

    def apply(self) -> None:
        """Set each weight to the mean of its cluster."""
        import tensorflow as tf

        for kernel, held in zip(self._kernels, self._clusters, strict=True):
            flat = tf.reshape(kernel.variable, (-1,))
            mean = tf.math.unsorted_segment_mean(flat, held, tf.size(flat))
            kernel.variable.assign(tf.reshape(tf.gather(mean, held), kernel.variable.shape))

    def digest(self) -> str:
        """SHA-256 of what decides the clusters besides the weights."""
        return digest([[(kernel.layer, kernel.values) for kernel in self._kernels], self._first])
