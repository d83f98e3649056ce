"""Trains a residual CNN of MLPerf Tiny's size with QKeras alone, as a stranger would; saves the model and samples.

In: an `.npz` with CIFAR-10 images, `x_train`, `y_train`, `x_test`, `y_test`. Out: `OUT.h5`, a model that belongs to no
project, and `OUT.npz` with the test images as the network sees them (`x`, multiples of 1/256) and their classes (`y`):

    scripts/run tiny_resnet.h5 --data tiny_resnet.npz --input-precision "ufixed<8,0>"

Five stages of 3 x 3 convolutions with folded batch normalization; two have a shortcut through a 1 x 1 convolution, one
is added to its own input. 59,082 parameters after folding, about those of hls4ml's CIFAR-10 network in MLPerf Tiny;
8-bit weights, 8-bit unsigned activations.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from hlsflow.keras import keras2

keras2.ready()

from qkeras import QActivation, QConv2DBatchnorm, QDense, quantized_bits  # noqa: E402  after the environment is set
from tf_keras import Model, utils  # noqa: E402
from tf_keras.layers import Add, Flatten, Input, ZeroPadding2D  # noqa: E402
from tf_keras.losses import SparseCategoricalCrossentropy  # noqa: E402
from tf_keras.optimizers import Adam  # noqa: E402
from tf_keras.optimizers.schedules import CosineDecay  # noqa: E402

BATCH = 64
MOMENTUM = 0.9
"""Of the batch statistics: a few hundred steps must be enough to make them real."""


def conv(x: Any, filters: int, size: int, stride: int, name: str, integer: int = 0) -> Any:
    """A convolution with batch normalization, zeros around 3 x 3 ones; folded weights lie within 2**integer."""
    if size == 3:
        x = ZeroPadding2D(1, name=f"{name}_pad")(x)
    grids = {
        "kernel_quantizer": quantized_bits(8, integer, alpha=1),
        "bias_quantizer": quantized_bits(8, 2, alpha=1),
    }
    return QConv2DBatchnorm(filters, size, stride, momentum=MOMENTUM, name=name, **grids)(x)


def relu(x: Any, name: str) -> Any:
    """8 unsigned bits, 0 to 4."""
    return QActivation("quantized_relu(8,2)", name=name)(x)


def network() -> Model:
    """32 x 32 x 3 to ten logits."""
    pixels = Input((32, 32, 3), name="pixels")
    one = relu(conv(pixels, 16, 3, 1, "conv1", 2), "relu1")
    two = relu(Add(name="add2")([conv(one, 32, 3, 2, "conv2"), conv(one, 32, 1, 2, "shortcut2", 1)]), "relu2")
    three = relu(Add(name="add3")([conv(two, 32, 3, 1, "conv3"), two]), "relu3")
    four = relu(Add(name="add4")([conv(three, 64, 3, 2, "conv4"), conv(three, 64, 1, 2, "shortcut4")]), "relu4")
    five = relu(conv(four, 32, 3, 2, "conv5"), "relu5")
    grid = quantized_bits(8, 0, alpha=1)
    logits = QDense(10, kernel_quantizer=grid, bias_quantizer=grid, name="logits")(Flatten(name="flatten")(five))
    return Model(pixels, logits, name="tiny_resnet")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="CIFAR-10 images, .npz")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--out", type=Path, default=Path("tiny_resnet.h5"), help="the model; samples lie beside it")
    arguments = parser.parse_args()
    with np.load(arguments.data) as arrays:
        x, x_test = (arrays[name] / np.float32(256) for name in ("x_train", "x_test"))
        y, y_test = arrays["y_train"], arrays["y_test"]
    utils.set_random_seed(0)
    model = network()
    rate = CosineDecay(0.003, arguments.epochs * -(-2 * len(x) // BATCH))
    model.compile(Adam(rate), SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    flipped = np.concatenate([x, x[:, :, ::-1]])
    model.fit(flipped, np.concatenate([y, y]), BATCH, arguments.epochs, verbose=2, validation_data=(x_test, y_test))
    model.save(arguments.out, include_optimizer=False)
    np.savez_compressed(arguments.out.with_suffix(".npz"), x=x_test, y=y_test)


if __name__ == "__main__":
    main()
