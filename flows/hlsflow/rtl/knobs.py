"""What a user chooses for the hardware: per layer, and for the whole design.

Plain data; what each choice means in cycles and cells is said where it is carried out (`hlsflow.rtl.cores`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hlsflow.core.choices import Multiplier, Strategy, WeightsIn


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
class Pixels:
    """How many neighbouring pixels of an image are moved and computed at a time.

    Attributes:
        all: at the inputs, and of each layer as many as keep up with them.
        own: name of a layer → pixels of its result, where it shall be another number.
    """

    all: int = 1
    own: Mapping[str, int] = field(default_factory=dict)


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
