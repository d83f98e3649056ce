"""Reports of Vivado: the traps of their formats, one test each."""

from __future__ import annotations

from pathlib import Path

import pytest

from hlsflow.core.errors import DataError
from hlsflow.core.metrics import MetricSet, Stage
from hlsflow.toolchains.reports import Report, read_any
from hlsflow.toolchains.reports.text import read_text
from tests.toolchains.reports.written import HIERARCHY, POWER, REPORTS, TIMING, UTILISATION, UTILISATION_2025


def read(folder: Path, name: str, text: str) -> Report:
    (folder / name).write_text(text)
    return read_any(folder / name)


def values(metrics: MetricSet) -> dict[str, float | None]:
    return {metric.name: metric.value for metric in metrics}


def test_a_tile_of_36_kb_is_two_blocks_of_18(tmp_path: Path) -> None:
    report = read(tmp_path, "vivado_synth.rpt", UTILISATION)
    assert values(report.metrics) == {"lut": 210, "ff": 120, "dsp": 6, "bram": 5}  # two RAMB36 and a RAMB18: 2.5 tiles
    assert report.available == {"lut": 53200, "ff": 106400, "dsp": 220, "bram": 280}
    assert {metric.stage for metric in report.metrics} == {Stage.SYNTH}


def test_a_prohibited_column_and_clb_luts(tmp_path: Path) -> None:
    report = read(tmp_path, "tiny_utilization_placed.rpt", UTILISATION_2025)
    assert values(report.metrics) == {"lut": 198, "ff": 119, "dsp": 5, "bram": 6, "uram": 1}
    assert report.available == {"lut": 1182240, "ff": 2364480, "dsp": 6840, "bram": 4320, "uram": 960}
    assert report.version == "2025.1"


def test_placed_and_synthesized_figures_are_of_other_stages(tmp_path: Path) -> None:
    placed = read(tmp_path, "tiny_utilization_placed.rpt", UTILISATION_2025)
    assert {(metric.stage, metric.note) for metric in placed.metrics} == {
        (Stage.PLACED, "after placement, before routing")
    }
    routed = read(tmp_path, "util.rpt", HIERARCHY)
    assert {(metric.stage, metric.note) for metric in routed.metrics} == {(Stage.ROUTED, "")}


def test_a_hierarchical_report_has_the_instances_in_the_design(tmp_path: Path) -> None:
    report = read(tmp_path, "util.rpt", HIERARCHY)
    assert values(report.metrics) == {"lut": 300, "ff": 200, "dsp": 6, "bram": 5}
    assert {layer.name: values(layer.metrics) for layer in report.layers} == {
        "(tiny)": {"lut": 20, "ff": 30, "dsp": 0, "bram": 0},
        "dense_U0": {"lut": 230, "ff": 150, "dsp": 6, "bram": 5},
        "relu_U0": {"lut": 50, "ff": 20, "dsp": 0, "bram": 0},
    }


def test_a_section_that_the_contents_name_must_be_there(tmp_path: Path) -> None:
    start, end = UTILISATION.index("3. DSP\n------"), UTILISATION.index("4. Black Boxes\n-----")
    with pytest.raises(DataError, match="has no section 'DSP', which its contents name"):
        read(tmp_path, "vivado_synth.rpt", UTILISATION[:start] + UTILISATION[end:])


def test_registers_stand_in_two_tables_after_placement(tmp_path: Path) -> None:
    """The second one, of how slices are filled, tells the same count; another one is a damaged file."""
    table = UTILISATION_2025[UTILISATION_2025.index("+---") : UTILISATION_2025.index("\n\n\n2. BLOCK")]
    again = "".join(line for line in table.splitlines(keepends=True) if "LUTs" not in line)
    both = UTILISATION_2025.replace("2. BLOCKRAM\n3", "2. CLB Logic Distribution\n3. BLOCKRAM\n4")
    both = both.replace("\n\n2. BLOCK", f"\n\n2. CLB Logic Distribution\n-------------\n\n{again}\n\n\n3. BLOCK")
    report = read(tmp_path, "tiny_utilization_placed.rpt", both)
    assert values(report.metrics) == {"lut": 198, "ff": 119, "dsp": 5, "bram": 6, "uram": 1}
    first = both.index("|  119 |")
    with pytest.raises(DataError, match="contradict each other"):
        read(tmp_path, "tiny_utilization_placed.rpt", both[:first] + both[first:].replace("|  119 |", "|  118 |", 1))


