"""What the trained network computes: the outputs of every Keras layer, as real numbers.

In: the Keras model that the hardware must equal, and samples on the grid of its input quantizer.
Out: `Reference`, which `gate` compares the others with.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from flows.errors import StorageError
from flows.hls.keras_graph import layer_outputs
from flows.ir.fixed import Array

TRACED_VALUES = 20_000_000
"""Values of inner layers that are kept to find a first difference; outputs are kept for all samples."""


@dataclass(frozen=True, eq=False)
class Reference:
    """QKeras' results.

    Attributes:
        output: (n, *output shape).
        layers: Keras layer name → (m, *shape) for the first m <= n samples, in the order of the network.
    """

    output: Array
    layers: Mapping[str, Array]

    def save(self, path: Path) -> None:
        order = np.array(list(self.layers))
        layers: dict[str, Any] = {f"layer/{name}": values for name, values in self.layers.items()}
        np.savez_compressed(path, output=self.output, order=order, **layers)

    @classmethod
    def load(cls, path: Path) -> Reference:
        """Inverse of `save`; raises StorageError for a damaged file."""
        try:
            with np.load(path, allow_pickle=False) as data:
                return cls(data["output"], {str(name): data[f"layer/{name}"] for name in data["order"]})
        except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile) as error:
            raise StorageError(f"{path} cannot be read: {error}", "delete it and run again") from error


def reference(model: Any, x: Array, batch: int = 1024) -> Reference:
    """Run the Keras model.

    Args:
        model: one input, one output.
        x: (n, *input shape), real values on the input grid.
        batch: samples at once.
    """
    import tf_keras

    tensors = layer_outputs(model)
    traced = tf_keras.Model(model.inputs, [*tensors.values(), model.outputs[0]])
    per_sample = sum(int(np.prod(tensor.shape[1:])) for tensor in tensors.values())
    kept = min(len(x), max(1, TRACED_VALUES // per_sample))
    *layers, output = traced.predict(x[:kept], batch_size=batch, verbose=0)
    rest = [model.predict(x[kept:], batch_size=batch, verbose=0)] if kept < len(x) else []
    return Reference(np.concatenate([output, *rest]), dict(zip(tensors, layers, strict=True)))
