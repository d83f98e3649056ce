"""csynth reports: the traps of their formats, one test each."""

from __future__ import annotations

from pathlib import Path

import pytest

from hlsflow.core.errors import DataError
from hlsflow.core.metrics import MetricSet, Stage
from hlsflow.toolchains.reports import Report, csynth_rpt, csynth_xml
from hlsflow.toolchains.reports.figures import nanoseconds
from tests.toolchains.reports.written import CSYNTH_RPT, CSYNTH_SUMMARY, CSYNTH_XML

OLD_TIMING = """+ Timing (ns): 
    * Summary: 
    +--------+-------+----------+------------+
    |  Clock | Target| Estimated| Uncertainty|
    +--------+-------+----------+------------+
    |ap_clk  |   5.00|     4.125|        0.62|
    +--------+-------+----------+------------+

+ Latency (clock cycles): 
    * Summary: 
    +-----+-----+-----+-----+----------+
    |  Latency  |  Interval | Pipeline |
    | min | max | min | max |   Type   |
    +-----+-----+-----+-----+----------+
    |  100|  240|   40|   40| dataflow |
    +-----+-----+-----+-----+----------+

"""


def read(folder: Path, text: str, suffix: str = "xml") -> Report:
    file = folder / f"tiny_csynth.{suffix}"
    file.write_text(text)
    return (csynth_xml if suffix == "xml" else csynth_rpt).read(file)


def values(metrics: MetricSet) -> dict[str, float | None]:
    return {metric.name: metric.value for metric in metrics}


def notes(metrics: MetricSet) -> dict[str, str]:
    return {metric.name: metric.note for metric in metrics if metric.note}


def test_xml_gives_the_worst_case_with_the_line_it_stands_on(tmp_path: Path) -> None:
    report = read(tmp_path, CSYNTH_XML)
    assert values(report.metrics) == {
        "lut": 678,
        "ff": 345,
        "dsp": 12,
        "bram": 4,
        "uram": 2,
        "latency_cycles": 24,
        "latency_ns": 120,
        "ii": 8,
        "clock_estimate_ns": 3.214,
    }
    assert notes(report.metrics) == {
        "latency_cycles": "20 to 24 cycles, depending on the data",
        "latency_ns": "0.100 us to 0.120 us, depending on the data",
    }
    lut = report.metrics.get("lut")
    assert lut is not None
    assert (lut.source, lut.clock_ns, lut.stage) == ("tiny_csynth.xml:33", 5.0, Stage.HLS)
    assert CSYNTH_XML.splitlines()[32] == "<LUT>678</LUT>"


def test_sources_are_relative_to_the_root(tmp_path: Path) -> None:
    (tmp_path / "prj").mkdir()
    file = tmp_path / "prj" / "tiny_csynth.xml"
    file.write_text(CSYNTH_XML)
    report = csynth_xml.read(file, root=tmp_path)
    assert {metric.source.rsplit(":", 1)[0] for metric in report.metrics} == {"prj/tiny_csynth.xml"}


def test_dsp_blocks_have_another_tag_in_each_tool(tmp_path: Path) -> None:
    for tag, tool in (("DSP", "Vitis HLS"), ("DSP48E", "Vivado HLS")):
        report = read(tmp_path, CSYNTH_XML.replace("<DSP>", f"<{tag}>").replace("</DSP>", f"</{tag}>"))
        assert report.tool == tool
        assert values(report.metrics)["dsp"] == 12
        assert report.available is not None
        assert report.available["dsp"] == 6840


def test_the_modules_of_an_xml_report_are_its_layers(tmp_path: Path) -> None:
    (layer,) = read(tmp_path, CSYNTH_XML).layers  # the top is no layer of itself
    assert layer.name == "dense_s"
    assert values(layer.metrics) == {"latency_cycles": 9, "lut": 600, "ff": 300, "dsp": 12, "bram": 4}


