"""What an exploration leaves in its folder: tables for people, spreadsheets and scripts, and charts.

In: an `Outcome`. Out: `explore.html`, `.md`, `.csv`, `.json`, and the page's charts as SVG.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hlsflow.core.metrics import UNITS
from hlsflow.core.store import write_text
from hlsflow.explore.choice import AREA
from hlsflow.explore.outcome import CYCLES, Engine, Outcome, accuracy_of
from hlsflow.explore.tables import (
    caption,
    confirmation_table,
    figure,
    points_table,
    routed_table,
    shared,
    sourced,
    summary_lines,
)
from hlsflow.explore.verdict import compared, errors, judged, proves
from hlsflow.report import comma, html, markdown
from hlsflow.report.document import Document, Dot, Fact, Figure, Gallery, Lines, Plane, Section, Text, cell
from hlsflow.report.measured import heading
from hlsflow.toolchains.parts import percent

SCHEMA_VERSION = 1


def write(outcome: Outcome, folder: Path) -> None:
    """Write all files; each appears whole or not at all. Raises StorageError."""
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / "explore.json", json.dumps(to_json(outcome), indent=1) + "\n")
    write_text(folder / "explore.csv", to_csv(outcome))
    write_text(folder / "explore.md", markdown.render(document(outcome)))
    write_text(folder / "explore.html", html.render(document(outcome)))
    html.write_charts(document(outcome), folder)


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
        "verdict": {"tone": judged(outcome).tone, "text": judged(outcome).text, "more": list(judged(outcome).more)},
        "proved": proves(outcome),
        "complete": outcome.answer.complete,
        "effort": asdict(outcome.answer.effort),
        "points": [_point_json(outcome, index) for index in range(1, len(outcome.answer.solutions) + 1)],
        "error": errors(list(outcome.confirmed.values())),
        "clock": {"asked_ns": outcome.clock_ns, "fmax_mhz": _fmax(outcome)},
        "part": outcome.part,
        "routed": {str(index): metrics.to_json() for index, metrics in outcome.routed.items()},
        "notes": list(outcome.notes),
    }


def _point_json(outcome: Outcome, index: int) -> dict[str, Any]:
    solution, confirmation = outcome.answer.solutions[index - 1], outcome.confirmed.get(index)
    engine, figures = outcome.engine, solution.figures
    stages: dict[str, dict[str, int]] = {engine.cycles: {}, engine.layers: {}}
    stages[engine.cycles] |= {name: figures[name] for name in CYCLES}
    stages[engine.layers] |= {name: figures[name] for name in AREA}
    return {
        "point": index,
        "layers": {
            name: configuration.to_json() for name, configuration in outcome.study.chosen(solution.assignment).items()
        },
        **stages,
        engine.designs: dict(confirmation.built) if confirmation else None,
        "accuracy": accuracy_of(outcome, solution),
        "percent_of_part": {name: percent(str(outcome.part), name, figures[name]) for name in shared(outcome)},
        "project_file": outcome.files.get(index),
    }


def _fmax(outcome: Outcome) -> dict[str, float | None]:
    """Number of a point → what place and route found, None where it found none; empty: nothing was routed."""
    fmax_of_point = {point: metrics.get("fmax_mhz") for point, metrics in outcome.routed.items()}
    return {str(point): fmax.value if fmax else None for point, fmax in fmax_of_point.items()}


def to_csv(outcome: Outcome) -> str:
    """One row a point; stages have columns of their own."""
    engine, rows = outcome.engine, []
    layers = list(outcome.study.chosen(outcome.answer.solutions[0].assignment))
    head = ["point", *(f"{layer} {knob}" for layer in layers for knob in engine.knobs)]
    head += [f"{name} ({UNITS[name]}, {engine.cycles})" for name in CYCLES]
    head += [f"{name} ({engine.layers})" for name in AREA] + [f"{name} ({engine.designs})" for name in engine.compared]
    for point in to_json(outcome)["points"]:
        cells = [point["layers"][layer][knob] for layer in layers for knob in engine.knobs]
        cells += [point[engine.cycles][name] for name in CYCLES] + [point[engine.layers][name] for name in AREA]
        cells += [(point[engine.designs] or {}).get(name, "") for name in engine.compared]
        accuracy = "" if point["accuracy"] is None else point["accuracy"]
        rows.append([point["point"], *cells, accuracy, outcome.target, outcome.tool])
    return comma.table([*head, "accuracy", "target", "tool"], rows)


def document(outcome: Outcome) -> Document:
    """The report for people, before it becomes Markdown or a page."""
    sections = [Section("Answer", (Lines(tuple(summary_lines(outcome))),)), *_pictures(outcome)]
    sections.append(Section("Designs", (points_table(outcome),)))
    if outcome.confirmed:
        blocks = (confirmation_table(outcome), Text(compared(outcome)))
        sections.append(Section("Sum of layers against the whole design", blocks))
    if outcome.routed:
        sections.append(Section("Routed", (routed_table(outcome),)))
    if outcome.notes:
        sections.append(Section("Notes", (Lines(tuple(outcome.notes)),)))
    title = f"{outcome.project}: exploration for {outcome.target}"
    return Document(title, "Exploration", tuple(sections), judged(outcome), tuple(_facts(outcome)))


def _facts(outcome: Outcome) -> list[Fact]:
    """The least of each objective, and at which point."""
    points = range(1, len(outcome.answer.solutions) + 1)
    figures_of = [(name, [figure(outcome, point, name) for point in points]) for name in outcome.question.front]
    least = [(name, min(figures, key=lambda figure: figure.value or 0)) for name, figures in figures_of]
    return [
        Fact(
            f"least {heading(name, UNITS[name])}",
            cell(figure_least),
            f"{figure_least.owner}, {figure_least.stage}, {figure_least.target}",
        )
        for name, figure_least in least
    ]


def _pictures(outcome: Outcome) -> list[Section]:
    """Each two of the objectives against each other; of two, the front is joined."""
    front = outcome.question.front
    if len(outcome.answer.solutions) < 2 or len(front) < 2:
        return []
    charts = tuple(_plane(outcome, across, up) for across, up in itertools.combinations(front, 2))
    engine = outcome.engine
    series = [f"{engine.layers}: sums of layers, {outcome.target}, {outcome.tool}"]
    if outcome.confirmed:
        series.append(f"{engine.designs}: whole designs, {outcome.target}, {outcome.tool}")
    return [Section("Pareto front", (Gallery(tuple(series), charts),))]


def _plane(outcome: Outcome, across: str, up: str) -> Plane:
    points = range(1, len(outcome.answer.solutions) + 1)
    dots_of_sums = [
        Dot(figure(outcome, point, across), figure(outcome, point, up), caption(outcome, point)) for point in points
    ]
    dots_of_designs = [
        Dot(_whole(outcome, point, across), _whole(outcome, point, up), caption(outcome, point))
        for point in outcome.confirmed
    ]
    built = tuple(dot for dot in dots_of_designs if dot.across.value is not None and dot.up.value is not None)
    dots = ((0, tuple(dots_of_sums)), *([(1, built)] if built else []))
    right, above = (_axis(outcome.engine, name) for name in (across, up))
    title = f"{heading(up, UNITS[up])} against {heading(across, UNITS[across])}"
    return Plane(title, right, above, dots, (0,) if len(outcome.question.front) == 2 else ())


def _axis(engine: Engine, name: str) -> str:
    """What an axis counts; the legend names the stages of areas, whose dots are of two."""
    return heading(name, f"{UNITS[name]}, {engine.cycles}" if name in CYCLES else UNITS[name])


def _whole(outcome: Outcome, point: int, name: str) -> Figure:
    """A figure of the whole design; cycles that the engine does not compare are those of the schedule."""
    if name not in outcome.engine.compared:
        return figure(outcome, point, name)
    return sourced(outcome, point, name, outcome.confirmed[point].built.get(name), outcome.engine.designs)
