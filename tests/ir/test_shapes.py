"""Shapes of results: each side of a pad, each step of a stride, and what does not fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hlsflow.ir import Fixed, Node, Op
from hlsflow.ir.shapes import result_shapes

Shape = tuple[int, ...]
IMAGE, LINE = (6, 5, 3), (6, 3)
MOVES = {"pad": (1, 2, 3, 4), "stride": (2, 3)}
STILL = {"pad": (0, 0, 0, 0), "stride": (1, 1)}


def shapes(op: Op, sources: list[Shape], weight: Shape | None = None, **attrs: Any) -> list[Shape]:
    params = {} if weight is None else {"weight": np.zeros(weight, int)}
    nodes = [Node(f"x{i}", Op.INPUT, (), shape, Fixed(4, 4)) for i, shape in enumerate(sources)]
    return result_shapes(Node("y", op, (), (90,), Fixed(4, 4), {}, params, attrs), nodes)


@pytest.mark.parametrize(
    ("op", "source", "weight", "attrs", "wanted"),
    [
        (Op.CONV, IMAGE, (3, 2, 3, 7), MOVES, [(4, 4, 7)]),  # 6 + 3 - 3 = 6 by 2, and 5 + 7 - 2 = 10 by 3
        (Op.DEPTHWISE, IMAGE, (3, 2, 3), MOVES, [(4, 4, 3)]),
        (Op.MAX_POOL, IMAGE, None, MOVES | {"window": (3, 2)}, [(4, 4, 3)]),
        (Op.CONV, IMAGE, (3, 2, 2, 7), MOVES, []),
        (Op.DEPTHWISE, IMAGE, (3, 2, 2), MOVES, []),
        (Op.CONV, IMAGE, (6, 5, 3, 7), STILL, [(1, 1, 7)]),
        (Op.CONV, IMAGE, (7, 1, 3, 7), STILL, []),
        (Op.CONV, IMAGE, (1, 6, 3, 7), STILL, []),
        (Op.AVG_POOL, LINE, None, {"window": (1, 2), "pad": (0, 0, 1, 0), "stride": (1, 2)}, [(3, 3)]),
        (Op.MAX_POOL, IMAGE, None, STILL | {"window": (6, 5)}, [(1, 1, 3), (3,)]),
        (Op.MAX_POOL, IMAGE, None, STILL | {"window": (6, 4)}, [(1, 2, 3)]),
        (Op.MAX_POOL, IMAGE, None, STILL | {"window": (6, 5), "pad": (1, 0, 0, 0)}, [(2, 1, 3)]),
        (Op.ZERO_PAD, IMAGE, None, {"pad": (1, 2, 3, 4)}, [(9, 12, 3)]),
        (Op.UPSAMPLE, IMAGE, None, {"factor": (2, 3)}, [(12, 15, 3)]),
        (Op.UPSAMPLE, LINE, None, {"factor": (1, 3)}, [(18, 3)]),
        (Op.DENSE, (4,), (4, 3), {}, [(3,)]),
        (Op.DENSE, (5,), (4, 3), {}, []),
        (Op.RESHAPE, IMAGE, None, {}, [(90,)]),
        (Op.RESHAPE, LINE, None, {}, []),
        (Op.PERMUTE, IMAGE, None, {"axes": (2, 0, 1)}, [(3, 6, 5)]),
        (Op.PERMUTE, IMAGE, None, {"axes": (0, 1)}, []),
        (Op.RELU, IMAGE, None, {}, [IMAGE]),
    ],
)
def test_one_input(op: Op, source: Shape, weight: Shape | None, attrs: dict[str, Any], wanted: list[Shape]) -> None:
    assert shapes(op, [source], weight, **attrs) == wanted


@pytest.mark.parametrize(
    ("op", "sources", "attrs", "wanted"),
    [
        (Op.ADD, [LINE, LINE], {}, [LINE]),
        (Op.ADD, [LINE, (3, 6)], {}, []),
        (Op.CONCAT, [(2, 3), (4, 3)], {"axis": (0,)}, [(6, 3)]),
        (Op.CONCAT, [(2, 3), (4, 5)], {"axis": (0,)}, []),
        (Op.CONCAT, [(2, 3), (2, 1)], {"axis": (1,)}, [(2, 4)]),
        (Op.CONCAT, [(2, 3), (4, 3)], {"axis": (1,)}, []),
        (Op.CONCAT, [(2, 3), (2, 3)], {"axis": (-1,)}, []),
        (Op.CONCAT, [(2, 3), (2, 3)], {"axis": (2,)}, []),
        (Op.CONCAT, [(2, 3, 4), (2, 5, 4)], {"axis": (1,)}, [(2, 8, 4)]),
        (Op.CONCAT, [(5,), (2,), (1,)], {"axis": (0,)}, [(8,)]),
    ],
)
def test_several_inputs(op: Op, sources: list[Shape], attrs: dict[str, Any], wanted: list[Shape]) -> None:
    assert shapes(op, sources, **attrs) == wanted
