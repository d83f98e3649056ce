"""Why training has an engine of its own: what Keras' `fit` with `BackupAndRestore` does not do, and ours does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hlsflow.keras import keras2

ROOT = Path(__file__).parents[2]
EPOCHS, STEP = 4, 5

FIT = """
import sys

from tests.qat.test_keras_fit import fitted

fitted(sys.argv[1], sys.argv[2], killed=True)
"""


def fitted(backup: str, often: str, killed: bool = False) -> list[Any]:
    """The weights that Keras' own `fit` ends in, which goes on from what it has backed up."""
    keras2.ready()
    import tensorflow as tf
    import tf_keras

    tf_keras.backend.clear_session()
    tf_keras.utils.set_random_seed(3)
    tf.config.experimental.enable_op_determinism()
    random = np.random.default_rng(0)
    x, y = random.random((300, 16), np.float32), random.integers(0, 4, 300)
    model = tf_keras.Sequential([tf_keras.layers.Input((16,)), tf_keras.layers.Dense(4)])
    model.compile("adam", tf_keras.losses.SparseCategoricalCrossentropy(from_logits=True))

    class Kill(tf_keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
        def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
            self.epoch = epoch

        def on_train_batch_end(self, batch: int, logs: object = None) -> None:
            if killed and (self.epoch, batch) == (2, STEP):
                os.kill(os.getpid(), signal.SIGKILL)

    save_freq = often if often == "epoch" else int(often)
    keeps = tf_keras.callbacks.BackupAndRestore(backup, save_freq=save_freq, delete_checkpoint=False)
    model.fit(x, y, 32, epochs=EPOCHS, verbose=0, callbacks=[keeps, Kill()])
    return list(model.get_weights())


@pytest.mark.slow
@pytest.mark.parametrize("often", ["epoch", "4"])
def test_fit_of_keras_ends_in_other_bits(tmp_path: Path, often: str) -> None:
    """It keeps weights and optimizer, but not where its shuffling stands; ours: `test_kill_mid_epoch`."""
    whole, again = (fitted(str(tmp_path / name), often) for name in ("whole", "again"))
    for one, other in zip(whole, again, strict=True):
        np.testing.assert_array_equal(one, other)
    child = subprocess.run(
        [sys.executable, "-c", FIT, str(tmp_path / "killed"), often], cwd=ROOT, check=False, timeout=240
    )
    assert child.returncode == -signal.SIGKILL
    resumed = fitted(str(tmp_path / "killed"), often)
    assert max(float(np.abs(one - other).max()) for one, other in zip(whole, resumed, strict=True)) > 1e-4


SHARED = """
import sys

from hlsflow.keras import keras2
keras2.ready()
import tensorflow as tf

halves = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], halves)
from tests.qat.test_keras_fit import shared_difference
print(shared_difference(int(sys.argv[1])), shared_difference(int(sys.argv[2])))
"""


def shared_difference(rows: int) -> float:
    """The largest difference between the weights that `fit` ends in on one device and on two."""
    import tensorflow as tf
    import tf_keras

    random = np.random.default_rng(0)
    x, y = random.random((rows, 16), np.float32), random.integers(0, 4, rows)
    weights = []
    for strategy in (tf.distribute.OneDeviceStrategy("/CPU:0"), tf.distribute.MirroredStrategy(["/CPU:0", "/CPU:1"])):
        tf_keras.utils.set_random_seed(3)
        with strategy.scope():
            model = tf_keras.Sequential([tf_keras.layers.Input((16,)), tf_keras.layers.Dense(4)])
            loss = tf_keras.losses.SparseCategoricalCrossentropy(from_logits=True)
            model.compile(tf_keras.optimizers.SGD(0.1), loss)
        model.fit(x, y, 32, epochs=3, shuffle=False, verbose=0)
        weights.append(model.get_weights())
    return max(float(np.abs(one - other).max()) for one, other in zip(*weights, strict=True))


@pytest.mark.slow
def test_fit_of_keras_weighs_samples_by_the_size_of_their_share() -> None:
    """A last batch of 13 has shares of 7 and 6, whose means count as much as each other; ours: `test_devices`."""
    command = [sys.executable, "-c", SHARED, "320", "301"]
    child = subprocess.run(command, cwd=ROOT, check=True, timeout=240, capture_output=True, text=True)
    equal, unequal = map(float, child.stdout.split())
    assert equal < 1e-6  # the order of float additions
    assert unequal > 1e-3
