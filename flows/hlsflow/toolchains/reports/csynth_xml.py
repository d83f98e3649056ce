"""csynth reports in XML, of Vivado HLS and Vitis HLS.

In: `<top>_csynth.xml`, or the `csynth.xml` of Vitis, which has figures of each module besides. Out: `Report` of stage
`hls`: lut, ff, dsp, bram, uram, latency_cycles, latency_ns, ii and clock_estimate_ns, each the worst case. These are
the C synthesizer's estimates; logic synthesis comes to other figures, so they share no column with those.
The two tools write the same format but for one tag: DSP blocks are `DSP48E` in Vivado HLS, `DSP` in Vitis HLS.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

from hlsflow.core import foreign
from hlsflow.core.errors import DataError
from hlsflow.core.foreign import Element
from hlsflow.core.metrics import Metric, MetricSet, Stage
from hlsflow.toolchains.reports.figures import Range, absolute, count, cycles, nanoseconds
from hlsflow.toolchains.reports.report import LayerFigures, Origin, Report
from hlsflow.toolchains.reports.text import AGAIN, kind_of, relative

KIND = "csynth report"
MARK = r"<profile>\s*<ReportVersion>"
XML = replace(kind_of(KIND), wrong="ends early or is no XML")
TOOLS: Mapping[str, str] = {"DSP": "Vitis HLS", "DSP48E": "Vivado HLS"}
"""The tag of DSP blocks tells the tool."""

RESOURCES: Mapping[str, str] = {"LUT": "lut", "FF": "ff", "BRAM_18K": "bram", "URAM": "uram"}
OPTIONAL = ("URAM",)
"""Releases before 2018 do not tell it."""

AREA = "AreaEstimates/Resources/"
AVAILABLE = "AreaEstimates/AvailableResources/"
LATENCY = "PerformanceEstimates/SummaryOfOverallLatency/"
TIMING = "PerformanceEstimates/SummaryOfTimingAnalysis/"
MODULE = "ModuleInformation/Module/"
HIERARCHY = "RTLDesignHierarchy/"


@dataclass(frozen=True)
class Document:
    """The elements of a report, or of one module in it."""

    file: Path
    name: str
    elements: Sequence[Element]

    def find(self, path: str) -> Element | None:
        return next((element for element in self.elements if element.path == path and element.text), None)

    def need(self, path: str) -> Element:
        """The element of that path; raises DataError when there is none with a text."""
        element = self.find(path)
        if element is None:
            raise DataError(f"{KIND} {self.file} has no {path}: it is damaged or of an unknown format", AGAIN)
        return element

    def at(self, element: Element) -> str:
        return f"{self.name}:{element.line}"

    def fail(self, element: Element, due: str) -> NoReturn:
        where = f"{self.file}, line {element.line}"
        raise DataError(f"{KIND} {where}: '{element.text}' stands where {due} is due", AGAIN)


def read(file: Path, *, root: Path | None = None) -> Report:
    """Read a report; see `hlsflow.toolchains.reports`. Raises DataError."""
    document = Document(file, relative(file, root), foreign.xml_elements(file, XML))
    tag = next((tag for tag in TOOLS if document.find(AREA + tag)), None)
    if tag is None:
        document.need(AREA + "DSP")
    version, part, top = (
        document.need(path).text
        for path in ("ReportVersion/Version", "UserAssignments/Part", "UserAssignments/TopModelName")
    )
    clock = document.need("UserAssignments/TargetClockPeriod")
    clock_ns = nanoseconds(clock.text) or document.fail(clock, "a clock period")
    origin = Origin(Stage.HLS, TOOLS[tag or "DSP"], version, part, clock_ns)
    tags = {**RESOURCES, tag or "DSP": "dsp"}
    metrics = MetricSet((*_area(document, origin, tags), *_latency(document, origin), _estimate(document, origin)))
    layers = tuple(_layer(module, origin, tags) for module in _modules(document) if module.need("Name").text != top)
    available, modules = _available(document, tags), _instantiated(document) - {top}
    return Report("csynth", origin.tool, version, part, top, clock_ns, metrics, layers, file, available, modules)


def _instantiated(document: Document) -> frozenset[str]:
    """The modules in the design: those that the report has figures of, and those of its hierarchy."""
    return frozenset(
        element.text
        for element in document.elements
        if element.path == MODULE + "Name"
        or (element.path.startswith(HIERARCHY) and element.path.endswith("/ModuleName"))
    )


def _area(document: Document, origin: Origin, tags: Mapping[str, str]) -> Iterator[Metric]:
    for tag, name in tags.items():
        element = document.find(AREA + tag) if tag in OPTIONAL else document.need(AREA + tag)
        if element is not None:
            value = count(element.text)
            if value is None:
                document.fail(element, "a count")
            yield origin.metric(name, value, document.at(element))


def _available(document: Document, tags: Mapping[str, str]) -> dict[str, float]:
    elements = {name: document.find(AVAILABLE + tag) for tag, name in tags.items()}
    counted = {name: count(element.text) for name, element in elements.items() if element}
    return {name: value for name, value in counted.items() if value is not None}


def _latency(document: Document, origin: Origin) -> Iterator[Metric]:
    """Latency in cycles and ns, and the interval; what a release does not tell in ns is left out."""
    worst, best = document.need(LATENCY + "Worst-caseLatency"), document.need(LATENCY + "Best-caseLatency")
    yield _ranged(document, origin, "latency_cycles", worst, cycles(best.text, worst.text))
    slow, fast = (document.find(LATENCY + f"{case}-caseRealTimeLatency") for case in ("Worst", "Best"))
    if slow and fast:
        yield _ranged(document, origin, "latency_ns", slow, absolute(fast.text, slow.text))
    most, least = document.need(LATENCY + "Interval-max"), document.need(LATENCY + "Interval-min")
    yield _ranged(document, origin, "ii", most, cycles(least.text, most.text))


def _ranged(document: Document, origin: Origin, name: str, element: Element, value: Range) -> Metric:
    return origin.metric(name, value[0], document.at(element), value[1])


def _estimate(document: Document, origin: Origin) -> Metric:
    element = document.need(TIMING + "EstimatedClockPeriod")
    value = nanoseconds(element.text)
    if value is None:
        document.fail(element, "a clock period")
    return origin.metric("clock_estimate_ns", value, document.at(element))


def _modules(document: Document) -> list[Document]:
    """The elements of each module; a module ends where its name comes again."""
    modules: list[list[Element]] = []
    for element in document.elements:
        if element.path == MODULE + "Name":
            modules.append([])
        if modules and element.path.startswith(MODULE):
            inside = Element(element.path.removeprefix(MODULE), element.text, element.line)
            modules[-1].append(inside)
    return [Document(document.file, document.name, module) for module in modules]


def _layer(module: Document, origin: Origin, tags: Mapping[str, str]) -> LayerFigures:
    """A module's figures; its interval is not among them, since what stands there is that of one of its loops."""
    present = {tag: name for tag, name in tags.items() if module.find(AREA + tag)}
    metrics = [*_area(module, origin, present)]
    worst, best = (module.find(LATENCY + f"{case}-caseLatency") for case in ("Worst", "Best"))
    if worst and best:
        metrics.insert(0, _ranged(module, origin, "latency_cycles", worst, cycles(best.text, worst.text)))
    return LayerFigures(module.need("Name").text, MetricSet(tuple(metrics)))
