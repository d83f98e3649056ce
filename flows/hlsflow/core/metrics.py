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
    PTQ = "ptq"  # a float network just quantized, in QKeras, before any further training
    QAT = "qat"  # the quantized network, in QKeras
    CSIM = "csim"  # the HLS C++, compiled with g++
    ESTIMATED = "estimated"  # a model's guess before synthesis
    CHARACTERISED = "characterised"  # sum of layers synthesized out of context
    HLS = "hls"  # a vendor's csynth report
    SYNTH = "synth"  # logic synthesis
    PLACED = "placed"  # placement, before routing
    ROUTED = "routed"  # place and route
    SIMULATED = "simulated"  # cycle-accurate RTL simulation


OF_TARGETS = "unit of the targets"
"""The unit of errors, unless a project says what that is."""

UNITS: Mapping[str, str] = {
    "accuracy": "fraction",
    "tpr": "fraction",
    "fpr": "fraction",
    "auc": "fraction",
    "exact_match": "fraction",
    "r2": "fraction",
    "mae": OF_TARGETS,
    "rmse": OF_TARGETS,
    "largest_error": OF_TARGETS,
    "latency_cycles": "cycles",
    "latency_ns": "ns",
    "ii": "cycles",
    "lut": "LUT",
    "ff": "FF",
    "dsp": "DSP",
    "bram": "BRAM",
    "fmax_mhz": "MHz",
    "seconds": "s",
    "clock_estimate_ns": "ns",
    "wns_ns": "ns",
    "whs_ns": "ns",
    "power_w": "W",
    "power_static_w": "W",
    "power_dynamic_w": "W",
    "passed": "1 = yes",
    "uram": "URAM",
    "alm": "ALM",
    "alut": "ALUT",
    "mlab": "MLAB",
    "m20k": "M20K",
    "m10k": "M10K",
    "m9k": "M9K",
    "lut4": "LUT4",
    "lsram": "LSRAM",
    "usram": "uSRAM",
    "area_score": "area",
}
"""Metric names and their units.

- `tpr` and `fpr` are the shares of anomalies and of normal samples that a detector takes for anomalies, `auc` the area
  under the curve of the one over the other for all thresholds.
- `accuracy` is the share of samples whose class is right, or of labels that are right; `exact_match` is the share of
  samples with every label right.
- `r2` is the share of the targets' variance that a regression explains, `mae`, `rmse` and `largest_error` are its mean
  absolute, root mean square and largest error, all over all targets together. What unit targets have, projects tell.
- `dsp` and `bram` count the target's own blocks. A block of RAM is 18 Kb on AMD parts, where a "Block RAM Tile" of
  36 Kb is two, and an EBR on ECP5. `uram` counts UltraRAM of 288 Kb.
- `lut` counts AMD's and Lattice's look-up tables. Intel's `alut` and `alm`, and Microchip's `lut4`, are others.
- `m20k`, `m10k`, `m9k` and `mlab` are Intel's memories of 20, 10 and 9 Kb and of 640 bits, `lsram` and `usram` are
  Microchip's of 20 Kb and 768 bits.
- `clock_estimate_ns` is the period that a C synthesizer thinks its design needs; `fmax_mhz` is what timing analysis
  found.
- `wns_ns` and `whs_ns` are the worst slack of setup and hold at the clock asked for; below 0 timing is not met.
- `power_w` is the total on chip, of which `power_static_w` does not depend on activity and `power_dynamic_w` does.
- `passed` is the verdict of a simulation against what it was compared with: 1 or 0.
- `area_score` is Catapult's sum over its library, a number without a unit outside that library.
"""

OF_OUTPUTS = ("accuracy", "tpr", "fpr", "auc", "exact_match", "r2", "mae", "rmse", "largest_error")
"""Metrics of what a network says, which have tables of their own."""


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
        source: the file the figure was read from, relative to the run folder; `:LINE` may follow.
        note: why the figure is missing, or a remark that must be read with it.
        clock_ns: the clock period that the tool was asked for; None where it does not matter or is not known.
        own_unit: of an error, where a project says what unit the targets have; else "".
    """

    name: str
    value: float | None
    stage: Stage
    tool: str
    version: str
    target: str
    source: str
    note: str = ""
    clock_ns: float | None = None
    own_unit: str = ""

    def __post_init__(self) -> None:
        if self.name not in UNITS:
            raise ValueError(f"unknown metric '{self.name}'; known: {', '.join(UNITS)}")
        if self.value is None and not self.note:
            raise ValueError(f"metric '{self.name}' has no value and no note that says why")

    @property
    def unit(self) -> str:
        return self.own_unit or UNITS[self.name]

    def to_json(self) -> dict[str, object]:
        """The metric as plain JSON types, with its unit."""
        fields = dataclasses.asdict(self)
        return {"name": self.name, "value": self.value, "unit": self.unit, "stage": self.stage.value} | {
            key: fields[key] for key in ("tool", "version", "target", "source", "note", "clock_ns")
        }

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> Metric:
        """Inverse of `to_json`; raises ValueError or KeyError on anything else."""
        text = {key: str(data[key]) for key in ("name", "tool", "version", "target", "source", "note")}
        unit = str(data.get("unit", OF_TARGETS))
        text["own_unit"] = unit if UNITS.get(text["name"]) == OF_TARGETS != unit else ""
        value, clock_ns = (_number(data, key) for key in ("value", "clock_ns"))
        return cls(value=value, stage=Stage(str(data["stage"])), clock_ns=clock_ns, **text)


def _number(data: Mapping[str, object], key: str) -> float | None:
    """A number of a metric in JSON, or None; older files know no `clock_ns`."""
    value = data["value"] if key == "value" else data.get(key)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise ValueError(f"metric '{data['name']}' has a {key} that is no number: {value!r}")
    return value


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
