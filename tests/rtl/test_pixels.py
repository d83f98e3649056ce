"""Several pixels at a time: every operation on an image, in tiles that fill its rows and in tiles that do not.

The nodes of a design read one input, so that each number of pixels meets each kind of window.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hlsflow.core.errors import ProjectError
from hlsflow.ir import Fixed, Graph, Node, Op, evaluate, verify
from hlsflow.rtl import Io, LayerKnobs, Multiplier, Pixels, Schedule, Strategy, emit, schedule, simulate
from hlsflow.rtl.timing import run
from tests.ir.random_graphs import batch

FRAMES = 6
X, SUM, ACT = Fixed(5, 3), Fixed(14, 9), Fixed.parse("ufixed<4,3,RND,SAT>")
H, W, C = 6, 10, 2
NO_PAD, SAME, UNEVEN = (0, 0, 0, 0), (1, 1, 1, 1), (0, 2, 3, 1)


def layer(
    name: str, op: Op, source: Node, kernel: tuple[int, ...], stride: tuple[int, int], pad: tuple[int, ...]
) -> Node:
    """A layer of 4-bit weights, drawn from a seed of its own."""
    kind, rng = Fixed(4, 1), np.random.default_rng([*name.encode()])
    params = {
        key: rng.integers(kind.min, kind.max + 1, size) for key, size in (("weight", kernel), ("bias", kernel[-1:]))
    }
    types = {"weight": kind, "bias": kind, "accum": SUM}
    shape = (*_size(source, (kernel[0], kernel[1]), stride, pad), kernel[-1])
    return Node(name, op, (source.name,), shape, SUM, types, params, {"stride": stride, "pad": pad})


def pool(
    name: str, op: Op, source: Node, window: tuple[int, int], stride: tuple[int, int], pad: tuple[int, ...]
) -> Node:
    attrs = {"window": window, "stride": stride, "pad": pad} | ({"count_pad": (1,)} if op is Op.AVG_POOL else {})
    types = {"accum": Fixed(12, 8)} if op is Op.AVG_POOL else {}
    shape = (*_size(source, window, stride, pad), source.shape[-1])
    return Node(name, op, (source.name,), shape, source.type, types, {}, attrs)


def move(name: str, op: Op, inputs: str, shape: tuple[int, ...], kind: Fixed = X, **attrs: tuple[int, ...]) -> Node:
    return Node(name, op, tuple(inputs.split()), shape, kind, {}, {}, attrs)


def _size(source: Node, window: tuple[int, int], stride: tuple[int, int], pad: tuple[int, ...]) -> tuple[int, int]:
    h, w, _ = source.shape
    rows, columns = h + pad[0] + pad[1] - window[0], w + pad[2] + pad[3] - window[1]
    return rows // stride[0] + 1, columns // stride[1] + 1


IMAGE = Node("x", Op.INPUT, (), (H, W, C), X)
ODD = layer("odd", Op.CONV, IMAGE, (1, 4, C, 3), (1, 1), NO_PAD)
RELU = Node("relu", Op.RELU, ("odd",), ODD.shape, ACT)
SCALE = Node(
    "scale", Op.SCALE, ("relu",), ODD.shape, SUM, {"scale": Fixed(4, 1), "bias": Fixed(4, 1)},
    {"scale": np.array([3, -2, 7]), "bias": np.array([1, 0, -5])},
)  # fmt: skip
NODES = (
    IMAGE,
    ODD,
    RELU,
    SCALE,
    layer("same", Op.CONV, RELU, (3, 3, 3, 2), (1, 1), SAME),
    layer("strided", Op.CONV, IMAGE, (3, 3, C, 2), (2, 2), SAME),
    layer("uneven", Op.CONV, IMAGE, (2, 5, C, 2), (1, 3), UNEVEN),
    layer("apart", Op.DEPTHWISE, RELU, (3, 2, 3), (1, 1), (1, 1, 1, 0)),
    pool("largest", Op.MAX_POOL, RELU, (2, 2), (2, 2), NO_PAD),
    pool("over", Op.MAX_POOL, IMAGE, (3, 3), (1, 2), SAME),
    pool("average", Op.AVG_POOL, RELU, (2, 3), (2, 2), (0, 0, 1, 1)),
    replace(pool("top", Op.MAX_POOL, RELU, (6, 7), (1, 1), NO_PAD), shape=(3,)),
    replace(pool("mean", Op.AVG_POOL, RELU, (6, 7), (1, 1), NO_PAD), shape=(1, 1, 3)),
    move("padded", Op.ZERO_PAD, "x", (H + 1, W + 5, C), pad=(1, 0, 2, 3)),
    move("larger", Op.UPSAMPLE, "x", (2 * H, 3 * W, C), factor=(2, 3)),
    move("difference", Op.SUBTRACT, "relu odd", ODD.shape, SUM),
    move("side by side", Op.CONCAT, "relu scale", (H, 7, 6), SUM, axis=(2,)),
    move("in a row", Op.CONCAT, "x x", (H, 2 * W, C), axis=(1,)),
    move("below", Op.CONCAT, "relu relu", (2 * H, 7, 3), ACT, axis=(0,)),
    move("flat", Op.RESHAPE, "relu", (H * 7 * 3,), ACT),
    move("turned", Op.PERMUTE, "relu", (7, H, 3), ACT, axes=(1, 0, 2)),
    Node("hot", Op.ARGMAX, ("relu",), ODD.shape, Fixed(2, 2)),
)  # fmt: skip
GRAPH = verify(Graph("pixels", NODES, tuple(node.name for node in NODES[3:])))
KNOBS = {
    1: LayerKnobs(1, Multiplier.LUT, Strategy.LATENCY),
    4: LayerKnobs(4, Multiplier.PACKED),
    1000: LayerKnobs(1000, Multiplier.LUT, Strategy.SPARSE),
}


@pytest.mark.parametrize(
    ("pixels", "reuse_factor", "io"),
    [
        (3, 4, Io.STREAM),
        *(
            pytest.param(pixels, reuse_factor, io, marks=pytest.mark.slow)
            for pixels, reuse_factor, io in (
                (2, 1, Io.STREAM), (3, 1000, Io.STREAM), (4, 4, Io.PARALLEL), (5, 1000, Io.STREAM), (7, 1, Io.STREAM),
                (10, 4, Io.STREAM), (20, 1000, Io.STREAM), (30, 1, Io.PARALLEL), (60, 4, Io.PARALLEL),
                (60, 1, Io.STREAM),
            )
        ),
    ],
)  # fmt: skip
def test_rtl_equals_the_oracle_cycle_by_cycle(pixels: int, reuse_factor: int, io: Io, tmp_path: Path) -> None:
    plan = schedule(GRAPH, {}, KNOBS[reuse_factor], io=io, pixels=Pixels(pixels))
    x = batch(np.random.default_rng(0), GRAPH, FRAMES)
    result = simulate(emit(plan), x, tmp_path)
    np.testing.assert_array_equal(result.outputs, evaluate(GRAPH, x))
    times = run(plan.network, plan.depths, FRAMES)
    np.testing.assert_array_equal(result.port_begins, times.port_begins)
    np.testing.assert_array_equal(result.port_ends, times.port_ends)
    assert (result.latency_cycles, result.ii) == (plan.latency_cycles, plan.ii)


def test_one_pixel_at_a_time_is_the_same_design() -> None:
    assert emit(schedule(GRAPH, {}, KNOBS[4], pixels=Pixels(1, {"same": 1}))) == emit(schedule(GRAPH, {}, KNOBS[4]))


def convolution(pixels: Pixels, reuse_factor: int = 4) -> Schedule:
    """The schedule of a 3x3 convolution that pads an image of 16 x 16."""
    image = Node("x", Op.INPUT, (), (16, 16, 2), X)
    graph = verify(Graph("one", (image, layer("conv", Op.CONV, image, (3, 3, 2, 3), (1, 1), SAME)), ("conv",)))
    return schedule(graph, {}, LayerKnobs(reuse_factor), pixels=pixels)


def test_pixels_and_reuse_factors_multiply() -> None:
    """A row takes 16 / P steps; a row of padding below takes as many, and looks ahead one step where a row has more."""
    steps = {1: 324, 2: 145, 4: 73, 8: 37, 16: 18, 32: 10, 256: 1}
    assert {count: convolution(Pixels(count), 1).ii for count in steps} == steps
    assert [convolution(Pixels(count), 4).ii for count in (4, 16, 256)] == [63 * 4 + 10, 16 * 4, 4]
    (layer,) = convolution(Pixels(8), 3).layers
    assert (layer.pixels, layer.granted, layer.multipliers) == (8, 3, 8 * 18)


def test_neighbours_share_a_weight_memory() -> None:
    texts = [emit(convolution(Pixels(count))).files["top.v"] for count in (1, 8)]
    weights = [re.findall(r"\.WEIGHTS\((.*?)\),\n", text, re.DOTALL) for text in texts]
    assert len(weights[0]) == 1
    assert weights[0] == weights[1]


def test_ports_have_full_tiles() -> None:
    """The largest number of pixels that divides the row and P."""
    ports = {count: emit(convolution(Pixels(count))) for count in (4, 6, 16, 64, 1000)}
    beats = {count: (design.inputs[0].beats, design.outputs[0].lanes) for count, design in ports.items()}
    assert beats == {4: (64, 12), 6: (128, 6), 16: (16, 48), 64: (4, 192), 1000: (1, 768)}


def test_a_layer_keeps_up_with_its_source_or_has_a_number_of_its_own() -> None:
    plan = schedule(GRAPH, {}, LayerKnobs(1), pixels=Pixels(10, {"same": 2, "largest": 3}))
    found = {node.name: node.attrs.get("tile", (1, 1)) for node in plan.network.graph.nodes}
    wanted = {"x": (1, 10), "odd": (1, 7), "relu": (1, 7), "same": (1, 2), "largest": (1, 3), "strided": (1, 5)}
    wanted |= {"uneven": (1, 4), "larger": (1, 30), "top": (1, 1), "flat": (1, 1)}
    assert {name: found[name] for name in wanted} == wanted


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ({"sam": 2}, "parallel_pixels: no layer is named 'sam'"),
        ({"same": 8}, "parallel_pixels of layer 'same' is 8; its result has 6 rows of 7 pixels"),
        ({"same": 28}, "up to 7 pixels of a row, or whole rows that divide the image: 7, 14, 21, 42"),
        ({"top": 2}, "parallel_pixels of layer 'top' is 2; its result has 1 rows of 1 pixels"),
        ({"x": 3}, "parallel_pixels of layer 'x' is 3; its rows are 10 pixels"),
        ({"larger": 4}, "parallel_pixels of layer 'larger' is 4; it repeats each pixel 3 times"),
        ({"in a row": 3}, "parallel_pixels of layer 'in a row' is 3"),
    ],
)
def test_a_number_that_a_layer_cannot_have_is_refused(own: dict[str, int], message: str) -> None:
    with pytest.raises(ProjectError) as error:
        schedule(GRAPH, {}, LayerKnobs(1), pixels=Pixels(1, own))
    assert message in str(error.value)
