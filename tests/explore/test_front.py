"""Fronts against brute force: any two metrics and some three, with limits, and paths found on the way."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from hlsflow.core.errors import ProjectError
from hlsflow.explore import merge
from hlsflow.explore.figures import METRICS
from hlsflow.explore.front import Front, by_merging, by_solving, front
from hlsflow.explore.solver import Solver
from tests.explore.problems import all_measured, brute_front, enumerated, random_limits, random_problem

PAIRS: list[tuple[str, ...]] = [*itertools.permutations(METRICS, 2)]
TRIPLES: list[tuple[str, ...]] = [
    ("lut", "dsp", "latency_cycles"),
    ("lut", "latency_cycles", "ii"),
    ("bram", "ff", "ii"),
]


def vectors(found: Front) -> list[list[int]]:
    return [[solution.figures[name] for name in found.objectives] for solution in found.solutions]


@pytest.mark.parametrize(("number", "objectives"), list(enumerate(PAIRS + TRIPLES * 4)))
def test_the_front_is_that_of_brute_force(number: int, objectives: tuple[str, ...]) -> None:
    problem = random_problem(number, (6, 5, 7), 1 + number % 3, 1 + number % 4, 8 * (number % 2))
    every = enumerated(problem)
    limits = random_limits(np.random.default_rng(number), every, 0.7)
    found = front(problem, objectives, limits)
    assert found.complete
    assert vectors(found) == brute_front(every, objectives, limits)
    assert all(solution.proved for solution in found.solutions)


@pytest.mark.parametrize("objectives", [("lut", "latency_cycles"), ("ii", "dsp"), *TRIPLES])
def test_merging_and_solving_find_the_same_front(objectives: tuple[str, ...]) -> None:
    problem = random_problem(1, (4, 5, 4), 2, 3, 10)
    limits = {"ff": int(np.quantile(enumerated(problem)["ff"], 0.8))}
    merged, solved = by_merging(Solver(problem), objectives, limits), by_solving(Solver(problem), objectives, limits)
    assert merged is not None
    assert vectors(merged) == vectors(solved) == brute_front(enumerated(problem), objectives, limits)
    assert all(solution.proved for solution in solved.solutions)
    for one, other in zip(merged.solutions, solved.solutions, strict=True):
        assert one.figures["unmeasured"] >= other.figures["unmeasured"]


@pytest.mark.parametrize("objectives", [("lut", "latency_cycles"), ("lut", "dsp", "ii")])
def test_a_space_of_thousands_of_designs_is_searched_completely(objectives: tuple[str, ...]) -> None:
    problem = all_measured(random_problem(11, (9, 8, 7, 6), 2, 4))
    every = enumerated(problem)
    assert len(every["lut"]) == 9 * 8 * 7 * 6 > 2000
    assert vectors(front(problem, objectives, {})) == brute_front(every, objectives, {})


def test_a_front_that_ends_early_says_so() -> None:
    problem = random_problem(12, (9, 8, 9))
    whole = vectors(front(problem, ("lut", "latency_cycles"), {}))
    for by in (by_merging, by_solving):
        found = by(Solver(problem), ("lut", "latency_cycles"), {}, most=3)
        assert found is not None
        assert not found.complete
        assert len(found.solutions) == 3
        assert all(vector in whole for vector in vectors(found))
    assert front(problem, ("lut", "latency_cycles"), {}, most=len(whole)).complete


def test_long_tables_are_left_to_the_solver(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = random_problem(13, (5, 5, 5))
    monkeypatch.setattr(merge, "MOST", 3)
    solver = Solver(problem)
    assert vectors(front(problem, ("lut", "ff"), {}, solver=solver)) == brute_front(
        enumerated(problem), ("lut", "ff"), {}
    )
    assert solver.solves > 0


def test_limits_that_no_design_keeps_leave_an_empty_front() -> None:
    found = front(random_problem(14, (5, 5)), ("lut", "ii"), {"ii": 0})
    assert found == Front(("lut", "ii"), (), True)


@pytest.mark.parametrize("objectives", [("lut",), ("lut", "lut"), ("lut", "watts"), METRICS[:4]])
def test_objectives_that_make_no_front_are_refused(objectives: tuple[str, ...]) -> None:
    with pytest.raises(ProjectError, match=r"cannot be drawn|no metric is named"):
        front(random_problem(15, (3, 3)), objectives, {})
