"""Reports of the Intel HLS compiler (i++): `report_data.js`, `verification_data.js` and `quartus_data.js`.

In: one of those files, as a build leaves them in `<top>-fpga.prj/reports/lib`; `report_data.js` tells version and part
of the others too. Out: `Report`: the compiler's estimate of resources (stage `hls`), latency and II as simulated (stage
`simulated`), or what the fitter found (stage `routed`).

The files are JavaScript that assigns objects to variables; releases before 19 assign texts of JSON instead.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from hlsflow.core import foreign
from hlsflow.core.metrics import Metric, MetricSet, Stage
from hlsflow.toolchains.reports import intel
from hlsflow.toolchains.reports.intel import Build, Data
from hlsflow.toolchains.reports.report import UNKNOWN, LayerFigures, Origin, Report
from hlsflow.toolchains.reports.text import AGAIN, Text, read_text

TOOL = "Intel HLS"
ESTIMATES, SIMULATED, FITTED = "report_data.js", "verification_data.js", "quartus_data.js"
STRING = re.compile(r"'[^'\\]*(?:\\.[^'\\]*)*'|\"[^\"\\]*(?:\\.[^\"\\]*)*\"", re.S)
COMPONENT = "total_kernel_resources"
"""What a part of the table has that is a component, and no logic around it."""

NOT_SIMULATED = "the design has not been simulated yet"


def read_estimates(file: Path, *, root: Path | None = None) -> Report:
    """The compiler's estimate of resources, for the design and for each component.

    Raises:
        DataError: the file is damaged or something else.
    """
    text = read_text(file, "Intel HLS report", root)
    (line, area), build = _variable(text, "areaJSON"), _build(text)
    columns = [name for name in _names(text, area, line) if name in build.columns]
    origin = build.origin(Stage.HLS, TOOL)
    available = _counts(text, area.get("max_resources"), columns, line)

    def figures(data: object, at: int) -> MetricSet:
        counts = _counts(text, data, columns, at)
        source = text.at(at)
        return MetricSet(tuple(origin.metric(build.columns[name], counts[name], source) for name in columns))

    parts = intel.rows(text, area.get("children", area.get("functions", [])), line)
    layers = tuple(
        LayerFigures(str(part.get("name")), figures(part[COMPONENT], line)) for part in parts if COMPONENT in part
    )
    top = layers[0].name if len(layers) == 1 else UNKNOWN
    total = figures(area.get("total"), text.find(r'"total"\s*:', "total of the resources", line)[0])
    limits = {build.columns[name]: available[name] for name in columns}
    return Report("quartus", TOOL, build.version, build.part, top, None, total, layers, file, limits)


def read_simulation(file: Path, *, root: Path | None = None) -> Report:
    """Latency and II as simulated, in cycles, each the largest of all invocations.

    Raises:
        DataError: the file is damaged or something else.
    """
    text = read_text(file, "Intel HLS simulation report", root)
    line, results = _variable(text, "verifJSON")
    build = _build_beside(file)
    origin = build.origin(Stage.SIMULATED, TOOL)
    functions = intel.rows(text, results.get("functions", []), line)
    if results and not functions:
        raise text.damaged("has no component: it is of an unknown format", line)
    if not functions:
        missing = tuple(origin.metric(name, None, text.at(line), NOT_SIMULATED) for name in ("latency_cycles", "ii"))
        return Report("cosim", TOOL, build.version, build.part, UNKNOWN, None, MetricSet(missing), (), file)
    top = str(functions[0].get("name"))
    metrics = MetricSet(_times(text, functions[0], text.find(r'"data"\s*:', "data of the component", line)[0], origin))
    return Report("cosim", TOOL, build.version, build.part, top, None, metrics, (), file)


def read_fit(file: Path, *, root: Path | None = None) -> Report:
    """What Quartus' fitter found: resources of the whole device and of each component, and the clock.

    Raises:
        DataError: the file is damaged or something else.
    """
    text = read_text(file, "Intel HLS fitter report", root)
    line, data = _variable(text, "quartusJSON")
    build = _build_beside(file)
    fit = intel.fitted(text, data, line, build)
    return Report("fit", intel.QUARTUS, build.quartus, build.part, fit.top, None, fit.metrics, fit.layers, file)


def _times(text: Text, function: Data, line: int, origin: Origin) -> tuple[Metric, ...]:
    """Latency and II of a component: its data are invocations, latency and II, the latter as `min,max,avg`."""
    data = function.get("data")
    if not isinstance(data, list) or len(data) != 3:
        raise text.damaged("a component does not have invocations, latency and II", line)
    calls = intel.count(text, data[0], line)
    return tuple(
        _range(text, name, str(content), f"{calls:g} invocations", line, origin)
        for name, content in zip(("latency_cycles", "ii"), data[1:], strict=True)
    )


def _range(text: Text, name: str, content: str, calls: str, line: int, origin: Origin) -> Metric:
    parts = [part.strip() for part in content.split(",")]
    if len(parts) != 3:
        raise text.damaged(f"'{content}' is no minimum, maximum and average", line)
    if parts[1].lower() in intel.UNSAID:
        return origin.metric(name, None, text.at(line), f"the report says '{content}' for {calls}")
    low, high, _ = (intel.count(text, part, line) for part in parts)
    if low > high:
        raise text.damaged(f"'{content}': the minimum is above the maximum", line)
    note = calls if low == high else f"{low:g} to {high:g} cycles in {calls}"
    return origin.metric(name, high, text.at(line), note)


def _build_beside(file: Path) -> Build:
    """What the compiler's own report beside a file says of the run; nothing is known without it."""
    report = file.with_name(ESTIMATES)
    return _build(read_text(report, "Intel HLS report")) if report.is_file() else Build()


