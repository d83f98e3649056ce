"""Poolings where floats end, and means that are cut towards zero."""

from __future__ import annotations

import numpy as np
import pytest

from hlsflow.ir import Fixed, Graph, Node, Op, evaluate, verify
from hlsflow.ir.evaluate_image import _quotient


@pytest.mark.parametrize("number", [np.float32, np.float64, np.int64])
def test_quotients_are_cut_towards_zero(number: type) -> None:
    totals, divisors = np.array([-7, -1, 0, 1, 7, -1, -6]), np.array([2, 2, 2, 2, 2, 1, 3])
    assert _quotient(totals, divisors, number).tolist() == [-3, 0, 0, 0, 3, -1, -2]


def test_quotients_beyond_53_bits() -> None:
    total = (1 << 60) + 1
    assert _quotient(np.array([total, -total]), np.array([3]), np.int64).tolist() == [total // 3, -(total // 3)]


def average(source: tuple[int, ...], kind: Fixed, shape: tuple[int, ...], **attrs: tuple[int, ...]) -> Graph:
    node = Node("y", Op.AVG_POOL, ("x",), shape, kind, {"accum": kind}, {}, attrs)
    return verify(Graph("g", (Node("x", Op.INPUT, (), source, kind), node), ("y",)))


def test_a_sum_beyond_24_bits_is_exact_before_it_wraps() -> None:
    """25165813 - 2**24 = 8388597 = 3 * 2796199, where one less would give another mean."""
    shape = {"window": (1, 3), "stride": (1, 1), "pad": (0, 0, 0, 0), "count_pad": (0,)}
    graph = average((3, 1), Fixed(24, 24), (1,), **shape)
    assert evaluate(graph, np.array([[8388607, 8388607, 8388599]])).tolist() == [[2796199]]


@pytest.mark.parametrize(("count_pad", "means"), [(0, [6, 30, 9, -6, -30, -9]), (1, [3, 30, 4, -3, -30, -4])])
def test_cells_of_the_pad_count_where_they_are_said_to(count_pad: int, means: list[int]) -> None:
    """Windows of two columns: a zero and 6, 20 and 40, 9 and a zero; three channels of which two are counted here."""
    shape = {"window": (1, 2), "stride": (1, 2), "pad": (0, 0, 1, 1), "count_pad": (count_pad,)}
    graph = average((4, 3), Fixed(8, 8), (3, 3), **shape)
    x = np.array([[6, 20, 40, 9], [-6, -20, -40, -9], [0, 0, 0, 0]]).T.reshape(1, -1)
    found = evaluate(graph, x).reshape(3, 3).T
    assert found[:2].ravel().tolist() == means
    assert not found[2].any()
