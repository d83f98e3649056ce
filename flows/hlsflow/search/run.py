"""`hlsflow search`: trial after trial is trained, passed by the gate and measured; the best ones are left as projects.

In: a project with [search], and `Options`. Out: `build/<project>/search/` with the trials' database, tables, and a
project for each point of the Pareto front.

A trial is a run of the project's own pipeline with its own arguments: training, translation, the gate, the schedule,
and synthesis for the first family. All of it goes through the store of the project, so that a trial that was killed
goes on where it was. Networks are chosen by figures of the validation set; the test set tells nothing to the search.
The points of the front are simulated against the oracle besides.
"""

from __future__ import annotations

import json
import math
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hlsflow.core.errors import GateFailed, ModelError, ProjectError, StorageError, UnsupportedLayer
from hlsflow.core.journal import kept_in
from hlsflow.core.metrics import Metric, MetricSet, Stage
from hlsflow.core.progress import Progress
from hlsflow.core.store import MANIFEST, digest, file_digest, locked
from hlsflow.core.tasks import Kind
from hlsflow.data import load_data
from hlsflow.data.openml import settled
from hlsflow.keras import keras2
from hlsflow.pipeline.context import Results
from hlsflow.pipeline.run import CONFIRM_STEPS, MEASURE_STEPS, run
from hlsflow.project import Project, Search
from hlsflow.project.search import OF_OUTPUTS
from hlsflow.qat.network import changed
from hlsflow.qat.train import rank
from hlsflow.search.outcome import VALIDATION, Outcome, Point, Trial, write
from hlsflow.search.space import Values, in_words, search_of, trial_project, write_project
from hlsflow.search.study import Book, Finished, shown, storage_errors
from hlsflow.toolchains.process import make_folder, storage_error

CYCLES = ("latency_cycles", "ii")
LOG = "search.log"


@dataclass(frozen=True)
class Options:
    """What the command line may say besides the project file.

    Attributes:
        trials: in all; None: as the project file has it.
        storage: address of a database; None: a file of SQLite in the folder of the search.
        study: name of the trials there; None: that of the project.
        jobs: external tools at once; 0: one per processor.
    """

    trials: int | None = None
    storage: str | None = None
    study: str | None = None
    jobs: int = 0


def search(project: Project, options: Options, build: Path, progress: Progress | None = None) -> tuple[Outcome, Path]:
    """Carry out the trials that are missing; returns what all of them found, and the folder of the files.

    Raises:
        ProjectError: [devices] asks for several workers.
        GateFailed: the gate of a trial failed. FlowError: what a step raised; all that was finished is kept.
    """
    progress, table = progress or Progress(), search_of(project)
    if project.devices is not None and project.devices.strategy == "workers":
        raise ProjectError(
            "a search trains one network after the other, which other workers do not know of",
            "remove [devices] strategy 'workers'; several searches with one --storage share the trials instead",
        )
    project = settled(project, progress.say)
    table = fitting(table, load_data(project).kind)
    folder = build / project.name / "search"
    make_folder(folder)
    storage = options.storage or f"sqlite:///{(folder / 'search.db').resolve()}"
    waiting = "another search of this project runs here: waiting for it"
    with (
        storage_errors(storage),
        locked(folder / "search.lock", waiting, progress.say),
        _log(folder) as log,
        kept_in(folder / LOG),
    ):
        book = Book(storage, options.study or project.name, question(project, table), table, folder)
        require_same_code(project, book)
        work = _Work(project, table, build, options, log)
        _try(work, book, options.trials or table.trials, progress)
        outcome = _outcome(work, book, folder, shown(storage), progress)
    write(outcome, folder)
    return outcome, folder


@dataclass(frozen=True)
class _Work:
    """What all trials share; `log` is where the pipeline reports."""

    project: Project
    table: Search
    build: Path
    options: Options
    log: Progress


@contextmanager
def _log(folder: Path) -> Iterator[Progress]:
    """Where the pipeline reports what each trial does."""
    try:
        stream = (folder / LOG).open("a", encoding="utf-8")
    except OSError as error:
        raise storage_error(folder / LOG, error) from error
    with stream:
        yield Progress(stream)


