"""Code of a model.py that changes what all code shares, networks that no training or hardware can be made of."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hlsflow.core.errors import ModelError, UnsupportedLayer
from hlsflow.hls.precision import activation_type, declared_weight_type
from hlsflow.ir import Fixed
from hlsflow.project import load
from hlsflow.qat.build import build

TOML = """
name = "p"
[data]
source = "digits"
test = 0.2
validation = 0.1
[model]
quantized = "quantized"
[training]
epochs = 1
batch_size = 32
learning_rate = 0.01
[input]
precision = "fixed<8,3>"
[knobs]
reuse_factor = 1
"""
SOUND = "Input((4,)), Dense(3, name='fc')"


def built(folder: Path, before: str = "", layers: str = SOUND) -> Any:
    head = "import os, sys, warnings\nimport numpy as np\nimport tensorflow as tf\nimport tf_keras\n"
    body = f"def quantized():\n    {before or 'pass'}\n    return tf_keras.Sequential([{layers}])\n"
    (folder / "model.py").write_text(f"{head}from tf_keras.layers import *\n{body}")
    (folder / "project.toml").write_text(TOML)
    return build(load(folder), "quantized")


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ("tf_keras.backend.set_floatx('float64')", "'fc' computes in float64"),
        ("tf_keras.backend.set_floatx('float16')", "'fc' computes in float16"),
        ("tf_keras.mixed_precision.set_global_policy('mixed_float16')", "'fc' computes in float16"),
    ],
)
def test_another_number_type_is_refused_and_put_back(tmp_path: Path, before: str, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        built(tmp_path, before)
    assert built(tmp_path).layers[0].compute_dtype == "float32"


def test_channels_first_are_refused_and_put_back(tmp_path: Path) -> None:
    layers = "Input((1, 4, 4)), Conv2D(2, 3, name='conv'), Flatten()"
    with pytest.raises(ModelError, match="'conv' has its channels first"):
        built(tmp_path, "tf_keras.backend.set_image_data_format('channels_first')", layers)
    assert built(tmp_path, "", "Input((4, 4, 1)), Conv2D(2, 3), Flatten()").layers[0].data_format == "channels_last"


def test_settings_of_python_are_put_back(tmp_path: Path) -> None:
    before = os.getcwd(), sys.getrecursionlimit(), sys.stdout, sys.stderr, np.geterr()
    changes = "os.chdir('/'); sys.setrecursionlimit(9999); sys.stdout = sys.stderr = None; np.seterr(all='raise')"
    built(tmp_path, f"{changes}; warnings.simplefilter('error'); tf.config.run_functions_eagerly(True)")
    assert before == (os.getcwd(), sys.getrecursionlimit(), sys.stdout, sys.stderr, np.geterr())
    import tensorflow as tf

    assert not tf.config.functions_run_eagerly()


@pytest.mark.parametrize(("layers", "said"), [("", "0 inputs and 0 outputs"), ("Input((4,))", "has no layers")])
def test_a_network_without_layers(tmp_path: Path, layers: str, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        built(tmp_path, "", layers)


def quantizer(name: str, **config: Any) -> dict[str, Any]:
    return {"class_name": name, "config": config}


@pytest.mark.parametrize("bits", [63, 64, 10**9, 0, -1, 2.5])
def test_widths_that_no_type_has(bits: float) -> None:
    for name in ("quantized_bits", "quantized_relu"):
        with pytest.raises(UnsupportedLayer, match=rf"layer 'fc': {name} of {bits} bits"):
            activation_type("fc", quantizer(name, bits=bits, integer=0))
    with pytest.raises(UnsupportedLayer, match="use a whole number of bits, 1 to 62"):
        declared_weight_type("fc", quantizer("quantized_bits", bits=bits, integer=0))


def test_the_widest_type_is_taken() -> None:
    assert declared_weight_type("fc", quantizer("quantized_bits", bits=62, integer=0)) == Fixed(62, 1)
    with pytest.raises(UnsupportedLayer, match="integer=128"):
        declared_weight_type("fc", quantizer("quantized_bits", bits=8, integer=128))


def test_a_quantizer_out_of_bounds_is_refused_with_its_line(tmp_path: Path) -> None:
    layer = "QDense(3, kernel_quantizer='quantized_po2(63)', name='fc')"
    with pytest.raises(ModelError, match=r"quantized\(\) in .*model.py failed at line \d+: quantized_po2 has bits=63"):
        built(tmp_path, "from qkeras import QDense", f"Input((4,)), {layer}")
