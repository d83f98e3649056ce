"""What a user chooses among, by the names that stand in a project file.

What each choice means in cycles and cells is said where it is carried out (`hlsflow.rtl.cores`, `hlsflow.toolchains`).
"""

from __future__ import annotations

import enum


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


class WeightsIn(enum.StrEnum):
    """Where weights are kept."""

    LUT = "lut"
    BRAM = "bram"
    AUTO = "auto"  # block RAM where a memory is deep and large enough to fill a good part of one


class Io(enum.StrEnum):
    """How tensors come in and go out of a design; the values are the same."""

    PARALLEL = "io_parallel"  # a beat is a whole tensor
    STREAM = "io_stream"  # a beat is one pixel with all its channels, or a vector


class Family(enum.StrEnum):
    """Device families of the open synthesis."""

    XC7 = "xc7"  # AMD/Xilinx 7 series
    XCUP = "xcup"  # AMD/Xilinx UltraScale+
    ECP5 = "ecp5"  # Lattice ECP5 and ECP5-5G
