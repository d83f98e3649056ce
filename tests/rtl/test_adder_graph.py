"""Adder graphs of constant matrices: exact values and ranges, and as pipelines the oracle's bits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hlsflow.ir import Fixed, evaluate
from hlsflow.rtl import LayerKnobs, Pipeline, Strategy, emit, schedule, simulate
from hlsflow.rtl.cores.adder_graph import AdderGraph, adder_graph
from tests.rtl.networks import cast, chain, dense, leaky, relu, vectors

LATENCY = LayerKnobs(1, strategy=Strategy.LATENCY)


def values(graph: AdderGraph, x: np.ndarray) -> np.ndarray:
    """The sums, node by node; every node within its bounds."""
    nodes = dict(enumerate(x.T))
    for node, adder in graph.adders.items():
        parts = [(-1 if o.negative else 1) * (nodes[o.node] << o.shift) for o in adder.operands]
        nodes[node] = np.sum(parts, 0) + adder.offset
        low, high = graph.bounds[node]
        assert low <= nodes[node].min() <= nodes[node].max() <= high
    shifted = [(nodes[o.node] << o.shift if o.shift >= 0 else nodes[o.node] >> -o.shift, c) if o else (0 * x[:, 0], c)
               for o, c in graph.sums]  # fmt: skip
    return np.stack([value + constant for value, constant in shifted], 1)


@pytest.mark.parametrize("source", ["fixed<7,3>", "ufixed<6,0>", "fixed<1,1>"])
@pytest.mark.parametrize(("low", "high", "zeros"), [(-32, 31, 0.0), (-1, 1, 0.3), (0, 7, 0.8), (-8, 8, 1.0)])
def test_sums(source: str, low: int, high: int, zeros: float) -> None:
    random, kind = np.random.default_rng(0), Fixed.parse(source)
    weight = random.integers(low, high + 1, (9, 7)) * (random.random((9, 7)) >= zeros)
    weight[:, 3] *= -4
    bias = random.integers(-3000, 3000, 7) << random.integers(0, 6, 7)
    bias[0] = 0
    x = random.integers(kind.min, kind.max + 1, (200, 9))
    graph = adder_graph(weight, bias, kind)
    np.testing.assert_array_equal(values(graph, x), x @ weight + bias)


def test_powers_of_two_need_no_multiplier_and_one_adder_a_term() -> None:
    weight = np.array([[1, 0, 8], [0, 4, -2], [0, 0, 1]])
    graph = adder_graph(weight, np.zeros(3, np.int64), Fixed(6, 3))
    assert len(graph.adders) == 2
    assert graph.depth == 2


def test_bias_above_the_bits_of_an_input_is_free() -> None:
    graph = adder_graph(np.array([[1], [1]]), np.array([5 * 64]), Fixed.parse("ufixed<6,0>"))
    assert [graph.is_wiring(node) for node in graph.adders] == [True, False]
    assert graph.depth == 1


NETWORK = chain(
    7,
    "fixed<8,3>",
    cast("fixed<6,3,RND_CONV,SAT>"),
    dense(11, "fixed<16,8>", "fixed<18,8>"),
    relu("ufixed<6,2,RND_CONV,SAT>"),
    dense(9, "fixed<12,6,RND,SAT_SYM>", "fixed<20,8>", weight="fixed<2,2>", bias="fixed<4,2>"),
    leaky("fixed<9,4,RND_INF,SAT>", 19),
    dense(8, "fixed<7,7>", "fixed<11,3>", weight="fixed<3,1>", bias="ufixed<5,2>"),
    cast("fixed<1,1>"),
    dense(5, "fixed<14,7>", "fixed<14,7,RND>", weight="fixed<8,3>"),
    dense(3, "fixed<9,5>", "fixed<9,5>"),
)
"""Wide and narrow accumulators (a wrapping one, and at the end one that is coarser than the products: folded)."""


@pytest.mark.parametrize("levels", [1, 2, 100])
def test_rtl_equals_the_oracle(levels: int, tmp_path: Path) -> None:
    plan = schedule(NETWORK, {}, LATENCY, Pipeline(levels_per_stage=levels))
    kinds = [layer.strategy for layer in plan.layers]
    assert kinds == [*[Strategy.LATENCY] * 4, Strategy.RESOURCE]
    x = vectors(NETWORK, 500)
    result = simulate(emit(plan), x, tmp_path)
    np.testing.assert_array_equal(result.outputs, evaluate(NETWORK, x))
    assert set(result.ends - result.begins) == {plan.latency_cycles}
    assert result.ii == plan.ii == 1