def question(project: Project, table: Search) -> dict[str, Any]:
    """All that decides what the figures of a trial mean, but for the number of trials."""
    path = project.data_path
    data = file_digest(path) if path is not None and path.is_file() else project.data_name
    return {
        "space": table.model_dump(mode="json")["space"],
        "objectives": list(table.objectives),
        "epochs": table.epochs,
        "seed": table.seed,
        "project": digest([project.model_dump(mode="json", exclude={"folder", "search", "explore", "sweep"}), data]),
    }


def require_same_code(project: Project, book: Book) -> None:
    """What the networks of earlier trials were built from must be what it was."""
    for trial in book.finished():
        other = changed(project, trial.result.get("read", {})) if trial.result else []
        if other:
            raise ProjectError(
                f"trial {trial.number + 1} was built by another {' and '.join(other)} than those that would follow",
                "name a new study by --study NAME; the trials there stay",
            )


def _try(work: _Work, book: Book, wanted: int, progress: Progress) -> None:
    """Carry out trials until there are enough of them."""
    while (count := len(book.finished())) + book.elsewhere() < wanted:
        asked = book.next()
        if asked is None:
            progress.say(f"the whole space is tried: {count} networks")
            return
        trial, values = asked
        label, started = f"trial {count + 1}/{wanted}, {in_words(values)}", time.monotonic()
        with progress.working(label):
            remark = _carry_out(work, book, trial, values, label)
        progress.say(f"{label}: {remark} ({time.monotonic() - started:.0f} s)")


def _carry_out(work: _Work, book: Book, trial: Any, values: Values, label: str) -> str:
    """One trial; returns what to say of it. What cannot be built has failed, what is not exact ends the search."""
    try:
        results = _run(work, values, MEASURE_STEPS)
        figures, predicted = measured(results)
        objectives = [_objective(name, figures, predicted) for name in work.table.objectives]
    except GateFailed as error:
        raise GateFailed(f"{label}: {error.message}", error.hint, error.gate) from error
    except (UnsupportedLayer, ProjectError, ModelError) as error:
        book.fail(trial, error.message)
        return f"cannot be built: {error.message}"
    book.keep(trial, {"figures": figures.to_json(), "predicted": predicted, "read": _read(results)}, objectives)
    return ", ".join(f"{name} {value:.6g}" for name, value in zip(work.table.objectives, objectives, strict=True))


def _read(results: Results) -> dict[str, str]:
    """The files from which the network of a trial was built → digests."""
    assert results.trained is not None
    manifest = json.loads((results.trained.folder / MANIFEST).read_text(encoding="utf-8"))
    return dict(manifest["key"]["network"].get("read", {}))


def _run(work: _Work, values: Values, steps: Any) -> Results:
    """The pipeline of a trial; raises GateFailed also where there is no C-simulation to be held against."""
    keras2.forget()
    results = run(trial_project(work.project, values), work.build, steps, work.log, work.options.jobs)
    if results.gate is not None and results.gate.not_run:
        raise GateFailed(
            f"bit-exactness is not shown: C-simulation {results.gate.not_run}",
            "search with target.backend = 'vitis', and build what is found for the other one",
        )
    return results


def fitting(table: Search, kind: Kind) -> Search:
    """The table with objectives that networks for a task have.

    Raises:
        ProjectError: it asks for others.
    """
    measures = {"r2", "rmse", "mae"} if kind is Kind.REGRESSION else {"accuracy"}
    strangers = [name for name in table.objectives if name in OF_OUTPUTS and name not in measures]
    if not strangers:
        return table
    if "objectives" in table.model_fields_set:
        raise ProjectError(
            f"search.objectives has {', '.join(strangers)}, and the task is {kind}",
            f"it has {', '.join(sorted(measures))}",
        )
    return table.model_copy(update={"objectives": ("r2", *(name for name in table.objectives if name != "accuracy"))})


