"""What a search varies, and the project that a choice of values makes.

In: a project with [search], and a value for each name of its space. Out: a `Project` of its own, or a file of it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomli_w

from hlsflow.core.errors import ProjectError
from hlsflow.core.store import write_bytes, write_text
from hlsflow.explore.projects import relative, set_by_hand, source_of
from hlsflow.project import Project, Range, Scalar, Search, load, parse
from hlsflow.toolchains.process import make_folder

Values = Mapping[str, Scalar]
"""Name in the space → the value of a trial."""

VARIED = ("training", "quantize", "prune", "distil", "input", "knobs")
"""Tables of the project file that a search may vary: the others say what is measured, which is the same for all."""

LEFT_OUT = {"folder", "model_digest", "search", "explore", "sweep"}
"""Fields of a project that its trials do not have."""


def search_of(project: Project) -> Search:
    """The [search] table of a project that can be searched; raises ProjectError."""
    if project.search is None:
        raise ProjectError(
            f"'{project.name}' has no [search] table", "say there what is varied (docs/how-to/search.md)"
        )
    if project.training is None or (project.quantize is not None and not project.quantize.epochs):
        raise ProjectError(
            f"'{project.name}' trains no quantized network, so no trial has a validation accuracy to be chosen by",
            "give a [training] table, and with [quantize] at least 1 epoch",
        )
    _check_keys(project, project.search)
    return project.search


def _check_keys(project: Project, search: Search) -> None:
    """Every dotted name must be a key of the project file that at least one of its values fits."""
    for name, what in search.space.items():
        head = name.split(".")[0]
        if "." in name and head not in VARIED:
            raise ProjectError(f"search.space varies {name}", f"tables that can be varied: {', '.join(VARIED)}")
        values = (what.low, what.high) if isinstance(what, Range) else what
        problems = [error for value in values if (error := _problem(project, {name: value}))]
        if "." in name and len(problems) == len(values):
            raise problems[0]


def _problem(project: Project, values: Values) -> ProjectError | None:
    try:
        trial_project(project, values)
    except ProjectError as error:
        return error
    return None


def size(search: Search) -> float:
    """How many networks the space has."""
    return math.prod(
        len(what) if not isinstance(what, Range) else len(_steps(what)) if _countable(what) else math.inf
        for what in search.space.values()
    )


def networks(search: Search) -> list[dict[str, Scalar]]:
    """All of a finite space."""
    columns = [_steps(what) if isinstance(what, Range) else list(what) for what in search.space.values()]
    return [dict(zip(search.space, row, strict=True)) for row in itertools.product(*columns)]


def _countable(what: Range) -> bool:
    return what.integral or what.step is not None


def _steps(what: Range) -> list[int | float]:
    step = what.step or 1
    return [what.low + place * step for place in range(math.floor((what.high - what.low) / step + 1e-9) + 1)]


def suggest(trial: Any, search: Search) -> dict[str, Scalar]:
    """The values that Optuna's sampler gives a trial."""
    return {name: _suggested(trial, name, what) for name, what in search.space.items()}


def _suggested(trial: Any, name: str, what: Range | tuple[Scalar, ...]) -> Scalar:
    value: Scalar
    if not isinstance(what, Range):
        value = trial.suggest_categorical(name, list(what))
    elif what.integral:
        value = trial.suggest_int(name, what.low, _steps(what)[-1], step=what.step or 1)
    else:
        high = what.high if what.step is None else _steps(what)[-1]
        value = trial.suggest_float(name, what.low, high, step=what.step)
    return value


def in_words(values: Values) -> str:
    """Values in words: `width=16, bits=4`."""
    return ", ".join(f"{name}={value}" for name, value in values.items())


def trial_project(project: Project, values: Values) -> Project:
    """The project of a trial; raises ProjectError when its values make none."""
    sections = parse(_tree(project, values), f"'{project.name}' with {in_words(values)}")
    return Project(folder=project.folder, model_digest=project.model_digest, **dict(sections))


def _tree(project: Project, values: Values) -> dict[str, Any]:
    """A project file's content; the float baseline is left out where the quantized network does not need it."""
    tree = set_by_hand(project, exclude=LEFT_OUT)
    if project.model.quantized is not None and project.distil is None:
        tree["model"].pop("baseline", None)
    if project.search is not None and project.search.epochs is not None:
        tree["quantize" if project.quantize is not None else "training"]["epochs"] = project.search.epochs
    for name, value in values.items():
        _put(tree, name if "." in name else f"model.arguments.{name}", value)
    return tree


def _put(tree: dict[str, Any], name: str, value: Scalar) -> None:
    *path, last = name.split(".")
    for part in path:
        inner = tree.setdefault(part, {})
        if not isinstance(inner, dict):
            raise ProjectError(f"search.space varies {name}, but {part} is no table", "name a key of the project file")
        tree = inner
    tree[last] = value


def write_project(project: Project, values: Values, note: str, folder: Path) -> Path:
    """The project of a trial as a folder that `hlsflow run` takes; its name is that of the searched project, so that
    everything that was trained and measured is found again.

    Raises:
        StorageError: it cannot be written.
    """
    tree = _tree(project, values)
    tree["data"]["source"] = source_of(project, folder)
    make_folder(folder)
    if project.model.float_file is not None:
        tree["model"]["float_file"] = relative(project.model_path, folder)
    else:
        write_bytes(folder / "model.py", project.model_path.read_bytes())
    text = "".join(f"# {line}\n" for line in note.splitlines())
    write_text(folder / "project.toml", text + tomli_w.dumps(tree))
    return load(folder).folder
