"""Random networks of many operations, with branches, several inputs and outputs, and any reuse factors: RTL = oracle.

The simulation repeats frames with bubbles on each input and back-pressure on each output, so that a network that could
stop would stop here.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hlsflow.core.errors import ProjectError, UnsupportedLayer
from hlsflow.ir import Graph, Op, evaluate
from hlsflow.ir.graph import image
from hlsflow.rtl import Io, LayerKnobs, Multiplier, Pixels, Schedule, emit, schedule, simulate
from hlsflow.rtl.cores import WITH_KNOBS
from hlsflow.rtl.timing import run
from tests.ir.random_graphs import batch, of_many

FRAMES = 12
MULTIPLIERS = (Multiplier.DSP, Multiplier.LUT)
REUSE_FACTORS = (1, 2, 3, 5, 7, 11, 13, 64)


def live(graph: Graph) -> Graph:
    """Without nodes, inputs among them, that no result depends on."""
    wanted = set(graph.outputs)
    for node in reversed(graph.nodes):
        wanted.update(node.inputs if node.name in wanted else ())
    return replace(graph, nodes=tuple(node for node in graph.nodes if node.name in wanted))


def random_plan(seed: int, io: Io = Io.STREAM, mixed: bool = False) -> tuple[Graph, Schedule]:
    """The first random network of this seed that has RTL; `mixed`: with random numbers of pixels at a time."""
    rng = np.random.default_rng(seed)
    while True:
        graph = live(of_many(rng, int(rng.integers(8, 18))))
        layers = [node.name for node in graph.nodes if node.op in WITH_KNOBS]
        knobs = {name: LayerKnobs(int(rng.choice(REUSE_FACTORS)), MULTIPLIERS[rng.integers(2)]) for name in layers}
        try:
            pixels = random_pixels(rng, graph) if mixed else Pixels()
            return graph, schedule(graph, knobs, LayerKnobs(1), io=io, pixels=pixels)
        except (UnsupportedLayer, ProjectError):
            continue


def random_pixels(rng: np.random.Generator, graph: Graph) -> Pixels:
    """A number for all, and for every third layer one of its own: part of a row, or whole rows."""
    own = {}
    for node in graph.nodes:
        rows, columns, _ = image(node.shape)
        if node.op is not Op.INPUT and rng.random() < 1 / 3:
            whole = columns * int(rng.choice([count for count in range(1, rows + 1) if rows % count == 0]))
            own[node.name] = whole if rng.random() < 1 / 3 else int(rng.integers(1, columns + 1))
    return Pixels(int(rng.choice((1, 2, 3, 4, 100))), own)


@pytest.mark.parametrize("mixed", [False, True], ids=["pixel by pixel", "several pixels"])
@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 30))])
def test_rtl_equals_the_oracle_cycle_by_cycle(seed: int, mixed: bool, tmp_path: Path) -> None:
    graph, plan = random_plan(seed, list(Io)[seed % 2], mixed)
    x = batch(np.random.default_rng(seed), graph, FRAMES)
    result = simulate(emit(plan), x, tmp_path)
    np.testing.assert_array_equal(result.outputs, evaluate(graph, x))
    times = run(plan.network, plan.depths, FRAMES)
    np.testing.assert_array_equal(result.begins, times.begins)
    np.testing.assert_array_equal(result.ends, times.ends)
    assert result.stalled >= 2
