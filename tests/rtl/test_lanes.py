"""Lane-wise operations: when one of them is mere wiring, and slopes of every form in the built design."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hlsflow.ir import Fixed, Graph, Node, Op, evaluate, verify
from hlsflow.rtl import LayerKnobs, emit, schedule, simulate
from hlsflow.rtl.lanes import Cast, Search, operations
from tests.ir import exact
from tests.rtl.networks import chain, leaky


def source(kind: Fixed) -> Node:
    return Node("x", Op.INPUT, (), (3,), kind)


@pytest.mark.parametrize(
    ("before", "after", "relu", "wiring", "identity"),
    [
        ("fixed<6,3>", "fixed<6,3>", False, True, True),
        ("fixed<6,3>", "fixed<6,3>", True, False, False),
        ("fixed<6,3>", "fixed<6,3,RND_CONV,SAT>", True, False, False),
        ("fixed<6,3>", "fixed<8,4>", True, False, False),
        ("ufixed<6,3>", "ufixed<6,3>", True, True, True),
        ("ufixed<6,3>", "fixed<7,4>", True, True, False),
        ("fixed<6,3>", "fixed<5,2>", False, True, False),
        ("fixed<6,3>", "fixed<5,2,TRN,SAT>", False, False, False),
        ("fixed<6,3>", "fixed<6,3,TRN,SAT_SYM>", False, False, False),
        ("fixed<6,3,TRN,SAT_SYM>", "fixed<6,3,TRN,SAT_SYM>", False, True, True),
        ("fixed<6,3>", "fixed<5,3,RND>", False, False, False),
        ("fixed<6,3>", "fixed<5,3>", False, True, False),
        ("fixed<6,3>", "fixed<7,3,RND,SAT>", False, True, False),
        ("fixed<6,3>", "fixed<6,2,TRN,SAT>", False, False, False),
        ("ufixed<6,3>", "ufixed<5,3,TRN,SAT>", False, True, False),
        ("fixed<6,3>", "ufixed<8,5,TRN,SAT>", False, False, False),
        ("fixed<6,3>", "fixed<7,4,RND,SAT>", False, True, False),
        ("fixed<6,3>", "fixed<6,3,RND_CONV,SAT>", False, True, True),
        ("ufixed<6,3>", "fixed<6,3>", False, True, False),
        ("ufixed<6,3>", "fixed<6,3,TRN,SAT>", False, False, False),
    ],
)
def test_wiring_is_what_changes_no_bit_that_is_kept(
    before: str, after: str, relu: bool, wiring: bool, identity: bool
) -> None:
    cast = Cast("c", Fixed.parse(before), Fixed.parse(after), relu)
    assert (cast.is_wiring, cast.is_identity) == (wiring, identity)
    low, high = cast.source.min, cast.source.max
    codes = np.arange(low, high + 1)
    kept = np.maximum(codes, 0) if relu else codes
    want = cast.result.cast(kept, cast.source.frac)
    bits = (codes << -cast.drop if cast.drop < 0 else codes >> cast.drop) & ((1 << cast.result.width) - 1)
    assert wiring == np.array_equal(want & ((1 << cast.result.width) - 1), bits)


@pytest.mark.parametrize(
    ("source", "grid", "slope", "exact", "parameters"),
    [
        ("fixed<5,2>", "fixed<5,1>", 3, "fixed<9,2>", (4, 0, 2, "2'h3")),
        ("fixed<5,2>", "fixed<2,4>", 1, "fixed<7,4>", (0, 0, 3, "3'h4")),
        ("fixed<5,2>", "fixed<3,3>", -4, "fixed<8,5>", (0, 1, 3, "3'h4")),
        ("fixed<5,2>", "fixed<3,3>", -1, "fixed<6,3>", (0, 1, 1, "1'h1")),
        ("fixed<5,2>", "fixed<5,1>", -16, "fixed<10,3>", (4, 1, 5, "5'h10")),
        ("fixed<5,2>", "fixed<5,1>", 0, "fixed<9,2>", (4, 0, 1, "1'h0")),
        ("ufixed<4,2>", "fixed<5,1>", 11, "fixed<9,3>", (4, 0, 4, "4'hb")),
        ("fixed<1,1>", "fixed<3,3>", 1, "fixed<1,1>", (0, 0, 1, "1'h1")),
    ],
)
def test_a_slope_has_the_narrowest_signed_result(
    source: str, grid: str, slope: int, exact: str, parameters: tuple[int, int, int, str]
) -> None:
    """As -16 to 15 on a grid of 2**-4 and with a slope of 3 reach from -48 to 240, for which 9 bits are enough."""
    node = chain(3, source, leaky("fixed<14,7>", slope, grid))["l1"]
    made, cast = operations(node, Fixed.parse(source))
    assert isinstance(cast, Cast)
    assert (made.is_wiring, made.is_identity) == (False, False)
    assert (made.source, made.result) == (Fixed.parse(source), Fixed.parse(exact))
    assert tuple(made.parameters[name] for name in ("GRID", "NEGATIVE", "BITS", "SLOPE")) == parameters
    assert (cast.source, cast.result, cast.relu) == (made.result, Fixed(14, 7), False)


SLOPES = [
    ("fixed<5,1>", 1),
    ("fixed<5,1>", 2),
    ("fixed<5,1>", 8),
    ("fixed<5,1>", -1),
    ("fixed<5,1>", -16),
    ("fixed<5,1>", 0),
    ("fixed<5,1>", 11),
    ("ufixed<1,0>", 1),
    ("ufixed<1,-3>", 1),
    ("fixed<3,3>", 1),
    ("fixed<3,3>", -1),
    ("fixed<3,3>", 2),
    ("fixed<3,3>", -4),
    ("fixed<2,4>", 1),
    ("fixed<2,4>", -2),
]
"""Types of slopes, and codes in them: powers of two down to 2**-4 and up to 2**3, of both signs, zero, and others."""


def slopes_of(kind: Fixed, result: Fixed) -> Graph:
    """A leaky ReLU of each slope, on one input."""
    nodes = [
        Node(f"s{number}", Op.LEAKY_RELU, ("x",), (3,), result, {"slope": Fixed.parse(grid)}, {"slope": np.array(code)})
        for number, (grid, code) in enumerate(SLOPES)
    ]
    relu = Node("relu", Op.RELU, ("x",), (3,), kind)
    return verify(Graph("slopes", (source(kind), *nodes, relu), (*(node.name for node in nodes), "relu")))


@pytest.mark.parametrize(
    ("kind", "result"),
    [("fixed<5,2>", "fixed<14,7>"), ("fixed<5,2>", "fixed<6,3,RND_CONV,SAT>"), ("ufixed<4,2>", "fixed<9,5>")],
)
def test_slopes_of_every_form_are_built_as_they_are_meant(kind: str, result: str, tmp_path: Path) -> None:
    graph = slopes_of(Fixed.parse(kind), Fixed.parse(result))
    codes = np.arange(graph["x"].type.min, graph["x"].type.max + 1)
    x = np.stack([codes, codes[::-1], np.roll(codes, 3)], axis=1)
    want = exact.results(graph, x).tolist()
    assert evaluate(graph, x).tolist() == want
    assert simulate(emit(schedule(graph, {}, LayerKnobs(1))), x, tmp_path).outputs.tolist() == want


@pytest.mark.parametrize("low", [-9, -8, -1, 0, 1])
@pytest.mark.parametrize("high", [1, 7, 8, 15, 16])
def test_the_narrowest_type_for_a_range(low: int, high: int) -> None:
    kind = Fixed.spanning(low, high, 3)
    assert kind.frac == 3
    assert kind.signed == (low < 0)
    assert kind.min <= low
    assert high <= kind.max
    smaller = Fixed(kind.width - 1, kind.integer - 1, kind.signed) if kind.width > 1 else None
    assert smaller is None or not (smaller.min <= low and high <= smaller.max)


def test_each_part_of_a_search_has_the_thresholds_of_its_own_levels() -> None:
    """37 places of 14 bits, where the function changes: six levels, and 1, 2, 4 ... thresholds a level."""
    kind = Fixed(14, 6)
    codes = np.arange(kind.min, kind.max + 1)
    places = np.sort(np.random.default_rng(3).choice(codes[1:], 37, replace=False))
    values = np.where(np.arange(38) % 2, 77, -55)
    table = values[np.searchsorted(places, codes, side="right")]
    node = Node("t", Op.TABLE, ("x",), (3,), Fixed(8, 4), params={"table": table})
    parts = [part for part in operations(node, kind) if isinstance(part, Search)]
    assert sum(part.levels for part in parts) == 6
    for part in parts:
        assert len(part.thresholds) == sum(1 << level for level in range(part.before, part.before + part.levels))
