"""What a training minimizes, and what it counts as right.

In: samples, their classes and a model's outputs. Out: a loss and a verdict for each sample.
"""

from __future__ import annotations

from typing import Any, Protocol


class Objective(Protocol):
    """What a training minimizes; all arguments and results are tensors over the n samples of a batch."""

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

    def losses(self, x: Any, y: Any, outputs: Any) -> Any:
        import tensorflow as tf

        return tf.nn.sparse_softmax_cross_entropy_with_logits(y, outputs)

    def right(self, x: Any, y: Any, outputs: Any) -> Any:
        import tensorflow as tf

        return tf.cast(tf.argmax(outputs, 1) == y, tf.float32)
