"""The same design with AXI4-Stream ports (Arm IHI 0051): a thin top around it.

In: a `Design`, and how wide the buses are. Out: more files, the top among them. Ports: `aclk`, `aresetn` (synchronous,
low for a reset), `s_axis_<input>_*` and `m_axis_<output>_*` with tvalid, tready, tdata and tlast, and `misplaced`, a
bit for each input (see `templates/rtl/axis_input.v`). An element takes 1, 2, 4 or 8 bytes, whichever holds it, so that
a beat is an array of ordinary integers. How beats lie in the words of a bus is a `Layout`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hlsflow.core import templates
from hlsflow.ir import Fixed
from hlsflow.ir.integers import ceil_div, tree_levels
from hlsflow.rtl.emit import Design, Port
from hlsflow.rtl.verilog import Value, instance, prefixed

AXIS_TOP = "axis_top"
PRIMITIVES = (
    "axis_input", "axis_output", "axis_split", "axis_join", "stream_collect", "stream_serialize", "step_counter",
    "increment",
)  # fmt: skip


@dataclass(frozen=True)
class Layout:
    """How the beats of a port lie in the words of its bus, all in bytes; `axis_input.v` follows the same rule.

    Attributes:
        port: of the design.
        bus: of a word.
    """

    port: Port
    bus: int

    @classmethod
    def of(cls, port: Port, bits: int | None) -> Layout:
        """On a bus of so many bits; None: of one as wide as a beat."""
        return cls(port, bits // 8 if bits else element_bytes(port.type) * port.lanes)

    @property
    def element(self) -> int:
        return element_bytes(self.port.type)

    @property
    def beat(self) -> int:
        """What a beat takes: whole words, or the least power of two that holds it."""
        own = self.element * self.port.lanes
        return ceil_div(own, self.bus) * self.bus if own >= self.bus else 1 << tree_levels(own)

    @property
    def words(self) -> int:
        """Words of a frame, which begins with a new one."""
        return ceil_div(self.port.beats, self.bus // self.beat or 1) * max(1, self.beat // self.bus)


def axis_top(design: Design, bits: int | None = None) -> dict[str, str]:
    """The files to be added to `design.files`; the top module is `axis_top`, behind the design's prefix.

    Args:
        bits: of tdata of all ports, a power of two from 8 to 512; None: as many as a beat of each port takes.
    """
    inputs = [Layout.of(port, bits) for port in design.inputs]
    outputs = [Layout.of(port, bits) for port in design.outputs]
    ports = [*_ports(inputs, "s", "input  wire", "output wire"), *_ports(outputs, "m", "output wire", "input  wire")]
    inner = "".join(_connection(port) for port in (*design.inputs, *design.outputs))
    body = [_input(port, number) for number, port in enumerate(inputs)] + [_output(port) for port in outputs]
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


def _ports(layouts: list[Layout], side: str, forth: str, back: str) -> Iterator[str]:
    for layout in layouts:
        port = layout.port
        name = f"{side}_axis_{port.name}"
        size = f"{port.beats} beats of {port.lanes} x {port.type}, {layout.words} words"
        yield f"    // a frame: {size}\n    {forth} {name}_tvalid"
        yield f"    {back} {name}_tready"
        yield f"    {forth} {name}_tlast"
        yield f"    {forth} [{8 * layout.bus - 1}:0] {name}_tdata"


def _connection(port: Port) -> str:
    return "".join(f",\n        .{port.name}_{key}({port.name}_{key})" for key in ("valid", "ready", "data"))


def _input(layout: Layout, number: int) -> str:
    port = layout.port
    return _wires(port) + instance(
        "axis_input",
        f"{port.name}_axis",
        _parameters(layout),
        _connections(port, "s") | {"misplaced": f"misplaced[{number}]"},
    )


def _output(layout: Layout) -> str:
    port = layout.port
    parameters = _parameters(layout) | {"SIGNED": int(port.type.signed)}
    return _wires(port) + instance("axis_output", f"{port.name}_axis", parameters, _connections(port, "m"))


def _wires(port: Port) -> str:
    name, bits = port.name, port.lanes * port.type.width
    return f"    wire {name}_valid, {name}_ready;\n    wire [{bits - 1}:0] {name}_data;\n"


def _parameters(layout: Layout) -> dict[str, Value]:
    port = layout.port
    return {
        "LANES": port.lanes,
        "WIDTH": port.type.width,
        "BYTES": layout.element,
        "BEATS": port.beats,
        "BUS": layout.bus,
    }


def _connections(port: Port, side: str) -> dict[str, str]:
    outer = {key: f"{side}_axis_{port.name}_{key}" for key in ("tvalid", "tready", "tlast", "tdata")}
    return {"clk": "aclk", "rst": "rst"} | outer | {key: f"{port.name}_{key}" for key in ("valid", "ready", "data")}
