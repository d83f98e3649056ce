"""The pipeline that a clock asks for, and that deeper pipelines change no bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hlsflow.core.choices import Family
from hlsflow.ir import evaluate
from hlsflow.rtl import LayerKnobs, Multiplier, Pipeline, emit, schedule, simulate
from hlsflow.rtl.delay import Widths, paths, pipeline_for, slowest
from tests.rtl.networks import cast, chain, dense, leaky, relu, vectors

DSP, LUT = Multiplier.DSP, Multiplier.LUT
DEEPEST = Pipeline(
    levels_per_stage=1, rows_per_stage=1, feed_register=True, operand_register=True, cast_register=True, block_ram=False
)


@pytest.mark.parametrize("family", Family)
@pytest.mark.parametrize("multiplier", [DSP, LUT])
def test_a_slow_clock_needs_the_default_and_faster_ones_more(family: Family, multiplier: Multiplier) -> None:
    assert pipeline_for(40.0, family, multiplier) == Pipeline()
    times = [slowest(pipeline_for(clock, family, multiplier), family, multiplier).ns for clock in (40, 8, 5, 3, 1)]
    assert times == sorted(times, reverse=True)
    assert times[-1] < times[0]


def test_200_mhz_on_ecp5() -> None:
    # Routed (LFE5U-25F-6, 32-16-8 at reuse factor 32): 224 MHz with LUTs.
    assert slowest(pipeline_for(5.0, Family.ECP5, LUT), Family.ECP5, LUT).ns <= 5.0
    assert slowest(pipeline_for(5.0, Family.ECP5, DSP), Family.ECP5, DSP).ns <= 5.0


@pytest.mark.parametrize(("registered", "ns"), [(False, 0.52 + 2.1 + 3.49), (True, 3.9)])
def test_an_ecp5_multiplier_with_registers_on_both_sides_is_as_slow_as_the_block(registered: bool, ns: float) -> None:
    times = {path.what: path.ns for path in paths(Pipeline(operand_register=registered), Family.ECP5, DSP)}
    assert times["DSP block"] == pytest.approx(ns)
    assert pipeline_for(6.0, Family.ECP5, DSP).operand_register
    assert not pipeline_for(6.2, Family.ECP5, DSP).operand_register


def test_block_ram_is_left_where_it_is_too_slow() -> None:
    deep = Widths(words=512)
    assert pipeline_for(9.0, Family.ECP5, LUT, deep).block_ram
    assert not pipeline_for(5.0, Family.ECP5, LUT, deep).block_ram
    assert "block RAM" not in [path.what for path in paths(Pipeline(block_ram=False), Family.ECP5, LUT, deep)]


NETWORK = chain(
    9,
    "fixed<8,3>",
    cast("fixed<6,3,RND_CONV,SAT>"),
    dense(17, "fixed<16,8>", "fixed<18,8>"),
    relu("ufixed<6,2,RND_CONV,SAT>"),
    dense(9, "fixed<12,6,RND,SAT_SYM>", "fixed<20,10>", weight="fixed<2,2>", bias="fixed<4,2>"),
    leaky("fixed<9,4,RND_INF,SAT>", 19),
    dense(3, "fixed<9,5,TRN,SAT>", "fixed<9,5,RND_CONV>"),
)


def test_the_deepest_pipeline_equals_the_oracle(tmp_path: Path) -> None:
    knobs = {"l2": LayerKnobs(153), "l4": LayerKnobs(153, LUT), "l6": LayerKnobs(4)}
    plan = schedule(NETWORK, knobs, LayerKnobs(1), DEEPEST)
    assert plan.latency_cycles > schedule(NETWORK, knobs, LayerKnobs(1)).latency_cycles
    x = vectors(NETWORK, 300)
    result = simulate(emit(plan), x, tmp_path)
    np.testing.assert_array_equal(result.outputs, evaluate(NETWORK, x))
    assert set(result.ends - result.begins) == {plan.latency_cycles}
    assert result.ii == plan.ii
