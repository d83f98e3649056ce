"""Budgets of a run against what was measured: each by the figure of its own family, or by the simulation.

In: design points with their figures, and budgets. Out: verdicts as JSON, a table, and a verdict of the whole run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from hlsflow.core.metrics import Metric, MetricSet, Stage
from hlsflow.report.document import MISSING, Figure, Section, Table, Tone, Verdict, cell, row, worst


class Measured(Protocol):
    """A design point."""

    @property
    def label(self) -> str: ...

    @property
    def metrics(self) -> MetricSet: ...


class Budgeted(Protocol):
    """A run with budgets: family → metric name → largest value allowed."""

    @property
    def points(self) -> Sequence[Measured]: ...

    @property
    def budgets(self) -> Mapping[str, Mapping[str, float]]: ...


def verdicts(report: Budgeted) -> list[dict[str, Any]]:
    """Each budget against each point; a missing figure is neither met nor exceeded."""
    items = []
    for point in report.points:
        for family, limits in report.budgets.items():
            for name, limit in limits.items():
                metric = _budget_figure(point, family, name)
                value = metric.value if metric else None
                verdict = MISSING if value is None else "met" if value <= limit else "exceeded"
                items.append(
                    {
                        "point": point.label,
                        "family": family,
                        "name": name,
                        "limit": limit,
                        "value": value,
                        "verdict": verdict,
                    }
                )
    return items


def _budget_figure(point: Measured, family: str, name: str) -> Metric | None:
    if name in ("latency_cycles", "ii"):
        return point.metrics.get(name, Stage.SIMULATED)
    return point.metrics.get(name, Stage.SYNTH, family)


_TONES: Mapping[str, Tone] = {"met": "good", "exceeded": "bad"}


def section(report: Budgeted) -> list[Section]:
    rows = [
        row(
            *(item[key] for key in ("point", "family", "name", "limit")),
            cell(Figure.of(item["point"], figure)) if (figure := _of_verdict(report, item)) else cell(MISSING),
            cell(item["verdict"], _TONES.get(item["verdict"], "")),
        )
        for item in verdicts(report)
    ]
    head = ("point", "family", "figure", "budget", "measured", "verdict")
    return [Section("Budgets", (Table(head, tuple(rows)),))] if rows else []


def _of_verdict(report: Budgeted, item: Mapping[str, Any]) -> Metric | None:
    point = next(point for point in report.points if point.label == item["point"])
    return _budget_figure(point, item["family"], item["name"])


def joined(verdict: Verdict, report: Budgeted) -> Verdict:
    """A verdict, and what the budgets make of it: it is no better than amber where one is exceeded or not known."""
    counts = Counter(item["verdict"] for item in verdicts(report))
    if not counts:
        return verdict
    sentence = f"budgets: {', '.join(f'{count} {name}' for name, count in counts.items())}"
    if set(counts) == {"met"}:
        return Verdict(verdict.text, verdict.tone, (*verdict.more, sentence))
    return Verdict(f"{verdict.text}; {sentence}", worst((verdict.tone, "warn")), (*verdict.more, sentence))
