"""Models in plain form compute the same, whatever stood inside what; names and weights stay."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import qkeras
import tf_keras
from tf_keras import layers as keras

from hlsflow.core.errors import UnsupportedLayer
from hlsflow.keras.plain import PRUNED, is_model, plain
from hlsflow.qat import load_model


def dense(units: int, name: str, **options: Any) -> Any:
    bits = "quantized_bits(5,1,alpha=1)"
    return qkeras.QDense(units, kernel_quantizer=bits, bias_quantizer=bits, name=name, **options)


def sequential_in_functional() -> Any:
    encoder = tf_keras.Sequential(
        [keras.Input((6,)), dense(4, "fc"), qkeras.QActivation("quantized_relu(5,1)")], name="enc"
    )
    decoder = tf_keras.Sequential([keras.Input((4,)), dense(6, "fc")], name="dec")
    x = keras.Input((6,))
    return tf_keras.Model(x, decoder(encoder(x)))


def functional_in_sequential() -> Any:
    x = keras.Input((6,))
    inner = tf_keras.Model(x, keras.Add()([dense(6, "a")(x), x]), name="block")
    return tf_keras.Sequential([keras.Input((6,)), inner, dense(2, "end")])


def deep_with_several_ends() -> Any:
    a, b = keras.Input((4,)), keras.Input((4,))
    pair = tf_keras.Model([a, b], [keras.Subtract()([a, b]), keras.Add()([a, b])], name="pair")
    core = tf_keras.Sequential([keras.Input((4,)), dense(4, "core")], name="inner")
    y = keras.Input((4,))
    middle = tf_keras.Model(y, keras.ReLU()(core(y)), name="mid")
    x = keras.Input((6,))
    h = dense(4, "mid_inner_core")(x)  # the name that the innermost layer would get
    difference, total = pair([h, middle(h)])
    return tf_keras.Model(x, [total, dense(3, "end")(difference)])


def applied_twice() -> Any:
    shared = tf_keras.Sequential([keras.Input((6,)), dense(6, "fc")], name="tower")
    x = keras.Input((6,))
    return tf_keras.Model(x, keras.Concatenate()([shared(x), shared(keras.ReLU()(x))]))


def layers_as_activations() -> Any:
    x = keras.Input((6,))
    h = keras.Activation(keras.LeakyReLU(0.25), name="leaky")(dense(5, "fc", activation=keras.ReLU(max_value=2.0))(x))
    return tf_keras.Model(x, keras.Dense(3, activation=keras.ELU(0.5), name="end")(h))


def pruned() -> Any:
    from tensorflow_model_optimization.python.core.sparsity.keras import prune

    x = keras.Input((6,))
    return prune.prune_low_magnitude(tf_keras.Model(x, qkeras.QActivation("quantized_relu(5,1)")(dense(4, "fc")(x))))


def adapted() -> Any:
    layer = keras.Normalization(name="norm")
    layer.adapt(np.random.default_rng(3).normal(3.0, 2.0, (50, 6)))
    return tf_keras.Sequential([keras.Input((6,)), layer, dense(3, "fc")])


NAMES = {
    sequential_in_functional: ["enc_fc", "enc_q_activation", "dec_fc"],
    functional_in_sequential: ["block_a", "block_add", "end"],
    deep_with_several_ends: ["mid_inner_core", "mid_inner_core_2", "mid_re_lu", "pair_subtract", "pair_add", "end"],
    applied_twice: ["re_lu", "tower_fc", "tower_2_fc", "concatenate"],
    layers_as_activations: ["fc", "fc_relu", "leaky", "end", "end_elu"],
    pruned: ["fc", "q_activation"],
    adapted: ["norm", "fc"],
}


@pytest.mark.parametrize("build", NAMES)
@pytest.mark.parametrize("saved", ["as built", "from its file"])
def test_the_copy_computes_the_same(build: Callable[[], Any], saved: str, tmp_path: Path) -> None:
    tf_keras.backend.clear_session()
    model, random = build(), np.random.default_rng(1)
    for weight in model.weights if build is not adapted else ():
        weight.assign(
            random.integers(0, 2, weight.shape) if "mask" in weight.name else random.normal(size=weight.shape)
        )
    x = random.normal(size=(40, 6)).astype(np.float32) * 2
    wanted = model.predict(x, verbose=0)
    if saved != "as built":
        model.save(tmp_path / "model.h5")
        model = load_model(tmp_path / "model.h5")
    found = plain(model)
    values = found.model.predict(x, verbose=0)
    for one, other in zip(wanted, values, strict=True):  # outputs, or the rows of one
        np.testing.assert_array_equal(one, other)
    kept = [layer for layer in found.model.layers if type(layer).__name__ != "InputLayer"]
    assert sorted(layer.name for layer in kept) == sorted(NAMES[build])
    assert not any(is_model(layer) or type(layer).__name__ == PRUNED for layer in kept)
    assert not any(isinstance(getattr(layer, "activation", None), tf_keras.layers.Layer) for layer in kept)
    assert plain(found.model).model is found.model
    assert plain(found.model).notes == ()


def test_what_was_taken_apart_is_told() -> None:
    assert [(note.layer, note.what) for note in plain(sequential_in_functional()).notes] == [
        ("enc", "opened: its layers (2) are called enc_…"),
        ("dec", "opened: its layers (1) are called dec_…"),
    ]
    assert [note.layer for note in plain(pruned()).notes][:1] == ["fc"]
    assert all("wrapper" in note.what for note in plain(pruned()).notes)
    assert plain(layers_as_activations()).notes[0][:2] == ("fc", "its ReLU made a layer of its own")


def test_an_activation_with_weights_is_refused() -> None:
    model = tf_keras.Sequential([keras.Input((6,)), keras.Dense(3, activation=keras.PReLU(), name="fc")])
    with pytest.raises(UnsupportedLayer, match="layer 'fc' has a PReLU for its activation, which has weights"):
        plain(model)
