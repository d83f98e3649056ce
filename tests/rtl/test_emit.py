"""The plan: deterministic text, ROM contents, narrow formats, and what is refused."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest

from hlsflow.core.errors import UnsupportedLayer
from hlsflow.ir import Fixed, Graph, Op
from hlsflow.rtl import LayerKnobs, Port, emit, schedule
from hlsflow.rtl.cores.dense import bias_words, weight_words
from hlsflow.rtl.cores.sums import sums_of
from tests.rtl.networks import chain, dense, relu

SMALL = chain(3, "fixed<4,2>", dense(2, "fixed<12,6>", "fixed<12,6>", weight="fixed<3,1>", bias="fixed<3,1>"))


def with_weights(weight: list[list[int]], bias: list[int]) -> Graph:
    source, layer = SMALL.nodes
    params = {"weight": np.array(weight), "bias": np.array(bias)}
    return Graph("small", (source, dataclasses.replace(layer, params=params)), SMALL.outputs)


def test_rom_contents() -> None:
    graph = with_weights([[1, -2], [3, -4], [0, 2]], [-1, 3])
    plan = schedule(graph, {}, LayerKnobs(4))
    (layer,) = plan.layers
    assert (layer.inputs_per_cycle, layer.outputs_per_cycle, layer.steps, layer.groups) == (2, 1, 2, 2)
    assert weight_words(graph["l1"].params["weight"], layer).tolist() == [[1, 3], [0, 0], [-2, -4], [2, 0]]
    assert bias_words(np.array([-4, 12]), layer) == [[-4], [12]]
    text = emit(plan).files["top.v"]
    weights = re.search(r"\.WEIGHTS\(\{([^}]*)\}\)", text)
    assert weights
    # Two weights of 3 bits a word, the first in the low bits, word 0 last.
    assert weights[1].split() == ["6'h2,", "6'h26,", "6'h0,", "6'h19"]


def test_text_is_deterministic() -> None:
    plan = schedule(SMALL, {}, LayerKnobs(3))
    first, second = emit(plan), emit(plan)
    assert first.files == second.files
    assert first.digest() == second.digest()
    assert first.digest() != emit(schedule(SMALL, {}, LayerKnobs(2))).digest()


def test_design_describes_its_ports() -> None:
    design = emit(schedule(SMALL, {}, LayerKnobs(3)))
    assert design.top == "top"
    assert design.inputs == (Port("in", 1, 3, Fixed(4, 2)),)
    assert design.outputs == (Port("out", 1, 2, Fixed(12, 6)),)
    assert "input  wire [11:0] in_data" in design.files["top.v"]
    assert "output wire [23:0] out_data" in design.files["top.v"]


def test_design_reads_no_files_and_is_ascii() -> None:
    text = "".join(emit(schedule(SMALL, {}, LayerKnobs(3))).files.values())
    assert "$readmem" not in text
    assert "`include" not in text
    assert emit(schedule(SMALL, {}, LayerKnobs(3))).files["top.v"].isascii()


def test_names_cannot_break_the_text() -> None:
    source, layer = SMALL.nodes
    odd = Graph("a\nb", (source, dataclasses.replace(layer, name="dense/1 é\nendmodule")), ("dense/1 é\nendmodule",))
    text = emit(schedule(odd, {}, LayerKnobs(3))).files["top.v"]
    code = re.sub(r"//.*", "", text)
    assert text.isascii()
    assert re.findall(r"\bendmodule\b", code) == ["endmodule"]
    assert "dense/1" not in code


def test_sum_is_as_narrow_as_its_exact_range() -> None:
    # 4-bit inputs in -8..7: -8*3 - 8*2 - 8*1 - 2*4 = -56 and 7*6 + 3*4 = 54 on the product's grid.
    graph = with_weights([[3, 1], [2, 1], [1, 1]], [-2, 3])
    sums = sums_of(graph["l1"], graph["x"].type)
    assert sums.weight_type == Fixed(2, 0, False)
    assert sums.sum == Fixed.spanning(-56, 54, 4)
    assert sums.sum.width == 7


def test_unsupported_operation_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hlsflow.rtl.units.FRONTS", {Op.DENSE: None})
    monkeypatch.setattr("hlsflow.rtl.fronts.FRONTS", {})
    graph = chain(3, "fixed<4,2>", relu("ufixed<2,1>"))
    with pytest.raises(UnsupportedLayer, match=r"'l1' \(relu\) has no RTL\n.*supported: dense"):
        schedule(graph, {}, LayerKnobs(1))
