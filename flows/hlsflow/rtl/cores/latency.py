"""Weighted sums of a vector every cycle, without multipliers: an adder graph as a pipeline.

In: the sums of a layer and the pipeline asked. Out: `LatencyCore`, which writes its adders as plain Verilog: unlike the
folded cores it is different for every matrix, so that there is no primitive to instantiate.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from hlsflow.core.choices import Multiplier, Strategy
from hlsflow.ir.integers import ceil_div, trailing_zeros
from hlsflow.rtl.cores.adder_graph import Adder, AdderGraph, Operand, adder_graph
from hlsflow.rtl.cores.fold import LayerSchedule
from hlsflow.rtl.cores.planned import Planned
from hlsflow.rtl.cores.sums import Sums
from hlsflow.rtl.knobs import LayerKnobs, Pipeline
from hlsflow.rtl.verilog import Stream, instance

LARGEST = 8192
"""Weights of the largest matrix that becomes an adder graph: the search takes 10 s for 2,048, and grows as a square."""


def adder_graph_suits(sums: Sums, knobs: LayerKnobs) -> bool:
    """Whether a layer becomes an adder graph: asked for it, with exact products, and small enough to search."""
    asked = knobs.strategy is Strategy.LATENCY and knobs.reuse_factor == 1
    return asked and sums.drop <= 0 and sums.weight.size <= LARGEST


def latency_core(sums: Sums, knobs: LayerKnobs, pipeline: Pipeline, pixels: int = 1) -> LatencyCore:
    """The core of a layer that an adder graph suits.

    Inputs are registered, and then the values after every levels_per_stage levels of adders and the sums, so

        latency = 1 + ceil(depth / levels_per_stage)
    """
    return _core(sums, knobs.multiplier, pipeline, pixels)


def _core(sums: Sums, multiplier: Multiplier, pipeline: Pipeline, pixels: int) -> LatencyCore:
    graph = adder_graph(sums.weight << -sums.drop, sums.bias, sums.source)
    n_in, n_out = sums.weight.shape
    stages = ceil_div(graph.depth, pipeline.levels_per_stage)
    plan = LayerSchedule(
        name=sums.node.name,
        n_in=n_in,
        n_out=n_out,
        asked=1,
        granted=1,
        inputs_per_cycle=n_in,
        outputs_per_cycle=n_out,
        steps=1,
        groups=1,
        multiplier=multiplier,
        multipliers=0,
        multiply_latency=0,
        tree_latency=stages,
        pipeline=pipeline,
        latency_cycles=1 + stages,
        strategy=Strategy.LATENCY,
        adders=sum(not graph.is_wiring(node) for node in graph.adders),
        pixels=pixels,
    )
    return LatencyCore(sums, plan, graph)


@dataclass(frozen=True, eq=False)
class LatencyCore(Planned):
    """An adder graph in stages: stage 0 reads registers that hold the inputs."""

    graph: AdderGraph

    primitives = ("delay_line",)

    def raised(self, amount: int) -> LatencyCore | None:
        """A core whose sums are all larger by `amount`; None where they would wrap, or where it is no gain.

        A bias that was for nothing may need an adder then, of about twice the bits that a cast saves.
        """
        sums = self.sums.raised(amount)
        plan = self.plan
        core = _core(sums, plan.multiplier, plan.pipeline, plan.pixels) if sums else None
        return core if core and 2 * (core.plan.adders - plan.adders) <= plan.n_out else None

    def emit(self, vector: Stream, name: str) -> tuple[str, Stream]:
        out = Stream(f"{name}_valid", "1'b1", f"{name}_sums", self.lanes, self.result)
        wires = f"    wire {out.valid};\n    wire [{out.bits - 1}:0] {out.data};\n"
        ports = {"clk": "clk", "rst": "rst", "in": vector.valid, "out": out.valid}
        later = instance("delay_line", f"{name}_later", {"CYCLES": self.latency, "RESET": 1}, ports)
        texts = [_Text(self, vector.data, name, pixel) for pixel in range(self.plan.pixels)]
        return wires + later + "".join(line for text in texts for line in text.lines(out.data)), out


@dataclass(frozen=True, eq=False)
class _Text:
    """The Verilog of one core, for one of its pixels."""

    core: LatencyCore
    vector: str
    name: str
    pixel: int

    def lines(self, sums: str) -> Iterator[str]:
        graph = self.core.graph
        for node in range(graph.n_in):
            if node in self.last_read:
                place = self.pixel * graph.n_in + node
                low, width = place * self.core.sums.source.width, self.widths[node]
                yield from self.registers(node, f"{self.vector}[{low} +: {width}]", 0)
        for node, adder in graph.adders.items():
            if node in self.last_read:
                yield self.adder(node, adder)
                yield from self.registers(node, self.wire(node), self.stage(node) + 1)
        width = self.core.result.width
        for number, (operand, below) in enumerate(graph.sums, self.pixel * len(graph.sums)):
            target = f"{sums}[{number * width} +: {width}]"
            yield f"    assign {target} = {self.sum(operand, below, width)};\n"

    def sum(self, operand: Operand | None, below: int, width: int) -> str:
        """A sum as it leaves the last registers."""
        if operand is None or operand.shift >= width:
            return _literal(below, width)
        zeros = max(operand.shift, 0)
        lowest = [_literal(below, zeros)] if zeros else []
        return _concat([*lowest, *self.bits(operand, self.core.plan.tree_latency, zeros, width)])

    def adder(self, node: int, adder: Adder) -> str:
        """One addition. The bits below a shifted operand pass, unless they are subtracted."""
        width, stage, (first, *_) = self.widths[node], self.stage(node), adder.operands
        passed = min(self.passed(adder), width - 1)
        terms = [self.term(operand, stage, passed, width) for operand in adder.operands]
        if adder.offset or len(terms) == 1:
            terms.append(("+", _literal(adder.offset >> passed, width - passed)))
        terms.sort(key=lambda term: term[0] == "-")
        (_, plus), (sign, other) = terms
        name, high = self.wire(node), width - passed - 1
        # Kept, so that adders in a row are not fused into carry-save adders (see adder_tree.v).
        text = f"    (* keep *) wire [{high}:0] {name}h = {plus} {sign} {other};\n"
        below = self.bits(first, stage, 0, passed) if passed else []
        return text + f"    wire [{width - 1}:0] {name} = {_concat([*below, f'{name}h'])};\n"

    def passed(self, adder: Adder) -> int:
        first, *others = adder.operands
        if first.negative or first.shift:
            return 0
        return others[0].shift if others else trailing_zeros(adder.offset)

    def term(self, operand: Operand, stage: int, low: int, high: int) -> tuple[str, str]:
        return "-" if operand.negative else "+", _concat(self.bits(operand, stage, low, high))

    def registers(self, node: int, value: str, first: int) -> Iterator[str]:
        """The value of a node in each later stage that reads it, or one after it."""
        width = self.widths[node]
        for stage in range(first, self.last_read[node] + 1):
            register = self.wire(node, stage)
            yield f"    reg [{width - 1}:0] {register};\n    always @(posedge clk) {register} <= {value};\n"
            value = register

    def wire(self, node: int, stage: int = -1) -> str:
        pixel = f"_pixel{self.pixel}" if self.core.plan.pixels > 1 else ""
        return f"{self.name}{pixel}_n{node}" + (f"_{stage}" if stage >= 0 else "")

    def bits(self, operand: Operand, stage: int, low: int, high: int) -> list[str]:
        """Bits low..high-1 of node * 2**shift, endless at both ends, in pieces from the lowest one."""
        low, high = low - operand.shift, high - operand.shift
        zeros = [_literal(0, min(high, 0) - low)] if low < 0 else []
        return [*zeros, *self.own_bits(operand.node, stage, max(low, 0), high)] if high > 0 else zeros

    def own_bits(self, node: int, stage: int, low: int, high: int) -> list[str]:
        graph = self.core.graph
        if graph.is_wiring(node):
            return self.above(graph.adders[node], stage, low, high)
        width, full = self.widths[node], graph.width(node)
        source = self.wire(node, stage if stage > self.stage(node) else -1)
        pieces = [f"{source}[{min(high, width) - 1}:{low}]"] if low < width else []
        extension = high - max(low, full)
        if extension > 0:
            signed = graph.bounds[node][0] < 0
            pieces.append(f"{{{extension}{{{source}[{full - 1}]}}}}" if signed else _literal(0, extension))
        return pieces

    def above(self, adder: Adder, stage: int, low: int, high: int) -> list[str]:
        """Bits of a value plus a multiple of a power of two above all its bits but the sign."""
        (operand,), graph = adder.operands, self.core.graph
        width = graph.width(operand.node)
        own = self.own_bits(operand.node, stage, low, min(high, width)) if low < width else []
        start, count = max(low, width), high - max(low, width)
        if count <= 0:
            return own
        positive = adder.offset >> start
        negative = (adder.offset - (1 << width)) >> start
        if graph.bounds[operand.node][0] >= 0:
            return [*own, _literal(positive, count)]
        (sign,) = self.own_bits(operand.node, stage, width - 1, width)
        return [*own, f"({sign} ? {_literal(negative, count)} : {_literal(positive, count)})"]

    def stage(self, node: int) -> int:
        """The stage that computes a node; -1 for inputs."""
        level = self.core.graph.levels[node]
        return (level - 1) // self.core.plan.pipeline.levels_per_stage

    @cached_property
    def widths(self) -> dict[int, int]:
        """Bits of each node that reach a sum."""
        graph = self.core.graph
        needed: dict[int, int] = dict.fromkeys((*range(graph.n_in), *graph.adders), 0)
        for operand, _ in graph.sums:
            if operand:
                needed[operand.node] = max(needed[operand.node], self.core.result.width - operand.shift)
        for node in reversed(graph.adders):
            width = min(graph.width(node), needed[node])
            for operand in graph.adders[node].operands:
                needed[operand.node] = max(needed[operand.node], width - operand.shift)
        return {node: min(graph.width(node), bits) for node, bits in needed.items()}

    @cached_property
    def last_read(self) -> dict[int, int]:
        """Node → the last stage that reads it, where one does."""
        graph, last = self.core.graph, dict[int, int]()

        def read(node: int, stage: int) -> None:
            if self.widths[node] > 0:
                target = graph.adders[node].operands[0].node if graph.is_wiring(node) else node
                last[target] = max(last.get(target, -1), stage)

        for operand, _ in graph.sums:
            if operand:
                read(operand.node, self.core.plan.tree_latency)
        for node in reversed(graph.adders):
            if node in last:
                for operand in graph.adders[node].operands:
                    read(operand.node, self.stage(node))
        return last


def _literal(value: int, bits: int) -> str:
    return f"{bits}'h{value & ((1 << bits) - 1):x}"


def _concat(pieces: list[str]) -> str:
    return pieces[0] if len(pieces) == 1 else "{" + ", ".join(reversed(pieces)) + "}"
