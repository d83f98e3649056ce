"""The best design for a budget, proved.

In: a `Problem`, what to minimise, and limits. Out: a `Solution`, or why there is none.
"""

from __future__ import annotations

from collections.abc import Mapping

from hlsflow.explore.choice import Problem
from hlsflow.explore.infeasible import explain
from hlsflow.explore.solver import Solution, Solver


def minimise(problem: Problem, objective: Mapping[str, float], limits: Mapping[str, int]) -> Solution:
    """The assignment with the least weighted sum of metrics within the limits.

    Args:
        objective: metric (`hlsflow.explore.figures.METRICS`) → weight above 0, counted as the decimal it is written as.
        limits: metric → largest value allowed.

    Raises:
        Infeasible: no assignment is within the limits.
        ProjectError: an unknown metric, or weights that leave nothing to minimise.
        FlowError: the solver gives up.
    """
    solver = Solver(problem)
    solution = solver.minimise(objective, limits)
    if solution is None:
        raise explain(problem, limits, solver)
    return solution