def test_timing_not_met_and_the_fastest_clock(tmp_path: Path) -> None:
    report = read(tmp_path, "tiny_timing_summary_routed.rpt", TIMING)
    assert values(report.metrics) == {"wns_ns": -0.25, "whs_ns": 0.027, "fmax_mhz": 190.476}  # 1000 / (5 + 0.25)
    assert {metric.name: metric.note for metric in report.metrics} == {
        "wns_ns": "timing is not met",
        "whs_ns": "timing is not met",
        "fmax_mhz": "of clock ap_clk, timing is not met",
    }
    assert (report.clock_ns, report.part) == (5, "7z020-clg400-1")
    assert {(metric.stage, metric.clock_ns) for metric in report.metrics} == {(Stage.ROUTED, 5)}


def test_timing_met(tmp_path: Path) -> None:
    text = TIMING.replace("Timing constraints are not met.", "All user specified timing constraints are met.")
    report = read(
        tmp_path, "tiny_timing_summary_routed.rpt", text.replace("-0.250", " 1.000").replace("-1.500", " 0.000")
    )
    assert values(report.metrics)["fmax_mhz"] == 250
    assert {metric.note for metric in report.metrics} == {"timing is met", "of clock ap_clk, timing is met"}


def test_timing_of_a_path_between_clocks_has_no_fastest_clock(tmp_path: Path) -> None:
    report = read(tmp_path, "tiny_timing_summary_routed.rpt", TIMING.replace("     -0.250   ", "     -0.750   ", 1))
    assert values(report.metrics) == {"wns_ns": -0.75, "whs_ns": 0.027, "fmax_mhz": None}
    assert report.clock_ns is None


def test_timing_without_constraints_is_missing(tmp_path: Path) -> None:
    text = TIMING.replace("     -0.250", "         NA").replace("        0.027", "           NA")
    report = read(tmp_path, "tiny_timing_summary_routed.rpt", text)
    assert values(report.metrics) == {"wns_ns": None, "whs_ns": None, "fmax_mhz": None}


@pytest.mark.parametrize(
    ("name", "stage", "note"),
    [
        ("synth_out/timing_routed.rpt", Stage.ROUTED, "timing is not met"),
        ("timing_synth.rpt", Stage.SYNTH, "timing is not met"),
        ("timing_placed.rpt", Stage.PLACED, "timing is not met, after placement, before routing"),
        ("timing.rpt", Stage.ROUTED, "timing is not met, the report does not tell whether the design is routed"),
    ],
)
def test_timing_reports_tell_by_their_name_alone_how_far_the_design_is(
    tmp_path: Path, name: str, stage: Stage, note: str
) -> None:
    wns = read(tmp_path, "timing.rpt", TIMING.replace("tiny_timing_summary_routed.rpt", name)).metrics.get("wns_ns")
    assert wns is not None
    assert (wns.stage, wns.note) == (stage, note)


def with_state(text: str, state: str) -> str:
    """A report that tells how far the design is."""
    return text.replace("| Design       : tiny\n", f"| Design       : tiny\n| Design State : {state}\n")


@pytest.mark.parametrize(
    ("state", "stage", "note"),
    [
        ("Physopt postPlace", Stage.PLACED, "after placement, before routing"),
        ("Placed", Stage.PLACED, "after placement, before routing"),
        ("Fully Placed", Stage.PLACED, "after placement, before routing"),
        ("Partially Placed", Stage.PLACED, "after placement, before routing"),
        ("Physopt postRoute", Stage.ROUTED, ""),
        ("Routed", Stage.ROUTED, ""),
        ("Fully Routed", Stage.ROUTED, ""),
        ("Partially Routed", Stage.ROUTED, "the design is partially routed"),
        ("Synthesized", Stage.SYNTH, ""),
        ("Optimized", Stage.SYNTH, ""),
    ],
)
def test_the_state_of_a_design_is_its_stage(tmp_path: Path, state: str, stage: Stage, note: str) -> None:
    """Whatever the file is called."""
    for name in ("timing.rpt", "timing_routed.rpt", "timing_placed.rpt", "timing_synth.rpt"):
        text = with_state(TIMING.replace("tiny_timing_summary_routed.rpt", name), state)
        wns = read(tmp_path, name, text).metrics.get("wns_ns")
        assert wns is not None
        assert (wns.stage, wns.note) == (stage, ", ".join(part for part in ("timing is not met", note) if part))


