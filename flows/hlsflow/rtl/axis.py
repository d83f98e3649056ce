"""The same design with AXI4-Stream ports (Arm IHI 0051): a thin top around it.

In: a `Design`. Out: more files, the top among them. Ports: `aclk`, `aresetn` (synchronous, low for a reset),
`s_axis_<input>_*` and `m_axis_<output>_*` with tvalid, tready, tdata and tlast, and `misplaced`, a bit for each input
(see `templates/rtl/axis_input.v`). An element takes 1, 2, 4 or 8 bytes, whichever holds it, so that `tdata` is an array
of ordinary integers.
"""

from __future__ import annotations

from collections.abc import Iterator

from hlsflow.core import templates
from hlsflow.ir import Fixed
from hlsflow.rtl.emit import Design, Port
from hlsflow.rtl.verilog import Value, instance, prefixed

AXIS_TOP = "axis_top"
PRIMITIVES = ("axis_input", "axis_output", "step_counter", "increment")


def axis_top(design: Design) -> dict[str, str]:
    """The files to be added to `design.files`; the top module is `axis_top`, behind the design's prefix."""
    ports = [
        *_ports(design.inputs, "s", "input  wire", "output wire"),
        *_ports(design.outputs, "m", "output wire", "input  wire"),
    ]
    inner = "".join(_connection(port) for port in (*design.inputs, *design.outputs))
    body = [_input(port, number) for number, port in enumerate(design.inputs)] + [_output(p) for p in design.outputs]
    text = _TOP.format(
        top=AXIS_TOP,
        ports=",\n".join(ports),
        inputs=len(design.inputs),
        design=design.top,
        inner=inner,
        body="\n".join(body),
    )
    files = {f"{AXIS_TOP}.v": text, **{f"{name}.v": templates.read(f"rtl/{name}.v") for name in PRIMITIVES}}
    return prefixed(files, design.prefix)


_TOP = """\
// The design with AXI4-Stream ports; see axis_input.v and axis_output.v for the layout of tdata, and for TLAST.
`default_nettype none
module {top} (
    input  wire aclk,
    input  wire aresetn,
{ports},
    output wire [{inputs}-1:0] misplaced
);
    wire rst = ~aresetn;
{body}
    {design} streams (
        .clk(aclk),
        .rst(rst){inner}
    );
endmodule
`default_nettype wire
"""


def element_bytes(kind: Fixed) -> int:
    """Bytes of an element of tdata."""
    return next(size for size in (1, 2, 4, 8) if 8 * size >= kind.width)


def _ports(ports: tuple[Port, ...], side: str, forth: str, back: str) -> Iterator[str]:
    for port in ports:
        name = f"{side}_axis_{port.name}"
        bits = 8 * element_bytes(port.type) * port.lanes
        yield f"    // {port.beats} beats of {port.lanes} x {port.type} a frame\n    {forth} {name}_tvalid"
        yield f"    {back} {name}_tready"
        yield f"    {forth} {name}_tlast"
        yield f"    {forth} [{bits - 1}:0] {name}_tdata"


def _connection(port: Port) -> str:
    return "".join(f",\n        .{port.name}_{key}({port.name}_{key})" for key in ("valid", "ready", "data"))


def _input(port: Port, number: int) -> str:
    return _wires(port) + instance(
        "axis_input",
        f"{port.name}_axis",
        _parameters(port),
        _connections(port, "s") | {"misplaced": f"misplaced[{number}]"},
    )


def _output(port: Port) -> str:
    parameters = _parameters(port) | {"SIGNED": int(port.type.signed)}
    return _wires(port) + instance("axis_output", f"{port.name}_axis", parameters, _connections(port, "m"))


def _wires(port: Port) -> str:
    name, bits = port.name, port.lanes * port.type.width
    return f"    wire {name}_valid, {name}_ready;\n    wire [{bits - 1}:0] {name}_data;\n"


def _parameters(port: Port) -> dict[str, Value]:
    return {"LANES": port.lanes, "WIDTH": port.type.width, "BYTES": element_bytes(port.type), "BEATS": port.beats}


def _connections(port: Port, side: str) -> dict[str, str]:
    outer = {key: f"{side}_axis_{port.name}_{key}" for key in ("tvalid", "tready", "tlast", "tdata")}
    return {"clk": "aclk", "rst": "rst"} | outer | {key: f"{port.name}_{key}" for key in ("valid", "ready", "data")}
