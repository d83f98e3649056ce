"""What the latency of a network is made of: which pipelines and intervals a frame waits for, and how often.

The equations of `hlsflow.rtl.timing` take maxima of sums. Whoever walks back from the last result of the first frame,
each time to a beat or a step that was waited for, finds a chain of waits as long as the latency: a critical path
(Baccelli, Cohen, Olsder and Quadrat, "Synchronization and Linearity", 1992). With other knobs each wait of that chain
still has to be waited for, so the sum over the chain stays a lower bound of the latency.

In: a `Network`. Out: its `Critical` path.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hlsflow.rtl.timing import Course, Cycles, earliest
from hlsflow.rtl.units import Network


@dataclass(frozen=True)
class Critical:
    """A chain of waits from the first beat of a frame to its last result, in an idle design.

    The latency is constant + sum(flights[u] * latency of unit u) + sum(gaps[u] * interval of unit u), cycles; with any
    other knobs it is no less.

    Attributes:
        constant: cycles of steps and of FIFOs.
        flights: for each unit, how often its latency is waited for.
        gaps: for each unit, how often its interval is waited for.
    """

    constant: int
    flights: tuple[int, ...]
    gaps: tuple[int, ...]


Step = tuple[int, int]
"""The number of a unit, and of one of its steps."""

STEP, FLIGHT, GAP = range(3)
"""What a step waited for: the one before it, a beat, the interval of its unit."""


def critical(network: Network) -> Critical:
    """The critical path of the first frame.

    A path that begins at reset instead of the first beat is shortened by the cycles between them. These are the same
    for all knobs: they would not be only where several windows lie in padding alone, before any beat is looked at.

    Where FIFOs decide when a beat is taken (`hlsflow.rtl.timing.holds_beats`) this is the path from the earliest
    taking; the latency is then another one, and not bounded by it.
    """
    courses = [Course.of(unit, 1) for unit in network.units]
    cycles = earliest(courses, {})
    begins = [(u, int(courses[u].takes[slot][0])) for u, slot, _ in network.entries]
    ends = [(u, int(courses[u].makes[-1])) for u in network.outputs]
    begin = min(begins, key=lambda step: int(cycles[step[0]][step[1]]))
    end = max(ends, key=lambda step: int(cycles[step[0]][step[1]]) + courses[step[0]].flight)
    waits = [_waits(courses, cycles, u) for u in range(len(courses))]
    counts, reached = _walked(waits, cycles, end, begin)
    if not reached:
        counts = counts - _walked(waits, cycles, begin)[0]
    counts[FLIGHT, end[0]] += 1
    constant = int(counts[STEP].sum() + counts[FLIGHT].sum())
    return Critical(constant, tuple(counts[FLIGHT].tolist()), tuple(counts[GAP].tolist()))


def _walked(waits: list[Waits], cycles: list[Cycles], step: Step, begin: Step | None = None) -> tuple[Cycles, bool]:
    """(kinds, units): how often a unit is waited for on the way back to a step, or to reset; whether it was reached."""
    counts = [[0] * len(waits) for _ in (STEP, FLIGHT, GAP)]
    u, k = step
    while (u, k) != begin:
        kind, unit, before = waits[u][k]
        if before < 0:
            counts[STEP][u] += int(cycles[u][0])
            break
        counts[kind][unit] += 1
        u, k = unit, before
    return np.array(counts), (u, k) == begin


Waits = list[tuple[int, int, int]]
"""For each step of a unit what it waited for: kind, unit, and step of that unit; step -1: reset."""


def _waits(courses: list[Course], cycles: list[Cycles], u: int) -> Waits:
    """Of several things waited for, the interval before a beat, and a beat before a step."""
    course, own = courses[u], cycles[u]
    kinds, units, before = np.full_like(own, STEP), np.full_like(own, u), np.arange(len(own)) - 1
    for (steps, beats), source in zip(course.looks, course.unit.inputs, strict=True):
        if source >= 0:
            made = courses[source].makes[beats]
            late = cycles[source][made] + courses[source].flight == own[steps]
            places = steps[late]
            kinds[places], units[places], before[places] = FLIGHT, source, made[late]
    places = np.flatnonzero(np.diff(own[course.makes]) == course.unit.interval)
    later, earlier = course.makes[places + 1], course.makes[places]
    kinds[later], units[later], before[later] = GAP, u, earlier
    return list(zip(kinds.tolist(), units.tolist(), before.tolist(), strict=True))
