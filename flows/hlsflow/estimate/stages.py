"""Fits the cycles of stages that no template tells.

In: layers of reports with their cycles. Out: `Stages`: for each pace the median of what is left of a layer's cycles
when those that are known are taken away, and a line for softmax layers.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from statistics import median_high

import numpy as np

from hlsflow.estimate import analytic
from hlsflow.estimate.analytic import Pace, Stages
from hlsflow.estimate.design import Kind, Layer

Observed = tuple[Pace, Layer, float]
"""A layer of a design of that pace, and its cycles in the report."""


def fit(observed: Sequence[Observed]) -> Stages:
    """Fit everything of `Stages`."""
    matrices = [row for row in observed if row[1].kind is Kind.MATRIX and not analytic.serial(row[1])]
    shared = [row for row in matrices if analytic.sharing(row[1]) > 1]
    tail = _medians(_tails(shared, alone=False))
    return Stages(
        product=_medians((pace, cycles - _sum(pace, layer)) for pace, layer, cycles in matrices if _whole(layer)),
        tail=tail,
        alone=_medians(_tails(shared, alone=True)) or tail,
        softmax=_lines([row for row in observed if row[1].kind is Kind.SOFTMAX]),
    )


def _whole(layer: Layer) -> bool:
    return analytic.sharing(layer) <= 1


def _sum(pace: Pace, layer: Layer) -> int:
    return analytic.sum_depth(pace, math.log2(max(analytic.constants(layer).terms, 2.0)))


def _tails(shared: Iterable[Observed], *, alone: bool) -> Iterable[tuple[Pace, float]]:
    """What follows the last shared product, of layers whose cycles depend on sharing."""
    for pace, layer, cycles in shared:
        products = analytic.sharing(layer)
        if (layer.multiplier_limit == 1) == alone and products > _sum(pace, layer):
            yield pace, cycles - products


def _medians(values: Iterable[tuple[Pace, float]]) -> dict[str, float]:
    groups: dict[str, list[float]] = defaultdict(list)
    for pace, value in values:
        groups[pace.key].append(value)
    return {key: float(median_high(group)) for key, group in sorted(groups.items())}


def _lines(observed: Sequence[Observed]) -> dict[str, tuple[float, float]]:
    """Pace → cycles of a softmax, and more for each level; the smallest such line where it is not determined."""
    lines = {}
    for key in sorted({pace.key for pace, _, _ in observed}):
        points = [(math.ceil(math.log2(layer.n_in)), cycles) for pace, layer, cycles in observed if pace.key == key]
        levels = np.array([[1.0, level] for level, _ in points])
        solved = np.linalg.lstsq(levels, np.array([cycles for _, cycles in points]), rcond=None)[0]
        lines[key] = (round(float(solved[0]), 4), round(float(solved[1]), 4))
    return lines
