"""What a layer's hardware is made of, counted from its plan before any synthesis: what area grows with.

In: a `Configuration`. Out: counts of LUT-like and register-like bits, a row of a linear model. The counts follow the
primitives in `templates/rtl/`; what synthesis makes of them is for the model to learn.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hlsflow.core.choices import Multiplier, WeightsIn
from hlsflow.explore.space import Configuration
from hlsflow.ir.fixed import Array
from hlsflow.ir.integers import ceil_div, tree_levels
from hlsflow.rtl.cores import DenseCore
from hlsflow.rtl.cores.dense import bias_words, weight_words
from hlsflow.rtl.cores.fold import LayerSchedule, lut_weight_bits
from hlsflow.rtl.cores.sums import Sums

RAM_WIDTHS = (36, 18, 9, 4, 2, 1)
"""Bits of a word of half a 36 Kb block RAM, widest first; UG473."""

LUT_INPUTS = 6
"""Address bits of a ROM that one LUT looks up; of ECP5 it takes more, which the model learns."""

CONTROL = 50.0
"""Counters and what they enable, LUTs and registers alike."""


def features(configuration: Configuration) -> dict[str, NDArray[np.float64]]:
    """Metric of `AREA` → what it grows with; rows of one kind have the same columns."""
    core = configuration.at.stage.core
    if not isinstance(core, DenseCore) or core.plan.strategy != "resource":
        plan = configuration.plan
        each = [plan.adders + plan.multipliers / plan.pixels, plan.n_in, plan.n_out]
        work = [1.0, *(count * plan.pixels for count in each), plan.weight_bits]
        return dict.fromkeys(("lut", "ff", "dsp", "bram"), np.asarray(work))
    plan, sums = core.plan, core.sums
    words = weight_words(sums.weight, plan)
    lut = _for_pixels(_lut(configuration, plan, sums, words), SHARED_LUT, plan.pixels)
    ff = _for_pixels(_ff(configuration, plan, sums, words), SHARED_FF, plan.pixels)
    blocks = float(_lanes_used(words, plan) * plan.pixels) if plan.multiplier is Multiplier.DSP else 0.0
    return {"lut": lut, "ff": ff, "dsp": np.asarray([blocks]), "bram": np.asarray([float(_block_rams(plan))])}


SHARED_LUT, SHARED_FF = (0, 1, 2), (0, 2, 7)
"""Places of what neighbouring pixels share in `_lut` and `_ff`: control, and the memories of weights and biases."""


def _for_pixels(row: NDArray[np.float64], shared: tuple[int, ...], pixels: int) -> NDArray[np.float64]:
    """The same for several pixels at a time."""
    counts = np.full(len(row), float(pixels))
    counts[list(shared)] = 1.0
    product: NDArray[np.float64] = row * counts
    return product


def _lut(configuration: Configuration, plan: LayerSchedule, sums: Sums, words: Array) -> NDArray[np.float64]:
    shallow, deep = (0.0, 0.0) if _block_rams(plan) else _rom_luts(words, sums.weight_type.width)
    biases, _ = _rom_luts(np.asarray(bias_words(sums.bias, plan)), sums.sum.width)
    first, *rest = _tree_bits(plan, sums) or [0.0]
    absorbed = plan.multiplier is Multiplier.DSP and not plan.shared and plan.inputs_per_cycle == 1
    return np.asarray(
        [
            CONTROL,
            shallow + biases,
            deep,
            plan.inputs_per_cycle * sums.source.width * (plan.steps - 1) / 3,  # four inputs of a multiplexer in one LUT
            plan.n_in * sums.source.width * (plan.steps > 1) / 2,
            first * (0.5 if plan.multiplier is Multiplier.DSP and not plan.shared else 1.0),  # a block may do this one
            sum(rest),
            0.0 if absorbed else plan.outputs_per_cycle * sums.sum.width,  # a block accumulates its own products
            plan.outputs_per_cycle * _cast_bits(configuration),
            _row_bits(plan, sums),
        ]
    )


def _block_rams(plan: LayerSchedule) -> int:
    """Halves of 36 Kb blocks that the weights take: as asked, or where that is cheaper by Yosys' measure.

    The measure: 129 for a half, 1/64 for each bit in logic (techlibs/xilinx/brams_xc4v.txt and synth_xilinx of Yosys).
    """
    halves = _halves(plan.granted, plan.weight_bits)
    cheaper = plan.granted * plan.weight_bits / 64 > 129 * halves
    asked = plan.weights_in is WeightsIn.BRAM or (plan.weights_in is WeightsIn.AUTO and cheaper)
    return halves if asked else 0


def _halves(depth: int, width: int) -> int:
    """Halves of block RAMs for a memory of so many words: 36 bits wide up to 512 words, and narrower when deeper."""
    return ceil_div(width, max((lane for lane in RAM_WIDTHS if depth * lane <= 2**14 * 9 // 8), default=1))


def _ff(configuration: Configuration, plan: LayerSchedule, sums: Sums, words: Array) -> NDArray[np.float64]:
    held = plan.n_in * sums.source.width if plan.steps > 1 else 0
    fed = plan.inputs_per_cycle * sums.source.width
    collected = (plan.groups - 1) * plan.outputs_per_cycle * configuration.at.stage.result.width
    rom = 0.0 if _block_rams(plan) else _rom_columns(words, sums.weight_type.width)
    waits = plan.multiply_latency - 1 if plan.multiplier is Multiplier.LUT else 0
    return np.asarray(
        [
            CONTROL,
            held + fed,
            rom,
            sum(_tree_bits(plan, sums)) / plan.pipeline.levels_per_stage,
            plan.outputs_per_cycle * sums.sum.width,
            collected,
            _row_bits(plan, sums) / plan.pipeline.rows_per_stage,
            rom * waits,  # a bit of a weight waits for its row, and so do the operands
            fed * waits,
        ]
    )


def _cast_bits(configuration: Configuration) -> float:
    """Of a lane: an addition that rounds, what is lost on both sides, and the choice of a limit."""
    stage = configuration.at.stage
    if stage.core is None or all(operation.is_wiring for operation in stage.operations):
        return 0.0
    return stage.result.width + stage.core.result.width / 3 + 3.0


def _rom_columns(words: Array, width: int) -> float:
    """Bits of a memory's words, but for those that never change and copies of others, inverted ones too."""
    bits = ((words[:, :, None] >> np.arange(width)) & 1).astype(bool).reshape(len(words), -1)
    packed = np.packbits(bits ^ bits[:1], axis=0).T
    return float(len({column.tobytes() for column in packed} - {bytes(packed.shape[1])}))


