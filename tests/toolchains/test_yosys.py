"""Yosys, on designs small enough to count by hand."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from hlsflow.core.choices import Family, Multiplier
from hlsflow.core.errors import ToolFailed
from hlsflow.core.metrics import MetricSet, Stage
from hlsflow.rtl.knobs import LayerKnobs
from hlsflow.rtl.parts import layer_stages
from hlsflow.rtl.schedule import schedule
from hlsflow.toolchains import yosys
from hlsflow.toolchains.tool import Tool
from tests.rtl.networks import chain, dense
from tests.toolchains.designs import COUNTER

MULTIPLIER = """
module multiplier (
    input  wire               clk,
    input  wire signed [17:0] a,
    input  wire signed [17:0] b,
    output reg  signed [35:0] p
);
  always @(posedge clk) p <= a * b;
endmodule
"""
MEMORY = """
module memory #(
    parameter BITS = 9
) (
    input  wire            clk,
    input  wire            write,
    input  wire [BITS-1:0] at,
    input  wire [    31:0] in,
    output reg  [    31:0] out
);
  (* ram_style = "block" *) reg [31:0] words[0:2**BITS-1];
  always @(posedge clk) begin
    if (write) words[at] <= in;
    out <= words[at];
  end
endmodule
"""
DSP_WITH_PARAMETERS = """
module top (
    input  wire clk,
    input  wire a,
    output wire p,
    output reg  q
);
  MULT18X18D #(
      .REG_INPUTA_CLK("CLK0"),
      .REG_OUTPUT_CLK("CLK0")
  ) multiplier (
      .CLK0(clk),
      .A0(a),
      .B0(a),
      .P0(p)
  );
  always @(posedge clk) q <= a;
endmodule
"""
SHIFT = """
module shift (
    input  wire clk,
    input  wire d,
    output wire q
);
  reg [15:0] taps;
  always @(posedge clk) taps <= {taps[14:0], d};
  assign q = taps[15];
endmodule
"""
ALL_OF_THEM = """
module all_of_them (
    input  wire               clk,
    input  wire signed [17:0] a,
    input  wire signed [17:0] b,
    output wire signed [35:0] p,
    input  wire               write,
    input  wire        [ 9:0] at,
    input  wire        [31:0] in,
    output wire        [63:0] out,
    output wire               q
);
  multiplier product (.clk(clk), .a(a), .b(b), .p(p));
  memory #(.BITS(9)) small (.clk(clk), .write(write), .at(at[8:0]), .in(in), .out(out[31:0]));
  memory #(.BITS(10)) large (.clk(clk), .write(write), .at(at), .in(in), .out(out[63:32]));
  shift taps (.clk(clk), .d(a[0]), .q(q));
endmodule
"""


WITHOUT_BLOCK_RAM = """
module top (
    input  wire               clk,
    input  wire signed [17:0] a,
    input  wire signed [17:0] b,
    output wire signed [35:0] p,
    input  wire               write,
    input  wire        [ 4:0] at,
    output reg         [ 7:0] out,
    output wire               q,
    output reg         [15:0] sum
);
  multiplier product (.clk(clk), .a(a), .b(b), .p(p));
  shift taps (.clk(clk), .d(a[0]), .q(q));
  (* ram_style = "distributed" *) reg [7:0] words[0:31];
  always @(posedge clk) begin
    if (write) words[at] <= b[7:0];
    out <= words[at];
    sum <= a[15:0] + (b[7] ? b[15:0] : ~p[15:0]) + (a > b);
  end
