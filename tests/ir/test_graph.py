"""Graph files and the verifier."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hlsflow.core.errors import StorageError
from hlsflow.ir import Fixed, Graph, Node, Op, verify
from hlsflow.ir.verify import InvalidGraph

IN, HIDDEN, ACCUM = Fixed(5, 3), Fixed.parse("ufixed<4,2,RND_CONV,SAT>"), Fixed(14, 8)


def small_graph() -> Graph:
    types = {"weight": Fixed(4, 1), "bias": Fixed(4, 1), "accum": ACCUM}
    params = {"weight": np.array([[1, -8], [3, 7], [0, 2]]), "bias": np.array([-1, 5])}
    nodes = (
        Node("x", Op.INPUT, (), (3,), IN),
        Node("fc", Op.DENSE, ("x",), (2,), ACCUM, types, params),
        Node("act", Op.RELU, ("fc",), (2,), HIDDEN),
    )
    return verify(Graph("small", nodes, ("act",)))


def test_a_saved_graph_loads_equal(tmp_path: Path) -> None:
    graph = small_graph()
    graph.save(tmp_path / "g.npz")
    loaded = Graph.load(tmp_path / "g.npz")
    assert loaded.digest() == graph.digest()
    assert loaded["fc"].params["weight"].tolist() == [[1, -8], [3, 7], [0, 2]]
    assert loaded["act"].type == HIDDEN


def test_the_digest_depends_on_every_weight() -> None:
    graph = small_graph()
    weight = graph["fc"].params["weight"].copy()
    weight[2, 1] += 1
    fc = replace(graph["fc"], params={**graph["fc"].params, "weight": weight})
    assert replace(graph, nodes=(graph.nodes[0], fc, graph.nodes[2])).digest() != graph.digest()


@pytest.mark.parametrize("damage", ["truncated", "empty", "foreign"])
def test_a_damaged_file_is_one_clear_error(tmp_path: Path, damage: str) -> None:
    file = tmp_path / "g.npz"
    small_graph().save(file)
    whole = file.read_bytes()
    file.write_bytes({"truncated": whole[: len(whole) // 2], "empty": b"", "foreign": b"not a zip file"}[damage])
    with pytest.raises(StorageError, match="not a readable graph file"):
        Graph.load(file)


BROKEN = {
    "two nodes are named": lambda n: (n[0], n[1], replace(n[2], name="fc")),
    "does not come before it": lambda n: (n[1], n[0], n[2]),
    "has 0 inputs": lambda n: (n[0], replace(n[1], inputs=()), n[2]),
    "must carry the parameters": lambda n: (n[0], replace(n[1], params={}), n[2]),
    "must carry the types": lambda n: (n[0], replace(n[1], types={}), n[2]),
    "is not within": lambda n: (n[0], replace(n[1], params=n[1].params | {"bias": np.array([8, 0])}), n[2]),
    r"maps .* to \(3,\)": lambda n: (n[0], n[1], replace(n[2], shape=(3,))),
    "maps": lambda n: (replace(n[0], shape=(4,)), n[1], n[2]),
    "only WRAP": lambda n: (
        n[0],
        replace(n[1], types=n[1].types | {"accum": Fixed.parse("fixed<14,8,TRN,SAT>")}),
        n[2],
    ),
    "needs more than": lambda n: (replace(n[0], type=Fixed(60, 3)), n[1], n[2]),
}


@pytest.mark.parametrize("rule", BROKEN)
def test_the_verifier_names_the_broken_rule(rule: str) -> None:
    graph = small_graph()
    with pytest.raises(InvalidGraph, match=rule):
        verify(replace(graph, nodes=BROKEN[rule](graph.nodes)))


def test_outputs_must_be_nodes() -> None:
    with pytest.raises(InvalidGraph, match="outputs"):
        verify(replace(small_graph(), outputs=("nowhere",)))
