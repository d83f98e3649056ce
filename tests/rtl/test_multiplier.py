"""What products are made of: the choice, and two of them in one DSP block."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hlsflow.ir import evaluate
from hlsflow.rtl import LayerKnobs, Multiplier, emit, schedule, simulate
from tests.rtl.networks import cast, chain, dense, relu, vectors

DSP, PACKED, LUT, AUTO = Multiplier.DSP, Multiplier.PACKED, Multiplier.LUT, Multiplier.AUTO

SHARED = chain(
    9,
    "fixed<8,3>",
    cast("fixed<5,3,RND_CONV,SAT>"),
    dense(11, "fixed<16,8>", "fixed<18,8>"),
    relu("ufixed<6,2,RND_CONV,SAT>"),
    dense(7, "fixed<9,5,TRN,SAT>", "fixed<9,6>", weight="fixed<4,1>"),
    cast("ufixed<4,2>"),
    dense(6, "fixed<6,2,RND,SAT>", "fixed<20,4>", weight="ufixed<5,0>"),
    dense(5, "fixed<11,3,RND,SAT>", "fixed<16,8>", weight="fixed<5,3>"),
)
"""Products of at most 18 bits less the weight: signed and unsigned, on grids finer and as fine as the sum's; the second
layer's accumulator is coarser and cannot share."""


@pytest.mark.parametrize("reuse_factor", [1, 3, 8, 21])
def test_shared_blocks_equal_the_oracle(reuse_factor: int, tmp_path: Path) -> None:
    plan = schedule(SHARED, {}, LayerKnobs(reuse_factor, PACKED))
    assert [layer.shared for layer in plan.layers] == [True, False, True, True]
    x = vectors(SHARED, 500)
    result = simulate(emit(plan), x, tmp_path)
    np.testing.assert_array_equal(result.outputs, evaluate(SHARED, x))
    assert set(result.ends - result.begins) == {plan.latency_cycles}


@pytest.mark.parametrize(
    ("source", "weight", "asked", "got"),
    [
        ("ufixed<6,0>", "fixed<6,1>", AUTO, LUT),
        ("fixed<18,6>", "fixed<16,1>", AUTO, DSP),
        ("fixed<18,6>", "fixed<16,1>", LUT, LUT),
        ("ufixed<6,0>", "fixed<6,1>", DSP, DSP),
        ("ufixed<6,0>", "fixed<6,1>", PACKED, DSP),
        ("fixed<18,6>", "fixed<1,1>", DSP, LUT),
        ("fixed<18,6>", "fixed<1,1>", AUTO, LUT),
    ],
)
def test_choice(source: str, weight: str, asked: Multiplier, got: Multiplier) -> None:
    graph = chain(9, source, dense(4, "fixed<40,20>", "fixed<40,20>", weight=weight))
    (layer,) = schedule(graph, {}, LayerKnobs(3, asked)).layers
    assert layer.multiplier is got
