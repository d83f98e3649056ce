"""Reports of SmartHLS, written by hand after the structure of real ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from hlsflow.core.metrics import Stage
from hlsflow.report.folders.columns import columns
from hlsflow.toolchains.reports import libero, read_any
from tests.toolchains.reports import damage
from tests.toolchains.reports.test_oneapi import get, layers, values

SMALL = Path(__file__).parent / "smarthls"
SCHEDULE, RESULTS = SMALL / "summary.hls.hlsflow_top.rpt", SMALL / "summary.results.rpt"
READERS = {SCHEDULE.name: libero.read_schedule, RESULTS.name: libero.read_results}


def test_the_schedule_of_the_top_is_that_of_the_design() -> None:
    report = read_any(SCHEDULE, root=SMALL)
    assert values(report.metrics) == {"latency_cycles": 19, "ii": 2}
    assert layers(report) == [("dense_latency", {"latency_cycles": 84, "ii": None})]
    assert report.top == "hlsflow_top"
    assert get(report, "ii").stage is Stage.HLS
    assert get(report, "ii").source == "summary.hls.hlsflow_top.rpt:14"


def test_results_keep_their_stages_apart() -> None:
    report = read_any(RESULTS)
    stages = {metric.name: (metric.stage.value, metric.value) for metric in report.metrics}
    assert stages == {
        "latency_cycles": ("simulated", 21),
        "ii": ("simulated", 2),
        "passed": ("simulated", 1),
        "fmax_mhz": ("routed", 194.363),
        "wns_ns": ("routed", -0.145),
        "lut4": ("routed", 6576),
        "ff": ("routed", 4666),
        "usram": ("routed", 12),
        "lsram": ("routed", 13),
        "dsp": ("routed", 20),
    }
    assert get(report, "latency_cycles").note == "18 to 21 cycles"
    assert get(report, "lut4").note == "5244 of the fabric, 1332 between it and memories and Math blocks"
    assert (report.part, report.top, report.clock_ns) == ("MPF300TS-1FCG1152I", "hlsflow_top", 5.0)
    assert report.available == {"lut4": 299544, "ff": 299544, "usram": 2772, "lsram": 952, "dsp": 924}


def test_its_stages_never_share_a_column() -> None:
    found = columns([read_any(SCHEDULE), read_any(RESULTS)], SCHEDULE.parent)
    assert [column.stage for column in found] == [Stage.HLS, Stage.ROUTED, Stage.SIMULATED]
    assert all(metric.stage is column.stage for column in found for metric in column.metrics)
    assert sum(len(column.metrics.metrics) for column in found) == 12


def test_without_place_and_route_resources_are_of_logic_synthesis(tmp_path: Path) -> None:
    file = damage.copied(RESULTS, tmp_path)
    lines = file.read_text().splitlines()
    start = next(index for index, line in enumerate(lines) if "Clock Domain" in line) - 1
    lines[start : start + 5] = ["N/A. Please run 'Synthesize Hardware to FPGA' to obtain the timing result."]
    file.write_text("\n".join(lines) + "\n")
    report = libero.read_results(file)
    assert get(report, "lut4").stage is Stage.SYNTH
    assert (get(report, "fmax_mhz").value, report.clock_ns) == (None, None)
    assert get(report, "fmax_mhz").note.startswith("N/A. Please run")


def test_cycles_of_all_calls_together_are_no_latency(tmp_path: Path) -> None:
    file = damage.copied(RESULTS, tmp_path)
    lines = file.read_text().splitlines()
    start = next(index for index, line in enumerate(lines) if "Top-Level Name" in line) - 1
    lines[start : start + 6] = ["Number of calls: 16,800", "Cycle latency: 151,200"]
    file.write_text("\n".join(lines) + "\n")
    report = libero.read_results(file)
    assert (get(report, "latency_cycles").value, get(report, "passed").value) == (None, 1)
    assert get(report, "latency_cycles").note == "the report tells 151,200 cycles for all calls together"


@pytest.mark.parametrize(
    ("name", "old"),
    [("fmax_mhz", "194.363 MHz"), ("wns_ns", "-0.145 ns  "), ("usram", "12 "), ("lut4", "5244 + 1332 = 6576")],
)
def test_a_cell_that_tells_nothing_is_missing(tmp_path: Path, name: str, old: str) -> None:
    file = damage.copied(RESULTS, tmp_path)
    text = file.read_text()
    assert f"| {old} " in text
    file.write_text(text.replace(f"| {old} ", f"| {'N/A':{len(old)}} "))
    report = libero.read_results(file)
    assert (get(report, name).value, get(report, name).note) == (None, "the report says 'N/A'")
    assert [one.value for one in report.metrics].count(None) == 1


def test_a_failed_co_simulation_is_told(tmp_path: Path) -> None:
    file = damage.copied(RESULTS, tmp_path)
    file.write_text(file.read_text().replace("co-simulation: PASS", "co-simulation: FAIL"))
    assert get(libero.read_results(file), "passed").value == 0


@pytest.mark.parametrize("name", READERS)
def test_damaged_files_give_an_error_and_no_figure(name: str, tmp_path: Path) -> None:
    damage.assert_no_half_figures(READERS[name], SMALL / name, tmp_path)
    damage.assert_refused(READERS[name], SMALL / name, tmp_path)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        (SCHEDULE.name, "Function: hlsflow_top", "Function: another_top"),
        (SCHEDULE.name, "II = 2", "II = x"),
        (RESULTS.name, "5244 + 1332 = 6576", "5244 + 1332 = 6577"),
        (RESULTS.name, "18 / 21 / 18.02", "21 / 18 / 18.02"),
        (RESULTS.name, "194.363 MHz", "194.363 GHz"),
        (RESULTS.name, "| Math ", "| Meth "),
        (RESULTS.name, "====== 2. Timing Result", "====== 4. Timing Result"),
    ],
)
def test_nonsense_is_refused(name: str, old: str, new: str, tmp_path: Path) -> None:
    damage.assert_refused_when(READERS[name], SMALL / name, tmp_path, old, new)
