"""What a training minimizes, and what it counts as right.

In: samples, their classes and a model's outputs. Out: a loss and a verdict for each sample.
"""

from __future__ import annotations

from typing import Any, Protocol

from hlsflow.project import Project


class Objective(Protocol):
    """What a training minimizes; all arguments and results are tensors over the n samples of a batch.

    Attributes:
        name: for messages and fingerprints.
        judges: whether a sample can be right or wrong; where not, epochs are told apart by their loss alone.
    """

    @property
    def name(self) -> str: ...

    @property
    def judges(self) -> bool: ...

    def losses(self, x: Any, y: Any, outputs: Any) -> Any:
        """(n,): the loss of each sample.

        Args:
            x: (n, *shape), the samples.
            y: (n,), their classes.
            outputs: (n, *shape), of the model.
        """
        ...

    def right(self, x: Any, y: Any, outputs: Any) -> Any:
        """(n,): 1 where the model is right about a sample, else 0; arguments as of `losses`."""
        ...


class Classification:
    """Softmax cross-entropy of logits, one a class; right is the class of the largest."""

    name, judges = "classification", True

    def losses(self, x: Any, y: Any, outputs: Any) -> Any:
        import tensorflow as tf

        return tf.nn.sparse_softmax_cross_entropy_with_logits(y, outputs)

    def right(self, x: Any, y: Any, outputs: Any) -> Any:
        import tensorflow as tf

        return tf.cast(tf.argmax(outputs, 1) == y, tf.float32)


class Reconstruction:
    """Mean squared error of the outputs against the values of the sample itself; no sample is right or wrong."""

    name, judges = "reconstruction", False

    def losses(self, x: Any, y: Any, outputs: Any) -> Any:
        import tensorflow as tf

        wanted, found = (tf.reshape(one, (tf.shape(one)[0], -1)) for one in (x, outputs))
        return tf.reduce_mean(tf.square(found - wanted), 1)

    def right(self, x: Any, y: Any, outputs: Any) -> Any:
        import tensorflow as tf

        return tf.zeros(tf.shape(x)[0])


def objective_of(project: Project) -> Objective:
    """What the networks of a project are trained by."""
    return Classification() if project.anomaly is None else Reconstruction()
