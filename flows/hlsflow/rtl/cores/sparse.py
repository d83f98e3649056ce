"""Weighted sums that skip zeros: a static schedule of the weights that are not zero.

Sums with about as many weights come together in groups of `outputs_per_cycle`; a group takes as many cycles as its
fullest sum needs at `inputs_per_cycle` products each. Nothing is decided at run time: which input meets which weight in
which cycle is written into the design.

In: the sums of a layer and the knobs for it. Out: `SparseCore`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hlsflow.core.choices import Multiplier, Strategy
from hlsflow.ir.fixed import Array
from hlsflow.ir.integers import ceil_div
from hlsflow.rtl.cores.dense import DenseCore, bias_words, by_pixel
from hlsflow.rtl.cores.fold import (
    LayerSchedule,
    check_reuse,
    lut_weight_bits,
    memory_of,
    multiply_latency,
    needs_register,
    resolved,
    tree_latency,
)
from hlsflow.rtl.cores.sums import Sums
from hlsflow.rtl.knobs import LayerKnobs, Pipeline
from hlsflow.rtl.verilog import Stream, Value, constant, instance


@dataclass(frozen=True, eq=False)
class Packing:
    """The schedule of the weights that are not zero.

    Attributes:
        order: sums in the order in which they come out; consecutive ones form groups.
        cycles: of each group.
        inputs, weights: (cycles of all groups, sums of a group, products of a sum a cycle); weight 0 where idle.
    """

    order: Array
    cycles: tuple[int, ...]
    inputs: Array
    weights: Array


def sparse_core(sums: Sums, knobs: LayerKnobs, pipeline: Pipeline, pixels: int = 1) -> SparseCore:
    """A core with the fewest multipliers that finishes within the reuse factor.

    Its latency follows from the cycles of the schedule as that of a dense core does (see `fold.fold_layer`).
    """
    check_reuse(sums.node.name, knobs)
    counts, multiplier = np.count_nonzero(sums.weight, axis=0), resolved(sums, knobs)
    lanes_in, lanes_out = pack(counts, knobs.reuse_factor)
    cycles = sum(group_cycles(counts, lanes_in, lanes_out))
    n_in, n_out = sums.weight.shape
    memory = memory_of(knobs, pipeline, cycles)
    registered = needs_register(memory, multiplier, pipeline)
    multiply = multiply_latency(sums, multiplier, pipeline, registered)
    tree = tree_latency(sums, multiplier, lanes_in, pipeline)
    plan = LayerSchedule(
        name=sums.node.name,
        n_in=n_in,
        n_out=n_out,
        asked=knobs.reuse_factor,
        granted=cycles,
        inputs_per_cycle=lanes_in,
        outputs_per_cycle=lanes_out,
        steps=cycles,
        groups=ceil_div(n_out, lanes_out),
        multiplier=multiplier,
        multipliers=lanes_in * lanes_out * pixels,
        multiply_latency=multiply,
        tree_latency=tree,
        pipeline=pipeline,
        latency_cycles=cycles + multiply + tree + 1,
        strategy=Strategy.SPARSE,
        weight_bits=lanes_in * lanes_out * sums.weight_type.width,
        weights_in=memory,
        weights_registered=registered,
        pixels=pixels,
    )
    return SparseCore(sums, plan)


def group_cycles(counts: Array, lanes_in: int, lanes_out: int) -> tuple[int, ...]:
    """Cycles of each group of `lanes_out` sums with that many products, the fullest first: 1 or more."""
    fullest = np.sort(counts)[::-1][::lanes_out]
    return tuple(int(cycles) for cycles in np.maximum((fullest + lanes_in - 1) // lanes_in, 1))


def pack(counts: Array, reuse_factor: int) -> tuple[int, int]:
    """Products of a sum a cycle, and sums of a group: the fewest multipliers that finish within `reuse_factor`.

    Among equals the one with the fewest sums in a group, that is accumulators and casts.
    """
    choices = []
    for lanes_out in range(ceil_div(len(counts), reuse_factor), len(counts) + 1):
        low, high = 1, max(int(counts.max(initial=0)), 1)
        while low < high:
            middle = (low + high) // 2
            fits = sum(group_cycles(counts, middle, lanes_out)) <= reuse_factor
            low, high = (low, middle) if fits else (middle + 1, high)
        choices.append((low * lanes_out, lanes_out, low))
    _, lanes_out, lanes_in = min(choices)
    return lanes_in, lanes_out


def packing(weight: Array, lanes_in: int, lanes_out: int) -> Packing:
    """Each product its cycle: of a sum's inputs in order, the first multiplier takes the first few, and so on."""
    counts = np.count_nonzero(weight, axis=0)
    order = np.argsort(-counts, kind="stable")
    cycles = group_cycles(counts, lanes_in, lanes_out)
    inputs = np.zeros((sum(cycles), lanes_out, lanes_in), np.int64)
    weights = np.zeros_like(inputs)
    starts = np.concatenate([[0], np.cumsum(cycles)])
    for place, output in enumerate(order):
        group, lane = divmod(place, lanes_out)
        chosen = np.flatnonzero(weight[:, output])
        multiplier, cycle = np.divmod(np.arange(len(chosen)), cycles[group])
        inputs[starts[group] + cycle, lane, multiplier] = chosen
        weights[starts[group] + cycle, lane, multiplier] = weight[chosen, output]
    return Packing(order, cycles, inputs, weights)


