"""The environment in which TensorFlow must start, so that QKeras 0.9 and hls4ml 1.3 find the Keras 2 they are made for.

Importing this module sets environment variables and nothing else, and is fast; `ready()` imports TensorFlow. Every
module that imports tf_keras, qkeras or hls4ml imports this one first.
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from importlib.metadata import version

import numpy as np

from hlsflow.core.errors import FlowError

os.environ["TF_USE_LEGACY_KERAS"] = "1"  # QKeras asks for `tensorflow.keras`, which must be Keras 2
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow's C++ start-up notes say nothing about the user's work
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")  # the CPU is fast enough, and the only device with resumable bits
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # oneDNN sums in an order that depends on the processor

if not hasattr(np, "product"):
    np.product = np.prod  # type: ignore[attr-defined]  # numpy 2 dropped it; hls4ml 1.3.0 model/types.py calls it


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
            "import flows before TensorFlow, or set the environment variable TF_USE_LEGACY_KERAS=1",
        )


def forget() -> None:
    """Drop what Keras keeps of models built so far: memory, and the numbers in the names of layers without one."""
    ready()
    import tf_keras

    tf_keras.backend.clear_session()


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
