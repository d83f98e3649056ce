"""Preprocessing layers within a network are one scale and bias per channel; layers for training alone are nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tf_keras
from tf_keras import layers as keras

from hlsflow.core.errors import UnsupportedLayer
from hlsflow.hls.translate import Settings, translate
from hlsflow.ir import Op, evaluate
from hlsflow.keras.plain import IDENTITIES
from tests.hls.networks import INPUT, TARGET, dense, knobs, samples


def behind(*layers: Any, n_in: int = 3) -> Any:
    model = tf_keras.Sequential([keras.Input((n_in,), name="x"), *layers, dense(4, "fc")])
    model.get_layer("fc").set_weights([np.random.default_rng(1).normal(size=(n_in, 4)), np.zeros(4)])
    return model


EXACT = {
    "normalization": lambda: keras.Normalization(mean=[1.5, -2.0, 0.0], variance=[4.0, 0.25, 1.0], name="n"),
    "inverse": lambda: keras.Normalization(mean=[1.5, -2.0, 0.0], variance=[4.0, 0.25, 1.0], invert=True, name="n"),
    "of all": lambda: keras.Normalization(axis=None, mean=0.5, variance=16.0, name="n"),
    "rescaling": lambda: keras.Rescaling(1 / 128, offset=-0.5, name="n"),
    "by channel": lambda: keras.Rescaling([0.5, 2.0, 0.25], offset=[0.0, 1.0, -3.0], name="n"),
}


@pytest.mark.parametrize("name", EXACT)
def test_constants_on_a_grid_are_exact(name: str, tmp_path: Path) -> None:
    model, x = behind(EXACT[name]()), samples(100, 3)
    graph = translate(model, Settings(INPUT, TARGET, knobs()), tmp_path).graph
    assert graph["n"].op is Op.SCALE
    found = graph.results[0].type.real(evaluate(graph, INPUT.quantize(x)))
    np.testing.assert_array_equal(found, model.predict(x, verbose=0))


def test_other_constants_are_rounded_to_18_bits_and_listed(tmp_path: Path) -> None:
    layer = keras.Normalization(name="n")
    layer.adapt(np.random.default_rng(2).normal(1.0, 3.0, (200, 3)))
    model, x = behind(layer), samples(100, 3)
    model.save(tmp_path / "model.h5")
    from hlsflow.qat import load_model

    result = translate(load_model(tmp_path / "model.h5"), Settings(INPUT, TARGET, knobs()), tmp_path / "hls")
    graph = result.graph
    found = graph.results[0].type.real(evaluate(graph, INPUT.quantize(x)))
    wanted = model.predict(x, verbose=0)
    assert 0 < np.abs(found - wanted).max() < 2.0**-12 * np.abs(wanted).max()
    assert next(one.what for one in result.corrections if one.layer == "n").startswith("scale frozen as fixed<18,")


def test_constants_along_another_axis_are_refused(tmp_path: Path) -> None:
    layer = keras.Normalization(axis=1, mean=[0.0, 1.0], variance=[1.0, 4.0], name="n")
    model = tf_keras.Sequential([keras.Input((2, 3), name="x"), layer, keras.Flatten(), dense(2, "fc")])
    with pytest.raises(UnsupportedLayer, match="layer 'n', a Normalization, has constants along another axis"):
        translate(model, Settings(INPUT, TARGET, knobs()), tmp_path)


OPTIONS = {
    **dict.fromkeys(("Dropout", "AlphaDropout", "GaussianNoise", "GaussianDropout"), (0.2,)),
    **dict.fromkeys(("SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"), (0.2,)),
    **dict.fromkeys(("RandomTranslation",), (0.1, 0.1)),
    **dict.fromkeys(("RandomRotation", "RandomZoom", "RandomContrast", "RandomBrightness"), (0.1,)),
}
RANKS = {"SpatialDropout1D": (3, 2), "SpatialDropout3D": (2, 2, 2, 2)} | {
    name: (3, 4, 2) for name in IDENTITIES if name.startswith("Random") or name == "SpatialDropout2D"
}


@pytest.mark.parametrize("name", IDENTITIES)
def test_layers_for_training_alone_are_nothing(name: str, tmp_path: Path) -> None:
    shape = RANKS.get(name, (6,))
    layers = [getattr(keras, name)(*OPTIONS.get(name, ())), keras.Flatten(), dense(3, "fc")]
    model = tf_keras.Sequential([keras.Input(shape, name="x"), *layers])
    size = int(np.prod(shape))
    x = samples(20, size)
    graph = translate(model, Settings(INPUT, TARGET, knobs()), tmp_path).graph
    found = graph.results[0].type.real(evaluate(graph, INPUT.quantize(x)))
    np.testing.assert_array_equal(found, model.predict(x.reshape(-1, *shape), verbose=0))