@dataclass(frozen=True, eq=False)
class SparseCore(DenseCore):
    """`templates/rtl/sparse_core.v` for one layer."""

    primitives = ("sparse_core", "sparse_feed", *(name for name in DenseCore.primitives if name != "dense_core"))

    @cached_property
    def packing(self) -> Packing:
        return packing(self.sums.weight, self.plan.inputs_per_cycle, self.plan.outputs_per_cycle)

    @property
    def order(self) -> tuple[int, ...]:
        return by_pixel((int(output) for output in self.packing.order), self.plan.pixels)

    def emit(self, vector: Stream, name: str) -> tuple[str, Stream]:
        out = Stream(f"{name}_valid", f"{name}_last", f"{name}_sums", self.lanes, self.result)
        ports = {"clk": "clk", "rst": "rst", "load": vector.valid, "vector": vector.data}
        ports |= {"sums_valid": out.valid, "sums_last": out.last, "sums": out.data}
        return out.declare() + instance("sparse_core", name, self._sparse_parameters(), ports), out

    def _sparse_parameters(self) -> dict[str, Value]:
        plan, packed, bits = self.plan, self.packing, self.sums.weight_type.width
        select = max((plan.n_in - 1).bit_length(), 1)
        ends = np.cumsum(packed.cycles) - 1
        firsts = ends - np.array(packed.cycles) + 1
        biases = (self.sums.bias - sparse_offsets(self.sums, plan, packed))[packed.order]
        return self._common_parameters() | {
            "CYCLES": plan.granted,
            "SELECT_WIDTH": select,
            "SELECTS": constant((word.ravel().tolist() for word in packed.inputs), select),
            "WEIGHTS": constant((word.ravel().tolist() for word in packed.weights), bits),
            "BIASES": constant(bias_words(biases, plan), self.sums.sum.width),
            "FIRST": _flags(firsts, plan.granted),
            "LAST": _flags(ends, plan.granted),
        }


def _flags(places: Array, count: int) -> str:
    return f"{count}'h{sum(1 << int(place) for place in places):x}"


def sparse_offsets(sums: Sums, layer: LayerSchedule, packed: Packing) -> Array:
    """What `multiply_lut.v` adds to each sum besides the products (see `dense.lut_offsets`): (n_out,)."""
    if layer.multiplier is not Multiplier.LUT or sums.drop > 0:
        return np.zeros_like(sums.bias)
    ones = (1 << (lut_weight_bits(sums.weight_type) - 2)) - 1
    of_cycles = ((packed.weights[:, :, ::2] >> 1) + ones).sum(2)
    of_groups = np.add.reduceat(of_cycles, np.cumsum([0, *packed.cycles[:-1]])).ravel()
    offsets = np.zeros_like(sums.bias)
    offsets[packed.order] = of_groups[: layer.n_out]
    if not sums.source.signed:
        offsets -= sums.weight.sum(0) << (sums.source.width - 1)
    shifted: Array = offsets << -sums.drop
    return shifted
