"""Samples on the grid of the hardware's input: what does not fit, what is lost, and which type would do.

In: real samples and a fixed-point type. Out: the same samples on its grid, or an error that says what to change; and
how many values saturate.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hlsflow.core.errors import DataError
from hlsflow.data.targets import flat
from hlsflow.ir.fixed import MAX_WIDTH, Fixed, Overflow, Rounding

Array = NDArray[Any]

FLOAT_BITS = 24
"""Width of float32's significand: Keras computes in float32, so wider inputs would not stay exact."""

FEW = 1e-4
"""Share of saturated values that a type may have which is proposed in place of another one."""


def on_grid(real: Array, grid: Fixed, name: str) -> NDArray[np.float32]:
    """Samples, each on the grid.

    Args:
        real: (n, ...), finite.
        name: of the data, for messages.
    Returns:
        the same shape, float32, exactly on the grid; values out of range saturate where the type says so.
    Raises:
        DataError: values leave the range of a type that wraps, samples that differ all become the same, or the type is
            wider than float32 is exact.
    """
    if grid.width > FLOAT_BITS:
        raise DataError(
            f"the input type {grid} is wider than the {FLOAT_BITS} bits that Keras computes exactly with",
            f"give it {FLOAT_BITS} bits or fewer",
        )
    outside = int(_outside(real, grid).sum())
    low, high = grid.min * 2.0**-grid.frac, grid.max * 2.0**-grid.frac
    if outside and grid.overflow is Overflow.WRAP:
        raise DataError(
            f"{name}: {outside} of {real.size} values, from {real.min():g} to {real.max():g}, leave the range of the "
            f"input type {grid}, {low:g} to {high:g}, and would wrap around",
            f"widen it, scale the data, or let it saturate, such as {replace(grid, overflow=Overflow.SAT)}",
        )
    codes = grid.quantize(real)
    if _lost(real, codes):
        raise DataError(
            f"{name}: {len(real)} samples, with values from {real.min():g} to {real.max():g}, are all the same as "
            f"{grid}, whose steps are {2.0**-grid.frac:g} from {low:g} to {high:g}",
            "give the input type other integer bits, or scale the data",
        )
    return grid.real(codes).astype(np.float32)


def _outside(real: Array, grid: Fixed) -> NDArray[np.bool_]:
    """Which values leave the range, once they are rounded."""
    wide = Fixed(MAX_WIDTH, MAX_WIDTH - grid.frac, True, grid.rounding, Overflow.SAT).quantize(real)
    outside: NDArray[np.bool_] = (wide < grid.min) | (wide > grid.max)
    return outside


def _lost(real: Array, codes: Array) -> bool:
    """Whether nothing of what tells the samples apart is left."""
    if not real.size or (codes != codes[:1]).any():
        return False
    return bool((real != real[:1]).any() or (real.any() and not codes.any()))


@dataclass(frozen=True)
class Saturation:
    """Values beyond the range of an input type that saturates.

    Attributes:
        precision: the type.
        values: how many there are in all, of all sets.
        saturated: how many of them are beyond.
        features: number of a feature → share of its values that are, for those that have any, the largest share first.
        error: root mean square of what the type changes, in units of the network's input.
        proposal: a type with next to no such values.
        proposed_error: root mean square of what that one changes.
    """

    precision: str
    values: int
    saturated: int
    features: Mapping[int, float]
    error: float
    proposal: str
    proposed_error: float

    @property
    def share(self) -> float:
        return self.saturated / self.values

    def __str__(self) -> str:
        worst = ", ".join(f"feature {number} {share:.1%}" for number, share in list(self.features.items())[:3])
        return (
            f"input type {self.precision}: {self.saturated} of {self.values} values ({self.share:.1%}) are beyond its "
            f"range and saturate ({worst}); RMS error {self.error:.3g}. {self.proposal} has next to none, RMS error "
            f"{self.proposed_error:.3g}"
        )

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"features": [[number, share] for number, share in self.features.items()]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Saturation:
        return cls(**{**data, "features": {int(number): share for number, share in data["features"]}})


