"""The estimate of a whole design: figures with intervals, of each layer and of the sum.

In: a `Design`. Out: `Estimate`, and its figures as a `MetricSet` of stage `estimated`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import version

from hlsflow.core.metrics import Metric, MetricSet, Stage
from hlsflow.estimate import analytic, fitted
from hlsflow.estimate.analytic import Timing
from hlsflow.estimate.design import Design, Kind, Layer
from hlsflow.estimate.fitted import Coefficients

METRICS = ("latency_cycles", "ii", "lut", "ff", "dsp", "bram")
"""What is estimated; units as in `hlsflow.core.metrics`."""

BETWEEN = "between layers"
"""Name of what belongs to no layer."""

CALIBRATED_CLOCK_NS = (3.0, 6.0)
CALIBRATED_BITS = (6, 10)
WIDER = 0.35
"""Each way in which a design differs from those that were fitted to makes the interval wider by this logarithm."""


LOOSE_INTERVAL = 0.2
"""An initiation interval that is some layer's depth is not known better than this logarithm: the depth follows from the
mean number of terms of its sums, and the longest sum has more."""


@dataclass(frozen=True)
class Figure:
    """A value, and an interval that is meant to hold the report's figure."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        if self.low == self.high:
            return f"{self.value:,.0f}"
        return f"{self.value:,.0f} ({self.low:,.0f} to {self.high:,.0f})"


@dataclass(frozen=True)
class LayerEstimate:
    """What a layer is estimated to take."""

    name: str
    kind: str
    figures: Mapping[str, float]


@dataclass(frozen=True)
class Estimate:
    """What csynth is estimated to report.

    Attributes:
        design: what is estimated.
        figures: metric → total with interval; empty where a layer is not estimated.
        layers: shares of it.
        departures: how the design differs from those that were fitted to.
        coverage: share of designs that the intervals are meant to hold.
        holes: names of layers that are not estimated, so that there is no total.
        others: the same figures of all other layers, where there are holes; no bound of the whole from above.
    """

    design: Design
    figures: Mapping[str, Figure]
    layers: tuple[LayerEstimate, ...]
    departures: tuple[str, ...]
    coverage: float
    holes: tuple[str, ...] = ()
    others: Mapping[str, Figure] = field(default_factory=dict)

    def metrics(self) -> MetricSet:
        """The totals; the interval stands in the note, or why there is none."""
        return MetricSet(tuple(self._metric(name, self.figures.get(name)) for name in METRICS))

    def _note(self, name: str, figure: Figure | None) -> str:
        if figure is None:
            rest = f"; the other layers alone: {self.others[name]}" if name in self.others else ""
            return f"not estimated: {', '.join(self.holes)}{rest}"
        away = f"; outside the calibration: {', '.join(self.departures)}" if self.departures else ""
        return f"{self.coverage:.0%} interval: {figure.low:,.0f} to {figure.high:,.0f}{away}"

    def _metric(self, name: str, figure: Figure | None) -> Metric:
        return Metric(
            name=name,
            value=figure.value if figure else None,
            stage=Stage.ESTIMATED,
            tool="hlsflow estimate",
            version=version("hlsflow"),
            target=self.design.part,
            source="",
            note=self._note(name, figure),
            clock_ns=self.design.clock_ns,
        )


def estimate(design: Design, coefficients: Coefficients | None = None) -> Estimate:
    """Estimate csynth's report of a design.

    Args:
        design: what hls4ml wrote.
        coefficients: those that hlsflow comes with by default.
    """
    fit = coefficients or fitted.load()
    away, holes = tuple(departures(design)), tuple(layer.name for layer in design.layers if layer.kind is Kind.OTHER)
    if not holes:
        figures, layers = _known(design, away, fit)
        return Estimate(design, figures, layers, away, fit.coverage)
    rest = replace(design, layers=tuple(layer for layer in design.layers if layer.kind is not Kind.OTHER))
    others, layers = _known(rest, away, fit) if rest.layers else ({}, ())
    unknown = tuple(LayerEstimate(name, Kind.OTHER, {}) for name in holes)
    return Estimate(design, {}, (*layers, *unknown), away, fit.coverage, holes, others)


