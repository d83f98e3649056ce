"""A design as estimation sees it: layers with their matrices, types and knobs, and nothing of any framework.

In: what `hlsflow.estimate.hls4ml_project` reads, or what a caller writes down. Out: `Design`.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

from hlsflow.estimate.constants import Constants
from hlsflow.ir import Fixed
from hlsflow.ir.integers import ceil_div

AMD_BACKENDS = ("vivado", "vitis", "vivadoaccelerator", "vitisunified")
"""Backends of hls4ml whose projects tools of AMD build, in lower case."""


class Kind(enum.StrEnum):
    """What a layer does, as far as its cost differs."""

    MATRIX = "matrix"  # dense, convolution: constants times inputs
    SCALE = "scale"  # one constant for each value: batch normalization, depthwise products
    RELU = "relu"
    TABLE = "table"  # any function of one value by look-up
    SOFTMAX = "softmax"
    POOL = "pool"
    MERGE = "merge"  # elementwise with two operands
    WIRES = "wires"  # reshape, transpose, concatenation, cloning of streams
    OTHER = "not estimated"


@dataclass(frozen=True)
class Layer:
    """One call in the top function.

    Attributes:
        name: of the layer.
        kind: what it does.
        n_in, n_out: shape of its matrix; for other kinds, values in and out of one position.
        input, result: types of the values.
        weight, accum: types; None where there are none.
        strategy: `latency`, `resource`, or hls4ml's word for another.
        reuse_factor: as granted.
        asked: the reuse factor that its configuration asks for; None where that is not known.
        constants: the matrix counted; None where the weights are not known.
        positions: how many times the matrix is applied in a frame: pixels of a convolution, 1 otherwise.
        beats: inputs of a frame that come one after the other (io_stream), 1 otherwise.
        copies: positions that are worked on at once.
        window: height of a convolution's or pool's window, for its line buffers; 1 otherwise.
        table_size: entries of a look-up table.
        config: name of its configuration in the C++ code.
    """

    name: str
    kind: Kind
    n_in: int
    n_out: int
    input: Fixed
    result: Fixed
    weight: Fixed | None = None
    accum: Fixed | None = None
    strategy: str = "latency"
    reuse_factor: int = 1
    asked: int | None = None
    constants: Constants | None = None
    positions: int = 1
    beats: int = 1
    copies: int = 1
    window: int = 1
    table_size: int = 1024
    config: str = ""

    @property
    def products(self) -> int:
        """Products of one position."""
        return self.n_in * self.n_out if self.kind is Kind.MATRIX else self.n_out

    @property
    def zeros(self) -> int:
        """Weights that are zero, as far as known."""
        return self.products - self.constants.nonzero if self.constants else 0

    @property
    def multiplier_limit(self) -> int:
        """How many multipliers hls4ml allows (`multiplier_limit` of its configuration)."""
        return max(1, ceil_div(self.products, self.reuse_factor) - self.zeros // self.reuse_factor)


@dataclass(frozen=True)
class Design:
    """A whole project.

    Attributes:
        name: of the project.
        layers: in the order of the top function.
        backend: of hls4ml, lower case; those of `AMD_BACKENDS` can be estimated.
        io_type: `io_parallel` or `io_stream`.
        part: as its vendor writes it.
        clock_ns, uncertainty: clock period, and the share of it that is kept back.
        dsp_multipliers: False when the sources ask for multipliers without DSP blocks.
        dataflow: whether the top function is a dataflow region; a pipeline otherwise.
    """

    name: str
    layers: tuple[Layer, ...]
    backend: str = "vitis"
    io_type: str = "io_parallel"
    part: str = ""
    clock_ns: float = 5.0
    uncertainty: float = 0.125
    dsp_multipliers: bool = True
    dataflow: bool = False

    @property
    def usable_ns(self) -> float:
        """What is left of a clock period for logic."""
        return self.clock_ns * (1.0 - self.uncertainty)

    @property
    def vivado_hls(self) -> bool:
        """Whether Vivado HLS builds it, and not Vitis HLS."""
        return self.backend.startswith("vivado")

    @property
    def streams(self) -> bool:
        return self.io_type == "io_stream"

    def at(self, reuse_factor: int) -> Design:
        """The same design with one reuse factor for all matrices; beyond a matrix's products it is those."""
        layers = (
            replace(layer, reuse_factor=min(reuse_factor, layer.products), asked=None)
            if layer.kind in (Kind.MATRIX, Kind.SCALE)
            else layer
            for layer in self.layers
        )
        return replace(self, layers=tuple(layers))
