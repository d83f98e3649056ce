"""A training killed in the middle of an epoch, not between two of them, ends in the same bits."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hlsflow.core.progress import Progress
from hlsflow.keras import keras2
from hlsflow.qat import load_model, train
from tests.qat.qat_project import small_project

ROOT = Path(__file__).parents[2]
EPOCHS, STEP = 4, 5

KILLED = """
import os, signal, sys
from pathlib import Path

from hlsflow.project import load
from hlsflow.qat import train
from hlsflow.qat.engine import Engine

folder, last, done = Path(sys.argv[2]), int(sys.argv[3]), []
run, step = Engine.run, Engine._step


def count():
    done.append(1)
    (folder / "steps").write_text(str(len(done)))
    if len(done) == last:
        os.kill(os.getpid(), signal.SIGKILL)


def counted_run(engine, epoch):
    engine.doomed = bool(engine._draws) and epoch == 2  # of the network with dropout, whose pass is compiled anew
    return run(engine, epoch)


def counted_step(engine, x, y):
    import tensorflow as tf

    loss = step(engine, x, y)
    if engine.doomed:
        with tf.control_dependencies([loss]):
            tf.py_function(count, [], [])
    return loss


Engine.run, Engine._step = counted_run, counted_step
train(load(Path(sys.argv[1])), folder)
"""


def test_a_kill_within_an_epoch_changes_no_bit(tmp_path: Path) -> None:
    """The process ends itself after step 5 of about 10 in the third epoch; earlier epochs run as they always do."""
    project = small_project(tmp_path / "project", EPOCHS)
    killed = tmp_path / "killed"
    killed.mkdir()
    command = [sys.executable, "-c", KILLED, str(project.folder), str(killed), str(STEP)]
    child = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert child.returncode == -signal.SIGKILL, child.stderr
    assert (killed / "steps").read_text() == str(STEP)
    checkpoints = killed / "checkpoints" / "qat"
    assert sorted(path.name for path in checkpoints.glob("*.npz")) == ["epoch-00001.npz", "epoch-00002.npz"]
    log = io.StringIO()
    resumed = train(project, killed, Progress(log))
    assert "quantized: going on after epoch 2 of 4" in log.getvalue()
    whole = train(project, tmp_path / "whole", Progress(io.StringIO()))
    pairs = zip(load_model(resumed.model).get_weights(), load_model(whole.model).get_weights(), strict=True)
    for one, other in pairs:
        np.testing.assert_array_equal(one, other)
    history = [(result.model.parent / "history.json").read_bytes() for result in (resumed, whole)]
    assert history[0] == history[1]


FIT = """
import sys

from tests.qat.test_kill_mid_epoch import fitted

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


@pytest.mark.parametrize("often", ["epoch", "4"])
def test_fit_of_keras_ends_in_other_bits(tmp_path: Path, often: str) -> None:
    """Why training has an engine of its own: `fit` keeps weights and optimizer, but not where its shuffling stands."""
    whole, again = (fitted(str(tmp_path / name), often) for name in ("whole", "again"))
    for one, other in zip(whole, again, strict=True):
        np.testing.assert_array_equal(one, other)
    child = subprocess.run(
        [sys.executable, "-c", FIT, str(tmp_path / "killed"), often], cwd=ROOT, check=False, timeout=240
    )
    assert child.returncode == -signal.SIGKILL
    resumed = fitted(str(tmp_path / "killed"), often)
    assert max(float(np.abs(one - other).max()) for one, other in zip(whole, resumed, strict=True)) > 1e-4
