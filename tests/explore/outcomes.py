"""An exploration as its tables see it: three designs of a network of one layer, one of them built whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from hlsflow.explore.outcome import OPEN, Outcome
from hlsflow.explore.precision import Scores
from hlsflow.explore.search import Answer, Effort, Question
from hlsflow.explore.solver import Solution
from hlsflow.explore.study import Confirmation

FRONT = [(31, 1, 22_000, 40), (54, 10, 3_400, 9), (111, 32, 1_700, 2)]
"""Latency, II, LUT and DSP of the designs."""


@dataclass(frozen=True)
class Knob:
    """A configuration of a layer."""

    reuse_factor: int
    bits: int = 6

    @property
    def cell(self) -> str:
        return f"R{self.reuse_factor} <dsp>"

    def to_json(self) -> dict[str, int | str]:
        return {
            "reuse_factor": self.reuse_factor,
            "multiplier": "dsp",
            "strategy": "resource",
            "weight_bits": self.bits,
        }


class OneLayer:
    """A network of one layer, whose assignment is its reuse factor."""

    scores: Scores | None = None

    def chosen(self, assignment: tuple[int, ...]) -> Mapping[str, Knob]:
        return {"<fc>": Knob(assignment[0])}


def outcome() -> Outcome:
    names = ("latency_cycles", "ii", "lut", "dsp", "ff", "bram")
    solutions = tuple(
        Solution((figures[1],), dict(zip(names, (*figures, 7, 0), strict=True)), Fraction(1), Fraction(1))
        for figures in FRONT
    )
    summed = {name: solutions[1].figures[name] for name in ("lut", "ff", "dsp", "bram")}
    return Outcome(
        project="<i>digits",
        engine=OPEN,
        target="xc7",
        study=OneLayer(),
        question=Question({}, {}, ("latency_cycles", "lut")),
        answer=Answer(solutions, True, Effort(4, 4, 3, 1, 1, 0, 0)),
        least_accuracy=None,
        clock_ns=5.0,
        tool="yosys 0.70 (wheel)",
        confirmed={2: Confirmation(solutions[1], summed, summed | {"lut": 3_300})},
        files={},
        notes=["energy is not measured"],
    )
