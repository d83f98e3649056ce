"""What an exploration leaves: tables for people, spreadsheets and scripts, a plot, and its effort.

In: a study's answer and the designs that were built whole. Out: `explore.html`, `.md`, `.csv`, `.json`, `.png`. Sums
of layers and whole designs never share a column, and neither do figures of different `Engine`s.
"""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from hlsflow import __version__
from hlsflow.core.metrics import UNITS, MetricSet, Stage
from hlsflow.core.store import write_bytes, write_text
from hlsflow.explore.choice import AREA, Assignment
from hlsflow.explore.precision import Scores
from hlsflow.explore.search import Answer, Question
from hlsflow.explore.solver import Solution
from hlsflow.explore.study import Confirmation
from hlsflow.report import comma, html, markdown
from hlsflow.report.document import (
    MISSING,
    Cell,
    Document,
    Dot,
    Fact,
    Figure,
    Gallery,
    Lines,
    Plane,
    Section,
    Table,
    Text,
    Verdict,
    cell,
    row,
)
from hlsflow.report.measured import figure_cell, heading

SCHEMA_VERSION = 1
CYCLES = ("latency_cycles", "ii")
MEAN_ERROR, WORST_ERROR = 0.02, 0.05
"""What sums of layers are meant to keep to: LUT, on average and at worst; DSP and BRAM are to be exact."""


@dataclass(frozen=True)
class Engine:
    """Whose measurements an exploration rests on, and what they are called.

    Attributes:
        name: on the command line.
        cycles: stage of latency and II.
        layers, whole: stages of sums over layers, and of whole designs.
        compared: metrics of both.
        knobs: of a layer.
        exact: whether sums are meant to keep to the errors above.
    """

    name: str
    cycles: str
    layers: str
    whole: str
    compared: tuple[str, ...]
    knobs: tuple[str, ...]
    exact: bool


OPEN = Engine(
    name="open",
    cycles="scheduled",
    layers=Stage.CHARACTERISED,
    whole=Stage.SYNTH,
    compared=AREA,
    knobs=("reuse_factor", "multiplier", "strategy", "weight_bits"),
    exact=True,
)
"""The open RTL: cycles by the schedule, area by Yosys."""

VITIS = Engine(
    name="vitis",
    cycles=Stage.HLS,
    layers=Stage.HLS,
    whole=f"{Stage.HLS}_whole",
    compared=(*CYCLES, *AREA),
    knobs=("reuse_factor", "strategy", "weight_bits"),
    exact=False,
)
"""hls4ml's C++: everything by the csynth report of Vitis HLS."""


class Chosen(Protocol):
    """A configuration of a layer, as tables show it."""

    @property
    def cell(self) -> str:
        """In few words."""

    @property
    def bits(self) -> int:
        """Of its weights."""

    def to_json(self) -> dict[str, int | str]:
        """Its knobs."""


