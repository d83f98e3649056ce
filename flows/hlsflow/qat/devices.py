"""Where a training runs: on one device, on several of a machine, on several machines, on a TPU, or layer by layer.

In: the project's [devices] table; of several machines also the environment variable TF_CONFIG. Out: a `Runtime`, with
which the engine copies a model to the devices and lets each of them work on its share of every batch.

The losses of all shares add up to the loss of the whole batch, whatever the shares' sizes, and batch normalization
takes its statistics over all of them. So the weights are those of one device, but for the order of float additions and
for random numbers drawn in the network.
"""

from __future__ import annotations

import json
import math
import os
import re
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache, wraps
from typing import Any

import numpy as np

from hlsflow.core import foreign
from hlsflow.core.errors import DeviceError, ProjectError, WorkerLost
from hlsflow.keras import keras2
from hlsflow.project import Devices
from hlsflow.project.errors import nearest

CLUSTER = "TF_CONFIG"
"""Environment variable that names the workers, as TensorFlow's guide "Multi-worker training with Keras" describes."""

AGAIN = "start the same command on it again: training goes on from the chief's last checkpoint"


@dataclass(frozen=True)
class Cluster:
    """The machines of a training.

    Attributes:
        workers: addresses, host:port; the first one is the chief, which keeps everything.
        index: of this process.
    """

    workers: tuple[str, ...]
    index: int

    @property
    def chief(self) -> bool:
        return self.index == 0


def cluster_of(table: Devices | None) -> Cluster | None:
    """The workers that TF_CONFIG names; None for a training within one machine.

    Raises:
        ProjectError: TF_CONFIG is missing, or not what TensorFlow understands.
    """
    if table is None or table.strategy != "workers":
        return None
    example = '{"cluster": {"worker": ["host1:12345", "host2:12345"]}, "task": {"type": "worker", "index": 0}}'
    hint = f"set it on each machine, with an index of its own, such as {CLUSTER}='{example}'"
    text = os.environ.get(CLUSTER)
    if not text:
        raise ProjectError(f"devices.strategy = 'workers' needs the environment variable {CLUSTER}", hint)
    with foreign.reading(CLUSTER, foreign.Kind("", "names no workers", hint, ProjectError)):
        content = json.loads(text)
        workers, task = tuple(map(str, content["cluster"]["worker"])), content["task"]
        index, kind = int(task["index"]), task["type"]
    if kind != "worker" or set(content["cluster"]) != {"worker"} or not 0 <= index < len(workers):
        raise ProjectError(f"{CLUSTER} must name workers alone, and this process as one of them: {text}", hint)
    return Cluster(workers, index)


@dataclass(frozen=True, eq=False)
class Part:
    """The samples of a batch that one device works on.

    Attributes:
        count: samples in the whole batch, a float tensor; None where this is the whole.
    """

    count: Any = None

    def mean(self, values: Any) -> Any:
        """What these values, (n, ...), add to the mean over the whole batch."""
        import tensorflow as tf

        if self.count is None:
            return tf.reduce_mean(values)
        each = math.prod(values.shape[1:])
        return tf.reduce_sum(values) / (self.count * each)

    def whole_mean(self, values: Any) -> Any:
        """The mean over the whole batch, of values that nothing is learnt through."""
        import tensorflow as tf

        mean = self.mean(values)
        context = tf.distribute.get_replica_context()
        return mean if self.count is None else context.all_reduce(tf.distribute.ReduceOp.SUM, mean)


