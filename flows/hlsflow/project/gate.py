"""Table [gate]: what is compared, and what may differ."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from hlsflow.project.section import Positive, Section

PerCent = Annotated[float, Field(ge=0)]


class Gate(Section):
    """What is compared, and how far the hardware may be from the model's file. All limits may be 0.

    Attributes:
        vectors: samples that the RTL must reproduce to the last bit: the test set, cut, or topped up with random ones.
            Fewer than the default are for images of which a simulation would take hours; the report says how many.
        classes: test samples whose class may be another one than by the file, per cent.
        accuracy: how far the main metric of the task may fall below that of the file, points (hundredths).
        range: how far an output may be from that of the file, per cent of the range of that output.
    """

    vectors: Positive = 1000
    classes: PerCent = 0.1
    accuracy: PerCent = 0.1
    range: PerCent = 1.0
