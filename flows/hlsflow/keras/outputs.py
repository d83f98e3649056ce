"""What a Keras model computes for given samples: as its layers are written.

In: a model and samples. Out: the values of each of its outputs. TensorFlow rewrites graphs before it runs them: a
division by a constant becomes a product, which breaks ties of quantizers the other way, in some graphs and not in
others. Here it rewrites nothing, so that a sample has the same values in any company, and in float64.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from hlsflow.keras.inputs import sample_shape, split

EAGER_BELOW = 10_000_000
"""Values, of all layers for all samples, up to which calling layers one by one takes less time than making a graph of
them: 0.2 s instead of 2.3 s for 300 samples and 156 layers."""

PLAIN = {"tf_keras", "qkeras"}
"""Packages whose layers have no `if` or `for` that asks a tensor."""

Result = TypeVar("Result")


def outputs(model: Any, x: NDArray[Any], batch: int = 1024) -> list[NDArray[Any]]:
    """Run a model; `predict` without its preparations where these would take longer than the work.

    Args:
        model: of Keras, with any number of inputs and outputs.
        x: (n, ...), the samples; of all inputs, side by side, where there are several.
        batch: samples at once.

    Returns:
        An array (n, *shape) for each output.
    """
    x = x.reshape(len(x), *sample_shape(model))
    if len(x) * _values(model) < EAGER_BELOW:
        parts = [_called(model, x[start : start + batch]) for start in range(0, len(x), batch)]
        return [np.concatenate(pieces) for pieces in zip(*parts, strict=True)]
    with _as_written():
        results = model.predict(split(model, x), batch_size=batch, verbose=0)
    return results if isinstance(results, list) else [results]


@contextmanager
def _as_written() -> Iterator[None]:
    """Graphs run as they are made."""
    import tensorflow as tf

    options = tf.config.optimizer
    before = options.get_experimental_options().get("disable_meta_optimizer", False)
    options.set_experimental_options({"disable_meta_optimizer": True})
    try:
        yield
    finally:
        options.set_experimental_options({"disable_meta_optimizer": before})


def _values(model: Any) -> int:
    """Of all layers, for one sample."""
    shapes = [shape for layer in model.layers for shape in _shapes(layer.output_shape)]
    return sum(math.prod(size or 1 for size in shape[1:]) for shape in shapes)


def _shapes(shape: Any) -> Sequence[Sequence[int | None]]:
    """Of one output, of several, or of an input layer, which has a list of one."""
    return shape if isinstance(shape, list) else [shape]


def _called(model: Any, x: NDArray[Any]) -> list[NDArray[Any]]:
    import tensorflow as tf

    parts = split(model, x)
    parts = parts if isinstance(parts, list) else [parts]
    tensors = [tf.constant(part, tensor.dtype) for part, tensor in zip(parts, model.inputs, strict=True)]
    results = model(tensors if len(tensors) > 1 else tensors[0], training=False)
    return [result.numpy() for result in (results if isinstance(results, list) else [results])]


def plain(model: Any, function: Callable[..., Result]) -> Callable[..., Result]:
    """A function that uses the model, for use in a graph: as it is, where all layers can do without translation."""
    import tensorflow as tf

    packages = {type(layer).__module__.partition(".")[0] for layer in model.layers}
    return tf.autograph.experimental.do_not_convert(function) if packages <= PLAIN else function


def untranslated(build: Callable[[], Result]) -> Result:
    """What `build` returns, where layers are made and connected, in less time.

    TensorFlow rewrites the Python of each layer that is not Keras' own, so that an `if` may ask a tensor. QKeras has
    none that does; a model with such a layer is built in the usual way.
    """
    import tensorflow as tf

    try:
        return tf.autograph.experimental.do_not_convert(build)()  # type: ignore[no-any-return]
    except tf.errors.OperatorNotAllowedInGraphError:
        return build()