def _rom_luts(words: Array, width: int) -> tuple[float, float]:
    """LUTs of a memory that one LUT looks up a bit of, or of a deeper one, as deep as its address; the other is 0."""
    columns, extra = _rom_columns(words, width), tree_levels(len(words)) - LUT_INPUTS
    return (columns, 0.0) if extra <= 0 else (0.0, columns * 2**extra)


def _tree_bits(plan: LayerSchedule, sums: Sums) -> list[float]:
    """Bits of all adders of the trees, by level: each level has half the adders, one bit wider."""
    paired = int(plan.multiplier is Multiplier.LUT and sums.drop <= 0)
    leaves, width = plan.inputs_per_cycle, sums.product_width + paired
    leaves = ceil_div(leaves, 2) if paired else leaves
    bits = []
    while leaves > 1:
        bits.append(float(leaves // 2 * min(width, sums.sum.width) * plan.outputs_per_cycle))
        leaves, width = leaves - leaves // 2, width + 1
    return bits


def _row_bits(plan: LayerSchedule, sums: Sums) -> float:
    """Bits of the rows of LUT multipliers: one row of adders for each weight bit of two products."""
    if plan.multiplier is not Multiplier.LUT:
        return 0.0
    rows = ceil_div(plan.inputs_per_cycle, 2) * lut_weight_bits(sums.weight_type)
    return float(rows * plan.outputs_per_cycle * (sums.source.width + 2))


def _lanes_used(words: Array, plan: LayerSchedule) -> int:
    """Multipliers with a weight that is not zero; two output lanes that share blocks count once."""
    used = words.any(0).reshape(plan.outputs_per_cycle, plan.inputs_per_cycle)
    if not plan.shared:
        return int(used.sum())
    pairs = plan.outputs_per_cycle // 2 * 2
    return int((used[0:pairs:2] | used[1:pairs:2]).sum() + used[pairs:].sum())


def size(configuration: Configuration) -> float:
    """How long the synthesis of a configuration takes, in a unit of no meaning: logic, and what any synthesis takes."""
    return FIXED_EFFORT + float(features(configuration)["lut"].sum())


FIXED_EFFORT = 1500.0
"""What a synthesis takes before it does anything, in bits of logic: as long as a small layer takes."""
