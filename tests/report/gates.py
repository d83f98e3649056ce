"""Gates for the tests of reports."""

from __future__ import annotations

from hlsflow.hls.fidelity import Fidelity, Origin
from hlsflow.hls.gate import FILE, FROZEN, Comparison, Gate


def fidelity(differing: int = 0, largest: float = 0.0) -> Fidelity:
    """How a frozen network of 360 samples and 10 outputs compares with the file."""
    origin = Origin("bn1", 9, 90, 0.1, ("scales frozen ('bn1')",)) if differing else None
    frozen = 0.9722 if differing else 0.9778
    return Fidelity(
        360, 3600, differing, 0, largest, 1.2 * largest, 2 * bool(differing), "accuracy", 0.9778, frozen, origin
    )


def gate(differing: int = 0, exceeded: tuple[str, ...] = ()) -> Gate:
    """A chain of which only the first link may differ, in so many outputs."""
    largest = 0.5 * bool(differing)
    first = Comparison(FILE, FROZEN, 360, 3600, differing, 8 * largest)
    links = [(FROZEN, "csim"), ("csim", "oracle"), ("oracle", "rtl R16"), ("oracle", "rtl R64")]
    rest = tuple(Comparison(left, right, 360, 3600, 0, 0.0) for left, right in links)
    return Gate((first, *rest), file=fidelity(differing, largest), exceeded=exceeded)
