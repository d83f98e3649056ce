"""Grids of scales and biases: the usual ones where these are enough, else such as change no value that is read."""

from __future__ import annotations

import numpy as np
import pytest

from hlsflow.hls import scales
from hlsflow.hls.exact import Span
from hlsflow.hls.scales import BITS, settled
from hlsflow.ir.fixed import Array, Fixed, Overflow, Rounding

SEED = 5


def quantizer(bits: int, integer: int, signed: bool = True) -> Fixed:
    return Fixed(bits, integer + signed, signed, Rounding.RND_CONV, Overflow.SAT)


def all_codes(source: Span) -> Array:
    return np.arange(source.low, source.high + 1)[:, None] * 2.0**-source.frac


def constants(channels: int, seed: int = SEED) -> tuple[Array, Array]:
    random = np.random.default_rng(seed)
    return random.normal(size=channels), random.normal(size=channels)


@pytest.mark.parametrize("kind", [quantizer(4, 1), quantizer(8, 2), quantizer(6, 1, signed=False)], ids=str)
@pytest.mark.parametrize("frac", [3, 8, -2])
def test_quantizers_give_the_same_for_every_value_that_can_come_in(kind: Fixed, frac: int) -> None:
    source = Span(frac, -(1 << 13), (1 << 13) - 1)
    scale, bias = constants(24)
    scale *= 2.0 ** (frac - 11)
    found = settled(scale, bias, 1.0, source, [kind])
    assert found.same
    x = all_codes(source)
    assert np.array_equal(kind.quantize(x * scale + bias), kind.quantize(x * found.scale + found.bias))
    for values, held in zip((found.scale, found.bias), found.kinds, strict=True):
        assert np.array_equal(held.real(held.quantize(values)), values)


def test_the_usual_grid_alone_would_not_do() -> None:
    """With 18 bits some value comes out as another one; the last grid that was not enough is one bit coarser."""
    source, kind = Span(8, -(1 << 13), (1 << 13) - 1), quantizer(8, 2)
    scale, bias = constants(24)
    found = settled(scale, bias, 1.0, source, [kind])
    assert found.kinds[0].width > BITS
    x = all_codes(source)
    coarse = np.rint(scale * 2.0 ** (found.kinds[0].frac - 1)) * 2.0 ** (1 - found.kinds[0].frac)
    assert not np.array_equal(kind.quantize(x * scale + bias), kind.quantize(x * coarse + found.bias))


def test_a_channel_with_a_far_larger_scale_takes_nothing_from_the_others() -> None:
    """A feature that never moves has variance 0: its scale is 1 / sqrt(epsilon), its bias that of a large mean."""
    mean, variance = np.array([300.0, 500.0, 60_000.0]), np.array([1700.0, 2500.0, 0.0])
    scale = 1 / np.sqrt(variance + 1e-3)
    source, kind = Span(0, 0, 65_535), quantizer(8, 2)
    found = settled(scale, -mean * scale, 1.0, source, [kind])
    assert found.same
    x = all_codes(source)
    assert np.array_equal(kind.quantize(x * scale - mean * scale), kind.quantize(x * found.scale + found.bias))


def test_constants_on_a_grid_stay() -> None:
    scale, bias = np.array([0.5, 2.0, -1.25]), np.array([0.0, 3.5, 1.0])
    found = settled(scale, bias, 1.0, Span(4, -128, 127), [])
    assert found.same
    assert np.array_equal(found.scale, scale)
    assert np.array_equal(found.bias, bias)


def test_channels_that_are_constant_are_no_trouble() -> None:
    scale, bias = np.array([0.0, 1e-30, 0.37]), np.array([0.3, -0.7, 0.0])
    assert settled(scale, bias, 1.0, Span(4, -128, 127), [quantizer(4, 1)]).same


@pytest.mark.parametrize("usual", [1.0, 2.0**-6])
def test_without_a_quantizer_the_error_is_small_beside_what_channels_usually_give(usual: float) -> None:
    scale, bias = np.array([0.01, 31.6]) * usual, np.array([-3.0, -31.6 * 60_000]) * usual
    found = settled(scale, bias, usual, Span(0, 0, 65_535), [])
    assert not found.same
    x = all_codes(Span(0, 0, 65_535))
    error = np.abs(x * (found.scale - scale) + found.bias - bias).max()
    assert 0 < error <= scales.SMALL * usual


def test_a_quantizer_with_too_many_steps_to_look_at_sees_a_small_error() -> None:
    scale, bias = constants(8)
    kind, source = quantizer(16, 3), Span(8, -(1 << 13), (1 << 13) - 1)
    found = settled(scale, bias, 1.0, source, [kind])
    assert not found.same
    x = all_codes(source)
    assert np.abs(x * (found.scale - scale) + found.bias - bias).max() <= scales.SMALL * 2.0**-kind.frac
