"""LUT and FF, which no template determines: sums of a few structural counts times fitted coefficients.

In: a `Design`, its layers, and `Coefficients`. Out: LUT and FF of a layer. What is known exactly (adders of constant
products, multipliers without DSP blocks) has no coefficient. All counts are bits, so that a coefficient is a number of
LUTs or FFs for each bit, and means something by itself.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from hlsflow.core import templates
from hlsflow.core.errors import FlowError
from hlsflow.estimate import analytic
from hlsflow.estimate.analytic import Pace, Stages, Timing
from hlsflow.estimate.design import Design, Kind, Layer
from hlsflow.ir import Overflow, Rounding

FILE = "estimate/coefficients.json"

LINEAR_LUT = 1.75
"""LUTs for each bit of a comparison with zero and a choice: ReLU of 16 bits in a report of Vivado HLS 2019.2."""


FAST_LEVELS = 2
"""With more adders in a cycle than this fewer sums are kept in registers, with the square of their number (two reports
of Vivado HLS on UltraScale+)."""


@dataclass(frozen=True)
class Terms:
    """A figure before fitting: `constant`, and counts that coefficients multiply."""

    constant: float
    counts: tuple[float, ...]

    def at(self, coefficients: tuple[float, ...]) -> float:
        return self.constant + sum(
            coefficient * bits for coefficient, bits in zip(coefficients, self.counts, strict=True)
        )


@dataclass(frozen=True)
class Coefficients:
    """What was fitted.

    Attributes:
        values: row of `ROWS` → its coefficients.
        stages: cycles of stages.
        spread: metric → half the width of its interval, as the logarithm of a factor.
        coverage: share of designs that the interval is meant to hold.
        provenance: what they were fitted to.
    """

    values: Mapping[str, tuple[float, ...]]
    stages: Stages
    spread: Mapping[str, float]
    coverage: float
    provenance: str

    def to_json(self) -> dict[str, object]:
        values = {row: [round(number, 4) for number in numbers] for row, numbers in self.values.items()}
        spread = {metric: round(number, 4) for metric, number in self.spread.items()}
        cycles = {name: dict(numbers) for name, numbers in vars(self.stages).items()}
        head = {"provenance": self.provenance, "coverage": self.coverage}
        return head | {"values": values, "cycles": cycles, "spread": spread}


@lru_cache(maxsize=1)
def load() -> Coefficients:
    """The coefficients that hlsflow comes with.

    Raises:
        FlowError: the file is damaged.
    """
    try:
        data = json.loads(templates.read(FILE))
        values = {row: tuple(map(float, numbers)) for row, numbers in data["values"].items()}
        spread = {metric: float(number) for metric, number in data["spread"].items()}
        cycles = data["cycles"]
        softmax = {pace: (float(first), float(more)) for pace, (first, more) in cycles.pop("softmax").items()}
        stages = Stages(softmax=softmax, **{name: dict(numbers) for name, numbers in cycles.items()})
        return Coefficients(values, stages, spread, float(data["coverage"]), str(data["provenance"]))
    except (ValueError, KeyError, TypeError) as error:
        raise FlowError(f"template '{FILE}' is damaged: {error}", "install hlsflow again") from error


def timing(design: Design) -> Timing:
    """A design's timing, with the stages that hlsflow comes with."""
    return Timing(design, load().stages)


def figure(row: str, timing: Pace, layer: Layer, coefficients: Coefficients) -> float:
    """One row of `ROWS` for a layer."""
    return max(0.0, ROWS[row](timing, layer).at(coefficients.values[row]))


def lut(timing: Pace, layer: Layer, coefficients: Coefficients) -> float:
    """LUTs of a layer."""
    fitted = figure(f"{layer.kind}_lut", timing, layer, coefficients) if f"{layer.kind}_lut" in ROWS else 0.0
    return fitted + _GUESSED_LUT.get(layer.kind, 0.0) * _value_bits(layer) + _stream_lut(timing, layer)


def ff(timing: Pace, layer: Layer, coefficients: Coefficients) -> float:
    """FFs of a layer."""
    fitted = figure(f"{layer.kind}_ff", timing, layer, coefficients) if f"{layer.kind}_ff" in ROWS else 0.0
    return fitted + _GUESSED_FF.get(layer.kind, 0.0) * _value_bits(layer) + (_STREAM_FF if timing.design.streams else 0)


def between(timing: Pace, layer: Layer, coefficients: Coefficients) -> float:
    """FFs between a layer and the next."""
    return 0.0 if timing.design.streams else figure("between_ff", timing, layer, coefficients)


def _matrix(timing: Pace, layer: Layer) -> tuple[float, float, float, float]:
    """Bits of sums; those of a chain and of a free pipeline that are delayed; bits of products."""
    constants = analytic.constants(layer)
    width = layer.accum.width if layer.accum else layer.result.width
    lanes = 1.0 if analytic.unrolled(layer) else 1.0 / layer.reuse_factor
    sums = constants.nonzero * width * layer.copies * lanes
    chain = analytic.serial(layer)
    free = layer.reuse_factor == 1 and not chain
    delayed = sums / layer.reuse_factor if chain else 0.0
    return sums, delayed, sums / timing.levels**2 if free else 0.0, float(sum(analytic.operands(layer)))


