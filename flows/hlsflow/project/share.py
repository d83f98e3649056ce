"""Table [share]: few different weights in each layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from hlsflow.project.section import Section


class Share(Section):
    """Weights that training brings to few different values for each kernel.

    Attributes:
        values: how many.
        start: epochs, as a share of all of them, before the weights come together.
        layers: layer → its own number; 0: not shared.
    """

    values: Annotated[int, Field(ge=2)]
    start: Annotated[float, Field(ge=0, lt=1)] = 0.5
    layers: Mapping[str, Annotated[int, Field(ge=0)]] = Field(default_factory=dict)
