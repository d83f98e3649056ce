"""What a model computes: the same with and without a graph of its layers, and with and without translated Python."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import qkeras
import tensorflow as tf
import tf_keras
from tf_keras import layers as keras

from hlsflow.keras import outputs as module
from hlsflow.keras.outputs import outputs, plain, untranslated


class Folded(keras.Layer):  # type: ignore[misc]
    """Asks a tensor in an `if`, which needs TensorFlow's translation in a graph."""

    def call(self, x: Any) -> Any:
        if tf.reduce_sum(x) > 0.0:
            return x
        return -x


def two_ends() -> Any:
    left, right = keras.Input((3, 2)), keras.Input((4,))
    grid = qkeras.quantized_bits(4, 0, alpha=1)
    shared = keras.Concatenate()([keras.Flatten()(left), right])
    first = qkeras.QDense(5, kernel_quantizer=grid, bias_quantizer=grid)(shared)
    return tf_keras.Model([left, right], [first, qkeras.QActivation("quantized_relu(5,2)")(first)])


@pytest.mark.parametrize("rows", [1, 7, 20])
def test_few_samples_give_what_a_graph_gives(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    model, x = two_ends(), np.random.default_rng(rows).normal(size=(rows, 10)).astype(np.float32)
    called = outputs(model, x, batch=7)
    monkeypatch.setattr(module, "EAGER_BELOW", 0)
    predicted = outputs(model, x, batch=7)
    by_keras = model.predict([x[:, :6].reshape(-1, 3, 2), x[:, 6:]], verbose=0)
    assert [values.shape for values in called] == [(rows, 5), (rows, 5)]
    for one_by_one, in_a_graph, own in zip(called, predicted, by_keras, strict=True):
        np.testing.assert_array_equal(one_by_one, in_a_graph)
        np.testing.assert_array_equal(one_by_one, own)
    assert np.ptp(called[0]) > 0


def test_a_tie_is_broken_as_the_layer_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """3.3125 * 6 / 6 is half way between two steps of 1/8; times the sixth that float32 has, it is above."""
    entry = keras.Input((1,))
    model = tf_keras.Model(entry, qkeras.QActivation(qkeras.quantized_hswish(6, 2, alpha=1))(entry))
    x = np.array([[3.3125], [3.4375]], np.float32)
    predicted = model.predict(x, verbose=0)
    for most in (module.EAGER_BELOW, 0):
        monkeypatch.setattr(module, "EAGER_BELOW", most)
        np.testing.assert_array_equal(outputs(model, x)[0], [[3.25], [3.5]])
    np.testing.assert_array_equal(model.predict(x, verbose=0), predicted)  # whose own way comes back
    if (predicted == outputs(model, x)[0]).all():
        pytest.skip("this TensorFlow leaves the division as it is")


def test_one_output_is_a_list_too() -> None:
    model = tf_keras.Sequential([keras.Input((2,)), keras.Dense(1, use_bias=False, kernel_initializer="ones")])
    (values,) = outputs(model, np.array([[1.0, 2.0], [3.0, 4.5]]))
    np.testing.assert_array_equal(values, [[3.0], [7.5]])


def test_values_of_all_layers_are_counted() -> None:
    assert module._values(two_ends()) == 6 + 4 + 6 + 10 + 5 + 5


def test_a_layer_that_asks_a_tensor_is_built_and_trained_in_the_usual_way() -> None:
    def build() -> Any:
        return tf_keras.Sequential([keras.Input((2,)), Folded()])

    model = untranslated(build)
    step = plain(model, lambda x: model(x, training=True))
    np.testing.assert_array_equal(tf.function(step)(tf.constant([[1.0, -3.0]])), [[-1.0, 3.0]])
    with pytest.raises(tf.errors.OperatorNotAllowedInGraphError):  # which is why `plain` looks at the layers
        tf.function(tf.autograph.experimental.do_not_convert(model.call))(tf.constant([[1.0, -3.0]]))


def test_layers_of_keras_and_qkeras_need_no_translation() -> None:
    def step(x: Any) -> bool:
        return bool(tf.autograph.experimental) and x is not None

    assert plain(two_ends(), step) is not step
    assert plain(tf_keras.Sequential([keras.Input((2,)), Folded()]), step) is step
