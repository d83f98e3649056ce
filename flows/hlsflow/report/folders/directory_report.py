"""What a project folder holds, told as tables, rows or JSON.

In: a `Directory`. Out: a `Document` for people, CSV for spreadsheets, JSON for scripts. Figures of different stages,
tools or versions never share a column.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
CSV_COLUMNS = ("project", "layer", *FIELDS, "top", "available", "percent")
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
    head = ("stage", "tool", "version", "top", "part", "clock asked for (ns)", "read from")
    rows = [
        row(c.stage.value, c.tool, c.version, c.top, c.part, cell(c.clock_ns), ", ".join(_files(c, directory)))
        for c in directory.columns
    ]
    if rows:
        yield Table(head, tuple(rows))


def _files(column: Column, directory: Directory) -> list[str]:
    return [relative(report.file, directory.folder) for report in column.reports]


def figures(owner: str, found: Sequence[Column]) -> Table:
    """A row for each figure, a column for each stage, tool, version, part and run of the tool.

    A resource has a second row, in per cent of all that the part has, where that is known.
    """
    names = [name for name in UNITS if any(column.metrics.get(name) for column in found)]
    rows = [one for name in names for one in _figure_rows(owner, found, name)]
    clock = row("clock asked for (ns)", *(cell(column.clock_ns) for column in found))
    part = row("part", *(column.part for column in found))
    notes = (
        f"{column.title}: {measured.heading(m.name, m.unit)}: {m.note}"
        for column in found
        for m in column.metrics
        if m.note
    )
    heads = ("figure", *(column.title for column in found))
    return Table(heads, (part, clock, *rows), tuple(dict.fromkeys(notes)))


def _figure_rows(owner: str, found: Sequence[Column], name: str) -> Iterator[tuple[Cell, ...]]:
    yield cell(measured.heading(name, UNITS[name])), *(_figure(owner, one.metrics.get(name)) for one in found)
    shares = [column.percent(name) for column in found]
    if any(share is not None for share in shares):
        yield cell(f"{name.upper()} (% of the part)"), *map(_share, shares)


def _share(share: float | None) -> Cell:
    return Cell("") if share is None else Cell(f"{share:,.1f}", share)


def _figure(owner: str, metric: Metric | None) -> Cell:
    """A figure in its place; nothing where that stage does not tell it."""
    return cell(Figure.of(owner, metric)) if metric else Cell("")


def _layer_sections(directory: Directory) -> Iterator[Section]:
    """A table and a chart for each run of a tool that has figures of layers."""
    for column in directory.columns:
        rows = [(layer.name, layer.metrics) for layer in column.layers]
        if rows:
            blocks: list[Block] = [layers(column, directory)]
            chart = measured.resources(rows)
            blocks += [chart] if chart else []
            yield Section(f"Layers, {column.title}", tuple(blocks))


def layers(column: Column, directory: Directory) -> Table:
    """A row for each layer; nothing in a cell where no report tells the figure of that layer."""
    rows_of = column.layers
    names = [name for name in UNITS if any(layer.metrics.get(name) for layer in rows_of)]
    head = ("layer", *(measured.heading(name, UNITS[name]) for name in names))
    rows = [(cell(layer.name), *(_figure(layer.name, layer.metrics.get(name)) for name in names)) for layer in rows_of]
    files = ", ".join(relative(report.file, directory.folder) for report in column.layer_reports)
    notes = [f"{layer.name}: {m.note}" for layer in rows_of for m in layer.metrics if m.value is None]
    return Table(head, tuple(rows), tuple(dict.fromkeys((f"read from {files}", *notes))))


def _knob_sections(config: Config | None) -> Iterator[Section]:
    if config and (config.model or config.layers):
        table = knobs(config)
        yield Section("Knobs", (table if table.rows else Lines(table.notes),))


def knobs(config: Config) -> Table:
    """The settings of the model, then of each layer; layers with the same ones share a row.

    A setting that is the same wherever it is told has no column: a note names them all.
    """
    rows = [("all others" if config.layers else "all", config.model)]
    rows += [(layer.name, layer.settings) for layer in config.layers]
    settings_told = dict.fromkeys(name for _, settings in rows for name in settings if name not in UNTOLD)
    names = [name for name in KNOBS if name in settings_told] + [name for name in settings_told if name not in KNOBS]
    folded = {name: text for name in names if config.layers and (text := _unchanged(name, rows))}
    columns = [name for name in names if name not in folded]
    sharing: dict[tuple[str, ...], list[str]] = {}
    for layer, settings in rows:
        sharing.setdefault(tuple(settings.get(name, "") for name in columns), []).append(layer)
    body = [row(", ".join(layers), *own) for own, layers in sharing.items()]
    notes = (f"the same wherever it is set: {', '.join(folded.values())}",) if folded else ()
    return Table(("layer", *columns), tuple(body) if columns else (), notes)


def _unchanged(name: str, rows: Sequence[tuple[str, Mapping[str, str]]]) -> str:
    """The setting and its only value, with its layer where only one has it; "" for one with several values."""
    values = {layer: settings[name] for layer, settings in rows if name in settings}
    layer, value = next(iter(values.items()))
    where = f" ({layer})" if len(values) == 1 else ""
    return "" if len(set(values.values())) > 1 else f"{name} {value}{where}"


def to_csv(directory: Directory) -> str:
    """One row a figure, those of layers included; the value of a missing one is empty and its note says why."""
    rows = ({"project": directory.name} | row for row in _all_figures(directory))
    return comma.table(CSV_COLUMNS, ([row[name] for name in CSV_COLUMNS] for row in rows))


def _all_figures(directory: Directory) -> Iterator[dict[str, object]]:
    """Each figure once, however many reports of a run tell it."""
    for column in directory.columns:
        for metric in column.metrics:
            share = {"available": column.available.get(metric.name), "percent": column.percent(metric.name)}
            yield {"layer": "", "top": column.top} | share | metric.to_json()
    none = {"available": None, "percent": None}
    for column in directory.columns:
        for layer in column.layers:
            yield from ({"layer": layer.name, "top": column.top} | none | metric.to_json() for metric in layer.metrics)


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
        "runs": [_run_json(directory, column) for column in directory.columns],
        "reports": [_report_json(directory, report) for report in directory.reports],
        "refused": list(directory.refused),
        "missing": list(directory.missing),
        "warnings": list(directory.warnings),
        "simulations": list(directory.simulations),
    }


def _report_json(directory: Directory, report: Report) -> dict[str, Any]:
    fields = {key: getattr(report, key) for key in ("kind", "tool", "version", "part", "top", "clock_ns")}
    return fields | {
        "file": relative(report.file, directory.folder),
        "available": dict(report.available or {}),
        "metrics": report.metrics.to_json(),
        "layers": [{"name": layer.name, "metrics": layer.metrics.to_json()} for layer in report.layers],
    }


def _run_json(directory: Directory, column: Column) -> dict[str, Any]:
    fields = {key: getattr(column, key) for key in ("tool", "version", "part", "top", "clock_ns")}
    shares = {metric.name: column.percent(metric.name) for metric in column.metrics}
    return fields | {
        "stage": column.stage.value,
        "files": _files(column, directory),
        "metrics": column.metrics.to_json(),
        "utilisation": {name: share for name, share in shares.items() if share is not None},
    }
