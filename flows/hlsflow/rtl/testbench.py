"""A self-checking testbench in plain Verilog-2005, for any simulator.

In: a `Design`, integer samples and the results they must have. Out: file name to text: `testbench.v`, its two modules,
and the vectors as hexadecimal text, one beat a line, read from the current folder. It sends all frames at full speed,
then once more with pauses and back-pressure; it prints `PASS` or `FAIL` and stops.
"""

from __future__ import annotations

import numpy as np

from hlsflow.core import templates
from hlsflow.core.errors import DataError
from hlsflow.ir.fixed import Array
from hlsflow.ir.integers import ceil_div
from hlsflow.rtl.emit import Design, Port
from hlsflow.rtl.verilog import Value, instance, prefixed

TESTBENCH = "testbench"
MODULES = ("stream_source", "stream_check")
PATIENCE = 100
"""A pass fails after this many times the cycles it should take: with back-pressure a frame takes some four times as
long."""


def testbench(design: Design, x: Array, y: Array) -> dict[str, str]:
    """The files of a testbench for `design`, to be written beside its own.

    Args:
        design: what to test.
        x: integers on the inputs' grids, (n, total input values), n >= 1.
        y: the results expected, (n, total output values), such as `hlsflow.ir.evaluate(graph, x)`.

    Raises:
        DataError: shapes that do not fit, or values outside a port's type.
    """
    words = _vectors(design.inputs, x, "inputs") | _vectors(design.outputs, y, "results")
    if len(x) != len(y) or not len(x):
        raise DataError(f"{len(x)} samples do not go with {len(y)} results")
    modules = {f"{name}.v": templates.read(f"sim/{name}.v") for name in MODULES}
    modules = prefixed({f"{TESTBENCH}.v": _text(design, len(x)), **modules}, design.prefix)
    return {**modules, **{design.prefix + name: text for name, text in words.items()}}


def _vectors(ports: tuple[Port, ...], values: Array, what: str) -> dict[str, str]:
    """A file for each port: its beats of all frames, element 0 in the lowest bits."""
    sizes = [port.beats * port.lanes for port in ports]
    if values.ndim != 2 or values.shape[1] != sum(sizes):
        raise DataError(f"the design's {what} are rows of {sum(sizes)} values, got an array of shape {values.shape}")
    parts = np.split(values, np.cumsum(sizes)[:-1], axis=1)
    for port, part in zip(ports, parts, strict=True):
        if not port.type.holds(part):
            raise DataError(f"some {what} are outside the type {port.type} of '{port.name}'")
    return {f"{port.name}.hex": _hex(port, part) for port, part in zip(ports, parts, strict=True)}


def _hex(port: Port, values: Array) -> str:
    width, digits = port.type.width, ceil_div(port.lanes * port.type.width, 4)
    mask = (1 << width) - 1
    beats = values.reshape(-1, port.lanes).tolist()
    words = (sum((value & mask) << (width * lane) for lane, value in enumerate(beat)) for beat in beats)
    return "".join(f"{word:0{digits}x}\n" for word in words)


def _text(design: Design, frames: int) -> str:
    ports = (*design.inputs, *design.outputs)
    parts = [_wires(port) for port in ports]
    parts += [_source(port, frames, number, design.prefix) for number, port in enumerate(design.inputs)]
    parts += [_check(port, frames, number, design.prefix) for number, port in enumerate(design.outputs)]
    inner = "".join(f",\n        .{port.name}_{key}({port.name}_{key})" for port in ports for key in _KEYS)
    names = [port.name for port in design.outputs]
    return _TESTBENCH.format(
        name=TESTBENCH,
        streams="\n".join(parts),
        design=design.top,
        inner=inner,
        complete=" & ".join(f"{name}_complete" for name in names),
        errors=" + ".join(f"{name}_errors" for name in names),
        frames=frames,
        cycles=PATIENCE * (design.latency_cycles + frames * design.ii + 100),
    )


_KEYS = ("valid", "ready", "data")
_TESTBENCH = """\
// Sends the vectors of the .hex files through the design and compares the results: at full speed, then with pauses and
// back-pressure. Run it in the folder of the .hex files.
`default_nettype none
module {name};
    reg clk = 1'b0;
    always #5 clk = ~clk;
    reg rst = 1'b1;
    reg stall = 1'b0;
    integer cycle = 0;
{streams}
    {design} under_test (
        .clk(clk),
        .rst(rst){inner}
    );
    wire complete = {complete};
    wire [31:0] errors = {errors};
    always @(posedge clk) begin
        cycle <= cycle + 1;
        if (cycle == 4) rst <= 1'b0;
        if (~rst & (complete | cycle == {cycles})) begin
            if (~complete) $display("the results stop before the end");
            if (~stall & complete & errors == 0) begin
                stall <= 1'b1;
                rst   <= 1'b1;
                cycle <= 0;
            end else begin
                if (complete & errors == 0) $display("PASS: {frames} frames, twice");
                else                        $display("FAIL: %0d words differ", errors);
                $finish;
            end
        end
    end
endmodule
`default_nettype wire
"""


def _wires(port: Port) -> str:
    name = port.name
    return f"    wire {name}_valid, {name}_ready;\n    wire [{port.lanes * port.type.width - 1}:0] {name}_data;\n"


def _parameters(port: Port, frames: int, seed: int, prefix: str) -> dict[str, Value]:
    file = f'"{prefix}{port.name}.hex"'
    return {"WIDTH": port.lanes * port.type.width, "WORDS": frames * port.beats, "FILE": file, "SEED": seed}


def _connections(port: Port) -> dict[str, str]:
    return {"clk": "clk", "rst": "rst", "stall": "stall"} | {key: f"{port.name}_{key}" for key in _KEYS}


def _source(port: Port, frames: int, number: int, prefix: str) -> str:
    return instance(
        "stream_source", f"{port.name}_source", _parameters(port, frames, number, prefix), _connections(port)
    )


def _check(port: Port, frames: int, number: int, prefix: str) -> str:
    wires = f"    wire {port.name}_complete;\n    wire [31:0] {port.name}_errors;\n"
    parameters = _parameters(port, frames, number, prefix) | {"BEATS": port.beats, "NAME": f'"{port.name}"'}
    ports = _connections(port) | {key: f"{port.name}_{key}" for key in ("complete", "errors")}
    return wires + instance("stream_check", f"{port.name}_check", parameters, ports)
