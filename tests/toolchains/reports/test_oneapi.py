"""oneAPI reports: every figure of the real ones, and of small ones after their structure."""

from __future__ import annotations

from pathlib import Path

import pytest

from hlsflow.core.errors import DataError
from hlsflow.core.metrics import Metric, MetricSet, Stage
from hlsflow.toolchains.reports import Report, oneapi, read_any
from tests.toolchains.reports import damage

SMALL = Path(__file__).parent / "oneapi"
READERS = {"summary": oneapi.read_summary, "loop_attr": oneapi.read_loops, "quartus": oneapi.read_fit}


def values(metrics: MetricSet) -> dict[str, float | None]:
    return {metric.name: metric.value for metric in metrics}


def layers(report: Report) -> list[tuple[str, dict[str, float | None]]]:
    return [(layer.name, values(layer.metrics)) for layer in report.layers]


def get(report: Report, name: str) -> Metric:
    found = report.metrics.get(name)
    assert found is not None
    return found


def blocks(alut: float, ff: float, m20k: float, dsp: float, mlab: float) -> dict[str, float | None]:
    return {"alut": alut, "ff": ff, "m20k": m20k, "dsp": dsp, "mlab": mlab}


def test_the_real_summary(shared: Path) -> None:
    root = shared / "reports"
    report = read_any(root / "oneapi" / "summary.ndjson", root=root)
    assert values(report.metrics) == blocks(2462, 7938, 77, 40, 92)
    assert report.available == blocks(974400, 1948800, 7110, 4510, 24360)
    assert layers(report) == [
        ("relu_config3>()", blocks(168, 162, 4, 0, 4)),
        ("bias_t)", blocks(2134, 4436, 71, 40, 87)),
        ("Myproject", blocks(95, 82, 2, 0, 1)),
        ("Pipe resources", blocks(65, 3258, 0, 0, 0)),
    ]
    assert (report.top, report.part, report.version, report.clock_ns) == ("Myproject", "unknown", "unknown", None)
    assert {metric.source for metric in report.metrics} == {"oneapi/summary.ndjson:11"}
    assert {metric.stage for metric in report.metrics} == {Stage.HLS}
    assert get(report, "dsp").note == "0 whole blocks and 80 fractional DSPs, 2 to a block"


def test_the_real_loops(shared: Path) -> None:
    root = shared / "reports"
    report = read_any(root / "oneapi" / "loop_attr.ndjson", root=root)
    clocks = {"fmax_mhz": 480.0}
    block = [
        (name, clocks | {"ii": 1.0, "latency_cycles": latency})
        for name, latency in (
            ("Myproject.B0", 17.0),
            ("Myproject.B1", 176.0),
            ("relu_config3>().B0", 17.0),
            ("relu_config3>().B1", 159.0),
            ("bias_t).B0", 17.0),
            ("bias_t).B1", 200.0),
        )
    ]
    assert layers(report) == [("Myproject", clocks), ("relu_config3>()", clocks), ("bias_t)", clocks), *block]
    assert values(report.metrics) == {"fmax_mhz": 480.0, "ii": 1.0, "latency_cycles": None}
    assert "the longest one takes 200 cycles" in get(report, "latency_cycles").note
    assert get(report, "latency_cycles").source == "oneapi/loop_attr.ndjson:10"


def test_the_real_fit(shared: Path) -> None:
    root = shared / "reports"
    report = read_any(root / "oneapi" / "quartus.ndjson", root=root)
    whole = {"fmax_mhz": 597.73, "alm": 4520.5, "alut": 4182, "ff": 16419, "dsp": 40, "m20k": 36, "mlab": 52}
    assert values(report.metrics) == whole
    kernel = {"alm": 4520.0, "alut": 4181, "ff": 16419, "dsp": 40, "m20k": 36, "mlab": 52}
    assert layers(report) == [("Myproject", kernel)]
    assert {metric.stage for metric in report.metrics} == {Stage.ROUTED}
    assert (report.tool, report.top) == ("Quartus", "Myproject")


