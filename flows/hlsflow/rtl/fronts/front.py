"""What every front offers: how beats of one or more streams become the vectors that a pipeline takes.

A front walks through the steps of a frame (one image, one vector), again and again. Each step needs a beat of some of
its inputs, takes it or leaves it for the next step, and offers a vector or none. `steps` says so as plain arrays, for
the timing; `emit` writes the Verilog that walks alike: both sides can wait, and at most one step is made in a cycle.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hlsflow.rtl.verilog import Channel, Value, instance

Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Steps:
    """The steps of one frame.

    Attributes:
        takes: (inputs, steps): the step takes a beat of that input.
        makes: (steps,): the step offers a vector.
        looks: (inputs, steps): the step needs the next beat of that input, whether or not it takes it.
    """

    takes: Flags
    makes: Flags
    looks: Flags

    @classmethod
    def taking(cls, takes: Flags, makes: Flags) -> Steps:
        """Steps that need no more than they take; `takes` may be (steps,) for a single input."""
        rows = np.atleast_2d(takes)
        return cls(rows, makes, rows)


class Front(Protocol):
    """A way from beats to vectors.

    Attributes:
        primitives: names of the files in `templates/rtl/` that it instantiates, directly or not.
        vector_bits: of a vector that it offers.
    """

    @property
    def primitives(self) -> tuple[str, ...]: ...
    @property
    def vector_bits(self) -> int: ...

    def steps(self) -> Steps: ...

    def emit(self, inputs: Sequence[Channel], out: Channel, name: str) -> str:
        """Verilog text that reads the inputs and drives the valid and the data of `out`; all wires are declared."""
        ...


def single(module: str, name: str, parameters: Mapping[str, Value], source: Channel, out: Channel) -> str:
    """An instance with a clock, one stream `in` and one stream `out`."""
    ports = {"clk": "clk", "rst": "rst", **source.ports("in"), **out.ports("out")}
    return instance(module, name, parameters, ports)


def packed(wires: Sequence[str]) -> str:
    """A concatenation: wire 0 in the least significant bits."""
    return "{" + ", ".join(reversed(wires)) + "}"
