"""The report of a run: `report.md` for people, `report.csv` for spreadsheets, `report.json` for scripts, a plot.

In: a `Report`, which holds everything measured. Out: files in the run's folder. Figures of different stages or tools
never share a column; a figure that could not be had stands as "missing" with its reason below the table.
The JSON follows `templates/report/report.schema.json`.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from flows.markdown import MISSING, number, table
from flows.metrics import Metric, MetricSet, Stage
from flows.store import write_bytes, write_text

SCHEMA_VERSION = 1
FILES = ("report.md", "report.csv", "report.json", "report.png")

Group = tuple[Stage, str, str, str]
"""What makes a column of its own: stage, tool, version, target."""


@dataclass(frozen=True)
class PointReport:
    """One design point.

    Attributes:
        knobs: default and per-layer knobs, as plain JSON values.
        label: short name for tables and plot, such as `R16`.
        predicted: `latency_cycles` and `ii` from the schedule.
        metrics: what was measured, the accuracies of the float, quantized and C-simulated network included.
    """

    knobs: Mapping[str, Any]
    label: str
    predicted: Mapping[str, int]
    metrics: MetricSet


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
    """

    project: str
    run: str
    gate: Mapping[str, Any]
    layers: Sequence[Mapping[str, Any]]
    corrections: Sequence[Mapping[str, str]]
    points: Sequence[PointReport]
    budgets: Mapping[str, Mapping[str, float]]
    notes: Sequence[str]


def write(report: Report, folder: Path) -> None:
    """Write all files of the report; each appears whole or not at all. Raises StorageError."""
    write_text(folder / "report.json", json.dumps(to_json(report), indent=1) + "\n")
    write_text(folder / "report.csv", to_csv(report))
    write_text(folder / "report.md", to_markdown(report))
    _plot(report, folder / "report.png")


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
            {"knobs": dict(point.knobs), "predicted": dict(point.predicted), "metrics": point.metrics.to_json()}
            for point in report.points
        ],
        "budgets": [verdict for verdict in _verdicts(report)],
        "notes": list(report.notes),
    }


COLUMNS = ("point", "name", "value", "unit", "stage", "tool", "version", "target", "source", "note", "clock_ns")


