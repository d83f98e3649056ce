"""Cores that take a vector in every cycle and give all its results at once: one hand-written primitive each.

Such a primitive has the ports clk, rst, in_valid, in, out_valid and out, and keeps nothing from one vector to the next
but what is said in its head.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hlsflow.ir import Fixed
from hlsflow.rtl.verilog import Stream, Value, instance


@dataclass(frozen=True, eq=False)
class Parallel:
    """One instance of `module`; see `hlsflow.rtl.cores.core.Core` for what is not said here.

    Attributes:
        module: name of the primitive.
        parameters: of the instance.
    """

    name: str
    module: str
    primitives: tuple[str, ...]
    n_out: int
    result: Fixed
    latency: int
    parameters: Mapping[str, Value]

    groups = 1
    interval = 1

    @property
    def lanes(self) -> int:
        return self.n_out

    def emit(self, vector: Stream, name: str) -> tuple[str, Stream]:
        out = Stream(f"{name}_valid", "1'b1", f"{name}_results", self.n_out, self.result)
        ports = {"clk": "clk", "rst": "rst", "in_valid": vector.valid, "in": vector.data}
        ports |= {"out_valid": out.valid, "out": out.data}
        wires = f"    wire {out.valid};\n    wire [{out.bits - 1}:0] {out.data};\n"
        return wires + instance(self.module, name, self.parameters, ports), out
