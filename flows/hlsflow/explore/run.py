"""`hlsflow explore`: which knobs for which layer, under which budget, proved and measured.

In: a project and a `Request`. Out: `build/<project>/explore/<name>/` with tables, charts and a project file for each
point, that `hlsflow run` takes as it is.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from hlsflow.core.choices import Family
from hlsflow.core.errors import ProjectError
from hlsflow.core.metrics import MetricSet
from hlsflow.core.progress import Progress
from hlsflow.core.store import Store, digest, file_digest, replacing
from hlsflow.data.openml import settled
from hlsflow.explore.cache import Cache, default_root
from hlsflow.explore.cluster import Cluster, open_to_others
from hlsflow.explore.exploration import Exploration
from hlsflow.explore.outcome import OPEN, Engine, Outcome
from hlsflow.explore.precision import Scores, candidates, own_bits, score
from hlsflow.explore.projects import Point, write_project
from hlsflow.explore.request import Request, family_of, part_of, question_of, where_of
from hlsflow.explore.search import Answer
from hlsflow.explore.solver import Solution
from hlsflow.explore.study import Confirmation, Options, Study, Workshop
from hlsflow.ir import Graph
from hlsflow.ir.fixed import Array
from hlsflow.pipeline.context import Results, Samples, metrics_in, write_metrics
from hlsflow.pipeline.hardware import (
    ROUTE_TIMEOUT_S,
    SYNTH_TIMEOUT_S,
    layer_knobs,
    pipeline_of,
    pixels_of,
    routing_code,
    say_slow,
)
from hlsflow.pipeline.run import CHECK_STEPS, require_route_part, run
from hlsflow.project import Project, load
from hlsflow.rtl.emit import emit, for_family
from hlsflow.rtl.knobs import LayerKnobs
from hlsflow.rtl.schedule import schedule
from hlsflow.toolchains import nextpnr, process, yosys

FOLDER_DIGITS = 8
CALIBRATION = 2000
"""Samples on which narrower weights are scored: validation samples first, then training ones, never the test set. A
trained model brings no others than the ones it is judged by."""


def explore(
    project: Project, request: Request, build: Path, progress: Progress | None = None, jobs: int = 0
) -> tuple[Outcome, Path]:
    """Answer a request; returns the outcome and the folder of its files.

    Raises:
        Infeasible: no design keeps the limits; says which are in conflict, and which would do.
        FlowError: what a step of the pipeline or a measurement raised; what was measured is kept.
    """
    progress = progress or Progress()
    _, question = question_of(project, request)
    require_route_part(project)
    project = settled(project, progress.say)
    folder = folder_of(project, request, build, OPEN)
    return Exploration(project, request, question, build, folder, progress, jobs).carried_out(_explored)


@dataclass(frozen=True)
class _Designs:
    """What the search has come to.

    Attributes:
        least_accuracy: that narrower weights must keep; None: it does not matter.
        chosen: numbers of the points that were built whole.
        confirmed: number of a point → what its whole design costs.
    """

    study: Study
    answer: Answer
    least_accuracy: float | None
    chosen: Sequence[int]
    confirmed: Mapping[int, Confirmation]


def _explored(task: Exploration) -> Outcome:
    """The outcome of a request, whose projects are written into the folder."""
    project, request = task.project, task.request
    results = run(project, task.build, CHECK_STEPS, task.progress, task.jobs)
    designs = _searched(task, results)
    study, answer = designs.study, designs.answer
    with task.progress.working("place and route"):
        routed = _route(project, request, study, answer, designs.chosen, task.build)
    return Outcome(
        project=project.name,
        engine=OPEN,
        target=str(study.workshop.family),
        study=study,
        question=task.question,
        answer=answer,
        least_accuracy=designs.least_accuracy,
        clock_ns=project.target.clock_ns,
        tool=yosys.find().label,
        confirmed=designs.confirmed,
        files=_project_files(project, study, answer.solutions, trained(project, results), task.folder),
        notes=_notes(study),
        routed=routed,
        part=part_of(project, request, study.workshop.family),
        per_second=request.per_second,
    )


def _searched(task: Exploration, results: Results) -> _Designs:
    """The optimal designs of the network that the steps have left, some of them built whole."""
    assert results.translated is not None
    project, progress, folder = task.project, task.progress, results.translated.folder
    graph = Graph.load(folder / "graph.npz")
    with progress.working("score widths of weights"):
        scores, least = _scores(project, graph, Samples.load(folder), progress)
    where = where_of(project, task.request)
    if open_to_others(where):
        progress.say(open_to_others(where))
    with Cluster(where, task.jobs) as cluster:
        workshop = Workshop(family_of(project, task.request), Cache(default_root(), progress.say), cluster, progress)
        with progress.working("search"):
            study = Study(graph, _options(project, graph, progress), workshop, scores)
            answer = study.answer(task.question, least, task.request.confirm)
        chosen = spread(len(answer.solutions), task.request.confirm)
        with progress.working("build points whole"):
            built = study.confirm([answer.solutions[point - 1] for point in chosen])
    return _Designs(study, answer, least, chosen, dict(zip(chosen, built, strict=True)))


def folder_of(project: Project, request: Request, build: Path, engine: Engine) -> Path:
    """Where the outcome of a request goes; training a point some more asks for no other outcome."""
    asked = [project.model_dump(mode="json"), str(replace(request, fine_tune=None)), engine.name]
    return build / project.name / "explore" / digest(asked)[:FOLDER_DIGITS]


def trained(project: Project, results: Results) -> Path:
    """The file of the trained model."""
    if project.model.file is not None:
        return project.folder / project.model.file
    assert results.trained is not None
    return results.trained.folder / "qat.h5"


def note_of(project: Project, index: int) -> str:
    """For the top of a point's project file."""
    return f"Point {index} of an exploration of '{project.name}', which its explore.md describes."