def _known(
    design: Design, away: tuple[str, ...], coefficients: Coefficients
) -> tuple[dict[str, Figure], tuple[LayerEstimate, ...]]:
    """Totals and shares of a design all of whose layers are estimated."""
    timing = Timing(design, coefficients.stages)
    layers = tuple(_layer(timing, layer, coefficients) for layer in design.layers)
    between = sum(fitted.between(timing, layer, coefficients) for layer in design.layers)
    parts = (*layers, LayerEstimate(BETWEEN, "", {"ff": round(between)}))
    totals = {name: sum(part.figures.get(name, 0.0) for part in parts) for name in METRICS}
    totals |= {"latency_cycles": analytic.latency(timing), "ii": analytic.initiation_interval(timing)}
    return {name: _figure(name, totals[name], timing, away, coefficients) for name in METRICS}, parts


def _layer(timing: Timing, layer: Layer, coefficients: Coefficients) -> LayerEstimate:
    figures = {
        "latency_cycles": analytic.layer_latency(timing, layer),
        "ii": analytic.interval(timing, layer),
        "lut": fitted.lut(timing, layer, coefficients),
        "ff": fitted.ff(timing, layer, coefficients),
        "dsp": analytic.dsp(timing.design, layer),
        "bram": analytic.bram(timing.design, layer),
    }
    return LayerEstimate(layer.name, layer.kind, {name: round(value) for name, value in figures.items()})


def _figure(name: str, value: float, timing: Timing, away: tuple[str, ...], coefficients: Coefficients) -> Figure:
    """A total with its interval; of what is there at all there is at least one."""
    value = round(value)
    spread = coefficients.spread.get(name, 0.0) + WIDER * len(away)
    if name == "ii":
        spread = 0.0 if _fixed_interval(timing) else max(spread, LOOSE_INTERVAL)
    low, high = value * math.exp(-spread), value * math.exp(spread)
    unsure = any(analytic.uncertain_sums(layer) for layer in timing.design.layers)
    if unsure and name == "latency_cycles":
        low, high = low / 4, high * 4
    return Figure(value, max(min(value, 1), math.floor(low + 1e-9)), math.ceil(high - 1e-9))


def _fixed_interval(timing: Timing) -> bool:
    """Whether the templates alone determine the initiation interval: a pipeline whose layers all reach theirs."""
    design = timing.design
    if design.dataflow or design.streams:
        return False
    matrices = [layer for layer in design.layers if layer.kind is Kind.MATRIX]
    return all(2 * layer.reuse_factor < analytic.depth(timing, layer) or layer.reuse_factor <= 2 for layer in matrices)


def departures(design: Design) -> Iterator[str]:
    """How a design differs from those that were fitted to."""
    matrices = [layer for layer in design.layers if layer.kind is Kind.MATRIX]
    low, high = CALIBRATED_CLOCK_NS
    bits_low, bits_high = CALIBRATED_BITS
    widths = {layer.input.width for layer in matrices} | {layer.weight.width for layer in matrices if layer.weight}
    tests = {
        f"backend {design.backend}": not design.backend.startswith("vitis"),
        design.io_type: design.streams,
        f"part {design.part or 'unknown'}": analytic.generation(design.part) != "7",
        f"clock of {design.clock_ns:g} ns": not low <= design.clock_ns <= high,
        "strategy other than latency": any(layer.strategy != "latency" for layer in matrices),
        "convolutions": any(layer.positions > 1 for layer in matrices),
        "weights that are not known": any(layer.constants is None for layer in matrices),
        f"operands outside {bits_low} to {bits_high} bits": any(not bits_low <= width <= bits_high for width in widths),
        "layers that no report shows": any(layer.kind in _UNSEEN for layer in design.layers),
        "layers that are not estimated": any(layer.kind is Kind.OTHER for layer in design.layers),
    }
    return (text for text, differs in tests.items() if differs)


_UNSEEN = (Kind.TABLE, Kind.POOL, Kind.MERGE)
