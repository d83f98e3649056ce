"""hls4ml's own calls with `backend="OpenRTL"`: what they predict is what QKeras computes, by the RTL."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import qkeras
import tf_keras

import hlsflow.plugins.openrtl  # noqa: F401  before hls4ml: it lets the converter take Keras 2 models
from hlsflow.core.errors import DataError
from tests.hls.networks import INPUT, act, bits, dense, network, samples
from tests.test_docs import blocks

import hls4ml  # isort: skip


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any, Path]:
    model = network(dense(5, "fc1"), act(qkeras.quantized_relu(6, 2), "relu"), dense(3, "fc2"))
    folder = tmp_path_factory.mktemp("openrtl") / "project"
    config = hls4ml.utils.config_from_keras_model(model, granularity="name", backend="OpenRTL")
    config["LayerName"][model.input_names[0]]["Precision"]["result"] = str(INPUT)
    config["LayerName"]["fc1"]["ReuseFactor"] = 7  # no divisor of anything here: the open RTL takes it
    hls_model = hls4ml.converters.convert_from_keras_model(
        model, hls_config=config, backend="OpenRTL", output_dir=str(folder)
    )
    hls_model.compile()
    return model, hls_model, folder


def test_the_backend_is_registered() -> None:
    assert "openrtl" in hls4ml.backends.get_available_backends()


def test_the_rtl_predicts_what_qkeras_does(converted: tuple[Any, Any, Path]) -> None:
    model, hls_model, folder = converted
    x = INPUT.real(INPUT.quantize(samples()))
    assert (folder / "rtl" / "top.v").is_file()
    np.testing.assert_array_equal(hls_model.predict(x), model.predict(x, verbose=0))


def test_samples_of_another_shape_are_refused(converted: tuple[Any, Any, Path]) -> None:
    with pytest.raises(DataError, match="inputs of shape"):
        converted[1].predict(np.zeros((4, 3)))


def test_what_the_readme_shows_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    model, x = network(dense(3, "fc")), INPUT.real(INPUT.quantize(samples()))
    names: dict[str, Any] = {"model": model, "x": x}
    exec(next(block for block in blocks("python") if "OpenRTL" in block), names)
    np.testing.assert_array_equal(names["y"], model.predict(x, verbose=0))
    report = names["report"]
    lut = next(metric for metric in report["metrics"] if metric["name"] == "lut")
    assert lut["value"] > 0
    assert (lut["stage"], lut["tool"], lut["target"]) == ("synth", "yosys", "xc7")
    assert report["ii"] == 1
    assert json.loads((tmp_path / "rtl_project" / "report.json").read_text()) == report


def test_another_part_is_refused() -> None:
    with pytest.raises(ValueError, match="xcvu9p"):
        hls4ml.utils.config.create_config(backend="OpenRTL", part="xcvu9p")


def test_a_parallelization_factor_is_pixels_at_a_time(tmp_path: Path) -> None:
    image = tf_keras.layers.Input((6, 6, 1), name="x")
    conv = qkeras.QConv2D(2, 3, kernel_quantizer=bits(6, 0), bias_quantizer=bits(6, 0), name="conv")
    model = tf_keras.Sequential([image, conv, act(qkeras.quantized_relu(4, 2), "relu")])
    config = hls4ml.utils.config_from_keras_model(model, granularity="name", backend="OpenRTL")
    config["LayerName"]["conv"]["ParallelizationFactor"] = 4
    hls_model = hls4ml.converters.convert_from_keras_model(
        model, hls_config=config, backend="OpenRTL", output_dir=str(tmp_path)
    )
    hls_model.write()
    assert re.search(r"out: 4 beats of 8 ", (tmp_path / "rtl" / "top.v").read_text())
