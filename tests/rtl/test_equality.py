"""RTL = oracle on small random graphs, also under back-pressure, with latency and interval as predicted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hlsflow.ir import Graph, evaluate
from hlsflow.rtl import LayerKnobs, Multiplier, emit, schedule, simulate
from tests.rtl.networks import cast, chain, dense, leaky, relu, vectors

DSP, LUT = Multiplier.DSP, Multiplier.LUT

MIXED = chain(
    7,
    "fixed<8,3>",
    cast("fixed<6,3,RND_CONV,SAT>"),
    dense(11, "fixed<16,8>", "fixed<16,8>"),
    relu("ufixed<6,2,RND_CONV,SAT>"),
    dense(5, "fixed<12,6,RND,SAT_SYM>", "fixed<20,10>", weight="fixed<2,2>", bias="fixed<4,2>"),
    leaky("fixed<9,4,RND_INF,SAT>", 19),
    dense(3, "fixed<14,7>", "fixed<14,7>", weight="ufixed<3,0>", bias="ufixed<5,2>"),
)
"""Input cast, ternary and unsigned weights, leaky ReLU with two casts in a row, a final layer that wraps."""

COARSE = chain(
    6,
    "ufixed<5,2>",
    dense(4, "fixed<9,5,TRN,SAT>", "fixed<9,5,RND_CONV>"),
    leaky("fixed<7,4,RND_ZERO,SAT_ZERO>", -3),
    dense(7, "fixed<8,6>", "fixed<8,6,TRN_ZERO>"),
    relu("ufixed<4,3,RND_MIN_INF>"),
    dense(2, "fixed<7,6>", "ufixed<7,6,RND_INF>", bias="fixed<9,3>"),
)
"""Accumulators coarser than the products, with rounding, and too narrow for the sum."""

WRAPPING = chain(
    13,
    "fixed<4,4>",
    dense(6, "fixed<6,6>", "fixed<6,6>", weight="fixed<4,4>", bias="fixed<8,8>"),
    cast("fixed<9,5,TRN,SAT>"),
    dense(5, "fixed<12,4>", "fixed<15,3>", weight="fixed<1,1>", bias="ufixed<1,1>"),
    relu("fixed<8,2,TRN_ZERO,SAT_SYM>"),
    dense(1, "fixed<11,3,RND,SAT>", "ufixed<12,4>", weight="fixed<3,1>"),
)
"""Accumulators that wrap, finer than the products, unsigned with negative sums; one-bit weights."""

WIDE = chain(3, "fixed<20,8>", dense(2, "fixed<40,20>", "fixed<48,24>", weight="fixed<18,4>", bias="fixed<18,4>"))

DEEP = chain(
    17,
    "fixed<6,3>",
    dense(9, "fixed<16,8>", "fixed<16,8>"),
    relu("ufixed<6,2,RND_CONV,SAT>"),
    dense(16, "fixed<12,6>", "fixed<12,6,RND>"),
)
"""Layers of 153 and 144 products, for weight ROMs of 128 words and more; the second one with a coarse accumulator."""

CASES = [
    pytest.param(MIXED, {"l2": (1, DSP), "l4": (1, LUT), "l6": (1, DSP)}, id="mixed-1"),
    pytest.param(MIXED, {"l2": (6, LUT), "l4": (7, DSP), "l6": (5, LUT)}, id="mixed-awkward"),
    pytest.param(MIXED, {"l2": (77, DSP), "l4": (1000, LUT), "l6": (1, LUT)}, id="mixed-max"),
    pytest.param(COARSE, {"l1": (3, DSP), "l3": (2, LUT), "l5": (12, DSP)}, id="coarse-3"),
    pytest.param(COARSE, {"l1": (1, LUT), "l3": (28, DSP), "l5": (1, LUT)}, id="coarse-28"),
    pytest.param(WRAPPING, {"l1": (13, DSP), "l3": (4, LUT), "l5": (2, DSP)}, id="wrapping-13"),
    pytest.param(WRAPPING, {"l1": (1, LUT), "l3": (1, DSP), "l5": (1, LUT)}, id="wrapping-1"),
    pytest.param(DEEP, {"l1": (153, DSP), "l3": (144, LUT)}, id="deep-dsp-lut"),
    pytest.param(DEEP, {"l1": (130, LUT), "l3": (128, DSP)}, id="deep-lut-dsp"),
    pytest.param(WIDE, {"l1": (2, LUT)}, id="wide-lut"),
    pytest.param(WIDE, {"l1": (6, DSP)}, id="wide-dsp"),
    pytest.param(chain(4, "fixed<9,4>", cast("fixed<5,2,RND,SAT>"), relu("ufixed<3,1>")), {}, id="no-dense"),
]


@pytest.mark.parametrize(("graph", "knobs"), CASES)
def test_rtl_equals_the_oracle(graph: Graph, knobs: dict[str, tuple[int, Multiplier]], tmp_path: Path) -> None:
    plan = schedule(graph, {name: LayerKnobs(*knob) for name, knob in knobs.items()}, LayerKnobs(1))
    x = vectors(graph, 500)
    result = simulate(emit(plan), x, tmp_path)
    np.testing.assert_array_equal(result.outputs, evaluate(graph, x))
    assert set(result.ends - result.begins) == {plan.latency_cycles}
    assert result.ii == plan.ii
    assert result.cycles == (len(x) - 1) * plan.ii + plan.latency_cycles
    assert result.stalled == 200
