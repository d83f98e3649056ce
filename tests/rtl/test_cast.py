"""`fixed_cast.v` in every rounding and overflow mode equals `Fixed.cast`, for every value of a 9-bit input."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hlsflow.core import templates
from hlsflow.ir import Fixed, Overflow, Rounding
from hlsflow.rtl import Design, Port, simulate

INPUT = Fixed(9, 9)
LANE = 16
MODULES = ("fixed_cast", "admission", "output_fifo", "step_counter", "increment")


@dataclass(frozen=True)
class Variant:
    """One instance: how it reads the nine bits, and what it makes of them."""

    signed: bool
    drop: int
    relu: bool
    result: Fixed


def variants() -> Iterator[Variant]:
    shapes = [(0, 9), (0, 5), (1, 8), (3, 5), (3, 1), (4, 3), (9, 2), (12, 4), (-2, 6), (-2, 12)]
    signs = list(itertools.product((True, False), (True, False), (True, False)))
    for number, (rounding, overflow, (drop, width)) in enumerate(itertools.product(Rounding, Overflow, shapes)):
        for source, result, relu in (signs[number % 8], signs[(number + 3) % 8]):
            yield Variant(source, drop, relu, Fixed(width, width + drop, result, rounding, overflow))


def instance(number: int, variant: Variant) -> str:
    kind = variant.result
    sign = f"wide{number}[{kind.width - 1}]" if kind.signed else "1'b0"
    return f"""
    wire [{kind.width - 1}:0] wide{number};
    fixed_cast #(.IN_WIDTH(9), .IN_SIGNED({int(variant.signed)}), .DROP({variant.drop}), .RELU({int(variant.relu)}),
        .OUT_WIDTH({kind.width}), .OUT_SIGNED({int(kind.signed)}), .ROUNDING("{kind.rounding}"),
        .OVERFLOW("{kind.overflow}")) cast{number} (.in(in_data), .out(wide{number}));
    assign results[{LANE * number} +: {LANE}] = {{{{{LANE}{{{sign}}}}}, wide{number}}};"""


def design(chosen: list[Variant]) -> Design:
    bits = LANE * len(chosen)
    top = f"""
module casts (input clk, input rst, input in_valid, output in_ready, input [8:0] in_data,
              output out_valid, input out_ready, output [{bits - 1}:0] out_data);
    wire accept, released;
    wire [{bits - 1}:0] results;
    admission #(.INTERVAL(1), .CREDITS(2)) admit (.clk(clk), .rst(rst), .in_valid(in_valid), .in_ready(in_ready),
        .accept(accept), .released(released));
    output_fifo #(.WIDTH({bits}), .DEPTH(2)) fifo (.clk(clk), .rst(rst), .write(accept), .in_data(results),
        .out_valid(out_valid), .out_ready(out_ready), .out_data(out_data), .released(released));
{"".join(instance(*item) for item in enumerate(chosen))}
endmodule
"""
    files = {"casts.v": top} | {f"{name}.v": templates.read(f"rtl/{name}.v") for name in MODULES}
    return Design("casts", files, (Port("in", 1, 1, INPUT),), (Port("out", 1, len(chosen), Fixed(LANE, LANE)),), 1, 1)


def expected(variant: Variant, x: np.ndarray) -> np.ndarray:
    values = x if variant.signed else x & 511
    return variant.result.cast(np.maximum(values, 0) if variant.relu else values, 0)


def test_all_modes_equal_the_oracle(tmp_path: Path) -> None:
    chosen = list(variants())
    x = np.arange(INPUT.min, INPUT.max + 1)
    result = simulate(design(chosen), x[:, None], tmp_path)
    wrong = [
        variant
        for number, variant in enumerate(chosen)
        if not np.array_equal(result.outputs[:, number], expected(variant, x))
    ]
    assert wrong == []
    assert len(chosen) == 7 * 4 * 10 * 2
    assert set(result.ends - result.begins) == {1}
