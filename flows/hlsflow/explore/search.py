"""The lazy search: synthesizes what may be part of the answer, and nothing else.

Every configuration that is not measured counts with a lower bound of its area. The exact optimum of that problem is
either made of measured layers, and then nothing that is not measured can beat it, or it names what to measure next.

In: a space, what a configuration costs when it is measured, and a question. Out: the answer, of measured layers alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hlsflow.explore.bounds import FEWEST, Bounds, Figures, kind_of
from hlsflow.explore.choice import AREA, Assignment, Choices, Column, Path, Problem
from hlsflow.explore.front import Front, front
from hlsflow.explore.infeasible import explain
from hlsflow.explore.solver import Solution, Solver
from hlsflow.explore.space import Configuration, Layer

BATCH = 24
"""Configurations measured between two solutions: few, so that better bounds spare others, but work for many workers."""

Measure = Callable[[Sequence[Configuration]], Sequence[Figures]]


@dataclass(frozen=True)
class Question:
    """What is wanted.

    Attributes:
        limits: metric → largest value allowed.
        objective: metric → weight, of a single optimum; empty: a front.
        front: two or three metrics; the least of the first one comes first.
        most: points after which a front ends; None: never before its end.
    """

    limits: Mapping[str, int]
    objective: Mapping[str, float]
    front: tuple[str, ...] = ()
    most: int | None = None


@dataclass(frozen=True)
class Effort:
    """What it took.

    Attributes:
        configurations: in the space, over all layers.
        points: designs that they make.
        measured: configurations synthesized for this answer, or known from before.
        rounds: of solving and measuring.
        solves: programs solved.
        tested, broken: bounds that were tested by a later measurement, and those that did not hold.
    """

    configurations: int
    points: int
    measured: int
    rounds: int
    solves: int
    tested: int
    broken: int


@dataclass(frozen=True)
class Answer:
    """Optimal designs, of measured layers.

    Attributes:
        solutions: one, or a front.
        complete: whether that is the whole front.
    """

    solutions: tuple[Solution, ...]
    complete: bool
    effort: Effort


def solved(question: Question, solver: Solver) -> Front:
    """The front asked for, or the optimum as one of a single point; without solutions, where nothing is within limits.

    Raises:
        ProjectError: an unknown metric, or nothing to minimise. FlowError: the solver gives up.
    """
    if question.front:
        return front(solver.problem, question.front, question.limits, question.most, solver)
    best = solver.minimise(question.objective, question.limits)
    return Front((), (best,) if best else (), True)


class Search:
    """The state of a search: what is measured so far.

    Args:
        layers: the space.
        measure: figures of configurations, each exactly as synthesis counts them.
        base: area of all that is no layer.
        base_period: cycles between two frames that no knob shortens.
        path: the critical path of an assignment.
        allowed: combinations of bits to choose from; None: all.
        solved: told after each solving how many designs are optimal by bounds, and what is not measured in them.
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        measure: Measure,
        base: Figures,
        base_period: int,
        path: Callable[[Assignment], Path],
        allowed: Column | None,
        solved: Callable[[int, Sequence[Configuration]], None],
    ) -> None:
        self._layers, self._measure, self._on_solved = tuple(layers), measure, solved
        self._base, self._base_period, self._path, self._allowed = base, base_period, path, allowed
        self._all = [configuration for layer in self._layers for configuration in layer.configurations]
        self._starts = np.cumsum([0, *(len(layer.configurations) for layer in self._layers)])
        self._bounds = Bounds(self._all)
        self._known: dict[int, Figures] = {}
        self._paths: list[Path] = []
        self._rounds = self._solves = 0

    def answer(self, question: Question) -> Answer:
        """The optimum, or the front.

        Raises:
            Infeasible: no design keeps the limits; says which ones are in conflict, and what would do.
        """
        self._learn(list(seeds(self._all)))
        while True:
            solver = self._solver()
            front = self._solved(question, solver)
            if not front.solutions:
                self._refuse(question)
            missing = self._missing(front.solutions)
            self._on_solved(len(front.solutions), [self._all[place] for place in missing])
            if not missing:
                return Answer(front.solutions, front.complete, self._effort())
            self._learn(missing[:BATCH])

    def _solved(self, question: Question, solver: Solver) -> Front:
        self._rounds += 1
        front = solved(question, solver)
        self._paths, self._solves = solver.paths, self._solves + solver.solves
        return front

    def _refuse(self, question: Question) -> None:
        """Explain with measured layers why nothing is within the limits; raises Infeasible."""
        while True:
            solver = self._solver()
            reason = explain(solver.problem, question.limits, solver)
            others = (({name: 1.0}, {k: v for k, v in question.limits.items() if k != name}) for name in reason.least)
            best = [solver.minimise(objective, limits) for objective, limits in others]
            missing = self._missing([solution for solution in best if solution])
            if not missing:
                raise reason
            self._learn(missing)

    def _solver(self) -> Solver:
        lower = self._bounds.lower(self._known)
        return Solver(
            Problem(
                tuple(self._choices(number, lower) for number in range(len(self._layers))),
                self._base,
                self._base_period,
                self._path,
                self._allowed,
            ),
            self._paths,
        )

    def _choices(self, number: int, lower: Mapping[str, Column]) -> Choices:
        layer, places = self._layers[number], slice(self._starts[number], self._starts[number + 1])
        ones = layer.configurations
        return Choices(
            layer=layer.name,
            unit=ones[0].at.number,
            area={metric: lower[metric][places] for metric in AREA},
            measured=np.asarray([place in self._known for place in range(places.start, places.stop)]),
            latency=np.asarray([configuration.at.stage.latency for configuration in ones]),
            interval=np.asarray([configuration.plan.granted for configuration in ones]),
            period=np.asarray([configuration.period for configuration in ones]),
            bits=np.asarray([configuration.bits for configuration in ones]),
        )

    def _missing(self, solutions: Sequence[Solution]) -> list[int]:
        """What is not measured in them, the most frequent first."""
        chosen = Counter(place for solution in solutions for place in self._places(solution.assignment))
        return [place for place, _ in chosen.most_common() if place not in self._known]

    def _places(self, assignment: Assignment) -> Iterator[int]:
        return (int(start) + index for start, index in zip(self._starts, assignment, strict=False))

    def _learn(self, places: Sequence[int]) -> None:
        promised = self._bounds.lower(self._known)
        figures = self._measure([self._all[place] for place in places])
        measured = dict(zip(places, figures, strict=True))
        self._bounds.check(promised, measured)
        self._known |= measured

    def _effort(self) -> Effort:
        points = 1
        for layer in self._layers:
            points *= len(layer.configurations)
        measured, bounds = len(self._known), self._bounds
        return Effort(len(self._all), points, measured, self._rounds, self._solves, bounds.tested, bounds.broken)


def seeds(configurations: Sequence[Configuration]) -> Iterator[int]:
    """Configurations to begin with: some of each kind, cheap to synthesize, spread over layers and reuse factors.

    Layers with constant weights are left out: they are the largest, and the model of the folded ones speaks for them.
    """
    kinds: dict[object, list[int]] = {}
    for place, configuration in enumerate(configurations):
        if configuration.plan.granted > 1:
            kinds.setdefault(kind_of(configuration), []).append(place)
    for places in kinds.values():
        by_size = sorted(places, key=lambda place: configurations[place].plan.multipliers)
        cheap = by_size[: max(FEWEST + 1, len(by_size) * 3 // 4)]
        yield from {cheap[round(k)] for k in np.linspace(0, len(cheap) - 1, FEWEST + 2)}
