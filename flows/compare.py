"""Designs side by side: their figures with differences in per cent, their knobs, tools and versions.

In: `Subject`s. Out: a `Document`. Only figures of one stage stand in a table; where a design has several of a stage,
each tool and target has a table of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flows import measured
from flows.document import Block, Cell, Document, Figure, Section, Table, cell, number, row
from flows.errors import ProjectError
from flows.metrics import UNITS, Metric, Stage
from flows.subjects import Subject

UNCOMPARED = ("seconds",)
"""How long a tool took says something of the machine."""

SAME = "same"


@dataclass(frozen=True)
class Group:
    """Figures of each subject that are compared with each other; None for a subject that has none.

    Attributes:
        stage: of all of them.
        target: of all of them, where a table for the stage alone would not be clear; else "".
        sets: metric name → figure, one for each subject, in their order.
    """

    stage: Stage
    target: str
    sets: tuple[dict[str, Metric], ...]


def compare(subjects: Sequence[Subject]) -> Document:
    """Several designs; the first is what the others are measured by. Raises ProjectError for fewer than two."""
    if len(subjects) < 2:
        raise ProjectError("one design cannot be compared", "name two or more")
    sections: list[Section] = [Section(_title(group), (_table(subjects, group),)) for group in groups(subjects)]
    settings = _knob_table(subjects)
    knobs: list[Block] = [settings] if settings.rows else []
    sections += [Section("Knobs that differ", tuple(knobs))] if knobs else []
    return Document(" | ".join(subject.label for subject in subjects), "Comparison", tuple(sections))


def groups(subjects: Sequence[Subject]) -> list[Group]:
    """What can be compared, by stage; figures of two stages are never in one group."""
    found: list[Group] = []
    for stage in Stage:
        kept = [[metric for metric in subject.metrics if metric.stage is stage] for subject in subjects]
        kept = [[metric for metric in metrics if metric.name not in UNCOMPARED] for metrics in kept]
        keys = [dict.fromkeys((metric.tool, metric.target) for metric in metrics) for metrics in kept]
        if not any(kept):
            continue
        if all(_unambiguous(metrics) for metrics in kept):
            found.append(Group(stage, "", tuple(_by_name(metrics) for metrics in kept)))
            continue
        for tool, target in dict.fromkeys(key for one in keys for key in one):
            chosen = [[m for m in metrics if (m.tool, m.target) == (tool, target)] for metrics in kept]
            found.append(Group(stage, f"{target}, {tool}", tuple(_by_name(metrics) for metrics in chosen)))
    return found


def _unambiguous(metrics: Sequence[Metric]) -> bool:
    """Whether each name stands for one figure."""
    return len({metric.name for metric in metrics}) == len(metrics)


def _by_name(metrics: Sequence[Metric]) -> dict[str, Metric]:
    """The first figure of each name."""
    return {metric.name: metric for metric in reversed(metrics)}


def _title(group: Group) -> str:
    return f"{group.stage}: {group.target}" if group.target else group.stage.value


def _table(subjects: Sequence[Subject], group: Group) -> Table:
    head = ["figure", subjects[0].label]
    for subject in subjects[1:]:
        head += [subject.label, "difference"]
    names = [name for name in UNITS if any(name in known for known in group.sets)]
    body = [_row(subjects, group, name) for name in names]
    notes = (
        f"{subject.label}: {measured.heading(metric.name, metric.unit)}: {metric.note}"
        for subject, known in zip(subjects, group.sets, strict=True)
        for metric in known.values()
        if metric.note
    )
    return Table(tuple(head), (*_origins(group), *body), tuple(dict.fromkeys(notes)))


def _origins(group: Group) -> Iterator[tuple[Cell, ...]]:
    """Tool, version, target and clock of each subject's figures."""
    for title, key in (("tool", "tool"), ("version", "version"), ("target", "target"), ("clock (ns)", "clock_ns")):
        told = [_told(known, key) for known in group.sets]
        cells: list[str] = [told[0]]
        for text in told[1:]:
            cells += [text, SAME if text == told[0] else "differs" if text and told[0] else ""]
        if any(told):
            yield row(title, *cells)


def _told(known: dict[str, Metric], key: str) -> str:
    values = dict.fromkeys(getattr(metric, key) for metric in known.values())
    return ", ".join(f"{value:g}" if isinstance(value, float) else str(value) for value in values if value is not None)


def _row(subjects: Sequence[Subject], group: Group, name: str) -> tuple[Cell, ...]:
    first = group.sets[0].get(name)
    cells = [cell(measured.heading(name, UNITS[name])), _figure(subjects[0], first)]
    for subject, known in zip(subjects[1:], group.sets[1:], strict=True):
        cells += [_figure(subject, known.get(name)), difference(first, known.get(name))]
    return tuple(cells)


def _figure(subject: Subject, metric: Metric | None) -> Cell:
    return cell(Figure.of(subject.label, metric)) if metric else Cell("")


def difference(old: Metric | None, new: Metric | None) -> Cell:
    """How much more the new figure is, in per cent of the old one; nothing where one of them is not known."""
    if old is None or new is None or old.value is None or new.value is None:
        return Cell("")
    if old.value == new.value:
        return Cell(SAME, 0.0)
    if old.value == 0:
        return Cell(f"{number(new.value)} instead of 0")
    share = 100.0 * (new.value - old.value) / abs(old.value)
    return Cell(f"{share:+,.1f} %", share)


def _knob_table(subjects: Sequence[Subject]) -> Table:
    """The settings that are not the same everywhere."""
    names = dict.fromkeys(name for subject in subjects for name in subject.knobs)
    rows = [row(name, *(subject.knobs.get(name, "") for subject in subjects)) for name in names]
    differing = tuple(cells for cells in rows if len({one.text for one in cells[1:]}) > 1)
    return Table(("setting", *(subject.label for subject in subjects)), differing)
