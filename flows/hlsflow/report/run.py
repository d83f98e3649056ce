"""The report of a run: a page and Markdown for people, CSV for spreadsheets, `report.json` for scripts, charts as SVG.

In: a `Report`, which holds everything measured. Out: files in the run's folder. Figures of different stages or tools
never share a column; a figure that could not be had stands as "missing" with its reason below the table.
The JSON follows `templates/report/report.schema.json`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import Any

from hlsflow.core.metrics import MetricSet, Stage
from hlsflow.core.store import write_text
from hlsflow.report import budgets, chain, clocks, comma, html, layers, markdown, measured, provenance, quality
from hlsflow.report.document import (
    Cell,
    Document,
    Fact,
    Figure,
    Lines,
    Section,
    Table,
    Text,
    cell,
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
        standardization: by whose mean and deviation the samples are standardized, and these, as JSON; None: they are
            not.
        provenance: what is needed to repeat the run, as JSON (`hlsflow.pipeline.provenance`).
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
    provenance: Mapping[str, Any] | None = None
    standardization: Mapping[str, Any] | None = None


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
        "layers": layers.with_reuse_factors(report.layers, report.points),
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
        **({} if report.standardization is None else {"standardization": dict(report.standardization)}),
        **({} if report.saturation is None else {"saturation": dict(report.saturation)}),
        **({} if report.provenance is None else {"provenance": dict(report.provenance)}),
    }


FIELDS = ("point", "name", "value", "unit", "stage", "tool", "version", "target", "source", "note", "clock_ns")
SHARE = ("part", "available", "percent")
"""What a row says besides where it is a resource of a part whose size is known."""


def to_csv(report: Report) -> str:
    """One row a figure; the value of a missing one is empty and its note says why."""
    rows = (
        {"point": point.label} | metric.to_json() | (measured.share(metric, report.parts) or dict.fromkeys(SHARE))
        for point in report.points
        for metric in point.metrics
    )
    columns = (*FIELDS, *SHARE)
    return comma.table(columns, ([row[name] for name in columns] for row in rows))


def document(report: Report) -> Document:
    """The report for people, before it becomes Markdown or a page."""
    sections = [
        chain.section(report.gate),
        quality.section(_rows(report)),
        *_standardization_section(report.standardization),
        *_saturation_section(report.saturation),
        *_pictures(report),
        *clocks.noted(_rows(report), report.parts),
        *budgets.section(report),
        *(section for point in report.points for section in _layer_sections(point)),
        Section("Layers", (layers.table(report.layers, report.points),)),
        *layers.rtl_sections(report.points),
        _corrections(report.corrections),
        *([Section("Not in this report", (Lines(tuple(report.notes)),))] if report.notes else []),
        *provenance.section(report.provenance),
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
    """The tables of figures and reuse factors alone, for the terminal."""
    rows = _rows(report)
    factors = Section("Reuse factors", (layers.reuse_factors(report.layers, report.points),))
    return [*quality.tables(rows), *clocks.noted(rows, report.parts), *budgets.section(report), factors]


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
        routed = any(point.metrics.get("fmax_mhz", Stage.ROUTED) for point in report.points)
        yield Fact(
            f"Fmax of {', '.join(unrouted)}" if routed else "Fmax", Cell("not measured"), "; ".join(unrouted.values())
        )


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


def _layer_sections(point: PointReport) -> Iterator[Section]:
    """Figures of layers, by the report that has them."""
    for group in measured.groups(point.layers):
        own = [
            (name, MetricSet(tuple(m for m in metrics if measured.group(m) == group))) for name, metrics in point.layers
        ]
        chart, table = measured.resources(own), measured.table(own, group, "layer")
        yield Section(f"Layers of {point.label}, {measured.title(group)}", (*([chart] if chart else []), table))


FEATURES = 64
"""Of which a table of mean and deviation is for people; report.json has all."""


def _standardization_section(standard: Mapping[str, Any] | None) -> list[Section]:
    """By what the samples are standardized, which is to be done before the hardware."""
    if standard is None:
        return []
    said = (
        f"Mean and deviation are those of {standard['by']}",
        "The hardware takes standardized values: what feeds it subtracts the mean of each feature and divides by its "
        "deviation",
    )
    numbers = zip(standard["features"], standard["mean"], standard["deviation"], strict=True)
    rows = tuple(row(name, Cell(f"{mean:.6g}", mean), Cell(f"{width:.6g}", width)) for name, mean, width in numbers)
    if len(rows) > FEATURES:
        return [Section("Samples are standardized", (Lines((*said, "Both of each feature are in the JSON report")),))]
    return [Section("Samples are standardized", (Lines(said), Table(("feature", "mean", "deviation"), rows)))]


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
