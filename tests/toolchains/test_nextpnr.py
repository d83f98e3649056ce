"""Place and route of an 8-bit counter, and parts that are too small or do not exist."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hlsflow.core.choices import Family
from hlsflow.core.errors import ProjectError, ToolFailed
from hlsflow.core.metrics import Metric, MetricSet, Stage
from hlsflow.toolchains import nextpnr, yosys
from hlsflow.toolchains.parts import offered
from hlsflow.toolchains.process import Finished
from hlsflow.toolchains.tool import Tool
from tests.toolchains.designs import COUNTER

PART = "LFE5U-25F-6BG381C"
MANY_MULTIPLIERS = """
module multipliers #(
    parameter N = 29
) (
    input  wire            clk,
    input  wire [18*N-1:0] a,
    output reg  [36*N-1:0] p
);
  integer i;
  always @(posedge clk) for (i = 0; i < N; i = i + 1) p[36*i+:36] <= a[18*i+:18] * a[18*i+:18];
endmodule
"""


def synthesize(text: str, top: str, folder: Path) -> MetricSet:
    return yosys.synthesize({"design.v": text}, top, Family.ECP5, folder, timeout_s=120, netlist=True)


def synthesized(**values: float) -> MetricSet:
    return MetricSet(
        tuple(Metric(name, value, Stage.SYNTH, "yosys", "0.70", "ecp5", "s.json") for name, value in values.items())
    )


def test_a_counter_is_routed(tmp_path: Path) -> None:
    synth = synthesize(COUNTER, "counter", tmp_path)
    metrics = nextpnr.route(tmp_path / "ecp5.json", PART, 10.0, tmp_path / "pnr", timeout_s=120, synth=synth)
    values = {metric.name: metric.value for metric in metrics}
    # Six cells more than synthesis counted: the carry chain's entry and its exit to the fabric.
    assert (values["lut"], values["ff"], values["dsp"], values["bram"]) == (15, 8, 0, 0)
    assert values["fmax_mhz"] is not None
    fmax = metrics.get("fmax_mhz")
    assert fmax is not None
    assert fmax.note.endswith("MHz meets the 100 MHz asked for")
    assert 200 < values["fmax_mhz"] < 600
    assert {(m.stage, m.tool, m.version, m.target, m.source) for m in metrics} == {
        (Stage.ROUTED, "nextpnr-ecp5", nextpnr.find().stamp, PART, f"{PART}.seed1.json")
    }


def test_more_ports_than_pins_are_no_obstacle_but_too_few_multipliers_are(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    synth = synthesize(MANY_MULTIPLIERS, "multipliers", tmp_path)
    netlist = tmp_path / "ecp5.json"
    at_once = nextpnr.route(netlist, PART, 10.0, tmp_path / "a", timeout_s=120, synth=synth)
    assert {(m.value, m.note) for m in at_once} == {(None, "does not fit LFE5U-25F: 29 of 28 MULT18X18D")}
    assert {m.name for m in at_once} == {"lut", "ff", "dsp", "bram", "fmax_mhz"}
    assert not (tmp_path / "a").exists()
    monkeypatch.setattr(nextpnr, "PLACERS", ("heap",))  # it refuses at once, the static one after a minute
    by_nextpnr = nextpnr.route(netlist, PART, 10.0, tmp_path / "b", timeout_s=120)
    assert {(m.value, m.note) for m in by_nextpnr} == {(None, "does not fit LFE5U-25F: 29 of 28 MULT18X18D")}


def test_does_not_fit_tells_all_that_is_short() -> None:
    small = synthesized(lut=43_848, ff=43_848, dsp=72, bram=108)
    assert nextpnr.does_not_fit(small, "LFE5U-45F-6BG381C") is None
    large = synthesized(lut=43_849, ff=50_000, dsp=106, bram=109)
    assert nextpnr.does_not_fit(large, "LFE5U-45F-6BG381C") == (
        "does not fit LFE5U-45F: 43849 of 43848 LUT4, 50000 of 43848 FF, 106 of 72 MULT18X18D, 109 of 108 EBR"
    )
    assert nextpnr.does_not_fit(large, "LFE5UM5G-85F-8BG756I") is None


def test_a_figure_that_is_missing_is_not_held_against_the_part() -> None:
    unknown = Metric("lut", None, Stage.SYNTH, "yosys", "0.70", "ecp5", "s.json", "it was not counted")
    assert nextpnr.does_not_fit(MetricSet((unknown,)), PART) is None
    both = MetricSet((unknown, *synthesized(dsp=29)))
    assert nextpnr.does_not_fit(both, PART) == "does not fit LFE5U-25F: 29 of 28 MULT18X18D"


def test_why_there_is_no_clock() -> None:
    assert nextpnr.no_fmax("ecp5") == "no ECP5 part to place and route for was named"
    assert nextpnr.no_fmax("xc7") == "there is no router for xc7 here"


def test_parts_are_read_from_their_order_names() -> None:
    part = nextpnr.parse_part("LFE5UM5G-45F-8BG381C")
    assert part.die == "LFE5UM5G-45F"
    assert part.options == ("--um5g-45k", "--package", "CABGA381", "--speed", "8")
    assert nextpnr.parse_part("lfe5u-12f-7tg144").options == ("--12k", "--package", "TQFP144", "--speed", "7")


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("xc7z020", "'xc7z020' is not the name of an ECP5 part", "LFE5U-45F-6BG381C"),
        ("LFE5U-35F-6BG381C", "there is no LFE5U-35F", "12F, 25F, 45F, 85F"),
        ("LFE5UM-12F-6BG381C", "there is no LFE5UM-12F", "25F, 45F, 85F"),
        ("LFE5U-25F-6BG756C", "no LFE5U-25F comes in BG756", "TG144, MG285, BG256, BG381"),
        ("LFE5UM5G-25F-6BG381C", "speed grade 8 only", "LFE5UM5G-25F-8BG381"),
    ],
)
def test_other_parts_are_refused_with_what_is_valid(name: str, message: str, hint: str) -> None:
    with pytest.raises(ProjectError, match=message) as caught:
        nextpnr.parse_part(name)
    assert hint in caught.value.hint


def test_failures_of_other_kinds_are_raised(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text('{"modules": ')
    with pytest.raises(ToolFailed, match="nextpnr-ecp5 failed with exit code"):
        nextpnr.route(tmp_path / "broken.json", PART, 10.0, tmp_path, timeout_s=60)


def test_a_damaged_report_is_no_figure(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    for text in ("", '{"fmax": {}', '{"fmax": {}, "utilization": {}}'):
        report.write_text(text)
        with pytest.raises(ToolFailed, match="missing or damaged"):
            nextpnr.read_report(report)
    sites = ", ".join(f'"{cell}": {{"used": 1}}' for cell in ("TRELLIS_COMB", "TRELLIS_FF", "MULT18X18D", "DP16KD"))
    report.write_text(f'{{"fmax": {{}}, "utilization": {{{sites}}}}}')
    with pytest.raises(ToolFailed, match="names no clock"):
        nextpnr.read_report(report)


@pytest.mark.parametrize("clocks", [(180.5, 92.25, 140.0), (92.25, 180.5), (92.25,)])
def test_the_slowest_clock_is_the_designs(tmp_path: Path, clocks: tuple[float, ...]) -> None:
    sites = {"TRELLIS_COMB": 41, "TRELLIS_FF": 32, "MULT18X18D": 2, "DP16KD": 1}
    used = {cell: {"used": count, "available": 9999} for cell, count in sites.items()}
    fmax = {f"clk{number}": {"achieved": clock, "constraint": 100.0} for number, clock in enumerate(clocks)}
    (tmp_path / "report.json").write_text(json.dumps({"utilization": used, "fmax": fmax}))
    found = nextpnr.read_report(tmp_path / "report.json")
    assert found == {"lut": 41, "ff": 32, "dsp": 2, "bram": 1, "fmax_mhz": 92.25}


def test_a_12f_holds_what_its_data_sheet_says_and_not_the_whole_die() -> None:
    part = "LFE5U-12F-6BG381C"
    assert nextpnr.does_not_fit(synthesized(lut=12_000, ff=12_000, dsp=28, bram=32), part) is None
    assert nextpnr.does_not_fit(synthesized(lut=12_001, ff=1, dsp=1, bram=33), part) == (
        "does not fit LFE5U-12F: 12001 of 12000 LUT4, 33 of 32 EBR"
    )
    assert offered(part) == {"lut": 12_000, "ff": 12_000, "dsp": 28, "bram": 32}
    assert offered("LFE5U-25F-6BG381C") == {"lut": 24_288, "ff": 24_288, "dsp": 28, "bram": 56}
    assert offered("LFE5U-45F-6BG381C") == {"lut": 43_848, "ff": 43_848, "dsp": 72, "bram": 108}
    assert offered("LFE5U-85F-6BG381C") == {"lut": 83_640, "ff": 83_640, "dsp": 156, "bram": 208}


@pytest.mark.parametrize(
    ("fmax", "said"),
    [
        (250.0, "250 MHz meets the 200 MHz asked for"),
        (200.0, "200 MHz meets the 200 MHz asked for"),
        (150.0, "150 MHz is 25.0% less than the 200 MHz asked for"),
    ],
)
def test_the_clock_asked_for_is_judged(fmax: float, said: str) -> None:
    assert nextpnr._verdict(fmax, 200.0) == said


def finished(folder: Path, output: str) -> Finished:
    (folder / "p.log").write_text(output)
    return Finished(255, 1.0, output, folder / "p.log")


def test_the_first_of_several_refusals_is_told(tmp_path: Path) -> None:
    lines = ["Info: no Bels remaining", "ERROR: no Bels remaining of type A", "ERROR: Utilisation limit of B"]
    assert nextpnr._refusal(finished(tmp_path, "\n".join(lines))) == "no Bels remaining of type A"
    for other in ("ERROR: timing analysis failed", "Info: no Bels remaining"):
        with pytest.raises(ToolFailed):
            nextpnr._refusal(finished(tmp_path, other))


SITES = {"TRELLIS_COMB": 41, "TRELLIS_FF": 32, "MULT18X18D": 2, "DP16KD": 1}


def report_of(fmax: float) -> str:
    used = {cell: {"used": count, "available": 9999} for cell, count in SITES.items()}
    return json.dumps({"utilization": used, "fmax": {"clk": {"achieved": fmax}}})


def test_figures_of_a_report_are_told_with_two_decimals(tmp_path: Path) -> None:
    report = tmp_path / "r.json"
    report.write_text(report_of(92.256))
    tool = Tool("nextpnr-ecp5", "0.11", ("nextpnr-ecp5",), "native")
    metrics = nextpnr._routed(tool, nextpnr.parse_part(PART), report, 1.2345, 10.0)
    values = {metric.name: metric.value for metric in metrics}
    assert values == {"lut": 41, "ff": 32, "dsp": 2, "bram": 1, "fmax_mhz": 92.26, "seconds": 1.23}
    notes = {metric.note for metric in metrics}
    assert notes == {"", "92.26 MHz is 7.7% less than the 100 MHz asked for"}


def test_only_what_is_short_is_told(tmp_path: Path) -> None:
    (tmp_path / "p.log").write_bytes(b"Info: \xff\nInfo: \t DP16KD: 57/ 56 101%\n")
    assert nextpnr._excess(Finished(255, 1.0, "", tmp_path / "p.log")) == "57 of 56 DP16KD"
    rows = ["Info: \t TRELLIS_IO: 9/ 197 4%", "Info: \t DP16KD: 57/ 56 101%", "Info: \t MULT18X18D: 28/ 28 100%"]
    assert nextpnr._excess(finished(tmp_path, "\n".join(rows))) == "57 of 56 DP16KD"


def test_a_slower_speed_grade_belongs_to_other_series() -> None:
    assert nextpnr.parse_part("LFE5UM-45F-6BG381C").speed == 6
    assert nextpnr.parse_part("LFE5UM-25F-7BG381C").options[0] == "--um-25k"
