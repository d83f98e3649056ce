"""Every operation with a core: RTL = oracle on random shapes and types, many graphs in one simulation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hlsflow.ir import Graph, Op, evaluate, verify
from hlsflow.ir.graph import MERGES
from hlsflow.rtl import LayerKnobs, Multiplier, Strategy, emit, schedule, simulate
from hlsflow.rtl.cores import WITH_KNOBS
from hlsflow.rtl.fronts import runs_beats
from hlsflow.rtl.timing import run
from tests.ir.random_graphs import batch, of_op

FRAMES = 60


def together(graphs: Sequence[Graph]) -> Graph:
    """Independent graphs as one: inputs and outputs side by side."""
    nodes = [
        replace(node, name=f"{node.name}_{number}", inputs=tuple(f"{name}_{number}" for name in node.inputs))
        for number, graph in enumerate(graphs)
        for node in graph.nodes
    ]
    outputs = [f"{name}_{number}" for number, graph in enumerate(graphs) for name in graph.outputs]
    return verify(Graph("together", tuple(nodes), tuple(outputs)))


CASES = {
    "merges": (*MERGES, Op.CONCAT) * 3,
    "pools": (Op.MAX_POOL, Op.AVG_POOL, Op.AVG_POOL) * 5,
    "tables": (Op.TABLE, Op.LEAKY_RELU) * 4,
    "classes": (Op.ARGMAX, Op.SOFTMAX, Op.SOFTMAX) * 3,
    "sums": (Op.DEPTHWISE, Op.SCALE) * 6,
}


def _one(rng: np.random.Generator, op: Op) -> Graph:
    """A graph of one operation that has a core: beats put one after the other need none."""
    return next(graph for graph in iter(lambda: of_op(rng, op), None) if not runs_beats(graph.nodes[-1]))


def _knobs(rng: np.random.Generator, graph: Graph) -> dict[str, LayerKnobs]:
    layers = [node.name for node in graph.nodes if node.op in WITH_KNOBS]
    return {name: _random_knobs(rng) for name in layers}


def _random_knobs(rng: np.random.Generator) -> LayerKnobs:
    kinds, strategies = (Multiplier.DSP, Multiplier.LUT), (Strategy.LATENCY, Strategy.RESOURCE)
    return LayerKnobs(int(rng.choice([1, 1, 2, 5, 9, 100])), kinds[rng.integers(2)], strategies[rng.integers(2)])


@pytest.mark.parametrize("name", CASES)
def test_rtl_equals_the_oracle(name: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(list(name.encode()))
    graph = together([_one(rng, op) for op in CASES[name]])
    plan = schedule(graph, _knobs(rng, graph), LayerKnobs(1))
    x = batch(rng, graph, FRAMES)
    result = simulate(emit(plan), x, tmp_path)
    np.testing.assert_array_equal(result.outputs, evaluate(graph, x))
    times = run(plan.network, plan.depths, FRAMES)
    np.testing.assert_array_equal(np.diff(result.ends), np.diff(times.ends))
