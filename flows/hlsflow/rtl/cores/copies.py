"""The same core several times, one for each pixel of a beat: what has neither weights nor steps to share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hlsflow.ir import Fixed
from hlsflow.rtl.cores.core import Core
from hlsflow.rtl.cores.parallel import Parallel
from hlsflow.rtl.verilog import Stream


@dataclass(frozen=True, eq=False)
class Copies:
    """Cores side by side, each on its part of the vector; see `hlsflow.rtl.cores.core.Core`."""

    cores: Sequence[Parallel]

    groups = 1
    interval = 1

    @property
    def name(self) -> str:
        return self.cores[0].name

    @property
    def primitives(self) -> tuple[str, ...]:
        return self.cores[0].primitives

    @property
    def n_out(self) -> int:
        return sum(core.n_out for core in self.cores)

    @property
    def lanes(self) -> int:
        return self.n_out

    @property
    def result(self) -> Fixed:
        return self.cores[0].result

    @property
    def latency(self) -> int:
        return self.cores[0].latency

    def emit(self, vector: Stream, name: str) -> tuple[str, Stream]:
        lanes = vector.lanes // len(self.cores)
        bits = lanes * vector.type.width
        texts, results = [], []
        for number, core in enumerate(self.cores):
            part = replace(vector, data=f"{vector.data}[{number * bits} +: {bits}]", lanes=lanes)
            text, result = core.emit(part, f"{name}_pixel{number}")
            texts.append(text)
            results.append(result)
        out = Stream(results[0].valid, results[0].last, f"{name}_results", self.n_out, self.result)
        together = ", ".join(result.data for result in reversed(results))
        return "".join(texts) + f"    wire [{out.bits - 1}:0] {out.data} = {{{together}}};\n", out


def copies(cores: Sequence[Parallel]) -> Core:
    """The only one itself, or all of them side by side."""
    return cores[0] if len(cores) == 1 else Copies(cores)
