"""Frozen weights: what QKeras multiplies with, on a grid, without quantizers, and every change of it told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import qkeras
import tf_keras

from hlsflow.core.errors import ModelError, UnsupportedLayer
from hlsflow.hls import weights
from hlsflow.ir.fixed import Array
from tests.hls.networks import bits, dense, network


def frozen(kernel: Any, gain: float = 1.0, first: float = 1.0, **options: Any) -> tuple[Array, Array, Any, list[str]]:
    """What QKeras used, what is held, its type, and what was said about it.

    Args:
        gain: of all weights; `first`: of those of the first channel.
    """
    model = network(dense(16, "fc", kernel, **options), n_in=12)
    layer = model.get_layer("fc")
    raw, bias = layer.get_weights()
    layer.set_weights([raw * gain * np.array([first] + 15 * [1.0]), bias])
    used = np.asarray(layer.kernel_quantizer_internal(layer.kernel), np.float64)
    copy, notes = weights.freeze(model)
    held = copy.get_layer("fc").held["kernel"]
    assert np.array_equal(held.kind.real(held.kind.quantize(held.values)), held.values)
    assert np.array_equal(copy.get_layer("fc").get_weights()[0], held.values)
    return used, held.values, held.kind, [note.what for note in notes]


EXACT = {
    "po2": lambda: bits(6, 0, alpha="auto_po2"),
    "unset": lambda: qkeras.quantized_bits(6, 0),
    "binary": lambda: qkeras.binary(alpha="auto_po2"),
    "ternary": lambda: qkeras.ternary(alpha=1),
    "powers": lambda: qkeras.quantized_po2(4, 1),
    "relu": lambda: qkeras.quantized_relu(4, 1),
    "unsigned": lambda: bits(5, 1, keep_negative=0),
}


@pytest.mark.parametrize("name", EXACT)
def test_values_on_a_grid_stay(name: str) -> None:
    used, held, _, _ = frozen(EXACT[name]())
    assert np.abs(used - held).max() <= weights.DUST * np.abs(held[held != 0]).min()


FLOAT_SCALES = {
    "auto": lambda: bits(6, 0, alpha="auto"),
    "other_axis": lambda: bits(6, 0, alpha="auto", scale_axis=0),
    "binary": lambda: qkeras.binary(alpha="auto"),
    "ternary": lambda: qkeras.ternary(alpha="auto"),
    "stochastic": lambda: qkeras.stochastic_ternary(alpha="auto"),
    "number": lambda: qkeras.ternary(alpha=0.3),
}


@pytest.mark.parametrize("name", FLOAT_SCALES)
def test_float_scales_move_weights_by_little_and_it_is_said(name: str) -> None:
    used, held, kind, said = frozen(FLOAT_SCALES[name]())
    assert np.abs(used - held).max() > 0
    assert (np.abs(used - held) <= np.abs(used) * 2.0**-weights.SCALE_BITS + 1e-7).all()
    assert kind.width <= 16
    assert f"changed by up to {np.abs(used - held).max():.2g}" in said[0]


@pytest.mark.parametrize("width", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("seed", range(3))
def test_float_scales_of_any_width_are_frozen(width: int, seed: int) -> None:
    model = network(dense(16, "fc", bits(width, 0, alpha="auto")), n_in=12, seed=seed)
    layer = model.get_layer("fc")
    spread = 2.0 ** np.random.default_rng(seed).uniform(-4, 0, 16)  # output channels of different size, as trained ones
    layer.set_weights([layer.get_weights()[0] * spread, layer.get_weights()[1]])
    used = np.asarray(layer.kernel_quantizer_internal(layer.kernel), np.float64)
    step = np.asarray(layer.kernel_quantizer_internal.scale, np.float64) * 2.0 ** (1 - width)
    held = weights.freeze(model)[0].get_layer("fc").held["kernel"]
    assert held.kind.width <= weights.MAX_WEIGHT_BITS
    assert (np.abs(held.values - used) <= step * 2.0**-weights.STEP_SHARE * 1.01).all()
    assert "changed by up to" in held.note[0]


def test_float_scales_of_a_wide_convolution_are_frozen() -> None:
    conv = qkeras.QConv2D(5, 3, kernel_quantizer=bits(15, 0, alpha="auto"), bias_quantizer=bits(8, 1), name="conv")
    model = tf_keras.Sequential([tf_keras.layers.Input((6, 6, 2)), conv])
    used = np.asarray(conv.kernel_quantizer_internal(conv.kernel), np.float64)
    held = weights.freeze(model)[0].get_layer("conv").held["kernel"]
    assert held.kind.width <= weights.MAX_WEIGHT_BITS
    assert 0 < np.abs(held.values - used).max() <= np.abs(used).max() * 2.0**-17


def test_scales_that_are_powers_of_two_are_not_changed() -> None:
    used, held, _, said = frozen(bits(4, 1, alpha=2.0))
    assert np.array_equal(used, held)
    assert said == ["kernel frozen to its quantized values as fixed<4,3>"]


def test_a_layer_that_needs_nothing_is_not_mentioned() -> None:
    assert frozen(bits(6, 0))[3] == []


def test_biases_without_a_quantizer_are_rounded() -> None:
    model = network(dense(4, "fc", bias_quantizer=None))
    copy, notes = weights.freeze(model)
    before, after = model.get_layer("fc").get_weights()[1], copy.get_layer("fc").get_weights()[1]
    assert 0 < np.abs(before - after).max() < 2.0**-weights.BIAS_BITS * 4
    assert notes[0].what.startswith("bias frozen as fixed<18,")


def test_the_given_model_is_not_touched() -> None:
    model = network(dense(4, "fc", bits(6, 0, alpha="auto")))
    before = [array.copy() for array in model.get_weights()]
    weights.freeze(model)
    assert all(np.array_equal(old, new) for old, new in zip(before, model.get_weights(), strict=True))
    assert model.get_layer("fc").kernel_quantizer_internal is not None


def test_kernels_on_no_grid_are_refused() -> None:
    for kernel in (qkeras.quantized_ulaw(4), None):
        layer = dense(3, "fc", kernel) if kernel else tf_keras.layers.Dense(3, name="fc")
        with pytest.raises(UnsupportedLayer, match=r"layer 'fc': the kernel values are .* lie on no fixed-point grid"):
            weights.freeze(network(layer))


def test_weights_that_are_no_numbers_are_refused() -> None:
    model = network(dense(3, "fc"))
    model.set_weights([np.full(array.shape, np.inf) for array in model.get_weights()])
    with pytest.raises(ModelError, match="NaN or infinite"):
        weights.freeze(model)


ONE_BIT = {
    "one_integer_bit": (lambda: bits(1, 1), 1.0),
    "three_integer_bits": (lambda: bits(1, 3), 1.0),
    "symmetric": (lambda: bits(1, 2, symmetric=1), 1.0),
    "a_scale_of_two": (lambda: bits(1, 1, alpha=2.0), 2.0),
    "alpha_unset": (lambda: qkeras.quantized_bits(1, 1), None),
}


@pytest.mark.parametrize("name", ONE_BIT)
def test_weights_of_one_bit_keep_their_size_whatever_their_integer_bits(name: str) -> None:
    """-scale and scale in QKeras, which has no use for `integer` there (`quantized_bits.__call__`)."""
    make, size = ONE_BIT[name]
    used, held, _, _ = frozen(make())
    assert np.array_equal(used, held)
    assert size is None or (np.abs(held) == size).all()


ODD_RANGES = {
    "unsigned_one_bit": lambda: bits(1, 1, keep_negative=0),
    "more_integer_bits_than_bits": lambda: bits(4, 6),
    "the_same_with_a_scale": lambda: bits(4, 6, alpha=0.5),
    "unsigned_whole_numbers": lambda: bits(2, 3, keep_negative=0),
    "binary_with_a_scale": lambda: qkeras.binary(alpha=0.5),
    "binary_of_0_and_1": lambda: qkeras.binary(use_01=True, alpha=1),
    "ternary_with_a_scale": lambda: qkeras.ternary(alpha=2.0, threshold=0.5),
    "automatic_whole_numbers": lambda: bits(4, 3, alpha="auto_po2"),
}


@pytest.mark.parametrize("name", ODD_RANGES)
def test_weights_of_odd_ranges_stay(name: str) -> None:
    used, held, _, _ = frozen(ODD_RANGES[name](), gain=8.0)
    assert np.abs(held).max() > 0
    assert np.abs(used - held).max() <= weights.DUST * np.abs(held[held != 0]).min()


def test_one_bit_and_a_float_scale_are_no_numbers_in_qkeras_and_the_cure_is_said() -> None:
    with pytest.raises(ModelError, match=r"makes NaN or infinite values of its kernel") as caught:
        weights.freeze(network(dense(3, "fc", bits(1, 1, alpha="auto"))))
    assert "binary(alpha='auto')" in caught.value.hint


def test_scales_far_below_the_largest_keep_their_precision() -> None:
    """One channel with weights 2,000 times as large leaves the others theirs: 2**-8 of each weight at most."""
    used, held, kind, _ = frozen(bits(4, 0, alpha="auto"), first=2000.0)
    assert (np.abs(used - held) <= np.abs(used) * 2.0**-weights.SCALE_BITS).all()
    assert kind.width <= 24


def test_frozen_weights_that_are_not_the_quantizers_own_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever makes them: here the step of a scale, of which every weight is a multiple."""
    monkeypatch.setattr(weights, "unit_of", lambda quantizer: 2.0)
    with pytest.raises(UnsupportedLayer, match=r"layer 'fc': freezing moves 12 of 12 kernel values, by up to 1, from"):
        weights.freeze(network(dense(3, "fc", qkeras.binary(alpha=1)), n_in=4))
