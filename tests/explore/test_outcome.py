"""What an exploration tells people: sums of layers and whole designs stay apart, each figure says whose it is."""

from __future__ import annotations

from dataclasses import replace

from hlsflow.explore.outcome import Outcome
from hlsflow.explore.search import Question
from hlsflow.explore.written import document
from hlsflow.report import html, markdown
from hlsflow.report.document import Figure, Gallery, Plane
from tests.explore.outcomes import outcome


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
    for said in ("3 designs, each proved optimal in sums of layers", "whole designs beside the sums of their layers"):
        assert said in page
    assert "mean absolute LUT error 3.03%" in text
    assert "mean absolute LUT error 3.03%" in page
