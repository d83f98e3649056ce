"""An autoencoder of 8 x 8 pixels, 64-32-16-32-64: quantized to 6 bits, and the float baseline of the same shape.

Both end at one value for each pixel. The error of the reconstruction, its sum and the threshold are added by hlsflow.
"""

from __future__ import annotations

from qkeras import QActivation, QDense, quantized_bits
from tf_keras import Sequential
from tf_keras.layers import Dense, Input, ReLU

PIXELS = 64


def quantized(width: int = 32, code: int = 16, bits: int = 6) -> Sequential:
    """Weights of `bits` bits in [-1, 1); activations below 4, those of the code with a sign.

    What is reconstructed lies on the grid of the pixels, steps of 1/16, from -2 to 2.
    """
    return Sequential(
        [
            Input((PIXELS,), name="pixels"),
            _dense(width, "encode", bits),
            QActivation(f"quantized_relu({bits},2)", name="encode_relu"),
            _dense(code, "code", bits),
            QActivation(f"quantized_bits({bits},2,alpha=1)", name="code_grid"),
            _dense(width, "decode", bits),
            QActivation(f"quantized_relu({bits},2)", name="decode_relu"),
            _dense(PIXELS, "reconstruction", bits),
            QActivation("quantized_bits(6,1,alpha=1)", name="reconstruction_grid"),
        ],
        name="autoencoder",
    )


def baseline(width: int = 32, code: int = 16) -> Sequential:
    """The same shape in floating point."""
    return Sequential(
        [
            Input((PIXELS,), name="pixels"),
            Dense(width, name="encode"),
            ReLU(name="encode_relu"),
            Dense(code, name="code"),
            Dense(width, name="decode"),
            ReLU(name="decode_relu"),
            Dense(PIXELS, name="reconstruction"),
        ],
        name="autoencoder_float",
    )


def _dense(units: int, name: str, bits: int) -> QDense:
    grid = quantized_bits(bits, 0, alpha=1)
    return QDense(units, kernel_quantizer=grid, bias_quantizer=grid, name=name)