endmodule
"""


def figures(metrics: MetricSet) -> Mapping[str, float | None]:
    return {metric.name: metric.value for metric in metrics if metric.name != "seconds"}


def synthesize(text: str, top: str, family: Family, folder: Path) -> Mapping[str, float | None]:
    return figures(yosys.synthesize({"design.v": text}, top, family, folder, timeout_s=120))


@pytest.mark.parametrize(
    ("family", "lut"),
    [
        (Family.XC7, 1),  # the inverter of bit 0; the other bits go straight into the carry chain
        pytest.param(Family.XCUP, 1, marks=pytest.mark.slow),
        (Family.ECP5, 9),  # four CCU2C of two LUT4 each, and the inverter
    ],
)
def test_an_8_bit_counter(tmp_path: Path, family: Family, lut: int) -> None:
    metrics = yosys.synthesize({"counter.v": COUNTER}, "counter", family, tmp_path, timeout_s=120)
    assert figures(metrics) == {"lut": lut, "ff": 8, "dsp": 0, "bram": 0}
    assert {(m.stage, m.tool, m.version, m.target, m.source) for m in metrics} == {
        (Stage.SYNTH, "yosys", yosys.find().stamp, str(family), f"{family}.stat.json")
    }
    assert (tmp_path / f"{family}.stat.json").exists()
    assert not (tmp_path / f"{family}.json").exists()


def test_dsp_blocks_memories_and_shift_registers_are_counted_as_what_they_occupy(tmp_path: Path) -> None:
    files = {"m.v": MULTIPLIER, "memory.v": MEMORY, "shift.v": SHIFT, "top.v": ALL_OF_THEM}
    metrics = yosys.synthesize(files, "all_of_them", Family.XC7, tmp_path, timeout_s=120)
    # The product with its registers is one DSP48E1; 512 x 32 is one RAMB18, 1024 x 32 one RAMB36, which is two of
    # 18 Kb; sixteen stages of a shift register are one SRL16E.
    assert figures(metrics) == {"lut": 1, "ff": 0, "dsp": 1, "bram": 3}


def test_a_memory_of_512_words_is_one_ebr(tmp_path: Path) -> None:
    assert synthesize(MEMORY, "memory", Family.ECP5, tmp_path)["bram"] == 1


def test_dsp_cells_with_parameters_pass_the_ecp5_flow(tmp_path: Path) -> None:
    assert synthesize(DSP_WITH_PARAMETERS, "top", Family.ECP5, tmp_path) == {"lut": 0, "ff": 1, "dsp": 1, "bram": 0}


def both_ways(files: Mapping[str, str], top: str, family: Family, folder: Path) -> list[Mapping[str, float | None]]:
    """Figures of the whole plan and of the quick one."""
    plan = yosys.plan(files, top, family)
    quick = yosys.quick(plan)
    assert quick is not None
    return [
        figures(yosys.execute(way, folder / name, timeout_s=600)) for name, way in (("whole", plan), ("quick", quick))
    ]


@pytest.mark.parametrize("family", [Family.XC7, pytest.param(Family.XCUP, marks=pytest.mark.slow)])
def test_the_quick_plan_leaves_the_same_cells(tmp_path: Path, family: Family) -> None:
    files = {"m.v": MULTIPLIER, "shift.v": SHIFT, "top.v": WITHOUT_BLOCK_RAM}
    whole, quick = both_ways(files, "top", family, tmp_path)
    assert quick == whole
    cells = [yosys.read_cells(tmp_path / name / f"{family}.stat.json") for name in ("whole", "quick")]
    assert cells[0] == cells[1]


@pytest.mark.slow
@pytest.mark.parametrize("family", yosys.QUICK)
@pytest.mark.parametrize("seed", range(2))
def test_the_quick_plan_of_dense_layers_differs_in_luts_alone(tmp_path: Path, family: Family, seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = chain(int(rng.integers(6, 33)), "fixed<6,2>", dense(int(rng.integers(3, 9)), "fixed<14,6>", "fixed<14,6>"))
    multiplier = list(Multiplier)[int(rng.integers(len(Multiplier)))]
    (stage,) = layer_stages(schedule(graph, {}, LayerKnobs(int(rng.integers(2, 40)), multiplier)).network)
    part = stage.part()
    whole, quick = both_ways(part.files, part.top, family, tmp_path)
    assert {**quick, "lut": 0} == {**whole, "lut": 0}


def test_the_quick_plan_refuses_block_ram(tmp_path: Path) -> None:
    quick = yosys.quick(yosys.plan({"memory.v": MEMORY}, "memory", Family.XC7))
    assert quick is not None
    with pytest.raises(ToolFailed, match="Assertion failed: selection is not empty"):
        yosys.execute(quick, tmp_path, timeout_s=120)


def test_other_families_and_releases_have_no_quick_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    assert yosys.quick(yosys.plan({"counter.v": COUNTER}, "counter", Family.ECP5)) is None
    monkeypatch.setattr(yosys, "QUICK_RELEASE", "0.69")
    assert yosys.quick(yosys.plan({"counter.v": COUNTER}, "counter", Family.XC7)) is None


@pytest.mark.parametrize(
    ("family", "cells", "cost"),
    [
        (Family.XC7, {"RAM32M": 3, "RAM64M": 1, "SRLC32E": 2, "LUT6": 5, "MUXF7": 9, "CARRY4": 4}, yosys.Cost(lut=23)),
        (Family.XC7, {"RAMB18E1": 3, "RAMB36E1": 2, "DSP48E1": 4, "FDRE": 6}, yosys.Cost(ff=6, dsp=4, bram=7)),
        (Family.XCUP, {"RAM32M16": 1, "LUT1": 1, "DSP48E2": 1, "RAMB36E2": 1}, yosys.Cost(lut=9, dsp=1, bram=2)),
        (Family.ECP5, {"LUT4": 1, "CCU2C": 2, "TRELLIS_DPR16X4": 1, "PFUMX": 4, "$scopeinfo": 7}, yosys.Cost(lut=11)),
        (Family.ECP5, {"TRELLIS_FF": 2, "MULT18X18D": 3, "DP16KD": 4, "PDPW16KD": 1}, yosys.Cost(ff=2, dsp=3, bram=5)),
    ],
)
def test_costs_of_cells(family: Family, cells: Mapping[str, int], cost: yosys.Cost) -> None:
    assert yosys.count(cells, family, Path("stat.json")) == cost


def test_cells_of_unknown_cost_are_refused_by_name() -> None:
    with pytest.raises(ToolFailed, match="cannot count for xc7: LDCE, URAM288"):
        yosys.count({"LUT6": 3, "URAM288": 1, "LDCE": 2}, Family.XC7, Path("stat.json"))


def test_a_design_that_vanishes_is_an_error(tmp_path: Path) -> None:
    empty = "module top (input wire a, output wire q);\n  assign q = a & ~a;\nendmodule\n"
    with pytest.raises(ToolFailed, match=r"left nothing of module 'top' for ecp5"):
        synthesize(empty, "top", Family.ECP5, tmp_path)


@pytest.mark.parametrize(
    ("message", "body"),
    [
        ("syntax error", "assign q = ;"),
        ("Found 1 problems in 'check -assert'", "wire r; assign q = a & r;"),
        ("latch", "reg r; always @(*) if (a) r = 1'b1; assign q = r;"),
        ("nowhere", "nowhere n (.a(a), .q(q));"),
        (r"rom\.hex", 'reg m[0:1]; initial $readmemh("rom.hex", m); assign q = m[a];'),
    ],
    ids=["syntax", "undriven", "latch", "missing module", "missing ROM"],
)
def test_mistakes_are_errors(tmp_path: Path, message: str, body: str) -> None:
    text = f"module top (input wire a, output wire q);\n  {body}\nendmodule\n"
    with pytest.raises(ToolFailed, match=message):
        synthesize(text, "top", Family.ECP5, tmp_path)


def test_the_family_is_known_to_the_verilog(tmp_path: Path) -> None:
    text = COUNTER.replace("8'd1", "8'd0 `ifdef HLSFLOW_ECP5 + 8'd1 `endif")
    assert synthesize(text, "counter", Family.ECP5, tmp_path)["ff"] == 8


def test_a_damaged_or_missing_stat_is_no_figure(tmp_path: Path) -> None:
    stat = tmp_path / "xc7.stat.json"
    with pytest.raises(ToolFailed, match="missing or damaged"):
        yosys.read_cells(stat)
    stat.write_text('{"modules": {"top": {"num_cells_by_type": {"LUT6": 4')
    with pytest.raises(ToolFailed, match="missing or damaged"):
        yosys.read_cells(stat)
    stat.write_text('{"modules": {"a": {}, "b": {}}}')
    with pytest.raises(ToolFailed, match="2 modules"):
        yosys.read_cells(stat)


ON_A_SMALL_DISK = """
import shutil, sys
from pathlib import Path
from hlsflow.core.choices import Family
from hlsflow.core.errors import FlowError
from hlsflow.toolchains.yosys import synthesize
from tests.toolchains.designs import COUNTER

