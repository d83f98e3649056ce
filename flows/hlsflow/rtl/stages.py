"""One stage of a pipeline as Verilog text: a core, the lane-wise operations behind it, and its result put together.

In: a `Stage` and the stream of vectors that it reads. Out: text, and the stream of its results.
"""

from __future__ import annotations

from dataclasses import replace

from hlsflow.rtl import lanes
from hlsflow.rtl.cores import Reordering
from hlsflow.rtl.units import Stage
from hlsflow.rtl.verilog import Stream, instance


def emit_stage(stage: Stage, stream: Stream, name: str) -> tuple[str, Stream]:
    parts: list[str] = []
    if stage.core:
        text, stream = stage.core.emit(stream, name)
        parts.append(text)
    for number, (operation, registered) in enumerate(zip(stage.operations, stage.registered, strict=True)):
        if registered:
            text, stream = _register(stream, f"{name}_{number}_registered")
            parts.append(text)
        text, stream = lanes.emit(operation, stream, f"{name}_{number}")
        parts.append(text)
    if stage.ends_registered:
        text, stream = _register(stream, f"{name}_registered")
        parts.append(text)
    if stage.core:
        text, stream = _collect(stage, stage.core.groups, stream, name)
        parts.append(text)
    if order := _order(stage.core):
        text, stream = _reorder(order, stream, f"{name}_ordered")
        parts.append(text)
    return "\n".join(parts), stream


def _register(stream: Stream, name: str) -> tuple[str, Stream]:
    result = Stream(f"{name}_valid", f"{name}_last", f"{name}_values", stream.lanes, stream.type)
    ports = {"clk": "clk", "rst": "rst", "in_valid": stream.valid, "in_last": stream.last, "in": stream.data}
    ports |= {"out_valid": result.valid, "out_last": result.last, "out": result.data}
    return result.declare() + instance("group_register", name, {"WIDTH": stream.bits}, ports), result


def _collect(stage: Stage, groups: int, stream: Stream, name: str) -> tuple[str, Stream]:
    result = Stream(f"{name}_vector_valid", "1'b1", f"{name}_vector", stage.n, stream.type)
    wires = f"    wire {result.valid};\n    wire [{result.bits - 1}:0] {result.data};\n"
    parameters = {"LANES": stream.lanes, "GROUPS": groups, "WIDTH": stream.type.width, "N": stage.n}
    ports = {"clk": "clk", "group_valid": stream.valid, "group_last": stream.last, "group": stream.data}
    ports |= {"valid": result.valid, "vector": result.data}
    return wires + instance("vector_collect", f"{name}_collect", parameters, ports), result


def _order(core: object) -> tuple[int, ...] | None:
    return core.order if isinstance(core, Reordering) else None


def _reorder(order: tuple[int, ...], stream: Stream, name: str) -> tuple[str, Stream]:
    """Value k of a vector to place order[k]."""
    result, width = replace(stream, data=name), stream.type.width
    places = sorted(range(len(order)), key=order.__getitem__, reverse=True)
    values = ", ".join(f"{stream.data}[{place * width} +: {width}]" for place in places)
    return f"    wire [{result.bits - 1}:0] {name} = {{{values}}};\n", result
