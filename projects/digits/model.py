"""The digits network, 64-32-32-10: quantized to 6 bits, and the float baseline of the same shape.

`hlsflow search` varies the arguments. Both end at the logits: the largest of them names the digit, so the hardware
needs no softmax.
"""

from __future__ import annotations

from qkeras import QActivation, QDense, quantized_bits
from tf_keras import Sequential
from tf_keras.layers import Dense, Input, ReLU

CLASSES = 10


def quantized(width: int = 32, depth: int = 2, bits: int = 6) -> Sequential:
    """Weights of `bits` bits in [-1, 1), by default in steps of 1/32; activations in [0, 4), in steps of 1/16."""
    layers = [Input((64,), name="pixels")]
    for number in range(1, depth + 1):
        relu = QActivation(f"quantized_relu({bits},2)", name=f"relu{number}")
        layers += [_dense(width, f"fc{number}", bits), relu]
    return Sequential([*layers, _dense(CLASSES, "logits", bits)], name="digits")


def baseline(width: int = 32, depth: int = 2) -> Sequential:
    """The same shape in floating point."""
    layers = [Input((64,), name="pixels")]
    for number in range(1, depth + 1):
        layers += [Dense(width, name=f"fc{number}"), ReLU(name=f"relu{number}")]
    return Sequential([*layers, Dense(CLASSES, name="logits")], name="digits_float")


def _dense(units: int, name: str, bits: int) -> QDense:
    grid = quantized_bits(bits, 0, alpha=1)
    return QDense(units, kernel_quantizer=grid, bias_quantizer=grid, name=name)