def _project_files(
    project: Project, study: Study, solutions: Sequence[Solution], model: Path, folder: Path
) -> dict[int, str]:
    """A project for each point, and a model for each combination of narrower weights; number of the point → file."""
    files = {}
    for index, solution in enumerate(solutions, 1):
        chosen, place = study.chosen(solution.assignment), folder / f"point{index}"
        graph = study.network(solution.assignment)
        narrow = {
            name: configuration.bits
            for name, configuration in chosen.items()
            if configuration.bits < own_bits(study.graph[name])
        }
        point = Point(
            name=f"{project.name}_point{index}",
            note=note_of(project, index),
            graph=graph,
            knobs={name: configuration.knobs for name, configuration in chosen.items()},
            pipeline=study.options.pipeline,
            model=_narrowed(project, model, graph, narrow, folder) if narrow else model,
        )
        write_project(project, point, place)
        files[index] = f"point{index}/project.toml"
    return files


def _narrowed(project: Project, model: Path, graph: Graph, bits: Mapping[str, int], folder: Path) -> Path:
    """The file of the model with these weights; made once."""
    file = folder / "models" / f"{digest([sorted(bits.items()), file_digest(model)])[:FOLDER_DIGITS]}.h5"
    if not file.exists():
        from hlsflow.keras.plain import plain
        from hlsflow.qat import load_model
        from hlsflow.qat.compress.narrow import narrowed

        process.make_folder(file.parent)
        trained = plain(load_model(model, allow_lambda=project.model.allow_lambda)).model
        with replacing(file) as part:
            narrowed(trained, graph, bits).save(part)
    return file


def fine_tune(project: Project, outcome: Outcome, folder: Path, point: int, progress: Progress | None = None) -> Path:
    """Train the model of a point some more, and let its project file name the result.

    Raises:
        ProjectError: the project has no [training], or nothing was narrowed; no engine but the open one narrows.
    """
    from hlsflow.qat.compress.narrow import fine_tune as tune

    study, solution = outcome.study, outcome.answer.solutions[point - 1]
    if not isinstance(study, Study):
        raise ProjectError(f"--engine {outcome.engine.name} narrows no weights", "leave out --fine-tune")
    place = folder / f"point{point}"
    before = load(place)
    assert before.model.file is not None
    tuned = tune(project, (place / before.model.file), place / "tuned", progress=progress)
    chosen = study.chosen(solution.assignment)
    after = Point(
        name=before.name,
        note=f"Point {point} of an exploration of '{project.name}', fine-tuned.",
        graph=study.network(solution.assignment),
        knobs={name: configuration.knobs for name, configuration in chosen.items()},
        pipeline=study.options.pipeline,
        model=tuned.model,
    )
    return write_project(project, after, place).folder


