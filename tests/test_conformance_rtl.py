"""Oracle = RTL for every construct of the inherited suite, bits and cycles alike: in the default suite at one of three
reuse factors each, at the two others in the slow tests; there also with several pixels at a time.

The constructs of a group are one design with an input and an output port for each: they share nothing, so each one's
cycles are its own.
"""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import pytest

from hlsflow.hls.translate import translate
from hlsflow.ir import Graph, evaluate
from hlsflow.ir.graph import apart
from hlsflow.rtl import LayerKnobs, Multiplier, Pixels, Strategy, emit, schedule, simulate
from hlsflow.rtl.cores import WITH_KNOBS
from hlsflow.rtl.timing import run
from tests import conformance, support
from tests.test_conformance import SEED, settings

FRAMES = 20
KNOBS = {
    1: LayerKnobs(1, Multiplier.LUT),
    3: LayerKnobs(3, Multiplier.DSP),
    1000: LayerKnobs(1000, Multiplier.AUTO),
}
assert tuple(KNOBS) == support.FACTORS

PIXELS = (2, 3, 1 << 20)
"""Pixels at a time; the last is more than any image has."""

PARTS = 3
"""Designs that a group is split into: each of them meets another reuse factor in the default suite."""


@functools.cache
def graph_of(group: str, folder: Path) -> Graph:
    chosen = conformance.groups()[group]
    return translate(conformance.joined(chosen, SEED), settings("io_parallel"), folder).graph


def part_of(graph: Graph, part: int) -> Graph:
    """Every third construct, with what it needs."""
    needed = set(graph.outputs[part::PARTS])
    for node in reversed(graph.nodes):
        if node.name in needed:
            needed |= set(node.inputs)
    nodes = tuple(node for node in graph.nodes if node.name in needed)
    return Graph(f"{graph.name}{part}", nodes, graph.outputs[part::PARTS])


def _runs() -> list[object]:
    """Each part of each group at one reuse factor now, at the two others on demand."""
    return [
        pytest.param(group, part, factor, id=f"{group}-{part}-R{factor}", marks=marks)
        for group in conformance.groups()
        for part in range(PARTS)
        for index, factor in enumerate(KNOBS)
        for marks in [[] if index == part else [pytest.mark.slow]]
    ]


@pytest.fixture(scope="module")
def translations(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hls")


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("group", "part", "factor"), _runs())
def test_rtl_is_exact(
    group: str, part: int, factor: int, translations: Path, seen: support.Seen, tmp_path: Path
) -> None:
    graph = part_of(graph_of(group, translations / group), part)
    wrong = differing(graph, factor, Pixels(), tmp_path)
    for construct, name in zip(conformance.groups()[group][part::PARTS], graph.outputs, strict=True):
        support.saw(seen, construct.name, f"rtl R={factor}", name not in wrong)
    assert not wrong


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("pixels", PIXELS)
@pytest.mark.parametrize("factor", KNOBS)
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("group", conformance.groups())
def test_several_pixels_at_a_time_are_exact(
    group: str, part: int, factor: int, pixels: int, translations: Path, tmp_path: Path
) -> None:
    graph = part_of(graph_of(group, translations / group), part)
    assert not differing(graph, factor, Pixels(pixels), tmp_path)


def differing(graph: Graph, factor: int, pixels: Pixels, folder: Path) -> list[str]:
    """Results of the graph that the RTL has otherwise; its cycles must be the scheduled ones."""
    strategy = Strategy.LATENCY if factor == 1 else Strategy.RESOURCE
    own = LayerKnobs(KNOBS[factor].reuse_factor, KNOBS[factor].multiplier, strategy)
    knobs = {node.name: own for node in graph.nodes if node.op in WITH_KNOBS}
    plan = schedule(graph, knobs, own, pixels=pixels)
    x = conformance.samples(graph, FRAMES, SEED)
    ran = simulate(emit(plan), x, folder)
    wanted, found = (apart(graph.results, batch) for batch in (evaluate(graph, x), ran.outputs))
    times = run(plan.network, plan.depths, FRAMES)
    late = np.flatnonzero((times.port_ends != ran.port_ends).any(0))
    assert [graph.outputs[port] for port in late] == []
    np.testing.assert_array_equal(times.port_begins, ran.port_begins)
    return [node.name for node, a, b in zip(graph.results, wanted, found, strict=True) if not np.array_equal(a, b)]
