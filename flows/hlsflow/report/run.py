"""The report of a run: a page and Markdown for people, CSV for spreadsheets, `report.json` for scripts, charts as SVG.

In: a `Report`, which holds everything measured. Out: files in the run's folder. Figures of different stages or tools
never share a column; a figure that could not be had stands as "missing" with its reason below the table.
The JSON follows `templates/report/report.schema.json`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter
from pathlib import Path
from typing import Any

from hlsflow import __version__
from hlsflow.core.metrics import MetricSet, Stage
from hlsflow.core.store import write_text
from hlsflow.report import budgets, chain, clocks, comma, html, markdown, measured, quality
from hlsflow.report.document import (
    Bars,
    Cell,
    Document,
    Fact,
    Figure,
    Gallery,
    Lines,
    Section,
    Table,
    Text,
    cell,
    number,
    row,
)

SCHEMA_VERSION = 1
FILES = ("report.html", "report.md", "report.csv", "report.json")


@dataclass(frozen=True)
class PointReport:
    """One design point.

    Attributes:
        knobs: default and per-layer knobs, as plain JSON values.
        label: short name for tables and charts, such as `R16`.
        predicted: `latency_cycles` and `ii` from the schedule.
        metrics: what was measured, the accuracies of the float, quantized and C-simulated network included.
        layers: name and figures of each part, where a report has them.
    """

    knobs: Mapping[str, Any]
    label: str
    predicted: Mapping[str, int]
    metrics: MetricSet
    layers: Sequence[measured.Row] = ()


@dataclass(frozen=True)
class Report:
    """Everything that a run knows.

    Attributes:
        project, run: names.
        gate: the verdict, as JSON.
        layers: the echo of the knobs, a row a layer.
        corrections: what was changed between QKeras and hls4ml, and why.
        points: the sweep.
        budgets: family → metric name → largest allowed value.
        notes: what is not in the report, and why.
        parts: family → the part asked for, of which figures are told in per cent.
        saturation: what of the samples is beyond the input type's range, as JSON; None: nothing.
    """

    project: str
    run: str
    gate: Mapping[str, Any]
    layers: Sequence[Mapping[str, Any]]
    corrections: Sequence[Mapping[str, Any]]
    points: Sequence[PointReport]
    budgets: Mapping[str, Mapping[str, float]]
    notes: Sequence[str]
    parts: Mapping[str, str] = field(default_factory=dict)
    saturation: Mapping[str, Any] | None = None


def write(report: Report, folder: Path) -> None:
    """Write all files of the report; each appears whole or not at all. Raises StorageError."""
    write_text(folder / "report.json", json.dumps(to_json(report), indent=1) + "\n")
    write_text(folder / "report.csv", to_csv(report))
    write_text(folder / "report.md", to_markdown(report))
    write_text(folder / "report.html", to_html(report))
    html.write_charts(document(report), folder)


def to_json(report: Report) -> dict[str, Any]:
    """The report as plain JSON values."""
    return {
        "schema": SCHEMA_VERSION,
        "project": report.project,
        "run": report.run,
        "gate": dict(report.gate),
        "layers": list(report.layers),
        "corrections": list(report.corrections),
        "points": [
            {
                "knobs": dict(point.knobs),
                "predicted": dict(point.predicted),
                "metrics": point.metrics.to_json(),
                "utilisation": measured.utilisation(point.metrics, report.parts),
                "layers": [{"name": name, "metrics": metrics.to_json()} for name, metrics in point.layers],
            }
            for point in report.points
        ],
        "budgets": [verdict for verdict in budgets.verdicts(report)],
        "notes": list(report.notes),
        **({} if report.saturation is None else {"saturation": dict(report.saturation)}),
    }


COLUMNS = ("point", "name", "value", "unit", "stage", "tool", "version", "target", "source", "note", "clock_ns")


def to_csv(report: Report) -> str:
    """One row a figure; the value of a missing one is empty and its note says why."""
    rows = ({"point": point.label} | metric.to_json() for point in report.points for metric in point.metrics)
    return comma.table(COLUMNS, ([row[name] for name in COLUMNS] for row in rows))


def document(report: Report) -> Document:
    """The report for people, before it becomes Markdown or a page."""
    sections = [
        chain.section(report.gate),
        quality.section(_rows(report)),
        *_saturation_section(report.saturation),
        *_pictures(report),
        *clocks.noted(_rows(report), report.parts),
        *budgets.section(report),
        *(section for point in report.points for section in _layer_sections(point)),
        *_rtl_sections(report),
        Section("hls4ml project: layers and knobs", (layer_table(report.layers),)),
        _corrections(report.corrections),
        *([Section("Not in this report", (Lines(tuple(report.notes)),))] if report.notes else []),
    ]
    title = f"{report.project}, run {report.run}"
    return Document(
        title, "Run", tuple(sections), budgets.joined(chain.verdict(report.gate), report), tuple(_facts(report))
    )


def to_markdown(report: Report) -> str:
    """The report for people, as text."""
    return markdown.render(document(report))


def to_html(report: Report) -> str:
    """The report for people, as a page that needs nothing else."""
    return html.render(document(report))


def summary(report: Report) -> list[Section | Table]:
    """The tables of figures alone, for the terminal."""
    rows = _rows(report)
    return [*quality.tables(rows), *clocks.noted(rows, report.parts), *budgets.section(report)]


BEST = (
    ("lowest latency, cycles", "latency_cycles", Stage.SIMULATED, min),
    ("fewest LUT", "lut", Stage.SYNTH, min),
    ("highest Fmax, MHz", "fmax_mhz", Stage.ROUTED, max),
)
"""What stands above all: its name, the metric, the stage, and which of the points it is taken of."""


def _facts(report: Report) -> Iterator[Fact]:
    """How good the network is, and the best of each kind; of several targets, that of the first one."""
    yield from quality.facts(_rows(report))
    for name, metric, stage, best in BEST:
        found = [
            (one.value, Figure.of(point.label, one))
            for point in report.points
            if (one := point.metrics.get(metric, stage)) and one.value is not None
        ]
        if found:
            _, chosen = best(found, key=itemgetter(0))
            yield Fact(name, cell(chosen), f"{chosen.owner}, {chosen.stage}, {chosen.target}")
    unrouted = clocks.unrouted(_rows(report))
    if unrouted:
        yield Fact("Fmax", Cell("not measured"), "; ".join(unrouted.values()))


def _rows(report: Report) -> list[measured.Row]:
    return [(point.label, point.metrics) for point in report.points]


def _pictures(report: Report) -> list[Section]:
    rows = _rows(report)
    charts = {
        "Resources": measured.resources(rows),
        "Latency, interval and clock": measured.times(rows),
        "Trade-off of the design points": measured.planes(rows, ("lut", "dsp")),
    }
    return [Section(title, (gallery,)) for title, gallery in charts.items() if gallery]


def layer_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """The echo of the knobs."""
    return Table(
        tuple(LAYER_COLUMNS), tuple(tuple(_cell(layer[key]) for key in LAYER_COLUMNS.values()) for layer in rows)
    )


LAYER_COLUMNS: Mapping[str, str] = {
    "layer": "name",
    **{name: name for name in ("kind", "shape", "weight")},
    **{"zeros (%)": "zeros", "values": "values"},
    **{name: name for name in ("accum", "result", "strategy")},
    **{"R asked": "asked", "R granted": "granted", "multipliers": "multipliers"},
}
"""Head of a column → key of a layer."""


def _layer_sections(point: PointReport) -> Iterator[Section]:
    """Figures of layers, by the report that has them."""
    for group in measured.groups(point.layers):
        own = [
            (name, MetricSet(tuple(m for m in metrics if measured.group(m) == group))) for name, metrics in point.layers
        ]
        chart, table = measured.resources(own), measured.table(own, group, "layer")
        yield Section(f"Layers of {point.label}, {measured.title(group)}", (*([chart] if chart else []), table))


def _rtl_sections(report: Report) -> list[Section]:
    """What the schedule says of each layer at each point of the open RTL."""
    if not any(point.predicted for point in report.points):
        return []
    memories = replace(_layer_by_point(report, _memory), notes=(MEMORIES,))
    return [
        Section("RTL: reuse factor granted × multipliers", (_layer_by_point(report, _folding),)),
        Section("RTL: cycles, scheduled", (*_layer_chart(report), _layer_by_point(report, _cycles))),
        Section("RTL: memories of weights, planned", (memories,)),
    ]


MEMORIES = "bits of a layer's weights, and block RAMs of 18 Kb with the share of their bits that is used"


def _layer_by_point(report: Report, said: Callable[[PointReport, str], Cell]) -> Table:
    """What is said of each layer of each point of the open RTL."""
    points = [point for point in report.points if point.predicted]
    rows = [row(name, *(said(point, name) for point in points)) for name in _layer_names(points)]
    return Table(("layer", *(point.label for point in points)), tuple(rows))


def _layer_names(points: Sequence[PointReport]) -> list[str]:
    return list(dict.fromkeys(name for point in points for name in point.knobs["layers"]))


def _folding(point: PointReport, name: str) -> Cell:
    layer = point.knobs["layers"][name]
    if layer["adders"]:
        return Cell(f"{layer['adders']} adders", layer["adders"])
    sparse = " (sparse)" if layer["strategy"] == "sparse" else ""
    return cell(f"{layer['reuse_factor']} × {layer['multipliers']} {layer['multiplier']}{sparse}")


def _cycles(point: PointReport, name: str) -> Cell:
    return cell(_scheduled(point, name))


def _scheduled(point: PointReport, name: str) -> Figure:
    cycles, source = point.knobs["layers"][name]["latency_cycles"], f"rtl/{point.label}/schedule.json"
    owner = f"{point.label}, layer {name}"
    return Figure(owner, "latency_cycles", cycles, "cycles", "scheduled", "hlsflow", __version__, "open RTL", source)


def _layer_chart(report: Report) -> list[Gallery]:
    points = [point for point in report.points if point.predicted]
    names = _layer_names(points)
    values = tuple((number, tuple(_scheduled(point, name) for name in names)) for number, point in enumerate(points))
    bars = Bars("latency of layers", "cycles", tuple(names), values)
    return [Gallery(tuple(point.label for point in points), (bars,))] if names else []


def _memory(point: PointReport, name: str) -> Cell:
    memory = point.knobs["layers"][name]["memory"]
    if memory is None:
        return Cell("none", 0)
    where = {"lut": "LUT", "bram": "block RAM", "auto": "as the synthesizer decides"}[memory["made_of"]]
    text = f"{number(memory['bits'])} ({where}), {memory['blocks']} at {memory['utilisation']:.0%}"
    return Cell(text, memory["bits"])


def _cell(value: Any) -> Cell:
    if isinstance(value, int | float):
        return Cell(str(value), value)
    return cell(" × ".join(map(str, value)) if isinstance(value, list | tuple) else value)


def _saturation_section(found: Mapping[str, Any] | None) -> list[Section]:
    """Which features of the samples the input type cuts off, and what type would not."""
    if found is None:
        return []
    rows = tuple(row(Cell(str(feature), feature), Cell(f"{share:.2%}", share)) for feature, share in found["features"])
    share = found["saturated"] / found["values"]
    said = (
        f"{found['saturated']} of {found['values']} values ({share:.2%}) of all sets are beyond the range of "
        f"{found['precision']} and saturate; its RMS error is {found['error']:.3g}",
        f"{found['proposal']} has next to none; its RMS error is {found['proposed_error']:.3g}",
    )
    return [Section("Input values that saturate", (Lines(said), Table(("feature", "saturated"), rows)))]


def _corrections(items: Sequence[Mapping[str, Any]]) -> Section:
    rows = tuple(row(item["layer"], item["what"], item["reason"]) for item in items)
    block = Table(("layer", "what", "because"), rows) if rows else Text("none")
    return Section("Corrections on the way from QKeras to hls4ml", (block,))