class Studied(Protocol):
    """What an answer is about."""

    @property
    def scores(self) -> Scores | None:
        """Accuracy of combinations of widths; None: it does not matter."""

    def chosen(self, assignment: Assignment) -> Mapping[str, Chosen]:
        """Layer → its configuration."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """Everything an exploration found.

    Attributes:
        project: its name.
        engine: that measured.
        target: family or part it is for.
        question: what was asked, with all limits.
        least_accuracy: that a design must keep; None: it does not matter.
        clock_ns: asked for; inferences per second are at this clock, which is no timing result.
        tool: that synthesized.
        confirmed: number of a point → what the whole design cost.
        files: number of a point → its project file.
        notes: what is not in it, and why.
        routed: number of a point → its figures after place and route, or why it has none.
    """

    project: str
    engine: Engine
    target: str
    study: Studied
    question: Question
    answer: Answer
    least_accuracy: float | None
    clock_ns: float
    tool: str
    confirmed: Mapping[int, Confirmation]
    files: Mapping[int, str]
    notes: Sequence[str]
    routed: Mapping[int, MetricSet] = field(default_factory=dict)


def write(outcome: Outcome, folder: Path) -> None:
    """Write all files; each appears whole or not at all. Raises StorageError."""
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / "explore.json", json.dumps(to_json(outcome), indent=1) + "\n")
    write_text(folder / "explore.csv", to_csv(outcome))
    write_text(folder / "explore.md", markdown.render(document(outcome)))
    write_text(folder / "explore.html", html.render(document(outcome)))
    if len(outcome.answer.solutions) > 1:
        _plot(outcome, folder / "explore.png")


def to_json(outcome: Outcome) -> dict[str, Any]:
    """All of it as plain JSON values."""
    question = outcome.question
    return {
        "schema": SCHEMA_VERSION,
        "project": outcome.project,
        "engine": outcome.engine.name,
        "target": outcome.target,
        "tool": outcome.tool,
        "question": {
            "limits": dict(question.limits),
            "objective": dict(question.objective),
            "front": list(question.front),
            "least_accuracy": outcome.least_accuracy,
        },
        "proved": all(solution.proved for solution in outcome.answer.solutions),
        "complete": outcome.answer.complete,
        "effort": asdict(outcome.answer.effort),
        "points": [_point_json(outcome, index) for index in range(1, len(outcome.answer.solutions) + 1)],
        "error": errors(list(outcome.confirmed.values())),
        "routed": {str(index): metrics.to_json() for index, metrics in outcome.routed.items()},
        "notes": list(outcome.notes),
    }


def _point_json(outcome: Outcome, index: int) -> dict[str, Any]:
    solution, whole = outcome.answer.solutions[index - 1], outcome.confirmed.get(index)
    engine, figures = outcome.engine, solution.figures
    stages: dict[str, dict[str, int]] = {engine.cycles: {}, engine.layers: {}}
    stages[engine.cycles] |= {name: figures[name] for name in CYCLES}
    stages[engine.layers] |= {name: figures[name] for name in AREA}
    return {
        "point": index,
        "layers": {name: one.to_json() for name, one in outcome.study.chosen(solution.assignment).items()},
        **stages,
        engine.whole: dict(whole.whole) if whole else None,
        "accuracy": accuracy_of(outcome, solution),
        "project_file": outcome.files.get(index),
    }


def accuracy_of(outcome: Outcome, solution: Solution) -> float | None:
    """Of the network with these widths, before fine-tuning; None where it was not scored."""
    scores = outcome.study.scores
    if scores is None:
        return None
    bits = {name: one.bits for name, one in outcome.study.chosen(solution.assignment).items()}
    return float(scores.accuracy[scores.number(bits)])


def to_csv(outcome: Outcome) -> str:
    """One row a point; stages have columns of their own."""
    engine, rows = outcome.engine, []
    layers = list(outcome.study.chosen(outcome.answer.solutions[0].assignment))
    head = ["point", *(f"{layer} {knob}" for layer in layers for knob in engine.knobs)]
    head += [f"{name} ({UNITS[name]}, {engine.cycles})" for name in CYCLES]
    head += [f"{name} ({engine.layers})" for name in AREA] + [f"{name} ({engine.whole})" for name in engine.compared]
    for point in to_json(outcome)["points"]:
        cells = [point["layers"][layer][knob] for layer in layers for knob in engine.knobs]
        cells += [point[engine.cycles][name] for name in CYCLES] + [point[engine.layers][name] for name in AREA]
        cells += [(point[engine.whole] or {}).get(name, "") for name in engine.compared]
        accuracy = "" if point["accuracy"] is None else point["accuracy"]
        rows.append([point["point"], *cells, accuracy, outcome.target, outcome.tool])
    return comma.table([*head, "accuracy", "target", "tool"], rows)


def document(outcome: Outcome) -> Document:
    """The report for people, before it becomes Markdown or a page."""
    sections = [Section("Answer", (Lines(tuple(summary_lines(outcome))),)), *_pictures(outcome)]
    sections.append(Section("Designs", (points_table(outcome),)))
    if outcome.confirmed:
        compared = (confirmation_table(outcome), Text(verdict(outcome)))
        sections.append(Section("Sum of layers against the whole design", compared))
    if outcome.routed:
        sections.append(Section("Routed", (routed_table(outcome),)))
    if outcome.notes:
        sections.append(Section("Notes", (Lines(tuple(outcome.notes)),)))
    title = f"{outcome.project}: exploration for {outcome.target}"
    return Document(title, "Exploration", tuple(sections), _headline(outcome), tuple(_facts(outcome)))


def _headline(outcome: Outcome) -> Verdict:
    solutions = outcome.answer.solutions
    count = f"{len(solutions)} designs" if len(solutions) > 1 else "1 design"
    proved = "proved optimal" if all(solution.proved for solution in solutions) else "NOT proved optimal"
    cut = "" if outcome.answer.complete else "; cut short: not the whole front"
    more = (f"whole designs beside the sums of their layers: {verdict(outcome)}",) if outcome.confirmed else ()
    return Verdict(f"{count}, {proved}{cut}", "good" if proved == "proved optimal" else "bad", more)


def _facts(outcome: Outcome) -> list[Fact]:
    """The least of each objective, and at which point."""
    points = range(1, len(outcome.answer.solutions) + 1)
    found = [(name, [_figure(outcome, point, name) for point in points]) for name in outcome.question.front]
    least = [(name, min(figures, key=lambda figure: figure.value or 0)) for name, figures in found]
    return [
        Fact(f"least {heading(name, UNITS[name])}", cell(one), f"{one.owner}, {one.stage}, {one.target}")
        for name, one in least
    ]


def _figure(outcome: Outcome, point: int, name: str) -> Figure:
    """A figure of a point: cycles of its schedule, or a sum over its layers."""
    stage = outcome.engine.cycles if name in CYCLES else outcome.engine.layers
    return _told(outcome, point, name, outcome.answer.solutions[point - 1].figures[name], stage)


def _told(outcome: Outcome, point: int, name: str, value: float | None, stage: str) -> Figure:
    """A figure with where it comes from; the schedule is our own, all else is the synthesizer's."""
    tool, _, version = outcome.tool.partition(" ")
    if stage == OPEN.cycles:
        tool, version = "hlsflow", __version__
    note = "" if value is not None else f"{outcome.tool} did not tell it"
    source, about = "explore.json", (tool, version, outcome.target)
    return Figure(f"point {point}", name, value, UNITS[name], stage, *about, source, note, outcome.clock_ns)


