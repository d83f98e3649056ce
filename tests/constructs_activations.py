"""Activations, weight quantizers and their modes, as constructs of the inherited suite."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import qkeras
from qkeras import quantizers as q
from tf_keras import layers as keras

from tests.conformance import Build, Construct, Make


def _bits(*arguments: Any, **options: Any) -> Any:
    return qkeras.quantized_bits(*arguments, **({"alpha": 1} | options))


QUANTIZERS: Mapping[str, tuple[str, Callable[[], Any]]] = {
    "relu_leaky": ("quantized_relu, negative_slope", lambda: qkeras.quantized_relu(5, 1, negative_slope=0.25)),
    "relu_sigmoid": ("quantized_relu, use_sigmoid", lambda: qkeras.quantized_relu(5, 1, use_sigmoid=1)),
    "relu_bound": (
        "quantized_relu, relu_upper_bound",
        lambda: qkeras.quantized_relu(6, 2, relu_upper_bound=1.5, is_quantized_clip=False),
    ),
    "relu_stochastic": (
        "quantized_relu, use_stochastic_rounding",
        lambda: qkeras.quantized_relu(5, 1, use_stochastic_rounding=True),
    ),
    "bits_unsigned": ("quantized_bits, keep_negative=0", lambda: _bits(4, 1, keep_negative=0)),
    "bits_scaled": ("quantized_bits, alpha=2", lambda: _bits(5, 0, alpha=2.0)),
    "bits_one": ("quantized_bits of one bit", lambda: _bits(1, 0)),
    "tanh_hard": ("quantized_tanh", lambda: qkeras.quantized_tanh(5)),
    "tanh_symmetric": ("quantized_tanh, symmetric", lambda: qkeras.quantized_tanh(5, symmetric=True)),
    "tanh_real": ("quantized_tanh, use_real_tanh", lambda: qkeras.quantized_tanh(5, use_real_tanh=True)),
    "sigmoid_hard": ("quantized_sigmoid", lambda: qkeras.quantized_sigmoid(5)),
    "sigmoid_symmetric": ("quantized_sigmoid, symmetric", lambda: qkeras.quantized_sigmoid(5, symmetric=True)),
    "sigmoid_real": ("quantized_sigmoid, use_real_sigmoid", lambda: qkeras.quantized_sigmoid(5, use_real_sigmoid=True)),
    "binary": ("binary", lambda: qkeras.binary(alpha=1)),
    "binary_01": ("binary, use_01", lambda: qkeras.binary(use_01=True, alpha=1)),
    "binary_stochastic": ("stochastic_binary", lambda: qkeras.stochastic_binary(alpha=1)),
    "ternary": ("ternary", lambda: qkeras.ternary(alpha=1)),
    "ternary_half": ("ternary, threshold=0.5", lambda: qkeras.ternary(alpha=1, threshold=0.5)),
    "ternary_stochastic": ("stochastic_ternary", lambda: qkeras.stochastic_ternary(alpha=1, threshold=0.75)),
    "po2": ("quantized_po2", lambda: qkeras.quantized_po2(4, 2)),
    "relu_po2": ("quantized_relu_po2", lambda: qkeras.quantized_relu_po2(3, 2)),
    "hswish": ("quantized_hswish", lambda: qkeras.quantized_hswish(6, 2, alpha=1)),
    "binary_tanh": ("binary_tanh", lambda: q.binary_tanh),
    "binary_sigmoid": ("binary_sigmoid", lambda: q.binary_sigmoid),
    "hard_tanh": ("hard_tanh", lambda: q.hard_tanh),
    "smooth_sigmoid": ("smooth_sigmoid", lambda: q.smooth_sigmoid),
}
"""Name → what it is called in the table, and the activation."""

FLOATS: Mapping[str, Callable[[Make], Any]] = {
    "elu": lambda m: keras.ELU(0.5, name=m.label("elu")),
    "leaky_relu": lambda m: keras.LeakyReLU(0.3, name=m.label("leaky")),
    "leaky_relu_of_slope_minus_1": lambda m: keras.LeakyReLU(-1.0, name=m.label("absolute")),
    **{
        name: lambda m, name=name: keras.Activation(name, name=m.label(name))  # type: ignore[misc]
        for name in ("tanh", "sigmoid", "hard_sigmoid", "selu", "gelu", "swish", "softplus", "softsign", "exponential")
    },
}
"""Keras' own activations whose values are float32: a quantizer must follow, in whose table they are computed."""

CLIPPED: Mapping[str, Callable[[Make], Any]] = {
    "relu6": lambda m: keras.ReLU(6.0, name=m.label("relu6")),
    "thresholded_relu": lambda m: keras.ThresholdedReLU(1.0, name=m.label("thresholded")),
    "leaky_relu_quarter": lambda m: keras.LeakyReLU(0.25, name=m.label("leaky")),
    "leaky_relu_of_slope_minus_1": lambda m: keras.LeakyReLU(-1.0, name=m.label("absolute")),
}
"""Keras' own activations whose values lie on a grid if their input does."""


def _activated(make: Callable[[], Any]) -> Build:
    """On all values of 7 bits; then a dense layer, because some of these have two values only."""
    return lambda m: m.dense(m.act(m.x(6, quantizer=_bits(7, 2)), make()), 3)


def _own(make: Callable[[], Any]) -> Build:
    """As the activation of a layer, whose sums are wide."""
    return lambda m: m.dense(m.dense(m.x(4), 4, activation=make()), 3)


def _float(make: Callable[[Make], Any]) -> Build:
    return lambda m: m.act(make(m)(m.x(5, quantizer=_bits(7, 2))), _bits(6, 1))