@pytest.mark.parametrize(
    ("name", "stage", "note"),
    [
        ("a_postroute.rpt", Stage.ROUTED, ""),
        ("a_placed.rpt", Stage.PLACED, "after placement, before routing"),
        ("a.rpt", Stage.ROUTED, "the report does not tell whether the design is routed"),
    ],
)
def test_a_state_that_says_nothing_leaves_it_to_the_name(tmp_path: Path, name: str, stage: Stage, note: str) -> None:
    text = UTILISATION.replace("vivado_synth.rpt", name).replace(": Synthesized", ": Unknown")
    lut = read(tmp_path, "tiny_utilization.rpt", text).metrics.get("lut")
    assert lut is not None
    assert (lut.stage, lut.note) == (stage, note)


def unclocked(cell: str) -> str:
    """A timing report of a design without clocks: their tables hold nothing, not even heads."""
    text = TIMING.replace("-0.250", f"{cell:>6}").replace(" 0.027", f"{cell:>6}")
    text = text.replace("Timing constraints are not met.", "There are no user specified timing constraints.")
    for head in ("Clock   Waveform", "Clock             WNS"):
        start = text.index(head)
        text = text[:start] + "\n" + text[text.index("-" * 96, start) :]
    return text


@pytest.mark.parametrize("cell", ["NA", "inf"])
def test_timing_without_clocks_is_missing(tmp_path: Path, cell: str) -> None:
    report = read(tmp_path, "tiny_timing_summary_routed.rpt", unclocked(cell))
    assert {metric.name: (metric.value, metric.note) for metric in report.metrics} == dict.fromkeys(
        ("wns_ns", "whs_ns", "fmax_mhz"), (None, "no path is constrained")
    )
    assert (report.clock_ns, report.metrics.metrics[0].stage) == (None, Stage.ROUTED)


def test_timing_without_clocks_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    text = unclocked("NA")
    with pytest.raises(DataError, match="has no table 'Inter Clock Table': it ends early"):
        read(tmp_path, "timing_routed.rpt", text[: text.index("| Inter")])


def test_tables_of_clocks_are_due_where_a_clock_is_constrained(tmp_path: Path) -> None:
    text = unclocked("NA").replace("There are no user", "There are some user")
    with pytest.raises(DataError, match="the table 'Intra Clock Table' has no line of dashes"):
        read(tmp_path, "timing_routed.rpt", text)
    with pytest.raises(DataError, match=r"the table has no column 'Period\(ns\)'"):
        read(tmp_path, "timing_routed.rpt", TIMING.replace("Period(ns)", "Period    "))


def test_black_boxes_leave_no_count_of_the_design(tmp_path: Path) -> None:
    """A block design: its IP blocks are synthesized apart, so the report of the top counts next to nothing."""
    edge = "+----------+------+\n"
    for boxes in (["ip_0"], ["ip_0", "dma_1"]):
        rows = "".join(f"| {name:8} |    1 |\n" for name in boxes)
        text = UTILISATION.replace(f"| Ref Name | Used |\n{edge}", f"| Ref Name | Used |\n{edge}{rows}{edge}")
        metrics = read(tmp_path, "vivado_synth.rpt", text).metrics
        without = f"without the black boxes in the design: {', '.join(boxes)}"
        assert {metric.name: (metric.value, metric.note) for metric in metrics} == {
            "lut": (None, f"the report counts 210 LUT, {without}"),
            "ff": (None, f"the report counts 120 FF, {without}"),
            "dsp": (None, f"the report counts 6 DSP, {without}"),
            "bram": (None, f"the report counts 5 BRAM, {without}"),
        }


def dies(rows: list[tuple[str, str, str]]) -> str:
    """A utilisation report of a device of several dies, with the connections between them."""
    edge = "+----------+------------+-------+\n"
    cells = "".join(f"| {a:8} | {b:>10} | {c:>5} |\n" for a, b, c in [("", "Total SLLs", "BUFGs"), *rows])
    head, body = cells[: len(edge)], cells[len(edge) :]
    table = f"5. SLR Connectivity\n-------------------\n\n{edge}{head}{edge}{body}{edge}\n"
    return UTILISATION.replace("4. Black Boxes\n\n", "4. Black Boxes\n5. SLR Connectivity\n\n") + table


@pytest.mark.parametrize(
    "rows",
    [
        [("SLR1", "", "0"), ("||||||->", "7", ""), ("SLR0", "", "0")],
        [("||||||->", "7", "")],
        [("SLR2", "", "0"), ("|||||||", "|||", ""), ("SLR1", "", "0"), ("|||->", "9", "|"), ("SLR0", "", "0")],
    ],
)
def test_cells_between_the_dies_of_a_device_hold_pipes(tmp_path: Path, rows: list[tuple[str, str, str]]) -> None:
    text = dies(rows)
    assert values(read(tmp_path, "vivado_synth.rpt", text).metrics) == {"lut": 210, "ff": 120, "dsp": 6, "bram": 5}
    boxes = list(read_text(tmp_path / "vivado_synth.rpt", "report").boxes())
    assert [tuple(cell.strip() for cell in row.cells) for row in boxes[-1].rows] == rows


