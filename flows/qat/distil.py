"""Distillation: a network learns from what another one, its teacher, says about the same samples.

In: a trained float model and the project's [distil] table. Out: the loss that the training adds.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from flows.project import Distil
from flows.store import digest


@dataclass(frozen=True, eq=False)
class Teacher:
    """A trained model to learn from.

    Attributes:
        model: gives logits; it is not trained.
        table: how much it counts.
    """

    model: Any
    table: Distil

    def loss(self, x: Any, logits: Any, hard: Any) -> Any:
        """The student's loss, mean over a batch.

        Hinton, Vinyals and Dean, "Distilling the knowledge in a neural network" (2015), section 2: cross-entropy of
        the two softmaxes at a temperature, times its square, so that gradients keep their size.

        Args:
            x: (n, *shape), in the student's shape.
            logits: of the student, (n, classes).
            hard: its loss by the true classes.
        """
        import tensorflow as tf

        temperature, weight = self.table.temperature, self.table.weight
        given = tf.reshape(x, (-1, *self.model.input_shape[1:]))
        wanted = tf.nn.softmax(self.model(given, training=False) / temperature)
        soft = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(wanted, logits / temperature))
        return (1 - weight) * hard + weight * temperature**2 * soft

    def digest(self) -> str:
        """SHA-256 of everything that decides the loss."""
        weights = hashlib.sha256(b"".join(array.tobytes() for array in self.model.get_weights())).hexdigest()
        return digest([self.model.to_json(), weights, self.table.model_dump(mode="json")])
