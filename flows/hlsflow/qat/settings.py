"""Settings of Keras, TensorFlow and Python that the code of a `model.py` may change, and what may not stay changed.

In: a block that runs such code. Out: the same settings as before it, whatever it did; and `unusual`, which tells of a
model that was built with other ones.
"""

from __future__ import annotations

import contextlib
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np


@contextmanager
def restored() -> Iterator[None]:
    """Put back the number type, the order of axes and the policy of Keras, and what of Python concerns all code."""
    import tensorflow as tf
    import tf_keras

    backend, precision = tf_keras.backend, tf_keras.mixed_precision
    floats, axes, policy = backend.floatx(), backend.image_data_format(), precision.global_policy()
    eager = tf.config.functions_run_eagerly()
    with _kept_of_python(), np.errstate(), warnings.catch_warnings():
        try:
            yield
        finally:
            backend.set_floatx(floats)
            backend.set_image_data_format(axes)
            if precision.global_policy().name != policy.name:  # one that is set holds whatever the number type is
                precision.set_global_policy(policy)
            tf.config.run_functions_eagerly(eager)


@contextmanager
def _kept_of_python() -> Iterator[None]:
    streams, depth, place = (sys.stdout, sys.stderr), sys.getrecursionlimit(), None
    with contextlib.suppress(OSError):  # the folder may be gone
        place = os.getcwd()
    try:
        yield
    finally:
        sys.stdout, sys.stderr = streams
        sys.setrecursionlimit(depth)
        if place is not None:
            with contextlib.suppress(OSError):
                os.chdir(place)


def unusual(model: Any) -> str:
    """What of a model does not go with training and proof, which are in float32 with channels last; empty for none."""
    for layer in model.layers:
        if layer.compute_dtype != "float32":
            return f"layer '{layer.name}' computes in {layer.compute_dtype}, not in float32"
        if getattr(layer, "data_format", None) == "channels_first":
            return f"layer '{layer.name}' has its channels first, not last"
    return ""
