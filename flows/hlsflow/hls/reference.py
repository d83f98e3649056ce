"""What the trained network computes: the outputs of every Keras layer, as real numbers.

In: the Keras model that the hardware must equal, and samples on the grid of its input quantizer.
Out: `Reference`, which `gate` compares the others with.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hlsflow.core.errors import StorageError
from hlsflow.ir.fixed import Array
from hlsflow.ir.graph import side_by_side
from hlsflow.keras.graph import layer_outputs, nodes, parents, rebuilt
from hlsflow.keras.outputs import outputs, untranslated

TRACED_VALUES = 20_000_000
"""Values of inner layers that are kept to find a first difference; outputs are kept for all samples."""


@dataclass(frozen=True, eq=False)
class Reference:
    """QKeras' results.

    Attributes:
        output: (n, total_out): the outputs side by side, each flattened.
        layers: Keras layer name → (m, *shape) for the first m <= n samples, in topological order.
        parents: Keras layer name → names of the layers that it reads, in the same order.
    """

    output: Array
    layers: Mapping[str, Array]
    parents: Mapping[str, tuple[str, ...]]

    def save(self, path: Path) -> None:
        parents = np.array(json.dumps(list(self.parents.items())))
        layers: dict[str, Any] = {f"layer/{name}": values for name, values in self.layers.items()}
        np.savez_compressed(path, output=self.output, parents=parents, **layers)

    @classmethod
    def load(cls, path: Path) -> Reference:
        """Inverse of `save`; raises StorageError for a damaged file."""
        try:
            with np.load(path, allow_pickle=False) as data:
                parents = {name: tuple(sources) for name, sources in json.loads(str(data["parents"]))}
                return cls(data["output"], {name: data[f"layer/{name}"] for name in parents}, parents)
        except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile) as error:
            raise StorageError(f"{path} cannot be read: {error}", "delete it and run again") from error


def reference(model: Any, x: Array, batch: int = 1024, wide: bool = False) -> Reference:
    """Run the Keras model.

    Args:
        model: with any number of inputs and outputs.
        x: (n, ...), real values on the input grid: those of all inputs, side by side where there are several.
        batch: samples at once.
        wide: compute in float64, for a network with sums that float32 would round.
    """
    with _precision("float64" if wide else "float32") as dtype:
        changes = {node.layer.name: {"dtype": dtype} for node in nodes(model)}
        return untranslated(lambda: _run(rebuilt(model, changes) if wide else model, x, batch))


@contextmanager
def _precision(name: str) -> Iterator[str]:
    """Keras' default number type, which QKeras' quantizers cast to, and its epsilon, which they do not cast."""
    from tf_keras import backend

    before, epsilon = backend.floatx(), backend.epsilon()
    backend.set_floatx(name)
    backend.set_epsilon(np.dtype(name).type(epsilon))
    try:
        yield name
    finally:
        backend.set_floatx(before)
        backend.set_epsilon(epsilon)


def _run(model: Any, x: Array, batch: int) -> Reference:
    import tf_keras

    tensors = layer_outputs(model)
    traced = tf_keras.Model(model.inputs, [*tensors.values(), *model.outputs])
    per_sample = sum(int(np.prod(tensor.shape[1:])) for tensor in tensors.values())
    traced_rows = min(len(x), max(1, TRACED_VALUES // per_sample))
    results = outputs(traced, x[:traced_rows], batch)
    layers, parts = results[: len(tensors)], [results[len(tensors) :]]
    if traced_rows < len(x):
        parts.append(outputs(model, x[traced_rows:], batch))
    output = np.concatenate([side_by_side(part) for part in parts])
    return Reference(output, dict(zip(tensors, layers, strict=True)), parents(model))
