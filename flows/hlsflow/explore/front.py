"""The whole Pareto front: every design of which no other is better in one objective and worse in none.

By the ε-constraint method: the first objective is minimised, the others are limited. A limit comes down to one below
the largest value found; all metrics are whole numbers, so nothing lies between. With three objectives the limit of the
third one comes down around whole fronts of the first two (Özlen and Azizoğlu, "Multi-objective integer programming: a
general approach for generating all non-dominated solutions", 2009), and an answer is taken over where it is one for
tighter limits too (Özlen, Burton and MacRae, "Multi-objective integer programming: an improved recursive algorithm",
2014). Ties are broken by the other objectives in turn, so that each answer is on the front.

In: a `Problem`, two or three objectives, limits. Out: a `Front`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from hlsflow.core.errors import ProjectError
from hlsflow.explore.choice import Assignment, Column, Problem
from hlsflow.explore.dominance import nondominated
from hlsflow.explore.figures import LATENCY, UNMEASURED, require_metrics, tabulated
from hlsflow.explore.merge import merged
from hlsflow.explore.solver import Solution, Solver

Vector = tuple[int, ...]
Bound = tuple[float, ...]

OBJECTIVES = (2, 3)


@dataclass(frozen=True)
class Front:
    """Solutions in order of their objectives, one for each vector of them.

    Attributes:
        complete: whether it is the whole front; else the search ended at the number of points asked for.
    """

    objectives: tuple[str, ...]
    solutions: tuple[Solution, ...]
    complete: bool


def front(
    problem: Problem,
    objectives: Sequence[str],
    limits: Mapping[str, int],
    most: int | None = None,
    solver: Solver | None = None,
) -> Front:
    """All Pareto-optimal points within the limits; none, where nothing is within them.

    Args:
        objectives: two or three metrics.
        most: points after which the search ends; None: never before its end.
        solver: of the same problem, with the paths that it knows.

    Raises:
        ProjectError: not two or three different metrics, or an unknown one.
        FlowError: the solver gives up.
    """
    require_front(objectives)
    require_metrics(limits)
    solver = solver or Solver(problem)
    return by_merging(solver, objectives, limits, most) or by_solving(solver, objectives, limits, most)


def require_front(objectives: Sequence[str]) -> None:
    """Raise ProjectError unless these are two or three different metrics."""
    require_metrics(objectives)
    if len(objectives) not in OBJECTIVES or len(set(objectives)) < len(objectives):
        raise ProjectError(f"a front of {', '.join(objectives)} cannot be drawn", "name two or three different metrics")


def by_solving(solver: Solver, objectives: Sequence[str], limits: Mapping[str, int], most: int | None = None) -> Front:
    """The front from one program after the other."""
    search = _Search(solver, tuple(objectives), dict(limits), math.inf if most is None else most)
    search.points(len(objectives) - 1, (math.inf,) * len(objectives))
    solutions = tuple(search.solutions[vector] for vector in sorted(search.solutions))
    return Front(search.objectives, solutions, not search.cut)


def by_merging(
    solver: Solver, objectives: Sequence[str], limits: Mapping[str, int], most: int | None = None
) -> Front | None:
    """The front from tables of partial assignments, again with each path overlooked; None: they grow too long."""
    choices, cuts = solver.promising(frozenset({*objectives, *limits})), len(solver.paths)
    overlooked = True
    while overlooked:
        table = merged(solver.problem, choices, objectives, limits, solver.paths)
        if table is None:
            return None
        every = _front(solver, table, objectives)
        assignments = [tuple(row) for row in every[:most].tolist()]
        timed = LATENCY in objectives or LATENCY in limits
        overlooked = timed and sum(map(solver.overlooked, assignments)) > 0  # each one, to find all their paths at once
    solutions = [_solution(solver, each, objectives[0], len(solver.paths) - cuts) for each in assignments]
    return Front(tuple(objectives), tuple(solutions), len(solutions) == len(every))


def _front(solver: Solver, table: Column, objectives: Sequence[str]) -> Column:
    """As far as the known paths tell: one row for each vector of objectives, with the fewest layers not measured."""
    figures = tabulated(solver.problem, table, solver.paths)
    order = np.lexsort([figures[name] for name in (UNMEASURED, *reversed(objectives))])
    values = np.stack([figures[name][order] for name in objectives], axis=1)
    return table[order[np.sort(nondominated(values))]]


def _solution(solver: Solver, assignment: Assignment, objective: str, cuts: int) -> Solution:
    figures = solver.true(assignment)
    value = Fraction(figures[objective])
    return Solution(assignment, figures, value, value, solves=0, cuts=cuts)


class _Search:
    """The recursion of the ε-constraint method, and what it has found so far."""

    def __init__(self, solver: Solver, objectives: tuple[str, ...], limits: Mapping[str, int], most: float) -> None:
        self.solver, self.objectives, self.limits, self.most = solver, objectives, limits, most
        self.solutions: dict[Vector, Solution] = {}
        self.answers: list[tuple[Bound, Vector | None]] = []
        self.cut = False

    def points(self, level: int, bound: Bound) -> list[Vector]:
        """All points within a bound, as long as only the objectives up to `level` count."""
        if level == 0:
            point = self.first(bound)
            return [point] if point else []
        points: list[Vector] = []
        while part := self.points(level - 1, bound):
            points += part
            bound = _with(bound, level, max(point[level] for point in part) - 1)
        return points

    def first(self, bound: Bound) -> Vector | None:
        """The lexicographically least point within a bound; None: there is none, or the search is at its end."""
        for wider, point in self.answers:
            if _inside(bound, wider) and (point is None or _inside(point, bound)):
                return point
        if len(self.solutions) >= self.most:
            self.cut = True
            return None
        tight = {name: int(most) for name, most in zip(self.objectives, bound, strict=True) if most < math.inf}
        limits = {name: min(self.limits.get(name, most), most) for name, most in tight.items()}
        solution = self.solver.first(self.objectives, {**self.limits, **limits})
        point = None if solution is None else tuple(solution.figures[name] for name in self.objectives)
        self.answers.append((bound, point))
        if solution and point:
            self.solutions.setdefault(point, solution)
        return point


def _inside(point: Bound, bound: Bound) -> bool:
    return all(value <= most for value, most in zip(point, bound, strict=True))


def _with(bound: Bound, level: int, most: float) -> Bound:
    return (*bound[:level], most, *bound[level + 1 :])
