"""Whether a part holds what is estimated.

In: a figure with its interval, and what a part offers. Out: a verdict, and the smallest part that will do.
"""

from __future__ import annotations

from collections.abc import Mapping

from hlsflow.estimate.total import Figure
from hlsflow.toolchains.parts import XILINX, offered

FITS, DOES_NOT_FIT, TOO_CLOSE = "fits", "does not fit", "too close to tell"


def verdict(figure: Figure, limit: int) -> str:
    """What a figure means for a part."""
    if figure.high <= limit:
        return FITS
    return DOES_NOT_FIT if figure.low > limit else TOO_CLOSE


def fitting(figures: Mapping[str, Figure]) -> str | None:
    """The smallest of the known parts that surely holds the figures; None when none does."""
    parts = sorted(XILINX, key=lambda name: XILINX[name].lut)
    return next((name for name in parts if _holds(offered(name), figures)), None)


def _holds(limits: Mapping[str, int], figures: Mapping[str, Figure]) -> bool:
    return all(figures[name].high <= limit for name, limit in limits.items())
