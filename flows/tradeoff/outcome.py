"""What an exploration leaves: tables for people, spreadsheets and scripts, a plot, and its effort.

In: a study's answer and the designs that were built whole. Out: `explore.md`, `explore.csv`, `explore.json`,
`explore.png`. Sums of layers (stage `characterised`) and whole designs (`synth`) never share a column.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from flows.markdown import number, table
from flows.metrics import UNITS, Stage
from flows.store import write_bytes, write_text
from flows.tradeoff.choice import AREA
from flows.tradeoff.search import Answer, Question
from flows.tradeoff.solver import Solution
from flows.tradeoff.space import Configuration
from flows.tradeoff.study import Confirmation, Study

SCHEMA_VERSION = 1
CYCLES = ("latency_cycles", "ii")
MEAN_ERROR, WORST_ERROR = 0.02, 0.05
"""What sums of layers are meant to keep to: LUT, on average and at worst; DSP and BRAM are to be exact."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """Everything an exploration found.

    Attributes:
        project: its name.
        question: what was asked, with all limits.
        least_accuracy: that a design must keep; None: it does not matter.
        clock_ns: asked for; inferences per second are at this clock, which is no timing result.
        tool: that synthesized.
        confirmed: number of a point → what the whole design cost.
        files: number of a point → its project file.
        notes: what is not in it, and why.
    """

    project: str
    study: Study
    question: Question
    answer: Answer
    least_accuracy: float | None
    clock_ns: float
    tool: str
    confirmed: Mapping[int, Confirmation]
    files: Mapping[int, str]
    notes: Sequence[str]


def write(outcome: Outcome, folder: Path) -> None:
    """Write all files; each appears whole or not at all. Raises StorageError."""
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / "explore.json", json.dumps(to_json(outcome), indent=1) + "\n")
    write_text(folder / "explore.csv", to_csv(outcome))
    write_text(folder / "explore.md", to_markdown(outcome))
    if len(outcome.answer.solutions) > 1:
        _plot(outcome, folder / "explore.png")


def to_json(outcome: Outcome) -> dict[str, Any]:
    """All of it as plain JSON values."""
    question = outcome.question
    return {
        "schema": SCHEMA_VERSION,
        "project": outcome.project,
        "family": str(outcome.study.workshop.family),
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
        "notes": list(outcome.notes),
    }


def _point_json(outcome: Outcome, index: int) -> dict[str, Any]:
    solution, whole = outcome.answer.solutions[index - 1], outcome.confirmed.get(index)
    return {
        "point": index,
        "layers": {name: _knobs(one) for name, one in outcome.study.chosen(solution.assignment).items()},
        "scheduled": {name: solution.figures[name] for name in CYCLES},
        Stage.CHARACTERISED: {name: solution.figures[name] for name in AREA},
        Stage.SYNTH: dict(whole.whole) if whole else None,
        "accuracy": accuracy_of(outcome, solution),
        "project_file": outcome.files.get(index),
    }


def _knobs(one: Configuration) -> dict[str, Any]:
    knobs = {key: value if isinstance(value, int) else str(value) for key, value in asdict(one.knobs).items()}
    return knobs | {"weight_bits": one.bits, "multipliers": one.plan.multipliers}


def accuracy_of(outcome: Outcome, solution: Solution) -> float | None:
    """Of the network with these widths, before fine-tuning; None where it was not scored."""
    scores = outcome.study.scores
    if scores is None:
        return None
    bits = {name: one.bits for name, one in outcome.study.chosen(solution.assignment).items()}
    return float(scores.accuracy[scores.number(bits)])


def to_csv(outcome: Outcome) -> str:
    """One row a point; stages have columns of their own."""
    stream = io.StringIO()
    layers = [layer.name for layer in outcome.study.layers]
    names = [
        f"{layer} {knob}" for layer in layers for knob in ("reuse_factor", "multiplier", "strategy", "weight_bits")
    ]
    head = ["point", *names, *(f"{name} ({UNITS[name]}, scheduled)" for name in CYCLES)]
    head += [f"{name} ({stage})" for stage in (Stage.CHARACTERISED, Stage.SYNTH) for name in AREA]
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([*head, "accuracy", "family", "tool"])
    for point in to_json(outcome)["points"]:
        knobs = [point["layers"][layer] for layer in layers]
        cells = [one[key] for one in knobs for key in ("reuse_factor", "multiplier", "strategy", "weight_bits")]
        cells += [point["scheduled"][name] for name in CYCLES]
        for stage in (Stage.CHARACTERISED, Stage.SYNTH):
            cells += [(point[stage] or {}).get(name, "") for name in AREA]
        accuracy = "" if point["accuracy"] is None else point["accuracy"]
        writer.writerow([point["point"], *cells, accuracy, outcome.study.workshop.family, outcome.tool])
    return stream.getvalue()


def to_markdown(outcome: Outcome) -> str:
    """The report for people."""
    parts = [
        f"# {outcome.project}: exploration for {outcome.study.workshop.family}",
        "\n".join(f"- {line}" for line in summary_lines(outcome)),
        "## Designs",
        points_table(outcome),
    ]
    if outcome.confirmed:
        parts += ["## Sum of layers against the whole design", confirmation_table(outcome), verdict(outcome)]
    if outcome.notes:
        parts += ["## Notes", "\n".join(f"- {note}" for note in outcome.notes)]
    return "\n\n".join(parts) + "\n"


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
        f"lower bounds of area tested by later measurements: {effort.tested:,}, of which {effort.broken} did not hold; "
        "configurations never measured are left out on the strength of such bounds",
    ]
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


def points_table(outcome: Outcome) -> str:
    """One row a point, the layers' knobs included."""
    stage = f"characterised, {outcome.tool}"
    areas = [f"{name.upper()} ({stage})" for name in AREA]
    head = ["point", *(layer.name for layer in outcome.study.layers), "latency (cycles)", "II (cycles)", *areas]
    head += ["inferences/s at the clock asked", *(["accuracy"] if outcome.study.scores else [])]
    rows = []
    for index, solution in enumerate(outcome.answer.solutions, 1):
        layers = [_cell(one) for one in outcome.study.chosen(solution.assignment).values()]
        figures = [number(solution.figures[name]) for name in (*CYCLES, *AREA)]
        accuracy = accuracy_of(outcome, solution)
        last = [] if accuracy is None else [f"{accuracy:.4f}"]
        rows.append([str(index), *layers, *figures, number(per_second(outcome, solution)), *last])
    return table(head, rows)


