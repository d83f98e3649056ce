"""What an exploration tells people: sums of layers and whole designs stay apart, each figure says whose it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from hlsflow.explore.outcome import OPEN, Outcome, document
from hlsflow.explore.precision import Scores
from hlsflow.explore.search import Answer, Effort, Question
from hlsflow.explore.solver import Solution
from hlsflow.explore.study import Confirmation
from hlsflow.report import html, markdown
from hlsflow.report.document import Figure, Gallery, Plane

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


def pareto(found: Outcome) -> list[Plane]:
    galleries = [
        block for section in document(found).sections for block in section.blocks if isinstance(block, Gallery)
    ]
    return [chart for gallery in galleries for chart in gallery.charts if isinstance(chart, Plane)]


def test_the_front_and_whole_designs_are_series_of_their_own() -> None:
    (plane,) = pareto(outcome())
    (_, sums), (_, wholes) = plane.dots
    assert [(dot.across.value, dot.up.value) for dot in sums] == [(31, 22_000), (54, 3_400), (111, 1_700)]
    assert {(dot.across.stage, dot.up.stage) for dot in sums} == {("scheduled", "characterised")}
    assert [(dot.across.value, dot.up.value, dot.up.stage) for dot in wholes] == [(54, 3_300, "synth")]
    assert plane.fronts == (0,)


def test_of_three_objectives_each_two_have_a_plane_and_no_line_joins_them() -> None:
    found = replace(outcome(), question=Question({}, {}, ("latency_cycles", "lut", "dsp")))
    assert [(plane.across, plane.up, plane.fronts) for plane in pareto(found)] == [
        ("latency (cycles, scheduled)", "LUT", ()),
        ("latency (cycles, scheduled)", "DSP", ()),
        ("LUT", "DSP", ()),
    ]
    assert pareto(replace(outcome(), question=Question({}, {"lut": 1.0}))) == []


def test_a_figure_says_who_made_it() -> None:
    figures = dict.fromkeys(document(outcome()).figures())
    told = {(one.owner, one.name, one.stage): (one.tool, one.version, one.clock_ns) for one in figures}
    assert told["point 2", "lut", "synth"] == ("yosys", "0.70 (wheel)", 5.0)
    assert told["point 2", "ii", "scheduled"][0] == "hlsflow"
    assert (
        Figure("point 2", "lut", 3_300, "LUT", "synth", "yosys", "0.70 (wheel)", "xc7", "explore.json", "", 5.0)
        in figures
    )


def test_all_forms_say_the_same() -> None:
    text, page = markdown.render(document(outcome())), html.render(document(outcome()))
    assert "| 2     | R10 <dsp> | 54" in text
    assert "R10 &lt;dsp&gt;" in page
    assert "<i>" not in page.split("<svg")[0].partition("<body>")[2].replace("<i></i>", "")
    for said in ("3 designs, proved optimal", "whole designs beside the sums of their layers"):
        assert said in page
    assert "mean absolute LUT error 3.03%" in text
    assert "mean absolute LUT error 3.03%" in page
