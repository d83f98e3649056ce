"""What the search chooses from, as plain columns of numbers.

In: nothing. Out: the data types that characterisation fills and the optimiser reads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

AREA = ("lut", "ff", "dsp", "bram")
"""Metrics that add up over layers; from synthesis. Units as in `hlsflow.core.metrics.UNITS`."""

Column = NDArray[np.int64]

Assignment = tuple[int, ...]
"""For each layer the number of its configuration."""


@dataclass(frozen=True, eq=False)
class Choices:
    """The configurations of one layer, as columns of n entries each.

    Attributes:
        layer: its name.
        unit: number of the unit (`hlsflow.rtl.units`) whose pipeline it is in.
        area: metric of `AREA` → measured, or a lower bound of it.
        measured: (n,) whether `area` is measured.
        latency: cycles through the layer.
        interval: cycles between two vectors; the interval of a unit is the largest one of its layers.
        period: cycles between two frames if this layer alone held the design up.
        bits: of its weights.
    """

    layer: str
    unit: int
    area: Mapping[str, Column]
    measured: NDArray[np.bool_]
    latency: Column
    interval: Column
    period: Column
    bits: Column


@dataclass(frozen=True)
class Path:
    """A chain of waits from the first beat of a frame to its last result.

    No assignment has a latency less than constant + sum(times[l] * latency of layer l) + sum(gaps[u] * interval of
    unit u), cycles.

    Attributes:
        constant: cycles that no knob changes.
        times: for each layer, how often its latency is waited for.
        gaps: unit → how often its interval is waited for.
    """

    constant: int
    times: tuple[int, ...]
    gaps: Mapping[int, int]


@dataclass(frozen=True, eq=False)
class Problem:
    """What to choose from, and what follows from a choice.

    Attributes:
        layers: the configurations of each layer.
        base: area of all that is no layer, by metric.
        base_period: cycles between two frames that no knob shortens.
        path: the critical path of an assignment: for that one, `Path`'s inequality is an equality.
        allowed: (k, layers), combinations of `bits` that keep the accuracy asked for; None: all do.
    """

    layers: tuple[Choices, ...]
    base: Mapping[str, int]
    base_period: int
    path: Callable[[Assignment], Path]
    allowed: Column | None = None
