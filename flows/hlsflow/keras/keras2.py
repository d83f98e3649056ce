"""The environment in which TensorFlow must start, so that QKeras 0.9 and hls4ml 1.3 find the Keras 2 they are made for.

Importing this module sets environment variables and nothing else, and is fast; `ready()` imports TensorFlow. Every
module that imports tf_keras, qkeras or hls4ml imports this one first.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from hlsflow.core.errors import FlowError

os.environ["TF_USE_LEGACY_KERAS"] = "1"  # QKeras asks for `tensorflow.keras`, which must be Keras 2
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow's C++ start-up notes say nothing about the user's work
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")  # the CPU is fast enough, and the only device with resumable bits
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # oneDNN sums in an order that depends on the processor

if not hasattr(np, "product"):
    np.product = np.prod  # type: ignore[attr-defined]  # numpy 2 dropped it; hls4ml 1.3.0 model/types.py calls it


VARIABLES = ("TF_ENABLE_ONEDNN_OPTS", "TF_XLA_FLAGS", "XLA_FLAGS", "NVIDIA_TF32_OVERRIDE")
"""Of the environment, by which TensorFlow computes other bits; keras.json is in `KERAS_HOME`."""

DEFAULTS = {"floatx": "float32", "epsilon": 1e-7, "image_data_format": "channels_last"}
"""What Keras 2 takes where keras.json says nothing."""


def ready() -> None:
    """Import TensorFlow, quietly, with the Keras that QKeras needs.

    Raises:
        FlowError: TensorFlow was used with Keras 3 earlier in this process.
    """
    for name in ("tensorflow", "absl", "h5py"):
        logging.getLogger(name).setLevel(logging.ERROR)
    with warnings.catch_warnings(), nullcontext() if "tensorflow" in sys.modules else quiet():
        warnings.simplefilter("ignore")
        import tensorflow as tf

        keras = tf.keras.Model.__module__.split(".")[0]
    if keras != "tf_keras":
        raise FlowError(
            f"TensorFlow already runs with '{keras}', which is Keras 3, in this process; QKeras needs Keras 2",
            "import hlsflow before TensorFlow, or set the environment variable TF_USE_LEGACY_KERAS=1",
        )
    with without_keras3():
        import tensorflow_model_optimization  # noqa: F401  # which QKeras imports


@contextmanager
def without_keras3() -> Iterator[None]:
    """Let no package import Keras 3 unless it is there already.

    TensorFlow's model optimization and hls4ml's writers ask for it and go on without it; that takes two seconds.
    """
    if "keras" in sys.modules:
        yield
        return
    sys.modules["keras"] = None  # type: ignore[assignment]  # an import of it is an ImportError
    try:
        yield
    finally:
        del sys.modules["keras"]


def forget() -> None:
    """Drop what Keras keeps of models built so far: memory, and the numbers in the names of layers without one."""
    ready()
    import tf_keras

    tf_keras.backend.clear_session()


def number_anew() -> None:
    """Let the numbers in the names of layers without one start again, so that they are the same in every process."""
    ready()
    import tf_keras

    tf_keras.backend.reset_uids()


@contextmanager
def quiet() -> Iterator[None]:
    """Hold back what TensorFlow's C++ part writes before its log level applies; shown when something fails."""
    sys.stderr.flush()
    real = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(real, held.read())
            raise
        finally:
            os.dup2(real, 2)
            os.close(real)


def versions() -> dict[str, str]:
    """Name → version of the packages that determine a trained model, without importing them."""
    return {name: version(name) for name in ("tensorflow", "tf_keras", "qkeras")} | {
        "python": ".".join(map(str, sys.version_info[:2]))
    }


def settings() -> dict[str, Any]:
    """What this environment says that changes what a training computes, without importing TensorFlow: `VARIABLES`,
    the number of GPUs that it lets TensorFlow see (which of them does not matter), and Keras' own settings."""
    named = [gpu for gpu in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if gpu not in ("", "-1")]
    return {name: os.environ.get(name) for name in VARIABLES} | {"gpus": len(named)} | _keras_settings()


def _keras_settings() -> dict[str, Any]:
    home = os.environ.get("KERAS_HOME") or os.path.join(os.path.expanduser("~"), ".keras")
    try:
        content = json.loads(Path(home, "keras.json").read_text(encoding="utf-8"))
        return {name: content.get(name, default) for name, default in DEFAULTS.items()}
    except (OSError, ValueError, AttributeError):
        return dict(DEFAULTS)
