"""Layers that skip zeros: the schedule, and the oracle's bits in fewer cycles."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from hlsflow.ir import Graph, evaluate, verify
from hlsflow.rtl import LayerKnobs, Multiplier, Strategy, emit, schedule, simulate
from hlsflow.rtl.cores.sparse import group_cycles, pack, packing
from tests.rtl.networks import cast, chain, dense, relu, vectors

DSP, LUT = Multiplier.DSP, Multiplier.LUT


def thinned(graph: Graph, zeros: float) -> Graph:
    """The graph with that share of its weights set to zero."""
    random = np.random.default_rng(5)
    nodes = [
        dataclasses.replace(
            node,
            params={k: v * (random.random(v.shape) >= zeros) if k == "weight" else v for k, v in node.params.items()},
        )
        for node in graph.nodes
    ]
    return verify(Graph(graph.name, tuple(nodes), graph.outputs))


@pytest.mark.parametrize("zeros", [0.0, 0.5, 0.9, 1.0])
def test_every_weight_has_its_cycle(zeros: float) -> None:
    random = np.random.default_rng(1)
    weight = random.integers(-9, 10, (17, 11)) * (random.random((17, 11)) >= zeros)
    x = random.integers(-50, 50, 17)
    for reuse_factor in (1, 2, 7, 40, 500):
        lanes_in, lanes_out = pack(np.count_nonzero(weight, axis=0), reuse_factor)
        packed = packing(weight, lanes_in, lanes_out)
        assert len(packed.weights) == sum(packed.cycles) <= reuse_factor
        sums = np.add.reduceat((x[packed.inputs] * packed.weights).sum(2), np.cumsum([0, *packed.cycles[:-1]])).ravel()
        np.testing.assert_array_equal(sums[:11], (x @ weight)[packed.order])


def test_pack_has_the_fewest_multipliers() -> None:
    counts = np.array([3, 0, 7, 1, 1, 5, 4])
    for reuse_factor in range(1, 30):
        fits = [(a * b, b) for a in range(1, 8) for b in range(1, 8) if sum(group_cycles(counts, a, b)) <= reuse_factor]
        lanes_in, lanes_out = pack(counts, reuse_factor)
        assert (lanes_in * lanes_out, lanes_out) == min(fits)


LAYER = chain(64, "ufixed<6,0>", dense(32, "fixed<24,8>", "fixed<24,8>"))


def test_a_fifth_of_the_weights_takes_about_a_fifth_of_the_cycles() -> None:
    thin = thinned(LAYER, 0.8)
    for reuse_factor, share in ((16, 0.32), (64, 0.25), (256, 0.21)):
        (folded,) = schedule(thin, {}, LayerKnobs(reuse_factor)).layers
        cycles = int(folded.granted * share)
        (sparse,) = schedule(thin, {}, LayerKnobs(cycles, strategy=Strategy.SPARSE)).layers
        assert sparse.granted <= cycles
        assert sparse.multipliers <= folded.multipliers


NETWORK = thinned(
    chain(
        13,
        "fixed<8,3>",
        cast("ufixed<6,3,RND_CONV,SAT>"),
        dense(11, "fixed<16,8>", "fixed<18,8>"),
        relu("ufixed<6,2,RND_CONV,SAT>"),
        dense(9, "fixed<12,6,RND,SAT_SYM>", "fixed<20,10>", weight="fixed<2,2>", bias="fixed<4,2>"),
        dense(7, "fixed<9,5,TRN,SAT>", "fixed<9,5,RND_CONV>"),
        dense(5, "fixed<11,3,RND,SAT>", "ufixed<12,4>", weight="fixed<3,1>"),
    ),
    0.7,
)


@pytest.mark.parametrize(
    "knobs",
    [
        {"l2": (1, DSP), "l4": (5, LUT), "l5": (4, DSP), "l6": (1, LUT)},
        {"l2": (9, LUT), "l4": (11, DSP), "l5": (30, LUT), "l6": (7, DSP)},
        {"l2": (1000, LUT), "l4": (3, LUT), "l5": (2, LUT), "l6": (500, DSP)},
    ],
)
def test_rtl_equals_the_oracle(knobs: dict[str, tuple[int, Multiplier]], tmp_path: Path) -> None:
    own = {name: LayerKnobs(*knob, strategy=Strategy.SPARSE) for name, knob in knobs.items()}
    plan = schedule(NETWORK, own, LayerKnobs(1))
    x = vectors(NETWORK, 500)
    result = simulate(emit(plan), x, tmp_path)
    np.testing.assert_array_equal(result.outputs, evaluate(NETWORK, x))
    assert set(result.ends - result.begins) == {plan.latency_cycles}
    assert result.ii == plan.ii
