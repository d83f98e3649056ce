"""A small residual network for CIFAR-10: three stages of two 3 x 3 convolutions, each added to what went into it.

The shape is He et al.'s, Deep Residual Learning for Image Recognition (2016), section 4.2, with one block a stage and a
first convolution that halves the image. Batch normalization is folded into the convolutions while training, so that
the quantized weights are those of the hardware. Both networks end at the logits.
"""

from __future__ import annotations

from typing import Any

from qkeras import QActivation, QConv2DBatchnorm, QDense, quantized_bits
from tf_keras import Model
from tf_keras.layers import Add, BatchNormalization, Conv2D, Dense, GlobalAveragePooling2D, Input, ReLU

STAGES = (8, 16, 32)
CLASSES = 10
RANGE = {"conv0": 2}
"""Folded weights lie within 2**0 of zero; those that see pixels, whose variance is small, need 2**2."""

MOMENTUM = 0.9
"""Of the batch statistics: few images make few steps."""


def quantized() -> Model:
    """6-bit weights, 6-bit activations in [0, 4) in steps of 1/16."""
    return _network(_quantized_conv, _quantized_relu, _quantized_dense, "resnet_cifar10")


def baseline() -> Model:
    """The same shape in floating point, batch normalization as a layer of its own."""
    return _network(_float_conv, _float_relu, _float_dense, "resnet_cifar10_float")


def _network(conv: Any, relu: Any, dense: Any, name: str) -> Model:
    pixels = Input((32, 32, 3), name="pixels")
    x = relu("relu0")(conv(STAGES[0], 3, 2, "conv0")(pixels))
    for number, filters in enumerate(STAGES, 1):
        stride = 1 if number == 1 else 2
        y = relu(f"relu{number}a")(conv(filters, 3, stride, f"conv{number}a")(x))
        y = conv(filters, 3, 1, f"conv{number}b")(y)
        around = x if stride == 1 else conv(filters, 1, stride, f"shortcut{number}")(x)
        x = relu(f"relu{number}b")(Add(name=f"add{number}")([y, around]))
    x = relu("mean")(GlobalAveragePooling2D(name="pool")(x))
    return Model(pixels, dense("logits")(x), name=name)


def _quantized_conv(filters: int, size: int, stride: int, name: str) -> QConv2DBatchnorm:
    kernel = quantized_bits(6, RANGE.get(name, 0), alpha=1)
    bias = quantized_bits(8, 2, alpha=1)
    return QConv2DBatchnorm(
        filters, size, stride, "same", kernel_quantizer=kernel, bias_quantizer=bias, momentum=MOMENTUM, name=name
    )


def _quantized_relu(name: str) -> QActivation:
    return QActivation("quantized_relu(6,2)", name=name)


def _quantized_dense(name: str) -> QDense:
    grid = quantized_bits(6, 0, alpha=1)
    return QDense(CLASSES, kernel_quantizer=grid, bias_quantizer=grid, name=name)


def _float_conv(filters: int, size: int, stride: int, name: str) -> Any:
    conv = Conv2D(filters, size, stride, "same", use_bias=False, name=name)
    norm = BatchNormalization(momentum=MOMENTUM, name=f"{name}_norm")
    return lambda x: norm(conv(x))


def _float_relu(name: str) -> ReLU:
    return ReLU(name=name)


def _float_dense(name: str) -> Dense:
    return Dense(CLASSES, name=name)
