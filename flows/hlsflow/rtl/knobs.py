"""What a user chooses for the hardware: per layer, and for the whole design.

Plain data; what each choice means in cycles and cells is said where it is carried out (`hlsflow.rtl.cores`).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Strategy(enum.StrEnum):
    """How a layer of weighted sums is built."""

    LATENCY = "latency"  # at reuse factor 1 adder graphs of constant weights (da4ml); folded above
    RESOURCE = "resource"  # folded in time: a multiplier works off `reuse_factor` products
    SPARSE = "sparse"  # folded, by a static schedule of the weights that are not zero


class Multiplier(enum.StrEnum):
    """What products are made of."""

    DSP = "dsp"  # `*`: a DSP block, where the synthesizer finds the product large enough
    PACKED = "packed"  # the same, and two small products of sums that read the same inputs share a block
    LUT = "lut"  # distributed arithmetic in LUTs and carry chains; never a DSP block
    AUTO = "auto"  # whichever takes less of a typical device for these widths


class Io(enum.StrEnum):
    """How tensors come in and go out of a design; the values are the same."""

    STREAM = "io_stream"  # a beat is one pixel with all its channels, or a vector
    PARALLEL = "io_parallel"  # a beat is a whole tensor


class WeightsIn(enum.StrEnum):
    """Where weights are kept."""

    LUT = "lut"
    BRAM = "bram"
    AUTO = "auto"  # block RAM where a memory is deep and large enough to fill a good part of one


@dataclass(frozen=True)
class LayerKnobs:
    """What the user chooses for a layer with weights.

    Attributes:
        reuse_factor: cycles a vector (of a convolution: a window) may occupy the layer: 1 or more.
        codebook: whether the weight memory of a folded layer holds numbers of weights, and each multiplier a table of
            the different ones, where that takes fewer bits.
    """

    reuse_factor: int
    multiplier: Multiplier = Multiplier.DSP
    strategy: Strategy = Strategy.RESOURCE
    weights_in: WeightsIn = WeightsIn.AUTO
    codebook: bool = False


@dataclass(frozen=True)
class Pipeline:
    """How much logic stands between two registers.

    Attributes:
        levels_per_stage: levels of adders of a tree.
        rows_per_stage: rows of a LUT multiplier.
        feed_register: a register within the multiplexers of operands, where there are more than 8 steps.
        operand_register: registers of their own before DSP blocks, for the way to their columns.
        cast_register: a register behind the casts of a layer.
        block_ram: whether `WeightsIn.AUTO` may be block RAM.
    """

    levels_per_stage: int = 2
    rows_per_stage: int = 2
    feed_register: bool = False
    operand_register: bool = False
    cast_register: bool = False
    block_ram: bool = True
