"""What an exploration proves, and the colour that it deserves: green only where all that the proof rests on held."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from hlsflow.core.metrics import Metric, MetricSet, Stage
from hlsflow.explore.outcome import VITIS, Outcome
from hlsflow.explore.search import Effort, Question
from hlsflow.explore.tables import points_table, routed_table, summary_lines
from hlsflow.explore.verdict import judged
from hlsflow.explore.written import document, to_json
from hlsflow.report import html, markdown
from hlsflow.report.document import Tone
from tests.explore.outcomes import outcome

PART = "LFE5U-45F-6BG381C"


def sound() -> Outcome:
    """One whose whole design is what its layers promised, and whose bounds all held."""
    found = outcome()
    one = found.confirmed[2]
    answer = replace(found.answer, effort=Effort(9, 9, 5, 2, 3, tested=4, broken=0))
    return replace(found, answer=answer, confirmed={2: replace(one, built=one.characterised)})


def with_effort(found: Outcome, effort: Effort) -> Outcome:
    return replace(found, answer=replace(found.answer, effort=effort))


def routed(found: Outcome, fmax: float | None) -> Outcome:
    note = "" if fmax else "does not fit"
    about: tuple[Any, ...] = (Stage.ROUTED, "nextpnr-ecp5", "0.11", PART, "r.json", note)
    return replace(found, target="ecp5", routed={2: MetricSet((Metric("fmax_mhz", fmax, *about),))})


def test_green_is_what_is_proved_and_all_that_it_rests_on() -> None:
    verdict = judged(sound())
    assert (verdict.text, verdict.tone) == ("3 designs, each proved optimal in sums of layers", "good")
    proof, bounds, whole, clock = verdict.more
    assert "area of layers by yosys 0.70 (wheel) for xc7, cycles by the schedule" in proof
    assert bounds.startswith("4 of 9 layer configurations were left out by learnt lower bounds")
    assert bounds.endswith("tested 4 such bounds, of which 0 did not hold")
    assert whole.endswith("exact: kept.")
    assert clock == "Fmax: not measured (there is no router for xc7 here); rates are at the clock asked, 5 ns"


@pytest.mark.parametrize(
    ("effort", "tone", "short"),
    [
        (Effort(9, 9, 5, 2, 3, tested=532, broken=2), "warn", "2 of 532 learnt bounds did not hold"),
        (Effort(9, 9, 5, 2, 3, tested=0, broken=0), "warn", "learnt bounds never tested"),
        (Effort(9, 9, 9, 2, 3, tested=0, broken=0), "good", ""),
    ],
)
def test_learnt_bounds_that_did_not_hold_or_were_never_tested_are_amber(effort: Effort, tone: Tone, short: str) -> None:
    verdict = judged(with_effort(sound(), effort))
    assert verdict.tone == tone
    assert verdict.text == "3 designs, each proved optimal in sums of layers" + (f"; {short}" if short else "")


def test_what_is_not_proved_is_red_and_named_everywhere() -> None:
    found = sound()
    first, second, third = found.answer.solutions
    open_one = replace(second, value=Fraction(3), lower_bound=Fraction(2))
    found = replace(found, answer=replace(found.answer, solutions=(first, open_one, third)))
    assert judged(found).tone == "bad"
    assert judged(found).text == "3 designs, each NOT proved optimal in sums of layers"
    assert judged(found).more[0].startswith("NOT proved: point 2 may be beaten")
    assert not to_json(found)["proved"]
    for text in (markdown.render(document(found)), html.render(document(found)), " ".join(summary_lines(found))):
        assert "NOT proved optimal" in text
        assert "each proved optimal" not in text


def test_sums_that_miss_whole_designs_are_amber() -> None:
    found = sound()
    one = found.confirmed[2]
    for off, missed in (({"lut": 3_340}, False), ({"lut": 3_300}, True), ({"dsp": 10}, True), ({"bram": 1}, True)):
        told = replace(found, confirmed={2: replace(one, built={**one.characterised, **off})})
        assert (judged(told).tone == "warn") == missed == ("MISSED" in judged(told).text), off


def test_a_whole_design_that_breaks_a_limit_is_red() -> None:
    found = sound()
    for limit, tone in ((3_400, "good"), (3_399, "bad")):
        told = replace(found, question=Question({"lut": limit}, {}, ("latency_cycles", "lut")))
        assert judged(told).tone == tone
    assert "point 2 breaks the limit of lut" in judged(told).text
    assert "point 2, built whole, takes lut 3,400, and the limit is 3,399" in judged(told).more


def test_a_front_that_was_cut_short_and_designs_that_nobody_built_are_amber() -> None:
    cut = replace(sound(), answer=replace(sound().answer, complete=False))
    assert (judged(cut).tone, judged(cut).text.endswith("; cut short")) == ("warn", True)
    unbuilt = replace(sound(), confirmed={})
    assert (judged(unbuilt).tone, judged(unbuilt).text.endswith("; none built whole")) == ("warn", True)


def test_nothing_is_promised_of_sums_of_csynth_reports() -> None:
    verdict = judged(replace(sound(), engine=VITIS, tool="vitis_hls 2023.2", target="xc7z020clg400-1"))
    assert verdict.tone == "warn"
    assert "Nothing is promised" in " ".join(verdict.more)
    assert "Fmax: not measured (csynth estimates the clock, and nothing is routed)" in " ".join(verdict.more)


def test_a_rate_that_was_asked_for_is_not_shown_where_no_clock_is_measured() -> None:
    verdict = judged(replace(sound(), per_second=1e6))
    assert verdict.tone == "warn"
    assert verdict.text.endswith("; 1,000,000 inferences/s not shown, for no clock was measured")
    assert judged(routed(replace(sound(), per_second=1e6), 250.0)).tone == "good"


@pytest.mark.parametrize(
    ("fmax", "tone", "said"),
    [
        (200.0, "good", "point 2 runs at 200 MHz, routed; the clock asked is 5 ns"),
        (199.9, "bad", "point 2 runs at 199.9 MHz, routed, and 200 MHz were asked"),
        (None, "bad", "point 2: Fmax: not measured: does not fit"),
    ],
)
def test_a_routed_design_is_judged_by_the_clock_asked_for(fmax: float | None, tone: Tone, said: str) -> None:
    verdict = judged(routed(sound(), fmax))
    assert verdict.tone == tone
    assert said in verdict.more
    assert to_json(routed(sound(), fmax))["clock"] == {"asked_ns": 5.0, "fmax_mhz": {"2": fmax}}


def test_no_rate_stands_without_its_clock() -> None:
    heads = [head for head in points_table(sound()).head if "inferences/s" in head]
    assert heads == ["inferences/s at the clock asked, 5 ns (Fmax: not measured)"]
    text, page = markdown.render(document(sound())), html.render(document(sound()))
    assert heads[0] in text
    assert heads[0] in page
    table = routed_table(routed(sound(), 150.0))
    column = table.head.index("inferences/s (at Fmax, routed)")
    assert table.rows[0][column].text == "15,000,000"  # 150 MHz over an II of 10
    assert routed_table(routed(sound(), None)).rows[0][column].text == "missing"


def test_all_forms_say_the_verdict_with_its_colour() -> None:
    amber = with_effort(sound(), Effort(9, 9, 5, 2, 3, tested=532, broken=2))
    page, text = html.render(document(amber)), markdown.render(document(amber))
    assert '<div class="verdict warn"' in page
    assert "- ! 3 designs, each proved optimal in sums of layers; 2 of 532 learnt bounds did not hold" in text
    assert "- ✓ 3 designs, each proved optimal in sums of layers" in markdown.render(document(sound()))
    assert to_json(amber)["verdict"]["tone"] == "warn"
    json.dumps(to_json(amber))


def test_figures_stand_in_per_cent_of_the_part_asked_for() -> None:
    found = replace(sound(), part="xc7z020clg400-1")
    table = points_table(found)
    shares = {head: table.rows[1][place].text for place, head in enumerate(table.head) if "%" in head}
    assert shares == {
        "LUT (%)": "6.4",
        "FF (%)": "0.0",
        "DSP (%)": "4.1",
        "BRAM (%)": "0.0",
    }
    assert table.notes == ("%: of all that xc7z020clg400-1 offers",)
    assert to_json(found)["points"][1]["percent_of_part"]["lut"] == 6.39
    unknown = replace(sound(), part="xc7vx690t")
    assert not [head for head in points_table(unknown).head if "%" in head]
    assert points_table(unknown).notes == ("what xc7vx690t offers is not known here",)
    assert to_json(unknown)["points"][1]["percent_of_part"] == {}
