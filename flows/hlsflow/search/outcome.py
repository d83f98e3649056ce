"""What a search leaves: tables for people, spreadsheets and scripts.

In: an `Outcome`. Out: `search.html`, `.md`, `.csv`, `.json`. Validation and test accuracy have columns of their own,
and so have predicted and simulated cycles.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hlsflow import __version__
from hlsflow.core.metrics import UNITS, Metric, MetricSet, Stage
from hlsflow.core.store import write_text
from hlsflow.project import Search
from hlsflow.project.search import OF_OUTPUTS
from hlsflow.report import comma, html, markdown
from hlsflow.report.document import Cell, Document, Lines, Section, Table, cell, row
from hlsflow.report.measured import figure_cell, heading
from hlsflow.report.quality import NAMES
from hlsflow.search.space import Values, size

SCHEMA_VERSION = 1
AREA = ("lut", "ff", "dsp", "bram")
CYCLES = ("latency_cycles", "ii")
VALIDATION = "validation samples"
"""What figures are about by which networks are chosen."""

TESTED = (Stage.CSIM, Stage.QAT)


@dataclass(frozen=True)
class Trial:
    """A trial that is over.

    Attributes:
        number: from 1.
        values: of the names in the space.
        figures: those of the validation set first, then what the pipeline measured; empty when it failed.
        predicted: cycles by the schedule.
        reason: why it failed.
    """

    number: int
    values: Values
    figures: MetricSet
    predicted: dict[str, int]
    reason: str = ""


@dataclass(frozen=True)
class Point:
    """A trial that no other one beats, its RTL simulated.

    Attributes:
        project: its folder, from that of the search.
        trial: its number.
        values: of the names in the space.
        figures: as in `Trial`, with those of the simulation.
    """

    project: str
    trial: int
    values: Values
    figures: MetricSet


@dataclass(frozen=True)
class Outcome:
    """All that a search found.

    Attributes:
        project: its name.
        search: what was asked.
        family: that area is of.
        storage: where the trials are kept, without a password.
        trials: all that are over.
        points: the Pareto front.
    """

    project: str
    search: Search
    family: str
    storage: str
    trials: Sequence[Trial]
    points: Sequence[Point]


def write(outcome: Outcome, folder: Path) -> None:
    """Write all files; raises StorageError."""
    report = document(outcome)
    write_text(folder / "search.md", markdown.render(report))
    write_text(folder / "search.html", html.render(report))
    html.write_charts(report, folder)
    write_text(folder / "search.csv", to_csv(outcome))
    write_text(folder / "search.json", json.dumps(to_json(outcome), indent=1) + "\n")


def document(outcome: Outcome) -> Document:
    """The whole report."""
    sections = (
        Section("Search", (Lines(tuple(summary_lines(outcome))),)),
        Section("Pareto front", (front_table(outcome),)),
        Section("Trials", (trials_table(outcome),)),
    )
    return Document(f"{outcome.project}: search", "search over networks", sections)


def summary_lines(outcome: Outcome) -> list[str]:
    """What was asked and how it went."""
    failed = sum(bool(trial.reason) for trial in outcome.trials)
    spaces = f"of a space of {size(outcome.search):,.0f}" if size(outcome.search) < float("inf") else ""
    networks = f"{len(outcome.trials)} networks {spaces}".strip()
    tools = dict.fromkeys(
        f"{m.tool} {m.version}" for trial in outcome.trials for m in trial.figures if m.stage is Stage.SYNTH
    )
    return [
        f"{networks}: {len(outcome.trials) - failed} trained, gated and measured, {failed} not to be built",
        f"objectives: {', '.join(outcome.search.objectives)}; {_words(outcome)} of the validation set",
        f"area: synthesis for {outcome.family} by {', '.join(tools) or 'nobody'}",
        f"front: {len(outcome.points)} points; their RTL = oracle, cycles as simulated",
        f"trials are kept in {outcome.storage}",
    ]


def front_table(outcome: Outcome) -> Table:
    """A row for each point of the front; what was searched by, and the test accuracy beside it."""
    names = list(outcome.search.space)
    areas = [heading(name, UNITS[name]) for name in AREA]
    cycles = [f"{heading(name, UNITS[name])}, simulated" for name in CYCLES]
    head = ("trial", *names, *_qualities(outcome), *areas, *cycles, "project")
    return Table(head, tuple(_point_row(outcome, point) for point in outcome.points))


def _point_row(outcome: Outcome, point: Point) -> tuple[Cell, ...]:
    return row(
        str(point.trial),
        *map(_value, point.values.values()),
        *_quality_cells(outcome, point.project, point.figures),
        *(figure_cell(point.project, point.figures.get(name, Stage.SYNTH)) for name in AREA),
        *(figure_cell(point.project, point.figures.get(name, Stage.SIMULATED)) for name in CYCLES),
        point.project,
    )


def trials_table(outcome: Outcome) -> Table:
    """A row for each trial."""
    front = {point.trial for point in outcome.points}
    areas = [heading(name, UNITS[name]) for name in AREA]
    cycles = [f"{heading(name, UNITS[name])}, predicted" for name in CYCLES]
    head = ("trial", *outcome.search.space, *_qualities(outcome), *areas, *cycles, "verdict")
    rows = [
        row(
            cell(float(trial.number)),
            *map(_value, trial.values.values()),
            *_quality_cells(outcome, f"trial {trial.number}", trial.figures),
            *(figure_cell(f"trial {trial.number}", trial.figures.get(name, Stage.SYNTH)) for name in AREA),
            *(_cycles(trial, name) for name in CYCLES),
            trial.reason or ("front" if trial.number in front else "beaten or equalled"),
        )
        for trial in outcome.trials
    ]
    return Table(head, tuple(rows))


def _cycles(trial: Trial, name: str) -> Cell:
    return cell(float(trial.predicted[name])) if name in trial.predicted else Cell("missing")


def _value(value: object) -> Cell:
    order = float(value) if isinstance(value, int | float) else None
    return Cell(str(value), order)


def _told(outcome: Outcome) -> list[str]:
    """Metrics of what the networks say: those that they were chosen by."""
    return [name for name in outcome.search.objectives if name in OF_OUTPUTS] or ["accuracy"]


def _words(outcome: Outcome) -> str:
    return " and ".join(NAMES[name] for name in _told(outcome))


def _qualities(outcome: Outcome) -> list[str]:
    """Heads of their columns."""
    return [f"{part} {NAMES[name]}" for name in _told(outcome) for part in ("validation", "test")]


def _quality_cells(outcome: Outcome, owner: str, figures: MetricSet) -> list[Cell]:
    """On the validation set, by which networks are chosen, and on the test set."""
    return [
        figure_cell(owner, figure)
        for name in _told(outcome)
        for figure in (validation(figures, name), test(figures, name))
    ]


def validation(figures: MetricSet, name: str) -> Metric | None:
    """The figure that a trial is chosen by."""
    return figures.get(name, Stage.QAT, VALIDATION)


def test(figures: MetricSet, name: str) -> Metric | None:
    """The figure that the search never saw."""
    matching = [m for m in figures if m.name == name and m.stage in TESTED and m.target != VALIDATION]
    return matching[0] if matching else None


def to_csv(outcome: Outcome) -> str:
    """A line for each trial; a missing figure is empty."""
    front = {point.trial: point.project for point in outcome.points}
    predicted = [f"{name}_predicted" for name in CYCLES]
    heads = [f"{part}_{name}" for name in _told(outcome) for part in ("validation", "test")]
    names, rows = list(outcome.search.space), []
    for trial in outcome.trials:
        metrics = [get(trial.figures, name) for name in _told(outcome) for get in (validation, test)]
        metrics += [trial.figures.get(name, Stage.SYNTH) for name in AREA]
        figures = ["" if metric is None or metric.value is None else metric.value for metric in metrics]
        cycles = [trial.predicted.get(name, "") for name in CYCLES]
        values = [trial.values.get(name, "") for name in names]
        rows.append([trial.number, *values, *figures, *cycles, front.get(trial.number, ""), trial.reason])
    head = ["trial", *names, *heads, *AREA, *predicted, "project", "reason"]
    return comma.table(head, rows)


def to_json(outcome: Outcome) -> dict[str, Any]:
    """Everything, as plain JSON types."""
    return {
        "schema": SCHEMA_VERSION,
        "hlsflow": __version__,
        "project": outcome.project,
        "search": outcome.search.model_dump(mode="json"),
        "family": outcome.family,
        "trials": [_trial_json(trial) for trial in outcome.trials],
        "front": [
            {"project": p.project, "trial": p.trial, "values": dict(p.values), "metrics": p.figures.to_json()}
            for p in outcome.points
        ],
    }


def _trial_json(trial: Trial) -> dict[str, Any]:
    head = {"trial": trial.number, "values": dict(trial.values), "predicted": trial.predicted, "reason": trial.reason}
    return head | {"metrics": trial.figures.to_json()}
