"""Merges, products and slopes whose exact values no float32 holds, and the smallest cases of the other operations."""

from __future__ import annotations

import numpy as np
import pytest

from hlsflow.ir import Fixed, Graph, Node, Op, evaluate, verify

WIDE = Fixed(56, 50)


def merged(op: Op, left: Fixed, right: Fixed, codes: list[int], result: Fixed = WIDE) -> float:
    """The real result of two codes."""
    x, y = (Node(name, Op.INPUT, (), (1,), kind) for name, kind in (("x", left), ("y", right)))
    graph = verify(Graph("g", (x, y, Node("z", op, ("x", "y"), (1,), result)), ("z",)))
    return float(result.real(evaluate(graph, np.array([codes])))[0, 0])


@pytest.mark.parametrize(
    ("op", "left", "right", "codes", "result"),
    [
        (Op.ADD, Fixed(26, 26), Fixed(26, 26), [33554431, 0], 33554431),
        (Op.SUBTRACT, Fixed(26, 26), Fixed(26, 26), [-1, 33554430], -33554431),
        (Op.ADD, Fixed(22, 22), Fixed(8, 4), [2097151, 1], 2097151.0625),
        (Op.ADD, Fixed(8, 4), Fixed(22, 22), [1, 2097151], 2097151.0625),
        (Op.AVERAGE, Fixed(22, 22), Fixed(8, 4), [2097151, 1], 1048575.53125),
        (Op.MAXIMUM, Fixed(26, 26), Fixed(26, 26), [33554431, 33554430], 33554431),
        (Op.MINIMUM, Fixed(26, 26), Fixed(26, 26), [-33554431, -33554430], -33554431),
        (Op.MULTIPLY, Fixed(14, 14), Fixed(14, 14), [5001, 5003], 25020003),
        (Op.MULTIPLY, Fixed(8, 7), Fixed(8, 6), [3, 5], 1.875),
    ],
)
def test_two_inputs(op: Op, left: Fixed, right: Fixed, codes: list[int], result: float) -> None:
    assert merged(op, left, right, codes) == result


@pytest.mark.parametrize(
    ("slope", "code", "results"),
    [
        (Fixed(4, 2), -3, [75, 0, 100]),  # -100 * -0.75
        (Fixed(4, 4), 3, [-300, 0, 100]),
        (Fixed(4, 6), 3, [-1200, 0, 100]),  # a grid of 4
        (Fixed(24, 24), -(1 << 18) - 1, [26214500, 0, 100]),
    ],
)
def test_slopes(slope: Fixed, code: int, results: list[int]) -> None:
    wide = Fixed(30, 30)
    node = Node("y", Op.LEAKY_RELU, ("x",), (3,), wide, {"slope": slope}, {"slope": np.array(code)})
    graph = verify(Graph("g", (Node("x", Op.INPUT, (), (3,), Fixed(8, 8)), node), ("y",)))
    assert evaluate(graph, np.array([[-100, 0, 100]])).tolist() == [results]


@pytest.mark.parametrize(("signed", "codes"), [(True, [-2, -1, 0, 1]), (False, [0, 1, 2, 3])])
def test_a_table_begins_at_the_least_code(signed: bool, codes: list[int]) -> None:
    node = Node("y", Op.TABLE, ("x",), (4,), Fixed(8, 8), {}, {"table": np.array([10, 20, 30, 40])})
    graph = verify(Graph("g", (Node("x", Op.INPUT, (), (4,), Fixed(2, 2, signed)), node), ("y",)))
    assert evaluate(graph, np.array([codes])).tolist() == [[10, 20, 30, 40]]


def test_the_first_of_the_largest_becomes_one() -> None:
    node = Node("y", Op.ARGMAX, ("x",), (2, 3), Fixed(4, 2))
    graph = verify(Graph("g", (Node("x", Op.INPUT, (), (2, 3), Fixed(4, 4)), node), ("y",)))
    assert evaluate(graph, np.array([[1, 5, 5, -2, -3, -4]])).tolist() == [[0, 4, 0, 4, 0, 0]]
