"""What hls4ml's templates and the rules of C synthesis determine: cycles, multipliers, memories.

In: a `Design` and its layers. Out: cycles, DSP blocks, block RAMs of each layer and of the whole. The only figures that
are fitted are a few counts of cycles (`Stages`). Delays are those of the HLS libraries; how stages follow from them is
read off reports of Vitis HLS 2021.1 (Zynq-7000, 3.33 and 5 ns), on which the tests compare every layer.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from hlsflow.estimate.constants import Constants, typical
from hlsflow.estimate.design import Design, Kind, Layer
from hlsflow.ir.integers import ceil_div
from hlsflow.rtl.memory import memory_blocks

Value = TypeVar("Value")

ADDER_NS: Mapping[str, float] = {"7": 2.08, "us": 1.10, "us+": 0.79}
"""Delay of a 16-bit adder in the HLS libraries: 7 series, UltraScale, UltraScale+."""

DSP_PORTS: Mapping[str, tuple[int, int]] = {"7": (25, 18), "us": (27, 18), "us+": (27, 18)}
"""Signed operands of one DSP block: AMD UG479 (DSP48E1), UG579 (DSP48E2)."""

BALANCED_PRODUCTS = 4096
SERIAL_PRODUCTS = 10_976
"""A matrix of up to so many products had its sums balanced into trees, and one of so many had them left as chains, in
every report at hand; nothing is known between."""

FIFO_BITS = 1024
"""A FIFO of more bits than this lies in block RAM (AMD UG902, default of `config_storage`), a smaller one in LUTs."""


def generation(part: str) -> str:
    """Which of the part generations above a part's name belongs to; UltraScale+ where it is not known."""
    name = part.lower()
    if name.startswith("xc7"):
        return "7"
    return "us" if re.match(r"xc[kv]u\d+(?![\dp])", name) else "us+"


@dataclass(frozen=True)
class Stages:
    """Cycles of stages that no template tells, fitted; keys are those of `Pace.key`.

    Attributes:
        product: of a product, before its sum.
        tail: after the last of the products that share multipliers is begun.
        alone: the same where there is one multiplier alone.
        softmax: of a softmax, and more for each doubling of its inputs.
    """

    product: Mapping[str, float]
    tail: Mapping[str, float]
    alone: Mapping[str, float]
    softmax: Mapping[str, tuple[float, float]]


def at(values: Mapping[str, Value], key: str) -> Value:
    """The value of a pace; where it has none, that of the same multipliers at another pace, or any."""
    multiplier = key.rpartition(" ")[2]
    alike = [other for other in values if other.endswith(multiplier)]
    return values[next(pace for pace in (key, *alike, *values) if pace in values)]


class Pace:
    """How many steps of logic a cycle of a design holds."""

    def __init__(self, design: Design) -> None:
        self.design = design
        self.generation = generation(design.part)

    @cached_property
    def levels(self) -> int:
        """Adders one after the other in a cycle."""
        return max(1, int(self.design.usable_ns / ADDER_NS[self.generation]))

    @property
    def tight(self) -> bool:
        """Whether a cycle holds one adder alone."""
        return self.levels == 1

    @property
    def key(self) -> str:
        """What cycles of stages depend on: whether a cycle holds one adder alone, and what multiplies."""
        return f"{'tight' if self.tight else 'relaxed'} {'dsp' if self.design.dsp_multipliers else 'lut'}"


class Timing(Pace):
    """A design's pace, and how many cycles its stages take."""

    def __init__(self, design: Design, stages: Stages) -> None:
        super().__init__(design)
        self.stages = stages


def constants(layer: Layer) -> Constants:
    """The counted weights of a matrix; typical ones where they are not known."""
    if layer.constants is not None:
        return layer.constants
    return typical(layer.n_in, layer.n_out, layer.input.width, layer.weight.width if layer.weight else 16)


def unrolled(layer: Layer) -> bool:
    """Whether weights are constants in the logic, and not words of a memory."""
    return layer.strategy != "resource" or layer.reuse_factor == 1


