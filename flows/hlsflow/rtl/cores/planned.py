"""What all cores of weighted sums have in common: their numbers, and how the layer is folded."""

from __future__ import annotations

from dataclasses import dataclass

from hlsflow.ir import Fixed
from hlsflow.rtl.cores.fold import LayerSchedule
from hlsflow.rtl.cores.sums import Sums


@dataclass(frozen=True, eq=False)
class Planned:
    """Sums and their schedule, and what follows from these for any such core; see `Core` for the attributes."""

    sums: Sums
    plan: LayerSchedule

    @property
    def name(self) -> str:
        return self.plan.name

    @property
    def n_out(self) -> int:
        return self.plan.n_out * self.plan.pixels

    @property
    def result(self) -> Fixed:
        return self.sums.sum

    @property
    def lanes(self) -> int:
        return self.plan.outputs_per_cycle * self.plan.pixels

    @property
    def groups(self) -> int:
        return self.plan.groups

    @property
    def interval(self) -> int:
        return self.plan.granted

    @property
    def latency(self) -> int:
        return self.plan.latency_cycles