def _plain(make: Callable[[Make], Any]) -> Build:
    return lambda m: make(m)(m.x(5, quantizer=_bits(7, 3)))


WIDE = ("relu_sigmoid", "relu_bound", "tanh_hard", "sigmoid_symmetric", "binary", "relu_leaky")
"""Activations that need little of a wide sum, so that they are exact right after a layer too."""

ACTIVATIONS = [
    *[Construct(name, title, _activated(make)) for name, (title, make) in QUANTIZERS.items()],
    *[Construct(f"{name}_own", f"{QUANTIZERS[name][0]}, as a layer's own", _own(QUANTIZERS[name][1])) for name in WIDE],
    *[Construct(f"float_{name}", f"{name} with a quantizer after it", _float(make)) for name, make in FLOATS.items()],
    *[Construct(f"keras_{name}", name, _plain(make)) for name, make in CLIPPED.items()],
]

KERNELS: Mapping[str, tuple[str, Callable[[], Any]]] = {
    "auto": ("quantized_bits, alpha='auto'", lambda: _bits(4, 0, alpha="auto")),
    "auto_po2": ("quantized_bits, alpha='auto_po2'", lambda: _bits(4, 0, alpha="auto_po2")),
    "unset": ("quantized_bits, alpha unset", lambda: qkeras.quantized_bits(4, 0)),
    "two": ("quantized_bits, alpha=2", lambda: _bits(4, 0, alpha=2.0)),
    "symmetric": ("quantized_bits, symmetric", lambda: _bits(4, 0, symmetric=1)),
    "unsigned": ("quantized_bits, keep_negative=0", lambda: _bits(4, 1, keep_negative=0)),
    "stochastic": ("quantized_bits, use_stochastic_rounding", lambda: _bits(4, 0, use_stochastic_rounding=True)),
    "binary": ("binary", lambda: qkeras.binary(alpha=1)),
    "binary_auto": ("binary, alpha='auto'", lambda: qkeras.binary(alpha="auto")),
    "binary_po2": ("binary, alpha='auto_po2'", lambda: qkeras.binary(alpha="auto_po2")),
    "binary_01": ("binary, use_01", lambda: qkeras.binary(use_01=True, alpha=1)),
    "ternary": ("ternary", lambda: qkeras.ternary(alpha=1)),
    "ternary_auto": ("ternary, alpha='auto'", lambda: qkeras.ternary(alpha="auto")),
    "ternary_po2": ("ternary, alpha='auto_po2'", lambda: qkeras.ternary(alpha="auto_po2")),
    "stochastic_binary": ("stochastic_binary", lambda: qkeras.stochastic_binary(alpha=1)),
    "stochastic_ternary": ("stochastic_ternary", lambda: qkeras.stochastic_ternary(alpha="auto_po2")),
    "po2": ("quantized_po2", lambda: qkeras.quantized_po2(4, 1)),
    "relu": ("quantized_relu", lambda: qkeras.quantized_relu(4, 1)),
}
"""Name → what it is called in the table, and the weight quantizer."""


def _dense(make: Callable[[], Any]) -> Build:
    def build(m: Make) -> Any:
        return qkeras.QDense(3, kernel_quantizer=make(), bias_quantizer=_bits(4, 0), name=m.label("dense"))(m.x(5))

    return build


def _conv(make: Callable[[], Any]) -> Build:
    def build(m: Make) -> Any:
        name = m.label("conv")
        return qkeras.QConv2D(2, 2, kernel_quantizer=make(), bias_quantizer=_bits(4, 0), name=name)(m.x(3, 3, 2))

    return build


def _depthwise(make: Callable[[], Any]) -> Build:
    def build(m: Make) -> Any:
        options = {"depthwise_quantizer": make(), "bias_quantizer": _bits(4, 0), "name": m.label("depthwise")}
        return qkeras.QDepthwiseConv2D(2, **options)(m.x(3, 3, 2))

    return build


def _separable(make: Callable[[], Any]) -> Build:
    def build(m: Make) -> Any:
        options = {"depthwise_quantizer": make(), "pointwise_quantizer": make(), "bias_quantizer": _bits(4, 0)}
        return qkeras.QSeparableConv2D(2, 2, **options, name=m.label("separable"))(m.x(3, 3, 2))

    return build


def _float_bias(m: Make) -> Any:
    return qkeras.QDense(3, kernel_quantizer=_bits(4, 0), bias_initializer="normal", name=m.label("dense"))(m.x(5))


def _lstm(m: Make) -> Any:
    quantized = {f"{name}_quantizer": _bits(4, 0) for name in ("kernel", "recurrent", "bias")}
    functions = {"activation": qkeras.quantized_tanh(4), "recurrent_activation": qkeras.quantized_sigmoid(4)}
    return qkeras.QLSTM(2, **quantized, **functions, state_quantizer=_bits(5, 1), name=m.label("lstm"))(m.x(2, 2))


EVERYWHERE = ("auto", "auto_po2", "binary_auto", "ternary")
"""Weight quantizers tried on convolutions too: those with one scale for each channel, and one without."""

WEIGHTS = [
    *[Construct(f"dense_{name}", f"QDense, kernel {title}", _dense(make)) for name, (title, make) in KERNELS.items()],
    *[
        Construct(f"{kind}_{name}", f"{title}, kernel {KERNELS[name][0]}", build(KERNELS[name][1]))
        for kind, title, build in (
            ("conv", "QConv2D", _conv),
            ("depthwise", "QDepthwiseConv2D", _depthwise),
            ("separable", "QSeparableConv2D", _separable),
        )
        for name in EVERYWHERE
    ],
    Construct("dense_float_bias", "QDense, bias without a quantizer", _float_bias),
    Construct("lstm", "QLSTM, unrolled", _lstm),
]
