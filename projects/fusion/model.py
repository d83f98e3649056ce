"""A network of two inputs, an image and a vector, that meet in one classifier: quantized, and the float baseline.

A convolution looks at the image, a dense layer at the vector; what both found is put side by side. Both networks end at
the logits: the largest of them names the digit, so the hardware needs no softmax.
"""

from __future__ import annotations

from qkeras import QActivation, QConv2D, QDense, quantized_bits
from tf_keras import Model
from tf_keras.layers import Concatenate, Conv2D, Dense, Flatten, Input, ReLU

IMAGE, VECTOR, CLASSES = (4, 8, 1), 16, 10


def quantized(sees: str = "both", filters: int = 6, width: int = 32, bits: int = 6) -> Model:
    """Weights of `bits` bits in [-1, 1), activations of as many in [0, 4).

    `sees` is "image" or "vector" for a network that does not read its other input, to compare with; it can be trained,
    but hardware is for "both".
    """
    grid = quantized_bits(bits, 0, alpha=1)
    grids = {"kernel_quantizer": grid, "bias_quantizer": grid}
    image, vector = Input(IMAGE, name="image"), Input((VECTOR,), name="vector")
    pixels = QActivation("quantized_relu(5,1)", name="pixels")(image)  # pixels have 5 bits, means 8
    found = QActivation(f"quantized_relu({bits},2)", name="relu_conv")(
        QConv2D(filters, 3, name="conv", **grids)(pixels)
    )
    shapes = Flatten(name="shapes")(found)
    sums = QActivation(f"quantized_relu({bits},2)", name="relu_sums")(QDense(width, name="sums", **grids)(vector))
    fused = _fused(sees, shapes, sums)
    hidden = QActivation(f"quantized_relu({bits},2)", name="relu1")(QDense(width, name="fc1", **grids)(fused))
    return Model([image, vector], QDense(CLASSES, name="logits", **grids)(hidden), name="fusion")


def baseline(sees: str = "both", filters: int = 6, width: int = 32) -> Model:
    """The same shape in floating point."""
    image, vector = Input(IMAGE, name="image"), Input((VECTOR,), name="vector")
    shapes = Flatten(name="shapes")(ReLU(name="relu_conv")(Conv2D(filters, 3, name="conv")(image)))
    sums = ReLU(name="relu_sums")(Dense(width, name="sums")(vector))
    hidden = ReLU(name="relu1")(Dense(width, name="fc1")(_fused(sees, shapes, sums)))
    return Model([image, vector], Dense(CLASSES, name="logits")(hidden), name="fusion_float")


def _fused(sees: str, shapes: object, sums: object) -> object:
    """What the classifier reads."""
    both = Concatenate(name="fused")
    return {"both": lambda: both([shapes, sums]), "image": lambda: shapes, "vector": lambda: sums}[sees]()
