"""The choice as a mixed-integer linear program, solved by HiGHS through SciPy.

One binary variable for each configuration, one of which is chosen for each layer (the multiple-choice knapsack problem:
Kellerer, Pferschy and Pisinger, "Knapsack Problems", 2004, chapter 11). A maximum (initiation interval, interval of a
unit, latency over several paths) is a variable that none of its terms exceeds. Where only some combinations of bits
are allowed, one more binary for each of them: a layer's configurations of some bits are chosen as often as allowed
combinations with these bits.

In: a `Problem`, the configurations to look at, weights and limits. Out: an optimal assignment and a lower bound, as far
as the paths known so far tell.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from hlsflow.core.errors import FlowError
from hlsflow.explore.choice import Assignment, Column, Path, Problem
from hlsflow.explore.figures import II, LATENCY, additive

Row = NDArray[np.float64]

HALF = 0.5
"""Whole numbers at most n are those at most n + 1/2: room for rounding in the solver, and for no wrong answer."""

OPTIMAL, INFEASIBLE = 0, 2  # of scipy.optimize.OptimizeResult.status


@dataclass(frozen=True)
class Relaxed:
    """An optimum under the known paths; no assignment is worth less than `bound`."""

    assignment: Assignment
    bound: float


@dataclass(frozen=True, eq=False)
class _Layout:
    """Which variable is where: configurations, combinations of bits, intervals of units, latency, II."""

    problem: Problem
    choices: tuple[Column, ...]
    limits: Mapping[str, int]

    @property
    def layers(self) -> list[slice]:
        ends = np.cumsum([0, *map(len, self.choices)]).tolist()
        return [slice(*pair) for pair in itertools.pairwise(ends)]

    @property
    def combinations(self) -> slice:
        start: int = sum(map(len, self.choices))
        return slice(start, start + (0 if self.problem.allowed is None else len(self.problem.allowed)))

    @property
    def units(self) -> dict[int, int]:
        names = sorted({layer.unit for layer in self.problem.layers})
        return {unit: place for place, unit in enumerate(names, self.combinations.stop)}

    @property
    def latency(self) -> int:
        return int(self.combinations.stop) + len(self.units)

    @property
    def ii(self) -> int:
        return self.latency + 1

    def columns(self, metric: str) -> Row:
        """Coefficients of a metric, without what it is at least."""
        row = np.zeros(self.ii + 1)
        if metric in (LATENCY, II):
            row[self.latency if metric == LATENCY else self.ii] = 1
            return row
        for place, layer, choices in zip(self.layers, self.problem.layers, self.choices, strict=True):
            row[place] = additive(layer, metric)[choices]
        return row

    def bounds(self) -> Bounds:
        lower, upper = np.zeros(self.ii + 1), np.full(self.ii + 1, np.inf)
        upper[: self.combinations.stop] = 1
        lower[self.ii], most = self.problem.base_period, self.limits.get(II)
        if most is not None:
            upper[self.ii] = max(most, self.problem.base_period)
            for place, layer, choices in zip(self.layers, self.problem.layers, self.choices, strict=True):
                upper[place] = layer.period[choices] <= most
        return Bounds(lower, upper)

    def integrality(self) -> Row:
        flags = np.ones(self.ii + 1)
        flags[list(self.units.values())] = 0
        return flags


@dataclass
class _Rows:
    """Linear constraints: lower <= row · x <= upper."""

    width: int
    rows: list[Row] = field(default_factory=list)
    lower: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)

    def add(self, row: Row, lower: float, upper: float) -> None:
        self.rows.append(row)
        self.lower.append(lower)
        self.upper.append(upper)

    def constraint(self) -> LinearConstraint:
        return LinearConstraint(csr_array(np.array(self.rows)), np.array(self.lower), np.array(self.upper))


def relaxed(
    problem: Problem,
    choices: tuple[Column, ...],
    weights: Mapping[str, int],
    limits: Mapping[str, int],
    paths: Sequence[Path],
) -> Relaxed | None:
    """The optimum when the latency is that of the longest known path; None: no assignment is within the limits.

    Args:
        choices: for each layer the numbers of the configurations to look at.
        weights: of metrics, of which the least sum is asked for; none: any assignment within the limits.

    Raises:
        FlowError: the solver gives up.
    """
    if problem.base_period > limits.get(II, problem.base_period) or not all(map(len, choices)):
        return None
    layout = _Layout(problem, choices, limits)
    cost = sum((weight * layout.columns(metric) for metric, weight in weights.items()), np.zeros(layout.ii + 1))
    rows = _constraints(layout, {*weights, *limits}, paths)
    result = milp(
        cost,
        integrality=layout.integrality(),
        bounds=layout.bounds(),
        constraints=rows.constraint(),
        options={"mip_rel_gap": 0},
    )
    return _answer(layout, result, sum(weight * problem.base.get(metric, 0) for metric, weight in weights.items()))


def _answer(layout: _Layout, result: Any, base: int) -> Relaxed | None:
    if result.status == INFEASIBLE:
        return None
    if result.status != OPTIMAL:
        hint = "give fewer configurations per layer or looser limits; report it with the project file if it stays"
        raise FlowError(f"the solver HiGHS gave up: {result.message}", hint)
    picks = (
        int(choices[int(np.argmax(result.x[place]))])
        for place, choices in zip(layout.layers, layout.choices, strict=True)
    )
    return Relaxed(tuple(picks), float(result.mip_dual_bound) + base)


def _constraints(layout: _Layout, metrics: set[str], paths: Sequence[Path]) -> _Rows:
    rows = _Rows(layout.ii + 1)
    for place in layout.layers:
        rows.add(_at(rows.width, place, 1), 1, 1)
    _allow(layout, rows)
    for metric, limit in layout.limits.items():
        if metric != II:
            most = limit - layout.problem.base.get(metric, 0) + HALF
            rows.add(layout.columns(metric), -np.inf, most)
    if II in metrics:
        _exceed(layout, rows, [layout.ii] * len(layout.layers), [layer.period for layer in layout.problem.layers])
    if LATENCY in metrics:
        units = [layout.units[layer.unit] for layer in layout.problem.layers]
        _exceed(layout, rows, units, [layer.interval for layer in layout.problem.layers])
        for path in paths:
            _wait(layout, rows, path)
    return rows


def _allow(layout: _Layout, rows: _Rows) -> None:
    """Only allowed combinations of bits: what a layer has of some bits, combinations with them have too."""
    allowed = layout.problem.allowed
    if allowed is None:
        return
    rows.add(_at(rows.width, layout.combinations, 1), 1, 1)
    for place, layer, choices, asked in zip(
        layout.layers, layout.problem.layers, layout.choices, allowed.T, strict=True
    ):
        for bits in np.union1d(layer.bits[choices], asked):
            own = _at(rows.width, place, layer.bits[choices] == bits)
            rows.add(own - _at(rows.width, layout.combinations, asked == bits), 0, 0)


def _exceed(layout: _Layout, rows: _Rows, maxima: list[int], columns: list[Column]) -> None:
    """Each maximum is no less than the entry chosen of its column."""
    for place, choices, maximum, column in zip(layout.layers, layout.choices, maxima, columns, strict=True):
        row = _at(rows.width, place, -column[choices])
        row[maximum] = 1
        rows.add(row, 0, np.inf)


def _wait(layout: _Layout, rows: _Rows, path: Path) -> None:
    """The latency is no less than the cycles along a path."""
    row = layout.columns(LATENCY)
    for place, choices, layer, times in zip(
        layout.layers, layout.choices, layout.problem.layers, path.times, strict=True
    ):
        row[place] = -times * layer.latency[choices]
    for unit, gaps in path.gaps.items():
        row[layout.units[unit]] = -gaps
    rows.add(row, path.constant, np.inf)


def _at(width: int, place: slice, values: Any) -> Row:
    row = np.zeros(width)
    row[place] = values
    return row
