"""Figures that can be trusted: every number carries its unit, its stage, its tool and where it was read.

In: values that a step measured. Out: JSON that others can script against (`report.json`).
A figure that could not be had is a `Metric` with `value=None` and a `note` that says why; it is never 0.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass


class Stage(enum.StrEnum):
    """Where in the flow a figure comes from. Figures of different stages never share a column."""

    FLOAT = "float"  # the float baseline, in Keras
    QAT = "qat"  # the quantized network, in QKeras
    CSIM = "csim"  # the HLS C++, compiled with g++
    ESTIMATED = "estimated"  # a model's guess before synthesis
    CHARACTERISED = "characterised"  # sum of layers synthesized out of context
    HLS = "hls"  # a vendor's csynth report
    SYNTH = "synth"  # logic synthesis
    ROUTED = "routed"  # place and route
    SIMULATED = "simulated"  # cycle-accurate RTL simulation


UNITS: Mapping[str, str] = {
    "accuracy": "fraction",
    "latency_cycles": "cycles",
    "latency_ns": "ns",
    "ii": "cycles",
    "lut": "LUT",
    "ff": "FF",
    "dsp": "DSP",
    "bram": "BRAM",
    "fmax_mhz": "MHz",
    "seconds": "s",
}
"""Metric names and their units. `bram` counts the target's own blocks: 18 Kb on Xilinx, EBR on ECP5."""


@dataclass(frozen=True)
class Metric:
    """One figure.

    Attributes:
        name: a key of `UNITS`.
        value: the figure in `UNITS[name]`, or None when it is missing.
        stage: where in the flow it was measured.
        tool: the program that produced it.
        version: that program's version.
        target: part or family, or the data the figure is about.
        source: the file the figure was read from, relative to the run folder.
        note: why the figure is missing, or a remark that must be read with it.
    """

    name: str
    value: float | None
    stage: Stage
    tool: str
    version: str
    target: str
    source: str
    note: str = ""

    def __post_init__(self) -> None:
        if self.name not in UNITS:
            raise ValueError(f"unknown metric '{self.name}'; known: {', '.join(UNITS)}")
        if self.value is None and not self.note:
            raise ValueError(f"metric '{self.name}' has no value and no note that says why")

    @property
    def unit(self) -> str:
        return UNITS[self.name]

    def to_json(self) -> dict[str, object]:
        """The metric as plain JSON types, with its unit."""
        fields = dataclasses.asdict(self)
        return {"name": self.name, "value": self.value, "unit": self.unit, "stage": self.stage.value} | {
            key: fields[key] for key in ("tool", "version", "target", "source", "note")
        }

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> Metric:
        """Inverse of `to_json`; raises ValueError or KeyError on anything else."""
        text = {key: str(data[key]) for key in ("name", "tool", "version", "target", "source", "note")}
        value = data["value"]
        if value is not None and not isinstance(value, int | float):
            raise ValueError(f"metric '{data['name']}' has a value that is no number: {value!r}")
        return cls(value=value, stage=Stage(str(data["stage"])), **text)


@dataclass(frozen=True)
class MetricSet:
    """An ordered, immutable collection of figures."""

    metrics: tuple[Metric, ...] = ()

    def __iter__(self) -> Iterator[Metric]:
        return iter(self.metrics)

    def __add__(self, other: Iterable[Metric]) -> MetricSet:
        """These figures, then those."""
        return MetricSet((*self.metrics, *other))

    def get(self, name: str, stage: Stage | None = None, target: str | None = None) -> Metric | None:
        """The first metric of that name (and stage, and target), or None."""
        for metric in self.metrics:
            if metric.name == name and stage in (None, metric.stage) and target in (None, metric.target):
                return metric
        return None

    def to_json(self) -> list[dict[str, object]]:
        return [metric.to_json() for metric in self.metrics]

    @classmethod
    def from_json(cls, data: Iterable[Mapping[str, object]]) -> MetricSet:
        return cls(tuple(Metric.from_json(item) for item in data))
