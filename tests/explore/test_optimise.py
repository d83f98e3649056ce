"""The optimum against brute force: any weights, limits, units, paths and allowed combinations of bits."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from hlsflow.core.errors import ProjectError
from hlsflow.explore.choice import AREA, Choices, Path, Problem
from hlsflow.explore.figures import METRICS, figures
from hlsflow.explore.infeasible import Infeasible
from hlsflow.explore.optimise import minimise
from hlsflow.explore.solver import Solver, pruned
from tests.explore.problems import Longest, all_measured, enumerated, kept, random_limits, random_problem

SIZES = ((9, 7, 8), (5, 6, 4, 5), (30, 25), (4, 3, 4, 3, 3))


@pytest.mark.parametrize("seed", range(40))
def test_the_optimum_is_that_of_brute_force(seed: int) -> None:
    rng = np.random.default_rng(seed)
    problem = random_problem(seed, SIZES[seed % 4], 1 + seed % 3, 1 + seed % 5, 8 * (seed % 2))
    every = enumerated(problem)
    weights = {str(name): float(rng.choice([1, 0.25, 7, 30])) for name in rng.choice(METRICS, 2, replace=False)}
    limits = random_limits(rng, every)
    values = sum(Fraction(str(weight)) * every[name].astype(object) for name, weight in weights.items())
    inside = kept(every, limits)
    if not inside.any():
        with pytest.raises(Infeasible):
            minimise(problem, weights, limits)
        return
    found = minimise(problem, weights, limits)
    assert found.value == found.lower_bound == min(values[inside])
    assert found.proved
    assert found.figures == figures(problem, found.assignment, [problem.path(found.assignment)])
    assert all(found.figures[name] <= limit for name, limit in limits.items())


def test_a_branching_network_needs_several_paths_and_keeps_them() -> None:
    problem = all_measured(random_problem(21, (14, 13, 12), 3, 12))
    every, solver = enumerated(problem), Solver(problem)
    first = solver.minimise({"latency_cycles": 5, "lut": 1}, {})
    assert first is not None
    assert first.cuts > 1
    assert first.value == (5 * every["latency_cycles"] + every["lut"]).min()
    again = Solver(problem, solver.paths).minimise({"latency_cycles": 5, "lut": 1}, {})
    assert again is not None
    assert (again.value, again.cuts, again.solves) == (first.value, 0, 1)


def test_a_unit_without_layers_takes_a_vector_every_cycle() -> None:
    problem = random_problem(23, (6, 6), 2, 3)
    assert isinstance(problem.path, Longest)
    ways = tuple(replace(path, constant=path.constant - 7, gaps={**path.gaps, 9: 7}) for path in problem.path.paths)
    other = replace(problem, path=Longest(problem.layers, ways))
    weights = {"latency_cycles": 3.0, "lut": 1.0}
    assert minimise(other, weights, {}).figures == minimise(problem, weights, {}).figures


def test_no_cuts_where_latency_does_not_count() -> None:
    solver = Solver(random_problem(22, (8, 8), 2, 6))
    found = solver.minimise({"lut": 1}, {"latency_cycles": 10**6})
    assert found is not None
    assert (found.cuts, found.solves, solver.paths) == (0, 1, [])


def layer(lut: list[int], measured: list[bool], bits: list[int] | None = None) -> Choices:
    """Configurations that differ in LUTs only."""
    same = np.ones(len(lut), np.int64)
    area = {metric: same for metric in AREA} | {"lut": np.array(lut)}
    return Choices("l", 0, area, np.array(measured), same, same, same, np.array(bits) if bits else same)


def test_the_unmeasured_never_prunes_the_measured() -> None:
    metrics = frozenset({"lut", "latency_cycles", "ii"})
    assert pruned(layer([9, 5, 7, 5], [False, False, True, True]), metrics, False).tolist() == [3]
    assert pruned(layer([4, 5, 7], [False, True, True]), metrics, False).tolist() == [0, 1]
    assert pruned(layer([5, 4, 6], [True, False, True], [8, 8, 4]), metrics, True).tolist() == [0, 1, 2]


def test_what_costs_the_same_is_taken_measured() -> None:
    one, other = layer([5, 5], [False, True]), layer([3, 3, 2], [False, True, False])
    problem = Problem((one, other), {}, 0, Longest((one, other), (Path(0, (1, 1), {}),)))
    found = minimise(problem, {"lut": 1}, {"ii": 5})
    assert (found.assignment, found.measured) == ((1, 2), False)
    found = minimise(problem, {"ii": 1, "dsp": 2}, {"lut": 9})
    assert (found.assignment, found.measured) == ((1, 1), True)


def test_a_measured_optimum_stays_one_whatever_the_rest_costs() -> None:
    for seed in range(8):
        problem = random_problem(seed, (8, 8))
        found = minimise(problem, {"lut": 1, "ff": 2}, {})
        if found.measured:
            rng = np.random.default_rng(seed)
            true = replace(problem, layers=tuple(dearer(each, rng) for each in problem.layers))
            every = enumerated(true)
            assert found.value == (every["lut"] + 2 * every["ff"]).min()


def dearer(layer: Choices, rng: np.random.Generator) -> Choices:
    """What is not measured costs more than its bound, or as much."""
    more = rng.integers(0, 20, len(layer.bits)) * ~layer.measured
    return replace(layer, area={metric: column + more for metric, column in layer.area.items()})


@pytest.mark.parametrize("weights", [{}, {"lut": 0}, {"lut": -1}, {"watts": 1}])
def test_weights_that_make_no_sense_are_refused(weights: dict[str, float]) -> None:
    with pytest.raises(ProjectError):
        minimise(random_problem(0, (3, 3)), weights, {})
