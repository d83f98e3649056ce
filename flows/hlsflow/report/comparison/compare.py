"""Designs side by side: their figures with differences in per cent, their knobs, tools and versions.

In: `Subject`s. Out: a `Document`. Only figures of one stage stand in a table; where a design has several of a stage,
each tool and target has a table of its own.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from hlsflow.core.errors import ProjectError
from hlsflow.core.metrics import UNITS, Metric, Stage
from hlsflow.report import measured
from hlsflow.report.comparison.subjects import Subject
from hlsflow.report.document import Cell, Document, Lines, Section, Table, cell, number, row

UNCOMPARED = ("seconds",)
"""How long a tool took says something of the machine."""

SAME = "same"


@dataclass(frozen=True)
class Group:
    """Figures of each subject that are compared with each other; none for a subject that has none.

    Attributes:
        stage: of all of them.
        target: of all of them, where a table for the stage alone would not be clear; else "".
        sets: metric name → figure, one for each subject, in their order.
    """

    stage: Stage
    target: str
    sets: tuple[dict[str, Metric], ...]


Named = tuple[str, Subject]
"""A subject, and how tables call it."""


def compare(subjects: Sequence[Subject]) -> Document:
    """Several designs; the first is what the others are measured by.

    Runs of several design points are compared point by point; the points of a single run with each other.

    Raises:
        ProjectError: there are fewer than two designs.
    """
    if len(subjects) < 2:
        raise ProjectError("one design cannot be compared", "name two or more")
    names = _short(dict.fromkeys(subject.path for subject in subjects))
    sides = _sides(subjects, names)
    sections = [*_warnings(subjects), *_alone(subjects, sides, names)]
    for point, chosen in sides.items():
        title = f"{point}, " if point else ""
        compared = [subject for _, subject in chosen]
        sections += [Section(f"{title}{_title(group)}", (_table(chosen, group),)) for group in groups(compared)]
        settings = _knob_table(chosen)
        sections += [Section(f"{title}knobs that differ", (settings,))] if settings.rows else []
    return Document(" and ".join(names.values()), "Comparison", tuple(sections))


def _short(paths: Iterable[str]) -> dict[str, str]:
    """Path → what distinguishes it: the folders that all have in common are left out."""
    names = list(paths)
    absolute = [os.path.abspath(name) for name in names]
    shared = os.path.commonpath(absolute)
    if len(names) == 1 or shared in absolute:
        return {name: name for name in names}
    return {name: os.path.relpath(place, shared) for name, place in zip(names, absolute, strict=True)}


def _sides(subjects: Sequence[Subject], names: Mapping[str, str]) -> dict[str, list[Named]]:
    """Design point → what stands side by side in its tables; "" where all subjects stand side by side."""
    paths: dict[str, list[Subject]] = {}
    for subject in subjects:
        paths.setdefault(subject.path, []).append(subject)
    points = [{subject.point for subject in chosen} for chosen in paths.values()]
    shared = set.intersection(*points)
    if len(paths) > 1 and shared and any(len(chosen) > 1 for chosen in paths.values()):
        order = dict.fromkeys(subject.point for subject in subjects if subject.point in shared)
        return {
            point: [(names[subject.path], subject) for subject in subjects if subject.point == point] for point in order
        }
    labels = [_label(subject, names, len(paths), len(paths[subject.path])) for subject in subjects]
    return {"": list(zip(labels, subjects, strict=True))}


def _label(subject: Subject, names: Mapping[str, str], paths: int, points: int) -> str:
    """The path's name, the point's, or both: as much as is needed; and the top that reports are of."""
    if points == 1 or not subject.point:
        name = names[subject.path]
    else:
        name = subject.point if paths == 1 else f"{names[subject.path]} {subject.point}"
    return f"{name} ({subject.top})" if subject.top and subject.top not in name else name


def groups(subjects: Sequence[Subject]) -> list[Group]:
    """What can be compared, by stage; figures of two stages are never in one group."""
    result: list[Group] = []
    for stage in Stage:
        sets = [[metric for metric in subject.metrics if metric.stage is stage] for subject in subjects]
        sets = [[metric for metric in metrics if metric.name not in UNCOMPARED] for metrics in sets]
        keys = [dict.fromkeys((metric.tool, metric.target) for metric in metrics) for metrics in sets]
        if not any(sets):
            continue
        if all(_unambiguous(metrics) for metrics in sets):
            result.append(Group(stage, "", tuple(_by_name(metrics) for metrics in sets)))
            continue
        for tool, target in dict.fromkeys(key for pair in keys for key in pair):
            chosen = [[m for m in metrics if (m.tool, m.target) == (tool, target)] for metrics in sets]
            result.append(Group(stage, f"{target}, {tool}", tuple(_by_name(metrics) for metrics in chosen)))
    return result


def _unambiguous(metrics: Sequence[Metric]) -> bool:
    """Whether each name stands for one figure."""
    return len({metric.name for metric in metrics}) == len(metrics)


def _by_name(metrics: Sequence[Metric]) -> dict[str, Metric]:
    """The first figure of each name."""
    return {metric.name: metric for metric in reversed(metrics)}


def _title(group: Group) -> str:
    return f"{group.stage}: {group.target}" if group.target else group.stage.value


def _table(subjects: Sequence[Named], group: Group) -> Table:
    labels = [label for label, _ in subjects]
    head = ["figure", labels[0]]
    for label in labels[1:]:
        head += [label, "difference"]
    names = [name for name in UNITS if any(name in metrics for metrics in group.sets)]
    body = [_row(labels, group, name) for name in names]
    notes = (
        f"{label}: {metric.note}"
        for label, metrics in zip(labels, group.sets, strict=True)
        for metric in metrics.values()
        if metric.note
    )
    return Table(tuple(head), (*_origins(group), *body), tuple(dict.fromkeys(notes)))


def _origins(group: Group) -> Iterator[tuple[Cell, ...]]:
    """Tool, version, target and clock of each subject's figures."""
    for title, key in (("tool", "tool"), ("version", "version"), ("target", "target"), ("clock (ns)", "clock_ns")):
        texts = [_told(metrics, key) for metrics in group.sets]
        cells: list[str] = [texts[0]]
        for text in texts[1:]:
            cells += [text, "" if not (text and texts[0]) else SAME if text == texts[0] else "differs"]
        if any(texts):
            yield row(title, *cells)


