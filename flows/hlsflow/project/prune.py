"""Table [prune]: which weights become zero while training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from hlsflow.project.section import Ratio, Section


class Prune(Section):
    """Weights that training sets to zero, those of least magnitude first, more from epoch to epoch.

    Attributes:
        sparsity: share of the weights of each kernel that is zero in the end.
        pattern: what becomes zero together: each `weight` on its own; all of a `neuron` (or filter) and its bias, so
            that it can be taken out of the network; or all that one multiplier of the folded layer works off, at the
            reuse factor in [knobs]: a `lane`, which then is not built.
        start, end: epochs, as shares of all of them, at which the sparsity begins to grow and has grown.
        layers: layer → its own sparsity; 0: not pruned.
    """

    sparsity: Annotated[float, Field(ge=0, lt=1)]
    pattern: Literal["weight", "neuron", "lane"] = "weight"
    start: Ratio = 0.0
    end: Ratio = 0.5
    layers: Mapping[str, Annotated[float, Field(ge=0, lt=1)]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.end < self.start:
            raise ValueError(f"end {self.end} is before start {self.start}")
        return self
