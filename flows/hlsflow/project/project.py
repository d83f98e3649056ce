"""The project: what to train, for which hardware, with which knobs; checked once, then frozen.

In: a folder `projects/<name>/` with `project.toml` and `model.py` (or a trained model file and a data set).
Out: a `Project`. Nothing of the user's code runs here and no TensorFlow is imported, so reading is fast and safe.
Every key, its type and its default stand in the section classes below.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hlsflow.core import foreign
from hlsflow.core.caches import data_folder
from hlsflow.core.errors import ProjectError
from hlsflow.project.builders import check_builders
from hlsflow.project.data import FETCHED_SETS, FILES
from hlsflow.project.errors import explain
from hlsflow.project.explore import Sweep
from hlsflow.project.file import ProjectFile

PROJECT_FILE = foreign.Kind("", "is not valid TOML", "correct the file at that place", ProjectError, foreign.MIB)
MODEL_FILE = foreign.Kind(
    "the model", "is damaged", "put it there, or correct the [model] table", ProjectError, 4096 * foreign.MIB
)
"""The files of a project."""


class Project(ProjectFile):
    """A project file, with where it lies and what its model is made of.

    Attributes:
        folder: the project's folder; paths in the file are relative to it.
        model_digest: SHA-256 of `model.py`, or of the trained model's file.
    """

    folder: Path
    model_digest: str

    @property
    def model_path(self) -> Path:
        """`model.py`, or the file of the trained model, quantized or float."""
        return self.folder / (self.model.file or self.model.float_file or "model.py")

    @property
    def data_set(self) -> str | None:
        """The named set that is used, also one that stands in for what is missing; None for a file of the user's."""
        source, fallback = self.data.source, self.data.fallback
        path = data_folder() / f"{source}.npz" if source in FETCHED_SETS else self.folder / source
        if fallback is not None and not os.path.isfile(path):
            return fallback
        return None if Path(source).suffix in FILES else source

    @property
    def data_path(self) -> Path | None:
        """The file of the samples: the user's, or the copy of a set that hlsflow downloads; None for other sets."""
        name = self.data_set
        if name is None:
            return self.folder / self.data.source
        return data_folder() / f"{name}.npz" if name in FETCHED_SETS else None

    @property
    def standard_path(self) -> Path | None:
        """The file whose mean and deviation the samples are standardized by; None where no file is named for it."""
        own = self.data.standardize
        return self.folder / own if isinstance(own, str) else None

    @property
    def data_name(self) -> str:
        """Of the samples that are used: the file's name, or that of the set."""
        return self.data_set or Path(self.data.source).name

    @property
    def reuse_factors(self) -> tuple[int, ...]:
        """Default reuse factors to measure: the sweep, or the one of [knobs]."""
        return self.sweep.reuse_factor or (self.knobs.reuse_factor,)

    def at(self, reuse_factor: int) -> Project:
        """The design point of the sweep with that default reuse factor."""
        return self.model_copy(update={"knobs": self.knobs.at(reuse_factor)})

    def sweeping(self, reuse_factors: tuple[int, ...]) -> Project:
        """The same project with another sweep; raises ProjectError when a reuse factor is not legal."""
        values = {"reuse_factor": list(reuse_factors)}
        try:
            return self.model_copy(update={"sweep": Sweep.model_validate(values)})
        except ValidationError as error:
            problems = "; ".join(explain(Sweep, error))
            raise ProjectError(f"--reuse-factor: {problems}", "write whole numbers from 1, such as 16,32,64") from None

    def digest_fields(self, *sections: str) -> dict[str, Any]:
        """The named sections as plain JSON types, for a step to hash exactly what it depends on.

        Args:
            sections: names of fields of `Project`, such as `training` or `model_digest`.
        """
        fields = self.model_dump(mode="json", include=set(sections))
        fields.get("devices", {}).pop("wait_s", None)  # decides nothing but whether there is a result
        return fields


def load(path: Path) -> Project:
    """Read a project.

    Args:
        path: the project's folder, or its `project.toml`.
    Raises:
        ProjectError: names every problem of the file, one a line, with what is allowed.
    """
    file = path if path.suffix == ".toml" else path / "project.toml"
    values = _read_toml(file)
    sections = parse(values, str(file))
    return _complete(sections, file.parent, str(file))


def for_model(
    model: Path,
    data: Path,
    precision: str,
    reuse_factors: tuple[int, ...] = (64,),
    *,
    bits: int | None = None,
    tables: Mapping[str, Mapping[str, Any]] | None = None,
    task: str | None = None,
) -> Project:
    """A project around a model that somebody else has trained, everything else at its default.

    Args:
        model: QKeras model, `.h5` or `.keras`; with `bits` a float one.
        data: `.npz`, `.csv` or `.parquet`, see `hlsflow.data.data`.
        precision: of the input quantizer, such as `fixed<10,4>`.
        reuse_factors: to measure.
        bits: quantize a float model to so many, without training; None: the model is quantized.
        tables: of a project file, with keys that go before the ones said here.
        task: what the network tells of a sample, as `task` of a project file; None: found from the data.
    Raises:
        ProjectError: a value is not legal, or the model file is not there.
    """
    name = "".join(char if char.isalnum() and char.isascii() else "_" for char in model.stem.lower())
    values: dict[str, Any] = {
        "name": name if name[:1].isalpha() else f"model_{name}",
        "data": {"source": os.path.realpath(data)},
        "model": {"file" if bits is None else "float_file": os.path.realpath(model)},
        **({} if bits is None else {"quantize": {"bits": bits, "epochs": 0}}),
        **({} if task is None else {"task": task}),
        "input": {"precision": precision},
        "knobs": {"reuse_factor": 1},  # legal for every layer of hls4ml's; the sweep is for the RTL
        "sweep": {"reuse_factor": list(reuse_factors)},
    }
    for table, keys in (tables or {}).items():
        values[table] = {**values.get(table, {}), **keys}
    return _complete(parse(values, str(model), "correct the options"), Path(os.path.realpath(model)).parent, str(model))


def parse(values: Mapping[str, Any], where: str, hint: str = "") -> ProjectFile:
    """Check the content of a project file.

    Args:
        values: what the TOML holds.
        where: the file's name, for messages.
        hint: what to do about problems; empty: to correct that file.
    Raises:
        ProjectError: names every problem, one a line.
    """
    try:
        return ProjectFile.model_validate(dict(values))
    except ValidationError as error:
        problems = explain(ProjectFile, error)
    raise ProjectError(
        "\n".join(f"{where}: {problem}" for problem in problems), hint or f"correct {where} and run again"
    )


def _read_toml(file: Path) -> dict[str, Any]:
    hint = "name a folder with a project.toml, such as projects/digits"
    if not file.parent.is_dir():
        raise ProjectError(f"there is no folder {file.parent}", hint)
    if not os.path.lexists(file):
        raise ProjectError(f"{file.parent} has no project.toml, so it is no project", hint)
    return foreign.toml(file, PROJECT_FILE)


def _complete(sections: ProjectFile, folder: Path, where: str) -> Project:
    """Add the folder and the digest; checks that the model is there."""
    model_file = sections.model.file or sections.model.float_file
    file = folder / (model_file or "model.py")
    content = foreign.content(file, replace(MODEL_FILE, name=f"{where}: the model"))
    if model_file is None:
        check_builders(sections, file)
    return Project(folder=folder, model_digest=hashlib.sha256(content).hexdigest(), **dict(sections))