def serial(layer: Layer) -> bool:
    """Whether sums are chains instead of trees."""
    return (
        layer.kind is Kind.MATRIX
        and unrolled(layer)
        and layer.products > math.sqrt(BALANCED_PRODUCTS * SERIAL_PRODUCTS)
    )


def uncertain_sums(layer: Layer) -> bool:
    """Whether it is not known if sums are chains or trees."""
    return layer.kind is Kind.MATRIX and unrolled(layer) and BALANCED_PRODUCTS < layer.products < SERIAL_PRODUCTS


def multipliers(layer: Layer) -> int:
    """Multipliers that a layer has, shared ones counted once."""
    if layer.kind is Kind.SOFTMAX:
        return layer.n_in
    if layer.kind not in (Kind.MATRIX, Kind.SCALE):
        return 0
    if not unrolled(layer):
        return ceil_div(layer.products, layer.reuse_factor)
    return min(constants(layer).multipliers * layer.copies, layer.multiplier_limit)


def dsp(design: Design, layer: Layer) -> int:
    """DSP blocks of a layer."""
    if not design.dsp_multipliers:
        return 0
    return multipliers(layer) * _blocks(design, *operands(layer))


def operands(layer: Layer) -> tuple[int, int]:
    """Widths of the two factors of a product."""
    if layer.kind is Kind.SOFTMAX:
        return SOFTMAX_BITS, SOFTMAX_BITS
    return layer.input.width, layer.weight.width if layer.weight else layer.input.width


SOFTMAX_BITS = 18
"""Width of the tables of hls4ml's softmax, unless configured otherwise."""


def _blocks(design: Design, first: int, second: int) -> int:
    wide, narrow = DSP_PORTS[generation(design.part)]
    return ceil_div(max(first, second), wide) * ceil_div(min(first, second), narrow)


def sharing(layer: Layer) -> int:
    """Products that a multiplier works off one after the other."""
    if not unrolled(layer):
        return layer.reuse_factor
    return ceil_div(constants(layer).multipliers * layer.copies, layer.multiplier_limit)


def depth(timing: Timing, layer: Layer) -> int:
    """Cycles from one position's inputs to its results."""
    if layer.kind is Kind.SOFTMAX:
        return _softmax_depth(timing, layer)
    if layer.kind is Kind.MATRIX:
        return _matrix_depth(timing, layer)
    if _shifts(layer):
        return 0
    return _OTHER_DEPTHS.get(layer.kind, 0) + (timing.tight and layer.kind in (Kind.RELU, Kind.MERGE, Kind.SCALE))


def _shifts(layer: Layer) -> bool:
    """Whether a layer multiplies by powers of two alone, and so joins what follows."""
    return layer.kind is Kind.WIRES or (layer.kind is Kind.SCALE and not constants(layer).multipliers)


_OTHER_DEPTHS: Mapping[Kind, int] = {Kind.SCALE: 1, Kind.TABLE: 1, Kind.POOL: 2}


def _softmax_depth(timing: Timing, layer: Layer) -> int:
    """Look-up, largest value and sum as trees, inverse, product."""
    levels = math.ceil(math.log2(max(layer.n_in, 2)))
    if timing.design.vivado_hls or timing.levels > 2:
        return 2 + levels
    first, more = at(timing.stages.softmax, timing.key)
    return round(first + more * levels)


def _matrix_depth(timing: Timing, layer: Layer) -> int:
    """Products, then sums as a tree or as a chain; the last shared product comes late."""
    terms = constants(layer).terms if unrolled(layer) else layer.n_in / min(layer.reuse_factor, layer.n_in)
    sums = 2 + math.ceil(terms / timing.levels) if serial(layer) else _tree_depth(timing, terms)
    if not unrolled(layer):
        return layer.reuse_factor + sums
    shared = sharing(layer)
    return max(sums, shared + _tail(timing, layer)) if shared > 1 else sums


def _tree_depth(timing: Timing, terms: float) -> int:
    """Cycles of products and of the tree that adds them."""
    levels = math.log2(max(terms, 2.0))
    if timing.levels > 2:
        return math.ceil(levels / timing.levels) + (not timing.design.vivado_hls)
    return max(1, sum_depth(timing, levels) + round(at(timing.stages.product, timing.key)))


