"""Distillation: a network learns from what another one, its teacher, says about the same samples.

In: a trained float model and the project's [distil] table. Out: what the training minimizes instead of its own loss.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from hlsflow.core.errors import ProjectError
from hlsflow.core.store import digest
from hlsflow.keras.inputs import sample_shape, split
from hlsflow.project import Distil
from hlsflow.project.errors import nearest
from hlsflow.qat.devices import Part, Runtime


@dataclass(frozen=True, eq=False)
class Teacher:
    """A trained model to learn from.

    Attributes:
        model: gives logits; it is not trained.
        table: how much it counts, and which of its layers besides.
    """

    model: Any
    table: Distil

    def on(self, runtime: Runtime) -> Teacher:
        """The same on the devices of a training."""
        return Teacher(runtime.copied(self.model), self.table)

    def student(self, model: Any) -> Any:
        """A function of what the model takes → logits and the results of the layers that learn, in training.

        Raises:
            ProjectError: the table names a layer that one of the models has not, or two of different shapes.
        """
        watched = watching(model, self.table.layers.keys(), "the quantized network")
        shapes = zip(self.table.layers.items(), watched.outputs[1:], self._watched.outputs[1:], strict=True)
        for (own, hint_layer), tensor, hint in shapes:
            if tuple(tensor.shape[1:]) != tuple(hint.shape[1:]):
                raise ProjectError(
                    f"[distil.layers]: '{own}' gives {tuple(tensor.shape[1:])}, '{hint_layer}' of the float network "
                    f"{tuple(hint.shape[1:])}",
                    "name layers of equal shapes",
                )
        return lambda x: watched(x, training=True)

    @cached_property
    def _watched(self) -> Any:
        return watching(self.model, self.table.layers.values(), "the float network")

    def loss(self, x: Any, outputs: Any, hard: Any, part: Part) -> Any:
        """The student's loss, mean over a batch, or what a part of it adds to that.

        Hinton, Vinyals and Dean, "Distilling the knowledge in a neural network" (2015), section 2: cross-entropy of
        the two softmaxes at a temperature, times its square, so that gradients keep their size. To it comes the mean
        squared error of layers, the hints of Romero et al., "FitNets" (2015), eq. 3, here relative to the teacher's
        mean square and averaged over the layers, so that the weight means the same for layers of any size.

        Args:
            x: (n, *shape), in the student's shape.
            outputs: what the student's function gave.
            hard: its loss by the true classes.
            part: of the batch.
        """
        import tensorflow as tf

        temperature, weight = self.table.temperature, self.table.weight
        inputs = split(self.model, tf.reshape(x, (-1, *sample_shape(self.model))))
        (logits, *own), (teacher_logits, *hints) = (
            _listed(tensors) for tensors in (outputs, self._watched(inputs, training=False))
        )
        wanted = tf.nn.softmax(teacher_logits / temperature)
        soft = part.mean(tf.nn.softmax_cross_entropy_with_logits(wanted, logits / temperature))
        loss = (1 - weight) * hard + weight * temperature**2 * soft
        errors = [
            part.mean((result - hint) ** 2) / (part.whole_mean(hint**2) + SMALL)
            for result, hint in zip(own, hints, strict=True)
        ]
        return loss + self.table.layer_weight / len(errors) * tf.add_n(errors) if errors else loss

    def digest(self) -> str:
        """SHA-256 of everything that decides the loss."""
        weights = hashlib.sha256(b"".join(array.tobytes() for array in self.model.get_weights())).hexdigest()
        return digest([self.model.to_json(), weights, self.table.model_dump(mode="json")])


SMALL = 1e-12
"""Keeps the relative error of a layer that is all zero finite."""


def watching(model: Any, names: Iterable[str], which: str) -> Any:
    """A model that gives the logits, and then the results of the named layers."""
    import tf_keras

    layers = {layer.name: layer for layer in model.layers}
    for name in names:
        if name not in layers:
            raise ProjectError(f"[distil.layers]: {which} has no layer '{name}'{nearest(name, layers)}")
    return tf_keras.Model(model.inputs, [model.output, *(layers[name].output for name in names)])


def _listed(outputs: Any) -> list[Any]:
    """Outputs of a model, which gives one alone without a list."""
    return list(outputs) if isinstance(outputs, list | tuple) else [outputs]
