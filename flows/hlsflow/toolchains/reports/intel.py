"""What the reports of Intel's HLS compilers (oneAPI, i++) share: names of resources, and the tables of the fitter.

In: JSON that a parser has read. Out: figures in the names of `hlsflow.core.metrics`. An Intel DSP block, RAM block or
ALUT is another thing than one of AMD, so the part stands beside each figure.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hlsflow.core import foreign
from hlsflow.core.metrics import Metric, MetricSet, Stage
from hlsflow.toolchains.reports.report import UNKNOWN, LayerFigures, Origin
from hlsflow.toolchains.reports.text import AGAIN, Text

RAMS = ((r"max\s*10", "m9k"), (r"(?:cyclone|arria)\s*v", "m10k"))
"""Device family → its block RAM; all other families that these compilers know have blocks of 20 Kb."""

QUARTUS = "Quartus"
NOT_RUN = "Quartus has not compiled the design yet"
UNSAID = ("tbd", "n/a", "")
LARGEST = 1e12

Data = Mapping[str, Any]


@dataclass(frozen=True)
class Build:
    """What a report says of the run that wrote it.

    Attributes:
        version: of the compiler.
        family, part: of the device.
        clock_ns: the clock asked for, or None.
        quartus: the version of Quartus.
    """

    version: str = UNKNOWN
    family: str = ""
    part: str = UNKNOWN
    clock_ns: float | None = None
    quartus: str = UNKNOWN

    def origin(self, stage: Stage, tool: str) -> Origin:
        return Origin(stage, tool, self.version, self.part, self.clock_ns)

    @property
    def columns(self) -> dict[str, str]:
        """Column of the compiler's own estimates → metric."""
        return {"ALUTs": "alut", "FFs": "ff", "RAMs": self.ram, "DSPs": "dsp", "MLABs": "mlab"}

    @property
    def ram(self) -> str:
        """The metric that counts blocks of RAM of the family."""
        return next((name for pattern, name in RAMS if re.match(pattern, self.family, re.I)), "m20k")


def decode(text: Text, content: str, line: int) -> Any:
    """The JSON value that stands on a line; raises DataError."""
    return foreign.json_of(content, f"{text.file}, line {line}", foreign.Kind(text.kind, "holds broken JSON", AGAIN))


def count(text: Text, value: object, line: int) -> float:
    """A number of something, written as a number or as text; raises DataError on anything else."""
    number = text.number(value, line) if isinstance(value, str) else value
    if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number <= LARGEST:
        raise text.damaged(f"'{value}' stands where a count is due", line)
    return float(number)


def table(text: Text, value: object, line: int) -> Data:
    """A JSON object; raises DataError on anything else."""
    if not isinstance(value, Mapping):
        raise text.damaged("a JSON object is missing: the file is damaged or of an unknown format", line)
    return value


def rows(text: Text, value: object, line: int) -> list[Data]:
    """A list of JSON objects; raises DataError on anything else."""
    if not isinstance(value, list):
        raise text.damaged("a list is missing: the file is damaged or of an unknown format", line)
    return [table(text, row, line) for row in value]


@dataclass(frozen=True)
class Fit:
    """What the fitter found: figures of the whole device, those of each kernel, and the kernels' names."""

    metrics: MetricSet
    layers: tuple[LayerFigures, ...]

    @property
    def top(self) -> str:
        return self.layers[0].name if len(self.layers) == 1 else UNKNOWN


def fitted(text: Text, data: Data, line: int, build: Build) -> Fit:
    """The tables of the Quartus fitter, as i++ and oneAPI put them into their reports.

    Args:
        text: the report.
        data: the object that holds `quartusFitClockSummary` and `quartusFitResourceUsageSummary`.
        line: where that stands.
        build: what is known of the run.
    Raises:
        DataError: the tables are damaged.
    """
    origin = Origin(Stage.ROUTED, QUARTUS, build.quartus, build.part, build.clock_ns)
    source = text.at(line)
    clocks = table(text, data.get("quartusFitClockSummary"), line)
    if "nodes" not in clocks:
        return Fit(MetricSet(tuple(origin.metric(name, None, source, NOT_RUN) for name in _fit_names(build))), ())
    nodes = rows(text, table(text, data.get("quartusFitResourceUsageSummary"), line).get("nodes"), line)
    clock = rows(text, clocks["nodes"], line)
    if not clock or not nodes:
        raise text.damaged("the tables of the fitter are empty", line)
    fmax = _value(text, clock[0].get("clock fmax", clock[0].get("clock")), line)
    system = next((node for node in nodes if node.get("type") == "system"), nodes[-1])
    metrics = (origin.metric("fmax_mhz", fmax, source, "" if fmax is not None else NOT_RUN),)
    return Fit(
        MetricSet(metrics + _resources(text, system, line, origin, build)),
        tuple(_layer(text, node, line, origin, build) for node in nodes if node.get("type") == "kernel"),
    )


def _layer(text: Text, node: Data, line: int, origin: Origin, build: Build) -> LayerFigures:
    return LayerFigures(str(node.get("name")), MetricSet(_resources(text, node, line, origin, build)))


def _fit_names(build: Build) -> tuple[str, ...]:
    return ("fmax_mhz", *_fit_columns(build).values())


def _fit_columns(build: Build) -> dict[str, str]:
    return {"alm": "alm", "alut": "alut", "reg": "ff", "dsp": "dsp", "ram": build.ram, "mlab": "mlab"}


def _resources(text: Text, node: Data, line: int, origin: Origin, build: Build) -> tuple[Metric, ...]:
    values = {name: _value(text, node[key], line) for key, name in _fit_columns(build).items() if key in node}
    if not values:
        raise text.damaged(f"the fitter's row '{node.get('name')}' has no resources", line)
    return tuple(
        origin.metric(name, value, text.at(line), "" if value is not None else NOT_RUN)
        for name, value in values.items()
    )


def _value(text: Text, value: object, line: int) -> float | None:
    if isinstance(value, str) and value.strip().lower() in UNSAID:
        return None
    return count(text, value, line)


CLOCK = re.compile(r"(?:-Xsclock=|--?clock[= ])\s*(\d+(?:\.\d+)?)\s*(ns|ps|us|MHz|GHz|kHz)?", re.I)
TO_NS = {"ns": 1.0, "ps": 1e-3, "us": 1e3}
TO_MHZ = {"mhz": 1.0, "ghz": 1e3, "khz": 1e-3, "": 1.0}


def clock_ns(command: str) -> float | None:
    """The clock period that a compiler's command line asks for; a bare number means MHz (oneAPI FPGA handbook)."""
    match = CLOCK.search(command)
    if match is None:
        return None
    value, unit = float(match[1]), (match[2] or "").lower()
    period = value * TO_NS[unit] if unit in TO_NS else 1e3 / (value * TO_MHZ[unit]) if value else math.nan
    return round(period, 6) if period > 0 else None
