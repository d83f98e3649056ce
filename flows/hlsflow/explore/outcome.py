"""What an exploration found, as a noun: whose measurements it rests on, what was asked, and the designs.

In: a study's answer and the designs that were built whole. Out: an `Outcome`, which `verdict` judges, `tables` shows
and `written` writes. Figures of different `Engine`s never share a column.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from hlsflow.core.metrics import MetricSet, Stage
from hlsflow.explore.choice import AREA, Assignment
from hlsflow.explore.precision import Scores
from hlsflow.explore.search import Answer, Question
from hlsflow.explore.solver import Solution
from hlsflow.explore.study import Confirmation

CYCLES = ("latency_cycles", "ii")


@dataclass(frozen=True)
class Engine:
    """Whose measurements an exploration rests on, and what they are called.

    Attributes:
        name: on the command line.
        cycles: stage of latency and II.
        layers, designs: stages of sums over layers, and of whole designs.
        compared: metrics of both.
        knobs: of a layer.
        exact: whether sums are meant to keep to the errors above.
    """

    name: str
    cycles: str
    layers: str
    designs: str
    compared: tuple[str, ...]
    knobs: tuple[str, ...]
    exact: bool


OPEN = Engine(
    name="open",
    cycles="scheduled",
    layers=Stage.CHARACTERISED,
    designs=Stage.SYNTH,
    compared=AREA,
    knobs=("reuse_factor", "multiplier", "strategy", "weight_bits"),
    exact=True,
)
"""The open RTL: cycles by the schedule, area by Yosys."""

VITIS = Engine(
    name="vitis",
    cycles=Stage.HLS,
    layers=Stage.HLS,
    designs=f"{Stage.HLS}_whole",
    compared=(*CYCLES, *AREA),
    knobs=("reuse_factor", "strategy", "weight_bits"),
    exact=False,
)
"""hls4ml's C++: everything by the csynth report of Vitis HLS."""


class Chosen(Protocol):
    """A configuration of a layer, as tables show it."""

    @property
    def cell(self) -> str:
        """In few words."""

    @property
    def bits(self) -> int:
        """Of its weights."""

    def to_json(self) -> dict[str, int | str]:
        """Its knobs."""


class Studied(Protocol):
    """What an answer is about."""

    @property
    def scores(self) -> Scores | None:
        """Accuracy of combinations of widths; None: it does not matter."""

    def chosen(self, assignment: Assignment) -> Mapping[str, Chosen]:
        """Layer → its configuration."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """Everything an exploration found.

    Attributes:
        project: its name.
        engine: that measured.
        target: family or part it is for.
        question: what was asked, with all limits.
        least_accuracy: that a design must keep; None: it does not matter.
        clock_ns: asked for; inferences per second are at this clock, which is no timing result.
        tool: that synthesized.
        confirmed: number of a point → what the whole design cost.
        files: number of a point → its project file.
        notes: what is not in it, and why.
        routed: number of a point → its figures after place and route, or why it has none.
        part: asked for; figures stand in per cent of it. None: no part, or one of another family.
        per_second: inferences a second that were asked for; None: none were.
    """

    project: str
    engine: Engine
    target: str
    study: Studied
    question: Question
    answer: Answer
    least_accuracy: float | None
    clock_ns: float
    tool: str
    confirmed: Mapping[int, Confirmation]
    files: Mapping[int, str]
    notes: Sequence[str]
    routed: Mapping[int, MetricSet] = field(default_factory=dict)
    part: str | None = None
    per_second: float | None = None


def accuracy_of(outcome: Outcome, solution: Solution) -> float | None:
    """Of the network with these widths, before fine-tuning; None where it was not scored."""
    scores = outcome.study.scores
    if scores is None:
        return None
    bits = {name: configuration.bits for name, configuration in outcome.study.chosen(solution.assignment).items()}
    return float(scores.accuracy[scores.number(bits)])
