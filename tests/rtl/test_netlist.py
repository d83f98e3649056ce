"""What Yosys makes of the RTL still computes the same: its cells, simulated with models of them."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest

from hlsflow.core import templates
from hlsflow.core.choices import Family
from hlsflow.core.errors import ToolFailed
from hlsflow.ir import evaluate
from hlsflow.ir.fixed import Array
from hlsflow.rtl import LayerKnobs, Multiplier, Schedule, Simulation, emit, for_family, schedule, simulate
from hlsflow.toolchains import process, verilator, yosys, yowasp
from tests.rtl.networks import cast, chain, dense, leaky, relu, vectors

GRAPH = chain(
    7,
    "fixed<8,3>",
    cast("fixed<6,3,RND_CONV,SAT>"),
    dense(11, "fixed<16,8>", "fixed<16,8>"),
    relu("ufixed<6,2,RND_CONV,SAT>"),
    dense(5, "fixed<12,6,RND,SAT_SYM>", "fixed<20,10>", weight="fixed<2,2>", bias="fixed<4,2>"),
    leaky("fixed<9,4,RND_INF,SAT>", 19),
    dense(3, "fixed<9,5,TRN,SAT_ZERO>", "fixed<9,5,RND_CONV>", weight="ufixed<3,0>", bias="ufixed<5,2>"),
)
KNOBS = {"l2": LayerKnobs(12, Multiplier.LUT), "l4": LayerKnobs(7), "l6": LayerKnobs(5)}
DSP_BLOCKS = {"l2": 0, "l4": 0, "l6": 3}
"""l2 has LUT multipliers; l4 multiplies 6 bits by 2, too small a product for a block of Xilinx (see
multiply_dsp.v)."""


@pytest.fixture(scope="module")
def plan() -> Schedule:
    return schedule(GRAPH, KNOBS, LayerKnobs(1))


def netlist_of(plan: Schedule, family: Family, folder: Path) -> str:
    design = emit(plan)
    synthesis = yosys.plan(for_family(design.files, family), design.top, family, verilog=True)
    yosys.execute(synthesis, folder, timeout_s=300)
    return (folder / yosys.netlist_name(family)).read_text()


def simulated(plan: Schedule, family: Family, text: str, folder: Path) -> tuple[Simulation, Array]:
    """What cells do, and what the oracle says."""
    x = vectors(GRAPH, 300)
    cells = dataclasses.replace(emit(plan), files={"netlist.v": text, **yosys.models(family)})
    return simulate(cells, x, folder, verilator.NETLIST), evaluate(GRAPH, x)


@pytest.mark.parametrize(
    "family",
    [Family.XCUP, pytest.param(Family.XC7, marks=pytest.mark.slow), pytest.param(Family.ECP5, marks=pytest.mark.slow)],
)
def test_a_netlist_equals_the_oracle_in_as_many_cycles(plan: Schedule, family: Family, tmp_path: Path) -> None:
    text = netlist_of(plan, family, tmp_path / "synthesis")
    assert plan.layers[2].multipliers == DSP_BLOCKS["l6"]
    blocks = len(re.findall(r"^  (?:DSP48E[12]|MULT18X18D) ", text, re.MULTILINE))
    assert blocks == sum(DSP_BLOCKS.values()) or (family is Family.ECP5 and blocks > 0)
    ran, wanted = simulated(plan, family, text, tmp_path / "simulation")
    np.testing.assert_array_equal(ran.outputs, wanted)
    assert set(ran.ends - ran.begins) == {plan.latency_cycles}
    assert ran.ii == plan.ii


BLOCK = """\
module top (input clk, rst, in_valid, output in_ready, input [6:0] in_data, output out_valid, input out_ready,
            output [6:0] out_data);
  wire [47:0] p;
  DSP48E2 #(.ACASCREG(0), .ADREG(0), .ALUMODEREG(0), .AREG({areg}), .BCASCREG(0), .BREG(0), .CARRYINREG(0),
    .CARRYINSELREG(0), .CREG(0), .DREG(0), .INMODEREG(0), .MREG(0), .OPMODEREG(0), .PREG(0)) block (
    .A({{{{23{{in_data[6]}}}}, in_data}}), .B(18'd1), .C(48'd0), .D(27'd0), .ACIN(30'd0), .BCIN(18'd0), .PCIN(48'd0),
    .ALUMODE(4'd0), .INMODE(5'd0), .OPMODE(9'h{opmode}), .CARRYINSEL(3'd0), .CARRYIN(1'b0), .P(p));
  assign in_ready = out_ready, out_valid = in_valid, out_data = p[6:0];
endmodule
"""


@pytest.mark.parametrize(("areg", "opmode", "known"), [(0, "005", True), (1, "005", False), (0, "035", False)])
def test_a_block_that_is_used_in_another_way_than_its_model_knows_ends_the_simulation(
    areg: int, opmode: str, known: bool, tmp_path: Path
) -> None:
    graph = chain(1, "fixed<7,3>")
    design = emit(schedule(graph, {}, LayerKnobs(1)))
    files = {"netlist.v": BLOCK.format(areg=areg, opmode=opmode), **yosys.models(Family.XCUP)}
    cells, x = dataclasses.replace(design, files=files), vectors(graph, 50)
    if known:
        np.testing.assert_array_equal(simulate(cells, x, tmp_path, verilator.NETLIST).outputs, x)
        return
    with pytest.raises(ToolFailed, match="simulator"):
        simulate(cells, x, tmp_path, verilator.NETLIST)
    assert "DSP48E2 is used in a way that its model does not know" in (tmp_path / "simulate.log").read_text()


@pytest.mark.parametrize("tree", ["adder_tree", "carry_tree"])
def test_adders_are_kept_apart_only_where_several_stand_in_a_row(tree: str, tmp_path: Path) -> None:
    """What is kept cannot move into the registers of a DSP block: on 7 series a quarter of all flip-flops."""
    script = [f"read_verilog {tree}.v"]
    for levels, expected in ((1, "none"), (2, "any")):
        script += ["design -save read", f"hierarchy -top {tree} -chparam LEVELS_PER_STAGE {levels}", "proc"]
        script += [f"select -assert-{expected} w:* a:keep %i", "design -load read"]
    process.write_files(tmp_path, {f"{tree}.v": templates.read(f"rtl/{tree}.v"), "kept.ys": "\n".join(script)})
    tool = yosys.find()
    process.run(
        (*tool.argv, "-q", "-s", "kept.ys"),
        folder=tmp_path,
        log=tmp_path / "yosys.log",
        timeout_s=100,
        tool="yosys",
        env=yowasp.environment(tool, yosys.PACKAGE),
    )
