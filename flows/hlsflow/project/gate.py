"""Table [gate]: what is compared, and what may differ."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from hlsflow.core.errors import ProjectError
from hlsflow.project.section import Section

PerCent = Annotated[float, Field(ge=0)]


class Gate(Section):
    """What is compared, and how far the hardware may be from the model's file. All limits may be 0.

    Attributes:
        vectors: samples that the RTL must reproduce to the last bit: the test set, cut, or topped up with random ones.
            Fewer than the default are for images of which a simulation would take hours; the report says how many.
        netlist: of these, the first ones that the cells of each synthesized design must reproduce as well; 0: none, and
            nothing is said of netlists. By default 200, fewer where that takes long, none of very large designs; the
            report says so.
        classes: test samples whose class may be another one than by the file, per cent.
        accuracy: how far the main metric of the task may fall below that of the file, points (hundredths).
        range: how far an output may be from that of the file, per cent of the range of that output.
    """

    vectors: Annotated[int, Field(ge=1, le=10**6)] = 1000
    netlist: Annotated[int, Field(ge=0, le=10**6)] | None = None
    classes: PerCent = 0.1
    accuracy: PerCent = 0.1
    range: PerCent = 1.0


LIMITS = ("classes", "accuracy", "range")
"""What may differ from the model's file."""


def tolerance(text: str) -> dict[str, float]:
    """What the option --tolerance says: one number for all limits, or `classes=0.1,range=1` for some of them.

    Raises:
        ProjectError: it says something else.
    """
    pairs = [word.partition("=") for word in text.split(",")] if "=" in text else [(name, "=", text) for name in LIMITS]
    try:
        limits = {name.strip(): float(value) for name, _, value in pairs}
    except ValueError:
        limits = {}
    if not limits or not set(limits) <= set(LIMITS) or not all(0 <= value < float("inf") for value in limits.values()):
        raise ProjectError(
            f"--tolerance {text} is no limit for what may differ from the file",
            f"write 0, or some of {'=0.1,'.join(LIMITS)}=1 (per cent of classes, points, per cent of the range)",
        )
    return limits
