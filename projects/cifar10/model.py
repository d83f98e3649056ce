"""The CIFAR-10 network of many tutorials: three 3 x 3 convolutions of 32, 64 and 64 filters, two dense layers.

Quantized to 6 bits, and the float baseline of the same shape; both end at the logits.
"""

from __future__ import annotations

from qkeras import QActivation, QConv2D, QDense, quantized_bits
from tf_keras import Sequential
from tf_keras.layers import Conv2D, Dense, Flatten, Input, MaxPooling2D, ReLU

FILTERS = (32, 64, 64)
HIDDEN = 64
CLASSES = 10


def quantized() -> Sequential:
    """6-bit weights in [-1, 1) in steps of 1/32, 6-bit activations in [0, 4) in steps of 1/16."""
    grid = quantized_bits(6, 0, alpha=1)
    grids = {"kernel_quantizer": grid, "bias_quantizer": grid}
    layers = [Input((32, 32, 3), name="pixels")]
    for number, filters in enumerate(FILTERS, 1):
        layers += [QConv2D(filters, 3, name=f"conv{number}", **grids), _relu(f"relu{number}"), *_pool(number)]
    layers += [Flatten(name="flatten"), QDense(HIDDEN, name="fc", **grids), _relu("relu")]
    return Sequential([*layers, QDense(CLASSES, name="logits", **grids)], name="cifar10")


def baseline() -> Sequential:
    """The same shape in floating point."""
    layers = [Input((32, 32, 3), name="pixels")]
    for number, filters in enumerate(FILTERS, 1):
        layers += [Conv2D(filters, 3, name=f"conv{number}"), ReLU(name=f"relu{number}"), *_pool(number)]
    layers += [Flatten(name="flatten"), Dense(HIDDEN, name="fc"), ReLU(name="relu")]
    return Sequential([*layers, Dense(CLASSES, name="logits")], name="cifar10_float")


def _relu(name: str) -> QActivation:
    return QActivation("quantized_relu(6,2)", name=name)


def _pool(number: int) -> list[MaxPooling2D]:
    """After all convolutions but the last."""
    return [MaxPooling2D(2, name=f"pool{number}")] if number < len(FILTERS) else []
