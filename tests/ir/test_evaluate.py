"""The oracle against the plain definition of each operation, in Python integers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.ir import Fixed, Graph, Node, Op, Overflow, Rounding, evaluate, trace, verify
from flows.ir.fixed import Array

types = st.builds(
    Fixed, st.integers(1, 16), st.integers(-3, 14), st.booleans(), st.sampled_from(Rounding), st.sampled_from(Overflow)
)
accums = st.builds(Fixed, st.integers(2, 40), st.integers(0, 24), st.booleans(), st.sampled_from(Rounding))


def plain_dense(node: Node, x: Array, source: Fixed) -> Array:
    """One multiplication and one addition after the other, as the C++ loops do."""
    accum, weight = node.types["accum"], node.params["weight"]
    frac = source.frac + node.types["weight"].frac
    rows = []
    for row in x:
        total = accum.cast(node.params["bias"], node.types["bias"].frac)
        for value, weights in zip(row, weight, strict=True):
            total = accum.cast(total + accum.cast(value * weights, frac), accum.frac)
        rows.append(node.type.cast(total, accum.frac))
    return np.array(rows)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_dense_equals_the_plain_loops(data: st.DataObject) -> None:
    source, kinds = data.draw(types), {"weight": data.draw(types), "bias": data.draw(types), "accum": data.draw(accums)}
    n_in, n_out, seed = data.draw(st.integers(1, 9)), data.draw(st.integers(1, 5)), data.draw(st.integers(0, 999))
    rng = np.random.default_rng(seed)

    def codes(kind: Fixed, *shape: int) -> Array:
        return rng.integers(kind.min, kind.max + 1, shape)

    params = {"weight": codes(kinds["weight"], n_in, n_out), "bias": codes(kinds["bias"], n_out)}
    node = Node("fc", Op.DENSE, ("x",), (n_out,), data.draw(types), kinds, params)
    graph = verify(Graph("g", (Node("x", Op.INPUT, (), (n_in,), source), node), ("fc",)))
    x = codes(source, 7, n_in)
    assert evaluate(graph, x).tolist() == plain_dense(node, x, source).tolist()


@settings(max_examples=300, deadline=None)
@given(types, types, st.sampled_from((Op.RELU, Op.QUANTIZE)), st.integers(0, 999))
def test_activations_equal_one_cast(source: Fixed, kind: Fixed, op: Op, seed: int) -> None:
    graph = verify(Graph("g", (Node("x", Op.INPUT, (), (40,), source), Node("a", op, ("x",), (40,), kind)), ("a",)))
    x = np.random.default_rng(seed).integers(source.min, source.max + 1, (5, 40))
    want = kind.cast(np.maximum(x, 0) if op is Op.RELU else x, source.frac)
    assert evaluate(graph, x).tolist() == want.tolist()


@pytest.mark.parametrize(("slope", "kind"), [(1, "ufixed<1,-1>"), (3, "fixed<4,2>"), (-2, "fixed<3,4>")])
def test_leaky_relu_multiplies_negatives_alone(slope: int, kind: str) -> None:
    source, slope_type, out = Fixed(8, 4), Fixed.parse(kind), Fixed.parse("fixed<6,3,RND_CONV,SAT>")
    node = Node("a", Op.LEAKY_RELU, ("x",), (256,), out, {"slope": slope_type}, {"slope": np.array(slope)})
    graph = verify(Graph("g", (Node("x", Op.INPUT, (), (256,), source), node), ("a",)))
    x = np.arange(-128, 128)[None]
    real = source.real(x)
    want = out.quantize(np.where(real < 0, real * float(slope_type.real(np.array(slope))), real))
    assert evaluate(graph, x).tolist() == want.tolist()


def test_large_batches_keep_their_order_and_trace_agrees() -> None:
    kinds = {"weight": Fixed(6, 1), "bias": Fixed(6, 1), "accum": Fixed(18, 8)}
    rng = np.random.default_rng(3)
    params = {"weight": rng.integers(-32, 32, (16, 8)), "bias": rng.integers(-32, 32, 8)}
    nodes = (
        Node("x", Op.INPUT, (), (16,), Fixed(8, 3)),
        Node("fc", Op.DENSE, ("x",), (8,), kinds["accum"], kinds, params),
        Node("act", Op.RELU, ("fc",), (8,), Fixed.parse("ufixed<6,2,RND_CONV,SAT>")),
    )
    graph = verify(Graph("g", nodes, ("act",)))
    x = rng.integers(-128, 128, (5000, 16))
    values = trace(graph, x)
    assert list(values) == ["x", "fc", "act"]
    assert np.array_equal(values["fc"], x @ params["weight"] + (params["bias"] << 5))
    assert np.array_equal(evaluate(graph, x), values["act"])


@pytest.mark.parametrize("x", [np.zeros((2, 3), int), np.full((2, 4), 16)])
def test_wrong_input_is_refused(x: Array) -> None:
    nodes = (Node("x", Op.INPUT, (), (4,), Fixed(5, 5)), Node("a", Op.RELU, ("x",), (4,), Fixed(5, 5)))
    with pytest.raises(ValueError, match="input 'x'"):
        evaluate(verify(Graph("g", nodes, ("a",))), x)


def test_the_jet_network_gives_the_known_logits(shared: Path) -> None:
    """1,000 vectors through 16-64-32-32-5 with 6-bit weights, exact logits stored with them."""
    data = np.load(shared / "data" / "jet_shape_6bit.npz")
    nodes = [Node("x", Op.INPUT, (), (16,), Fixed(10, 4))]
    for name, accum in zip(("fc1", "fc2", "fc3", "out"), (21, 19, 18, 18), strict=True):
        kinds = {"weight": Fixed(6, 1), "bias": Fixed(6, 1), "accum": Fixed(accum, accum - 11)}
        params = {key: kinds[key].quantize(data[f"{name}_{key[0]}"]) for key in ("weight", "bias")}
        size = params["bias"].shape
        nodes.append(Node(name, Op.DENSE, (nodes[-1].name,), size, kinds["accum"], kinds, params))
        if name != "out":
            nodes.append(Node(f"{name}_relu", Op.RELU, (name,), size, Fixed.parse("ufixed<6,0,RND_CONV,SAT>")))
    graph = verify(Graph("jet", tuple(nodes), ("out",)))
    logits = evaluate(graph, nodes[0].type.quantize(data["inputs"]))
    assert np.array_equal(graph["out"].type.real(logits), data["logits"])