def _pictures(outcome: Outcome) -> list[Section]:
    """Each two of the objectives against each other; of two, the front is joined."""
    front = outcome.question.front
    if len(outcome.answer.solutions) < 2 or len(front) < 2:
        return []
    charts = tuple(_plane(outcome, across, up) for across, up in itertools.combinations(front, 2))
    engine = outcome.engine
    series = [f"{engine.layers}: sums of layers, {outcome.target}, {outcome.tool}"]
    if outcome.confirmed:
        series.append(f"{engine.whole}: whole designs, {outcome.target}, {outcome.tool}")
    return [Section("Pareto front", (Gallery(tuple(series), charts),))]


def _plane(outcome: Outcome, across: str, up: str) -> Plane:
    points = range(1, len(outcome.answer.solutions) + 1)
    found = [Dot(_figure(outcome, one, across), _figure(outcome, one, up), _said(outcome, one)) for one in points]
    whole = [
        Dot(_whole(outcome, one, across), _whole(outcome, one, up), _said(outcome, one)) for one in outcome.confirmed
    ]
    known = tuple(dot for dot in whole if dot.across.value is not None and dot.up.value is not None)
    dots = ((0, tuple(found)), *([(1, known)] if known else []))
    right, above = (_axis(outcome.engine, name) for name in (across, up))
    title = f"{heading(up, UNITS[up])} against {heading(across, UNITS[across])}"
    return Plane(title, right, above, dots, (0,) if len(outcome.question.front) == 2 else ())


def _axis(engine: Engine, name: str) -> str:
    """What an axis counts; the legend names the stages of areas, whose dots are of two."""
    return heading(name, f"{UNITS[name]}, {engine.cycles}" if name in CYCLES else UNITS[name])


