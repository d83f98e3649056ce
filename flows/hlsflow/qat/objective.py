"""What a training minimizes, and by which figures its epochs are told.

In: samples, what is right of them, and a model's outputs. Out: a loss and figures for each sample. Losses are those of
Keras; which of them a task has stands in `LOSSES`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from hlsflow.core.errors import ProjectError
from hlsflow.core.tasks import Kind, Task
from hlsflow.data import Dataset
from hlsflow.project import Project
from hlsflow.qat.purpose import task_of

LOSSES: Mapping[Kind, tuple[str, ...]] = {
    Kind.CLASSES: ("cross_entropy", "focal", "hinge", "mse"),
    Kind.BINARY: ("cross_entropy", "focal", "hinge", "mse"),
    Kind.MULTILABEL: ("cross_entropy", "focal", "hinge", "mse"),
    Kind.REGRESSION: ("mse", "mae", "huber", "log_cosh"),
}
"""Task → the losses that it can be trained by, the first one unless another one is asked for. Those of classes and
labels take logits, or what a sigmoid at the end gives; `hinge` takes logits alone, and `mse` compares probabilities."""


class Objective(Protocol):
    """What a training minimizes; all arguments and results are tensors over the n samples of a batch.

    Attributes:
        name: for messages and fingerprints.
        told: names of the figures beside the loss.
    """

    @property
    def name(self) -> str: ...

    @property
    def names(self) -> tuple[str, ...]: ...

    def losses(self, x: Any, y: Any, outputs: Any) -> Any:
        """(n,): the loss of each sample.

        Args:
            x: (n, *shape), the samples.
            y: (n, ...), what is right of them.
            outputs: (n, *shape), of the model.
        """
        ...

    def figures(self, x: Any, y: Any, outputs: Any) -> Sequence[Any]:
        """(n,) for each name in `names`, of which means are told; arguments as of `losses`."""
        ...


@dataclass(frozen=True)
class Supervised:
    """Training by what is right of each sample.

    Attributes:
        task: how the model's outputs are read.
        loss: one of `LOSSES`.
        weights: of classes, by number; empty: all alike.
        spread: of a regression the variance of the validation targets, of which the share that is explained is told;
            0: it is not.
    """

    task: Task
    loss: str
    weights: tuple[float, ...] = ()
    spread: float = 0.0

    @property
    def name(self) -> str:
        return f"{self.task.kind} by {self.loss}"

    @property
    def names(self) -> tuple[str, ...]:
        if self.task.kind is Kind.REGRESSION:
            return ("mse", "mae", "r2") if self.spread else ("mse", "mae")
        return ("accuracy",)

    def losses(self, x: Any, y: Any, outputs: Any) -> Any:
        import tensorflow as tf

        wanted, predicted = self._compared(y, outputs)
        losses = _MAKERS[self.loss](self.task, wanted, predicted)
        return losses * tf.gather(tf.constant(self.weights, tf.float32), y) if self.weights else losses

    def figures(self, x: Any, y: Any, outputs: Any) -> Sequence[Any]:
        import tensorflow as tf

        wanted, predicted = self._compared(y, outputs)
        if self.task.kind is Kind.REGRESSION:
            mse, mae = tf.reduce_mean(tf.square(predicted - wanted), 1), tf.reduce_mean(tf.abs(predicted - wanted), 1)
            return (mse, mae, 1 - mse / self.spread) if self.spread else (mse, mae)
        if self.task.kind is Kind.CLASSES:
            return (tf.cast(tf.argmax(predicted, 1) == wanted, tf.float32),)
        right = tf.equal(predicted > self.task.cut, wanted > 0.5)
        return (tf.reduce_mean(tf.cast(right, tf.float32), 1),)

    def _compared(self, y: Any, outputs: Any) -> tuple[Any, Any]:
        """What is right, and the outputs beside it: (n,) and (n, classes), or twice (n, values)."""
        import tensorflow as tf

        predicted = tf.reshape(outputs, (tf.shape(outputs)[0], -1))
        if self.task.kind is Kind.CLASSES:
            return y, predicted
        return tf.cast(tf.reshape(y, tf.shape(predicted)), tf.float32), predicted


def _cross_entropy(task: Task, wanted: Any, predicted: Any) -> Any:
    import tensorflow as tf
    import tf_keras

    if task.kind is Kind.CLASSES:
        return tf.nn.sparse_softmax_cross_entropy_with_logits(wanted, predicted)
    return tf_keras.losses.binary_crossentropy(wanted, predicted, from_logits=not task.cut)


def _focal(task: Task, wanted: Any, predicted: Any) -> Any:
    import tensorflow as tf
    import tf_keras

    if task.kind is Kind.CLASSES:
        one_hot = tf.one_hot(wanted, predicted.shape[1])
        return tf_keras.losses.categorical_focal_crossentropy(one_hot, predicted, from_logits=True)
    return tf_keras.losses.binary_focal_crossentropy(wanted, predicted, from_logits=not task.cut)


def _hinge(task: Task, wanted: Any, predicted: Any) -> Any:
    import tensorflow as tf
    import tf_keras

    if task.kind is Kind.CLASSES:
        return tf_keras.losses.categorical_hinge(tf.one_hot(wanted, predicted.shape[1]), predicted)
    return tf_keras.losses.hinge(2 * wanted - 1, predicted)


def _mse(task: Task, wanted: Any, predicted: Any) -> Any:
    import tensorflow as tf
    import tf_keras

    if task.kind is Kind.CLASSES:
        wanted, predicted = tf.one_hot(wanted, predicted.shape[1]), tf.nn.softmax(predicted)
    elif task.kind is not Kind.REGRESSION and not task.cut:
        predicted = tf.sigmoid(predicted)
    return tf_keras.losses.mean_squared_error(wanted, predicted)


def _of_keras(name: str) -> Any:
    def losses(task: Task, wanted: Any, predicted: Any) -> Any:
        import tf_keras

        return getattr(tf_keras.losses, name)(wanted, predicted)

    return losses


_MAKERS: Mapping[str, Any] = {
    "cross_entropy": _cross_entropy,
    "focal": _focal,
    "hinge": _hinge,
    "mse": _mse,
    "mae": _of_keras("mean_absolute_error"),
    "huber": _of_keras("huber"),
    "log_cosh": _of_keras("log_cosh"),
}
"""Name of a loss → the function of task, what is right, and outputs."""


class Reconstruction:
    """Mean squared error of the outputs against the values of the sample itself, for the detection of anomalies."""

    name, names = "reconstruction", ()

    def losses(self, x: Any, y: Any, outputs: Any) -> Any:
        import tensorflow as tf

        wanted, predicted = (tf.reshape(values, (tf.shape(values)[0], -1)) for values in (x, outputs))
        return tf.reduce_mean(tf.square(predicted - wanted), 1)

    def figures(self, x: Any, y: Any, outputs: Any) -> Sequence[Any]:
        return ()


def objective_of(project: Project, data: Dataset, model: Any, name: str) -> Objective:
    """What a network of a project is trained by.

    Args:
        name: of the function that builds the model, for messages.
    Raises:
        ProjectError: the task has no such loss, or [distil] does not go with it.
        ModelError: the model has not the outputs that the task needs.
    """
    if project.anomaly is not None:
        return Reconstruction()
    task = task_of(project, data, model, name)
    training = project.training
    wished = None if training is None else training.loss
    loss = wished or LOSSES[task.kind][0]
    if loss not in LOSSES[task.kind]:
        raise ProjectError(
            f"training.loss is '{loss}', and the task is {task.kind}", f"its losses: {', '.join(LOSSES[task.kind])}"
        )
    if loss == "hinge" and task.cut:
        raise ProjectError(f"training.loss 'hinge' takes logits, and {name} ends in a sigmoid", "leave the sigmoid out")
    if project.distil is not None and task.kind is not Kind.CLASSES:
        raise ProjectError(
            f"[distil] learns what the float network says of several classes, and the task is {task.kind}",
            "remove [distil], or end the network with one logit a class",
        )
    spread = float(np.mean(np.var(data.y_val, 0))) if task.kind is Kind.REGRESSION and len(data.y_val) else 0.0
    return Supervised(task, loss, _class_weights(project, data, task), spread)


def _class_weights(project: Project, data: Dataset, task: Task) -> tuple[float, ...]:
    """Of each class; raises ProjectError where there are others."""
    wished = None if project.training is None else project.training.class_weight
    if wished is None:
        return ()
    if task.kind not in (Kind.CLASSES, Kind.BINARY):
        raise ProjectError(
            f"training.class_weight is for classes, and the task is {task.kind}", "give data.sample_weight instead"
        )
    classes = max(data.classes, 2)
    if wished == "balanced":
        counts = np.bincount(data.y_train, minlength=classes)
        return tuple(float(len(data.y_train) / (np.count_nonzero(counts) * max(count, 1))) for count in counts)
    if len(wished) != classes:
        raise ProjectError(
            f"training.class_weight has {len(wished)} numbers, and '{data.name}' {classes} classes", "give one a class"
        )
    return tuple(wished)
