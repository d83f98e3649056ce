"""The compiled training of one model: every epoch is one pass over all batches, a function of its number and the state.

In: a model and a `Fit`. Out: an `Engine`, whose epochs lead from one `State` to the next.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from hlsflow.data.batches import changed, order_of
from hlsflow.data.data import Dataset
from hlsflow.keras.inputs import split
from hlsflow.keras.outputs import plain
from hlsflow.project import Data, Training
from hlsflow.qat import checkpoint
from hlsflow.qat.checkpoint import State
from hlsflow.qat.compress.distil import Teacher
from hlsflow.qat.compress.prune import Pruner
from hlsflow.qat.compress.share import Sharer
from hlsflow.qat.curves import LOGS
from hlsflow.qat.devices import Part, Runtime
from hlsflow.qat.objective import Objective

PREDICT_ROWS = 1024
"""Samples that go through a model at once when it is judged."""


@dataclass(frozen=True, eq=False)
class Fit:
    """A training of one model.

    Attributes:
        name: of what is trained, for messages.
        training: how.
        data: to train on and to choose the best epoch by.
        objective: what is minimized.
        source: the project's [data].
        folder: for checkpoints, itself in one for those of all networks.
        fingerprint: of everything that determines the trained weights.
        from_trained: whether the weights that the model has are a candidate for the best ones.
        pruner: the masks to train under; None: no pruning.
        teacher: to learn from besides the true classes; None: nobody.
        sharer: the clusters to train with; None: every weight is its own.
        runtime: the devices.
    """

    name: str
    training: Training
    data: Dataset
    objective: Objective
    source: Data
    folder: Path
    fingerprint: str
    from_trained: bool = False
    pruner: Pruner | None = None
    teacher: Teacher | None = None
    sharer: Sharer | None = None
    runtime: Runtime = field(default_factory=Runtime)

    @property
    def logs(self) -> Path:
        """The folder of its logs for TensorBoard, in one beside that of all checkpoints."""
        return self.folder.parent.parent / LOGS / self.folder.name

    def extras_digest(self) -> list[str | None]:
        """Of masks, teacher and clusters."""
        return [None if extra is None else extra.digest() for extra in (self.pruner, self.teacher, self.sharer)]


def _rate(training: Training, epoch: int) -> float:
    """Learning rate of an epoch, from 0; the cosine schedule is that of Loshchilov and Hutter, SGDR (2017), eq. 5."""
    if training.schedule == "constant":
        return training.learning_rate
    return training.learning_rate * 0.5 * (1 + math.cos(math.pi * epoch / training.epochs))


class Engine:
    """A model, its optimizer, and compiled passes over the data; an epoch depends on its number and the state alone.

    Args:
        model: which has the best weights in the end.
        job: its training; what is trained are copies of model, masks and teacher on the devices.
    """

    def __init__(self, model: Any, job: Fit) -> None:
        import tensorflow as tf
        import tf_keras

        training, data = job.training, job.data
        self._runtime, self._training, self._data, self._source = job.runtime, training, data, job.source
        self._runtime.check(training.batch_size, len(data.x_train))
        self._judged_model, self._model, self._objective = model, self._runtime.copied(model), job.objective
        self._pruner, self._teacher, self._sharer = job.pruner, job.teacher, job.sharer
        with self._runtime.scope():
            if self._model is not model:
                self._pruner = None if job.pruner is None else job.pruner.on(self._model)
                self._sharer = None if job.sharer is None else job.sharer.on(self._model)
                self._teacher = None if job.teacher is None else job.teacher.on(self._runtime)
            self._student = None if self._teacher is None else self._teacher.student(self._model)
            self._optimizer = tf_keras.optimizers.get(training.optimizer)
            self._scaled = self._runtime.precision(model) == "mixed_float16"  # whose exponent is narrow
            if self._scaled:
                self._optimizer = tf_keras.mixed_precision.LossScaleOptimizer(self._optimizer)
            self._optimizer.build(self._model.trainable_variables)
        self._one_batch, self._judged_outputs = plain(model, self._step), plain(model, self._outputs)
        self._pass, self._validation = tf.function(self._steps), tf.function(self._judge)
        self._slopes = tf.function(self._gradients, jit_compile=True) if self._runtime.xla else self._gradients
        self._draws: bool | None = None
        with self._runtime.host():
            self._given, self._right = tf.constant(data.x_train), _weighed(data.y_train, data.w_train)
            self._val = tf.constant(data.x_val), _weighed(data.y_val, data.w_val)

    def weights(self) -> checkpoint.Weights:
        return tuple(self._model.get_weights())

    def state(self, epoch: int, best: checkpoint.Weights, history: tuple[Mapping[str, float], ...]) -> State:
        optimizer = tuple(variable.numpy() for variable in self._optimizer.variables)
        return State(epoch, self.weights(), optimizer, best, history)

    def start(self, from_trained: bool) -> State:
        """The state before the first epoch; the weights there are count as an epoch where that is wished."""
        return self.state(0, self.weights(), (self._judged(),)) if from_trained else self.state(0, (), ())

    def restore(self, state: State) -> None:
        self._model.set_weights(state.weights)
        for variable, value in zip(self._optimizer.variables, state.optimizer, strict=True):
            variable.assign(value)

    def run(self, epoch: int) -> dict[str, float]:
        """One epoch of training, then the validation set."""
        import tensorflow as tf

        rate, seed = _rate(self._training, epoch), self._training.seed
        order = order_of(len(self._data.x_train), seed, epoch)
        if self._draws is not False:
            self._seed(epoch)
        self._optimizer.learning_rate.assign(rate)
        compressed = {} if self._pruner is None else {"pruned": self._pruner.begin(epoch)}
        compressed |= {} if self._sharer is None else {"shared": self._sharer.begin(epoch)}
        arguments = tf.constant(order), self._samples(epoch), self._right
        loss, judged = float(self._pass(*arguments)), self._judged()
        if self._draws is None:
            compiled = self._pass.get_concrete_function(*arguments), self._validation.get_concrete_function(*self._val)
            self._draws = any(map(_draws_numbers, compiled))
        return {"loss": loss, **judged, "learning_rate": rate, **compressed}

    def _seed(self, epoch: int) -> None:
        """Let random numbers be those of the epoch. TensorFlow then compiles all functions anew, so this is done only
        for a network that draws any, and before it is known whether it does."""
        import tensorflow as tf

        entropy = (self._training.seed, epoch, *([] if self._runtime.chief else [self._runtime.worker]))
        tf.random.set_seed(int(np.random.SeedSequence(entropy).generate_state(1)[0]))
        if self._draws:  # a compiled pass goes on with its old random numbers whatever the seed
            self._pass = tf.function(self._steps)

    def _judged(self) -> dict[str, float]:
        """Figures of the validation set, by the model as it is used: in float32, and in one piece."""
        if self._model is not self._judged_model:
            self._judged_model.set_weights(self._model.get_weights())
        means = map(float, self._validation(*self._val))
        return {f"val_{name}": mean for name, mean in zip(("loss", *self._objective.names), means, strict=True)}

    def _samples(self, epoch: int) -> Any:
        """The training samples of an epoch, changed at random where the project asks for it."""
        import tensorflow as tf

        if not (self._source.flip or self._source.shift):
            return self._given
        return tf.constant(changed(self._data.x_train, self._source, self._training.seed, epoch))

    def _steps(self, order: Any, x: Any, y: Any) -> Any:
        """All batches of an epoch in one compiled loop; returns the mean loss a sample."""
        import tensorflow as tf

        batch, rows = self._training.batch_size, len(self._data.x_train)
        total = tf.constant(0.0)
        for start in tf.range(0, rows, batch):
            chosen = order[start : start + batch]
            with self._runtime.host():
                samples = tf.gather(x, chosen), _gathered(y, chosen)
            loss = self._one_batch(*samples)
            total += loss * tf.cast(tf.shape(chosen)[0], tf.float32)
        return total / rows

    def _step(self, x: Any, y: Any) -> Any:
        """One batch; returns its mean loss."""
        loss = self._runtime.run(self._learn, x, y)
        if self._pruner is not None:
            self._pruner.apply()
        if self._sharer is not None:
            self._sharer.apply()
        return loss

    def _learn(self, x: Any, y: Any, count: Any) -> Any:
        """A batch, or the part of one of `count` samples; returns what it adds to the mean loss."""
        loss, gradients = self._slopes(x, y, count)
        self._optimizer.apply_gradients(zip(gradients, self._model.trainable_variables, strict=True))
        return loss

    def _gradients(self, x: Any, y: Any, count: Any) -> tuple[Any, list[Any]]:
        import tensorflow as tf

        part, variables = Part(count), self._model.trainable_variables
        with tf.GradientTape() as tape:
            inputs = split(self._model, x)
            outputs = self._student(inputs) if self._student else self._model(inputs, training=True)
            logits = tf.cast(outputs[0] if isinstance(outputs, list) else outputs, tf.float32)
            loss = part.mean(self._losses(x, y, logits))
            if self._teacher is not None:
                loss = self._teacher.loss(x, outputs, loss, part)
            objective = tf.add_n([loss, *(regularizer / self._runtime.replicas for regularizer in self._model.losses)])
            if self._scaled:
                objective = self._optimizer.get_scaled_loss(objective)
        gradients = tape.gradient(objective, variables)
        return loss, self._optimizer.get_unscaled_gradients(gradients) if self._scaled else gradients

    def _losses(self, x: Any, y: Any, outputs: Any) -> Any:
        """(n,): the loss of each sample times its weight, where samples have any."""
        y, weights = y if isinstance(y, tuple) else (y, None)
        losses = self._objective.losses(x, y, outputs)
        return losses if weights is None else losses * weights

    def _outputs(self, x: Any) -> Any:
        """Of the model as it is used."""
        outputs = self._judged_model(split(self._judged_model, x), training=False)
        return outputs[0] if isinstance(outputs, list) else outputs

    def _judge(self, x: Any, y: Any) -> Any:
        """Mean loss, and means of the figures, of the model as it is used, in one compiled loop."""
        import tensorflow as tf

        rows = len(self._data.x_val)
        total = tf.zeros(1 + len(self._objective.names))
        for start in tf.range(0, rows, PREDICT_ROWS):
            inputs = x[start : start + PREDICT_ROWS]
            right = _sliced(y, start)
            outputs = self._judged_outputs(inputs)
            figures = self._objective.figures(inputs, right[0] if isinstance(right, tuple) else right, outputs)
            total += tf.stack([tf.reduce_sum(figure) for figure in (self._losses(inputs, right, outputs), *figures)])
        return total / rows


def _weighed(y: Any, weights: Any) -> Any:
    """What is right of samples, as a tensor; of samples with weights with these."""
    import tensorflow as tf

    return (tf.constant(y), tf.constant(weights)) if len(weights) else tf.constant(y)


def _gathered(y: Any, rows: Any) -> Any:
    """Chosen rows of what `_weighed` makes."""
    import tensorflow as tf

    return tuple(tf.gather(part, rows) for part in y) if isinstance(y, tuple) else tf.gather(y, rows)


def _sliced(y: Any, start: Any) -> Any:
    """The rows of what `_weighed` makes that go through a model at once when it is judged."""
    end = start + PREDICT_ROWS
    return tuple(part[start:end] for part in y) if isinstance(y, tuple) else y[start:end]


def _draws_numbers(compiled: Any) -> bool:
    """Whether a compiled function draws random numbers, as dropout and stochastic rounding do."""
    definition = compiled.graph.as_graph_def()
    nodes = [*definition.node, *(node for function in definition.library.function for node in function.node_def)]
    return any(node.op.startswith("Random") or node.op.endswith(("Normal", "Multinomial")) for node in nodes)
