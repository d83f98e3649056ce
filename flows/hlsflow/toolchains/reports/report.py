"""What a report of any tool says, as one noun.

In: the figures that a parser found. Out: `Report`, whose figures each carry stage, tool, version, part, clock and the
line they stand on. A parser either gives all figures of its file or raises `DataError`; it never gives some of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from hlsflow.core.metrics import Metric, MetricSet, Stage

UNKNOWN = "unknown"
"""Stands for a version, part or top that a report does not name."""


@dataclass(frozen=True)
class LayerFigures:
    """The share of one instance or module in a report.

    Attributes:
        name: instance or module, as the report has it.
        metrics: its figures, of the same stage, tool and part as the report's.
    """

    name: str
    metrics: MetricSet


@dataclass(frozen=True)
class Report:
    """What one report file says.

    Attributes:
        kind: what sort of report: "csynth", "cosim", "csim", "utilisation", "timing", "power", "oneapi", …
        tool, version, part, top: as the report names them, or `UNKNOWN`.
        clock_ns: the clock period asked for, or None.
        metrics: the figures of the whole design.
        layers: those of its parts, where the report has them.
        file: the report.
        available: metric name → how much of it the part has, where the report tells.
        modules: names of those that the top instantiates, where the report tells.
    """

    kind: str
    tool: str
    version: str
    part: str
    top: str
    clock_ns: float | None
    metrics: MetricSet
    layers: tuple[LayerFigures, ...]
    file: Path
    available: Mapping[str, float] | None = None
    modules: frozenset[str] = frozenset()

    def by_stage(self) -> tuple[Report, ...]:
        """The same, one for each stage that its figures have, with their tool: the first has the layers."""
        stages = dict.fromkeys(metric.stage for metric in self.metrics)
        parts = ([metric for metric in self.metrics if metric.stage is stage] for stage in stages)
        return tuple(
            replace(self, tool=part[0].tool, metrics=MetricSet(tuple(part)), layers=() if index else self.layers)
            for index, part in enumerate(parts)
        )


@dataclass(frozen=True)
class Origin:
    """What all figures of a report share."""

    stage: Stage
    tool: str
    version: str
    part: str
    clock_ns: float | None = None

    def metric(self, name: str, value: float | None, source: str, note: str = "") -> Metric:
        """A figure of that origin; without a value its note must say why."""
        return Metric(name, value, self.stage, self.tool, self.version, self.part, source, note, self.clock_ns)


Read = Callable[..., Report]
"""A parser: `read(file: Path, *, root: Path | None = None) -> Report`; sources are told relative to `root`."""


@dataclass(frozen=True)
class Reader:
    """How reports of one format are known and read.

    Attributes:
        patterns: of file names, as `fnmatch` has them.
        read: the parser.
        mark: regular expression of what the first lines of such a report hold, and those of no other; "" for none.
        others: patterns of names that fit and are those of other reports.
    """

    patterns: tuple[str, ...]
    read: Read
    mark: str = ""
    others: tuple[str, ...] = ()