def sum_depth(timing: Pace, levels: float) -> int:
    """Cycles of a tree of so many levels: one each where a cycle holds one adder, with less at the ends otherwise."""
    return math.ceil(levels) if timing.tight else round(levels)


def _tail(timing: Timing, layer: Layer) -> int:
    """Cycles after the last shared product is begun; a multiplier that is alone has more stages."""
    values = timing.stages.alone if layer.multiplier_limit == 1 else timing.stages.tail
    return round(at(values, timing.key))


def interval(timing: Timing, layer: Layer) -> int:
    """Cycles between two positions.

    A function pipelined at II = R (hls4ml's latency strategy) takes the next position after R cycles, and no later than
    it is done with this one.
    """
    if layer.kind is not Kind.MATRIX:
        return 1
    return layer.reuse_factor if not unrolled(layer) else min(layer.reuse_factor, depth(timing, layer) + 1)


def layer_latency(timing: Timing, layer: Layer) -> int:
    """Cycles of a layer for one frame."""
    again = max(layer.positions // layer.copies, layer.beats) - 1
    return depth(timing, layer) + again * interval(timing, layer)


def latency(timing: Timing) -> int:
    """Cycles of the whole design for one frame."""
    design = timing.design
    depths = [depth(timing, layer) for layer in design.layers]
    if design.streams:
        return max(_repeats(timing, layer) for layer in design.layers) + sum(depths) + len(depths)
    layers = sum(layer_latency(timing, layer) for layer in design.layers)
    return layers + _boundaries(design, depths)


def _boundaries(design: Design, depths: list[int]) -> int:
    """Cycles between layers: a register each, and at R = 1 one more before each matrix."""
    if design.vivado_hls:
        return sum(cycles > 0 for cycles in depths)
    matrices = [layer for layer in design.layers if layer.kind is Kind.MATRIX]
    free = not design.dataflow and all(layer.reuse_factor == 1 for layer in matrices)
    return sum(not _shifts(layer) for layer in design.layers) - 1 + free * len(matrices)


def _repeats(timing: Timing, layer: Layer) -> int:
    return max(layer.positions, layer.beats) * interval(timing, layer)


def initiation_interval(timing: Timing) -> int:
    """Cycles between two frames.

    A pipeline starts as often as its slowest layer. A dataflow region starts again when its slowest process is done.
    """
    design = timing.design
    if not (design.dataflow or design.streams):
        return max((interval(timing, layer) for layer in design.layers), default=1)
    return max(_process(timing, layer) for layer in design.layers) + 1


def _process(timing: Timing, layer: Layer) -> int:
    """Cycles until a process of a dataflow region can take the next frame; one that reads streams is done first."""
    repeats = max(layer.positions // layer.copies, layer.beats)
    ends = repeats > 1 or (timing.design.streams and layer.kind is Kind.MATRIX)
    return repeats * interval(timing, layer) + (depth(timing, layer) + timing.design.streams if ends else 0)


def bram(design: Design, layer: Layer) -> int:
    """Block RAMs of 18 Kb of a layer: tables, weights, and FIFOs behind it."""
    tables = {Kind.SOFTMAX: layer.n_in, Kind.TABLE: layer.n_in}.get(layer.kind, 0)
    blocks = tables * memory_blocks(
        layer.table_size, SOFTMAX_BITS if layer.kind is Kind.SOFTMAX else layer.result.width
    )
    if layer.kind is Kind.MATRIX and not unrolled(layer):
        words = ceil_div(layer.products, layer.reuse_factor)
        blocks += memory_blocks(layer.reuse_factor, words * (layer.weight.width if layer.weight else 16))
    return blocks + (fifo_blocks(layer) if design.streams else 0)


def fifo_blocks(layer: Layer) -> int:
    """Block RAMs of the FIFO behind a layer, as deep as it has results."""
    bits = layer.n_out * layer.result.width
    return memory_blocks(layer.positions, bits) if bits * layer.positions > FIFO_BITS and layer.positions > 1 else 0
