"""Whether a part holds what is estimated.

In: a part's name, a figure with its interval. Out: what the part offers, and a verdict.
"""

from __future__ import annotations

from collections.abc import Mapping

from hlsflow.core.errors import ProjectError
from hlsflow.estimate.total import Figure
from hlsflow.toolchains.parts import XILINX, resources

FITS, DOES_NOT_FIT, TOO_CLOSE = "fits", "does not fit", "too close to tell"


def available(part: str) -> dict[str, int]:
    """Metric → how much of it a part has; nothing for a part that is not known."""
    try:
        return resources(part).budget(1.0)
    except ProjectError:
        return {}


def verdict(figure: Figure, limit: int) -> str:
    """What a figure means for a part."""
    if figure.high <= limit:
        return FITS
    return DOES_NOT_FIT if figure.low > limit else TOO_CLOSE


def fitting(figures: Mapping[str, Figure]) -> str | None:
    """The smallest of the known parts that surely holds the figures; None when none does."""
    parts = sorted(XILINX, key=lambda name: XILINX[name].lut)
    return next((name for name in parts if _holds(available(name), figures)), None)


def _holds(offered: Mapping[str, int], figures: Mapping[str, Figure]) -> bool:
    return all(figures[name].high <= limit for name, limit in offered.items())
