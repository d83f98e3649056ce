"""`Fixed` against exact rational arithmetic, and against the ap_fixed headers that hls4ml compiles with."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hlsflow.ir import Fixed, Overflow, Rounding
from hlsflow.ir.fixed import MAX_WIDTH
from hlsflow.toolchains import gxx, process
from tests.ir import exact


def types(widths: st.SearchStrategy[int]) -> st.SearchStrategy[Fixed]:
    modes = st.booleans(), st.sampled_from(Rounding), st.sampled_from(Overflow)
    return widths.flatmap(lambda width: st.builds(Fixed, st.just(width), st.integers(-8, width + 8), *modes))


fixed = types(st.one_of(st.integers(1, 12), st.integers(1, MAX_WIDTH), st.integers(MAX_WIDTH - 2, MAX_WIDTH)))
codes = st.one_of(
    st.integers(-(2**20), 2**20),
    st.integers(-(2**62), 2**62),
    st.builds(
        lambda power, sign, near: sign * 2**power + near,
        st.integers(0, 61),
        st.sampled_from((-1, 1)),
        st.integers(-2, 2),
    ),
)
"""Integers as wide as a type can hold, many of them beside a power of two."""


@settings(max_examples=500, deadline=None)
@given(fixed, codes, st.integers(-140, 140))
def test_cast_equals_exact_rationals(kind: Fixed, code: int, frac: int) -> None:
    assert kind.cast(np.array([code]), frac).tolist() == [exact.cast(code, frac, kind)]


@settings(max_examples=500, deadline=None)
@given(fixed, codes, st.integers(-64, 64))
def test_casts_near_the_types_own_limits(kind: Fixed, code: int, drop: int) -> None:
    assert kind.cast(np.array([code]), kind.frac + drop).tolist() == [exact.cast(code, kind.frac + drop, kind)]


reals = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(-4, 4),
    st.builds(lambda code, frac: code * 2.0**-frac, st.integers(-(2**20), 2**20), st.integers(-8, 24)),
)


@settings(max_examples=500, deadline=None)
@given(fixed, reals)
def test_quantize_equals_exact_rationals(kind: Fixed, value: float) -> None:
    assert kind.quantize(np.array([value])).tolist() == [exact.of_real(Fraction(value), kind)]


@pytest.mark.parametrize("size", [1e30, 1.7e308, float("inf")])
@pytest.mark.parametrize("rounding", Rounding)
def test_huge_reals_saturate_on_their_own_side(size: float, rounding: Rounding) -> None:
    ends = Fixed(10, 4, True, rounding, Overflow.SAT).quantize(np.array([size, -size]))
    assert ends.tolist() == [511, -512]


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="NaN is no number"):
        Fixed.parse("fixed<10,4,RND,SAT>").quantize(np.array([1.0, np.nan]))
    with pytest.raises(ValueError, match="no meaning for infinity"):
        Fixed(10, 4).quantize(np.array([-np.inf]))


@pytest.mark.parametrize("width", [61, 62])
@pytest.mark.parametrize("left", [1, 59, 60, 61, 62, 63, 100])
def test_the_widest_types_saturate_at_their_ends(width: int, left: int) -> None:
    kind = Fixed(width, width, overflow=Overflow.SAT)
    assert kind.cast(np.array([5 << 58, -5 << 58]), -left).tolist() == [kind.max, kind.min]
    assert kind.cast(np.array([5]), -left).tolist() == [min(5 << left, kind.max)]


@given(fixed)
def test_text_form_round_trips(kind: Fixed) -> None:
    assert Fixed.parse(str(kind)) == kind


def test_reads_hls4ml_forms() -> None:
    assert Fixed.parse("ap_ufixed<6,0,AP_RND_CONV,AP_SAT>") == Fixed(6, 0, False, Rounding.RND_CONV, Overflow.SAT)
    assert Fixed.parse("uint<3>") == Fixed(3, 3, False)
    assert Fixed.parse("int<8>") == Fixed(8, 8)


@pytest.mark.parametrize("text", ["fixed<8>", "int<8,3>", "float", "fixed<8,3,ROUND>", "fixed<0,0>", "fixed<99,3>"])
def test_refuses_what_is_no_type(text: str) -> None:
    with pytest.raises(ValueError, match=r"fixed|ROUND|width"):
        Fixed.parse(text)


@pytest.mark.parametrize(("overflow", "want"), [("WRAP", 0), ("SAT", 7), ("SAT_ZERO", 0)])
@pytest.mark.parametrize("frac", [-20, -60, -90])
def test_values_far_beyond_64_bits_end_as_the_mode_says(overflow: str, want: int, frac: int) -> None:
    kind = Fixed(4, 4, overflow=Overflow(overflow))
    assert kind.cast(np.array([(1 << 40) + 1, -(1 << 40) - 1, 0]), frac).tolist() == [want, -want - (want == 7), 0]


@pytest.mark.parametrize("width", [-1, 0, 63])
def test_a_width_is_1_to_62_bits(width: int) -> None:
    assert (Fixed(1, 1).min, Fixed(62, 1, False).max) == (-1, (1 << 62) - 1)
    with pytest.raises(ValueError, match=rf"width {width} is outside 1\.\.62 bits"):
        Fixed(width, 1)


def test_limits() -> None:
    assert (Fixed(6, 1).min, Fixed(6, 1).max) == (-32, 31)
    assert (Fixed(6, 1, False).min, Fixed(6, 1, False).max) == (0, 63)
    assert Fixed(6, 1, overflow=Overflow.SAT_SYM).min == -31


PROGRAM = """
#include <cstdio>
#include "ap_fixed.h"
template <class T> void show() {
    for (int code = -200; code < 200; code++) {
        ap_fixed<12, 6> x; x.range() = code;
        T y = x;
        printf("%ld ", (long)(y.to_double() * 4));
    }
    printf("\\n");
}
int main() { SHOWS }
"""


def test_equals_the_ap_fixed_headers(tmp_path: Path) -> None:
    """Every rounding mode with every overflow mode, signed and unsigned: 4 bits, 2 of them fractional."""
    import hls4ml  # which starts TensorFlow: the other tests need not wait for it

    kinds = [Fixed(4, 2, *rest) for rest in itertools.product((True, False), Rounding, Overflow)]
    shows = "".join(f"show<{_cpp(kind)}>();" for kind in kinds)
    (tmp_path / "p.cpp").write_text(PROGRAM.replace("SHOWS", shows))
    headers = Path(hls4ml.__file__).parent / "templates" / "vivado" / "ap_types"
    gxx.compile(["p.cpp"], "p", [f"-I{headers}", "-w", "-std=c++17"], tmp_path, tmp_path / "compile.log")
    output = process.run(["./p"], folder=tmp_path, log=tmp_path / "log", timeout_s=60, tool="ap_fixed").output
    codes = np.arange(-200, 200)
    for kind, line in zip(kinds, output.splitlines(), strict=True):
        assert kind.cast(codes, 6).tolist() == [int(word) for word in line.split()], kind


def _cpp(kind: Fixed) -> str:
    return f"ap_{'' if kind.signed else 'u'}fixed<4,2,AP_{kind.rounding},AP_{kind.overflow}>"


def test_the_narrowest_type_that_holds_values() -> None:
    assert Fixed.narrowest(np.array([0.5, -1.0]), 24) == Fixed(2, 1)
    assert Fixed.narrowest(np.array([3.75, 0.25]), 24, signed=False) == Fixed(4, 2, False)
    assert Fixed.narrowest(np.array([-8.0, 4.0]), 24) == Fixed(2, 4)
    assert Fixed.narrowest(np.zeros(3), 24) == Fixed(2, 2)
    assert Fixed.narrowest(np.array([0.1], np.float32), 24) is None
    assert Fixed.narrowest(np.array([1.0, 2.0**-30]), 24) is None
    assert Fixed.narrowest(np.array([]), 24) == Fixed(2, 2)
    assert Fixed.narrowest(np.array([-5.0]), 24) == Fixed(4, 4)
    assert Fixed.narrowest(np.zeros(2), 24, signed=False) == Fixed(1, 1, False)


@pytest.mark.parametrize("top", [24, 0, -30, 60])
def test_the_narrowest_type_may_have_the_most_bits_and_no_more(top: int) -> None:
    ones = np.array([((1 << 24) - 1) * 2.0 ** (top - 24)])
    assert Fixed.narrowest(ones, 24, signed=False) == Fixed(24, top, False)
    assert Fixed.narrowest(ones, 23, signed=False) is None
    assert Fixed.narrowest(-ones, 25) == Fixed(25, top + 1)
    assert Fixed.narrowest(-ones, 24) is None


@given(st.integers(-(2**12), 2**12), st.integers(-6, 20))
def test_the_narrowest_type_is_exact_and_not_one_bit_too_wide(code: int, frac: int) -> None:
    value = np.array([code * 2.0**-frac])
    kind = Fixed.narrowest(value, 24)
    assert kind is not None
    assert kind.real(kind.quantize(value)).tolist() == value.tolist()
    if kind.width > 2:
        smaller = [Fixed(kind.width - 1, kind.integer - less) for less in (0, 1)]
        assert all(small.real(small.quantize(value)).tolist() != value.tolist() for small in smaller)


@pytest.mark.parametrize("kind", ["fixed<4,2>", "fixed<4,2,TRN,SAT_SYM>", "ufixed<4,2>", "fixed<1,1>"])
def test_a_type_holds_its_own_codes_and_no_other(kind: str) -> None:
    held = Fixed.parse(kind)
    inside, outside = [held.min, held.max, 0], [held.min - 1, held.max + 1]
    assert held.holds(np.array(inside))
    assert held.holds(np.array([], np.int64))
    for code in outside:
        assert not held.holds(np.array([code]))
        assert not held.holds(np.array([*inside, code]))


def test_one_step_out_of_range_is_out_after_a_shift() -> None:
    assert Fixed(4, 4, overflow=Overflow.SAT_ZERO).cast(np.array([3, 4, -4, -5]), -1).tolist() == [6, 0, -8, 0]


@pytest.mark.parametrize(("drop", "want"), [(62, [0, 1, -1]), (63, [0, 0, -1]), (64, [0, 0, -1]), (65, [0, 0, -1])])
def test_bits_dropped_where_64_end(drop: int, want: list[int]) -> None:
    for mode, tie in ((Rounding.TRN, 0), (Rounding.RND, 1), (Rounding.RND_ZERO, 0)):
        kind = Fixed(4, 4, True, mode)
        up = tie if drop == 63 else want[1]  # 2**62 is half of 2**63
        down = -(drop == 62) if mode is not Rounding.TRN else want[2]
        assert kind.cast(np.array([1, 1 << 62, -(1 << 62)]), drop).tolist() == [want[0], up, down]


@pytest.mark.filterwarnings("error")
def test_the_least_reals_keep_their_sign() -> None:
    codes = np.array([5e-324, -5e-324, 0.0])
    assert Fixed(4, 7).quantize(codes).tolist() == [0, -1, 0]
    assert Fixed(4, 7, True, Rounding.RND).quantize(codes).tolist() == [0, 0, 0]


@pytest.mark.filterwarnings("error")
def test_a_wide_type_saturates_at_its_ends() -> None:
    kind = Fixed(62, 62, overflow=Overflow.SAT)
    assert kind.quantize(np.array([1e30, -1e30, 1e300, -1e300, 123456.0])).tolist() == [
        kind.max, kind.min, kind.max, kind.min, 123456,
    ]  # fmt: skip
    assert Fixed(62, 2, overflow=Overflow.SAT).quantize(np.array([1.7e308])).tolist() == [kind.max]


@pytest.mark.parametrize(
    ("mode", "want"),
    [
        (Rounding.TRN, [-3, -2, -1, 0, 1, 2]),
        (Rounding.TRN_ZERO, [-2, -1, 0, 0, 1, 2]),
        (Rounding.RND, [-2, -1, 0, 1, 2, 3]),
        (Rounding.RND_ZERO, [-2, -1, 0, 0, 1, 2]),
        (Rounding.RND_INF, [-3, -2, -1, 1, 2, 3]),
        (Rounding.RND_MIN_INF, [-3, -2, -1, 0, 1, 2]),
        (Rounding.RND_CONV, [-2, -2, 0, 0, 2, 2]),
    ],
)
def test_halves_of_either_sign(mode: Rounding, want: list[int]) -> None:
    kind = Fixed(4, 4, True, mode)
    assert kind.quantize(np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5])).tolist() == want
    assert kind.cast(np.array([-5, -3, -1, 1, 3, 5]), 1).tolist() == want
    assert kind.cast(np.array([-10, -6, -2, 2, 6, 10]), 2).tolist() == want
