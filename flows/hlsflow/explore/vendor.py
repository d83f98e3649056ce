"""`hlsflow explore --engine vitis`: the same questions, answered by csynth of hls4ml's own projects.

In: a project and a `Request`. Out: the same tables, charts and project files as those of `hlsflow.explore.run`, all
figures of stage `hls`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from hlsflow.core.choices import Family
from hlsflow.core.errors import ProjectError
from hlsflow.core.progress import Progress
from hlsflow.core.store import Store
from hlsflow.data.openml import settled
from hlsflow.explore.exploration import Exploration
from hlsflow.explore.hls_engine import VendorStudy
from hlsflow.explore.outcome import VITIS, Outcome
from hlsflow.explore.projects import Point, write_project
from hlsflow.explore.request import Request, question_of
from hlsflow.explore.run import folder_of, note_of, spread, trained
from hlsflow.explore.search import Question
from hlsflow.explore.solver import Solution
from hlsflow.ir import Graph
from hlsflow.pipeline.context import Context
from hlsflow.pipeline.run import run
from hlsflow.pipeline.software import train, translate
from hlsflow.project import Project
from hlsflow.rtl.knobs import Pipeline
from hlsflow.toolchains.chain import Step
from hlsflow.toolchains.chains import installed

BACKENDS = ("vitis", "vivado")
"""Of hls4ml, whose csynth reports have all figures that the search needs."""


def explore_vendor(
    project: Project, request: Request, build: Path, progress: Progress | None = None, jobs: int = 0
) -> tuple[Outcome, Path]:
    """Answer a request; returns the outcome and the folder of its files.

    Raises:
        ToolMissing: Vitis HLS is not there. Infeasible: no design keeps the limits.
        FlowError: what a step of the pipeline or a synthesis raised; what was measured is kept.
    """
    progress = progress or Progress()
    backend = project.target.backend
    if backend not in BACKENDS:
        message = f"--engine vitis measures projects of {' and '.join(BACKENDS)}, and target.backend is {backend}"
        raise ProjectError(message, "set target.backend to one of them, or use --engine open")
    question = _question(project, request)
    installed(backend, Step.CSYNTH)
    project = settled(project, progress.say)
    folder = folder_of(project, request, build, VITIS)
    return Exploration(project, request, question, build, folder, progress, jobs).carried_out(_explored)


def _explored(task: Exploration) -> Outcome:
    """The outcome, whose projects are written into the folder."""
    project, question, build, folder, progress = task.project, task.question, task.build, task.folder, task.progress
    results = run(project, build, (train, translate), progress, task.jobs)
    assert results.translated is not None
    store = Store(build / project.name / "store", progress.say)
    context = Context(project, store, folder, progress, task.jobs or os.cpu_count() or 1)
    model = trained(project, results)
    study = VendorStudy(context, model, Graph.load(results.translated.folder / "graph.npz"))
    answer = study.answer(question)
    chosen = spread(len(answer.solutions), task.request.confirm)
    return Outcome(
        project=project.name,
        engine=VITIS,
        target=study.part,
        study=study,
        question=question,
        answer=answer,
        least_accuracy=None,
        clock_ns=project.target.clock_ns,
        tool=study.tool,
        confirmed=dict(zip(chosen, study.confirm([answer.solutions[point - 1] for point in chosen]), strict=True)),
        files=_project_files(project, study, answer.solutions, model, folder),
        notes=_notes(project, study),
        part=study.part,
        per_second=task.request.per_second,
    )


def _question(project: Project, request: Request) -> Question:
    if request.fine_tune is not None:
        raise ProjectError("--engine vitis narrows no weights", "leave out --fine-tune")
    if request.cluster is not None:
        raise ProjectError("--cluster is for --engine open", "leave it out; --jobs says how many syntheses run at once")
    family, question = question_of(project, request)
    if family is Family.ECP5:
        raise ProjectError("Vitis HLS does not know ECP5", "name --family xc7 or xcup, or use --engine open")
    return question


def _project_files(
    project: Project, study: VendorStudy, solutions: Sequence[Solution], model: Path, folder: Path
) -> dict[int, str]:
    """A project for each point; number of the point → file."""
    files = {}
    for index, solution in enumerate(solutions, 1):
        knobs = {name: build.in_rtl(project) for name, build in study.chosen(solution.assignment).items()}
        name, note = f"{project.name}_point{index}", note_of(project, index)
        write_project(project, Point(name, note, study.graph, knobs, Pipeline(), model), folder / f"point{index}")
        files[index] = f"point{index}/project.toml"
    return files


def _notes(project: Project, study: VendorStudy) -> list[str]:
    """What the reader must know."""
    notes = [
        "All figures are csynth's estimates, latency and II too; logic synthesis comes to other ones.",
        "Sums hold the layers, each as a project of its own; what joins them shows in whole designs alone.",
        "Reuse factors and strategies were tried. Weights keep their widths, and other knobs are not hls4ml's.",
        "The gate is left to `hlsflow run`, which takes the project file of each point.",
    ]
    if {"latency", "resource"} <= set(project.explore.strategy):
        notes.append(
            "In io_parallel hls4ml makes one pipeline of layers that all have strategy latency, and else a dataflow: "
            "beside a layer of strategy resource, one of strategy latency may cost other than alone."
        )
    if "sparse" in project.explore.strategy:
        notes.append("hls4ml has no strategy sparse, so it was left out; --engine open has it.")
    notes += [f"{build.label} was left out: csynth does not know all of its figures." for build in study.unknown]
    return notes