def to_csv(report: Report) -> str:
    """One row a figure; the value of a missing one is empty and its note says why."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for point in report.points:
        for metric in point.metrics:
            writer.writerow({"point": point.label} | metric.to_json())
    return stream.getvalue()


def to_markdown(report: Report) -> str:
    """The report for people."""
    parts = [
        f"# {report.project}, run {report.run}",
        "## Bit-exactness",
        "\n".join(f"- {line}" for line in gate_lines(report.gate)),
        "## Accuracy",
        _accuracy_table(report),
        *_figure_sections(report),
        *_budget_section(report),
        "## RTL: reuse factor granted × multipliers of each layer",
        _layer_by_point(report, _folding),
        "## RTL: memories of weights, planned: bits, and block RAMs of 18 Kb with the share of their bits that is used",
        _layer_by_point(report, _memory),
        "## hls4ml project: layers and knobs",
        layer_table(report.layers),
        "## Corrections on the way from QKeras to hls4ml",
        _corrections(report.corrections),
    ]
    if report.notes:
        parts += ["## Not in this report", "\n".join(f"- {note}" for note in report.notes)]
    return "\n\n".join(parts) + "\n"


def summary(report: Report) -> str:
    """The tables of figures alone, for the terminal."""
    return "\n\n".join([_accuracy_table(report), *_figure_sections(report), *_budget_section(report)])


def gate_lines(gate: Mapping[str, Any]) -> list[str]:
    """One line a comparison."""
    return [
        f"{item['left']} {'=' if item['equal'] else '≠'} {item['right']}: {item['outputs'] - item['differing']} of "
        f"{item['outputs']} outputs equal, {item['samples']} samples"
        for item in gate["comparisons"]
    ]


def layer_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """The echo of the knobs."""
    head = ("layer", "kind", "shape", "weight", "accum", "result", "strategy", "R asked", "R granted", "multipliers")
    keys = ("name", "kind", "shape", "weight", "accum", "result", "strategy", "asked", "granted", "multipliers")
    return table(head, [[_cell(row[key]) for key in keys] for row in rows])


def _layer_by_point(report: Report, said: Callable[[Mapping[str, Any]], str]) -> str:
    """What is said of each layer of each point of the open RTL."""
    points = [point for point in report.points if point.predicted]
    names = list(dict.fromkeys(name for point in points for name in point.knobs["layers"]))
    rows = [[name, *(said(point.knobs["layers"][name]) for point in points)] for name in names]
    return table(("layer", *(point.label for point in points)), rows)


def _folding(layer: Mapping[str, Any]) -> str:
    if layer["adders"]:
        return f"{layer['adders']} adders"
    sparse = " (sparse)" if layer["strategy"] == "sparse" else ""
    return f"{layer['reuse_factor']} × {layer['multipliers']} {layer['multiplier']}{sparse}"


def _memory(layer: Mapping[str, Any]) -> str:
    memory = layer["memory"]
    if memory is None:
        return "none"
    where = {"lut": "LUT", "bram": "block RAM", "auto": "as the synthesizer decides"}[memory["made_of"]]
    return f"{number(memory['bits'])} ({where}), {memory['blocks']} at {memory['utilisation']:.0%}"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return " × ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _accuracy_table(report: Report) -> str:
    """From float to RTL; a figure that is the same for several points stands once."""
    found: dict[Metric, list[str]] = {}
    for point in report.points:
        for metric in point.metrics:
            if metric.name == "accuracy":
                found.setdefault(replace(metric, source=""), []).append(point.label)
    rows = [
        [m.stage.value, number(m.value), m.target, f"{m.tool} {m.version}", ", ".join(labels)]
        for m, labels in found.items()
    ]
    notes = dict.fromkeys(f"\n- {m.stage.value}: {m.note}" for m in found if m.note)
    return table(("stage", "accuracy (fraction)", "data", "tool", "points"), rows) + "".join(
        ["\n", *notes] if notes else []
    )


def _groups(points: Sequence[PointReport]) -> list[Group]:
    """The column groups, in the order in which they were measured."""
    found: dict[Group, None] = {}
    for point in points:
        for metric in point.metrics:
            if metric.name != "accuracy":
                found[_group(metric)] = None
    return list(found)


def _group(metric: Metric) -> Group:
    return metric.stage, metric.tool, metric.version, metric.target


def _figure_sections(report: Report) -> list[str]:
    """A table for each stage, tool, version and target."""
    return [part for group in _groups(report.points) for part in _figure_section(report, group)]


def _figure_section(report: Report, group: Group) -> list[str]:
    stage, tool, version, target = group
    chosen = [(point, [metric for metric in point.metrics if _group(metric) == group]) for point in report.points]
    chosen = [(point, [metric for metric in metrics if metric.name != "accuracy"]) for point, metrics in chosen]
    names = list(dict.fromkeys(metric.name for _, metrics in chosen for metric in metrics))
    units = {metric.name: metric.unit for _, metrics in chosen for metric in metrics}
    rows: list[list[str]] = []
    notes: dict[str, None] = {}
    for point, metrics in chosen:
        by_name = {metric.name: metric for metric in metrics}
        if by_name:
            rows.append([point.label, *(number(by_name[n].value) if n in by_name else MISSING for n in names)])
        notes |= {f"{point.label}: {m.note}" if m.value is None else m.note: None for m in metrics if m.note}
    head = ("point", *(_heading(name, units[name]) for name in names))
    text = [f"## {stage.value}: {target}, {tool} {version}", table(head, rows)]
    return text + (["\n".join(f"- {note}" for note in notes)] if notes else [])


def _heading(name: str, unit: str) -> str:
    words = {
        "latency_cycles": "latency",
        "latency_ns": "latency",
        "ii": "II",
        "fmax_mhz": "Fmax",
        "seconds": "tool time",
    }
    word = words.get(name, name.upper())
    return word if word == unit else f"{word} ({unit})"


def _verdicts(report: Report) -> list[dict[str, Any]]:
    """Each budget against each point; a missing figure is neither met nor exceeded."""
    found = []
    for point in report.points:
        for family, limits in report.budgets.items():
            for name, limit in limits.items():
                metric = _budget_figure(point, family, name)
                value = metric.value if metric else None
                verdict = MISSING if value is None else "met" if value <= limit else "exceeded"
                found.append(
                    {
                        "point": point.label,
                        "family": family,
                        "name": name,
                        "limit": limit,
                        "value": value,
                        "verdict": verdict,
                    }
                )
    return found


def _budget_figure(point: PointReport, family: str, name: str) -> Metric | None:
    if name in ("latency_cycles", "ii"):
        return point.metrics.get(name, Stage.SIMULATED)
    return point.metrics.get(name, Stage.SYNTH, family)


def _budget_section(report: Report) -> list[str]:
    rows = [
        [item["point"], item["family"], item["name"], number(item["limit"]), number(item["value"]), item["verdict"]]
        for item in _verdicts(report)
    ]
    head = ("point", "family", "figure", "budget", "measured", "verdict")
    return ["## Budgets", table(head, rows)] if rows else []


def _corrections(items: Sequence[Mapping[str, str]]) -> str:
    return "\n".join(f"- `{item['layer']}`: {item['what']}, because {item['reason']}" for item in items) or "none"


def _plot(report: Report, file: Path) -> None:
    """LUT and DSP against simulated latency, one line a synthesis target."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    groups = [group for group in _groups(report.points) if group[0] is Stage.SYNTH]
    for axes, name in zip(figure.subplots(1, 2), ("lut", "dsp"), strict=True):
        for group, style in zip(groups, itertools.cycle(("o-", "s--", "^:"))):
            _plot_line(axes, report, group, name, style)
        axes.set(xlabel="latency (cycles, simulated)", ylabel=f"{name.upper()} (synth)", xscale="log")
        axes.set_ylim(bottom=0)
        axes.set_xticks(*_latency_ticks(report))
        axes.minorticks_off()
        axes.margins(x=0.1)
        axes.grid(alpha=0.3)
        if groups:
            axes.legend(fontsize=8)
    figure.suptitle(f"{report.project}: resources after synthesis against simulated latency")
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=130, metadata={"Software": None})
    write_bytes(file, picture.getvalue())


def _latency_ticks(report: Report) -> tuple[list[float], list[str]]:
    """Each simulated latency, with the points that have it."""
    points: dict[float, list[str]] = {}
    for point in report.points:
        latency = point.metrics.get("latency_cycles", Stage.SIMULATED)
        if latency and latency.value is not None:
            points.setdefault(latency.value, []).append(point.label)
    return list(points), [f"{number(value)}\n{', '.join(labels)}" for value, labels in points.items()]


def _plot_line(axes: Any, report: Report, group: Group, name: str, style: str) -> None:
    dots = []
    for point in report.points:
        latency = point.metrics.get("latency_cycles", Stage.SIMULATED)
        metric = next((m for m in point.metrics if _group(m) == group and m.name == name), None)
        if latency and metric and latency.value is not None and metric.value is not None:
            dots.append((latency.value, metric.value))
    dots.sort()
    axes.plot([x for x, _ in dots], [y for _, y in dots], style, label=f"{group[3]}, {group[1]} {group[2]}")
