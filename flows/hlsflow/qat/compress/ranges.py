"""How a fixed-point type is laid over real numbers: where its binary point goes.

In: samples of what is to be held, and a width. Out: the number of integer bits with the least squared error.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from hlsflow.ir import Fixed

CANDIDATES = 5
"""Binary points tried below the one that holds the largest value: cutting more off has never been worth it."""

ROUNDED = "RND_CONV,SAT"
"""QKeras' quantizers round to nearest even and saturate."""


def best_integer(values: NDArray[np.floating], width: int, signed: bool) -> int:
    """Integer bits, without the sign, of the type that loses least.

    Args:
        values: of any shape.
        width: of the type in bits, its sign included.
        signed: whether it has a sign.
    Returns:
        The number with the least mean squared error of rounding and saturation; of equal ones the largest. May be
        negative, for values far below 1.
    """
    real = np.asarray(values, np.float64).ravel()
    largest = float(np.abs(real).max(initial=0.0))
    top = math.ceil(math.log2(largest)) if largest > 0 else 0
    tried = range(top + 1, top - CANDIDATES, -1)  # one more, as the largest value itself may be a power of two
    return min(tried, key=lambda integer: _error(real, width, integer, signed))


def _error(real: NDArray[np.float64], width: int, integer: int, signed: bool) -> float:
    kind = Fixed.parse(f"{'' if signed else 'u'}fixed<{width},{integer + signed},{ROUNDED}>")
    return float(np.square(kind.real(kind.quantize(real)) - real).mean()) if real.size else 0.0


def relative_error(values: NDArray[np.floating], width: int, integer: int, signed: bool) -> float:
    """Root of the mean squared error over the root mean square of the values; 0 of values that are all 0."""
    real = np.asarray(values, np.float64).ravel()
    power = float(np.square(real).mean()) if real.size else 0.0
    return math.sqrt(_error(real, width, integer, signed) / power) if power else 0.0