def per_second(outcome: Outcome, solution: Solution) -> float:
    """Inferences a second at the clock asked for."""
    return float(round(1e9 / (solution.figures["ii"] * outcome.clock_ns)))


def _cell(one: Configuration) -> str:
    return f"R{one.knobs.reuse_factor} {one.plan.multipliers}×{one.knobs.multiplier} {one.bits}b"


def confirmation_table(outcome: Outcome) -> str:
    """Sums and wholes side by side, with the error in per cent."""
    head = ["point"]
    for name in AREA:
        head += [f"{name.upper()} (characterised)", f"{name.upper()} (synth)", "error (%)"]
    rows = []
    for index, one in outcome.confirmed.items():
        row = [str(index)]
        for name in AREA:
            error = one.error(name)
            shown = f"{100 * error:+.2f}" if error is not None else "none" if not one.characterised[name] else "all"
            row += [number(one.characterised[name]), number(one.whole[name]), shown]
        rows.append(row)
    return table(head, rows)


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
    """One sentence on the errors."""
    found = errors(list(outcome.confirmed.values()))
    kept = found["lut_mean"] <= MEAN_ERROR and found["lut_worst"] <= WORST_ERROR and found["dsp"] and found["bram"]
    exact = ", ".join(f"{name.upper()} {'exact' if found[name] else 'NOT exact'}" for name in ("dsp", "bram"))
    off = f"mean absolute LUT error {found['lut_mean']:.2%}, worst {found['lut_worst']:.2%}"
    meant = f"at most {MEAN_ERROR:.0%} and {WORST_ERROR:.0%}, and exact: {'kept' if kept else 'MISSED'}"
    return f"{found['designs']} designs: {off}; {exact}. Meant to be {meant}."


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
    axes.set_ylabel(f"{up} ({UNITS[up]}, sum of layers, {outcome.tool}, {outcome.study.workshop.family})")
    axes.set_title(f"{outcome.project}: proved Pareto front, {len(points)} designs")
    axes.grid(alpha=0.3)
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=120, format="png")
    write_bytes(path, buffer.getvalue())
