"""Anomaly detection by reconstruction: what an autoencoder cannot repeat was not among the samples it learnt from.

In: an autoencoder trained on normal samples, and normal validation samples. Out: a detector of one logit, the sum of
the absolute errors of the reconstruction less a threshold, which is above 0 for an anomaly. All of it is layers, so
that the threshold is compared in hardware.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hlsflow.core.errors import DataError, ModelError
from hlsflow.data.data import Dataset
from hlsflow.ir import Fixed
from hlsflow.qat.engine import PREDICT_ROWS

DIFFERENCE, ERROR, SCORE = "anomaly_difference", "anomaly_error", "anomaly_score"
"""Layers of a detector behind the autoencoder: x - x̂, its absolute value, and the sum of these less the threshold."""

SIGNIFICANT = 22
"""Bits of a threshold at the most, so that it has a place in float32 with a sign."""


@dataclass(frozen=True, eq=False)
class Detector:
    """An autoencoder with a threshold behind it.

    Attributes:
        model: of one output: the sum of absolute errors less the threshold.
        threshold: in units of the input.
        quantile: share of the normal validation samples whose score is not above it.
        samples: how many of these there were.
    """

    model: Any
    threshold: float
    quantile: float
    samples: int

    def __str__(self) -> str:
        share = f"the {self.quantile:g} quantile of {self.samples} normal validation samples"
        return f"threshold {self.threshold:g}, {share}"

    def to_json(self) -> Mapping[str, float]:
        return {"threshold": self.threshold, "quantile": self.quantile, "samples": self.samples}


def normal_samples(data: Dataset) -> Dataset:
    """The same data with normal samples alone to train on and to validate with; the test set stays.

    Raises:
        DataError: there are none.
    """
    train, validation = data.y_train == 0, data.y_val == 0
    if not train.any() or not validation.any():
        raise DataError(
            f"'{data.name}' has {train.sum()} normal training and {validation.sum()} normal validation samples",
            "correct anomaly.normal, or give more data to training and validation",
        )
    chosen = {"x_train": data.x_train[train], "y_train": data.y_train[train]}
    chosen |= {"x_val": data.x_val[validation], "y_val": data.y_val[validation]}
    if len(data.w_train):
        chosen["w_train"] = data.w_train[train]
    if len(data.w_val):
        chosen["w_val"] = data.w_val[validation]
    return replace(data, **chosen)


def check_autoencoder(model: Any, name: str) -> None:
    """Refuse what has several inputs, gives no value for each value of a sample, or has a layer named as a detector's.

    Args:
        name: of the function that builds it, for the message.
    Raises:
        ModelError: with what to do.
    """
    if len(model.inputs) != 1:
        raise ModelError(f"{name} has {len(model.inputs)} inputs; [anomaly] reconstructs one", "join them to one")
    taken_shape, given_shape = (tuple(ends[0].shape[1:]) for ends in (model.inputs, model.outputs))
    if math.prod(taken_shape) != math.prod(given_shape):
        raise ModelError(
            f"{name} takes samples of shape {taken_shape} and gives outputs of shape {given_shape}; an autoencoder "
            "gives back as many values as it takes",
            "end the model with one value for each value of a sample, or remove [anomaly]",
        )
    taken = {layer.name for layer in model.layers} & {DIFFERENCE, ERROR, SCORE}
    if taken:
        raise ModelError(f"{name} has a layer '{taken.pop()}', the name of one of the detector's", "rename it")


def detector(autoencoder: Any, data: Dataset, quantile: float, quantized: bool) -> Detector:
    """The autoencoder with the sum of its absolute errors, and a threshold, behind it.

    The threshold is the smallest score that at least a share `quantile` of the samples do not exceed, so it lies on
    the grid of the scores; a sample is an anomaly above it.

    Args:
        autoencoder: trained, as `check_autoencoder` has it.
        data: whose validation set holds normal samples alone.
        quantile: above 0, up to 1.
        quantized: whether the layers behind it are QKeras', with weights that are exactly 1.
    """
    import tf_keras

    errors = _errors(autoencoder)
    probe = tf_keras.Model(autoencoder.inputs, errors)
    x = data.shaped(tuple(autoencoder.input_shape[1:])).x_val
    scores = probe.predict(x, batch_size=PREDICT_ROWS, verbose=0).astype(np.float64).sum(1)
    threshold = _representable(float(np.quantile(scores, quantile, method="inverted_cdf")))
    last = _sum(threshold) if quantized else tf_keras.layers.Dense(1, name=SCORE)
    last.trainable = False
    model = tf_keras.Model(autoencoder.inputs, last(errors), name=f"{autoencoder.name}_detector")
    last.set_weights([np.ones((errors.shape[-1], 1), np.float32), np.array([-threshold], np.float32)])
    return Detector(model, threshold, quantile, len(x))


def autoencoder_of(model: Any) -> Any:
    """The autoencoder within a detector, with which it shares its layers."""
    import tf_keras

    _, reconstruction = model.get_layer(DIFFERENCE).input
    return tf_keras.Model(model.inputs, reconstruction, name=model.name.removesuffix("_detector"))


def _errors(autoencoder: Any) -> Any:
    """(n, values): the tensor of absolute errors; a leaky ReLU of slope -1 is the absolute value."""
    from tf_keras.layers import Flatten, LeakyReLU, Subtract

    (source,), (reconstruction,) = autoencoder.inputs, autoencoder.outputs
    if source.shape[1:] != reconstruction.shape[1:]:
        source, reconstruction = (
            tensor if len(tensor.shape) == 2 else Flatten()(tensor) for tensor in (source, reconstruction)
        )
    error = LeakyReLU(-1.0, name=ERROR)(Subtract(name=DIFFERENCE)([source, reconstruction]))
    return error if len(error.shape) == 2 else Flatten()(error)


def _sum(threshold: float) -> Any:
    """The layer that sums, with quantizers that hold 1 and the threshold exactly."""
    from qkeras import QDense, quantized_bits

    kind = Fixed.narrowest(np.array([-threshold]), SIGNIFICANT + 2, signed=True)
    assert kind is not None
    integer, fraction = max(kind.integer - 1, 0), max(kind.frac, 0)  # QKeras' grids reach to 1, in steps of 1 or less
    bias = quantized_bits(1 + integer + fraction, integer, alpha=1)
    ones = quantized_bits(2, 1, alpha=1)
    return QDense(1, kernel_quantizer=ones, kernel_initializer="ones", bias_quantizer=bias, name=SCORE)


def _representable(threshold: float) -> float:
    """The next value from there on with so few bits that float32 holds it; a score on a grid has them anyway."""
    if threshold <= 0:
        return 0.0
    step = 2.0 ** (math.floor(math.log2(threshold)) + 1 - SIGNIFICANT)
    return math.ceil(threshold / step) * step
