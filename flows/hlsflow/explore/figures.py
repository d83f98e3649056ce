"""The figures of a whole design from the choice made for each layer: in whole numbers, never in floating point.

In: a `Problem` and an assignment. Out: its metrics, and what they are worth under given weights.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from math import gcd, lcm

import numpy as np

from hlsflow.core.errors import ProjectError
from hlsflow.explore.choice import AREA, Assignment, Choices, Column, Path, Problem

LATENCY = "latency_cycles"
II = "ii"
METRICS = (*AREA, LATENCY, II)
"""What can be minimised and limited."""

UNMEASURED = "unmeasured"
"""Layers whose area is a lower bound only: breaks ties, so that nothing is synthesized without need."""

Figures = Mapping[str, int]


def additive(layer: Choices, metric: str) -> Column:
    """A metric that adds up over layers: of `AREA`, or `UNMEASURED`."""
    return layer.area[metric] if metric in AREA else (~layer.measured).astype(np.int64)


def tabulated(problem: Problem, picks: Column, paths: Iterable[Path]) -> dict[str, Column]:
    """All metrics of many assignments; the latency is that of the longest of these paths, 0 without any.

    Args:
        picks: (n, layers).

    Returns:
        Metric → (n,).
    """
    chosen = list(zip(problem.layers, picks.T, strict=True))
    columns = {
        metric: problem.base.get(metric, 0) + sum((additive(layer, metric)[own] for layer, own in chosen), _none(picks))
        for metric in (*AREA, UNMEASURED)
    }
    latency = np.max([_none(picks), *(_cycles(problem, picks, path) for path in paths)], axis=0)
    ii = np.max([_none(picks) + problem.base_period, *(layer.period[own] for layer, own in chosen)], axis=0)
    return columns | {LATENCY: latency, II: ii}


def figures(problem: Problem, assignment: Assignment, paths: Iterable[Path]) -> dict[str, int]:
    """The same of one assignment."""
    return {name: int(column[0]) for name, column in tabulated(problem, np.array([assignment]), paths).items()}


def settled(problem: Problem, path: Path) -> Path:
    """The same path with gaps only where there is a choice: a unit without layers takes a vector every cycle."""
    units = {layer.unit for layer in problem.layers}
    fixed = sum(gaps for unit, gaps in path.gaps.items() if unit not in units)
    gaps = {unit: gaps for unit, gaps in path.gaps.items() if gaps and unit in units}
    return Path(path.constant + fixed, path.times, gaps)


def _cycles(problem: Problem, picks: Column, path: Path) -> Column:
    """(n,): cycles along a path."""
    total, intervals = _none(picks) + path.constant, dict.fromkeys(path.gaps, _none(picks))
    for layer, own, times in zip(problem.layers, picks.T, path.times, strict=True):
        total += times * layer.latency[own]
        if layer.unit in intervals:
            intervals[layer.unit] = np.maximum(intervals[layer.unit], layer.interval[own])
    return total + sum((path.gaps[unit] * interval for unit, interval in intervals.items()), _none(picks))


def _none(picks: Column) -> Column:
    return np.zeros(len(picks), np.int64)


def within(design: Figures, limits: Mapping[str, int]) -> bool:
    """Whether no limit is exceeded."""
    return all(design[metric] <= limit for metric, limit in limits.items())


def whole_weights(objective: Mapping[str, float]) -> tuple[dict[str, int], Fraction]:
    """Weights as the smallest whole numbers in the same proportion, and what one of them is worth.

    Weights count as the decimals that they are written as; weights of 0 are left out.

    Raises:
        ProjectError: an unknown metric, a weight below 0, or none above.
    """
    require_metrics(objective)
    weights = {metric: Fraction(str(weight)) for metric, weight in objective.items() if weight}
    if not weights or min(weights.values()) < 0:
        raise ProjectError(f"the weights {dict(objective)} leave nothing to minimise", "give weights above 0")
    scale = lcm(*(weight.denominator for weight in weights.values()))
    unit = Fraction(gcd(*(int(weight * scale) for weight in weights.values())), scale)
    return {metric: int(weight / unit) for metric, weight in weights.items()}, unit


def require_metrics(metrics: Iterable[str]) -> None:
    """Refuse metrics that the search does not know.

    Raises:
        ProjectError: one of them is not in `METRICS`.
    """
    for metric in metrics:
        if metric not in METRICS:
            raise ProjectError(f"no metric is named '{metric}'", f"metrics: {', '.join(METRICS)}")
