"""What a model ends in: a probability or a logit, and what of it the hardware leaves to software."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tf_keras
from qkeras import QActivation, QDense, quantized_sigmoid
from tf_keras.layers import Activation, Dense, Flatten, Softmax

from hlsflow.core.tasks import Kind, Task
from hlsflow.keras.endings import is_probability, left_to_software
from hlsflow.qat.purpose import classes_of, in_hardware


def ending(*layers: Any, inputs: int = 3) -> Any:
    return tf_keras.Sequential([tf_keras.Input((inputs,)), *layers])


PROBABILITIES = [
    lambda: [Dense(1, activation="sigmoid")],
    lambda: [Dense(1), Activation("sigmoid")],
    lambda: [Dense(1), Activation("hard_sigmoid")],
    lambda: [Dense(1), Activation("sigmoid"), QActivation("quantized_bits(8,0,alpha=1)"), Flatten()],
    lambda: [Dense(1), QActivation("quantized_sigmoid(4)")],
    lambda: [Dense(1), QActivation(quantized_sigmoid(4, use_real_sigmoid=1, symmetric=1))],
    lambda: [QDense(1, activation="quantized_sigmoid(4,symmetric=1)")],
    lambda: [Dense(1), QActivation("smooth_sigmoid")],
    lambda: [Dense(1), QActivation("binary_sigmoid")],
]

LOGITS = [
    lambda: [Dense(1)],
    lambda: [Dense(1, activation="tanh")],
    lambda: [Dense(1), QActivation("binary_tanh")],
    lambda: [Dense(1), QActivation("quantized_tanh(4)")],
    lambda: [Dense(1), QActivation("quantized_bits(6,2,alpha=1)")],
]


@pytest.mark.parametrize(("makes", "probability"), [*((m, True) for m in PROBABILITIES), *((m, False) for m in LOGITS)])
def test_classes_are_cut_where_the_logit_is_0(makes: Any, probability: bool) -> None:
    """The same classes as the logits give, whatever the model ends in; near 0 coarse steps may round to the cut."""
    model = ending(*makes(), inputs=1)
    model.set_weights([np.ones((1, 1)), np.zeros(1)])
    assert is_probability(model) is probability
    task = classes_of(model)
    assert task == Task(Kind.BINARY, 0.5 if probability else 0.0)
    logits = np.concatenate([np.linspace(-4, -0.6, 40), np.linspace(0.6, 4, 40)]).astype(np.float32)[:, np.newaxis]
    assert task.predicted(model.predict(logits, verbose=0)).tolist() == (logits[:, 0] > 0).astype(int).tolist()


@pytest.mark.parametrize(
    "layers",
    [
        lambda: [Dense(4, activation="sigmoid"), Dense(1)],
        lambda: [Dense(1), Activation("sigmoid"), QActivation("quantized_tanh(4)")],
    ],
)
def test_a_sigmoid_further_up_makes_no_probability(layers: Any) -> None:
    assert not is_probability(ending(*layers()))


def test_a_sigmoid_or_softmax_at_an_end_is_left_to_software_unless_it_is_read() -> None:
    x = tf_keras.Input((3,))
    yes = Dense(1, activation="sigmoid", name="yes")(x)
    more = Dense(2, name="more")(yes)
    model = tf_keras.Model(x, [yes, Softmax(name="soft")(more)])
    assert left_to_software(model) == {"soft": "softmax"}
    assert is_probability(model)
    assert in_hardware(classes_of(model), model, {}) == Task(Kind.BINARY, 0.5)


def test_the_hardwares_cut_is_that_of_the_logit_where_the_sigmoid_is_left_out() -> None:
    plain, kept = ending(Dense(1, activation="sigmoid")), ending(Dense(1), QActivation("quantized_sigmoid(4)"))
    assert in_hardware(classes_of(plain), plain, {}) == Task(Kind.BINARY, 0.0, "sigmoid")
    assert in_hardware(classes_of(kept), kept, {}) == Task(Kind.BINARY, 0.5)


def test_a_softmax_in_hardware_is_not_left_to_software() -> None:
    model = ending(Dense(3), Softmax(name="soft"))
    assert in_hardware(classes_of(model), model, {}).after == "softmax"
    assert in_hardware(classes_of(model), model, {"soft": "stable"}).after == ""
