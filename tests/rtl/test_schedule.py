"""The fold of a layer and the closed formulas of latency and interval."""

from __future__ import annotations

import itertools

import pytest

from hlsflow.core.errors import ProjectError
from hlsflow.rtl import LayerKnobs, LayerSchedule, Multiplier, Pipeline, WeightsIn, schedule
from hlsflow.rtl.cores.fold import fold
from tests.rtl.networks import chain, dense, relu

SIZES = (1, 2, 3, 5, 7, 13, 16, 17, 31, 37, 64)


@pytest.mark.parametrize(("n_in", "n_out"), itertools.product(SIZES, SIZES))
def test_fold_has_the_fewest_multipliers(n_in: int, n_out: int) -> None:
    work = [(a * b, b, -(-n_in // a) * -(-n_out // b)) for a in range(1, n_in + 1) for b in range(1, n_out + 1)]
    for reuse_factor in (1, 2, 3, 4, 7, 11, 16, 19, 61, 64, n_in * n_out, n_in * n_out + 1):
        lanes_in, lanes_out = fold(n_in, n_out, reuse_factor)
        cycles = -(-n_in // lanes_in) * -(-n_out // lanes_out)
        assert cycles <= reuse_factor
        fewest = min((multipliers, outputs) for multipliers, outputs, needed in work if needed <= reuse_factor)
        assert (lanes_in * lanes_out, lanes_out) == fewest


@pytest.mark.parametrize(
    ("n_in", "n_out", "reuse_factor", "lanes"),
    [(16, 64, 16, (16, 4)), (64, 32, 16, (64, 2)), (64, 32, 64, (32, 1)), (32, 5, 15, (11, 1)), (3, 3, 9, (1, 1))],
)
def test_fold_prefers_rows(n_in: int, n_out: int, reuse_factor: int, lanes: tuple[int, int]) -> None:
    assert fold(n_in, n_out, reuse_factor) == lanes


JETS = chain(
    16,
    "fixed<10,4>",
    dense(64, "fixed<21,10>", "fixed<21,10>"),
    relu("ufixed<6,0,RND_CONV,SAT>"),
    dense(32, "fixed<19,8>", "fixed<19,8>"),
    relu("ufixed<6,0,RND_CONV,SAT>"),
    dense(32, "fixed<18,7>", "fixed<18,7>"),
    relu("ufixed<6,0,RND_CONV,SAT>"),
    dense(5, "fixed<18,7>", "fixed<18,7>"),
)
"""The shape of the jet tagger."""


def test_jet_shape_at_16() -> None:
    plan = schedule(JETS, {}, LayerKnobs(16))
    assert (plan.latency_cycles, plan.ii) == (80, 16)
    assert [layer.multipliers for layer in plan.layers] == [64, 128, 64, 10]
    assert [layer.latency_cycles for layer in plan.layers] == [20, 21, 20, 18]


def test_one_layer_in_full() -> None:
    plan = schedule(JETS, {"l7": LayerKnobs(40, Multiplier.LUT)}, LayerKnobs(1))
    assert plan.layers[-1] == LayerSchedule(
        name="l7",
        n_in=32,
        n_out=5,
        asked=40,
        granted=40,
        inputs_per_cycle=4,
        outputs_per_cycle=1,
        steps=8,
        groups=5,
        multiplier=Multiplier.LUT,
        multipliers=4,
        multiply_latency=4,
        tree_latency=0,
        pipeline=Pipeline(),
        latency_cycles=45,
        weight_bits=24,
        weights_in=WeightsIn.LUT,
    )
    assert plan.ii == 40


@pytest.mark.parametrize("reuse_factor", [0, -3])
def test_reuse_factor_below_one_is_refused(reuse_factor: int) -> None:
    with pytest.raises(ProjectError, match=f"layer 'l3' is {reuse_factor}"):
        schedule(JETS, {"l3": LayerKnobs(reuse_factor)}, LayerKnobs(16))


def test_knobs_for_an_unknown_layer_are_refused() -> None:
    with pytest.raises(ProjectError, match="no layer with weights is named 'fc9'"):
        schedule(JETS, {"fc9": LayerKnobs(4)}, LayerKnobs(16))
