"""Which reuse factors hls4ml accepts for a layer, without importing hls4ml.

In: the shape of a layer's weight matrix and its strategy. Out: the legal reuse factors, and those nearest to a wish.
Rule of hls4ml 1.3.0 (`FPGABackend.get_valid_reuse_factors`), which it applies to the resource strategy alone; a test
compares this module with hls4ml itself.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator

from hlsflow.core.errors import ProjectError

STRATEGIES = ("latency", "resource")
"""Strategies of a layer: one flat multiplication limited to size/R multipliers, or a loop of R steps."""


def legal_reuse_factors(n_in: int, n_out: int, strategy: str) -> tuple[int, ...]:
    """The reuse factors that a matrix of `n_in` inputs and `n_out` outputs may have, ascending.

    With the latency strategy every number up to n_in * n_out (one multiplier) is legal. With the resource strategy
    R divides n_in * n_out and is either a divisor of n_in, or a multiple of it.

    Raises:
        ProjectError: a size below 1, or an unknown strategy.
    """
    if min(n_in, n_out) < 1:
        raise ProjectError(f"a layer of {n_in} inputs and {n_out} outputs has no reuse factor")
    if strategy == "latency":
        return tuple(range(1, n_in * n_out + 1))
    if strategy != "resource":
        raise ProjectError(f"strategy '{strategy}' is none of {', '.join(STRATEGIES)}")
    return tuple(sorted(factor for factor in _divisors(n_in * n_out) if _fits_resource(n_in, n_out, factor)))


def nearest_legal(n_in: int, n_out: int, strategy: str, wish: int) -> tuple[int, ...]:
    """The legal reuse factors around `wish`: itself when legal, else the next below and above, where they exist.

    Raises:
        ProjectError: as `legal_reuse_factors`.
    """
    legal = legal_reuse_factors(n_in, n_out, strategy)
    above = bisect_left(legal, wish)
    if above < len(legal) and legal[above] == wish:
        return (wish,)
    return legal[max(above - 1, 0) : above + 1]


def illegal(name: str, shape: tuple[int, int], strategy: str, factor: int, legal: tuple[int, ...]) -> ProjectError:
    """The error for a reuse factor that a layer is given and cannot have.

    Args:
        shape: inputs and outputs of its matrix.
        legal: the factors around it that it can have.
    """
    message = (
        f"layer '{name}' ({shape[0]} x {shape[1]}, strategy {strategy}): hls4ml cannot build reuse factor {factor}"
    )
    wanted = f"knobs.layers.{name}.reuse_factor to {' or '.join(map(str, legal))}"
    return ProjectError(message, f"set {wanted}; [sweep] and rtl.reuse_factor take any")


def _divisors(number: int) -> Iterator[int]:
    for factor in range(1, math.isqrt(number) + 1):
        if number % factor == 0:
            yield from {factor, number // factor}


def _fits_resource(n_in: int, n_out: int, factor: int) -> bool:
    """Whether the loop of R steps ends at a row of the matrix; `factor` divides n_in * n_out."""
    if factor >= n_in:
        return factor % n_in == 0
    return (n_in * n_out // factor) % n_out == 0
