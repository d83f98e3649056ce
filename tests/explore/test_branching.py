"""A residual network: its latency is the longest of many paths, found one by one, against every schedule there is."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import pytest

from hlsflow.explore.choice import AREA, Assignment, Choices, Path, Problem
from hlsflow.explore.front import by_merging, by_solving
from hlsflow.explore.solver import Solver
from hlsflow.rtl import Io, LayerKnobs, Pipeline
from hlsflow.rtl.critical import critical
from hlsflow.rtl.prepare import prepared
from hlsflow.rtl.timing import fit, period
from hlsflow.rtl.units import Network, network
from tests.rtl.test_timing import residual

LAYERS = "abc"
REUSE_FACTORS = (1, 4, 9, 16, 36, 48)
OBJECTIVES = ("dsp", "latency_cycles")


def built(assignment: Assignment) -> Network:
    knobs = {name: LayerKnobs(REUSE_FACTORS[pick]) for name, pick in zip(LAYERS, assignment, strict=True)}
    return network(prepared(residual(6), Io.STREAM), knobs, LayerKnobs(1), Pipeline())


@dataclass(frozen=True, eq=False)
class Critical:
    """The critical path of the network, by layers."""

    layers: tuple[Choices, ...]

    def __call__(self, assignment: Assignment) -> Path:
        units = built(assignment).units
        found = critical(built(assignment))
        times = tuple(found.flights[layer.unit] for layer in self.layers)
        flights = sum(count * unit.latency for count, unit in zip(found.flights, units, strict=True))
        own = sum(n * int(layer.latency[pick]) for n, layer, pick in zip(times, self.layers, assignment, strict=True))
        return Path(found.constant + flights - own, times, dict(enumerate(found.gaps)))


def choices(position: int) -> Choices:
    """The reuse factors of a layer; all areas are its number of multipliers."""
    nets = [built(tuple(pick if n == position else 0 for n in range(3))) for pick in range(len(REUSE_FACTORS))]
    places = [(net.units[u], u) for net in nets for u, unit in enumerate(net.units) if unit.name == LAYERS[position]]
    stages = [next(stage for stage in unit.stages if stage.name == LAYERS[position]) for unit, _ in places]
    lanes = np.array([-(-144 // factor) for factor in REUSE_FACTORS])
    return Choices(
        layer=LAYERS[position],
        unit=places[0][1],
        area=dict.fromkeys(AREA, lanes),
        measured=np.ones(len(lanes), np.bool_),
        latency=np.array([stage.latency for stage in stages]),
        interval=np.array([unit.interval for unit, _ in places]),
        period=np.array([period(unit) for unit, _ in places]),
        bits=np.zeros(len(lanes), np.int64),
    )


@pytest.fixture(scope="module")
def problem() -> Problem:
    layers = tuple(choices(position) for position in range(3))
    return Problem(layers, dict.fromkeys(AREA, 0), 0, Critical(layers))


def test_the_front_is_that_of_all_schedules(problem: Problem) -> None:
    every = list(itertools.product(range(len(REUSE_FACTORS)), repeat=3))
    points = {
        (sum(int(layer.area["dsp"][k]) for layer, k in zip(problem.layers, one, strict=True)), fit(built(one)).latency)
        for one in every
    }
    best = sorted(p for p in points if not any(q != p and q[0] <= p[0] and q[1] <= p[1] for q in points))
    for by in (by_merging, by_solving):
        solver = Solver(problem)
        found = by(solver, OBJECTIVES, {})
        assert found is not None
        assert [tuple(each.figures[name] for name in OBJECTIVES) for each in found.solutions] == best
        assert len(solver.paths) > 1
