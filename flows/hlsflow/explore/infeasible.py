"""Why no design is within the limits, and which limits would do.

In: a `Problem` and limits that no assignment keeps. Out: `Infeasible`: the limits in conflict and the nearest budgets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import ceil

from hlsflow.core.errors import ProjectError
from hlsflow.explore.choice import Problem
from hlsflow.explore.figures import require_metrics
from hlsflow.explore.solver import Solution, Solver

Limits = Mapping[str, int]

CLOSE = Fraction(1, 1024)
"""How narrow the bisection of the factor gets before each step looks for anything better at all."""


class Infeasible(ProjectError):
    """No assignment is within the limits.

    Attributes:
        limits: as asked.
        conflicts: sets of limits, none in two of them. No design keeps all limits of a set, but some design keeps all
            of it but one, whichever that is. Without these sets the limits could be kept.
        least: limit in conflict → its least value that does, all other limits unchanged; None: it alone does not help.
        factor: the least by which all limits in conflict must grow; None: no factor does (a limit of 0 stays 0).
        budget: all limits, those in conflict grown by it; empty where no factor does.
    """

    def __init__(
        self,
        limits: Limits,
        conflicts: Sequence[tuple[str, ...]],
        least: Mapping[str, int | None],
        factor: Fraction | None,
        budget: Limits,
    ) -> None:
        self.limits, self.conflicts, self.least = dict(limits), tuple(conflicts), dict(least)
        self.factor, self.budget = factor, dict(budget)
        super().__init__(f"no design keeps {self._conflict()}", self._ways())

    def _conflict(self) -> str:
        sets = (" and ".join(f"{name} <= {self.limits[name]:,}" for name in names) for names in self.conflicts)
        return "; nor ".join(sets)

    def _ways(self) -> str:
        ways = [f"allow {name} <= {least:,}" for name, least in self.least.items() if least is not None]
        if self.factor is not None and len(self.least) > 1:
            grown = ", ".join(f"{name} <= {self.budget[name]:,}" for name in self.least)
            ways.append(f"all of these by the factor {float(self.factor):.4g}: {grown}")
        return ", or ".join(ways) or "leave out one of these limits, or allow more configurations"


def explain(problem: Problem, limits: Limits, solver: Solver | None = None) -> Infeasible:
    """Which limits are in conflict, and which would do.

    Args:
        limits: that no assignment keeps.
        solver: of the same problem, with the paths that it knows.

    Raises:
        ProjectError: an unknown metric, or nothing is allowed, whatever the limits.
        ValueError: the limits can be kept.
    """
    require_metrics(limits)
    solver = solver or Solver(problem)
    if solver.feasible({}) is None:
        raise ProjectError("no allowed combination of bits has configurations", "allow more combinations, or more bits")
    conflicts = _conflicts(solver, limits)
    names = [name for conflict in conflicts for name in conflict]
    least = {name: _least(solver, limits, name) for name in names}
    factor = _factor(solver, limits, names)
    budget = {} if factor is None else {**limits, **_grown(limits, names, factor)}
    return Infeasible(limits, conflicts, least, factor, budget)


def _conflicts(solver: Solver, limits: Limits) -> list[tuple[str, ...]]:
    """Irreducible infeasible subsets, one after the other, until what remains can be kept."""
    conflicts, rest = [], dict(limits)
    while solver.feasible(rest) is None:
        conflicts.append(_irreducible(solver, rest))
        rest = {name: limit for name, limit in rest.items() if name not in conflicts[-1]}
    if not conflicts:
        raise ValueError(f"the limits {limits} can be kept")
    return conflicts


def _irreducible(solver: Solver, limits: Limits) -> tuple[str, ...]:
    """The deletion filter: Chinneck and Dravnieks, "Locating minimal infeasible constraint sets", 1991."""
    conflicting = dict(limits)
    for name in limits:
        fewer = {other: limit for other, limit in conflicting.items() if other != name}
        if solver.feasible(fewer) is None:
            conflicting = fewer
    return tuple(conflicting)


def _least(solver: Solver, limits: Limits, name: str) -> int | None:
    others = {other: limit for other, limit in limits.items() if other != name}
    solution = solver.minimise({name: 1}, others)
    return None if solution is None else solution.figures[name]


def _grown(limits: Limits, names: Sequence[str], factor: Fraction) -> dict[str, int]:
    return {name: int(limits[name] * factor) for name in names}


def _factor(solver: Solver, limits: Limits, names: Sequence[str]) -> Fraction | None:
    """The least factor for the named limits: bisection, until nothing is left below the best one found."""
    names = [name for name in names if limits[name] > 0]
    solution = solver.feasible({name: limit for name, limit in limits.items() if name not in names})
    if solution is None or not names:
        return None
    low, high = Fraction(1), _needed(solution, limits, names)
    while high - low > CLOSE:
        middle = (low + high) / 2
        solution = solver.feasible({**limits, **_grown(limits, names, middle)})
        low, high = (middle, high) if solution is None else (low, _needed(solution, limits, names))
    while solution := solver.feasible({**limits, **_below(limits, names, high)}):
        high = _needed(solution, limits, names)
    return high


def _needed(solution: Solution, limits: Limits, names: Sequence[str]) -> Fraction:
    return max(Fraction(solution.figures[name], limits[name]) for name in names)


def _below(limits: Limits, names: Sequence[str], factor: Fraction) -> dict[str, int]:
    """The largest limits that ask for less than this factor."""
    return {name: ceil(limits[name] * factor) - 1 for name in names}
