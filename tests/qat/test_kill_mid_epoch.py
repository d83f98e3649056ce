"""A training killed in the middle of an epoch, not between two of them, ends in the same bits."""

from __future__ import annotations

import io
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hlsflow.core.progress import Progress
from hlsflow.qat import load_model, train
from tests.qat.qat_project import DROPPING, small_project

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


@pytest.mark.slow
def test_a_kill_within_an_epoch_changes_no_bit(tmp_path: Path) -> None:
    """The process ends itself after step 5 of about 10 in the third epoch; earlier epochs run as they always do."""
    project = small_project(tmp_path / "project", EPOCHS, DROPPING)
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
