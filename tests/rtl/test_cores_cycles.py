"""Every kind of core in one network: exact bits, and exactly the cycles that were predicted, at any reuse factor."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hlsflow.ir import Fixed, Graph, Node, Op, evaluate, verify
from hlsflow.rtl import LayerKnobs, Multiplier, Pipeline, Strategy, emit, schedule, simulate
from hlsflow.rtl.timing import run
from tests.ir.random_graphs import batch, codes

RNG = np.random.default_rng(5)
SMALL, WIDE = Fixed.parse("fixed<6,3,RND_CONV,SAT>"), Fixed(20, 10)
UNSIGNED = Fixed.parse("ufixed<5,2,RND,SAT>")


def _node(name: str, op: Op, source: str, shape: tuple[int, ...], kind: Fixed, **rest: dict) -> Node:
    return Node(name, op, tuple(source.split()), shape, kind, **rest)


def _depthwise(name: str, source: str, shape: tuple[int, ...], pad: tuple[int, ...]) -> Node:
    params = {"weight": codes(RNG, SMALL, 3, 3, 3), "bias": codes(RNG, SMALL, 3)}
    types, attrs = {"weight": SMALL, "bias": SMALL, "accum": WIDE}, {"stride": (1, 1), "pad": pad}
    return _node(name, Op.DEPTHWISE, source, shape, SMALL, params=params, types=types, attrs=attrs)


def _pool(name: str, op: Op, source: str, shape: tuple[int, ...], window: int, pad: tuple[int, ...]) -> Node:
    attrs = {"window": (window, window), "stride": (1, 1), "pad": pad}
    if op is Op.MAX_POOL:
        return _node(name, op, source, shape, SMALL, attrs=attrs)
    return _node(name, op, source, shape, SMALL, attrs=attrs | {"count_pad": (0,)}, types={"accum": WIDE})


def _softmax(name: str, source: str, n: int, form: int) -> Node:
    norm = SMALL if form else Fixed(6, 3, signed=False)
    types = {"norm": norm, "exp": Fixed(9, 2, signed=False), "accum": Fixed(12, 5), "inv_in": Fixed(8, 4)}
    types |= {"inv": Fixed(10, 3)}
    params = {"exp": codes(RNG, types["exp"], 32), "inv": codes(RNG, types["inv"], 128)}
    return _node(name, Op.SOFTMAX, source, (n,), Fixed(14, 5), params=params, types=types, attrs={"form": (form,)})


def _network() -> Graph:
    scale = {"scale": codes(RNG, SMALL, 3), "bias": codes(RNG, SMALL, 3)}
    table = {"table": codes(RNG, UNSIGNED, 64)}
    image = (6, 6, 3)
    nodes = (
        Node("x", Op.INPUT, (), image, SMALL),
        _depthwise("depthwise", "x", image, (1, 1, 1, 1)),
        _pool("max", Op.MAX_POOL, "depthwise", image, 2, (1, 0, 0, 1)),
        _node("scale", Op.SCALE, "max", image, SMALL, params=scale, types={"scale": SMALL, "bias": SMALL}),
        _pool("avg", Op.AVG_POOL, "scale", image, 3, (1, 1, 1, 1)),
        _node("table", Op.TABLE, "avg", image, UNSIGNED, params=table),
        _node("add", Op.ADD, "table x", image, SMALL),
        _node("product", Op.MULTIPLY, "add scale", image, SMALL),
        _node("concat", Op.CONCAT, "product table", (6, 6, 6), SMALL, attrs={"axis": (2,)}),
        _pool("largest", Op.MAX_POOL, "concat", (6,), 6, (0, 0, 0, 0)),
        _pool("mean", Op.AVG_POOL, "concat", (6,), 6, (0, 0, 0, 0)),
        _node("minimum", Op.MINIMUM, "largest mean", (6,), SMALL),
        _softmax("stable", "minimum", 6, 0),
        _softmax("latency", "minimum", 6, 1),
        _node("argmax", Op.ARGMAX, "mean", (6,), Fixed(7, 4)),
    )
    return verify(Graph("all cores", nodes, ("stable", "latency", "argmax")))


GRAPH = _network()
DSP, LUT = Multiplier.DSP, Multiplier.LUT
ADDERS = LayerKnobs(1, strategy=Strategy.LATENCY)
CASES = {
    "adders": ({"depthwise": ADDERS, "scale": ADDERS}, Pipeline(2, 2)),
    "parallel": ({"depthwise": LayerKnobs(1, DSP), "scale": LayerKnobs(1, LUT)}, Pipeline(1, 1)),
    "folded": ({"depthwise": LayerKnobs(7, LUT), "scale": LayerKnobs(2, DSP)}, Pipeline(2, 2)),
    "most folded": ({"depthwise": LayerKnobs(27, DSP), "scale": LayerKnobs(3, LUT)}, Pipeline(3, 2)),
}


@pytest.mark.parametrize("name", CASES)
def test_bits_and_cycles(name: str, tmp_path: Path) -> None:
    knobs, pipeline = CASES[name]
    plan = schedule(GRAPH, knobs, LayerKnobs(1), pipeline)
    x = batch(RNG, GRAPH, 100)
    result = simulate(emit(plan), x, tmp_path)
    np.testing.assert_array_equal(result.outputs, evaluate(GRAPH, x))
    times = run(plan.network, plan.depths, len(x))
    np.testing.assert_array_equal(result.begins - result.begins[0], times.begins - times.begins[0])
    np.testing.assert_array_equal(result.ends - result.begins[0], times.ends - times.begins[0])
    assert [layer.name for layer in plan.layers] == ["depthwise", "scale"]
    assert all(layer.granted <= knobs[layer.name].reuse_factor for layer in plan.layers)
