"""Tables of functions of one value: equal on every code, as small as a cast before them allows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hlsflow.hls.tables import MAX_INPUT_BITS, MAX_TABLE_BITS, NoTable, narrowest_index, tabulate
from hlsflow.ir import Fixed, Overflow, Rounding
from hlsflow.ir.fixed import Array

TYPES = st.builds(Fixed, st.integers(1, 11), st.integers(-2, 8), st.booleans())
ROUNDINGS = st.sampled_from([Rounding.TRN, Rounding.RND_CONV, Rounding.RND])


def every(kind: Fixed) -> Array:
    return kind.real(np.arange(kind.min, kind.max + 1))


@settings(max_examples=200, deadline=None)
@given(TYPES, st.lists(st.integers(-8, 8), min_size=1, max_size=12), st.integers(0, 2**16))
def test_a_table_gives_the_function_on_every_code(source: Fixed, steps: list[int], seed: int) -> None:
    """Functions with a few steps at random places."""
    x = every(source)
    places = np.sort(np.random.default_rng(seed).choice(x, len(steps) - 1))
    wanted = np.array(steps)[np.searchsorted(places, x)] * 0.25
    table = tabulate(lambda values: np.array(steps)[np.searchsorted(places, values)] * 0.25, source)
    assert np.array_equal(table(x), wanted)
    assert len(table.values) == 1 << table.index.width
    assert table.index.width <= source.width


@settings(max_examples=200, deadline=None)
@given(TYPES, TYPES, ROUNDINGS)
def test_a_quantizer_needs_no_more_index_than_its_result_has_bits(
    source: Fixed, kind: Fixed, rounding: Rounding
) -> None:
    """A cast is found again: the index is never wider than what the function keeps of its input."""
    inner = Fixed(kind.width, min(kind.integer, kind.width), kind.signed, rounding, Overflow.SAT)
    codes = inner.quantize(every(source))
    assert narrowest_index(codes, source).width <= max(inner.width + (source.signed and not inner.signed), 4)


def test_results_take_the_narrowest_type() -> None:
    table = tabulate(np.abs, Fixed(6, 3))
    assert (table.kind, table.dusty) == (Fixed(6, 3, signed=False), False)
    assert tabulate(np.sign, Fixed(6, 3)).kind == Fixed(2, 2)


def test_rounding_errors_of_float32_are_removed_and_told() -> None:
    table = tabulate(lambda x: np.where(x >= 0, 1.0, -1.0) * (1 + 2.0**-23), Fixed(8, 3))
    assert table.dusty
    assert set(table(every(Fixed(8, 3)))) == {-1.0, 1.0}


def test_a_given_type_rounds_and_saturates_as_it_says() -> None:
    kind = Fixed(4, 1, True, Rounding.RND_CONV, Overflow.SAT)
    table = tabulate(np.tanh, Fixed(8, 3), kind)
    assert np.array_equal(table(every(Fixed(8, 3))), kind.real(kind.quantize(np.tanh(every(Fixed(8, 3))))))


NO_TABLE: dict[str, tuple[Callable[[Array], Array], Fixed]] = {
    "lie on no fixed-point grid": (np.tanh, Fixed(8, 3)),
    "NaN or infinite": (lambda x: np.where(x > 0, x, np.nan), Fixed(8, 3)),
    f"more than {MAX_INPUT_BITS} bits": (np.sign, Fixed(MAX_INPUT_BITS + 1, 4)),
    "needs a table of": (lambda x: np.floor(np.tanh(x * 4) * 2.0**12), Fixed(MAX_TABLE_BITS + 4, 2)),
}


@pytest.mark.parametrize("reason", NO_TABLE)
def test_what_has_no_table_says_why(reason: str) -> None:
    function, source = NO_TABLE[reason]
    with pytest.raises(NoTable, match=reason):
        tabulate(function, source)
