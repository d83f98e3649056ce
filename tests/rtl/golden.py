"""Five small networks, and what they cost: the figures that `golden.json` holds.

In: nothing but the seeds here. Out: for each network its latency and interval in cycles (stage `simulated`: the
schedule, which every simulation must meet) and its cells (stage `synth`), with the tool that counted them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from hlsflow.core.choices import Family
from hlsflow.ir import Fixed, Graph, Node, Op, verify
from hlsflow.ir.fixed import Array
from hlsflow.rtl import LayerKnobs, Multiplier, Schedule, Strategy, WeightsIn, emit, schedule
from hlsflow.toolchains import yosys
from tests.rtl.networks import cast, chain, dense, leaky, relu

FILE = Path(__file__).parent / "golden.json"
FAMILY = Family.XC7
COUNTED = ("lut", "ff", "dsp", "bram")

SUM, ACT = "fixed<18,9>", "ufixed<6,2,RND_CONV,SAT>"


def adders() -> Schedule:
    """A dense network at R = 1, all of it adders."""
    graph = chain(8, "fixed<6,2>", dense(6, SUM, SUM), relu(ACT), dense(3, SUM, SUM))
    return schedule(graph, {}, LayerKnobs(1, strategy=Strategy.LATENCY))


def folded() -> Schedule:
    """A dense network at two reuse factors: DSP blocks, weights in LUTs, one memory in block RAM."""
    graph = chain(16, "fixed<8,3>", dense(12, SUM, SUM), relu(ACT), dense(5, SUM, SUM), leaky("fixed<8,3>", -3))
    knobs = {"l1": LayerKnobs(8), "l3": LayerKnobs(30, weights_in=WeightsIn.BRAM)}
    return schedule(graph, knobs, LayerKnobs(1))


def sparse() -> Schedule:
    """A dense network with four of five weights zero: a static schedule of the others, products in LUTs."""
    graph = chain(16, "fixed<6,2>", dense(10, SUM, SUM), relu(ACT), dense(4, SUM, SUM), cast("fixed<8,4,RND,SAT>"))
    random = np.random.default_rng(1)
    nodes = tuple(_thinned(node, random) for node in graph.nodes)
    return schedule(
        verify(replace(graph, nodes=nodes)), {}, LayerKnobs(6, multiplier=Multiplier.LUT, strategy=Strategy.SPARSE)
    )


def _thinned(node: Node, random: np.random.Generator) -> Node:
    if "weight" not in node.params:
        return node
    weight = node.params["weight"] * (random.random(node.params["weight"].shape) < 0.2)
    return replace(node, params={**node.params, "weight": weight})


def image() -> Schedule:
    """A convolution that pads, a maximum over 2x2 windows, an average, two logits."""
    x = Node("x", Op.INPUT, (), (6, 6, 2), Fixed(6, 3))
    window = {"window": (2, 2), "stride": (2, 2), "pad": (0, 0, 0, 0)}
    average = {"window": (3, 3), "stride": (1, 1), "pad": (0, 0, 0, 0), "count_pad": (0,)}
    nodes = (
        x,
        _weighted("conv", Op.CONV, "x", (3, 3, 2, 3), (6, 6, 3), {"stride": (1, 1), "pad": (1, 1, 1, 1)}),
        Node("relu", Op.RELU, ("conv",), (6, 6, 3), Fixed.parse(ACT)),
        Node("max", Op.MAX_POOL, ("relu",), (3, 3, 3), Fixed.parse(ACT), attrs=window),
        Node("mean", Op.AVG_POOL, ("max",), (3,), Fixed(8, 4), {"accum": Fixed(12, 6)}, attrs=average),
        _weighted("logits", Op.DENSE, "mean", (3, 2), (2,), {}),
    )
    return schedule(verify(Graph("image", nodes, ("logits",))), {"conv": LayerKnobs(9)}, LayerKnobs(2))


def residual() -> Schedule:
    """Two convolutions beside a skip path, a table of a function, and which channel is the largest."""
    x = Node("x", Op.INPUT, (), (5, 5, 2), Fixed(5, 2))
    same = {"stride": (1, 1), "pad": (1, 1, 1, 1)}
    entries = np.rint(15 * np.tanh(np.arange(-32, 32) / 12)).astype(int)
    nodes = (
        x,
        _weighted("a", Op.CONV, "x", (3, 3, 2, 2), (5, 5, 2), same),
        Node("relu", Op.RELU, ("a",), (5, 5, 2), Fixed.parse("ufixed<5,2,RND,SAT>")),
        _weighted("b", Op.DEPTHWISE, "relu", (3, 3, 2), (5, 5, 2), same),
        Node("sum", Op.ADD, ("x", "b"), (5, 5, 2), Fixed.parse("fixed<6,3,RND,SAT>")),
        Node("tanh", Op.TABLE, ("sum",), (5, 5, 2), Fixed(5, 1), {}, {"table": entries}),
        Node("largest", Op.ARGMAX, ("tanh",), (5, 5, 2), Fixed(2, 2)),
    )
    knobs = {"a": LayerKnobs(4, Multiplier.LUT), "b": LayerKnobs(3)}
    return schedule(verify(Graph("residual", nodes, ("largest",))), knobs, LayerKnobs(1))


def _weighted(
    name: str,
    op: Op,
    source: str,
    weight: tuple[int, ...],
    shape: tuple[int, ...],
    attrs: Mapping[str, tuple[int, ...]],
) -> Node:
    """A layer of 5-bit weights, drawn from a seed of its own."""
    kind, random = Fixed(5, 1), np.random.default_rng([*name.encode()])

    def drawn(*size: int) -> Array:
        return random.integers(kind.min, kind.max + 1, size)

    types = {"weight": kind, "bias": kind, "accum": Fixed.parse(SUM)}
    params = {"weight": drawn(*weight), "bias": drawn(weight[-1])}
    return Node(name, op, (source,), shape, Fixed.parse(SUM), types, params, attrs)


NETWORKS: Mapping[str, Callable[[], Schedule]] = {
    made.__name__: made for made in (adders, folded, sparse, image, residual)
}


def tool() -> str:
    """The synthesizer that counts here, with its version: figures of another one are not comparable."""
    synthesizer = yosys.find()
    return f"{synthesizer.name} {synthesizer.stamp}"


def cycles(name: str) -> dict[str, int]:
    """Latency and interval of a network."""
    plan = NETWORKS[name]()
    return {"latency_cycles": plan.latency_cycles, "ii": plan.ii}


def cells(name: str, folder: Path) -> dict[str, int]:
    """What a network costs after synthesis."""
    design = emit(NETWORKS[name]())
    figures = yosys.synthesize(design.files, design.top, FAMILY, folder, timeout_s=250)
    return {metric.name: int(metric.value) for metric in figures if metric.name in COUNTED and metric.value is not None}


def written(folder: Path) -> str:
    """The text of `golden.json` as of today."""
    networks = {name: cycles(name) | cells(name, folder / name) for name in NETWORKS}
    return json.dumps({"tool": tool(), "family": FAMILY, "networks": networks}, indent=1) + "\n"
