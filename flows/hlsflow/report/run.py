"""The report of a run: a page and Markdown for people, CSV for spreadsheets, `report.json` for scripts, a plot.

In: a `Report`, which holds everything measured. Out: files in the run's folder. Figures of different stages or tools
never share a column; a figure that could not be had stands as "missing" with its reason below the table.
The JSON follows `templates/report/report.schema.json`.
"""

from __future__ import annotations

import io
import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from pathlib import Path
from typing import Any

from hlsflow import __version__
from hlsflow.core.metrics import Metric, MetricSet, Stage
from hlsflow.core.store import write_bytes, write_text
from hlsflow.report import comma, html, markdown, measured
from hlsflow.report.document import (
    MISSING,
    Bars,
    Cell,
    Chain,
    Document,
    Fact,
    Figure,
    Gallery,
    Lines,
    Section,
    Step,
    Table,
    Text,
    Tone,
    Verdict,
    cell,
    number,
    row,
)

SCHEMA_VERSION = 1
FILES = ("report.html", "report.md", "report.csv", "report.json", "report.png")


@dataclass(frozen=True)
class PointReport:
    """One design point.

    Attributes:
        knobs: default and per-layer knobs, as plain JSON values.
        label: short name for tables and plot, such as `R16`.
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
    write_text(folder / "report.html", to_html(report))
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
            {
                "knobs": dict(point.knobs),
                "predicted": dict(point.predicted),
                "metrics": point.metrics.to_json(),
                "layers": [{"name": name, "metrics": metrics.to_json()} for name, metrics in point.layers],
            }
            for point in report.points
        ],
        "budgets": [verdict for verdict in _verdicts(report)],
        "notes": list(report.notes),
    }


COLUMNS = ("point", "name", "value", "unit", "stage", "tool", "version", "target", "source", "note", "clock_ns")


def to_csv(report: Report) -> str:
    """One row a figure; the value of a missing one is empty and its note says why."""
    rows = ({"point": point.label} | metric.to_json() for point in report.points for metric in point.metrics)
    return comma.table(COLUMNS, ([row[name] for name in COLUMNS] for row in rows))


def document(report: Report) -> Document:
    """The report for people, before it becomes Markdown or a page."""
    sections = [
        _gate_section(report.gate),
        _accuracy_section(report),
        *_detection_section(report),
        *_pictures(report),
        *measured.sections(_rows(report)),
        *_budget_section(report),
        *(section for point in report.points for section in _layer_sections(point)),
        *_rtl_sections(report),
        Section("hls4ml project: layers and knobs", (layer_table(report.layers),)),
        _corrections(report.corrections),
        *([Section("Not in this report", (Lines(tuple(report.notes)),))] if report.notes else []),
    ]
    title = f"{report.project}, run {report.run}"
    return Document(title, "Run", tuple(sections), _verdict(report), tuple(_facts(report)))


def to_markdown(report: Report) -> str:
    """The report for people, as text."""
    return markdown.render(document(report))


def to_html(report: Report) -> str:
    """The report for people, as a page that needs nothing else."""
    return html.render(document(report))


def summary(report: Report) -> str:
    """The tables of figures alone, for the terminal."""
    sections = [*_detection_section(report), *measured.sections(_rows(report)), *_budget_section(report)]
    return "\n\n".join([markdown.render_table(_accuracy_table(report)), *map(markdown.render_section, sections)])


def _gate_section(gate: Mapping[str, Any]) -> Section:
    head = ("this", "", "that", "equal outputs", "of", "samples", "largest difference (steps of the output grid)")
    rows = [
        row(
            item["left"],
            cell("=", "good") if item["equal"] else cell("≠", "bad"),
            item["right"],
            *(item["outputs"] - item["differing"], item["outputs"], item["samples"], item["largest"]),
        )
        for item in gate["comparisons"]
    ]
    table = Table(head, tuple(rows))
    return Section("Bit-exactness", (table,) if gate["passed"] else (Lines(_difference(gate)), table))


def _difference(gate: Mapping[str, Any]) -> tuple[str, ...]:
    """Which layer of a gate that did not pass differs first, and why that usually happens."""
    first = gate["first"]
    if _not_run(gate):
        return (f"C-simulation {gate['not_run']}; what was compared is equal, but nothing is shown of hls4ml's C++",)
    if first is None:
        return ("no layer is known: in the samples whose layers are kept, all of them are equal",)
    found = f"{first['differing']} of {first['values']} values, by up to {first['largest']:g}"
    return f"first layer that differs: {first['layer']}, {found}", f"usual cause: {first['cause']}"


def _not_run(gate: Mapping[str, Any]) -> bool:
    """Whether the gate says nothing against the network, but has not passed either."""
    return bool(gate.get("not_run")) and all(item["equal"] for item in gate["comparisons"])


def _verdict(report: Report) -> Verdict:
    gate, budgets = report.gate, Counter(item["verdict"] for item in _verdicts(report))
    said = [f"budgets: {', '.join(f'{count} {verdict}' for verdict, count in budgets.items())}"] if budgets else []
    if _not_run(gate):
        return Verdict(f"Bit-exactness not shown: C-simulation {gate['not_run']}", "", (*_difference(gate), *said))
    if not gate["passed"]:
        where = f": the first layer that differs is {gate['first']['layer']}" if gate["first"] else ""
        return Verdict(f"Not bit-exact{where}", "bad", (*_difference(gate), *said))
    names = dict.fromkeys(name for item in gate["comparisons"] for name in (item["left"], item["right"]))
    outputs = sum(item["outputs"] for item in gate["comparisons"])
    count = f"{number(outputs)} outputs compared in {len(gate['comparisons'])} comparisons, all of them equal"
    return Verdict("Bit-exact", "good", (" = ".join(names), count, *said))


BEST = (
    ("accuracy in RTL", "accuracy", Stage.SIMULATED, max),
    ("anomalies found in RTL", "tpr", Stage.SIMULATED, max),
    ("lowest latency, cycles", "latency_cycles", Stage.SIMULATED, min),
    ("fewest LUT", "lut", Stage.SYNTH, min),
    ("highest Fmax, MHz", "fmax_mhz", Stage.ROUTED, max),
)
"""What stands above all: its name, the metric, the stage, and which of the points it is taken of."""


def _facts(report: Report) -> Iterator[Fact]:
    """The best of each kind; of several targets, that of the first one."""
    for name, metric, stage, best in BEST:
        found = [
            (one.value, Figure.of(point.label, one))
            for point in report.points
            if (one := point.metrics.get(metric, stage)) and one.value is not None
        ]
        if found:
            _, chosen = best(found, key=itemgetter(0))
            yield Fact(name, cell(chosen), f"{chosen.owner}, {chosen.stage}, {chosen.target}")


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


def _accuracies(report: Report, name: str = "accuracy") -> list[Figure]:
    """From float to RTL, or another metric of outputs; one that is the same for several points stands once."""
    found: dict[Metric, list[str]] = {}
    sources: dict[Metric, str] = {}
    for point in report.points:
        for metric in point.metrics:
            if metric.name == name:
                key = replace(metric, source="")
                found.setdefault(key, []).append(point.label)
                sources.setdefault(key, metric.source)
    return [Figure.of(", ".join(labels), replace(key, source=sources[key])) for key, labels in found.items()]


def _accuracy_table(report: Report) -> Table:
    found = _accuracies(report)
    rows = [row(one.stage, one, one.target, f"{one.tool} {one.version}", one.owner) for one in found]
    notes = dict.fromkeys(f"{one.stage}: {one.note}" for one in found if one.note)
    return Table(("stage", "accuracy (fraction)", "data", "tool", "points"), tuple(rows), tuple(notes))


def _accuracy_section(report: Report) -> Section:
    figures = _accuracies(report)
    blocks = (Chain(tuple(_steps(figures))), _accuracy_table(report)) if figures else (Text("not measured"),)
    return Section("Accuracy", blocks)


def _detection_section(report: Report) -> list[Section]:
    """What a detector of anomalies finds, a row for each stage and tool."""
    found: dict[tuple[str, ...], list[Figure]] = {}
    for name in DETECTION:
        for figure in _accuracies(report, name):
            about = figure.stage, figure.target, f"{figure.tool} {figure.version}", figure.owner
            found.setdefault(about, []).append(figure)
    if not found:
        return []
    rows = [_detected(about, figures) for about, figures in found.items()]
    notes = dict.fromkeys(f"{one.stage}: {one.note}" for figures in found.values() for one in figures if one.note)
    head = ("stage", *DETECTION.values(), "data", "tool", "points")
    return [Section("Detection of anomalies", (Table(head, tuple(rows), tuple(notes)),))]


def _detected(about: Sequence[str], figures: Sequence[Figure]) -> tuple[Cell, ...]:
    stage, target, tool, owner = about
    by_name = {figure.name: figure for figure in figures}
    return row(stage, *(by_name.get(name, MISSING) for name in DETECTION), target, tool, owner)


DETECTION = {
    "tpr": "anomalies found (TPR, fraction)",
    "fpr": "false alarms (FPR, fraction)",
    "auc": "AUC (fraction)",
}
"""Metrics of a detector, and the heads of their columns."""

CHAIN = {"float": "float", "ptq": "just quantized", "qat": "QAT", "csim": "C-simulation", "simulated": "RTL"}
"""Stages of the accuracy, and what each is called on the way."""


def _steps(figures: Sequence[Figure]) -> Iterator[Step]:
    """One step a figure; a change is told between figures of the same data alone."""
    before: Figure | None = None
    for figure in figures:
        name = CHAIN.get(figure.stage, figure.stage)
        points = f", {figure.owner}" if figure.stage == "simulated" else ""
        yield Step(f"{name}{points}", cell(figure), figure.target, _change(before, figure))
        before = figure


def _change(before: Figure | None, after: Figure) -> str:
    if before is None or before.value is None or after.value is None:
        return ""
    if before.target != after.target:
        return "other samples"
    points = 100 * (after.value - before.value)
    return f"{points:+.2f} points" if points else "equal"


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


TONES: Mapping[str, Tone] = {"met": "good", "exceeded": "bad"}


def _budget_section(report: Report) -> list[Section]:
    rows = [
        row(
            *(item[key] for key in ("point", "family", "name", "limit")),
            cell(Figure.of(item["point"], found)) if (found := _of_verdict(report, item)) else cell(MISSING),
            cell(item["verdict"], TONES.get(item["verdict"], "")),
        )
        for item in _verdicts(report)
    ]
    head = ("point", "family", "figure", "budget", "measured", "verdict")
    return [Section("Budgets", (Table(head, tuple(rows)),))] if rows else []


def _of_verdict(report: Report, item: Mapping[str, Any]) -> Metric | None:
    point = next(point for point in report.points if point.label == item["point"])
    return _budget_figure(point, item["family"], item["name"])


def _corrections(items: Sequence[Mapping[str, str]]) -> Section:
    rows = tuple(row(item["layer"], item["what"], item["reason"]) for item in items)
    block = Table(("layer", "what", "because"), rows) if rows else Text("none")
    return Section("Corrections on the way from QKeras to hls4ml", (block,))


def _plot(report: Report, file: Path) -> None:
    """LUT and DSP against simulated latency, one line a synthesis target."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    groups = [group for group in measured.groups(_rows(report)) if group[0] is Stage.SYNTH]
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


def _plot_line(axes: Any, report: Report, group: measured.Group, name: str, style: str) -> None:
    dots = []
    for point in report.points:
        latency = point.metrics.get("latency_cycles", Stage.SIMULATED)
        metric = next((m for m in point.metrics if measured.group(m) == group and m.name == name), None)
        if latency and metric and latency.value is not None and metric.value is not None:
            dots.append((latency.value, metric.value))
    dots.sort()
    axes.plot([x for x, _ in dots], [y for _, y in dots], style, label=f"{group[3]}, {group[1]} {group[2]}")