def _whole(outcome: Outcome, point: int, name: str) -> Figure:
    """A figure of the whole design; cycles that the engine does not compare are those of the schedule."""
    if name not in outcome.engine.compared:
        return _figure(outcome, point, name)
    return _told(outcome, point, name, outcome.confirmed[point].whole.get(name), outcome.engine.whole)


def _said(outcome: Outcome, point: int) -> str:
    chosen = outcome.study.chosen(outcome.answer.solutions[point - 1].assignment)
    return f"point {point}: " + ", ".join(f"{layer} {one.cell}" for layer, one in chosen.items())


def summary_lines(outcome: Outcome) -> list[str]:
    """What was asked, what was proved, and what it took."""
    question, effort = outcome.question, outcome.answer.effort
    asked = " and ".join(question.front) if question.front else _weights(question.objective)
    limits = ", ".join(f"{name} <= {most:,}" for name, most in question.limits.items()) or "none"
    kind = "Pareto front" if question.front else "optimum"
    whole = "" if outcome.answer.complete else ", cut short: not the whole front"
    lines = [
        f"asked: {kind} of {asked}; limits: {limits}",
        f"answer: {len(outcome.answer.solutions)} designs{whole}, each proved optimal by MILP (HiGHS), gap 0",
        f"space: {effort.points:.3g} designs of {effort.configurations:,} layer configurations; "
        f"measured: {effort.measured:,} ({effort.measured / effort.configurations:.1%}), in {effort.rounds} rounds",
    ]
    if effort.measured < effort.configurations:
        lines.append(
            f"lower bounds of area tested by later measurements: {effort.tested:,}, of which {effort.broken} did not "
            "hold; configurations never measured are left out on the strength of such bounds"
        )
    if outcome.least_accuracy is not None:
        lines.append(f"accuracy of at least {outcome.least_accuracy:.4f}, {_sampled(outcome)}")
    return lines


def _weights(objective: Mapping[str, float]) -> str:
    return " + ".join(name if weight == 1 else f"{weight:g} {name}" for name, weight in objective.items())


def _sampled(outcome: Outcome) -> str:
    scores = outcome.study.scores
    assert scores is not None
    joint = f"{int(scores.measured.sum())} of {len(scores.measured)} combinations of widths measured"
    return f"by {scores.against.value} on {scores.samples} samples, before fine-tuning; {joint}"


def points_table(outcome: Outcome) -> Table:
    """One row a point, the layers' knobs included."""
    stage = f"{outcome.engine.layers}, {outcome.tool}"
    areas = [f"{name.upper()} ({stage})" for name in AREA]
    cycles = f"cycles, {outcome.engine.cycles}"
    layers = outcome.study.chosen(outcome.answer.solutions[0].assignment)
    head = ["point", *layers, f"latency ({cycles})", f"II ({cycles})", *areas]
    head += ["inferences/s at the clock asked", *(["accuracy"] if outcome.study.scores else [])]
    rows = []
    for index, solution in enumerate(outcome.answer.solutions, 1):
        knobs = [one.cell for one in outcome.study.chosen(solution.assignment).values()]
        figures = [_figure(outcome, index, name) for name in (*CYCLES, *AREA)]
        speed = per_second(outcome, solution)
        rows.append(row(Cell(str(index), index), *knobs, *figures, speed, *_accuracy_cells(outcome, index)))
    return Table(tuple(head), tuple(rows))


def _accuracy_cells(outcome: Outcome, point: int) -> list[Cell]:
    value, scores = accuracy_of(outcome, outcome.answer.solutions[point - 1]), outcome.study.scores
    if value is None or scores is None:
        return []
    about = ("oracle", "hlsflow", __version__, f"{scores.samples} samples", "explore.json", _sampled(outcome))
    return [Cell(f"{value:.4f}", value, Figure(f"point {point}", "accuracy", value, UNITS["accuracy"], *about))]


def per_second(outcome: Outcome, solution: Solution) -> float:
    """Inferences a second at the clock asked for."""
    return float(round(1e9 / (solution.figures["ii"] * outcome.clock_ns)))


