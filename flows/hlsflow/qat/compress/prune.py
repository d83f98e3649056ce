"""Pruning while training: weights of the least magnitude become zero, more of them from epoch to epoch, and stay zero.

In: a model, the project's [prune] table, and for patterns of the hardware the multiplier that each weight is for. Out:
masks that the training applies after every step. The masks of an epoch follow from the weights it begins with, so an
interrupted training goes on to the same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hlsflow.core.errors import ProjectError
from hlsflow.core.store import digest
from hlsflow.project import Prune
from hlsflow.project.errors import nearest

Labels = NDArray[np.int64]
Lanes = Callable[[str, int, int], Labels]
"""Layer, its inputs, its outputs → (inputs, outputs): the number of the multiplier that works off each weight."""

KERNELS: Mapping[str, str] = {
    "QDense": "kernel",
    "QConv1D": "kernel",
    "QConv2D": "kernel",
    "QSeparableConv1D": "pointwise_kernel",
    "QSeparableConv2D": "pointwise_kernel",
}
"""Layer class → its variable that is pruned; the few weights of depthwise layers are not."""

WITHOUT_ZERO = ("binary", "stochastic_binary", "quantized_po2")
"""Quantizers that have no zero, so that a pruned weight would come back."""


@dataclass(frozen=True, eq=False)
class Pruned:
    """A kernel that is pruned.

    Attributes:
        layer: its name.
        variable: of Keras, (..., outputs).
        bias: of Keras, (outputs,), which is pruned with all weights of its output; None: it stays.
        labels: (inputs, outputs): weights of equal labels are pruned together.
        sparsity: share of the labels that is pruned in the end.
    """

    layer: str
    variable: Any
    bias: Any
    labels: Labels
    sparsity: float


def pruned_kernels(model: Any, table: Prune, lanes: Lanes | None = None) -> tuple[Pruned, ...]:
    """The kernels that a table prunes.

    Args:
        model: a QKeras model.
        table: of the project.
        lanes: for pattern `lane`.
    Raises:
        ProjectError: the table names a layer that cannot be pruned, or a layer's quantizer has no zero.
    """
    layers = {layer.name: layer for layer in model.layers if type(layer).__name__ in KERNELS}
    for name in table.layers:
        if name not in layers:
            raise ProjectError(f"[prune] names '{name}', which has no kernel to prune{nearest(name, layers)}")
    return tuple(_kernels(layers, table, lanes))


def _kernels(layers: Mapping[str, Any], table: Prune, lanes: Lanes | None) -> Iterator[Pruned]:
    for name, layer in layers.items():
        sparsity = table.layers.get(name, table.sparsity)
        if not sparsity or not layer.trainable:
            continue
        variable = getattr(layer, KERNELS[type(layer).__name__])
        quantizer = type(getattr(layer, f"{KERNELS[type(layer).__name__].split('_')[0]}_quantizer_internal")).__name__
        if quantizer in WITHOUT_ZERO:
            raise ProjectError(
                f"weights of layer '{name}' are {quantizer}, which has no zero", f"set prune.layers.{name} = 0"
            )
        outputs = int(variable.shape[-1])
        inputs = int(np.prod(variable.shape)) // outputs
        bias = layer.bias if table.pattern == "neuron" and layer.use_bias else None
        yield Pruned(name, variable, bias, _labels(name, inputs, outputs, table, lanes), sparsity)


def _labels(name: str, inputs: int, outputs: int, table: Prune, lanes: Lanes | None) -> Labels:
    if table.pattern == "weight":
        return np.arange(inputs * outputs).reshape(inputs, outputs)
    if table.pattern == "neuron":
        return np.broadcast_to(np.arange(outputs), (inputs, outputs))
    if lanes is None:
        raise ProjectError("pattern 'lane' depends on the hardware", "train through `hlsflow run`, or give `lanes`")
    return lanes(name, inputs, outputs)


def _moved(kernel: Pruned, model: Any) -> Pruned:
    """The same kernel in a copy of its model."""
    layer = model.get_layer(kernel.layer)
    bias = None if kernel.bias is None else layer.bias
    return replace(kernel, variable=getattr(layer, KERNELS[type(layer).__name__]), bias=bias)


def sparsity_at(table: Prune, epoch: int, epochs: int) -> float:
    """Share of the final sparsity that holds in an epoch, from 0.

    The polynomial schedule of Zhu and Gupta, "To prune, or not to prune" (2017), eq. 1, from 0 at the epoch `start *
    epochs` to 1 at the epoch `end * epochs`, which is no later than the last one.
    """
    first, last = table.start * epochs, min(table.end * epochs, epochs - 1)
    if epoch >= last:
        return 1.0
    return 1.0 - (1.0 - (epoch - first) / (last - first)) ** 3 if epoch > first else 0.0


def mask(weights: NDArray[np.floating], labels: Labels, sparsity: float) -> NDArray[np.float32]:
    """(..., outputs) → 1 where a weight stays, and 0 where it is pruned.

    The labels with the least root mean square of weights are pruned: floor(sparsity * their number) of them; among
    equals the first.
    """
    flat = np.square(weights.reshape(labels.shape), dtype=np.float64)
    names, index = np.unique(labels, return_inverse=True)
    index = index.ravel()
    power = np.bincount(index, flat.ravel()) / np.bincount(index)
    stays = np.ones(len(names), np.float32)
    stays[np.argsort(power, kind="stable")[: int(sparsity * len(names) + 1e-9)]] = 0
    result: NDArray[np.float32] = stays[index].reshape(weights.shape)
    return result


def pruner_of(model: Any, table: Prune, lanes: Lanes | None, epochs: int, at_once: bool = False) -> Pruner:
    """The masks for a model; arguments as of `pruned_kernels` and `Pruner`."""
    return Pruner(pruned_kernels(model, table, lanes), table, epochs, at_once)


class Pruner:
    """The masks of a training.

    Args:
        kernels: to prune.
        table: with the schedule.
        epochs: of the training.
        at_once: the final sparsity from the first epoch on, for a model that has been pruned already.
    """

    def __init__(self, kernels: tuple[Pruned, ...], table: Prune, epochs: int, at_once: bool = False) -> None:
        import tensorflow as tf

        self._kernels, self._table, self._epochs, self._at_once = kernels, table, epochs, at_once
        self._masks = [tf.Variable(tf.ones(kernel.variable.shape), trainable=False) for kernel in kernels]

    def on(self, model: Any) -> Pruner:
        """The same for a copy of the model."""
        return Pruner(
            tuple(_moved(kernel, model) for kernel in self._kernels), self._table, self._epochs, self._at_once
        )

    def begin(self, epoch: int) -> float:
        """Set the masks of an epoch, and apply them; returns the share of the final sparsity."""
        share = 1.0 if self._at_once else sparsity_at(self._table, epoch, self._epochs)
        for kernel, held in zip(self._kernels, self._masks, strict=True):
            held.assign(mask(kernel.variable.numpy(), kernel.labels, share * kernel.sparsity))
        self.apply()
        return share

    def apply(self) -> None:
        """Set pruned weights to zero."""
        import tensorflow as tf

        for kernel, held in zip(self._kernels, self._masks, strict=True):
            kernel.variable.assign(kernel.variable * held)
            if kernel.bias is not None:
                kernel.bias.assign(kernel.bias * tf.reshape(held, (-1, held.shape[-1]))[0])

    def digest(self) -> str:
        """SHA-256 of what decides the masks besides the weights."""
        kernels = [(kernel.layer, kernel.labels.tolist(), kernel.sparsity) for kernel in self._kernels]
        return digest([kernels, self._table.start, self._table.end, self._epochs, self._at_once])
