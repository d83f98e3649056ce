"""The tables of an exploration, for people: what was asked and answered, a row for each design, sums beside wholes.

In: an `Outcome`. Out: blocks of a document, each figure with where it comes from. Sums of layers and whole designs
never share a column. A rate that no measured clock stands behind says so in its heading.
"""

from __future__ import annotations

from collections.abc import Mapping

from hlsflow import __version__
from hlsflow.core.metrics import UNITS, Stage
from hlsflow.explore.choice import AREA
from hlsflow.explore.outcome import CYCLES, OPEN, Outcome, accuracy_of
from hlsflow.explore.solver import Solution
from hlsflow.explore.study import Confirmation
from hlsflow.explore.verdict import NO_FMAX, judged
from hlsflow.report import markdown
from hlsflow.report.document import MISSING, Cell, Figure, Table, cell, row
from hlsflow.report.measured import figure_cell, per_cent
from hlsflow.report.quality import NAMES
from hlsflow.toolchains.parts import offered, percent


def figure(outcome: Outcome, point: int, name: str) -> Figure:
    """A figure of a point: cycles of its schedule, or a sum over its layers."""
    stage = outcome.engine.cycles if name in CYCLES else outcome.engine.layers
    return sourced(outcome, point, name, outcome.answer.solutions[point - 1].figures[name], stage)


def sourced(outcome: Outcome, point: int, name: str, value: float | None, stage: str) -> Figure:
    """A figure with where it comes from; the schedule is our own, all else is the synthesizer's."""
    tool, _, version = outcome.tool.partition(" ")
    if stage == OPEN.cycles:
        tool, version = "hlsflow", __version__
    note = "" if value is not None else f"{outcome.tool} did not tell it"
    source, about = "explore.json", (tool, version, outcome.target)
    return Figure(f"point {point}", name, value, UNITS[name], stage, *about, source, note, outcome.clock_ns)


def summary_lines(outcome: Outcome) -> list[str]:
    """What was asked, what was proved and relative to what, and what it took."""
    question, effort = outcome.question, outcome.answer.effort
    asked = " and ".join(question.front) if question.front else _weights(question.objective)
    limits = ", ".join(f"{name} <= {most:,}" for name, most in question.limits.items()) or "none"
    kind = "Pareto front" if question.front else "optimum"
    lines = [
        f"asked: {kind} of {asked}; limits: {limits}",
        *markdown.verdict_lines(judged(outcome)),
        f"space: {effort.points:.3g} designs of {effort.configurations:,} layer configurations; "
        f"measured: {effort.measured:,} ({effort.measured / effort.configurations:.1%}), in {effort.rounds} rounds",
    ]
    if outcome.least_accuracy is not None:
        lines.append(f"{_quality(outcome)} of at least {outcome.least_accuracy:.4f}, {_sampled(outcome)}")
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
    shares = [f"{name.upper()} (%)" for name in shared(outcome)]
    head = ["point", *layers, f"latency ({cycles})", f"II ({cycles})", *areas, *shares]
    head += [rate_heading(outcome), *([_quality(outcome)] if outcome.study.scores else [])]
    rows = []
    for index, solution in enumerate(outcome.answer.solutions, 1):
        knobs = [configuration.cell for configuration in outcome.study.chosen(solution.assignment).values()]
        figures = [figure(outcome, index, name) for name in (*CYCLES, *AREA)]
        used = [_share(outcome, solution, name) for name in shared(outcome)]
        speed = per_second(outcome, solution)
        rows.append(row(Cell(str(index), index), *knobs, *figures, *used, speed, *_accuracy_cells(outcome, index)))
    return Table(tuple(head), tuple(rows), _of_part(outcome))


def _of_part(outcome: Outcome) -> tuple[str, ...]:
    """What is said of the part below the table."""
    if outcome.part is None:
        return ()
    return (per_cent(outcome.part) if shared(outcome) else f"what {outcome.part} offers is not known here",)


def rate_heading(outcome: Outcome) -> str:
    """What stands above inferences a second, which are at the clock asked for."""
    fmax = "Fmax: measured of routed points alone" if outcome.routed else NO_FMAX
    return f"inferences/s at the clock asked, {outcome.clock_ns:g} ns ({fmax})"