folder, left = Path(sys.argv[1]), int(sys.argv[2])
(folder / "filling").write_bytes(bytes(shutil.disk_usage(folder).free - left))
try:
    synthesize({"top.v": COUNTER}, "counter", Family.ECP5, folder, timeout_s=200, netlist=True)
except FlowError as error:
    print(error.exit_code, error.message)
print(sorted(file.name for file in folder.iterdir() if file.stat().st_size))
"""


@pytest.mark.parametrize(("left", "cut"), [(20_000, "ecp5.stat.json"), (62_000, "ecp5.json")])
def test_a_disk_that_fills_up_while_yosys_ends_well_is_told(tmp_path: Path, left: int, cut: str) -> None:
    """On a disk of its own, as any user can have one where the system allows it."""
    mounted = 'mount -t tmpfs -o size=2m none "$2" && exec "$0" -c "$@"'
    run = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mounted, sys.executable]
    if not shutil.which("unshare") or subprocess.run([*run, "", str(tmp_path)], capture_output=True).returncode:
        pytest.skip("this system does not let its users mount a small disk")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    argv = [*run, ON_A_SMALL_DISK, str(tmp_path), str(left)]
    ended = subprocess.run(argv, capture_output=True, text=True, env=environment)
    assert ended.stdout.startswith("6 the disk that holds"), ended.stdout + ended.stderr
    assert cut in ended.stdout


def test_the_digest_depends_on_all_that_decides_the_figures() -> None:
    tool = yosys.find()
    plan = yosys.plan({"counter.v": COUNTER}, "counter", Family.XC7)
    others = [
        yosys.plan({"counter.v": COUNTER + "\n"}, "counter", Family.XC7),
        yosys.plan({"counter.v": COUNTER, "rom.hex": "00"}, "counter", Family.XC7),
        yosys.plan({"counter.v": COUNTER}, "counter", Family.XCUP),
        yosys.plan({"counter.v": COUNTER}, "counter", Family.XC7, netlist=True),
    ]
    other_tool = Tool("yosys", "0.71", tool.argv, "wheel")
    digests = {plan.digest(tool), plan.digest(other_tool), *(other.digest(tool) for other in others)}
    assert len(digests) == 6
    assert plan.digest(tool) == yosys.plan({"counter.v": COUNTER}, "counter", Family.XC7).digest(tool)
