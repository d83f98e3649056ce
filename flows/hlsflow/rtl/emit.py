"""A schedule to Verilog-2005, as plain data: file name to text.

In: a `Schedule`. Out: a `Design`: the primitives of `templates/rtl/` as they are, and one generated file with a flat
list of their instances and the contents of their ROMs. Nothing is read at run time, so that a design can be moved
without losing its weights.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from hlsflow.core import templates
from hlsflow.core.choices import Family, Strategy
from hlsflow.ir import Fixed, Node
from hlsflow.rtl.cores import Weighted
from hlsflow.rtl.cores.fold import LayerSchedule
from hlsflow.rtl.schedule import Schedule
from hlsflow.rtl.stages import emit_stage
from hlsflow.rtl.tile import beat_lanes, beats
from hlsflow.rtl.units import Stage, Unit
from hlsflow.rtl.verilog import Channel, Stream, Value, comment, identifier, instance, prefixed

ALWAYS = (
    "admission", "output_fifo", "step_counter", "increment", "vector_collect", "group_register", "cast_lanes",
    "fixed_cast", "leaky_slope", "table_lookup", "table_search",
)  # fmt: skip
"""Primitives that the pipeline around the cores may need."""

TOP = "top"


@dataclass(frozen=True)
class Port:
    """One stream of the top: ports `<name>_valid`, `<name>_ready` and `<name>_data`, element 0 lowest.

    Attributes:
        beats: of a frame.
        lanes, type: elements of a beat.
    """

    name: str
    beats: int
    lanes: int
    type: Fixed


@dataclass(frozen=True)
class Design:
    """A complete design, and what is needed to drive it.

    Attributes:
        top: name of the top module: ports clk, rst (synchronous), and those of `inputs` and `outputs`.
        files: file name to text; Verilog-2005.
        inputs, outputs: streams, in the order of the graph; called `in` and `out`, or `in0`, `in1` ... where there are
            several.
        latency_cycles, ii: as the schedule predicts.
        prefix: in front of the names of all modules and files.
    """

    top: str
    files: Mapping[str, str]
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    latency_cycles: int
    ii: int
    prefix: str = ""

    def digest(self) -> str:
        """A name for the exact content: equal designs have equal digests."""
        content = [self.top, sorted(self.files.items()), [str(port) for port in (*self.inputs, *self.outputs)]]
        return hashlib.sha256(json.dumps([content, self.latency_cycles, self.ii]).encode()).hexdigest()


def emit(plan: Schedule, *, layers: bool = True, prefix: str = "") -> Design:
    """The design of a scheduled graph.

    Args:
        plan: what to build.
        prefix: in front of the names of all modules and files, so that designs with different ones can be parts of
            one; such as "jets_".
        layers: False: without the stages of layers with weights, whose streams become ports of the top: what is left
            is what the layers, each a module of its own (`hlsflow.rtl.parts`), lack to be a design.

    A unit's pipeline runs freely: no stall signal reaches it, and its latency is constant. A vector is admitted every
    `interval` cycles at most, and only while each FIFO at the end has room for it and all those on their way; so
    back-pressure stops the admission, not the layers. That costs a FIFO and spares a clock enable that would have to
    reach every register in one cycle.
    """
    graph, units = plan.network.graph, plan.network.units
    used = {name for unit in units for name in unit.front.primitives}
    used |= {name for unit in units for stage in unit.stages if stage.core for name in stage.core.primitives}
    inputs, outputs = _ports("in", graph.inputs), _ports("out", graph.results)
    return Design(
        top=prefix + TOP,
        files=prefixed({f"{TOP}.v": _top(plan, inputs, outputs, layers), **primitives(used)}, prefix),
        inputs=inputs,
        outputs=outputs,
        latency_cycles=plan.latency_cycles,
        ii=plan.ii,
        prefix=prefix,
    )


def primitives(used: Iterable[str]) -> dict[str, str]:
    """File name → text of hand-written primitives, and of those that any pipeline may need."""
    return {f"{name}.v": templates.read(f"rtl/{name}.v") for name in sorted({*used, *ALWAYS})}


def for_family(files: Mapping[str, str], family: Family, prefix: str = "") -> dict[str, str]:
    """The files of a design or a part of one, with the primitives that the family has of its own.

    They give equal results in equal cycles, by cells that synthesis does not find by itself. Simulators need models of
    these cells, so what is simulated has the primitives for any family.

    Args:
        prefix: that of the design.
    """
    folder = templates.root() / "rtl" / family.value
    own = {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.v"))}
    plain = {name.removeprefix(prefix): text for name, text in files.items()}
    changed = prefixed({name: own.get(name, "") for name in plain}, prefix)
    return {name: changed[name] or text for name, text in files.items()}


def _ports(prefix: str, nodes: tuple[Node, ...]) -> tuple[Port, ...]:
    names = [prefix] if len(nodes) == 1 else [f"{prefix}{number}" for number in range(len(nodes))]
    return tuple(Port(name, beats(node), beat_lanes(node), node.type) for name, node in zip(names, nodes, strict=True))


def _top(plan: Schedule, inputs: tuple[Port, ...], outputs: tuple[Port, ...], layers: bool) -> str:
    units = range(len(plan.network.units))
    body = [text for number in units for text in _unit(plan, number, inputs, outputs, layers)]
    holes = [] if layers else [port for number in units for port in _holes(plan.network.units[number], number)]
    return _HEAD.format(
        graph=comment(plan.network.graph.name),
        layers="\n".join(_summary(layer) for layer in plan.layers),
        latency=plan.latency_cycles,
        ii=plan.ii,
        top=TOP,
        ports=",\n".join(
            [
                *_declared(inputs, "input  wire", "output wire"),
                *_declared(outputs, "output wire", "input  wire"),
                *holes,
            ]
        ),
        body="\n".join(body),
    )


_HEAD = """\
// {graph}: generated by hlsflow; the modules it instantiates are hand-written.
// Latency {latency} cycles, initiation interval {ii}.
{layers}
`default_nettype none
module {top} (
    input  wire clk,
    input  wire rst,
{ports}
);
{body}
endmodule
`default_nettype wire
"""


def _declared(ports: tuple[Port, ...], forth: str, back: str) -> Iterator[str]:
    for port in ports:
        bits = port.lanes * port.type.width
        what = comment(f"{port.beats} beats of {port.lanes} × {port.type}, element 0 in the least significant bits")
        yield f"    // {port.name}: {what}\n    {forth} {port.name}_valid"
        yield f"    {back} {port.name}_ready"
        yield f"    {forth} [{bits - 1}:0] {port.name}_data"


def _summary(layer: LayerSchedule) -> str:
    work = f"{layer.inputs_per_cycle} x {layer.outputs_per_cycle} products a cycle ({layer.multiplier})"
    if layer.strategy is Strategy.LATENCY:
        work = f"{layer.adders} adders"
    head = f"//   {comment(layer.name)}: {layer.n_in} -> {layer.n_out}, reuse factor {layer.granted}"
    return f"{head}, {work}, latency {layer.latency_cycles}"


def _unit(
    plan: Schedule, number: int, inputs: tuple[Port, ...], outputs: tuple[Port, ...], layers: bool
) -> Iterator[str]:
    unit = plan.network.units[number]
    name = identifier(number, unit.name)
    vectors = Channel.named(f"{name}_front", unit.front.vector_bits)
    yield vectors.declare() + unit.front.emit(_sources(plan, number, inputs), vectors, f"{name}_take")
    yield _admission(unit, plan.depths[number], vectors, name)
    stream = Stream(f"{name}_accept", "1'b1", vectors.data, unit.lanes, unit.type)
    for index, stage in enumerate(unit.stages):
        with_core = layers or not isinstance(stage.core, Weighted)
        text, stream = (emit_stage if with_core else _hole)(stage, stream, _stage_name(number, index, stage))
        yield text
    for index, (depth, sink) in enumerate(zip(plan.depths[number], _sinks(plan, number, outputs), strict=True)):
        yield _fifo(stream, depth, sink, f"{name}_released[{index}]", f"{name}_fifo{index}")


def _stage_name(number: int, index: int, stage: Stage) -> str:
    """Of a stage's instances and wires: it tells the layer."""
    return identifier(f"{number}_{index}", stage.name)