def test_an_unknown_latency_is_missing_and_never_zero(tmp_path: Path) -> None:
    text = CSYNTH_XML.replace(">20<", ">undef<").replace(">24<", ">undef<").replace("0.120 us", "undef")
    report = read(tmp_path, text)
    assert values(report.metrics)["latency_cycles"] is None
    assert values(report.metrics)["latency_ns"] is None
    assert notes(report.metrics)["latency_cycles"] == "the report says 'undef' to 'undef': it depends on the data"
    text = CSYNTH_RPT.replace(
        "|      100|      240| 0.500 us |  1.200 us |", "|        ?|        ?|     ?    |     ?     |"
    )
    report = read(tmp_path, text, "rpt")
    assert values(report.metrics)["latency_cycles"] is None
    assert notes(report.metrics)["latency_ns"] == "the report says '?' to '?': it depends on the data"


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("50.000 ns", 50),
        ("5.220 us", 5220),
        ("0.425 us", 425),
        ("1.5 ms", 1_500_000),
        ("2 sec", 2_000_000_000),
        ("0 ns", 0),
        ("4.97", 4.97),
        ("3.083e+04", 30830),
        ("4 apples", None),
        ("?", None),
        ("", None),
    ],
)
def test_cells_switch_between_units_of_time(cell: str, expected: float | None) -> None:
    assert nanoseconds(cell) == expected


def test_text_gives_the_same_kind_of_figures_and_those_of_instances_and_loops(tmp_path: Path) -> None:
    report = read(tmp_path, CSYNTH_RPT, "rpt")
    assert (report.tool, report.version, report.part, report.top) == (
        "Vivado HLS",
        "2020.1",
        "xc7z020-clg400-1",
        "tiny",
    )
    assert values(report.metrics) == {
        "lut": 252,
        "ff": 150,
        "dsp": 7,
        "bram": 3,
        "uram": 0,
        "latency_cycles": 240,
        "latency_ns": 1200,
        "ii": 40,
        "clock_estimate_ns": 4.125,
    }
    layers = {layer.name: values(layer.metrics) for layer in report.layers}
    assert list(layers) == ["dense_U0", "relu_U0", "loop Rows", "loop Lanes"]
    assert layers["relu_U0"] == {
        "latency_cycles": 1,
        "latency_ns": 5,
        "ii": 1,
        "lut": 40,
        "ff": 30,
        "dsp": 0,
        "bram": 0,
        "uram": 0,
    }
    assert layers["loop Rows"] == {"latency_cycles": 200}
    assert layers["loop Lanes"] == {"latency_cycles": 16, "ii": 1}


def test_text_of_vitis_hls(tmp_path: Path) -> None:
    text = CSYNTH_RPT.replace("Vivado HLS", "Vitis HLS").replace("2020.1 (", "2024.1 (").replace("DSP48E|", " DSP  |")
    report = read(tmp_path, text, "rpt")
    assert (report.tool, report.version, values(report.metrics)["dsp"]) == ("Vitis HLS", "2024.1", 7)


def test_text_of_2018_has_bare_numbers_and_no_latency_in_ns(tmp_path: Path) -> None:
    before, rest = CSYNTH_RPT.split("+ Timing: ")
    report = read(tmp_path, before.replace("2020.1", "2018.2") + OLD_TIMING + rest[rest.index("    + Detail") :], "rpt")
    found = values(report.metrics)
    assert (report.clock_ns, found["clock_estimate_ns"]) == (5, 4.125)
    assert (found["latency_cycles"], found["ii"], "latency_ns" in found) == (240, 40, False)


def test_instances_and_loops_of_2018_have_no_unit_in_their_heads(tmp_path: Path) -> None:
    text = CSYNTH_RPT.replace("|  Latency (cycles) | Iteration|", "|      Latency      | Iteration|")
    plain = "|      Latency      |  Interval | Pipeline|"
    text = text.replace("|  Latency (cycles) |  Latency (absolute)  |  Interval | Pipeline|", plain)
    text = text.replace(
        "|   min   |   max   |    min   |    max    | min | max |   Type  |",
        "|   min   |   max   | min | max |   Type  |",
    )
    for edge in ("+---------+---------+----------+-----------+-----+-----+---------+",):
        text = text.replace(edge, "+---------+---------+-----+-----+---------+")
    text = text.replace("| 0.200 us |  0.200 us |", "|").replace("| 5.000 ns |  5.000 ns |", "|")
    layers = {layer.name: values(layer.metrics) for layer in read(tmp_path, text, "rpt").layers}
    assert (layers["dense_U0"]["latency_cycles"], layers["dense_U0"]["ii"]) == (40, 40)
    assert layers["loop Rows"] == {"latency_cycles": 200}
    assert layers["loop Lanes"] == {"latency_cycles": 16, "ii": 1}


