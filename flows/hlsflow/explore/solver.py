"""The exact optimum of a choice: a mixed-integer program, and a constraint more whenever a path was overlooked.

The latency of a design is the longest of very many paths. The program knows some of them; its answer is an optimum if
that assignment is as quick as these paths say, else its critical path is added and the program solved again (a
cutting-plane method: Dantzig, Fulkerson and Johnson, "Solution of a large-scale traveling-salesman problem", 1954).

In: a `Problem`, weights and limits. Out: a `Solution`, its figures in exact integers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from hlsflow.core.errors import FlowError
from hlsflow.explore.choice import AREA, Assignment, Choices, Column, Path, Problem
from hlsflow.explore.dominance import nondominated
from hlsflow.explore.figures import (
    II,
    LATENCY,
    UNMEASURED,
    additive,
    figures,
    require_metrics,
    settled,
    whole_weights,
    within,
)
from hlsflow.explore.milp import Relaxed, relaxed

ROUNDING = 0.01
"""By how much the solver's bound, that of a whole number, may be off."""


@dataclass(frozen=True)
class Solution:
    """The best assignment.

    Attributes:
        figures: all metrics, and how many layers are not measured.
        value: weighted sum of the figures.
        lower_bound: no assignment within the limits has a value below it.
        solves, cuts: programs solved for it, and paths found on the way.
    """

    assignment: Assignment
    figures: Mapping[str, int]
    value: Fraction
    lower_bound: Fraction
    solves: int = 1
    cuts: int = 0

    @property
    def proved(self) -> bool:
        """Whether it is an optimum of the problem as given."""
        return self.lower_bound >= self.value

    @property
    def measured(self) -> bool:
        """Whether all its layers are: if so, and proved, no measurement still to come finds anything better."""
        return self.figures[UNMEASURED] == 0


class Solver:
    """Solves one problem under many limits, and keeps the paths that it finds.

    Args:
        paths: known from a problem of the same layers and configurations, whatever their area.
    """

    def __init__(self, problem: Problem, paths: Iterable[Path] = ()) -> None:
        self.problem = problem
        self.paths = list(paths)
        self.solves = 0
        self._layers = len(problem.layers)
        self._critical: dict[Assignment, Path] = {}
        self._promising: dict[frozenset[str], tuple[Column, ...]] = {}

    def minimise(self, objective: Mapping[str, float], limits: Mapping[str, int]) -> Solution | None:
        """The assignment with the least weighted sum; None: none is within the limits.

        Args:
            objective: metric → weight.
            limits: metric → largest value allowed.

        Raises:
            ProjectError: an unknown metric, or weights that leave nothing to minimise.
            FlowError: the solver gives up.
        """
        require_metrics(limits)
        weights, unit = whole_weights(objective)
        return self._optimum(weights, limits, unit)

    def first(self, order: Sequence[str], limits: Mapping[str, int]) -> Solution | None:
        """The assignment with the least of the first metric, among these the least of the second, and so on.

        Of several, one with as few layers not measured as can be. None: none is within the limits.
        """
        solves, cuts, tight = self.solves, len(self.paths), dict(limits)
        optima: list[Solution] = []
        for metric in order:
            best = self._optimum({metric: 1}, tight)
            if best is None:
                return None
            optima.append(best)
            tight[metric] = best.figures[metric]
        best = replace(optima[0], assignment=optima[-1].assignment, figures=optima[-1].figures)
        return replace(best, solves=self.solves - solves, cuts=len(self.paths) - cuts)

    def feasible(self, limits: Mapping[str, int]) -> Solution | None:
        """Any assignment within the limits."""
        return self._optimum({}, limits)

    def critical(self, assignment: Assignment) -> Path:
        """The critical path of an assignment."""
        if assignment not in self._critical:
            self._critical[assignment] = settled(self.problem, self.problem.path(assignment))
        return self._critical[assignment]

    def true(self, assignment: Assignment) -> dict[str, int]:
        """The figures of an assignment."""
        return figures(self.problem, assignment, [self.critical(assignment)])

    def overlooked(self, assignment: Assignment) -> bool:
        """Whether an assignment is slower than the known paths say; from now on they say so."""
        promised, path = figures(self.problem, assignment, self.paths), self.critical(assignment)
        longer = figures(self.problem, assignment, [path])[LATENCY] > promised[LATENCY]
        if longer:
            self.paths.append(path)
        return longer

    def promising(self, metrics: frozenset[str]) -> tuple[Column, ...]:
        """For each layer the configurations that can be part of an optimum in these metrics."""
        if metrics not in self._promising:
            by_bits = self.problem.allowed is not None
            self._promising[metrics] = tuple(pruned(layer, metrics, by_bits) for layer in self.problem.layers)
        return self._promising[metrics]

    def _optimum(
        self, weights: Mapping[str, int], limits: Mapping[str, int], unit: Fraction = Fraction(1)
    ) -> Solution | None:
        solves, cuts = self.solves, len(self.paths)
        answer = self._relaxed(weights, limits)
        while answer and self._too_slow(answer.assignment, weights, limits):
            answer = self._relaxed(weights, limits)
        if answer is None:
            return None
        true_figures = self.true(answer.assignment)
        if not within(true_figures, limits):
            raise FlowError(
                "the solver HiGHS found a choice beyond the limits",
                "report it with the project file; other limits may help",
            )
        value = sum(weight * true_figures[metric] for metric, weight in weights.items())
        bound = math.ceil((math.ceil(answer.bound - ROUNDING) - self._layers) / (self._layers + 1))
        return Solution(
            answer.assignment,
            true_figures,
            value * unit,
            min(bound, value) * unit,
            self.solves - solves,
            len(self.paths) - cuts,
        )

    def _too_slow(self, assignment: Assignment, weights: Mapping[str, int], limits: Mapping[str, int]) -> bool:
        """Whether a path was overlooked, and that matters."""
        matters = LATENCY in weights or self.true(assignment)[LATENCY] > limits.get(LATENCY, math.inf)
        return matters and self.overlooked(assignment)

    def _relaxed(self, weights: Mapping[str, int], limits: Mapping[str, int]) -> Relaxed | None:
        """An optimum as far as the known paths tell; of several, one with as few layers not measured as can be."""
        self.solves += 1
        choices = self.promising(frozenset({*weights, *limits}))
        ranked = {metric: weight * (self._layers + 1) for metric, weight in weights.items()} | {UNMEASURED: 1}
        return relaxed(self.problem, choices, ranked, limits, self.paths)


def pruned(layer: Choices, metrics: frozenset[str], by_bits: bool) -> Column:
    """Numbers of the configurations that no other one makes superfluous.

    One makes another superfluous that has the same bits, where these matter, and nothing less in any metric that
    matters. Whether it is measured matters too: one that is not makes none superfluous that is, since it may cost more
    than its bound says.
    """
    columns = [additive(layer, metric) for metric in (*AREA, UNMEASURED) if metric in {*metrics, UNMEASURED}]
    columns += [layer.latency, layer.interval] if LATENCY in metrics else []
    columns += [layer.period] if II in metrics else []
    table, groups = np.stack(columns, axis=1), np.unique(layer.bits) if by_bits else [None]
    rows = [np.flatnonzero(layer.bits == bits) if by_bits else np.arange(len(table)) for bits in groups]
    return np.sort(np.concatenate([places[nondominated(table[places])] for places in rows]))
