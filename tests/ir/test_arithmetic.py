"""Array arithmetic in the cheapest type: where each type ends, and casts beside every one of their limits."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from hlsflow.ir import Fixed, Overflow, Rounding
from hlsflow.ir.arithmetic import caster, largest, number_type, shifted
from tests.ir import exact

ENDS = [(0, np.float32), ((1 << 24) - 1, np.float32), (1 << 24, np.float64), ((1 << 53) - 1, np.float64)]


@pytest.mark.parametrize(("bound", "number"), [*ENDS, (1 << 53, np.int64), (1 << 62, np.int64)])
def test_the_cheapest_type_that_is_exact(bound: int, number: type) -> None:
    assert number_type(bound) is number
    assert int(number(bound)) == bound
    assert int(number(-bound)) == -bound


@pytest.mark.parametrize(
    ("kind", "size"),
    [("fixed<4,4>", 8), ("fixed<4,4,TRN,SAT_SYM>", 7), ("ufixed<4,4>", 15), ("fixed<1,1>", 1), ("ufixed<1,1>", 1)],
)
def test_the_largest_magnitude(kind: str, size: int) -> None:
    assert largest(Fixed.parse(kind)) == size


@pytest.mark.parametrize("number", [np.float32, np.float64, np.int64])
@pytest.mark.parametrize("left", [0, 1, 5])
def test_shifts(number: type, left: int) -> None:
    values = np.array([-3, 0, 7], np.int64)
    found = shifted(values, number, left)
    assert found.dtype == number
    assert found.tolist() == [-3 << left, 0, 7 << left]


def codes(bound: int) -> np.ndarray:
    """Zero, small codes, and those beside the bound, none beyond it."""
    near = [bound - step for step in range(4) if step <= bound]
    return np.array(sorted({0, *near, *(code for code in (1, 2, 3, 5, 6, 7) if code <= bound)}))


@pytest.mark.parametrize("rounding", Rounding)
@pytest.mark.parametrize("overflow", Overflow)
@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("relu", [True, False])
def test_casts_beside_the_limits_of_each_number_type(
    rounding: Rounding, overflow: Overflow, signed: bool, relu: bool
) -> None:
    """Bounds at which the type of the arithmetic changes, at which nothing overflows any more, and far beyond."""
    kind = Fixed(4, 4, signed, rounding, overflow)
    bounds = [0, 1, 6, 7, 8, 14, 15, 16, *((1 << power) + step for power in (22, 23, 24, 51, 52) for step in (-1, 0))]
    for bound, frac in itertools.product(bounds, (-2, 0, 1, 2, 20, 70)):
        x = np.concatenate([-codes(bound)[::-1], codes(bound)])
        given = x.astype(number_type(bound))
        want = [exact.cast(max(int(code), 0) if relu else int(code), frac, kind) for code in x]
        assert caster(kind, frac, bound, relu)(given).tolist() == want, (bound, frac)


def test_a_cast_that_changes_nothing_copies_nothing() -> None:
    x = np.array([-8.0, 7.0], np.float32)
    assert caster(Fixed(4, 4), 0, 7)(x) is x
    assert caster(Fixed(4, 4, overflow=Overflow.SAT), 0, 7)(x) is x
    assert caster(Fixed(4, 4, overflow=Overflow.SAT_SYM), 0, 7)(x) is x
    assert caster(Fixed(4, 4, signed=False), 0, 0)(x) is x
    assert caster(Fixed(4, 4), 0, 8)(x) is not x


@pytest.mark.parametrize(
    ("kind", "frac", "bound", "number"),
    [
        ("fixed<30,30>", 1, (1 << 23) - 1, np.float32),  # halves of what float32 holds
        ("fixed<30,30>", 1, 1 << 23, np.float64),
        ("fixed<30,30>", 8, (1 << 23) - 1, np.float32),
        ("fixed<30,30>", -3, (1 << 20) - 1, np.float32),
        ("fixed<30,30>", -3, 1 << 20, np.float64),
        ("fixed<4,4>", 1, (1 << 23) - 17, np.float32),  # and a turn of 16 where it wraps around
        ("fixed<4,4>", 1, (1 << 23) - 16, np.float64),
        ("fixed<4,4,TRN,SAT>", 1, (1 << 23) - 1, np.float32),
        ("fixed<4,4,TRN,SAT>", 1, 1 << 23, np.float64),
    ],
)
def test_a_cast_works_in_the_cheapest_type(kind: str, frac: int, bound: int, number: type) -> None:
    assert caster(Fixed.parse(kind), frac, bound)(np.zeros(1, np.float32)).dtype == number


def test_an_unsigned_type_far_wider_than_its_source_wraps_exactly() -> None:
    """2**30 - 5 takes 30 bits, though the source has 3."""
    assert caster(Fixed(30, 30, False), 0, 5)(np.array([-5], np.float32)).tolist() == [(1 << 30) - 5]


def test_zero_stays_zero_on_a_grid_beyond_float32() -> None:
    assert caster(Fixed(4, 4), -200, 0)(np.array([0], np.float32)).tolist() == [0]
