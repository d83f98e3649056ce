"""Reports of Catapult, written by hand after the structure of real ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from hlsflow.core.metrics import Stage
from hlsflow.toolchains.reports import catapult, read_any
from tests.toolchains.reports import damage
from tests.toolchains.reports.test_oneapi import get, layers, values

SMALL = Path(__file__).parent / "catapult"


def test_figures_of_the_design_and_of_its_processes() -> None:
    report = read_any(SMALL / "rtl.rpt", root=SMALL)
    assert values(report.metrics) == {
        "latency_cycles": 7,
        "ii": 2,
        "area_score": 3088.5,
        "lut": 456,
        "clock_estimate_ns": 3.124,
        "wns_ns": 1.876,
    }
    assert layers(report) == [
        ("/hlsflow_top/nnet::dense/run", {"latency_cycles": 5, "ii": 2}),
        ("/hlsflow_top/nnet::relu/run", {"latency_cycles": 1, "ii": 1}),
    ]
    assert (report.tool, report.version, report.part) == ("Catapult", "2024.1_1", "Xilinx-KINTEX-u-2")
    assert (report.top, report.clock_ns) == ("hlsflow_top", 5.0)
    assert {metric.stage for metric in report.metrics} == {Stage.HLS}
    assert get(report, "latency_cycles").source == "rtl.rpt:15"
    assert get(report, "lut").source == "rtl.rpt:24"


def test_without_the_cycle_report_no_clock_is_known(tmp_path: Path) -> None:
    file = damage.copied(SMALL / "rtl.rpt", tmp_path)
    (tmp_path / "cycle.rpt").unlink()
    assert catapult.read(file).clock_ns is None


def test_a_latency_that_depends_on_the_data_is_no_figure(tmp_path: Path) -> None:
    file = damage.copied(SMALL / "rtl.rpt", tmp_path)
    file.write_text(file.read_text().replace("                    120       7", "                    120       ?"))
    latency = get(catapult.read(file), "latency_cycles")
    assert (latency.value, latency.note) == (None, "the report says '?': it depends on the data")


def test_a_library_that_does_not_count_in_look_up_tables_gives_none(tmp_path: Path) -> None:
    file = damage.copied(SMALL / "rtl.rpt", tmp_path)
    file.write_text(file.read_text().replace("Area(LUTs)", "Area(gate)").replace("mgc_Xilinx", "nangate"))
    assert "lut" not in values(catapult.read(file).metrics)


def test_damaged_files_give_an_error_and_no_figure(tmp_path: Path) -> None:
    damage.assert_no_half_figures(catapult.read, SMALL / "rtl.rpt", tmp_path)
    damage.assert_refused(catapult.read, SMALL / "rtl.rpt", tmp_path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Design Total:", "Design Sum:  "),
        ("    112       5", "    112      -5"),
        ("Throughput", "Slowness  "),
        ("Slack:      1.876", "Slack:      met"),
        ("456.000", "456,000"),
        ("Total Area Score:", "Some Area Score: "),
    ],
)
def test_nonsense_is_refused(old: str, new: str, tmp_path: Path) -> None:
    damage.assert_refused_when(catapult.read, SMALL / "rtl.rpt", tmp_path, old, new)
