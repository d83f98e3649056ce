"""Reports of the Intel HLS compiler, written by hand after the structure of real ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hlsflow.core.metrics import Stage
from hlsflow.toolchains.reports import quartus, read_any
from tests.toolchains.reports import damage
from tests.toolchains.reports.test_oneapi import get, layers, values

SMALL = Path(__file__).parent / "quartus"
READERS = {
    "report_data": quartus.read_estimates,
    "verification_data": quartus.read_simulation,
    "quartus_data": quartus.read_fit,
}


def test_estimates() -> None:
    report = read_any(SMALL / "report_data.js", root=SMALL)
    figures = {"alut": 1280, "ff": 2410, "m20k": 9, "dsp": 6.5, "mlab": 14}
    assert values(report.metrics) == figures
    assert layers(report) == [("hlsflow_top", figures)]
    assert report.available == {"alut": 854400, "ff": 1708800, "m20k": 2713, "dsp": 1518, "mlab": 21360}
    assert (report.tool, report.version, report.part) == ("Intel HLS", "21.2.0 Build 72", "10AX115U1F45I1SG")
    assert {(metric.stage, metric.source) for metric in report.metrics} == {(Stage.HLS, "report_data.js:10")}


def test_simulated_latency_is_the_largest_and_the_range_is_told() -> None:
    report = read_any(SMALL / "verification_data.js")
    assert values(report.metrics) == {"latency_cycles": 24, "ii": 2}
    assert get(report, "latency_cycles").note == "21 to 24 cycles in 10 invocations"
    assert get(report, "latency_cycles").stage is Stage.SIMULATED
    assert (report.top, report.version) == ("hlsflow_top", "21.2.0 Build 72")


def test_one_invocation_has_no_interval_and_no_simulation_no_figure(tmp_path: Path) -> None:
    file = damage.copied(SMALL / "verification_data.js", tmp_path)
    file.write_text(file.read_text().replace("['10', '21,24,22', '2,2,2']", "['1', '54,54,54', 'n/a,n/a,n/a']"))
    report = quartus.read_simulation(file)
    assert values(report.metrics) == {"latency_cycles": 54, "ii": None}
    assert get(report, "ii").note == "the report says 'n/a,n/a,n/a' for 1 invocations"
    file.write_text("var verifJSON={};\n")
    report = quartus.read_simulation(file)
    assert values(report.metrics) == {"latency_cycles": None, "ii": None}
    assert get(report, "ii").note == "the design has not been simulated yet"


def test_the_fit() -> None:
    report = read_any(SMALL / "quartus_data.js")
    assert values(report.metrics) == {
        "fmax_mhz": 273.15, "alm": 801.3, "ff": 2301, "dsp": 7, "m20k": 9, "mlab": 12
    }  # fmt: skip
    assert {metric.stage for metric in report.metrics} == {Stage.ROUTED}
    assert (report.tool, report.top, report.part) == ("Quartus", "hlsflow_top", "10AX115U1F45I1SG")


def test_a_fit_that_was_not_run_gives_no_figure(tmp_path: Path) -> None:
    file = damage.copied(SMALL / "quartus_data.js", tmp_path)
    nodes = '{"nodes":[{"name":"TBD","clock":"TBD"}]}'
    usage = '{"nodes":[{"name":"hlsflow_top","alm":"TBD","reg":"TBD","dsp":"TBD","ram":"TBD","mlab":"TBD"}]}'
    file.write_text(f'var quartusJSON={{"quartusFitClockSummary":{nodes},"quartusFitResourceUsageSummary":{usage}}};\n')
    assert [metric.value for metric in quartus.read_fit(file).metrics] == [None] * 6


def test_releases_that_assign_texts_are_read_too(tmp_path: Path) -> None:
    """As 18.1 writes it: JSON in single quotes, four columns, and a part with blocks of RAM of 9 Kb."""
    rows = [
        {"name": "Target Family, Device", "data": ["MAX 10, 10M50DAF672I7G"]},
        {"name": "i++ Version", "data": ["18.1.0 Build 625"]},
    ]
    area = {
        "columns": ["", "ALUTs", "FFs", "RAMs", "DSPs", "Details"],
        "total": [39, 30, 12, 8],
        "max_resources": [37036, 50000, 182, 144],
        "children": [{"name": "top", "total_kernel_resources": [39, 30, 12, 7.5], "details": "a 'b'"}],
    }
    texts = {
        name: json.dumps(value).replace("\\", "\\\\").replace("'", "\\'")
        for name, value in (("areaJSON", area), ("infoJSON", {"rows": rows}))
    }
    file = tmp_path / "report_data.js"
    file.write_text("\n".join(f"var {name}='{text}';" for name, text in texts.items()))
    report = quartus.read_estimates(file)
    assert values(report.metrics) == {"alut": 39, "ff": 30, "m9k": 12, "dsp": 8}
    assert layers(report) == [("top", {"alut": 39, "ff": 30, "m9k": 12, "dsp": 7.5})]
    assert (report.version, report.part) == ("18.1.0 Build 625", "10M50DAF672I7G")


@pytest.mark.parametrize("name", READERS)
def test_damaged_files_give_an_error_and_no_figure(name: str, tmp_path: Path) -> None:
    damage.assert_no_half_figures(READERS[name], SMALL / f"{name}.js", tmp_path)
    damage.assert_refused(READERS[name], SMALL / f"{name}.js", tmp_path)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("report_data", '"total":[1280, 2410, 9, 6.5, 14]', '"total":[1280, 2410]'),
        ("report_data", '"total":[1280', '"total":[-1280'),
        ("report_data", "areaJSON", "areaJSON_"),
        ("report_data", '"columns":', '"names":'),
        ("verification_data", "'21,24,22'", "'21,24'"),
        ("verification_data", "'21,24,22'", "'24,21,22'"),
        ("verification_data", '"functions"', '"others"'),
        ("quartus_data", '"alm":"801.3"', '"alm":"801.3 ALM"'),
    ],
)
def test_nonsense_is_refused(name: str, old: str, new: str, tmp_path: Path) -> None:
    damage.assert_refused_when(READERS[name], SMALL / f"{name}.js", tmp_path, old, new)
