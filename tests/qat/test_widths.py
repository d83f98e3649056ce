"""Quantizers out of bounds are refused by name before QKeras computes with them."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from hlsflow.core.errors import ModelError
from hlsflow.keras import keras2
from hlsflow.qat import load_model
from hlsflow.qat.widths import bounded

keras2.ready()
import qkeras  # noqa: E402  # after Keras 2 is chosen
import tf_keras  # noqa: E402

WRONG = {
    "quantized_po2(63)": "quantized_po2 has bits=63, which is no whole number from 1 to 8",
    "quantized_po2(10**40)": "quantized_po2 has bits=1e+40, which is no whole number from 1 to 8",
    "quantized_relu_po2(bits=9)": "quantized_relu_po2 has bits=9, which is no whole number from 1 to 8",
    "quantized_po2(4, 10**400)": "quantized_po2 has max_value=inf, which is no number from 0 up",
    "quantized_relu_po2(4, float('nan'))": "quantized_relu_po2 has max_value=nan, which is no number from 0 up",
    "quantized_bits(63, 0)": "quantized_bits has bits=63, which is no whole number from 1 to 62",
    "quantized_bits(0)": "quantized_bits has bits=0, which",
    "quantized_bits(2.5)": "quantized_bits has bits=2.5, which",
    "quantized_relu(float('inf'))": "quantized_relu has bits=inf, which",
    "quantized_bits(8, 31)": "quantized_bits has integer=31, which is no whole number from 0 to 30",
    "quantized_relu(8, integer=-1)": "quantized_relu has integer=-1, which is no whole number from 0 to 30",
    "quantized_hswish(70, 2)": "quantized_hswish has bits=70, which",
    "quantized_tanh(-3)": "quantized_tanh has bits=-3, which",
}
"""How a quantizer is written → what is said of it."""


@pytest.mark.parametrize("text", WRONG)
def test_arguments_out_of_bounds(text: str) -> None:
    began = time.monotonic()
    with bounded(), pytest.raises(ModelError) as error:
        eval(text, vars(qkeras).copy())
    assert error.value.message.startswith(WRONG[text])
    assert time.monotonic() - began < 5  # QKeras itself would compute for hours


@pytest.mark.parametrize(
    "text",
    [
        *("quantized_bits(62, 30)", "quantized_bits(8.0, 0)", "quantized_po2(8)", "quantized_relu_po2(8, 4)"),
        *("quantized_po2(4, 0.25)", "ternary()", "binary(alpha=1)", "quantized_relu(6, 2)", "quantized_bits()"),
    ],
)
def test_arguments_within_bounds(text: str) -> None:
    with bounded():
        eval(text, vars(qkeras).copy())


def test_quantizers_are_their_own_again_after_the_block() -> None:
    before = qkeras.quantized_bits.__init__
    with pytest.raises(ModelError), bounded():
        qkeras.quantized_bits(99)
    assert qkeras.quantized_bits.__init__ is before
    assert qkeras.quantized_bits(99).bits == 99


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_a_file_with_such_a_quantizer(suffix: str, tmp_path: Path) -> None:
    layers = [tf_keras.Input((3,)), qkeras.QDense(2, kernel_quantizer="quantized_bits(4,0,alpha=1)", name="fc")]
    model = tf_keras.Sequential(layers)
    model.get_layer("fc").kernel_quantizer_internal.bits = 75  # as the file then says
    model.save(tmp_path / f"model{suffix}")
    with pytest.raises(ModelError, match=rf"model\{suffix}: quantized_bits has bits=75, which is no whole number"):
        load_model(tmp_path / f"model{suffix}")