def _matrix_lut(timing: Pace, layer: Layer) -> Terms:
    sums, chain, free, operands = _matrix(timing, layer)
    if not analytic.unrolled(layer):
        return Terms(_plain_multipliers(timing, layer), (sums, chain, free, analytic.multipliers(layer) * operands))
    constants = analytic.constants(layer)
    shared = constants.multipliers * layer.copies if analytic.sharing(layer) > 1 else 0
    constant = constants.adder_bits * layer.copies + _plain_multipliers(timing, layer)
    return Terms(constant, (sums, chain, free, shared * operands))


def _matrix_ff(timing: Pace, layer: Layer) -> Terms:
    products_at_once = analytic.constants(layer).multipliers * layer.copies
    products = products_at_once if analytic.unrolled(layer) else analytic.multipliers(layer)
    *sums, operands = _matrix(timing, layer)
    share = min(1.0, FAST_LEVELS / timing.levels) ** 2
    return Terms(0.0, tuple(share * bits for bits in (*sums, products * operands)))


def _plain_multipliers(timing: Pace, layer: Layer) -> float:
    """LUTs of multipliers without DSP blocks: one for each bit of the one factor and each of the other, less two."""
    if timing.design.dsp_multipliers:
        return 0.0
    first, second = analytic.operands(layer)
    return analytic.multipliers(layer) * (first * second - 2.0)


def _cast(layer: Layer) -> bool:
    """Whether a result is rounded or saturated."""
    return (layer.result.rounding, layer.result.overflow) != (Rounding.TRN, Overflow.WRAP)


def _relu_lut(timing: Pace, layer: Layer) -> Terms:
    lanes = layer.n_in * layer.copies
    bits = lanes * layer.result.width * _cast(layer)
    return Terms(LINEAR_LUT * lanes * layer.input.width, (bits, bits * timing.tight))


def _relu_ff(timing: Pace, layer: Layer) -> Terms:
    bits = layer.n_in * layer.copies * (layer.input.width + layer.result.width)
    return Terms(0.0, (float(bits * timing.tight),))


def _scale_lut(timing: Pace, layer: Layer) -> Terms:
    """Products with constants as in a matrix, and a bias for each."""
    constants = analytic.constants(layer)
    return Terms(constants.adder_bits + _plain_multipliers(timing, layer), (float(layer.n_in * layer.result.width),))


def _softmax_lut(timing: Pace, layer: Layer) -> Terms:
    return Terms(_plain_multipliers(timing, layer), (float(layer.n_in * analytic.SOFTMAX_BITS),))


def _softmax_ff(timing: Pace, layer: Layer) -> Terms:
    return Terms(0.0, (float(layer.n_in * analytic.SOFTMAX_BITS),))


def _between_ff(timing: Pace, layer: Layer) -> Terms:
    constants = layer.constants
    values = constants.live if constants and layer.kind is Kind.MATRIX else layer.n_out
    return Terms(0.0, (float(values * layer.result.width * (layer.kind is not Kind.WIRES)),))


ROWS: Mapping[str, Callable[[Pace, Layer], Terms]] = {
    "matrix_lut": _matrix_lut,
    "matrix_ff": _matrix_ff,
    "scale_lut": _scale_lut,
    "relu_lut": _relu_lut,
    "relu_ff": _relu_ff,
    "softmax_lut": _softmax_lut,
    "softmax_ff": _softmax_ff,
    "between_ff": _between_ff,
}
"""Everything that is fitted; a row's coefficients are fitted by themselves."""

_GUESSED_LUT: Mapping[Kind, float] = {Kind.TABLE: 2.0, Kind.POOL: 10.0, Kind.MERGE: 1.0}
_GUESSED_FF: Mapping[Kind, float] = {Kind.TABLE: 1.0, Kind.POOL: 8.0, Kind.MERGE: 0.5}
"""LUTs and FFs for each bit of a result, of kinds that too few reports show for a fit (pools: Vivado HLS 2020.1)."""

_STREAM_FF = 40.0
_STREAM_LUT = 30.0
"""Handshakes of a process that reads and writes streams."""


def _value_bits(layer: Layer) -> float:
    return float(layer.n_out * layer.copies * layer.result.width)


def _stream_lut(timing: Pace, layer: Layer) -> float:
    """Handshakes, line buffers as shift registers of 32 bits a LUT, and a FIFO that does not lie in block RAM."""
    if not timing.design.streams:
        return 0.0
    lines = (layer.window - 1) * layer.n_in / max(1, layer.window**2) * layer.input.width
    columns = math.ceil(math.sqrt(layer.beats) / 32)
    fifo = 0 if analytic.fifo_blocks(layer) else layer.n_out * layer.result.width * math.ceil(layer.positions / 32)
    return _STREAM_LUT + lines * columns + fifo
