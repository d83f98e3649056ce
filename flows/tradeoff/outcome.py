"""What an exploration leaves: tables for people, spreadsheets and scripts, a plot, and its effort.

In: a study's answer and the designs that were built whole. Out: `explore.md`, `explore.csv`, `explore.json`,
`explore.png`. Sums of layers and whole designs never share a column, and neither do figures of different `Engine`s.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from flows.markdown import MISSING, number, table
from flows.metrics import UNITS, MetricSet, Stage
from flows.store import write_bytes, write_text
from flows.tradeoff.choice import AREA, Assignment
from flows.tradeoff.precision import Scores
from flows.tradeoff.search import Answer, Question
from flows.tradeoff.solver import Solution
from flows.tradeoff.study import Confirmation

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
    write_text(folder / "explore.md", to_markdown(outcome))
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
    stream, engine = io.StringIO(), outcome.engine
    layers = list(outcome.study.chosen(outcome.answer.solutions[0].assignment))
    head = ["point", *(f"{layer} {knob}" for layer in layers for knob in engine.knobs)]
    head += [f"{name} ({UNITS[name]}, {engine.cycles})" for name in CYCLES]
    head += [f"{name} ({engine.layers})" for name in AREA] + [f"{name} ({engine.whole})" for name in engine.compared]
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([*head, "accuracy", "target", "tool"])
    for point in to_json(outcome)["points"]:
        cells = [point["layers"][layer][knob] for layer in layers for knob in engine.knobs]
        cells += [point[engine.cycles][name] for name in CYCLES] + [point[engine.layers][name] for name in AREA]
        cells += [(point[engine.whole] or {}).get(name, "") for name in engine.compared]
        accuracy = "" if point["accuracy"] is None else point["accuracy"]
        writer.writerow([point["point"], *cells, accuracy, outcome.target, outcome.tool])
    return stream.getvalue()


def to_markdown(outcome: Outcome) -> str:
    """The report for people."""
    parts = [
        f"# {outcome.project}: exploration for {outcome.target}",
        "\n".join(f"- {line}" for line in summary_lines(outcome)),
        "## Designs",
        points_table(outcome),
    ]
    if outcome.confirmed:
        parts += ["## Sum of layers against the whole design", confirmation_table(outcome), verdict(outcome)]
    if outcome.routed:
        parts += ["## Routed", routed_table(outcome)]
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


def points_table(outcome: Outcome) -> str:
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
        figures = [number(solution.figures[name]) for name in (*CYCLES, *AREA)]
        accuracy = accuracy_of(outcome, solution)
        last = [] if accuracy is None else [f"{accuracy:.4f}"]
        rows.append([str(index), *knobs, *figures, number(per_second(outcome, solution)), *last])
    return table(head, rows)


def per_second(outcome: Outcome, solution: Solution) -> float:
    """Inferences a second at the clock asked for."""
    return float(round(1e9 / (solution.figures["ii"] * outcome.clock_ns)))


def confirmation_table(outcome: Outcome) -> str:
    """Sums and wholes side by side, with the error in per cent."""
    head, engine = ["point"], outcome.engine
    for name in engine.compared:
        head += [f"{name.upper()} ({engine.layers})", f"{name.upper()} ({engine.whole})", "error (%)"]
    rows = []
    for index, one in outcome.confirmed.items():
        row = [str(index)]
        for name in engine.compared:
            row += [number(one.characterised[name]), number(one.whole.get(name)), _error(one, name)]
        rows.append(row)
    return table(head, rows)


def routed_table(outcome: Outcome) -> str:
    """Place and route of whole designs; what is missing says why."""
    areas = [f"{name.upper()} ({Stage.ROUTED})" for name in AREA]
    head = ["point", *areas, "Fmax (MHz, routed)", "part", "note"]
    rows = []
    for index, metrics in outcome.routed.items():
        found = [metrics.get(name, Stage.ROUTED) for name in (*AREA, "fmax_mhz")]
        notes = dict.fromkeys(metric.note for metric in found if metric and metric.note)
        target = next((metric.target for metric in metrics), MISSING)
        rows.append([str(index), *(number(one.value if one else None) for one in found), target, "; ".join(notes)])
    return table(head, rows)


def _error(one: Confirmation, name: str) -> str:
    if name not in one.whole:
        return MISSING
    error = one.error(name)
    return f"{100 * error:+.2f}" if error is not None else "none" if not one.characterised[name] else "all"


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
