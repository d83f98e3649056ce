"""Every way of taking beats, in one design: padding, repeating, regrouping, reordering, alternating, reducing.

With ports that are read inside too, an input that is an output, and tensors beat by beat and whole.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hlsflow.core.errors import UnsupportedLayer
from hlsflow.ir import Fixed, Graph, Node, Op, evaluate, verify
from hlsflow.rtl import Io, LayerKnobs, Port, emit, schedule, simulate
from hlsflow.rtl.timing import run
from tests.ir.random_graphs import batch

FRAMES = 10
SIGNED, UNSIGNED, WIDER = Fixed(6, 3), Fixed(5, 3, signed=False), Fixed(7, 4)
WHOLE = {"window": (4, 5), "stride": (4, 5), "pad": (0, 0, 0, 0)}


def node(name: str, op: Op, inputs: str, shape: tuple[int, ...], kind: Fixed, **attrs: tuple[int, ...]) -> Node:
    types = {"accum": Fixed(12, 8)} if op is Op.AVG_POOL else {}
    return Node(name, op, tuple(inputs.split()), shape, kind, types, {}, attrs)


NODES = (
    node("x", Op.INPUT, "", (4, 5, 3), SIGNED),
    node("y", Op.INPUT, "", (4, 2, 3), UNSIGNED),
    node("v", Op.INPUT, "", (12,), SIGNED),
    node("padded", Op.ZERO_PAD, "x", (7, 8, 3), SIGNED, pad=(1, 2, 0, 3)),
    node("larger", Op.UPSAMPLE, "x", (8, 15, 3), SIGNED, factor=(2, 3)),
    node("higher", Op.UPSAMPLE, "y", (12, 2, 3), UNSIGNED, factor=(3, 1)),
    node("regrouped", Op.RESHAPE, "x", (6, 10), SIGNED),
    node("split", Op.RESHAPE, "v", (2, 3, 2), SIGNED),
    node("flat", Op.RESHAPE, "x", (60,), SIGNED),
    node("split again", Op.RESHAPE, "flat", (4, 15), SIGNED),
    node("turned", Op.PERMUTE, "x", (3, 4, 5), SIGNED, axes=(2, 0, 1)),
    node("pixels turned", Op.PERMUTE, "x", (5, 4, 3), SIGNED, axes=(1, 0, 2)),
    node("split turned", Op.PERMUTE, "split", (2, 2, 3), SIGNED, axes=(0, 2, 1)),
    node("rows", Op.CONCAT, "y y", (8, 2, 3), UNSIGNED, axis=(0,)),
    node("columns", Op.CONCAT, "x y x", (4, 12, 3), WIDER, axis=(1,)),
    node("largest", Op.MAX_POOL, "x", (3,), SIGNED, **WHOLE),
    node("average", Op.AVG_POOL, "x", (1, 1, 3), SIGNED, **WHOLE, count_pad=(0,)),
    node("twice", Op.ADD, "split split", (2, 3, 2), WIDER),
    node("unused", Op.RELU, "x", (4, 5, 3), UNSIGNED),
)
OUTPUTS = tuple(node.name for node in NODES if node.name not in ("y", "unused"))
GRAPH = verify(Graph("fronts", NODES, OUTPUTS))


@pytest.mark.parametrize("io", Io)
def test_all_fronts_are_exact(io: Io, tmp_path: Path) -> None:
    plan = schedule(GRAPH, {}, LayerKnobs(1), io=io)
    x = batch(np.random.default_rng(0), GRAPH, FRAMES)
    result = simulate(emit(plan), x, tmp_path)
    np.testing.assert_array_equal(result.outputs, evaluate(GRAPH, x))
    times = run(plan.network, plan.depths, FRAMES)
    np.testing.assert_array_equal(result.begins, times.begins)
    np.testing.assert_array_equal(result.ends, times.ends)
    assert (result.latency_cycles, result.ii) == (plan.latency_cycles, plan.ii)


def test_ports_are_pixels_or_whole_tensors() -> None:
    beats = {io: emit(schedule(GRAPH, {}, LayerKnobs(1), io=io)).inputs for io in Io}
    assert beats[Io.STREAM] == (Port("in0", 20, 3, SIGNED), Port("in1", 8, 3, UNSIGNED), Port("in2", 1, 12, SIGNED))
    assert beats[Io.PARALLEL] == (Port("in0", 1, 60, SIGNED), Port("in1", 1, 24, UNSIGNED), Port("in2", 1, 12, SIGNED))


def test_nodes_without_effect_are_left_out() -> None:
    assert "unused" not in {unit.name for unit in schedule(GRAPH, {}, LayerKnobs(1)).network.units}


def test_an_input_without_effect_is_refused() -> None:
    with pytest.raises(UnsupportedLayer, match="no output depends on input 'v'"):
        schedule(verify(Graph("less", NODES, ("columns",))), {}, LayerKnobs(1))
