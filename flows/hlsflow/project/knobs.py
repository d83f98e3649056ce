"""Table [knobs]: precision, reuse factor, strategy and the like, of all layers and of single ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from hlsflow.core.choices import Multiplier, Strategy, WeightsIn
from hlsflow.project.section import ByName, Positive, Precision, Section

Implementation = Literal["stable", "latency", "argmax"]
"""Forms of a softmax in hardware, by hls4ml's names; see `hlsflow.hls.softmax`."""


class PrecisionKnobs(Section):
    """Types set by hand; those left out follow from the quantizers of the model."""

    result: Precision | None = None
    accum: Precision | None = None
    weight: Precision | None = None
    bias: Precision | None = None

    def over(self, default: PrecisionKnobs) -> PrecisionKnobs:
        """These types, and the default's where one is not set."""
        return default.model_copy(update={name: kind for name, kind in self if kind is not None})


class RtlKnobs(Section):
    """What the open RTL builds otherwise than hls4ml, which has no such reuse factor or strategy for the layer."""

    reuse_factor: Positive | None = None
    strategy: ByName[Strategy] | None = None


class PipelineKnobs(Section):
    """How much logic stands between two registers of the open RTL; attributes as in `hlsflow.rtl.knobs.Pipeline`."""

    levels_per_stage: Positive = 2
    rows_per_stage: Positive = 2
    feed_register: bool = False
    operand_register: bool = False
    cast_register: bool = False
    block_ram: bool = True


class LayerKnobs(Section):
    """The knobs of one layer; those left out take the default of the project.

    `parallel_pixels` is of the layer's result, whatever the layers before it make; any layer may have it.
    `implementation` puts a softmax into hardware: by hls4ml's tables, or as a one-hot argmax. `rtl` is for the open RTL
    where it shall differ from hls4ml.
    """

    reuse_factor: Positive | None = None
    strategy: ByName[Strategy] | None = None
    multiplier: ByName[Multiplier] | None = None
    weights_in: ByName[WeightsIn] | None = None
    codebook: bool | None = None
    parallel_pixels: Positive | None = None
    implementation: Implementation | None = None
    precision: PrecisionKnobs = PrecisionKnobs()
    rtl: RtlKnobs = RtlKnobs()


class ResolvedKnobs(Section):
    """What holds for one layer after the defaults have been filled in."""

    reuse_factor: Positive
    strategy: ByName[Strategy]
    multiplier: ByName[Multiplier]
    weights_in: ByName[WeightsIn]
    codebook: bool = False
    precision: PrecisionKnobs
    rtl: RtlKnobs = RtlKnobs()

    @property
    def in_rtl(self) -> ResolvedKnobs:
        """The same as the open RTL builds it."""
        return self.model_copy(update=self.rtl.model_dump(exclude_none=True))

    @property
    def hls_strategy(self) -> Literal["latency", "resource"]:
        """What hls4ml is asked for: a strategy that it does not have, sparse, is a folded one there."""
        return "latency" if self.strategy == Strategy.LATENCY else "resource"


class Knobs(Section):
    """Knobs of all layers, and of single ones under the name of the Keras layer.

    Attributes:
        reuse_factor: how many products each multiplier works off per sample.
        strategy: `latency` or `resource`, for hls4ml (see `hlsflow.project.reuse`) and the open RTL, or `sparse`, which
            the open RTL alone knows: zero weights cost neither cycles nor multipliers.
        multiplier: what the open RTL builds multipliers from.
        weights_in: where the open RTL keeps weights.
        codebook: let the weight memories of folded layers hold numbers of weights, where that takes fewer bits.
        parallel_pixels: how many neighbouring pixels of an image the open RTL takes at its inputs at a time; each layer
            makes as many as keep up.
        precision: types set by hand.
        pipeline: of the open RTL; None: as deep as target.clock_ns asks for.
        layers: layer name → its own knobs.
    """

    reuse_factor: Positive
    strategy: ByName[Strategy] = Strategy.LATENCY
    multiplier: ByName[Multiplier] = Multiplier.DSP
    weights_in: ByName[WeightsIn] = WeightsIn.AUTO
    codebook: bool = False
    parallel_pixels: Positive = 1
    precision: PrecisionKnobs = PrecisionKnobs()
    pipeline: PipelineKnobs | None = None
    layers: Mapping[str, LayerKnobs] = Field(default_factory=dict)

    def of(self, layer: str) -> ResolvedKnobs:
        """The knobs that hold for the layer of that name."""
        own = self.layers.get(layer, LayerKnobs())
        return ResolvedKnobs(
            reuse_factor=own.reuse_factor or self.reuse_factor,
            strategy=own.strategy or self.strategy,
            multiplier=own.multiplier or self.multiplier,
            weights_in=own.weights_in or self.weights_in,
            codebook=self.codebook if own.codebook is None else own.codebook,
            precision=own.precision.over(self.precision),
            rtl=own.rtl,
        )

    @property
    def softmax_forms(self) -> dict[str, Implementation]:
        """Layer name → the form in which its softmax goes into hardware, for layers that have that knob."""
        return {name: own.implementation for name, own in self.layers.items() if own.implementation is not None}

    @property
    def own_pixels(self) -> dict[str, int]:
        """Layer name → its parallel_pixels, for layers that have that knob."""
        return {name: own.parallel_pixels for name, own in self.layers.items() if own.parallel_pixels is not None}

    def at(self, reuse_factor: int) -> Knobs:
        """The same with another default reuse factor; layers with a reuse factor of their own keep it."""
        return self.model_copy(update={"reuse_factor": reuse_factor})
