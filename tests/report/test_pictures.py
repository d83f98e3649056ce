"""Charts as files: the page's drawings, readable without the page, and the same bytes for the same figures."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from hlsflow.report.html import pictures, write_charts
from hlsflow.report.run import document, to_html
from tests.report.test_html import EVIL, example

SVG = "{http://www.w3.org/2000/svg}"
PLANE = "trade_off_of_the_design_points_lut_against_latency.svg"


def test_each_chart_of_the_page_is_a_file(tmp_path: Path) -> None:
    report = example()
    write_charts(document(report), tmp_path)
    files = sorted((tmp_path / pictures.FOLDER).iterdir())
    assert len(files) == to_html(report).count("<svg")
    for file in files:
        root = ElementTree.parse(file).getroot()
        assert root.tag == f"{SVG}svg"
        assert "var(" not in file.read_text(encoding="utf-8")  # which papers' programs do not know
        assert not root.findall(f".//{SVG}a")


def test_a_chart_shows_its_figures_title_and_legend() -> None:
    root = ElementTree.fromstring(pictures.pictures(document(example()))[PLANE])
    texts = [element.text for element in root.iter(f"{SVG}text")]
    assert texts[:3] == [
        "LUT against latency",
        "synth: xc7, yosys 0.70 (wheel)",
        "routed: LFE5U-45F, nextpnr-ecp5 0.11.1 (wheel)",
    ]
    told = [element.text for element in root.iter(f"{SVG}title")]
    assert told[0] == "R16: 3,043 LUT (lut, synth); 73 cycles (latency_cycles, simulated)"
    assert len(told) == 5  # three synthesized points, two routed ones
    front = next(element for element in root.iter(f"{SVG}path") if "front" in element.get("class", ""))
    assert front.get("stroke") == "#0b66b8"  # the first colour of the page
    assert front.get("fill") == "none"


def test_names_of_layers_stay_text() -> None:
    charts = pictures.pictures(document(example()))
    assert all("<script" not in chart for chart in charts.values())
    assert any(EVIL.replace("<", "&lt;").replace(">", "&gt;") in chart for chart in charts.values())


def test_charts_of_an_earlier_report_are_removed(tmp_path: Path) -> None:
    old = tmp_path / pictures.FOLDER / "old.svg"
    old.parent.mkdir()
    old.write_text("<svg/>")
    write_charts(document(example()), tmp_path)
    first = {file.name: file.read_bytes() for file in old.parent.iterdir()}
    assert "old.svg" not in first
    coming = old.with_name(".4711.coming.svg")  # of another run, which is about to put it in place
    coming.write_text("<svg/>")
    write_charts(document(example()), tmp_path)
    coming.unlink()
    assert {file.name: file.read_bytes() for file in old.parent.iterdir()} == first
