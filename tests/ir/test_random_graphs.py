"""The oracle against the slow exact model, on random graphs of every operation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hlsflow.ir import Graph, Node, Op, Overflow, Rounding, evaluate, trace, verify
from hlsflow.ir.evaluate import pool_first
from tests.ir import exact, random_graphs

OPERATIONS = [op for op in Op if op is not Op.INPUT]


def check(graph: Graph, seed: int) -> None:
    x = random_graphs.batch(np.random.default_rng(seed), graph, 3)
    want = exact.run(graph, x)
    for name, values in trace(graph, x).items():
        np.testing.assert_array_equal(values, want[name].astype(np.int64), f"seed {seed}: {graph[name]}")
    np.testing.assert_array_equal(evaluate(graph, x), exact.results(graph, x).astype(np.int64))


@pytest.mark.parametrize("wide", [False, True], ids=["narrow", "wide"])
@pytest.mark.parametrize("op", OPERATIONS)
def test_every_operation_equals_its_plain_definition(op: Op, wide: bool) -> None:
    for seed in range(20):
        check(random_graphs.of_op(np.random.default_rng(seed), op, wide), seed)


@pytest.mark.parametrize("seed", range(40))
def test_graphs_with_branches_and_several_outputs(seed: int) -> None:
    check(random_graphs.of_many(np.random.default_rng(seed), 12), seed)


@pytest.mark.parametrize("seed", range(40))
def test_pooling_before_rounding_changes_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pooled = random_graphs.of_op(rng, Op.MAX_POOL)
    (x, pool), kind = pooled.nodes, random_graphs.kind(rng, False)
    act = Node("a", (Op.RELU, Op.QUANTIZE)[seed % 2], ("x0",), x.shape, kind)
    same = replace(kind, rounding=Rounding.TRN, overflow=(*Overflow, kind.overflow)[seed % 5])
    graph = verify(Graph("g", (x, act, replace(pool, inputs=("a",), type=same)), ("y",)))
    moved = pool_first(graph)
    fits = same.min <= kind.min
    assert (moved["y"].op is act.op) == (fits and kind.overflow in (Overflow.SAT, Overflow.SAT_SYM))
    assert verify(moved)
    check(graph, seed)
    shown = replace(graph, outputs=("a", "y"))
    assert pool_first(shown).nodes == shown.nodes
    check(shown, seed)


@pytest.mark.parametrize("seed", range(5))
def test_any_graph_survives_its_file(seed: int, tmp_path: Path) -> None:
    graph = random_graphs.of_many(np.random.default_rng(seed), 20)
    graph.save(tmp_path / "g.npz")
    loaded = Graph.load(tmp_path / "g.npz")
    assert loaded.digest() == graph.digest()
    assert [node.attrs for node in loaded.nodes] == [node.attrs for node in graph.nodes]
    x = random_graphs.batch(np.random.default_rng(seed), graph, 7)
    np.testing.assert_array_equal(evaluate(loaded, x), evaluate(graph, x))