def test_version_part_and_clock_come_from_the_file_beside() -> None:
    report = oneapi.read_summary(SMALL / "summary.ndjson", root=SMALL.parent)
    assert (report.version, report.part, report.clock_ns) == ("2024.0.0.1", "AGFB014R24A3E3V", 4.0)
    assert values(report.metrics) == blocks(360, 600, 7, 4, 4)
    alut = get(report, "alut")
    assert (alut.clock_ns, alut.source, alut.target) == (4.0, "oneapi/summary.ndjson:9", "AGFB014R24A3E3V")
    assert oneapi.read_fit(SMALL / "quartus.ndjson").version == "23.4.0 Build 79"


def test_a_block_without_an_ii_is_said_to_have_none() -> None:
    report = oneapi.read_loops(SMALL / "loop_attr.ndjson")
    assert values(report.metrics) == {"fmax_mhz": 240.0, "ii": 4.0, "latency_cycles": None}
    entry = next(layer for layer in report.layers if layer.name == "HlsflowTop.B0").metrics.get("ii")
    assert entry is not None
    assert (entry.value, entry.note) == (None, "the report says 'n/a'")


def test_loops_within_loops_are_blocks_too_and_unrolled_ones_none() -> None:
    found = layers(oneapi.read_loops(SMALL / "loop_attr.ndjson"))
    assert "Fully unrolled loop" not in [name for name, _ in found]
    assert found[-1] == ("dense.B2", {"fmax_mhz": 245, "ii": 2, "latency_cycles": 12})


def test_a_fit_that_was_not_run_gives_no_figure(tmp_path: Path) -> None:
    file = damage.copied(SMALL / "quartus.ndjson", tmp_path)
    file.write_text('{"quartusFitClockSummary":{"name":"Quartus Fit Summary","children":[{"name":"Run Quartus"}]}}\n')
    report = oneapi.read_fit(file)
    assert [metric.value for metric in report.metrics] == [None] * 7
    assert {metric.note for metric in report.metrics} == {"Quartus has not compiled the design yet"}


def test_blocks_of_ram_are_those_of_the_family(tmp_path: Path) -> None:
    file = damage.copied(SMALL / "summary.ndjson", tmp_path)
    info = tmp_path / "info.ndjson"
    for family, name in (("MAX 10", "m9k"), ("Cyclone V", "m10k"), ("Cyclone 10 GX", "m20k")):
        info.write_text((SMALL / "info.ndjson").read_text().replace("Agilex 7", family))
        assert name in values(oneapi.read_summary(file).metrics)


def test_two_records_of_one_id_are_refused(tmp_path: Path) -> None:
    """No record is missing, and each stands in one place: nothing but the ids is wrong."""
    file = damage.copied(SMALL / "loop_attr.ndjson", tmp_path)
    for twin in ('{"name":"dense.B9","id":6,"af":"99.00","ii":"9","lt":"9.0","type":"loop"}', '{"name":"x","id":20}'):
        file.write_text((SMALL / "loop_attr.ndjson").read_text().rstrip("\n") + f"\n{twin}\n")
        with pytest.raises(DataError, match="two records have the same id: reports are mixed up"):
            oneapi.read_loops(file)


@pytest.mark.parametrize("name", READERS)
def test_damaged_files_give_an_error_and_no_figure(name: str, tmp_path: Path) -> None:
    damage.assert_no_half_figures(READERS[name], SMALL / f"{name}.ndjson", tmp_path)
    damage.assert_refused(READERS[name], SMALL / f"{name}.ndjson", tmp_path)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("summary", "[360,600,", "[360,"),
        ("summary", "[360,", "[-360,"),
        ("summary", "[360,", '["many",'),
        ("summary", "[360,", "[1e999,"),
        ("summary", "[360,", "[NaN,"),
        ("summary", '"dsp_packing_factor":2', '"dsp_packing_factor":0'),
        ("summary", '"FFs  "', '"Flip-flops"'),
        ("loop_attr", '"nodes":[1,2]', '"nodes":[1,7]'),
        ("loop_attr", '"lt":"31.000000"', '"lt":"long"'),
        ("loop_attr", '"children":[6,7]', '"children":[6,5]'),
        ("loop_attr", '"id":5,', '"id":4,'),
        ("quartus", '"alm":"301.5"', '"alm":"3.0.1"'),
        ("quartus", '"quartusFitResourceUsageSummary":{', '"other":{'),
    ],
)
def test_nonsense_is_refused(name: str, old: str, new: str, tmp_path: Path) -> None:
    damage.assert_refused_when(READERS[name], SMALL / f"{name}.ndjson", tmp_path, old, new)
