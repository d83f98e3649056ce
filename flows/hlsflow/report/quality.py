"""How good a network's outputs are, from float to RTL.

In: an owner's name and its `MetricSet`, for each row. Out: a picture of the way of the task's main metric, a table of
all its metrics for each set of samples, and the figure that stands above all. Figures of different samples never share
a table.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from hlsflow.core.metrics import OF_OUTPUTS, Metric, MetricSet, Stage
from hlsflow.report.document import MISSING, Chain, Fact, Figure, Section, Step, Table, Text, cell, number, row
from hlsflow.report.measured import Row

NAMES = {
    "accuracy": "accuracy",
    "exact_match": "all labels right",
    "tpr": "anomalies found (TPR)",
    "fpr": "false alarms (FPR)",
    "auc": "AUC",
    "r2": "R²",
    "mae": "MAE",
    "rmse": "RMSE",
    "largest_error": "largest error",
}
"""Metrics of outputs, in the order of their columns, and what each is called."""

STAGES = {"float": "float", "ptq": "just quantized", "qat": "QAT", "csim": "C-simulation", "simulated": "RTL"}
"""Stages of these metrics, and what each is called on the way."""

assert set(NAMES) == set(OF_OUTPUTS)


def main_of(rows: Sequence[Row]) -> str:
    """The metric that these networks are compared by."""
    return "r2" if any(metrics.get("r2") for _, metrics in rows) else "accuracy"


def section(rows: Sequence[Row]) -> Section:
    """All that is known."""
    figures = _figures(rows, main_of(rows))
    title = "Regression" if main_of(rows) == "r2" else "Accuracy"
    return Section(title, (Chain(tuple(_steps(figures))), *tables(rows)) if figures else (Text("not measured"),))


def tables(rows: Sequence[Row]) -> tuple[Table, ...]:
    """A table for each set of samples, a row for each stage and tool."""
    by_name = {name: figures for name in NAMES if (figures := _figures(rows, name))}
    targets = dict.fromkeys(figure.target for figures in by_name.values() for figure in figures)
    return tuple(_table(by_name, target) for target in targets)


def _table(by_name: dict[str, list[Figure]], target: str) -> Table:
    about: dict[tuple[str, ...], dict[str, Figure]] = {}
    names = [name for name, found in by_name.items() if any(one.target == target for one in found)]
    for name in names:
        for one in by_name[name]:
            if one.target == target:
                about.setdefault((one.stage, f"{one.tool} {one.version}", one.owner), {})[name] = one
    units = {name: f"{NAMES[name]} ({one.unit})" for found in about.values() for name, one in found.items()}
    head = ("stage", *(units[name] for name in names), "data", "tool", "points")
    body = [
        row(stage, *(found.get(name, MISSING) for name in names), target, tool, owner)
        for (stage, tool, owner), found in about.items()
    ]
    notes = (f"{one.stage}: {one.note}" for found in about.values() for one in found.values() if one.note)
    return Table(head, tuple(body), tuple(dict.fromkeys(notes)))


def _figures(rows: Sequence[Row], name: str) -> list[Figure]:
    """One metric from float to RTL, by samples; a figure that is the same for several points stands once."""
    owners: dict[Metric, list[str]] = {}
    sources: dict[Metric, str] = {}
    for owner, metrics in rows:
        for metric in metrics:
            if metric.name == name:
                key = replace(metric, source="")
                owners.setdefault(key, []).append(owner)
                sources.setdefault(key, metric.source)
    order = list(dict.fromkeys(key.target for key in owners))
    keys = sorted(owners, key=lambda key: order.index(key.target))
    return [Figure.of(", ".join(owners[key]), replace(key, source=sources[key])) for key in keys]


def _steps(figures: Sequence[Figure]) -> Iterator[Step]:
    """One step a figure; a change is told between figures of the same data alone."""
    before: Figure | None = None
    for figure in figures:
        points = f", {figure.owner}" if figure.stage == "simulated" else ""
        name = f"{STAGES.get(figure.stage, figure.stage)}{points}"
        yield Step(name, cell(figure), figure.target, _change(before, figure))
        before = figure


def _change(before: Figure | None, after: Figure) -> str:
    if before is None or before.value is None or after.value is None:
        return ""
    if before.target != after.target:
        return "other samples"
    points = 100 * (after.value - before.value)
    return f"{points:+.2f} points" if points else "equal"


LINKS = {"qat": "file", "csim": "csim"}
"""Stages that are links of the chain, and what these are called."""


def lines(metrics: MetricSet, frozen: float | None) -> Iterator[str]:
    """Each metric on a line of its own, from the float network to the C-simulation, on the same samples.

    Args:
        frozen: the main metric of the frozen network on all samples; None where it is not known.
    """
    main = main_of([("", metrics)])
    figures = [one for name in NAMES for one in _figures([("", metrics)], name)]
    for name, target in dict.fromkeys((one.name, one.target) for one in figures):
        mine = [one for one in figures if (one.name, one.target) == (name, target)]
        found = {LINKS.get(one.stage, one.stage): _told(one) for one in mine}
        if name == main and frozen is not None and ", first " not in target and "file" in found:
            found |= {"frozen": number(frozen), **({"csim": found.pop("csim")} if "csim" in found else {})}
        yield f"{NAMES[name]} ({mine[0].unit}), {target}: {', '.join(f'{link} {told}' for link, told in found.items())}"


def _told(figure: Figure) -> str:
    return f"missing ({figure.note})" if figure.value is None else number(figure.value)


def facts(rows: Sequence[Row]) -> Iterator[Fact]:
    """The main metric in hardware, and what a detector finds: of the RTL, or, where that ran fewer samples than the
    C-simulation, of the C-simulation, so that it can be held against the stages before."""
    for name in (main_of(rows), "tpr"):
        known = [one for one in _figures(rows, name) if one.value is not None]
        csim = next((one for one in known if one.stage == Stage.CSIM), None)
        rtl = [one for one in known if one.stage == Stage.SIMULATED and (csim is None or one.target == csim.target)]
        chosen = rtl[0] if rtl else csim
        if chosen is not None:
            where = f"{chosen.owner}, {chosen.stage}, {chosen.target}"
            yield Fact(f"{NAMES[name].partition(' (')[0]} in {STAGES[chosen.stage]}", cell(chosen), where)
