"""Table [quantize]: how a float network becomes a quantized one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator as After
from pydantic import BeforeValidator, Field

from hlsflow.project.section import Bits, Positive, Section, as_tuple, unique

WeightKind = Literal["fixed", "binary", "ternary", "power_of_two"]


class LayerBits(Section):
    """How one layer of a float model is quantized; what is left out is as for all layers."""

    weight: Bits | None = None
    bias: Bits | None = None
    activation: Bits | None = None
    kind: WeightKind | None = None


class ResolvedBits(Section):
    """What holds for one layer; widths in bits, signs included."""

    weight: Bits
    bias: Bits
    activation: Bits
    kind: WeightKind


class Quantize(Section):
    """How a float model becomes a quantized one: widths from here, binary points from calibration samples.

    Attributes:
        bits: of weights, biases and activations alike, where nothing else is said.
        weight, bias, activation: of these, in all layers.
        table: of what enters a function other than ReLU, which hardware looks up in a table of so many address bits.
        kind: of weights: fixed point; `binary` or `ternary`, times a power of two for each layer; or powers of two.
        symmetric: leave out the most negative value of activations with a sign.
        layers: layer of the float model → its own.
        calibration: training samples that ranges are learnt from.
        epochs: of the training that follows; 0: none.
        learning_rate: of its first epoch; left out: a tenth of that of [training].
        lower: larger widths to train at first, such as 8 and 6 before 4; widths above them count as they are.
        frozen: layers whose weights stay as they are.
    """

    bits: Bits = 8
    weight: Bits | None = None
    bias: Bits | None = None
    activation: Bits | None = None
    table: Annotated[int, Field(ge=2, le=16)] = 10
    kind: WeightKind = "fixed"
    symmetric: bool = False
    layers: Mapping[str, LayerBits] = Field(default_factory=dict)
    calibration: Positive = 1024
    epochs: Annotated[int, Field(ge=0)] = 10
    learning_rate: Annotated[float, Field(gt=0)] | None = None
    lower: Annotated[tuple[Bits, ...], BeforeValidator(as_tuple), After(unique)] = ()
    frozen: Annotated[tuple[str, ...], BeforeValidator(as_tuple), After(unique)] = ()

    def of(self, layer: str) -> ResolvedBits:
        """What holds for the layer of that name."""
        own = self.layers.get(layer, LayerBits())
        return ResolvedBits(
            weight=own.weight or self.weight or self.bits,
            bias=own.bias or self.bias or self.bits,
            activation=own.activation or self.activation or self.bits,
            kind=own.kind or self.kind,
        )

    def at_least(self, width: int) -> Quantize:
        """The same with fixed-point weights, and no width below that one."""

        def raised(bits: int | None) -> int | None:
            return None if bits is None else max(bits, width)

        names = ("weight", "bias", "activation")
        layers = {
            name: LayerBits.model_validate({key: raised(getattr(own, key)) for key in names})
            for name, own in self.layers.items()
        }
        wide = {key: raised(getattr(self, key)) for key in ("bits", *names)}
        return self.model_copy(update={**wide, "layers": layers, "kind": "fixed"})
