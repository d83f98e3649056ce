"""Critical paths: as long as the latency, and a lower bound of it with any other knobs."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from hlsflow.ir import Graph
from hlsflow.rtl import Io, LayerKnobs, schedule
from hlsflow.rtl.cores import WITH_KNOBS
from hlsflow.rtl.critical import Critical, critical
from hlsflow.rtl.timing import holds_beats
from hlsflow.rtl.units import Network
from tests.rtl.test_random_networks import MULTIPLIERS, REUSE_FACTORS, random_plan
from tests.rtl.test_timing import residual

OTHERS = 4


def length(path: Critical, network: Network) -> int:
    chain = zip(network.units, path.flights, path.gaps, strict=True)
    return path.constant + sum(flights * unit.latency + gaps * unit.interval for unit, flights, gaps in chain)


def random_knobs(graph: Graph, rng: np.random.Generator) -> dict[str, LayerKnobs]:
    names = [node.name for node in graph.nodes if node.op in WITH_KNOBS]
    return {name: LayerKnobs(int(rng.choice(REUSE_FACTORS)), MULTIPLIERS[rng.integers(2)]) for name in names}


def check(graph: Graph, io: Io, rng: np.random.Generator) -> None:
    """The path of each of a few schedules is as long as its latency, and no longer than that of any other."""
    plans = [schedule(graph, random_knobs(graph, rng), LayerKnobs(1), io=io) for _ in range(OTHERS)]
    for plan in plans:
        path = critical(plan.network)
        assert length(path, plan.network) == plan.latency_cycles
        assert all(length(path, other.network) <= other.latency_cycles for other in plans)


@pytest.mark.parametrize("seed", range(40))
def test_random_networks(seed: int) -> None:
    io = list(Io)[seed % 2]
    plans = (random_plan(2000 + each, io) for each in itertools.count(seed, 40))
    graph = next(graph for graph, plan in plans if not holds_beats(plan.network))
    check(graph, io, np.random.default_rng(seed))


@pytest.mark.parametrize("size", [4, 9, 16])
def test_a_residual_network(size: int) -> None:
    check(residual(size), Io.STREAM, np.random.default_rng(size))
