"""What C synthesis makes of a matrix of constant weights: wires, adders, or multipliers.

In: integer weights. Out: `Constants`. The rule, read off reports of Vitis HLS 2021.1 of designs whose weights are known
(it gives the DSP blocks of all of their layers exactly): equal weights of one input are one product; a product with a
power of two is wires, with two signed digits an adder, and with more of them a multiplier.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from hlsflow.ir.fixed import Array
from hlsflow.ir.integers import trailing_zeros

ADDER_DIGITS = 2
"""Signed digits up to which a constant product is adders; with more it is a multiplier."""


@dataclass(frozen=True)
class Constants:
    """A weight matrix, counted.

    Attributes:
        nonzero: weights that are not zero: the terms to be added up.
        multipliers: products that need a multiplier.
        adder_bits: bits of the adders of all other products.
        live: outputs that have a weight; the others are constants.
    """

    nonzero: int
    multipliers: int
    adder_bits: int
    live: int

    @property
    def terms(self) -> float:
        """Mean number of terms of an output that is no constant."""
        return self.nonzero / self.live if self.live else 0.0


def count(codes: Array, input_bits: int) -> Constants:
    """Count a matrix.

    Args:
        codes: weights as integers on their type's grid, shape (inputs, outputs).
        input_bits: width of an input.
    """
    rows = np.asarray(codes, np.int64)
    distinct = [np.unique(row[row != 0]) for row in rows]
    values, counts = np.unique(np.concatenate([np.zeros(0, np.int64), *distinct]), return_counts=True)
    made = [_product(int(value), input_bits) for value in values]
    return Constants(
        nonzero=int(np.count_nonzero(rows)),
        multipliers=sum(int(n) for bits, n in zip(made, counts, strict=True) if bits is None),
        adder_bits=sum(bits * int(n) for bits, n in zip(made, counts, strict=True) if bits),
        live=int(np.count_nonzero(rows.any(axis=0))),
    )


@lru_cache(maxsize=1024)
def typical(n_in: int, n_out: int, input_bits: int, weight_bits: int) -> Constants:
    """What a matrix of unknown weights may look like: no zeros, and digits as a uniform distribution has them.

    Args:
        n_in, n_out: shape of the matrix.
        input_bits, weight_bits: widths.
    """
    width = min(weight_bits, MAX_COUNTED_BITS)
    codes = np.arange(-(1 << (width - 1)), 1 << (width - 1), dtype=np.int64) if width > 1 else np.ones(1, np.int64)
    share = count(codes[np.newaxis, :], input_bits)
    distinct = _distinct(n_out, len(codes))
    scale = n_in * distinct / len(codes)
    return Constants(n_in * n_out, math.ceil(share.multipliers * scale), math.ceil(share.adder_bits * scale), n_out)


MAX_COUNTED_BITS = 12
"""Wider weights are counted as if they had so many bits: nearly all of their products need a multiplier anyway."""


def _distinct(drawn: int, values: int) -> float:
    """Expected number of different values among `drawn` of `values` equally likely ones."""
    return values * (1.0 - (1.0 - 1.0 / values) ** drawn)


def _product(value: int, input_bits: int) -> int | None:
    """Bits of the adders of a product with a constant other than zero; None when it needs a multiplier.

    A sum of shifted inputs has as many bits as the input and one more than the place of its leading digit. A leading
    digit below zero takes a subtraction from zero unless another digit is above zero.
    """
    odd = value >> trailing_zeros(value)
    digits = signed_digits(odd)
    if sum(digit != 0 for digit in digits) > ADDER_DIGITS:
        return None
    lead = input_bits + (abs(value) // abs(odd)).bit_length() - 1 + len(digits)
    negative = all(digit <= 0 for digit in digits)
    sums = sum(digit != 0 for digit in digits) - 1
    return sums * lead + negative * (lead + (sums > 0))


def signed_digits(value: int) -> tuple[int, ...]:
    """The canonical signed digits of an integer (non-adjacent form), least significant first, each -1, 0 or 1.

    Source: G. W. Reitwiesner, "Binary Arithmetic", Advances in Computers 1, 1960.
    """
    digits: list[int] = []
    while value:
        digit = 2 - (value & 3) if value & 1 else 0
        digits.append(digit)
        value = (value - digit) >> 1
    return tuple(digits)