def confirmation_table(outcome: Outcome) -> Table:
    """Sums and wholes side by side, with the error in per cent."""
    head, engine = ["point"], outcome.engine
    for name in engine.compared:
        head += [f"{name.upper()} ({engine.layers})", f"{name.upper()} ({engine.whole})", "error (%)"]
    rows = []
    for index, one in outcome.confirmed.items():
        cells = [Cell(str(index), index)]
        for name in engine.compared:
            summed = _told(outcome, index, name, one.characterised[name], engine.layers)
            whole = _told(outcome, index, name, one.whole.get(name), engine.whole)
            cells += [cell(summed), cell(whole), _error(one, name)]
        rows.append(tuple(cells))
    return Table(tuple(head), tuple(rows))


def routed_table(outcome: Outcome) -> Table:
    """Place and route of whole designs; what is missing says why."""
    areas = [f"{name.upper()} ({Stage.ROUTED})" for name in AREA]
    head = ("point", *areas, "Fmax (MHz, routed)", "part", "note")
    rows = []
    for index, metrics in outcome.routed.items():
        found = [metrics.get(name, Stage.ROUTED) for name in (*AREA, "fmax_mhz")]
        notes = dict.fromkeys(metric.note for metric in found if metric and metric.note)
        target = next((metric.target for metric in metrics), MISSING)
        figures = [figure_cell(f"point {index}", one) for one in found]
        rows.append(row(Cell(str(index), index), *figures, target, "; ".join(notes)))
    return Table(head, tuple(rows))


def _error(one: Confirmation, name: str) -> Cell:
    if name not in one.whole:
        return Cell(MISSING)
    error = one.error(name)
    if error is None:
        return Cell("all" if one.characterised[name] else "none")
    return Cell(f"{100 * error:+.2f}", 100 * error)


def errors(confirmed: Sequence[Confirmation]) -> dict[str, Any]:
    """How far sums are from whole designs: LUT mean and worst (absolute shares), DSP and BRAM exact or not."""
    luts = [abs(error) for one in confirmed if (error := one.error("lut")) is not None]
    exact = {
        name: all(one.characterised[name] == one.whole[name] for one in confirmed) if confirmed else None
        for name in ("dsp", "bram")
    }
    mean = sum(luts) / len(luts) if luts else None
    return {"designs": len(confirmed), "lut_mean": mean, "lut_worst": max(luts, default=None), **exact}


def verdict(outcome: Outcome) -> str:
    """What the errors are, and whether they are as meant."""
    found = errors(list(outcome.confirmed.values()))
    exact = ", ".join(f"{name.upper()} {'exact' if found[name] else 'NOT exact'}" for name in ("dsp", "bram"))
    if found["lut_mean"] is None:
        return f"{found['designs']} designs, none of which has any LUTs; {exact}."
    off = f"mean absolute LUT error {found['lut_mean']:.2%}, worst {found['lut_worst']:.2%}"
    return f"{found['designs']} designs: {off}; {exact}. {_meant(outcome.engine, found)}"


def _meant(engine: Engine, found: Mapping[str, Any]) -> str:
    if not engine.exact:
        return "Nothing is promised of sums of what a C synthesizer estimates of layers."
    kept = found["lut_mean"] <= MEAN_ERROR and found["lut_worst"] <= WORST_ERROR and found["dsp"] and found["bram"]
    return f"Meant to be at most {MEAN_ERROR:.0%} and {WORST_ERROR:.0%}, and exact: {'kept' if kept else 'MISSED'}."


def _plot(outcome: Outcome, path: Path) -> None:
    """The first two objectives against each other."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    across, up = outcome.question.front[:2]
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    points = [(solution.figures[across], solution.figures[up]) for solution in outcome.answer.solutions]
    axes.plot(*zip(*points, strict=True), "o-", drawstyle="steps-post", markersize=3, linewidth=0.8)
    axes.set_xlabel(f"{across} ({UNITS[across]})")
    axes.set_ylabel(f"{up} ({UNITS[up]}, sum of layers, {outcome.tool}, {outcome.target})")
    axes.set_title(f"{outcome.project}: proved Pareto front, {len(points)} designs")
    axes.grid(alpha=0.3)
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=120, format="png")
    write_bytes(path, buffer.getvalue())