def _build(text: Text) -> Build:
    """Version and part, from the table `infoJSON`."""
    line, info = _variable(text, "infoJSON")
    data_of = {str(row.get("name")): row.get("data") for row in intel.rows(text, info.get("rows", []), line)}
    values = {name: str(data[0]) for name, data in data_of.items() if isinstance(data, list) and data}
    family, _, part = values.get("Target Family, Device", "").partition(",")
    version = values.get("i++ Version", UNKNOWN)
    return Build(version, family, part.strip() or family or UNKNOWN, None, values.get("Quartus Version", UNKNOWN))


def _names(text: Text, area: Data, line: int) -> list[str]:
    names = area.get("columns")
    if not isinstance(names, list):
        raise text.damaged("areaJSON names no columns", line)
    return [str(name).strip() for name in names]


def _counts(text: Text, data: object, columns: Sequence[str], line: int) -> dict[str, float]:
    if not isinstance(data, list) or len(data) < len(columns) or not columns:
        raise text.damaged(f"areaJSON does not have a figure for each of {', '.join(columns) or 'its columns'}", line)
    return {name: intel.count(text, value, line) for name, value in zip(columns, data, strict=False)}


def _variable(text: Text, name: str) -> tuple[int, Data]:
    """The object that the JavaScript assigns to a variable, and the line of that."""
    pattern = rf"^;?\s*var\s+{name}\s*=\s*"
    line, match = text.find(pattern, f"variable {name}")
    if text.search(pattern, line + 1):
        raise text.damaged(f"assigns {name} twice", line)
    rest = "\n".join((text.lines[line - 1][match.end() :], *text.lines[line:]))
    with foreign.reading(f"{text.file}, line {line}", foreign.Kind(text.kind, f"{name} is broken", AGAIN)):
        value, _ = json.JSONDecoder().raw_decode(STRING.sub(_as_json, rest))
        value = foreign.bounded(json.loads(value) if isinstance(value, str) else value)
    return line, intel.table(text, value, line)


def _as_json(match: re.Match[str]) -> str:
    """A JavaScript string as JSON has it: in double quotes."""
    text = match[0]
    if text[0] == '"':
        return text
    inside = re.sub(r"\\.|\"", lambda part: {"\\'": "'", '"': '\\"'}.get(part[0], part[0]), text[1:-1], flags=re.S)
    return f'"{inside}"'