def test_a_table_with_an_edge_out_of_place_is_refused(tmp_path: Path) -> None:
    text = UTILISATION.replace("| Slice LUTs*           |  210 |", "| Slice LUTs*           | 210 | ")
    with pytest.raises(DataError, match="the columns of the table do not stand below their names"):
        read(tmp_path, "vivado_synth.rpt", text)


@pytest.mark.parametrize(
    ("device", "speed", "part"),
    [
        ("7z020-clg400", "-1  PRODUCTION 1.11 2014-09-11", "7z020-clg400-1"),
        ("7z020clg400-1", "-1", "7z020clg400-1"),
        ("xcvu9p-flga2104-2-e", "-2", "xcvu9p-flga2104-2-e"),
        ("xcu250-figd2104-2L-e", "-2L  PRODUCTION 1.25", "xcu250-figd2104-2L-e"),
        ("xcvu13p-flga2577", "-2  PRODUCTION 1.27", "xcvu13p-flga2577-2"),
        ("xcvc1902-vsva2197-2MP-e-S", "-2MP", "xcvc1902-vsva2197-2MP-e-S"),
    ],
)
def test_the_speed_grade_of_a_part_stands_once(tmp_path: Path, device: str, speed: str, part: str) -> None:
    text = TIMING.replace("7z020-clg400", device).replace("-1  PRODUCTION 1.11 2014-09-11", speed)
    assert read(tmp_path, "timing.rpt", text).part == part


def test_messages_hold_no_patterns(tmp_path: Path) -> None:
    """What is lacking stands in words."""
    for name, content in REPORTS.items():
        lines = content.splitlines(keepends=True)
        for end in range(1, len(lines)):
            try:
                read(tmp_path, name, "".join(lines[:end]))
            except DataError as error:
                said = error.message.replace(str(tmp_path), "")
                assert not set("^\\$?") & set(said), said


def test_clocks_with_long_and_indented_names(tmp_path: Path) -> None:
    text = TIMING.replace("ap_clk  {", "      clk_out1_design_1_clk_wiz_0_0  {").replace(
        "ap_clk             -0.250", "      clk_out1_design_1_clk_wiz_0_0  -0.250"
    )
    heads = text.replace("Clock   Waveform", "Clock                                Waveform")
    heads = heads.replace("-----   --------", "-----                                --------")
    heads = heads.replace("Clock             WNS", "Clock                                WNS")
    heads = heads.replace("-----             ---", "-----                                ---")
    heads = heads.replace("slow    {", "slow                                 {")
    heads = heads.replace("slow                4.125", "slow                                4.125")
    report = read(tmp_path, "timing_routed.rpt", heads)
    fmax = report.metrics.get("fmax_mhz")
    assert fmax is not None
    assert (fmax.value, fmax.note) == (190.476, "of clock clk_out1_design_1_clk_wiz_0_0, timing is not met")


def test_power_has_its_confidence_and_its_instances(tmp_path: Path) -> None:
    report = read(tmp_path, "tiny_power_routed.rpt", POWER)
    assert values(report.metrics) == {"power_w": 1.75, "power_dynamic_w": 1.6, "power_static_w": 0.15}
    assert {metric.note for metric in report.metrics} == {"confidence: low; design routed"}
    assert {layer.name: values(layer.metrics) for layer in report.layers} == {
        "dense_U0": {"power_dynamic_w": 1.2},
        "relu_U0": {"power_dynamic_w": 0.1},
    }


def test_power_with_a_remark_behind_the_figure(tmp_path: Path) -> None:
    row = "| Total On-Chip Power (W)  | 1.750        |"
    hot = "| Total On-Chip Power (W)  | 91.750 (hot) |"
    assert values(read(tmp_path, "tiny_power_routed.rpt", POWER.replace(row, hot)).metrics)["power_w"] == 91.75


def test_power_that_is_too_small_to_be_told_is_missing(tmp_path: Path) -> None:
    text = POWER.replace("|   relu_U0    |     0.100 |", "|   relu_U0    |    <0.001 |")
    relu = read(tmp_path, "tiny_power_routed.rpt", text).layers[1].metrics.get("power_dynamic_w")
    assert relu is not None
    assert (relu.value, relu.note) == (None, "less than 0.001 W; confidence: low; design routed")
