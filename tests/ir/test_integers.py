"""Rules of integers that widths, schedules and trees are counted by."""

from __future__ import annotations

import math

import pytest

from hlsflow.ir.fixed import Fixed
from hlsflow.ir.integers import ceil_div, trailing_zeros, tree_levels, width_of


def test_the_narrowest_width_holds_both_bounds_and_one_bit_less_does_not() -> None:
    for low in range(-20, 20):
        for high in range(low, 20):
            for signed in (False, True):
                kind = Fixed.spanning(low, high, 3, signed)
                assert kind.signed == (signed or low < 0)
                assert kind.min <= low <= high <= kind.max
                assert kind.frac == 3
                if kind.width > 1:
                    narrower = Fixed(kind.width - 1, 1, kind.signed)
                    assert low < narrower.min or high > narrower.max


def test_a_type_has_one_bit_at_least() -> None:
    assert width_of(0, 0) == width_of(0, 0, signed=True) == width_of(-1, 0) == width_of(-1, -1) == 1


def test_a_sign_takes_a_bit_where_it_is_asked_for() -> None:
    assert (width_of(0, 5), width_of(0, 5, signed=True), width_of(-1, 5)) == (3, 4, 4)


def test_a_type_wider_than_any_is_an_error() -> None:
    with pytest.raises(ValueError, match="63"):
        Fixed.spanning(-(1 << 62), 0, 0)


def test_division_up_zeros_and_levels() -> None:
    for n in range(1, 40):
        assert tree_levels(n) == math.ceil(math.log2(n))
        assert n % 2 ** trailing_zeros(n) == 0
        assert n % 2 ** (trailing_zeros(n) + 1) != 0
        assert trailing_zeros(-n) == trailing_zeros(n)
        for divisor in range(1, 12):
            assert ceil_div(n, divisor) == math.ceil(n / divisor)
    assert ceil_div(0, 3) == 0
