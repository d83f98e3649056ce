"""The graph that is built: the same values with fewer nodes."""

from __future__ import annotations

import numpy as np

from hlsflow.core.choices import Io
from hlsflow.ir import Fixed, Graph, Node, Op, evaluate, verify
from hlsflow.rtl.prepare import prepared

SUM = Fixed(16, 10)


def padded_twice() -> Graph:
    """Padding read by a convolution with padding of its own, and by another one."""
    random = np.random.default_rng(0)
    x = Node("x", Op.INPUT, (), (4, 5, 2), Fixed(5, 5))
    pad = Node("pad", Op.ZERO_PAD, ("x",), (7, 8, 2), x.type, attrs={"pad": (1, 2, 0, 3)})
    types = {"weight": Fixed(3, 3), "bias": Fixed(3, 3), "accum": Fixed(16, 16)}

    def conv(name: str, own: tuple[int, int, int, int], shape: tuple[int, int, int]) -> Node:
        params = {"weight": random.integers(-4, 4, (3, 2, 2, 3)), "bias": random.integers(-4, 4, 3)}
        return Node(name, Op.CONV, ("pad",), shape, SUM, types, params, {"stride": (1, 1), "pad": own})

    nodes = (x, pad, conv("a", (0, 1, 1, 0), (6, 8, 3)), conv("b", (0, 0, 0, 0), (5, 7, 3)))
    return verify(Graph("padded", nodes, ("a", "b")))


def test_convolutions_pad_by_themselves() -> None:
    graph = padded_twice()
    built = prepared(graph, Io.STREAM)
    assert [node.name for node in built.nodes] == ["x", "a", "b"]
    assert built["a"].attrs["pad"] == (1, 3, 1, 3)
    assert built["b"].attrs["pad"] == (1, 2, 0, 3)
    x = np.random.default_rng(1).integers(-16, 16, (10, 40))
    np.testing.assert_array_equal(evaluate(built, x), evaluate(graph, x))


def test_padding_that_is_a_result_stays() -> None:
    graph = padded_twice()
    whole = Graph(graph.name, graph.nodes, ("pad", "a", "b"))
    assert [node.name for node in prepared(verify(whole), Io.STREAM).nodes] == ["x", "pad", "a", "b"]
