"""The optimum against brute force: any weights, limits, units, paths and allowed combinations of bits."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from flows.tradeoff.figures import METRICS, figures
from flows.tradeoff.infeasible import Infeasible
from flows.tradeoff.optimise import minimise
from tests.tradeoff.problems import enumerated, kept, random_limits, random_problem

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