def test_instances_that_do_not_add_up_are_refused(tmp_path: Path) -> None:
    lines = CSYNTH_RPT.splitlines(keepends=True)
    cut = [line for line in lines if not line.startswith("    |relu_U0   |relu_s   |        0|")]
    with pytest.raises(DataError, match="the instances do not add up to the total of LUT"):
        read(tmp_path, "".join(cut), "rpt")


def test_the_summary_of_vitis_has_modules_and_loops(tmp_path: Path) -> None:
    report = read(tmp_path, CSYNTH_SUMMARY, "rpt")
    assert (report.tool, report.version, report.top, report.clock_ns) == ("Vitis HLS", "2023.2", "tiny", None)
    assert values(report.metrics) == {
        "latency_cycles": 24,
        "ii": 8,
        "lut": 678,
        "ff": 345,
        "dsp": 0,
        "bram": 4,
        "uram": 0,
    }
    dense, rows = report.layers
    assert (dense.name, values(dense.metrics)["lut"]) == ("dense_s", 600)
    assert (rows.name, values(rows.metrics)["latency_cycles"]) == ("loop Rows", None)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("<LUT>678</LUT>", "", "has no AreaEstimates/Resources/LUT"),
        (">12<", ">12.5<", "line 31: '12.5' stands where a count is due"),
        ("<Interval-max>8</Interval-max>", "", "has no PerformanceEstimates/SummaryOfOverallLatency/Interval-max"),
        (">5.00<", ">fast<", "'fast' stands where a clock period is due"),
        (">3.214<", ">?<", r"'\?' stands where a clock period is due"),
        ("<DSP>12</DSP>", "", "has no AreaEstimates/Resources/DSP"),
    ],
)
def test_damaged_xml_names_what_is_wrong(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(tmp_path, CSYNTH_XML.replace(old, new, 1))


def test_figures_are_numbers_and_never_text(tmp_path: Path) -> None:
    for text, suffix in ((CSYNTH_XML, "xml"), (CSYNTH_RPT, "rpt"), (CSYNTH_SUMMARY, "rpt")):
        report = read(tmp_path, text, suffix)
        for metric in (*report.metrics, *(metric for layer in report.layers for metric in layer.metrics)):
            assert metric.value is None or type(metric.value) is float


@pytest.mark.parametrize("release", ["2023.2", "2024.1", "2024.2", "2025.1"])
def test_the_tool_is_the_same_whatever_program_started_it(tmp_path: Path, release: str) -> None:
    """vitis_hls until 2024.1, vitis-run later: one tool, whose releases are told apart."""
    report = read(tmp_path, CSYNTH_XML.replace("<Version>2023.2", f"<Version>{release}"))
    assert (report.tool, report.version) == ("Vitis HLS", release)


def test_loops_whose_names_begin_with_an_o(tmp_path: Path) -> None:
    loop = read(tmp_path, CSYNTH_SUMMARY.replace("o Rows    ", "o outputs "), "rpt").layers[-1]
    assert loop.name == "loop outputs"


def test_the_layout_of_vitis_2024(tmp_path: Path) -> None:
    """Other widths, units right in the cells, and a pipeline type that is a sentence."""
    text = CSYNTH_RPT.replace("Vivado HLS", "Vitis HLS").replace("2020.1 (", "2024.2 (").replace("DSP48E|", "   DSP|")
    text = text.replace("| 5.00 ns | 4.125 ns |   0.62 ns  |", "|  5.00 ns|  4.125 ns|     0.62 ns|")
    text = text.replace("|    ~0  |   ~0  |", "|      ~0|     ~0|").replace("dataflow |", "      no |")
    report = read(tmp_path, text, "rpt")
    assert (report.tool, report.version, report.clock_ns) == ("Vitis HLS", "2024.2", 5)
    assert values(report.metrics) == values(read(tmp_path, CSYNTH_RPT, "rpt").metrics)
