"""Table [distil]: training against a float network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from hlsflow.project.section import Section


class Distil(Section):
    """Training of the quantized network against the float one: model.baseline, or model.float_file.

    Attributes:
        weight: of the teacher's loss; the rest is that of the true classes.
        temperature: what logits of both are divided by in the teacher's loss.
        layers: layer of the quantized network → layer of the float one, whose results it learns besides.
        layer_weight: of the mean of these layers' relative squared errors, which is added.
    """

    weight: Annotated[float, Field(gt=0, le=1)] = 0.5
    temperature: Annotated[float, Field(gt=0)] = 4.0
    layers: Mapping[str, str] = Field(default_factory=dict)
    layer_weight: Annotated[float, Field(gt=0)] = 1.0