def _hole(stage: Stage, stream: Stream, name: str) -> tuple[str, Stream]:
    """A stage that is left out: what it would read goes to ports, what it would make comes from there."""
    text = f"    assign {name}_reads_valid = {stream.valid};\n    assign {name}_reads_data = {stream.data};\n"
    return text, Stream(f"{name}_makes_valid", "1'b1", f"{name}_makes_data", stage.n, stage.result)


def _holes(unit: Unit, number: int) -> Iterator[str]:
    """The ports in the place of the stages of layers with weights."""
    for index, stage in enumerate(unit.stages):
        if isinstance(stage.core, Weighted):
            name = _stage_name(number, index, stage)
            lanes, kind = unit.entering(index)
            yield f"    output wire {name}_reads_valid,\n    output wire [{lanes * kind.width - 1}:0] {name}_reads_data"
            bits = stage.n * stage.result.width
            yield f"    input  wire {name}_makes_valid,\n    input  wire [{bits - 1}:0] {name}_makes_data"


def _link(plan: Schedule, source: int, reader: tuple[int, int]) -> Channel:
    """The wires between a unit and a reader."""
    return Channel.named(f"link{source}_{reader[0]}_{reader[1]}", plan.network.units[source].result_bits)


def _sources(plan: Schedule, number: int, inputs: tuple[Port, ...]) -> list[Channel]:
    return [
        _link(plan, source, (number, slot)) if source >= 0 else _outside(inputs[~source])
        for slot, source in enumerate(plan.network.units[number].inputs)
    ]


def _sinks(plan: Schedule, number: int, outputs: tuple[Port, ...]) -> list[Channel]:
    readers = plan.network.readers(number)
    return [_link(plan, number, reader) if reader[0] >= 0 else _outside(outputs[reader[1]]) for reader in readers]


def _outside(port: Port) -> Channel:
    return Channel.named(port.name, port.lanes * port.type.width)


def _admission(unit: Unit, depths: tuple[int, ...], vectors: Channel, name: str) -> str:
    credits = ", ".join(f"32'd{depth}" for depth in reversed(depths))
    parameters: dict[str, Value] = {"INTERVAL": unit.interval, "READERS": len(depths), "CREDITS": f"{{{credits}}}"}
    ports = {"clk": "clk", "rst": "rst", "in_valid": vectors.valid, "in_ready": vectors.ready}
    ports |= {"accept": f"{name}_accept", "released": f"{name}_released"}
    wires = f"    wire {name}_accept;\n    wire [{len(depths) - 1}:0] {name}_released;\n"
    return wires + instance("admission", f"{name}_admit", parameters, ports)


def _fifo(stream: Stream, depth: int, sink: Channel, released: str, name: str) -> str:
    wires = sink.declare() if sink.valid.startswith("link") else ""
    ports = {"clk": "clk", "rst": "rst", "write": stream.valid, "in_data": stream.data, "released": released}
    return wires + instance("output_fifo", name, {"WIDTH": stream.bits, "DEPTH": depth}, ports | sink.ports("out"))