def _notes(study: Study) -> list[str]:
    """What the reader must know."""
    return [
        "Sums hold the layers and one measurement of what is around them, at the median reuse factors; the FIFOs of "
        "other points may differ by a few LUTs, which the comparison with whole designs shows.",
        "Latency and II are exact: they follow from the schedule, and the schedule of each design that was built whole "
        "says the same.",
        "Energy is not measured, so it is no metric here.",
        f"Reuse factors up to {study.options.most_reuse or 'the number of products of a layer'} were tried.",
    ]


def _scores(project: Project, graph: Graph, samples: Samples, progress: Progress) -> tuple[Scores | None, float | None]:
    """What narrower weights do to the accuracy, and the least that is allowed."""
    choices = candidates(graph, project.explore.weight_bits)
    if all(len(widths) == 1 for widths in choices.values()):
        return None, None
    x, y = _calibration(project, samples)
    near = 1 - project.explore.accuracy_drop
    scores = score(graph, choices, x, y if len(y) else None, near, task=samples.task)
    least = scores.full - project.explore.accuracy_drop
    count, error = len(scores.allowed(least, scores.layers)), float(np.max(scores.standard_error))
    full = f"{scores.full:.4f}" if np.isnan(error) else f"{scores.full:.4f} ± {error:.4f}"
    progress.say(
        f"{len(scores.bits)} combinations of weight widths scored on {len(x)} samples by {scores.against.value}: "
        f"{count} keep {least:.4f} (the network as it is: {full})"
    )
    return scores, least


def _calibration(project: Project, samples: Samples) -> tuple[Array, Array]:
    """Samples on the input grids, flat, and their classes (none, where they are not known)."""
    from hlsflow.data.data import load_data

    data = load_data(project)
    x, y = np.concatenate([data.x_val, data.x_train]), np.concatenate([data.y_val, data.y_train])
    if not len(x):
        return samples.x[:CALIBRATION], samples.y[:CALIBRATION]
    codes = project.input.precision.quantize(x[:CALIBRATION].reshape(min(len(x), CALIBRATION), -1))
    return codes, y[:CALIBRATION]


def _options(project: Project, graph: Graph, progress: Progress) -> Options:
    """What the project asks for; one pipeline for all designs, as deep as that of the project's own knobs."""
    wanted, own, io = project.explore, layer_knobs(project.knobs), project.target.io_type
    kinds = tuple(
        LayerKnobs(1, multiplier, strategy, memory)
        for strategy, multiplier, memory in itertools.product(wanted.strategy, wanted.multiplier, wanted.weights_in)
    )
    pixels = pixels_of(project.knobs)
    pipeline, path = pipeline_of(project, own.multiplier, schedule(graph, {}, own, io=io, pixels=pixels))
    say_slow(project, [path], progress)
    return Options(kinds=kinds, widths=wanted.weight_bits, pipeline=pipeline, io=io, pixels=pixels)


def _route(
    project: Project, request: Request, study: Study, answer: Answer, points: Sequence[int], build: Path
) -> dict[int, MetricSet]:
    """Place and route points where that is possible: on an ECP5 part that is asked for, or the project's."""
    part = request.part or project.target.route_part
    if study.workshop.family is not Family.ECP5 or part is None:
        return {}
    store, clock_ns = Store(build / project.name / "store", study.workshop.progress.say), project.target.clock_ns

    def routed(point: int) -> MetricSet:
        design = emit(study.plan(answer.solutions[point - 1].assignment))
        plan = yosys.plan(for_family(design.files, Family.ECP5), design.top, Family.ECP5, netlist=True)
        tools = [*nextpnr.find().identity, *nextpnr.OPTIONS, *nextpnr.PLACERS]
        key = {
            "plan": plan.digest(yosys.find()),
            "part": part,
            "clock_ns": clock_ns,
            "tools": tools,
            "code": routing_code(),
        }

        def work(folder: Path) -> None:
            made = yosys.execute(plan, folder, timeout_s=SYNTH_TIMEOUT_S)
            netlist = folder / "ecp5.json"
            write_metrics(folder, nextpnr.route(netlist, part, clock_ns, folder, timeout_s=ROUTE_TIMEOUT_S, synth=made))

        return metrics_in(store.do("route", key, work), f"route/point{point}")

    return {point: routed(point) for point in points}


def spread(points: int, wanted: int) -> list[int]:
    """Up to `wanted` of the points 1 … `points`, the ends and some evenly between."""
    return sorted({int(place) for place in np.linspace(1, points, min(points, wanted)).round()})
