"""Fronts against brute force, any two metrics and some three, with limits and paths found on the way."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from flows.tradeoff.figures import METRICS
from flows.tradeoff.front import Front, front
from tests.tradeoff.problems import brute_front, enumerated, random_limits, random_problem

PAIRS = list(itertools.permutations(METRICS, 2))


def vectors(found: Front) -> list[list[int]]:
    return [[solution.figures[name] for name in found.objectives] for solution in found.solutions]


@pytest.mark.parametrize(("number", "objectives"), list(enumerate(PAIRS)))
def test_a_front_of_two_is_that_of_brute_force(number: int, objectives: tuple[str, str]) -> None:
    problem = random_problem(number, (6, 5, 7), 1 + number % 3, 1 + number % 4, 8 * (number % 2))
    every = enumerated(problem)
    limits = random_limits(np.random.default_rng(number), every, 0.7)
    found = front(problem, objectives, limits)
    assert found.complete
    assert vectors(found) == brute_front(every, objectives, limits)
    assert all(solution.proved for solution in found.solutions)