def measured(results: Results) -> tuple[MetricSet, dict[str, int]]:
    """The figures of a trial, those of the validation set first, and what its schedule predicts."""
    point, metrics = results.points[0], results.metrics
    stage = Stage.CSIM if any(metric.stage is Stage.CSIM for metric in metrics) else Stage.QAT
    first = next((metric.target for metric in metrics if metric.stage is stage), "")  # all test samples
    test = [metric for metric in metrics if (metric.stage, metric.target) == (stage, first)]
    figures = MetricSet((*_validation(results), *test, *point.metrics))
    return figures, {name: getattr(point.schedule, name) for name in CYCLES}


def _validation(results: Results) -> list[Metric]:
    """Figures of the validation set, of the weights that training kept: see `hlsflow.qat.train`."""
    assert results.trained is not None
    file = results.trained.folder / "history.json"
    try:
        rows = list(json.loads(file.read_text(encoding="utf-8")).values())[-1]
        best = max(rows, key=rank)
        means = {name: best[f"val_{name}"] for name in ("accuracy", "r2", "mae") if f"val_{name}" in best}
        if "val_mse" in best:
            means["rmse"] = math.sqrt(best["val_mse"])
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise StorageError(f"{file} cannot be read: {error}", "delete its folder and run again") from error
    about = Stage.QAT, "qkeras", keras2.versions()["qkeras"], VALIDATION, "train/history.json"
    return [Metric(name, value, *about) for name, value in means.items()]


def _objective(name: str, figures: MetricSet, predicted: dict[str, int]) -> float:
    if name in CYCLES:
        return float(predicted[name])
    metric = figures.get(name, Stage.QAT, VALIDATION) if name in OF_OUTPUTS else figures.get(name, Stage.SYNTH)
    if metric is None or metric.value is None:
        raise ProjectError(f"{name} is missing{f': {metric.note}' if metric else ''}", "choose another objective")
    return metric.value


def _outcome(work: _Work, book: Book, folder: Path, storage: str, progress: Progress) -> Outcome:
    """All trials, and the front of them simulated and written as projects."""
    finished = book.finished()
    best = sorted(book.front(), key=lambda trial: _rank(work.table, trial))
    if not best:
        reasons = "; ".join(dict.fromkeys(trial.reason for trial in finished)) or "none was begun"
        raise ProjectError(f"no trial of {len(finished)} could be measured: {reasons}", "change search.space")
    shutil.rmtree(folder / "front", ignore_errors=True)
    # the database counts repetitions, too
    places = {trial.number: place for place, trial in enumerate(finished, 1)}
    ranked = enumerate(best, 1)
    points = [_point(work, trial, number, places[trial.number], folder, progress) for number, trial in ranked]
    trials = [Trial(places[trial.number], trial.values, *_figures(trial), trial.reason) for trial in finished]
    return Outcome(work.project.name, work.table, work.project.target.families[0], storage, trials, points)


def _rank(table: Search, trial: Finished) -> list[float]:
    """Fronts are listed from the smallest design on."""
    figures, predicted = _figures(trial)
    rest = [name for name in table.objectives if name not in OF_OUTPUTS]
    return [_objective(name, figures, dict(predicted)) for name in rest] + [trial.number]


def _figures(trial: Finished) -> tuple[MetricSet, dict[str, int]]:
    if trial.result is None:
        return MetricSet(), {}
    return MetricSet.from_json(trial.result["figures"]), dict(trial.result["predicted"])


def _point(work: _Work, finished: Finished, number: int, trial: int, folder: Path, progress: Progress) -> Point:
    """A trial of the front: its RTL simulated, its project written."""
    figures, _ = measured(_run(work, finished.values, CONFIRM_STEPS))
    name = f"front/{number:02}"
    values = in_words(finished.values)
    note = f"Point {number} of a search of '{work.project.name}', which its search.md describes: {values}."
    write_project(work.project, finished.values, note, folder / name)
    progress.say(f"front {number}, {values}: RTL = oracle")
    return Point(name, trial, finished.values, figures)
