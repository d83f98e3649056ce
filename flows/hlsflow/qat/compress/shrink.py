"""Takes neurons and filters that are pruned out of a trained network, so that nothing of them is built.

In: a QKeras model, some of whose kernels have outputs without a weight or a bias. Out: a model of fewer units that
computes the same values to the last bit. A unit stays where that cannot be had: at the network's outputs, before a
merge or a normalization, and where a quantizer's scale depends on all weights together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hlsflow.core.progress import Progress
from hlsflow.keras import keras2
from hlsflow.project import Prune
from hlsflow.qat.compress.fold import layers_of, parents_of

Kept = NDArray[np.bool_]

UNITS: Mapping[str, str] = {"QDense": "units", "QConv1D": "filters", "QConv2D": "filters"}
"""Layer class → what its configuration calls the number of its outputs."""

PASSING = frozenset(
    {
        *("QActivation", "Activation", "ReLU", "LeakyReLU", "Dropout", "SpatialDropout1D", "SpatialDropout2D"),
        *("MaxPooling1D", "MaxPooling2D", "AveragePooling1D", "AveragePooling2D"),
        *("GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalAveragePooling1D", "GlobalAveragePooling2D"),
        *("ZeroPadding1D", "ZeroPadding2D", "UpSampling1D", "UpSampling2D", "Flatten"),
    }
)
"""Layer classes that keep channels apart."""


def shrunk(model: Any) -> tuple[Any, dict[str, int]]:
    """The model without its dead units, and layer → how many were taken out; the same model where there are none.

    Args:
        model: trained.
    """
    keras2.ready()
    import tf_keras

    network = _Network(model, {layer.name: layer for layer in layers_of(model)}, parents_of(model))
    living = {name: units for name in network.kernels if not (units := network.living(name)).all()}
    if not living:
        return model, {}
    copy = tf_keras.models.clone_model(model, clone_function=lambda layer: _resized(layer, living))
    for layer in model.layers:
        if layer.weights:
            copy.get_layer(layer.name).set_weights(list(network.cut(layer, living)))
    return copy, {name: int((~units).sum()) for name, units in living.items()}


def without_pruned(model: Any, table: Prune | None, progress: Progress) -> Any:
    """The model without units that a training with that table pruned; says what was taken out."""
    if table is None or table.pattern != "neuron":
        return model
    smaller, gone = shrunk(model)
    if gone:
        progress.say(f"pruned units taken out: {', '.join(f'{number} of {name}' for name, number in gone.items())}")
    return smaller


def _resized(layer: Any, living: Mapping[str, Kept]) -> Any:
    config = layer.get_config()
    if layer.name in living:
        config[UNITS[type(layer).__name__]] = int(living[layer.name].sum())
    return type(layer).from_config(config)


@dataclass(frozen=True, eq=False)
class _Network:
    """A model, and what feeds what."""

    model: Any
    layers: Mapping[str, Any]
    parents: Mapping[str, list[str]]

    @property
    def kernels(self) -> Iterator[str]:
        return (layer.name for layer in self.layers.values() if _has_units(layer))

    def living(self, name: str) -> Kept:
        """(outputs,): which units of a layer stay, at least one."""
        layer = self.layers[name]
        kernel, *bias = layer.get_weights()
        used = (_quantized(layer, "kernel", kernel) != 0).reshape(-1, kernel.shape[-1]).any(0)
        if bias:
            used |= _quantized(layer, "bias", bias[0]) != 0
        if used.all() or not self._removable(name, used):
            return np.ones_like(used)
        used[0] |= not used.any()
        result: Kept = used
        return result

    def _removable(self, name: str, used: Kept) -> bool:
        layer = self.layers[name]
        if not _separable(layer, lambda values: values[..., used]) or not _keeps_zero(layer.activation):
            return False
        return all(reader is not None and self._reads_without(reader, {name: used}) for reader in self._readers(name))

    def _reads_without(self, layer: Any, living: Mapping[str, Kept]) -> bool:
        if not _has_units(layer) or (inputs := self._read(layer, living)) is None:
            return False
        return _separable(layer, lambda values: values[..., inputs, :])

    def _readers(self, name: str) -> Iterator[Any]:
        """The layers that what a layer gives ends up in; None: the network's outputs."""
        if name in {end.node.layer.name for end in self.model.outputs}:
            yield None
        for other, sources in self.parents.items():
            if name in sources:
                layer = self.layers[other]
                if type(layer).__name__ in PASSING and _keeps_zero(layer, layer.input_shape[1:]):
                    yield from self._readers(other)
                else:
                    yield layer

    def _read(self, layer: Any, living: Mapping[str, Kept]) -> Kept | None:
        """(channels or values,): what stays of the input of a layer; None: all of it."""
        parent, *others = self.parents[layer.name]
        giver = self.layers[parent]
        if parent in living:
            return living[parent]
        if others or type(giver).__name__ not in PASSING or (before := self._read(giver, living)) is None:
            return None
        return np.tile(before, giver.output_shape[-1] // len(before))  # Flatten repeats the channels

    def cut(self, layer: Any, living: Mapping[str, Kept]) -> Iterator[NDArray[Any]]:
        """The weights of a layer that stay."""
        inputs = self._read(layer, living) if _has_units(layer) else None
        for number, values in enumerate(layer.get_weights()):
            cut = values[..., living[layer.name]] if layer.name in living else values
            yield cut if inputs is None or number else cut[..., inputs, :]


def _has_units(layer: Any) -> bool:
    return type(layer).__name__ in UNITS and getattr(layer, "groups", 1) == 1


def _quantized(layer: Any, what: str, values: NDArray[Any]) -> NDArray[Any]:
    quantizer = getattr(layer, f"{what}_quantizer_internal")
    return values if quantizer is None else np.asarray(quantizer(values))


def _separable(layer: Any, part: Callable[[NDArray[Any]], NDArray[Any]]) -> bool:
    """Whether a kernel's weights have the same quantized values without the rest."""
    kernel = layer.get_weights()[0]
    return bool((part(_quantized(layer, "kernel", kernel)) == _quantized(layer, "kernel", part(kernel))).all())


def _keeps_zero(function: Any, shape: Iterable[int] = (1,)) -> bool:
    """Whether zeros stay zeros; no function is the identity."""
    return function is None or not np.any(function(np.zeros((1, *shape), np.float32)))
