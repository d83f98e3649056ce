"""What a project folder holds, told as tables, rows or JSON.

In: a `Directory`. Out: a `Document` for people, CSV for spreadsheets, JSON for scripts. Figures of different stages,
tools or versions never share a column.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from hlsflow.core.metrics import UNITS, Metric
from hlsflow.report import comma, measured
from hlsflow.report.document import Block, Cell, Document, Figure, Lines, Section, Table, cell, row
from hlsflow.report.folders.columns import Column
from hlsflow.report.folders.directory import Directory
from hlsflow.report.folders.hls4ml_config import Config
from hlsflow.toolchains.reports import Report
from hlsflow.toolchains.reports.text import relative

SCHEMA_VERSION = 1
FIELDS = ("name", "value", "unit", "stage", "tool", "version", "target", "source", "note", "clock_ns")
CSV_COLUMNS = ("project", "layer", *FIELDS, "top")
KNOBS = ("weight", "bias", "accum", "result", "Precision", "ReuseFactor", "Strategy")
"""Settings of layers that come first; others follow in the order of the file."""

UNTOLD = ("Trace", "TraceOutput")
"""Settings that change no figure."""


def document(directory: Directory) -> Document:
    """The folder as tables."""
    found = directory.columns
    sections = [
        Section("Project", tuple(_project(directory))),
        *([Section("Warnings", (Lines(directory.warnings),))] if directory.warnings else []),
        *([Section("Figures of the whole design", (figures(directory.name, found),))] if found else []),
        *([Section("Outputs of simulations", (Lines(directory.simulations),))] if directory.simulations else []),
        *_layer_sections(directory),
        *_knob_sections(directory.config),
        *([Section("Cannot be read", (Lines(directory.refused),))] if directory.refused else []),
        *([Section("Not here", (Lines(directory.missing),))] if directory.missing else []),
    ]
    return Document(directory.name, "Project folder", tuple(sections))


def _project(directory: Directory) -> Iterator[Block]:
    if directory.config:
        yield Table(("setting", "value"), tuple(row(*item) for item in directory.config.general.items()))
    head = ("report", "kind", "tool", "version", "part", "top", "clock asked for (ns)")
    rows = [
        row(relative(r.file, directory.folder), r.kind, r.tool, r.version, r.part, r.top, cell(r.clock_ns))
        for r in directory.reports
    ]
    if rows:
        yield Table(head, tuple(rows))


def figures(owner: str, found: Sequence[Column]) -> Table:
    """A row for each figure, a column for each stage, tool, version, part and run of the tool."""
    by_column = [{metric.name: metric for metric in column.metrics} for column in found]
    names = [name for name in UNITS if any(name in known for known in by_column)]
    rows = [
        (cell(measured.heading(name, UNITS[name])), *(_figure(owner, known.get(name)) for known in by_column))
        for name in names
    ]
    clock = row("clock asked for (ns)", *(cell(_clock(column)) for column in found))
    part = row("part", *(column.part for column in found))
    notes = (
        f"{_title(column)}: {measured.heading(m.name, m.unit)}: {m.note}"
        for column in found
        for m in column.metrics
        if m.note
    )
    return Table(("figure", *map(_title, found)), (part, clock, *rows), tuple(dict.fromkeys(notes)))


def _figure(owner: str, metric: Metric | None) -> Cell:
    """A figure in its place; nothing where that stage does not tell it."""
    return cell(Figure.of(owner, metric)) if metric else Cell("")


def _clock(column: Column) -> float | None:
    return next((report.clock_ns for report in column.reports if report.clock_ns is not None), None)


def _title(column: Column) -> str:
    label = f", {column.label}" if column.label else ""
    return f"{column.stage}: {column.tool} {column.version}{label}"


def _layer_sections(directory: Directory) -> Iterator[Section]:
    """A table and a chart for each report that has figures of layers."""
    for report in directory.reports:
        rows = [(layer.name, layer.metrics) for layer in report.layers]
        if rows:
            stage = report.metrics.metrics[0].stage
            blocks: list[Block] = [layers(report)]
            chart = measured.resources(rows)
            blocks += [chart] if chart else []
            place = relative(report.file, directory.folder)
            yield Section(f"Layers, {stage}: {report.tool} {report.version}, {place}", tuple(blocks))


def layers(report: Report) -> Table:
    """A row for each layer; nothing in a cell where the report does not tell the figure of that layer."""
    names = [name for name in UNITS if any(layer.metrics.get(name) for layer in report.layers)]
    head = ("layer", *(measured.heading(name, UNITS[name]) for name in names))
    rows = [
        (cell(layer.name), *(_figure(layer.name, layer.metrics.get(name)) for name in names)) for layer in report.layers
    ]
    notes = [f"{layer.name}: {m.note}" for layer in report.layers for m in layer.metrics if m.value is None]
    return Table(head, tuple(rows), tuple(dict.fromkeys(notes)))


def _knob_sections(config: Config | None) -> Iterator[Section]:
    if config and (config.model or config.layers):
        yield Section("Knobs", (knobs(config),))


def knobs(config: Config) -> Table:
    """The settings of the model, then of each layer."""
    rows = [("all others" if config.layers else "all", config.model)]
    rows += [(layer.name, layer.settings) for layer in config.layers]
    told = dict.fromkeys(name for _, settings in rows for name in settings if name not in UNTOLD)
    names = [name for name in KNOBS if name in told] + [name for name in told if name not in KNOBS]
    body = [row(name, *(settings.get(key, "") for key in names)) for name, settings in rows]
    return Table(("layer", *names), tuple(body))


def to_csv(directory: Directory) -> str:
    """One row a figure, those of layers included; the value of a missing one is empty and its note says why."""
    rows = ({"project": directory.name} | row for row in _all_figures(directory))
    return comma.table(CSV_COLUMNS, ([row[name] for name in CSV_COLUMNS] for row in rows))


def _all_figures(directory: Directory) -> Iterator[dict[str, object]]:
    for column in directory.columns:
        yield from ({"layer": "", "top": column.top} | metric.to_json() for metric in column.metrics)
    for report in directory.reports:
        for layer in report.layers:
            yield from ({"layer": layer.name, "top": report.top} | metric.to_json() for metric in layer.metrics)


def to_json(directory: Directory) -> dict[str, Any]:
    """Everything, as plain JSON values; follows `templates/report/directory.schema.json`."""
    config = directory.config
    return {
        "schema": SCHEMA_VERSION,
        "project": directory.name,
        "settings": dict(config.general) if config else {},
        "knobs": {
            "model": dict(config.model) if config else {},
            "layers": {layer.name: dict(layer.settings) for layer in config.layers} if config else {},
        },
        "reports": [_report_json(directory, report) for report in directory.reports],
        "refused": list(directory.refused),
        "missing": list(directory.missing),
        "warnings": list(directory.warnings),
        "simulations": list(directory.simulations),
    }


def _report_json(directory: Directory, report: Report) -> dict[str, Any]:
    told = {key: getattr(report, key) for key in ("kind", "tool", "version", "part", "top", "clock_ns")}
    return told | {
        "file": relative(report.file, directory.folder),
        "available": dict(report.available or {}),
        "metrics": report.metrics.to_json(),
        "layers": [{"name": layer.name, "metrics": layer.metrics.to_json()} for layer in report.layers],
    }
