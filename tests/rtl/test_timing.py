"""The timing on its own: whole frames come out of every network at full speed, with FIFOs no deeper than that needs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hlsflow.ir import Fixed, Graph, Node, Op, verify
from hlsflow.rtl import Io, LayerKnobs, Schedule, schedule
from hlsflow.rtl.timing import Depths, fit, run
from tests.rtl.test_random_networks import random_plan

KIND = Fixed(6, 3)


@pytest.mark.parametrize("seed", range(40))
def test_limits_of_fifos_change_nothing(seed: int) -> None:
    _, plan = random_plan(1000 + seed)
    fitted = fit(plan.network)
    frames = min(len(fitted.ends), 20)
    times = run(plan.network, plan.depths, frames)
    np.testing.assert_array_equal(times.ends, fitted.ends[:frames])
    assert times.ends[0] - times.begins[0] == fitted.latency
    assert int(np.diff(fitted.ends).max()) <= fitted.interval


@pytest.mark.parametrize(("pixels", "frames"), [(64, 100), (5_000, 20), (9_091, 10), (25_000, 4), (60_000, 4)])
def test_depths_are_found_over_100_000_steps_in_4_to_100_frames(pixels: int, frames: int) -> None:
    """A ReLU makes a step for each pixel."""
    source, relu = Node("x", Op.INPUT, (), (1, pixels, 1), KIND), Node("y", Op.RELU, ("x",), (1, pixels, 1), KIND)
    plan = schedule(verify(Graph("long", (source, relu), ("y",))), {}, LayerKnobs(1))
    assert fit(plan.network).ends.shape == (frames,)
    assert plan.ii == pixels


def conv(name: str, source: str, size: int, window: int) -> Node:
    """Four channels to four, same size."""
    rng, around = np.random.default_rng(window), window // 2
    types = {"weight": KIND, "bias": KIND, "accum": Fixed(16, 10)}
    params = {"weight": rng.integers(-9, 9, (window, window, 4, 4)), "bias": rng.integers(-9, 9, 4)}
    attrs = {"stride": (1, 1), "pad": (around,) * 4}
    return Node(name, Op.CONV, (source,), (size, size, 4), KIND, types, params, attrs)


def residual(size: int) -> Graph:
    """Two convolutions beside a skip path, then a third one."""
    source = Node("x", Op.INPUT, (), (size, size, 4), KIND)
    body = (conv("a", "x", size, 3), conv("b", "a", size, 3))
    add = Node("sum", Op.ADD, ("x", "b"), (size, size, 4), KIND)
    return verify(Graph("residual", (source, *body, add, conv("c", "sum", size, 1)), ("c",)))


def shorter(plan: Schedule, unit: int, reader: int) -> Depths:
    depths = [list(each) for each in plan.depths]
    depths[unit][reader] -= 1
    return tuple(map(tuple, depths))


@pytest.mark.parametrize("reuse_factors", [(1, 1, 1), (3, 7, 1), (11, 5, 2), (2, 36, 4), (13, 1, 36), (144, 97, 16)])
def test_a_skip_path_one_word_shorter_stops_or_slows_down(reuse_factors: tuple[int, int, int]) -> None:
    knobs = {name: LayerKnobs(factor) for name, factor in zip("abc", reuse_factors, strict=True)}
    plan = schedule(residual(8), knobs, LayerKnobs(1))
    joins = [u for u, unit in enumerate(plan.network.units) if len(unit.inputs) > 1]
    (skip,) = [
        (u, place)
        for u in range(len(plan.network.units))
        for place, (reader, slot) in enumerate(plan.network.readers(u))
        if (reader, slot) == (joins[0], 0)
    ]
    assert plan.depths[skip[0]][skip[1]] > 8
    ends = run(plan.network, plan.depths, 12).ends
    try:
        slower = run(plan.network, shorter(plan, *skip), 12).ends
    except RuntimeError:
        return
    assert (slower > ends).any()


def test_an_output_that_is_early_waits_for_the_others_and_costs_no_deeper_fifos() -> None:
    """The second input comes when the sum wants it, although a ReLU of it could be done long before."""
    first, second = (Node(name, Op.INPUT, (), (8, 8, 4), KIND) for name in "xy")
    add = Node("sum", Op.ADD, ("b", "y"), (8, 8, 4), KIND)
    early = Node("early", Op.RELU, ("y",), (8, 8, 4), KIND)
    nodes = (first, second, conv("a", "x", 8, 3), conv("b", "a", 8, 3), add)
    graph = verify(Graph("two", (*nodes, early), ("sum", "early")))
    plan = schedule(graph, {}, LayerKnobs(4))
    (fork,) = [u for u in range(len(plan.network.units)) if len(plan.network.readers(u)) == 2]
    assert plan.depths[fork] == (1, 1)


def test_a_convolution_takes_a_pixel_every_r_cycles() -> None:
    graph, steps_between_images = replace(residual(8), outputs=("a",)), 23
    for reuse_factor in (1, 5, 36, 144):
        plan = schedule(graph, {}, LayerKnobs(reuse_factor))
        pixels = 8 * 8 * reuse_factor if reuse_factor > 2 else 10 * 10 - steps_between_images + 1
        assert plan.ii == pixels - reuse_factor + max(reuse_factor, steps_between_images)


@pytest.mark.parametrize("reuse_factor", [1, 5, 6, 9, 40, 144])
def test_the_latency_of_a_whole_image_counts_from_the_cycle_that_takes_it(reuse_factor: int) -> None:
    source = Node("x", Op.INPUT, (), (6, 6, 4), KIND)
    graph = verify(Graph("whole", (source, conv("a", "x", 6, 3)), ("a",)))
    plan = schedule(graph, {"a": LayerKnobs(reuse_factor)}, LayerKnobs(1), io=Io.PARALLEL)
    times = run(plan.network, plan.depths, 3)
    assert plan.latency_cycles == times.ends[0] - times.begins[0]
    assert plan.ii == times.ends[2] - times.ends[1]
