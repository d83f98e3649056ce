"""The figures of a whole design from the choice made for each layer: in whole numbers, never in floating point.

In: a `Problem` and an assignment. Out: its metrics, and what they are worth under given weights.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from math import gcd, lcm

from flows.errors import ProjectError
from flows.tradeoff.choice import AREA, Assignment, Choices, Column, Path, Problem

LATENCY = "latency_cycles"
II = "ii"
METRICS = (*AREA, LATENCY, II)
"""What can be minimised and limited."""

UNMEASURED = "unmeasured"
"""Layers whose area is a lower bound only: breaks ties, so that nothing is synthesized without need."""

Figures = Mapping[str, int]


def additive(layer: Choices, metric: str) -> Column:
    """A metric that adds up over layers: of `AREA`, or `UNMEASURED`."""
    return layer.area[metric] if metric in AREA else (~layer.measured).astype("int64")


def cycles(problem: Problem, assignment: Assignment, path: Path) -> int:
    """Cycles along a path."""
    chosen = list(zip(problem.layers, assignment, strict=True))
    times = sum(times * int(layer.latency[pick]) for times, (layer, pick) in zip(path.times, chosen, strict=True))
    gaps = sum(
        gaps * max(int(layer.interval[pick]) for layer, pick in chosen if layer.unit == unit)
        for unit, gaps in path.gaps.items()
    )
    return path.constant + times + gaps


def figures(problem: Problem, assignment: Assignment, paths: Iterable[Path]) -> dict[str, int]:
    """All metrics; the latency is that of the longest of these paths, 0 without any."""
    chosen = list(zip(problem.layers, assignment, strict=True))
    sums = {
        metric: problem.base.get(metric, 0) + sum(int(additive(layer, metric)[pick]) for layer, pick in chosen)
        for metric in (*AREA, UNMEASURED)
    }
    latency = max((cycles(problem, assignment, path) for path in paths), default=0)
    ii = max([problem.base_period, *(int(layer.period[pick]) for layer, pick in chosen)])
    return sums | {LATENCY: latency, II: ii}


def within(found: Figures, limits: Mapping[str, int]) -> bool:
    """Whether no limit is exceeded."""
    return all(found[metric] <= limit for metric, limit in limits.items())


def whole(objective: Mapping[str, float]) -> tuple[dict[str, int], Fraction]:
    """Weights as the smallest whole numbers in the same proportion, and what one of them is worth.

    Weights count as the decimals that they are written as; weights of 0 are left out.

    Raises:
        ProjectError: an unknown metric, a weight below 0, or none above.
    """
    known(objective)
    weights = {metric: Fraction(str(weight)) for metric, weight in objective.items() if weight}
    if not weights or min(weights.values()) < 0:
        raise ProjectError(f"the weights {dict(objective)} leave nothing to minimise", "give weights above 0")
    scale = lcm(*(weight.denominator for weight in weights.values()))
    unit = Fraction(gcd(*(int(weight * scale) for weight in weights.values())), scale)
    return {metric: int(weight / unit) for metric, weight in weights.items()}, unit


def known(metrics: Iterable[str]) -> None:
    """Refuse metrics that the search does not know.

    Raises:
        ProjectError: one of them is not in `METRICS`.
    """
    for metric in metrics:
        if metric not in METRICS:
            raise ProjectError(f"no metric is named '{metric}'", f"metrics: {', '.join(METRICS)}")