def _told(metrics: dict[str, Metric], key: str) -> str:
    values = dict.fromkeys(getattr(metric, key) for metric in metrics.values())
    return ", ".join(f"{value:g}" if isinstance(value, float) else str(value) for value in values if value is not None)


def _row(labels: Sequence[str], group: Group, name: str) -> tuple[Cell, ...]:
    first = group.sets[0].get(name)
    cells = [cell(measured.heading(name, UNITS[name])), measured.figure_cell(labels[0], first)]
    for label, metrics in zip(labels[1:], group.sets[1:], strict=True):
        cells += [measured.figure_cell(label, metrics.get(name)), difference(first, metrics.get(name))]
    return tuple(cells)


def difference(old: Metric | None, new: Metric | None) -> Cell:
    """How much more the new figure is, in per cent of the old one; nothing where one of them is not known."""
    if old is None or new is None or old.value is None or new.value is None:
        return Cell("")
    if old.value == new.value:
        return Cell(SAME, 0.0)
    if old.value == 0:
        return Cell(f"{number(new.value)} instead of 0")
    share = 100.0 * (new.value - old.value) / abs(old.value)
    return Cell(f"{share:+,.1f} %" if abs(share) >= 0.1 else f"{share:+.1g} %", share)


def _knob_table(subjects: Sequence[Named]) -> Table:
    """The settings that are not the same in all designs whose settings are known."""
    labelled = [(label, subject.knobs) for label, subject in subjects if subject.knobs]
    names = dict.fromkeys(name for _, knobs in labelled for name in knobs)
    rows = [row(name, *(knobs.get(name, "") for _, knobs in labelled)) for name in names]
    differing = tuple(cells for cells in rows if len({item.text for item in cells[1:]}) > 1)
    same = len(rows) - len(differing)
    notes = (f"{same} other settings are the same in all of them",) if same else ()
    return Table(("setting", *(label for label, _ in labelled)), differing, notes)


def _alone(
    subjects: Sequence[Subject], sides: Mapping[str, Sequence[Named]], names: Mapping[str, str]
) -> Iterator[Section]:
    """The designs that stand in no table, since not all paths have one of that name."""
    shown = [id(subject) for chosen in sides.values() for _, subject in chosen]
    lost = [subject for subject in subjects if id(subject) not in shown and subject.metrics.metrics]
    if lost:
        lines = (f"{names[subject.path]}: {subject.point or 'figures without a name'}" for subject in lost)
        yield Section("Not compared: not in all of them", (Lines(tuple(lines)),))


def _warnings(subjects: Sequence[Subject]) -> Iterator[Section]:
    lines = tuple(dict.fromkeys(f"{subject.path}: {text}" for subject in subjects for text in subject.warnings))
    if lines:
        yield Section("Warnings", (Lines(lines),))