class Runtime:
    """The devices of a training, made ready.

    Args:
        table: the project's [devices]; None: TensorFlow's default device, and the model as it is.
        strategy: of TensorFlow's; None: no copies of the model.
        cluster: the machines; None: this one.
    """

    def __init__(self, table: Devices | None = None, strategy: Any = None, cluster: Cluster | None = None) -> None:
        self.table, self._strategy, self.cluster = table, strategy, cluster

    @property
    def chief(self) -> bool:
        """Whether this process keeps checkpoints and results."""
        return self.cluster is None or self.cluster.chief

    @property
    def worker(self) -> int:
        """Number of this process among the workers."""
        return 0 if self.cluster is None else self.cluster.index

    @property
    def replicas(self) -> int:
        """Copies of the model that share a batch."""
        return 1 if self._strategy is None else int(self._strategy.num_replicas_in_sync)

    @property
    def xla(self) -> bool:
        return self.table is not None and self.table.xla

    def precision(self, model: Any) -> str:
        """What a network computes in, by Keras' names. QKeras' quantizers compute in float32, and so do networks with
        its layers: what they train is what hardware computes."""
        if self.table is None or any(type(layer).__module__.startswith("qkeras") for layer in model.layers):
            return "float32"
        return self.table.precision

    def scope(self) -> AbstractContextManager[Any]:
        """Where variables are made."""
        return nullcontext() if self._strategy is None else self._strategy.scope()

    def host(self) -> AbstractContextManager[Any]:
        """Where samples are kept, in no device's memory."""
        import tensorflow as tf

        return nullcontext() if self.table is None else tf.device("/CPU:0")

    def check(self, batch_size: int, rows: int) -> None:
        """Refuse batches that cannot be shared; raises ProjectError."""
        shares, rest = self.replicas, rows % batch_size
        if batch_size % shares:
            raise ProjectError(
                f"training.batch_size {batch_size} cannot be shared by {shares} devices",
                f"choose a multiple of {shares}",
            )
        if self.table is not None and self.table.strategy == "tpu" and rest % shares:
            raise ProjectError(
                f"the last batch has {rest} samples, which {shares} TPU cores cannot share evenly",
                "choose another training.batch_size or data.validation",
            )

    def copied(self, model: Any) -> Any:
        """The model as these devices train it, with the same weights; without [devices] the model itself.

        Raises:
            DeviceError: a layer cannot be copied.
        """
        if self.table is None:
            return model
        import tf_keras

        precision = self.precision(model)
        with self.scope(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Keras does not know QKeras' constraints, which are copied all the same
            try:
                copy = tf_keras.models.clone_model(model, clone_function=lambda layer: self._layer(layer, precision))
            except (NotImplementedError, TypeError, ValueError) as error:
                raise DeviceError(
                    f"the network cannot be copied to other devices: {error}",
                    "give its own layers a get_config, or train without [devices]",
                ) from error
            copy.set_weights(model.get_weights())
        if self.replicas > 1:
            _normalize_over_all(copy)
        return copy

    def _layer(self, layer: Any, precision: str) -> Any:
        """A copy of a layer, of another float type and on a device of its own where that is asked for."""
        import tensorflow as tf

        assert self.table is not None
        config = layer.get_config()
        if precision != "float32" and type(layer).__name__ != "InputLayer":
            config["dtype"] = {"class_name": "Policy", "config": {"name": precision}}
        copy, device = type(layer).from_config(config), self.table.layers.get(layer.name)
        if device is None:
            return copy

        def there(function: Callable[..., Any]) -> Callable[..., Any]:
            @wraps(function)
            def placed(*arguments: Any, **named: Any) -> Any:
                with tf.device(device):
                    return function(*arguments, **named)

            return placed

        copy.build, copy.call = there(copy.build), there(copy.call)
        return copy

    def run(self, function: Callable[[Any, Any, Any], Any], x: Any, y: Any) -> Any:
        """Let each device work on its part of a batch.

        Args:
            function: of samples, what is right of them and their number in the whole batch, None where they are the
                whole; returns its part of a sum.
            x, y: the whole batch; y may be a tuple of tensors.
        Returns:
            the sum.
        """
        import tensorflow as tf

        if self._strategy is None:
            return function(x, y, None)

        def mine(x: Any, y: Any) -> Any:
            number = tf.distribute.get_replica_context().replica_id_in_sync_group
            rows, shares = tf.shape(x)[0], self.replicas
            first, end = number * rows // shares, (number + 1) * rows // shares
            right = tuple(part[first:end] for part in y) if isinstance(y, tuple) else y[first:end]
            return function(x[first:end], right, tf.cast(rows, tf.float32))

        parts = self._strategy.run(mine, args=(x, y))
        return self._strategy.reduce(tf.distribute.ReduceOp.SUM, parts, axis=None)

    def agreed(self, content: bytes) -> bytes:
        """What the chief has, on every worker; with one process what it has itself."""
        if self.cluster is None:
            return content
        words = np.frombuffer(content + bytes(-len(content) % 4), np.int32)
        size, length = self._sent(np.array([len(words), len(content)], np.int32))
        sent: bytes = self._sent(words if self.chief else np.zeros(size, np.int32)).tobytes()
        return sent[:length]

    def _sent(self, words: Any) -> Any:
        """The chief's words, on every worker: the sum over all replicas, of which only the first adds any."""
        import tensorflow as tf

        def summed() -> Any:
            context = tf.distribute.get_replica_context()
            first = tf.cast(tf.equal(context.replica_id_in_sync_group, 0), tf.int32)
            return context.all_reduce(tf.distribute.ReduceOp.SUM, tf.constant(words) * first)

        result = self._strategy.run(tf.function(summed))
        return self._strategy.experimental_local_results(result)[0].numpy()

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Tell the loss of a worker from other errors; raises WorkerLost."""
        import tensorflow as tf

        try:
            yield
        except (tf.errors.OpError, RuntimeError) as error:
            if self.cluster is None or not _is_loss(error):
                raise
            message = re.search(r"aborted by: *(.+)", str(error))
            reason = message[1].strip() if message else type(error).__name__
            raise WorkerLost(f"another worker of the training is lost: {reason}", AGAIN) from error


def _is_loss(error: BaseException) -> bool:
    """Whether an error is one of those by which TensorFlow tells that a peer is gone; they are of many types."""
    import tensorflow as tf

    kinds = (
        tf.errors.UnavailableError,
        tf.errors.AbortedError,
        tf.errors.CancelledError,
        tf.errors.DeadlineExceededError,
    )
    return isinstance(error, kinds) or "ollective ops is aborted" in str(error)


def check_layers(table: Devices | None, models: Iterable[Any]) -> None:
    """Refuse places for layers that none of the networks has; raises ProjectError."""
    names = {layer.name: None for model in models for layer in model.layers}
    for name in table.layers if table is not None else ():
        if name not in names:
            raise ProjectError(f"[devices.layers]: no network has a layer '{name}'{nearest(name, names)}")


def _normalize_over_all(model: Any) -> None:
    """Let batch normalizations take their statistics over the parts of all devices, those within QKeras' layers too."""
    import tf_keras

    for layer in model.submodules:
        if isinstance(layer, tf_keras.layers.BatchNormalization):
            layer.synchronized, layer.fused = True, False


def started(table: Devices | None) -> Runtime:
    """The devices of a table, once in a process and before TensorFlow has done anything in it.

    Raises:
        DeviceError: a device is not there, or TensorFlow runs already. WorkerLost: a worker left before all had come.
        ProjectError: as `cluster_of`.
    """
    return Runtime() if table is None else _started(table.model_dump_json())


@cache
def _started(text: str) -> Runtime:
    table = Devices.model_validate_json(text)
    cluster = cluster_of(table)
    if os.environ.get("CUDA_VISIBLE_DEVICES") == "-1" and table.wants_gpus:
        del os.environ["CUDA_VISIBLE_DEVICES"]  # hidden by `hlsflow.keras.keras2`, for all but a training like this
    keras2.ready()
    try:
        with keras2.quiet(), Runtime(table, None, cluster).guarded():
            return Runtime(table, _strategy(table, cluster), cluster)
    except RuntimeError as error:
        raise DeviceError(
            f"TensorFlow cannot set up the devices any more: {error}", "train in a process of its own"
        ) from error


def _strategy(table: Devices, cluster: Cluster | None) -> Any:
    import tensorflow as tf

    if table.cpus > 1:
        parts = [tf.config.LogicalDeviceConfiguration()] * table.cpus
        tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], parts)
    if table.strategy == "tpu":
        return _tpu(table)
    if cluster is not None:
        return tf.distribute.MultiWorkerMirroredStrategy()  # returns when all workers have come
    there = {
        f"{device.device_type}:{device.name.rsplit(':', 1)[1]}": None for device in tf.config.list_logical_devices()
    }
    wanted = table.use or tuple(name for name in there if name.startswith("GPU")) or tuple(there)
    for name in (*wanted, *table.layers.values()):
        if name not in there:
            raise DeviceError(
                f"there is no device '{name}'; TensorFlow sees {', '.join(there)}",
                "correct [devices]; GPUs need NVIDIA's driver and `pip install 'tensorflow[and-cuda]'`",
            )
    if table.strategy == "mirrored":
        return tf.distribute.MirroredStrategy([f"/{name}" for name in wanted])
    return tf.distribute.OneDeviceStrategy(f"/{wanted[0]}") if not table.layers else None


def _tpu(table: Devices) -> Any:
    import tensorflow as tf

    name = table.tpu or ""
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver(tpu=name)
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
    except Exception as error:  # a wrong name, no network and no TPU support all differ in type
        reason = str(error).strip().splitlines()[0][:200] if str(error).strip() else repr(error)
        raise DeviceError(f"the TPU '{name}' cannot be reached: {reason}", "correct devices.tpu") from error
    return tf.distribute.TPUStrategy(resolver)