def saturation(parts: Sequence[Array], grid: Fixed) -> Saturation | None:
    """What saturates of real samples; None where nothing does.

    Args:
        parts: (n, ...) each, of the same shape but for n. Features are the values of a sample, flattened.
    """
    if grid.overflow is Overflow.WRAP:
        return None
    real = np.concatenate([flat(part) for part in parts])
    outside = _outside(real, grid)
    if not outside.any():
        return None
    shares = outside.mean(0)
    order = [int(number) for number in np.argsort(-shares, kind="stable") if shares[number]]
    other = _wider(real, grid)
    return Saturation(
        str(grid),
        outside.size,
        int(outside.sum()),
        {number: float(shares[number]) for number in order},
        _error(real, grid),
        str(other),
        _error(real, other),
    )


def _wider(real: Array, grid: Fixed) -> Fixed:
    """A type that holds nearly all values: as wide, with larger steps, or, where these cost more than saturation does,
    with the same steps and more bits."""
    signed = grid.signed or bool((real < 0).any())
    kind = replace(grid, width=grid.width + (signed and not grid.signed), signed=signed)
    kind = replace(kind, integer=kind.width - grid.frac)
    for more in range(MAX_WIDTH - kind.width):
        moved = replace(kind, width=grid.width, integer=kind.integer + more)
        if _outside(real, moved).mean() <= FEW and _error(real, moved) < _error(real, grid):
            return moved
        wide = replace(kind, width=kind.width + more, integer=kind.integer + more)
        if _outside(real, wide).mean() <= FEW:
            return wide
    return replace(kind, width=MAX_WIDTH, integer=MAX_WIDTH - grid.frac)


def _error(real: Array, grid: Fixed) -> float:
    """Root mean square of what the type changes."""
    changes = np.abs(grid.real(grid.quantize(real)) - real)
    largest = float(changes.max(initial=0.0))
    return largest * math.sqrt(float(np.mean((changes / largest) ** 2))) if largest else 0.0


@dataclass(frozen=True)
class Proposal:
    """An input type for samples that name none.

    Attributes:
        kind: the type.
        error: root mean square of what it changes, in units of the samples; 0: it holds all of them exactly.
        share: share of the values that it saturates.
    """

    kind: Fixed
    error: float = 0.0
    share: float = 0.0

    def __str__(self) -> str:
        if not self.error:
            return f"{self.kind}, the narrowest type that holds every sample exactly"
        return f"{self.kind}: RMS error {self.error:.3g}, {self.share:.2%} of the values saturate"


STEPS = 16
"""Steps of a proposed type within the standard deviation of the least varying feature: an RMS error of 2 % of it."""


def proposed_grid(samples: Array) -> Proposal:
    """A type for samples: exact where they lie on a grid, else fine and wide enough for what varies in them.

    Args:
        samples: (n, ...), real and finite. Features are the values of a sample, flattened.
    """
    exact = Fixed.narrowest(samples, FLOAT_BITS, signed=bool(samples.min() < 0))
    if exact is not None:
        return Proposal(exact)
    real = flat(samples)
    varying = [float(value) for value in real.std(0) if value > 0]
    frac = math.ceil(math.log2(STEPS / min(varying, default=1.0)))
    kind = Fixed(1, 1 - frac, bool(samples.min() < 0), Rounding.RND, Overflow.SAT)
    while _outside(real, kind).mean() > FEW and kind.width < FLOAT_BITS:
        kind = replace(kind, width=kind.width + 1, integer=kind.integer + 1)
    while _outside(real, kind).mean() > FEW:
        kind = replace(kind, integer=kind.integer + 1)
    return Proposal(kind, _error(real, kind), float(_outside(real, kind).mean()))


def natural_grid(samples: Array, name: str) -> Fixed:
    """The narrowest type that holds all samples exactly, for users who name no input quantizer.

    Args:
        samples: (n, ...), as the network sees them: `hlsflow.data.data.real_samples`.
        name: of their file, for the message.
    Raises:
        DataError: they lie on no grid of `FLOAT_BITS` bits.
    """
    proposal = proposed_grid(samples)
    if proposal.error:
        raise DataError(
            f"the samples of {name} lie on no fixed-point grid of {FLOAT_BITS} bits or fewer",
            "name the input quantizer that the network was trained with, such as --input-precision fixed<10,4>; or "
            f"write --input-precision auto, which takes {proposal}; if the network was trained on standardized "
            "samples, add --standardize",
        )
    return proposal.kind
