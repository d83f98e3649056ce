"""The MNIST network, a small LeNet: quantized to 4 bits, and the float baseline of the same shape.

Both end at the logits: the largest of them names the digit, so the hardware needs no softmax.
"""

from __future__ import annotations

from qkeras import QActivation, QConv2D, QDense, quantized_bits
from tf_keras import Sequential
from tf_keras.layers import Conv2D, Dense, Flatten, Input, MaxPooling2D, ReLU

FILTERS = ((4, 5), (8, 3))
"""Of the convolutions: how many, and their width and height."""

HIDDEN = 32
CLASSES = 10


def quantized() -> Sequential:
    """4-bit weights in [-1, 1) in steps of 1/8, 4-bit activations in [0, 4) in steps of 1/4."""
    grid = quantized_bits(4, 0, alpha=1)
    grids = {"kernel_quantizer": grid, "bias_quantizer": grid}
    layers = [Input((28, 28, 1), name="pixels")]
    for number, (filters, size) in enumerate(FILTERS, 1):
        layers += [QConv2D(filters, size, name=f"conv{number}", **grids), _relu(f"relu{number}"), _pool(number)]
    layers += [Flatten(name="flatten"), QDense(HIDDEN, name="fc", **grids), _relu("relu")]
    return Sequential([*layers, QDense(CLASSES, name="logits", **grids)], name="mnist")


def baseline() -> Sequential:
    """The same shape in floating point."""
    layers = [Input((28, 28, 1), name="pixels")]
    for number, (filters, size) in enumerate(FILTERS, 1):
        layers += [Conv2D(filters, size, name=f"conv{number}"), ReLU(name=f"relu{number}"), _pool(number)]
    layers += [Flatten(name="flatten"), Dense(HIDDEN, name="fc"), ReLU(name="relu")]
    return Sequential([*layers, Dense(CLASSES, name="logits")], name="mnist_float")


def _relu(name: str) -> QActivation:
    return QActivation("quantized_relu(4,2)", name=name)


def _pool(number: int) -> MaxPooling2D:
    return MaxPooling2D(2, name=f"pool{number}")
