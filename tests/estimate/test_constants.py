"""What a matrix of constants costs: counted against what csynth made of published weights, and against definitions."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hlsflow.estimate.constants import Constants, count, signed_digits, typical


def test_a_published_layer_is_counted_as_csynth_built_it() -> None:
    """Cardiotocography classifier, second layer: csynth of Vitis HLS 2021.1 built one multiplier."""
    codes = np.array([[127, -127, -128], [-128, 127, 122], [-126, -128, 127]])
    assert count(codes, 8) == Constants(nonzero=9, multipliers=1, adder_bits=128, live=3)


@pytest.mark.parametrize(
    ("weight", "bits"),
    [(1, 0), (8, 0), (-1, 9), (-8, 12), (3, 11), (7, 12), (6, 12), (-3, 11), (-5, 23), (-9, 25), (-17, 27)],
)
def test_products_of_few_digits_are_adders_of_known_width(weight: int, bits: int) -> None:
    assert count(np.array([[weight]]), 8) == Constants(1, 0, bits, 1)


@pytest.mark.parametrize("weight", [11, 13, -11, 43, 85])
def test_products_of_more_digits_are_multipliers(weight: int) -> None:
    assert count(np.array([[weight]]), 8) == Constants(1, 1, 0, 1)


def test_equal_weights_of_an_input_are_one_product_and_of_two_inputs_two() -> None:
    assert count(np.array([[11, 11, 11]]), 8).multipliers == 1
    assert count(np.array([[11], [11], [11]]), 8).multipliers == 3


def test_outputs_without_weights_are_constants() -> None:
    found = count(np.array([[1, 0, 2], [4, 0, 0]]), 8)
    assert (found.nonzero, found.live, found.terms) == (3, 2, 1.5)


@given(st.integers(-(2**20), 2**20))
def test_signed_digits_are_the_value_with_no_two_neighbours(value: int) -> None:
    digits = signed_digits(value)
    assert sum(digit << place for place, digit in enumerate(digits)) == value
    assert all(not (one and other) for one, other in pairwise(digits))


def test_unknown_weights_count_as_random_ones_do() -> None:
    rng = np.random.default_rng(1)
    real, guess = count(rng.integers(-128, 128, (64, 64)), 8), typical(64, 64, 8, 8)
    assert guess.multipliers == pytest.approx(real.multipliers, rel=0.1)
    assert guess.adder_bits == pytest.approx(real.adder_bits, rel=0.1)
