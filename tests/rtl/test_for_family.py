"""The primitives that a family has of its own: equal bits and cycles, by a model of its cells, and fewer flip-flops."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest

from hlsflow.core import templates
from hlsflow.core.choices import Family
from hlsflow.ir import Graph, evaluate
from hlsflow.rtl import LayerKnobs, Pipeline, emit, for_family, schedule, simulate
from hlsflow.toolchains import verilator, yosys
from tests.rtl.networks import chain, dense, vectors
from tests.rtl.test_equality import COARSE, DEEP, MIXED, WIDE

MODELS = {"MULT18X18D.v": templates.read("sim/ecp5/MULT18X18D.v")}
UNUSED_PINS = verilator.Build((*verilator.DESIGN.options, "-Wno-PINMISSING"), verilator.DESIGN.hot)
"""Of the block the RTL leaves those open that it does not need."""
REGISTERED = Pipeline(operand_register=True)
SMALL = chain(6, "ufixed<6,3>", dense(4, "fixed<18,9>", "fixed<18,9>", weight="fixed<6,1>"))


@pytest.mark.parametrize(
    ("graph", "reuse_factor", "pipeline"),
    [
        pytest.param(MIXED, 7, REGISTERED, id="mixed"),
        pytest.param(MIXED, 1, REGISTERED, id="constant weights"),
        pytest.param(MIXED, 77, Pipeline(), id="no register in front"),
        pytest.param(COARSE, 3, REGISTERED, id="coarse"),
        pytest.param(DEEP, 153, Pipeline(), id="deep memory"),
        pytest.param(WIDE, 6, REGISTERED, id="too wide for a block"),
        pytest.param(SMALL, 4, REGISTERED, id="two weights a block"),
    ],
)
def test_with_its_blocks_the_rtl_equals_the_oracle(
    graph: Graph, reuse_factor: int, pipeline: Pipeline, tmp_path: Path
) -> None:
    plan = schedule(graph, {}, LayerKnobs(reuse_factor), pipeline)
    design = emit(plan)
    own = for_family(design.files, Family.ECP5)
    assert "MULT18X18D" in own["multiply_dsp.v"]
    assert {**own, "multiply_dsp.v": ""} == {**design.files, "multiply_dsp.v": ""}
    x = vectors(graph, 300)
    result = simulate(dataclasses.replace(design, files={**own, **MODELS}), x, tmp_path, UNUSED_PINS)
    np.testing.assert_array_equal(result.outputs, evaluate(graph, x))
    assert set(result.ends - result.begins) == {plan.latency_cycles}
    assert result.ii == plan.ii


def test_other_families_keep_the_primitives_for_all() -> None:
    files = emit(schedule(SMALL, {}, LayerKnobs(4))).files
    assert for_family(files, Family.XC7) == files


def test_a_prefix_is_in_front_of_its_modules_but_not_of_its_cells() -> None:
    plan = schedule(SMALL, {}, LayerKnobs(4))
    text = for_family(emit(plan, prefix="jets_").files, Family.ECP5, "jets_")["jets_multiply_dsp.v"]
    assert re.findall(r"^module (\w+)", text, re.MULTILINE) == ["jets_multiply_dsp"]
    assert "jets_delay_line #(" in text
    assert re.search(r"^ +MULT18X18D #\(", text, re.MULTILINE)


def test_registers_move_into_the_blocks_and_constants_take_none(tmp_path: Path) -> None:
    """6 lanes of 6 by 6 bits, at R = 4 by varying weights, at R = 1 by constant ones."""
    figures = {}
    for name, factor in (("folded", 4), ("constant", 1)):
        design = emit(schedule(SMALL, {}, LayerKnobs(factor), REGISTERED))
        for kind, files in (("plain", design.files), ("own", for_family(design.files, Family.ECP5))):
            folder = tmp_path / f"{name}-{kind}"
            folder.mkdir()
            metrics = yosys.synthesize(files, design.top, Family.ECP5, folder, timeout_s=100)
            figures[name, kind] = {metric.name: metric.value for metric in metrics if metric.name != "seconds"}
    plain, own = figures["folded", "plain"], figures["folded", "own"]
    assert plain["dsp"] == own["dsp"]
    assert plain["ff"] is not None
    assert own["ff"] is not None
    assert own["ff"] <= plain["ff"] - 6 * (6 + 6)  # both operands of 6 products
    assert figures["constant", "own"] == figures["constant", "plain"]
