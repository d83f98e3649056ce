"""Rounding for nothing: half a step is added to the biases of a layer, so that the cast after it needs no adder.

With t = sum + half and `drop` bits to cut, rounding to nearest, ties up, is t >> drop. With ties to even, the result's
lowest bit is cleared as well where all bits cut off are zero: the sum was half-way, and t >> drop is the upper
neighbour. A ReLU is not disturbed: sums from -half to -1 are 0 either way.

In: a core and the lane-wise operations behind it. Out: the same results from a core with other biases and a plainer
cast.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hlsflow.ir import Fixed, Rounding
from hlsflow.rtl.cores import Core, Weighted
from hlsflow.rtl.lanes import Cast, Operation
from hlsflow.rtl.verilog import Value


@dataclass(frozen=True)
class HalfwayCast(Cast):
    """A cast with ties to even of values that are larger by half a step."""

    @property
    def parameters(self) -> dict[str, Value]:
        return super().parameters | {"ROUNDING": '"CONV_HALF"'}


def rounded_early(core: Core | None, operations: Sequence[Operation]) -> tuple[Core | None, tuple[Operation, ...]]:
    """Let the biases of a layer do the rounding of the first operation after it, where that is possible."""
    if not isinstance(core, Weighted) or not operations:
        return core, tuple(operations)
    first, *others = _without_widening(operations)
    if isinstance(first, Cast) and first.drop > 0 and first.result.rounding in HALVES:
        raised = core.raised(1 << (first.drop - 1))
        if raised is not None:
            return raised, (HALVES[first.result.rounding](first, raised.result), *others)
    return core, tuple(operations)


def _without_widening(operations: Sequence[Operation]) -> list[Operation]:
    """The operations, but not a first cast that keeps all values if another cast follows."""
    match list(operations):
        case [Cast() as first, Cast() as second, *others] if _keeps_values(first):
            return [replace(second, source=first.source), *others]
        case same:
            return same


def _keeps_values(cast: Cast) -> bool:
    if cast.drop > 0 or cast.relu:
        return False
    low, high = cast.source.min << -cast.drop, cast.source.max << -cast.drop
    return cast.result.min <= low and high <= cast.result.max


def _ties_up(cast: Cast, source: Fixed) -> Cast:
    return replace(cast, source=source, result=replace(cast.result, rounding=Rounding.TRN))


def _ties_to_even(cast: Cast, source: Fixed) -> Cast:
    return HalfwayCast(cast.name, source, cast.result, cast.relu)


HALVES = {Rounding.RND: _ties_up, Rounding.RND_CONV: _ties_to_even}
"""Rounding → the cast that remains."""
