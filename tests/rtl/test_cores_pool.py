"""Poolings: divisions by constants are exact and no wider than they must be; global ones reduce; refusals."""

from __future__ import annotations

import numpy as np
import pytest

from hlsflow.core.errors import UnsupportedLayer
from hlsflow.ir import Fixed, Graph, Node, Op, verify
from hlsflow.rtl import LayerKnobs, schedule
from hlsflow.rtl.cores.pool import factor_for, shift_for
from hlsflow.rtl.fronts import Reduce, Window


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6, 7, 9, 12, 25, 28, 49, 64, 100])
@pytest.mark.parametrize("lift", [0, 1, 4])
@pytest.mark.parametrize("most", [1, 6, 255, 3000])
def test_a_product_and_a_shift_divide_exactly(n: int, lift: int, most: int) -> None:
    sums = np.arange(most + 1)
    shift = shift_for(n, lift, most)
    np.testing.assert_array_equal(sums * factor_for(n, lift, shift) >> shift, (sums << lift) // n)
    if shift:
        shorter = sums * factor_for(n, lift, shift - 1) >> (shift - 1)
        assert np.any(shorter != (sums << lift) // n)


def _pooled(accum: str = "fixed<16,8>", window: int = 2, shape: tuple[int, ...] = (3, 2, 3)) -> Graph:
    attrs = {"window": (window, window + 1), "stride": (1, 1), "pad": (0, 0, 0, 0), "count_pad": (0,)}
    x = Node("x", Op.INPUT, (), (4, 4, 3), Fixed(8, 4))
    pool = Node("pool", Op.AVG_POOL, ("x",), shape, Fixed(8, 4), {"accum": Fixed.parse(accum)}, {}, attrs)
    return verify(Graph("pooled", (x, pool), ("pool",)))


def test_an_accumulator_that_keeps_nothing_is_refused() -> None:
    with pytest.raises(UnsupportedLayer, match="accumulator fixed<3,-5> of layer 'pool' keeps no bit"):
        schedule(_pooled("fixed<3,-5>"), {}, LayerKnobs(1))


@pytest.mark.parametrize(("size", "front"), [((4, 4), Reduce), ((3, 4), Window)])
def test_a_global_pooling_needs_no_window(size: tuple[int, int], front: type) -> None:
    attrs = {"window": size, "stride": (1, 1), "pad": (0, 0, 0, 0)}
    x = Node("x", Op.INPUT, (), (4, 4, 3), Fixed(8, 4))
    shape = (3,) if size == (4, 4) else (2, 1, 3)
    pool = Node("pool", Op.MAX_POOL, ("x",), shape, Fixed(8, 4), {}, {}, attrs)
    plan = schedule(verify(Graph("pooled", (x, pool), ("pool",))), {}, LayerKnobs(1))
    assert [type(unit.front) for unit in plan.network.units] == [front]
