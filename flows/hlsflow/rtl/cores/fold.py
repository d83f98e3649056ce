"""How a layer of weighted sums is folded in time, and the cycles that follow from it.

In: the sums of a layer and the knobs for it. Out: `LayerSchedule`, whose figures are closed formulas.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hlsflow.core.choices import Multiplier, Strategy, WeightsIn
from hlsflow.core.errors import ProjectError
from hlsflow.ir import Fixed
from hlsflow.ir.fixed import Array
from hlsflow.ir.integers import ceil_div, tree_levels
from hlsflow.rtl.cores.sums import Sums
from hlsflow.rtl.knobs import LayerKnobs, Pipeline

DEEP_ROM = 128
"""Words from which on Yosys makes block RAM of a weight ROM on ECP5: slow to read, so a register follows it."""


FEW_STEPS = 8
"""Steps up to which the multiplexers of operands take one stage in any pipeline."""

LUTS_PER_DSP = 140
"""LUTs beside each DSP block in a device that is poor in LUTs: AMD VU13P (DS890): 1,728,000 LUTs, 12,288 blocks. An
Artix-7 100T has 264, an ECP5-85F 536."""

DSP_PORT = 18
"""Bits, sign included, of operands that a DSP block of every family takes: ECP5 18 and 18 (FPGA-DS-02012), 7
series 25 and 18 (UG479), UltraScale+ 27 and 18 (UG579)."""


@dataclass(frozen=True)
class LayerSchedule:
    """A layer of weighted sums, folded.

    Attributes:
        name: the layer.
        n_in, n_out: products of a sum, and sums.
        asked: reuse factor asked.
        granted: reuse factor got, steps * groups <= asked: cycles a vector occupies the layer.
        inputs_per_cycle, outputs_per_cycle: lanes; their product is `multipliers`.
        steps, groups: cycles over the inputs of one output, and groups of outputs.
        multiplier: what products are made of: DSP blocks or LUTs.
        multipliers: products a cycle.
        multiply_latency, tree_latency: cycles of the multiplier and of the adder tree.
        pipeline: the depth that was asked.
        latency_cycles: from the cycle of a vector to that of its last group of sums.
        weight_bits: of a word of the weight memory; there are `granted` words.
        code_bits: of a weight's number in the table of the different ones; 0: the memory holds the weights themselves.
        weights_in: what the memory is made of; AUTO: as the synthesizer decides.
        weights_registered: whether a register follows it.
        feed_stages: cycles that the multiplexers of operands take.
        shared: whether one DSP block makes two products where it can: of two sums that read the same input.
        strategy: how the layer is built, whatever was asked.
        adders: of an adder graph, for each pixel.
        pixels: vectors at a time, side by side: neighbouring pixels of an image. All else but `multipliers` is said of
            one of them.
    """

    name: str
    n_in: int
    n_out: int
    asked: int
    granted: int
    inputs_per_cycle: int
    outputs_per_cycle: int
    steps: int
    groups: int
    multiplier: Multiplier
    multipliers: int
    multiply_latency: int
    tree_latency: int
    pipeline: Pipeline
    latency_cycles: int
    strategy: Strategy = Strategy.RESOURCE
    adders: int = 0
    shared: bool = False
    weight_bits: int = 0
    code_bits: int = 0
    weights_in: WeightsIn = WeightsIn.AUTO
    weights_registered: bool = False
    feed_stages: int = 1
    pixels: int = 1


def fold_layer(
    sums: Sums, knobs: LayerKnobs, pipeline: Pipeline, *, shareable: bool = False, pixels: int = 1
) -> LayerSchedule:
    """Fold a layer; `shareable` where all sums of a group read the same inputs; `pixels` at a time.

    With K input lanes the core takes a vector with one clock edge. Its `granted` products follow one a cycle; the last
    one needs `multiply_latency` cycles: 1 for a DSP block, 1 + ceil(w / rows_per_stage) for LUTs with w-bit weights (w
    from `lut_weight_bits`), and 1 more for each of: `weights_registered` and a DSP block; `feed_stages` 2; a product
    that is cast to a coarser accumulator. An adder tree over L leaves (DSP: K; LUT: ceil(K / 2), as one LUT multiplier
    makes two products) has ceil(log2 L) levels; the accumulator is one level more, and a register follows every
    levels_per_stage of them. So

        latency = granted + multiply_latency + ceil((ceil(log2 L) + 1) / levels_per_stage)

    Raises:
        ProjectError: a reuse factor below 1.
    """
    check_reuse(sums.node.name, knobs)
    n_in, n_out = sums.weight.shape
    multiplier = resolved(sums, knobs)
    shared = shareable and knobs.multiplier is Multiplier.PACKED and multiplier is Multiplier.DSP and can_share(sums)
    lanes_in, lanes_out = fold(n_in, n_out, knobs.reuse_factor, 2 if shared else 1)
    steps, groups = ceil_div(n_in, lanes_in), ceil_div(n_out, lanes_out)
    memory = memory_of(knobs, pipeline, steps * groups)
    registered = needs_register(memory, multiplier, pipeline)
    feed_stages = 2 if pipeline.feed_register and steps > FEW_STEPS else 1
    multiply = multiply_latency(sums, multiplier, pipeline, registered) + feed_stages - 1
    tree = tree_latency(sums, multiplier, lanes_in, pipeline)
    filled = (steps * lanes_in, groups * lanes_out) == (n_in, n_out)
    code = code_bits(sums, filled) if knobs.codebook and not shared and steps * groups > 1 else 0
    return LayerSchedule(
        name=sums.node.name,
        n_in=n_in,
        n_out=n_out,
        asked=knobs.reuse_factor,
        granted=steps * groups,
        inputs_per_cycle=lanes_in,
        outputs_per_cycle=lanes_out,
        steps=steps,
        groups=groups,
        multiplier=multiplier,
        multipliers=lanes_in * lanes_out * pixels,
        multiply_latency=multiply,
        tree_latency=tree,
        pipeline=pipeline,
        latency_cycles=steps * groups + multiply + tree + 1,
        shared=shared and lanes_out > 1,
        weight_bits=lanes_in * lanes_out * (code or sums.weight_type.width),
        code_bits=code,
        weights_in=memory,
        weights_registered=registered,
        feed_stages=feed_stages,
        pixels=pixels,
    )


def code_bits(sums: Sums, filled: bool) -> int:
    """Bits that tell the different weights apart; 0 where they are no fewer.

    Unless the weights are `filled` into all places of the memory, 0, which unused ones hold, is a value as well.
    """
    bits = (len(np.unique(sums.weight) if filled else np.union1d(sums.weight, 0)) - 1).bit_length()
    return bits if 0 < bits < sums.weight_type.width else 0


def memory_of(knobs: LayerKnobs, pipeline: Pipeline, words: int) -> WeightsIn:
    """What weights are kept in; AUTO where the synthesizer may decide. A small block RAM saves little and is slow."""
    small = words < DEEP_ROM or not pipeline.block_ram
    return WeightsIn.LUT if knobs.weights_in is WeightsIn.AUTO and small else knobs.weights_in


def needs_register(memory: WeightsIn, multiplier: Multiplier, pipeline: Pipeline) -> bool:
    """Whether a register follows the weight memory: it may be block RAM, or the way to the multipliers has its own."""
    return memory is not WeightsIn.LUT or (multiplier is Multiplier.DSP and pipeline.operand_register)


def resolved(sums: Sums, knobs: LayerKnobs) -> Multiplier:
    """What products are made of: as asked, but weights from -1 to 1 never take a multiplier.

    `auto`: LUTs where the product takes a smaller part of a typical device there. Distributed arithmetic takes half a
    row of x + 2 bits for each bit of a weight; on the jet tagger at reuse factor 16 (Yosys 0.70, xc7) it is a quarter
    more: 30 LUTs for each product of 6 and 6 or 10 bits.
    """
    bits = lut_weight_bits(sums.weight_type)
    if bits == 2 and knobs.multiplier is not Multiplier.LUT and int(abs(sums.weight).max()) <= 1:
        return Multiplier.LUT
    if knobs.multiplier is Multiplier.PACKED:
        return Multiplier.DSP
    if knobs.multiplier is not Multiplier.AUTO:
        return knobs.multiplier
    return Multiplier.LUT if bits * (sums.source.width + 2) * 5 / 8 < LUTS_PER_DSP else Multiplier.DSP


def can_share(sums: Sums) -> bool:
    """Whether one DSP block of any family can make two products: two 18-bit operands, see `shared_products.v`."""
    packed = sums.product_width + shared_weight(sums).width
    operand = sums.source.width + (not sums.source.signed)
    return sums.drop <= 0 and packed <= DSP_PORT and operand <= DSP_PORT


def shared_weight(sums: Sums) -> Fixed:
    """Type of weights of which some are less by 1: the upper ones of shared products."""
    low, high = int(sums.weight.min()) - 1, int(sums.weight.max())
    return Fixed.spanning(low, high, sums.weight_type.frac)


def check_reuse(name: str, knobs: LayerKnobs) -> None:
    """Raises ProjectError for a reuse factor below 1."""
    if knobs.reuse_factor < 1:
        message = f"reuse_factor of layer '{name}' is {knobs.reuse_factor}"
        raise ProjectError(message, "a reuse factor is an integer of 1 or more")


def fold(n_in: int, n_out: int, reuse_factor: int, sharing: int = 1) -> tuple[int, int]:
    """Input and output lanes with the fewest multipliers that finish within `reuse_factor` cycles.

    `sharing` output lanes have one multiplier for each input lane. Among equals the one with the fewest output lanes,
    that is accumulators and quantizers, and then of fewest cycles.
    """
    choices = []
    for groups in range(1, min(n_out, reuse_factor) + 1):
        lanes_out = ceil_div(n_out, groups)
        lanes_in = ceil_div(n_in, min(n_in, reuse_factor // groups))
        cycles = ceil_div(n_in, lanes_in) * ceil_div(n_out, lanes_out)
        choices.append((lanes_in * ceil_div(lanes_out, sharing), lanes_out, cycles, lanes_in))
    _, lanes_out, _, lanes_in = min(choices)
    return lanes_in, lanes_out


def lane_numbers(n_in: int, n_out: int, reuse_factor: int, sharing: int = 1) -> Array:
    """(n_in, n_out): which multiplier of the folded layer works off each weight; arguments as of `fold`.

    A multiplier all of whose weights are zero is not built.
    """
    lanes_in, lanes_out = fold(n_in, n_out, reuse_factor, sharing)
    own = np.arange(n_out) % lanes_out // sharing
    return own[None, :] * lanes_in + np.arange(n_in)[:, None] % lanes_in


def multiply_latency(sums: Sums, multiplier: Multiplier, pipeline: Pipeline, registered: bool) -> int:
    """Cycles from operands to their product; `registered` where the weight memory has a register behind it."""
    cast = int(sums.drop > 0)
    if multiplier is Multiplier.DSP:
        return 1 + registered + cast
    return 1 + ceil_div(lut_weight_bits(sums.weight_type), pipeline.rows_per_stage) + cast


def lut_weight_bits(weight: Fixed) -> int:
    """Bits of a weight as the LUT multiplier sees it: signed, at least two."""
    return max(weight.width + (not weight.signed), 2)


def tree_latency(sums: Sums, multiplier: Multiplier, lanes_in: int, pipeline: Pipeline) -> int:
    """Cycles of the adder tree over the products of a sum."""
    paired = multiplier is Multiplier.LUT and sums.drop <= 0
    leaves = ceil_div(lanes_in, 2) if paired else lanes_in
    levels = tree_levels(leaves) + 1
    return ceil_div(levels, pipeline.levels_per_stage) - 1
