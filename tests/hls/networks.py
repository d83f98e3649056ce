"""Small QKeras networks for the tests of `hlsflow.hls`."""

from __future__ import annotations

from typing import Any

import numpy as np
import qkeras
import tf_keras

from hlsflow.ir.fixed import Array, Fixed
from hlsflow.project import Knobs, Target

INPUT = Fixed(10, 4)


def bits(*arguments: Any, **options: Any) -> Any:
    return qkeras.quantized_bits(*arguments, **({"alpha": 1} | options))


def dense(units: int, name: str, kernel: Any = None, **options: Any) -> Any:
    options = {"bias_quantizer": bits(6, 0)} | options
    return qkeras.QDense(units, kernel_quantizer=kernel or bits(6, 0), name=name, **options)


def act(quantizer: Any, name: str) -> Any:
    return qkeras.QActivation(quantizer, name=name)


def network(*layers: Any, n_in: int = 8, seed: int = 1, spread: float = 0.7) -> Any:
    """A sequential model with random weights, some of them outside the range of their quantizers."""
    model = tf_keras.Sequential([tf_keras.layers.Input((n_in,), name="x"), *layers], name="net")
    rng = np.random.default_rng(seed)
    model.set_weights([rng.normal(size=array.shape) * spread for array in model.get_weights()])
    return model


def every_construct() -> Any:
    """One network with each construct that hls4ml's conversion changes and hlsflow restores."""
    return network(
        act(bits(8, 3), "entry"),
        dense(8, "plain"),
        act(qkeras.quantized_relu(6, 2), "relu"),
        dense(8, "scaled", bits(6, 0, alpha="auto_po2")),
        act(bits(6, 2, symmetric=1), "symmetric"),
        dense(7, "ternary", qkeras.ternary(alpha=1), activation=qkeras.quantized_relu(8, 3)),
        dense(6, "powers", qkeras.quantized_po2(4, 1), use_bias=False, bias_quantizer=None),
        act(qkeras.quantized_relu(4, 4), "whole_numbers"),
        dense(6, "binary", qkeras.binary(alpha=1)),
        act(bits(5, 4, keep_negative=0), "unsigned"),
        tf_keras.layers.Dropout(0.5, name="dropout"),
        dense(6, "before_leaky"),
        act(qkeras.quantized_relu(5, 1, negative_slope=0.25), "leaky"),
        dense(5, "twice"),
        act(bits(8, 3), "first"),
        act(bits(5, 2), "second"),
        dense(4, "logits", activation="softmax"),
    )


def samples(n: int = 300, n_in: int = 8, seed: int = 2) -> Array:
    return INPUT.real(np.random.default_rng(seed).integers(INPUT.min, INPUT.max + 1, (n, n_in)))


def knobs(**values: Any) -> Knobs:
    return Knobs.model_validate({"reuse_factor": 1} | values)


TARGET = Target()