def shared(outcome: Outcome) -> tuple[str, ...]:
    """Metrics that stand in per cent of the part asked for too."""
    limits = offered(outcome.part) if outcome.part else {}
    return tuple(name for name in AREA if name in limits)


def _share(outcome: Outcome, solution: Solution, name: str) -> Cell:
    share = percent(str(outcome.part), name, solution.figures[name])
    return Cell(MISSING) if share is None else Cell(f"{share:.1f}", share)


def _quality(outcome: Outcome) -> str:
    """What narrower weights are scored by."""
    return NAMES["accuracy" if outcome.study.scores is None else outcome.study.scores.metric]


def _accuracy_cells(outcome: Outcome, point: int) -> list[Cell]:
    value, scores = accuracy_of(outcome, outcome.answer.solutions[point - 1]), outcome.study.scores
    if value is None or scores is None:
        return []
    about = ("oracle", "hlsflow", __version__, f"{scores.samples} samples", "explore.json", _sampled(outcome))
    return [Cell(f"{value:.4f}", value, Figure(f"point {point}", scores.metric, value, UNITS[scores.metric], *about))]


def per_second(outcome: Outcome, solution: Solution) -> float:
    """Inferences a second at the clock asked for."""
    return float(round(1e9 / (solution.figures["ii"] * outcome.clock_ns)))


def confirmation_table(outcome: Outcome) -> Table:
    """Sums and wholes side by side, with the error in per cent."""
    head, engine = ["point"], outcome.engine
    for name in engine.compared:
        head += [f"{name.upper()} ({engine.layers})", f"{name.upper()} ({engine.designs})", "error (%)"]
    rows = []
    for index, confirmation in outcome.confirmed.items():
        cells = [Cell(str(index), index)]
        for name in engine.compared:
            summed = sourced(outcome, index, name, confirmation.characterised[name], engine.layers)
            built = sourced(outcome, index, name, confirmation.built.get(name), engine.designs)
            cells += [cell(summed), cell(built), _error(confirmation, name)]
        rows.append(tuple(cells))
    return Table(tuple(head), tuple(rows))


def routed_table(outcome: Outcome) -> Table:
    """Place and route of whole designs; what is missing says why."""
    areas = [f"{name.upper()} ({Stage.ROUTED})" for name in AREA]
    head = ("point", *areas, "Fmax (MHz, routed)", "inferences/s (at Fmax, routed)", "part", "note")
    rows = []
    for index, metrics in outcome.routed.items():
        metrics_of_point = [metrics.get(name, Stage.ROUTED) for name in (*AREA, "fmax_mhz")]
        notes = dict.fromkeys(metric.note for metric in metrics_of_point if metric and metric.note)
        target = next((metric.target for metric in metrics), MISSING)
        figures = [figure_cell(f"point {index}", metric) for metric in metrics_of_point]
        speed = _routed_per_second(outcome, index)
        rows.append(row(Cell(str(index), index), *figures, speed, target, "; ".join(notes)))
    return Table(head, tuple(rows))


def _routed_per_second(outcome: Outcome, point: int) -> Cell:
    """Inferences a second at the clock that place and route found."""
    fmax = outcome.routed[point].get("fmax_mhz", Stage.ROUTED)
    if fmax is None or fmax.value is None:
        return Cell(MISSING)
    return cell(float(round(1e6 * fmax.value / outcome.answer.solutions[point - 1].figures["ii"])))


def _error(confirmation: Confirmation, name: str) -> Cell:
    if name not in confirmation.built:
        return Cell(MISSING)
    error = confirmation.error(name)
    if error is None:
        return Cell("all" if confirmation.characterised[name] else "none")
    return Cell(f"{100 * error:+.2f}", 100 * error)


def caption(outcome: Outcome, point: int) -> str:
    chosen = outcome.study.chosen(outcome.answer.solutions[point - 1].assignment)
    return f"point {point}: " + ", ".join(f"{layer} {configuration.cell}" for layer, configuration in chosen.items())
