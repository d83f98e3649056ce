"""Recurrent layers: a QLSTM unrolled is the same to the last bit, from QKeras to the oracle; all others are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import qkeras
import tf_keras

from hlsflow.core.errors import UnsupportedLayer
from hlsflow.hls.reading import read
from hlsflow.hls.translate import Settings
from hlsflow.ir import Fixed
from hlsflow.plugins.testing import check
from tests.hls.networks import TARGET, act, bits, dense, knobs

INPUT = Fixed(6, 2)


def lstm(units: int, name: str, **options: Any) -> Any:
    quantized = {
        "kernel_quantizer": bits(4, 0),
        "recurrent_quantizer": bits(4, 0),
        "bias_quantizer": bits(4, 0),
        "state_quantizer": bits(5, 1),
        "activation": qkeras.quantized_tanh(5),
        "recurrent_activation": qkeras.quantized_sigmoid(4),
    }
    return qkeras.QLSTM(units, **(quantized | options), name=name)


def network(*layers: Any, steps: int = 3) -> Any:
    x = tensor = tf_keras.Input((steps, 2), name="x")
    for layer in layers:
        tensor = layer(tensor)
    model = tf_keras.Model(x, tensor, name="sequence")
    rng = np.random.default_rng(5)
    model.set_weights([rng.normal(size=array.shape) * 0.7 for array in model.get_weights()])
    return model


def samples(steps: int = 3) -> Any:
    return INPUT.real(np.random.default_rng(6).integers(INPUT.min, INPUT.max + 1, (100, steps, 2)))


def both() -> Any:
    """A sequence to a sequence, then to its last value, then a classifier."""
    sigmoid = qkeras.quantized_sigmoid(4, use_real_sigmoid=True)
    return network(
        lstm(2, "first", return_sequences=True), act(bits(5, 0), "q"),
        lstm(3, "second", use_bias=False, recurrent_activation=sigmoid), act(bits(6, 0), "r"),
        dense(2, "fc"),
    )  # fmt: skip


def test_an_unrolled_lstm_is_exact_from_qkeras_to_the_oracle(tmp_path: Path) -> None:
    model = both()
    assert check(model, samples(), Settings(INPUT, TARGET, knobs()), tmp_path).passed
    unrolled = read(model).model
    assert np.array_equal(unrolled.predict(samples(), verbose=0), model.predict(samples(), verbose=0))


def test_unrolling_is_told() -> None:
    said = {note.layer: note.what for note in read(both()).corrections}
    assert said["first"] == "unrolled into its 3 time steps"


REFUSED = {
    "'l' has no state_quantizer": lambda: network(lstm(2, "l", state_quantizer=None)),
    "'l' has no kernel_quantizer": lambda: network(lstm(2, "l", kernel_quantizer=None)),
    "'l' has no recurrent_quantizer": lambda: network(lstm(2, "l", recurrent_quantizer=None)),
    "'l' has 20 time steps": lambda: network(lstm(2, "l"), steps=20),
    "'l' is a QLSTM with go_backwards=True": lambda: network(lstm(2, "l", go_backwards=True)),
    "'l' is a LSTM, which is not supported": lambda: network(tf_keras.layers.LSTM(2, name="l")),
    "'l' is a GRU, which is not supported": lambda: network(tf_keras.layers.GRU(2, name="l")),
    "'l' is a SimpleRNN, which is not supported": lambda: network(tf_keras.layers.SimpleRNN(2, name="l")),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_other_recurrent_layers_are_refused_with_the_alternative(reason: str) -> None:
    with pytest.raises(UnsupportedLayer, match=reason) as error:
        read(REFUSED[reason]())
    assert error.value.hint


def test_qkeras_itself_fails_on_the_other_two() -> None:
    """Should a later QKeras mend them, they are worth a look here."""
    for kind in (qkeras.QGRU, qkeras.QSimpleRNN):
        with pytest.raises(AttributeError):
            kind(2, kernel_quantizer=bits(4, 0), recurrent_quantizer=bits(4, 0))(tf_keras.Input((3, 2)))
