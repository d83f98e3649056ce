"""Reports of exports through Vivado, and of Quartus' fitter in text: the traps of their formats, one test each."""

from __future__ import annotations

from pathlib import Path

import pytest

from hlsflow.core.errors import DataError
from hlsflow.core.metrics import MetricSet, Stage
from hlsflow.toolchains.reports import Report, read_any
from tests.toolchains.reports.written import EXPORT, FIT


def read(folder: Path, text: str, name: str = "tiny_export.rpt") -> Report:
    (folder / name).write_text(text)
    return read_any(folder / name)


def told(metrics: MetricSet) -> dict[str, tuple[float | None, str]]:
    return {metric.name: (metric.value, metric.note) for metric in metrics}


def test_an_export_that_was_routed(tmp_path: Path) -> None:
    report = read(tmp_path, EXPORT)
    assert told(report.metrics) == {
        "lut": (345, ""),
        "ff": (234, ""),
        "dsp": (6, ""),
        "bram": (5, ""),  # already in blocks of 18 Kb
        "uram": (1, ""),
        "wns_ns": (1.0, "timing met"),  # 5 - 4
        "fmax_mhz": (250.0, "timing met"),  # 1000 / 4, not that after synthesis
    }
    assert (report.tool, report.version, report.part, report.top) == (
        "Vivado",
        "2023.2",
        "xczu7ev-ffvc1156-2-e",
        "tiny",
    )
    assert {(metric.stage, metric.clock_ns) for metric in report.metrics} == {(Stage.ROUTED, 5.0)}
    lut = report.metrics.get("lut")
    assert lut is not None
    assert lut.source == "tiny_export.rpt:11"
    assert EXPORT.splitlines()[10] == "LUT:            345"


def test_an_export_that_was_only_synthesized(tmp_path: Path) -> None:
    text = EXPORT.replace("Post-Implementation", "Post-Synthesis").replace("Timing met", "Timing not met")
    text = text.replace("CP achieved post-implementation: 4.000\n", "").replace("3.105", "8.000")
    report = read(tmp_path, text)
    assert told(report.metrics)["wns_ns"] == (-3.0, "timing not met")
    assert told(report.metrics)["fmax_mhz"] == (125.0, "timing not met")
    assert {metric.stage for metric in report.metrics} == {Stage.SYNTH}


def test_exports_of_older_releases_know_no_uram(tmp_path: Path) -> None:
    lines = [line for line in EXPORT.splitlines() if line and not line.startswith(("URAM", "LATCH", "CLB"))]
    report = read(tmp_path, "\n".join(lines) + "\n")
    assert "uram" not in told(report.metrics)
    assert told(report.metrics)["bram"] == (5, "")


def test_an_export_without_paths_has_no_clock(tmp_path: Path) -> None:
    found = told(read(tmp_path, EXPORT.replace("4.000", "NA").replace("Timing met", "No Sequential Path")).metrics)
    assert found["wns_ns"] == found["fmax_mhz"] == (None, "no path was timed: no sequential path")
    assert found["lut"] == (345, "")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("LUT:            345\n", "", "has no line of LUT"),
        ("FF:             234", "FF:             23x", "'23x' stands where a number is due"),
        ("post-implementation: 4.000", "post-implementation: fast", "'fast' stands where a clock period is due"),
        ("Timing met\n", "", "has no word on whether timing is met"),
        ("#=== Post-Implementation", "#=== After", "has no heading of the resources"),
    ],
)
def test_damaged_exports(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in EXPORT
    with pytest.raises(DataError, match=message):
        read(tmp_path, EXPORT.replace(old, new))


def test_the_fitter_of_a_family_with_blocks_of_10_kb(tmp_path: Path) -> None:
    report = read(tmp_path, FIT, "tiny.fit.rpt")
    assert told(report.metrics) == {"alm": (1234, ""), "ff": (2345, ""), "dsp": (7, ""), "m10k": (5, "")}
    assert (report.tool, report.version, report.part, report.top) == ("Quartus", "21.1.0", "5CSEBA6U23I7", "tiny_top")
    assert report.available == {"alm": 41910, "dsp": 112, "m10k": 553}
    assert {metric.stage for metric in report.metrics} == {Stage.ROUTED}


def test_the_fitter_of_a_family_with_blocks_of_20_kb_in_the_summary(tmp_path: Path) -> None:
    text = FIT.replace("; Cyclone V  ", "; Arria 10   ")
    text = text.replace(
        "Total DSP Blocks                ; 7 / 112 ( 6 % ) ", "Total RAM Blocks                ; 9 / 2,131 ( < 1 % )"
    )
    with pytest.raises(DataError, match="its summary has no 'Total DSP Blocks'"):
        read(tmp_path, text, "tiny.fit.rpt")
    text = (
        FIT.replace("; Cyclone V  ", "; Arria 10   ")
        .replace("Total PLLs      ", "Total RAM Blocks")
        .replace("0 / 6 ", "9 / 99")
    )
    assert told(read(tmp_path, text, "tiny.fit.rpt").metrics)["m20k"] == (9, "")


def test_a_fitter_that_counts_bits_alone(tmp_path: Path) -> None:
    text = FIT.replace("  4. Fitter Resource Usage Summary\n", "")
    text = text[: text.rindex("\n\n+---")] + "\n"
    report = read(tmp_path, text, "tiny.fit.rpt")
    why = "the report says 'N/A, and 40,960 / 5,662,720 ( < 1 % ) bits of block memory'"
    assert told(report.metrics)["m10k"] == (None, why)
    assert told(report.metrics)["alm"] == (1234, "")


def test_a_fitter_that_failed_has_no_figures(tmp_path: Path) -> None:
    text = FIT.replace("; Successful - Mon Jan  1 00:00:00 2024", "; Failed - Mon Jan  1 00:00:00 2024    ")
    why = "the fitter ended with 'Failed - Mon Jan  1 00:00:00 2024'"
    assert told(read(tmp_path, text, "tiny.fit.rpt").metrics) == dict.fromkeys(
        ("alm", "ff", "dsp", "m10k"), (None, why)
    )


def test_a_family_that_counts_in_logic_elements(tmp_path: Path) -> None:
    text = FIT.replace("Logic utilization (in ALMs)", "Total logic elements       ").replace(
        "; Cyclone V  ", "; MAX 10     "
    )
    with pytest.raises(DataError, match="is of the family MAX 10, which does not count in ALMs"):
        read(tmp_path, text, "tiny.fit.rpt")
