"""What Yosys makes of the RTL still computes the same: 7-series netlists, simulated with Yosys' own cell models."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest

from hlsflow.core import templates
from hlsflow.ir import evaluate
from hlsflow.rtl import Design, LayerKnobs, Multiplier, emit, schedule, simulate
from hlsflow.toolchains import process, yosys, yowasp
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
"""l2 has LUT multipliers; l4 multiplies 6 bits by 2, too small a product for a block (see multiply_dsp.v)."""
SCRIPT = """\
read_verilog {sources}
synth_xilinx -flatten -family xc7 -top top -noiopad -noclkbuf
write_verilog -noattr cells.v
design -reset
read_verilog cells.v
read_verilog -overwrite +/xilinx/cells_sim.v
hierarchy -top top
proc
flatten
opt_clean -purge
write_verilog -noattr netlist.v
"""
LINT = "".join(f"/* verilator lint_off {rule} */\n" for rule in ("UNDRIVEN", "UNOPTFLAT", "CASEOVERLAP"))


def netlist(design: Design, folder: Path) -> tuple[str, str]:
    """The netlist as instances of cells, and as one module with the cells' models filled in."""
    process.write_files(folder, {**design.files, "netlist.ys": SCRIPT.format(sources=" ".join(design.files))})
    tool = yosys.find()
    environment = yowasp.environment(tool, yosys.PACKAGE)
    argv = (*tool.argv, "-q", "-s", "netlist.ys")
    process.run(argv, folder=folder, log=folder / "yosys.log", timeout_s=300, tool="yosys", env=environment)
    return (folder / "cells.v").read_text(), (folder / "netlist.v").read_text()


@pytest.mark.slow
def test_netlist_equals_the_oracle(tmp_path: Path) -> None:
    plan = schedule(GRAPH, KNOBS, LayerKnobs(1))
    design = emit(plan)
    cells, model = netlist(design, tmp_path / "synthesis")
    assert plan.layers[2].multipliers == DSP_BLOCKS["l6"]
    assert len(re.findall(r"\bDSP48E1\b", cells)) == sum(DSP_BLOCKS.values())
    x = vectors(GRAPH, 300)
    result = simulate(dataclasses.replace(design, files={"netlist.v": LINT + model}), x, tmp_path / "simulation")
    np.testing.assert_array_equal(result.outputs, evaluate(GRAPH, x))
    assert set(result.ends - result.begins) == {plan.latency_cycles}
    assert result.ii == plan.ii


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
