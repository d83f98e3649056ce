"""What every core offers to the pipeline around it.

A core computes one node of the graph on one vector at a time. It runs freely: nothing can stall it, and it takes a
constant time. Lane-wise casts may follow it on the groups of its results.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from hlsflow.ir import Fixed
from hlsflow.rtl.verilog import Stream


class Core(Protocol):
    """One node as hardware.

    Attributes:
        name: of the node.
        primitives: names of the files in `templates/rtl/` that it instantiates, directly or not.
        n_out: values of a result vector.
        result: exact type of the results, before lane-wise operations.
        lanes, groups: a result comes as `groups` groups of `lanes` values (the last group may be padded).
        interval: cycles a vector occupies the core: the next one may come that many cycles later.
        latency: cycles from the one in which a vector is there to the one in which its last group is there.
    """

    @property
    def name(self) -> str: ...
    @property
    def primitives(self) -> tuple[str, ...]: ...
    @property
    def n_out(self) -> int: ...
    @property
    def result(self) -> Fixed: ...
    @property
    def lanes(self) -> int: ...
    @property
    def groups(self) -> int: ...
    @property
    def interval(self) -> int: ...
    @property
    def latency(self) -> int: ...

    def emit(self, vector: Stream, name: str) -> tuple[str, Stream]:
        """Verilog text that reads the vector (whole in the cycle of `vector.valid`), and the groups that come out."""
        ...


@runtime_checkable
class Reordering(Protocol):
    """A core whose values come out in an order of its own: `order[k]` is the place of the k-th one in the result.

    Empty where they come in order.
    """

    @property
    def order(self) -> tuple[int, ...]: ...
