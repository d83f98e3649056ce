"""Networks that cannot be trained are refused when they are built: by the layer, in words, with what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from hlsflow.core.errors import ModelError, ProjectError
from hlsflow.project import load
from hlsflow.qat.build import build
from tests.qat.test_settings import TOML

MODEL = """
import tf_keras, qkeras
from tf_keras import layers

def bits():
    return qkeras.quantized_bits(4, 0, alpha=1)

def quantized():
    return tf_keras.Sequential([{layers}])
"""


def project_folder(folder: Path, model: str) -> Path:
    (folder / "project.toml").write_text(TOML, encoding="utf-8")
    (folder / "model.py").write_text(model, encoding="utf-8")
    return folder


IMPOSSIBLE = {
    "layers.Input((0,)), qkeras.QDense(3, kernel_quantizer=bits(), name='fc')": (
        r"layer 'fc' has no values: its weights are 0 x 3", "at least one value"),
    "layers.Input((4,)), qkeras.QDense(0, kernel_quantizer=bits(), name='fc')": (
        r"layer 'fc' has no values: its weights are 4 x 0", "at least one value"),
    "layers.Input((0, 2), name='x'), layers.Flatten(), layers.Reshape((0,))": (
        r"layer 'x' has no values: its result is 0 x 2", "at least one value"),
    "layers.Input((10**6,)), qkeras.QDense(10**6, kernel_quantizer=bits(), name='big')": (
        r"layer 'big' has 1,000,000,000,000 weights \(1000000 x 1000000\), more than memory holds", "fewer units"),
    "layers.Input((4,)), layers.Dense(3, bias_initializer=tf_keras.initializers.Constant(float('nan')), name='fc')": (
        r"layer 'fc' begins with weights that are NaN or infinite", "correct its initializer"),
}  # fmt: skip


@pytest.mark.parametrize("layers", IMPOSSIBLE, ids=range(len(IMPOSSIBLE)))
def test_the_layer_is_named_before_anything_is_trained(layers: str, tmp_path: Path) -> None:
    message, hint = IMPOSSIBLE[layers]
    project = load(project_folder(tmp_path, MODEL.replace("{layers}", layers)))
    with pytest.raises(ModelError, match=message) as caught:
        build(project, "quantized")
    assert hint in caught.value.hint


def test_a_function_that_an_import_with_a_star_brings_is_found(tmp_path: Path) -> None:
    layers = "layers.Input((4,)), qkeras.QDense(3, kernel_quantizer=bits(), name='fc')"
    folder = project_folder(tmp_path, f"import sys\nsys.path.insert(0, {str(tmp_path)!r})\nfrom blocks import *\n")
    (tmp_path / "blocks.py").write_text(MODEL.replace("{layers}", layers), encoding="utf-8")
    assert build(load(folder), "quantized").output_shape == (None, 3)


def test_a_function_that_no_import_brings_is_an_error_without_a_star_for_a_name(tmp_path: Path) -> None:
    project = load(project_folder(tmp_path, "from math import *\n"))
    with pytest.raises(ModelError, match=r"there is no such function, nor one among what is imported with \*"):
        build(project, "quantized")
    with pytest.raises(ProjectError, match="has no function quantized"):
        load(project_folder(tmp_path, "from math import sin\n"))
