"""The integers of a layer of weighted sums (dense, convolution, depthwise), as hardware computes them.

In: a node and the type of its input. Out: `Sums`: weights, exact formats of products and sums, biases on that grid.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from hlsflow.ir import Fixed, Node
from hlsflow.ir.fixed import Array
from hlsflow.ir.integers import width_of

KEPT = 64
"""Layers whose sums are remembered: a search asks for the same ones for each of its many designs."""


@dataclass(frozen=True, eq=False)
class Sums:
    """The numbers of weighted sums.

    Attributes:
        node: the layer.
        source: type of its input.
        weight: (products of a sum, sums) integers; a convolution's window is flattened row-major (ky, kx, c_in).
        weight_type: narrowest type that holds all of them.
        product_width: bits of a signed product; more than a weight has, as offsets of LUT multipliers stand in it, too.
        drop: fractional bits a product has more than the sum; negative: fewer.
        sum: type of the sum: as narrow as the accumulator or the exact range allows, whichever is less.
        bias: (sums,) integers on the sum's grid.
    """

    node: Node
    source: Fixed
    weight: Array
    weight_type: Fixed
    product_width: int
    drop: int
    sum: Fixed
    bias: Array

    @lru_cache(maxsize=KEPT)  # noqa: B019  few objects, and they are asked again and again
    def raised(self, amount: int) -> Sums | None:
        """The same sums, all larger by `amount`; None where the accumulator may wrap."""
        accum = self.node.types["accum"]
        if self.drop > 0:
            return None
        low, high = _sum_range(self.weight, self.source, self.drop, self.bias)
        exact = Fixed.spanning(low, high, self.sum.frac)
        if sum_type(accum, self.sum.frac, low, high) != exact:
            return None
        return replace(self, bias=self.bias + amount, sum=Fixed.spanning(low + amount, high + amount, self.sum.frac))

    @property
    def rounding(self) -> str:
        """Of a product that is cast to a coarser accumulator."""
        return str(self.node.types["accum"].rounding)


@lru_cache(maxsize=KEPT)
def sums_of(node: Node, source: Fixed) -> Sums:
    """The numbers of a DENSE, CONV or DEPTHWISE node."""
    weight = node.params["weight"].astype(np.int64)
    weight = weight.reshape(-1, weight.shape[-1])
    accum = node.types["accum"]
    product_frac = source.frac + node.types["weight"].frac
    bias = accum.cast(node.params["bias"], node.types["bias"].frac)
    grid = _sum_grid(accum, product_frac, bias)
    bias = bias >> (accum.frac - grid)
    lows, highs = _product_ranges(weight.astype(object), source)  # Python's integers: shifted, they may pass 64 bits
    low, high = _sum_range(weight, source, product_frac - grid, bias)
    weight_type = Fixed.spanning(int(weight.min()), int(weight.max()), node.types["weight"].frac)
    return Sums(
        node=node,
        source=source,
        weight=weight,
        weight_type=weight_type,
        product_width=max(width_of(int(lows.min()), int(highs.max()), signed=True), weight_type.width + 1),
        drop=product_frac - grid,
        sum=sum_type(accum, grid, low, high),
        bias=bias,
    )


def _sum_grid(accum: Fixed, product_frac: int, bias: Array) -> int:
    """Fractional bits of the sum: the fewest that lose nothing, since zeros at the end need no adders."""
    if accum.frac <= product_frac:
        return accum.frac
    grid = max(product_frac, accum.frac - accum.width + 1)
    while np.any(bias & ((1 << (accum.frac - grid)) - 1)):
        grid += 1
    return grid


def _product_ranges(weight: Array, source: Fixed) -> tuple[Array, Array]:
    ends = weight * source.min, weight * source.max
    return np.minimum(*ends), np.maximum(*ends)


def _sum_range(weight: Array, source: Fixed, drop: int, bias: Array) -> tuple[int, int]:
    lows, highs = _product_ranges(weight.astype(object), source)
    return int((_floor(lows, drop).sum(0) + bias).min()), int((-_floor(-highs, drop).sum(0) + bias).max())


def _floor(values: Array, drop: int) -> Array:
    shifted: Array = values >> drop if drop > 0 else values << -drop
    return shifted


def sum_type(accum: Fixed, grid: int, low: int, high: int) -> Fixed:
    """The exact range where the accumulator holds it, else the bits the accumulator keeps."""
    spare = accum.frac - grid
    if accum.min <= low << spare and high << spare <= accum.max:
        return Fixed.spanning(low, high, grid)
    return Fixed(accum.width - spare, accum.integer, accum.signed)
