"""Lower bounds of area before synthesis, learnt from what has been measured so far.

In: configurations, and the figures of some of them. Out: for each configuration figures that it is not expected to fall
below, so that those that cannot matter need not be synthesized.

A linear model of the counts of `hlsflow.explore.features`, with coefficients that cannot be negative, is fitted to each
kind of layer and metric (Lawson and Hanson, "Solving Least Squares Problems", 1974, in SciPy). Each count is of things
that take about one LUT, register or block; coefficients far from 1 have to be paid for, so that few measurements are
enough (ridge regression towards 1). How far the model overshot what it had not seen, in cross-validation, says how
much less it promises. A bound is a promise of the model, not a theorem:
`Bounds.check` tests every one that is measured later, and one that breaks widens the margin.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from hlsflow.core.choices import Multiplier, Strategy
from hlsflow.explore.choice import AREA, Column
from hlsflow.explore.features import features
from hlsflow.explore.space import Configuration

Kind = tuple[Strategy, Multiplier, bool, bool]
"""Strategy, what products are made of, whether blocks are shared, whether weights are constants (reuse factor 1)."""

Figures = Mapping[str, int]

FOLDS = 8
"""Parts of the cross-validation."""

FEWEST = 12
"""Measured configurations of a kind before its model promises anything: twice its coefficients, roughly."""

SAFETY = 1.1
"""The margin, in units of the largest overshoot seen in cross-validation."""

LEAST_MARGIN = 0.02
"""However well the model fits."""

NOISE, SPREAD = 0.04, 0.5
"""Standard deviations that the regression assumes: of a figure about the model (relative), and of a coefficient."""

CONSTANTS_MARGIN = {"lut": 0.35, "dsp": 0.95}
"""Of reuse factor 1 by the model of what is folded: constant weights spare multipliers, but no adders. Ten layers of a
jet tagger took 0.79 to 1.39 of the LUTs and 0.09 to 0.76 of the DSP blocks which that model says; other metrics: 1."""


def kind_of(configuration: Configuration) -> Kind:
    plan = configuration.plan
    return plan.strategy, plan.multiplier, plan.shared, plan.granted == 1


@dataclass(frozen=True, eq=False)
class Model:
    """One metric of one kind.

    Attributes:
        coefficients: of the counts.
        margin: share of the prediction that the bound stays below it.
    """

    coefficients: NDArray[np.float64]
    margin: float

    def lower(self, rows: NDArray[np.float64]) -> Column:
        """(n, counts) → (n,)."""
        predicted = rows @ self.coefficients * (1 - self.margin)
        floor: Column = np.floor(predicted).clip(0).astype(np.int64)
        return floor


def fitted(rows: NDArray[np.float64], figures: NDArray[np.float64]) -> Model:
    """A model of (n, counts) → (n,), least squares of relative errors."""
    places = np.arange(len(figures))
    worst = 0.0
    for fold in range(min(FOLDS, len(figures))):
        out = places % FOLDS == fold
        coefficients = _solved(rows[~out], figures[~out])
        worst = max(worst, float(_overshoot(rows[out] @ coefficients, figures[out]).max(initial=0.0)))
    return Model(_solved(rows, figures), min(1.0, max(SAFETY * worst, LEAST_MARGIN)))


def _solved(rows: NDArray[np.float64], figures: NDArray[np.float64]) -> NDArray[np.float64]:
    weights = 1 / np.maximum(figures, 1.0)
    ridge = NOISE / SPREAD * np.eye(rows.shape[1])
    table = np.vstack([rows * weights[:, None], ridge])
    solution: NDArray[np.float64] = nnls(table, np.concatenate([figures * weights, ridge.sum(1)]))[0]
    return solution


def _overshoot(predicted: NDArray[np.float64], figures: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much of a prediction was too much, as a share of it; the smallest count is no share of anything."""
    excess: NDArray[np.float64] = (predicted - figures - 0.5) / np.maximum(predicted, 1.0)
    return excess


class Bounds:
    """Lower bounds of all configurations of a space, better the more of them are measured."""

    def __init__(self, configurations: Sequence[Configuration]) -> None:
        self._rows = [features(configuration) for configuration in configurations]
        self._kinds = [kind_of(configuration) for configuration in configurations]
        self._widened: dict[tuple[Kind, str], float] = {}
        self.tested = self.broken = 0

    def lower(self, measured: Mapping[int, Figures]) -> dict[str, Column]:
        """Metric → (n,): what is measured, and else the bound; 0 while too little of a kind is measured."""
        result = {metric: np.zeros(len(self._rows), np.int64) for metric in AREA}
        for kind in set(self._kinds):
            members = self._members(kind)
            for metric in AREA:
                model = self._model(kind, metric, measured)
                if model is not None:
                    result[metric][members] = model.lower(self._table(members, metric))
        for place, figures in measured.items():
            for metric in AREA:
                result[metric][place] = figures[metric]
        return result

    def _members(self, kind: Kind) -> list[int]:
        return [place for place, own in enumerate(self._kinds) if own == kind]

    def _model(self, kind: Kind, metric: str, measured: Mapping[int, Figures]) -> Model | None:
        """None while too little is measured."""
        places = [place for place in self._members(kind) if place in measured]
        if len(places) < FEWEST:
            folded = self._model((*kind[:3], False), metric, measured) if kind[3] else None
            return replace(folded, margin=CONSTANTS_MARGIN.get(metric, 1.0)) if folded else None
        model = fitted(
            self._table(places, metric), np.asarray([measured[place][metric] for place in places], np.float64)
        )
        return replace(model, margin=max(model.margin, self._widened.get((kind, metric), 0.0)))

    def _table(self, places: Iterable[int], metric: str) -> NDArray[np.float64]:
        return np.stack([self._rows[place][metric] for place in places])

    def check(self, bounds: Mapping[str, Column], measured: Mapping[int, Figures]) -> None:
        """Test promises: `bounds` were given before `measured` was measured."""
        for place, figures in measured.items():
            for metric in AREA:
                promised, kind = int(bounds[metric][place]), self._kinds[place]
                self.tested += promised > 0
                if figures[metric] < promised:
                    self.broken += 1
                    short = 1 - figures[metric] / promised
                    self._widened[kind, metric] = min(1.0, 2 * short + self._widened.get((kind, metric), LEAST_MARGIN))
