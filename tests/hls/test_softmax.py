"""Softmax in hardware: hls4ml's tables to the last bit, close to the true one, and only where a knob asks for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import qkeras
import tf_keras

from hlsflow.core.errors import FlowError, UnsupportedLayer
from hlsflow.hls import softmax
from hlsflow.hls.translate import Settings, translate
from hlsflow.ir import Fixed, Op
from hlsflow.plugins.testing import check
from hlsflow.project import Target
from tests.hls.networks import INPUT, TARGET, act, bits, dense, knobs, network, samples

FORMS = {
    "inner": {"implementation": "stable"},
    "stable": {"implementation": "stable"},
    "latency": {"implementation": "latency"},
    "argmax": {"implementation": "argmax"},
}


def softmaxes() -> Any:
    """Every form, at an end and inside, on a layer's own and as a layer."""
    x = tf_keras.Input((8,), name="x")
    hidden = act(bits(8, 3), "hidden")(dense(6, "fc")(x))
    inner = tf_keras.layers.Softmax(name="inner")(hidden)
    ends = [
        dense(3, "after", bits(6, 0))(act(bits(9, 1), "probability")(inner)),
        dense(5, "stable", activation="softmax")(hidden),
        tf_keras.layers.Activation("softmax", name="latency")(act(bits(6, 1), "narrow")(hidden)),
        dense(4, "argmax", activation="softmax")(hidden),
        dense(3, "software", activation="softmax")(hidden),
    ]
    model = tf_keras.Model(x, ends, name="softmaxes")
    rng = np.random.default_rng(3)
    model.set_weights([rng.normal(size=array.shape) * 0.7 for array in model.get_weights()])
    return model


@pytest.mark.parametrize("io_type", ["io_parallel", "io_stream"])
def test_every_form_equals_hls4ml_to_the_last_bit(io_type: str, tmp_path: Path) -> None:
    target = Target.model_validate({"io_type": io_type})
    gate = check(softmaxes(), samples(), Settings(INPUT, target, knobs(layers=FORMS)), tmp_path)
    assert gate.passed, gate


def test_forms_are_listed_with_their_distance_from_the_true_softmax(tmp_path: Path) -> None:
    translated = translate(softmaxes(), Settings(INPUT, TARGET, knobs(layers=FORMS)), tmp_path)
    said = {note.layer: note.what for note in translated.corrections}
    assert "form stable" in said["stable_softmax"]
    assert "largest class right in 100.0%" in said["stable_softmax"]
    assert said["argmax_softmax"].startswith("one-hot argmax")
    assert "left to software" in said["software"]
    graph = translated.graph
    assert [graph[name].op for name in ("inner", "stable_softmax", "latency")] == [Op.SOFTMAX] * 3
    assert graph["argmax_softmax"].op is Op.ARGMAX


@pytest.mark.parametrize("source", [Fixed(6, 3), Fixed(10, 4), Fixed(16, 6), Fixed(8, 4, signed=False)], ids=str)
@pytest.mark.parametrize("classes", [2, 5, 10, 15])
def test_the_stable_form_is_close_to_the_true_softmax(source: Fixed, classes: int) -> None:
    how = softmax.chosen("stable", source, classes, None)
    logits = source.real(np.random.default_rng(4).integers(source.min, source.max + 1, (500, classes)))
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    true = powers / powers.sum(-1, keepdims=True)
    assert np.abs(how.run(logits) - true).max() < 2.0**-10


def test_a_softmax_inside_needs_a_knob(tmp_path: Path) -> None:
    model = network(dense(3, "fc"), tf_keras.layers.Softmax(name="s"), act(bits(6, 0), "q"))
    with pytest.raises(UnsupportedLayer, match="'s' is a softmax inside the network") as error:
        translate(model, Settings(INPUT, TARGET, knobs()), tmp_path)
    assert "knobs.layers.s.implementation" in (error.value.hint or "")


def test_a_form_for_what_is_no_softmax_is_an_error(tmp_path: Path) -> None:
    model = network(dense(3, "fc"), act(qkeras.quantized_relu(6, 2), "relu"))
    for name in ("fc", "relu"):
        with pytest.raises(FlowError, match=f"knobs.layers.{name}.implementation: layer '{name}' is no softmax"):
            translate(model, Settings(INPUT, TARGET, knobs(layers={name: {"implementation": "argmax"}})), tmp_path)


def test_a_softmax_over_an_image_is_refused(tmp_path: Path) -> None:
    x = tf_keras.Input((4, 3), name="x")
    model = tf_keras.Model(x, tf_keras.layers.Softmax(name="s")(act(bits(6, 2), "q")(x)))
    with pytest.raises(UnsupportedLayer, match="'s' is a softmax over one of several axes"):
        translate(model, Settings(INPUT, TARGET, knobs(layers={"s": {"implementation": "stable"}})), tmp_path)
