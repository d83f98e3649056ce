"""The network of the project: quantized to 6 bits, and the float baseline of the same shape.

Both end at the logits: the largest of them names the class, so the hardware needs no softmax.
"""

from __future__ import annotations

from qkeras import QActivation, QDense, quantized_bits
from tf_keras import Sequential
from tf_keras.layers import Dense, Input, ReLU

INPUTS, HIDDEN, CLASSES = $inputs, (32, 32), $classes


def quantized() -> Sequential:
    """6-bit weights in [-1, 1) in steps of 1/32, 6-bit activations in [0, 4) in steps of 1/16."""
    layers = [Input((INPUTS,))]
    for number, units in enumerate(HIDDEN, 1):
        layers += [_dense(units, f"fc{number}"), QActivation("quantized_relu(6,2)", name=f"relu{number}")]
    return Sequential([*layers, _dense(CLASSES, "logits")])


def baseline() -> Sequential:
    """The same shape in floating point."""
    layers = [Input((INPUTS,))]
    for number, units in enumerate(HIDDEN, 1):
        layers += [Dense(units, name=f"fc{number}"), ReLU(name=f"relu{number}")]
    return Sequential([*layers, Dense(CLASSES, name="logits")])


def _dense(units: int, name: str) -> QDense:
    grid = quantized_bits(6, 0, alpha=1)
    return QDense(units, kernel_quantizer=grid, bias_quantizer=grid, name=name)
