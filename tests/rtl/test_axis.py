"""The AXI4-Stream top: the same results, elements as whole bytes, TLAST with the last beat of a frame."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hlsflow.ir import Fixed, Graph, Node, Op, evaluate, verify
from hlsflow.rtl import Design, LayerKnobs, Port, emit, schedule, simulate
from hlsflow.rtl.axis import Layout, axis_top, element_bytes
from tests.ir.random_graphs import batch
from tests.rtl.networks import chain, dense
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


def bytes_of(values: np.ndarray, layout: Layout) -> np.ndarray:
    """(n, beats, lanes) integers as the bytes of whole words, (n, words, bus)."""
    port = layout.port
    raw = values.astype(f"<i{layout.element}").view(np.uint8).reshape(len(values), port.beats, -1)
    frame = np.zeros((len(values), layout.words * layout.bus), np.uint8)
    for beat in range(port.beats):
        word, part = divmod(beat, max(1, layout.bus // layout.beat))
        start = word * max(layout.bus, layout.beat) + part * layout.beat
        frame[:, start : start + raw.shape[2]] = raw[:, beat]
    return frame.reshape(len(values), layout.words, layout.bus)


BUS_AROUND = """\
module around (
    input clk, input rst,
    input in_valid, output in_ready, input [{bits}+7:0] in_data,
    output out_valid, input out_ready, output [{bits}+15:0] out_data
);
    wire last, misplaced;
    wire [{bits}-1:0] data;
    axis_top axis (
        .aclk(clk), .aresetn(~rst), .misplaced(misplaced),
        .s_axis_in_tvalid(in_valid), .s_axis_in_tready(in_ready), .s_axis_in_tlast(in_data[{bits}]),
        .s_axis_in_tdata(in_data[{bits}-1:0]),
        .m_axis_out_tvalid(out_valid), .m_axis_out_tready(out_ready), .m_axis_out_tlast(last), .m_axis_out_tdata(data)
    );
    reg past;
    always @(posedge clk) past <= ~rst & (past | (out_valid & out_ready & last));
    assign out_data = {{7'd0, past & misplaced, 7'd0, last, data}};
endmodule
"""

PIXELS = Fixed(6, 3)
IMAGE = Graph(
    "image",
    (Node("x", Op.INPUT, (), (1, 5, 3), PIXELS), Node("y", Op.RELU, ("x",), (1, 5, 3), Fixed(9, 4))),
    ("y",),
)
"""Five beats of 3 bytes, and of 3 elements of 2 bytes."""
VECTOR = chain(5, "fixed<7,3>", dense(3, "fixed<18,9>", "fixed<18,9>"))
"""One beat of 5 bytes, and one of 3 elements of 4 bytes."""
WORDS = {
    ("image", 8): (15, 30), ("image", 16): (10, 15), ("image", 32): (5, 10), ("image", 64): (3, 5),
    ("image", 128): (2, 3), ("image", 512): (1, 1),
    ("vector", 8): (5, 12), ("vector", 32): (2, 3), ("vector", 64): (1, 2), ("vector", 128): (1, 1),
}  # fmt: skip
"""Words of a frame, in and out, counted by hand: 3 bytes take 4 of a wider bus, 6 take 8."""


def through_a_bus(name: str, bits: int, misplaced: bool, folder: Path) -> np.ndarray:
    """(6, words, bus + 2): the words of each frame that come out, TLAST, and after the first frame `misplaced`.

    All but the last are checked here.
    """
    graph = verify({"image": IMAGE, "vector": VECTOR}[name])
    design = emit(schedule(graph, {}, LayerKnobs(1)))
    into, out = (Layout.of(port, bits) for port in (*design.inputs, *design.outputs))
    assert (into.words, out.words) == WORDS[name, bits]
    bus = replace(
        design,
        top="around",
        files={"around.v": BUS_AROUND.format(bits=bits), **design.files, **axis_top(design, bits)},
        inputs=(Port("in", into.words, into.bus + 1, Fixed(8, 8, signed=False)),),
        outputs=(Port("out", out.words, out.bus + 2, Fixed(8, 8, signed=False)),),
    )
    x = batch(np.random.default_rng(0), graph, 6)
    last = np.zeros((len(x), into.words, 1), np.uint8)
    last[:, -1] = 1
    last[0, 0] |= misplaced
    frames = np.concatenate([bytes_of(x.reshape(len(x), into.port.beats, -1), into), last], axis=2)
    outputs = simulate(bus, frames.reshape(len(x), -1).astype(np.int64), folder).outputs
    result = outputs.reshape(len(x), out.words, -1)
    y = evaluate(graph, x).reshape(len(x), out.port.beats, -1)
    np.testing.assert_array_equal(result[..., :-2], bytes_of(y, out))
    np.testing.assert_array_equal(result[..., -2], np.tile(np.arange(out.words) == out.words - 1, (len(x), 1)))
    return result


@pytest.mark.parametrize(("name", "bits"), WORDS)
def test_a_bus_of_another_width_carries_the_same_frames(name: str, bits: int, tmp_path: Path) -> None:
    assert not through_a_bus(name, bits, False, tmp_path)[..., -1].any()


@pytest.mark.parametrize(("name", "bits"), [("image", 16), ("image", 64), ("vector", 32)])
def test_tlast_within_a_frame_is_seen_on_any_bus(name: str, bits: int, tmp_path: Path) -> None:
    """It comes with the first of several words: of a beat, or of the frame."""
    assert through_a_bus(name, bits, True, tmp_path)[1:, :, -1].all()


@pytest.mark.parametrize(("width", "size"), [(1, 1), (8, 1), (9, 2), (16, 2), (17, 4), (33, 8), (62, 8)])
def test_elements_are_ordinary_integers(width: int, size: int) -> None:
    assert element_bytes(Fixed(width, width)) == size
