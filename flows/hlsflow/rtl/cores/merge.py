"""Merges of two streams value by value, and concatenations along the last axis.

In: a node and the nodes it reads; their beats stand side by side in a vector, input 0 lowest. Out: a core.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from operator import add, mul, sub

from hlsflow.ir import Fixed, Node, Op
from hlsflow.rtl.cores.parallel import Parallel
from hlsflow.rtl.lanes import Cast, emit
from hlsflow.rtl.tile import beat_lanes, pixels
from hlsflow.rtl.verilog import Stream, Value, instance

_FUNCTIONS: Mapping[Op, tuple[str, Callable[[int, int], int]]] = {
    Op.ADD: ("ADD", add),
    Op.SUBTRACT: ("SUBTRACT", sub),
    Op.MULTIPLY: ("MULTIPLY", mul),
    Op.AVERAGE: ("ADD", add),
    Op.MAXIMUM: ("MAXIMUM", max),
    Op.MINIMUM: ("MINIMUM", min),
}
"""Operation → what `merge_lanes.v` does, and the same on integers."""


def merge_core(node: Node, sources: Sequence[Node]) -> Parallel:
    """The core of a merge; its results are exact. Latency: 1 cycle."""
    kinds = [source.type for source in sources]
    operation, function = _FUNCTIONS[node.op]
    finest = max(kind.frac for kind in kinds)
    shifts = [0 if node.op is Op.MULTIPLY else finest - kind.frac for kind in kinds]
    ends = [(kind.min << shift, kind.max << shift) for kind, shift in zip(kinds, shifts, strict=True)]
    corners = [function(a, b) for a, b in product(*ends)]
    frac = sum(kind.frac for kind in kinds) if node.op is Op.MULTIPLY else finest + (node.op is Op.AVERAGE)
    result = Fixed.spanning(min(corners), max(corners), frac)
    parameters: dict[str, Value] = {"OPERATION": f'"{operation}"', "LANES": beat_lanes(node), "OUT_WIDTH": result.width}
    for letter, kind, shift in zip("AB", kinds, shifts, strict=True):
        parameters |= {f"{letter}_WIDTH": kind.width, f"{letter}_SIGNED": int(kind.signed), f"{letter}_SHIFT": shift}
    primitives = ("merge_lanes", "multiply_dsp", "delay_line")
    return Parallel(node.name, "merge_lanes", primitives, beat_lanes(node), result, 1, parameters)


@dataclass(frozen=True, eq=False)
class Concat:
    """The lanes of several inputs, each cast to one type; see `hlsflow.rtl.cores.core.Core` for what is not said
    here.
    """

    name: str
    counts: tuple[int, ...]
    casts: tuple[Cast, ...]
    result: Fixed
    order: tuple[int, ...] = ()

    primitives = ("cast_lanes", "fixed_cast", "group_register")
    groups = 1
    interval = 1
    latency = 1

    @property
    def n_out(self) -> int:
        return sum(self.counts)

    @property
    def lanes(self) -> int:
        return self.n_out

    def emit(self, vector: Stream, name: str) -> tuple[str, Stream]:
        text, start = "", 0
        parts: list[str] = []
        for number, (count, cast) in enumerate(zip(self.counts, self.casts, strict=True)):
            bits = count * cast.source.width
            part = replace(vector, data=f"{vector.data}[{start} +: {bits}]", lanes=count, type=cast.source)
            cast_text, result = emit(cast, part, f"{name}_in{number}")
            parts.insert(0, result.data)
            text, start = text + cast_text, start + bits
        out = Stream(f"{name}_valid", f"{name}_last", f"{name}_results", self.n_out, self.result)
        ports = {"clk": "clk", "rst": "rst", "in_valid": vector.valid, "in_last": "1'b1"}
        ports |= {"in": "{" + ", ".join(parts) + "}", "out_valid": out.valid, "out_last": out.last, "out": out.data}
        return text + out.declare() + instance("group_register", name, {"WIDTH": out.bits}, ports), out


def concat_core(node: Node, sources: Sequence[Node]) -> Concat:
    """The core of a concatenation along the last axis. Latency: 1 cycle."""
    casts = tuple(Cast(source.name, source.type, node.type) for source in sources)
    counts = tuple(beat_lanes(source) for source in sources)
    return Concat(node.name, counts, casts, node.type, _pixels_together(node, sources))


def _pixels_together(node: Node, sources: Sequence[Node]) -> tuple[int, ...]:
    """Places of the values, which come by sources and then by pixels, in a result that has them by pixels."""
    if pixels(node) == 1:
        return ()
    channels = [source.shape[-1] for source in sources]
    starts = [sum(channels[:number]) for number in range(len(channels))]
    return tuple(
        pixel * node.shape[-1] + start + channel
        for start, count in zip(starts, channels, strict=True)
        for pixel in range(pixels(node))
        for channel in range(count)
    )
