"""The AXI4-Stream top: the same results, elements as whole bytes, TLAST with the last beat of a frame."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hlsflow.ir import Fixed, evaluate
from hlsflow.rtl import Design, LayerKnobs, Port, emit, schedule, simulate
from hlsflow.rtl.axis import axis_top, element_bytes
from tests.ir.random_graphs import batch
from tests.rtl.test_timing import residual

GRAPH = residual(4)
BYTE = Fixed(8, 8)
AROUND = """\
module around (
    input clk, input rst,
    input in_valid, output in_ready, input [39:0] in_data,
    output out_valid, input out_ready, output [47:0] out_data
);
    wire last, misplaced;
    wire [31:0] data;
    axis_top axis (
        .aclk(clk), .aresetn(~rst), .misplaced(misplaced),
        .s_axis_in_tvalid(in_valid), .s_axis_in_tready(in_ready), .s_axis_in_tlast(in_data[32]),
        .s_axis_in_tdata(in_data[31:0]),
        .m_axis_out_tvalid(out_valid), .m_axis_out_tready(out_ready), .m_axis_out_tlast(last), .m_axis_out_tdata(data)
    );
    assign out_data = {7'd0, misplaced, 7'd0, last, data};
endmodule
"""
"""Data, TLAST and `misplaced` as elements of one byte each."""


def around() -> Design:
    design = emit(schedule(GRAPH, {}, LayerKnobs(5)))
    files = {"around.v": AROUND, **design.files, **axis_top(design)}
    ports = {"inputs": (Port("in", 16, 5, BYTE),), "outputs": (Port("out", 16, 6, BYTE),)}
    return replace(design, top="around", files=files, **ports)


def test_axis_top_gives_the_same_results(tmp_path: Path) -> None:
    x = batch(np.random.default_rng(0), GRAPH, 5)
    last = np.zeros((5, 16, 1), np.int64)
    last[:, -1] = 1
    last[3, 7] = 1
    above = 64 * np.random.default_rng(1).integers(-2, 2, (5, 16, 4))  # bits that the design does not have
    beats = np.concatenate([(x.reshape(5, 16, 4) & 63) + above, last], axis=2)
    result = simulate(around(), beats.reshape(5, -1), tmp_path).outputs.reshape(5, 16, 6)
    np.testing.assert_array_equal(result[..., :4].reshape(5, -1), evaluate(GRAPH, x))
    np.testing.assert_array_equal(result[..., 4], np.tile(np.arange(16) == 15, (5, 1)))
    assert not result[:2, :, 5].any()
    assert result[4, :, 5].all()


@pytest.mark.parametrize(("width", "size"), [(1, 1), (8, 1), (9, 2), (16, 2), (17, 4), (33, 8), (62, 8)])
def test_elements_are_ordinary_integers(width: int, size: int) -> None:
    assert element_bytes(Fixed(width, width)) == size
