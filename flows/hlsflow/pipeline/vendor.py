"""One project through vendors' toolchains: translate where needed, look before the start, drive, and keep the figures.

In: a project of ours, or a folder that hls4ml wrote, and what to do with it. Out: the vendors' reports beside the HLS
project, their figures as `MetricSet` and in `metrics.json` in that folder.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from hlsflow.core.errors import DataError, ProjectError, ToolMissing
from hlsflow.core.metrics import MetricSet
from hlsflow.core.progress import Progress
from hlsflow.core.store import DIGITS, Done, write_text
from hlsflow.pipeline.context import METRICS
from hlsflow.pipeline.hardware import TEMPLATES, look_first
from hlsflow.pipeline.run import CHECK_STEPS, run
from hlsflow.project import PARTS, Project, Target
from hlsflow.report.folders import hls4ml_config
from hlsflow.toolchains import drive
from hlsflow.toolchains.chain import Settings, Step, Toolchain
from hlsflow.toolchains.chains import CHAINS, installed
from hlsflow.toolchains.drive import Limits
from hlsflow.toolchains.process import storage_error

DEFAULT_PARTS: Mapping[str, str] = {backend: part for backend, part in PARTS.items()}
SAME_PARTS = frozenset({"vitis", "vivado"})
"""Backends that build for the same parts, so that a project's own stays when one takes the place of the other."""

PlanRow = tuple[Toolchain, tuple[Step, ...]]


@dataclass(frozen=True)
class Request:
    """What to do.

    Attributes:
        steps: empty: C synthesis, or the first step that the toolchain has.
        toolchain: name of a row of `CHAINS`; "" for the one that builds the project's backend and is installed.
        part: device, in place of the project's; "": the project's, or the backend's own where that differs.
        limits: of each call.
        jobs: processors that one program may use.
        checked: whether what is known to fail stops the build.
    """

    steps: tuple[Step, ...] = ()
    toolchain: str = ""
    part: str = ""
    limits: Limits = field(default_factory=Limits)
    jobs: int = 1
    checked: bool = True


def plan(backend: str, request: Request) -> list[PlanRow]:
    """Which toolchain does which steps, in order; all of them are installed.

    Raises:
        ProjectError: there is no such toolchain, or it does not build the backend's projects.
        ToolMissing: one that is needed is not installed; says what would do.
    """
    wished = _wished(request)
    if wished and backend not in wished.backends:
        raise ProjectError(
            f"{wished.title} builds no projects of hls4ml's {backend} backend",
            f"it builds {', '.join(wished.backends)}; write the project for one of them, or leave out --toolchain",
        )
    rows: list[tuple[Toolchain, list[Step]]] = []
    for step in [step for step in Step if step in _steps(request, wished)]:
        chain = _installed_for(wished if wished and step in wished.steps else None, backend, step)
        if rows and rows[-1][0] is chain:
            rows[-1][1].append(step)
        else:
            rows.append((chain, [step]))
    return [(chain, tuple(steps)) for chain, steps in rows]


def _wished(request: Request) -> Toolchain | None:
    if request.toolchain and request.toolchain not in CHAINS:
        raise ProjectError(f"there is no toolchain '{request.toolchain}'", f"toolchains: {', '.join(CHAINS)}")
    return CHAINS[request.toolchain] if request.toolchain else None


def _steps(request: Request, wished: Toolchain | None) -> Sequence[Step]:
    if request.steps:
        return request.steps
    return (Step.CSYNTH,) if wished is None or Step.CSYNTH in wished.steps else wished.steps[:1]


def _installed_for(wished: Toolchain | None, backend: str, step: Step) -> Toolchain:
    """The toolchain for a step, which is installed; raises ToolMissing."""
    try:
        chain = wished or installed(backend, step)
        chain.find()
        return chain
    except ToolMissing as error:
        hint = f"{error.hint}; `hlsflow run` needs no vendor's tool: it simulates, synthesizes and routes by itself"
        raise ToolMissing(error.message, hint) from error


def build_folder(folder: Path, request: Request, progress: Progress, overrides: Path | None = None) -> MetricSet:
    """Take a folder that hls4ml wrote through its steps; raises FlowError, and keeps what was finished.

    Args:
        folder: holds `hls4ml_config.yml` or `project.tcl`.
        overrides: folder of templates that take the place of hlsflow's; by default `templates/` in the folder.
    """
    rows = plan(backend_of(folder), request)
    look_first(folder, progress, stop=request.checked)
    settings = Settings(overrides or folder / TEMPLATES, request.jobs)
    figures = MetricSet()
    for chain, steps in rows:
        outcome = drive.run(chain, folder, steps, limits=request.limits, settings=settings, progress=progress)
        figures += outcome.metrics
        write_text(folder / METRICS, json.dumps(figures.to_json(), indent=1))
    return figures


def backend_of(folder: Path) -> str:
    """The backend of hls4ml that wrote a folder, in lower case; raises DataError when none did."""
    config = hls4ml_config.read(folder) if folder.is_dir() else None
    if config is None or "Backend" not in config.general:
        raise DataError(
            f"{folder} is neither a project nor a folder that hls4ml wrote",
            "name a folder with a project.toml, or one with an hls4ml_config.yml",
        )
    return config.general["Backend"].lower()


def build_project(project: Project, request: Request, build: Path, progress: Progress) -> tuple[Path, MetricSet]:
    """Translate a project for a toolchain's backend, compare its C-simulation, and take it through its steps.

    Returns:
        the folder of the HLS project, and the figures.
    """
    backend = _backend(project, request)
    plan(backend, request)  # before the training, which may take long
    proved = _proved(project, backend, request.part, build, progress)
    folder = build / project.name / "vendor" / f"{backend}-{proved.digest('hls')[:DIGITS]}"
    if not folder.is_dir():
        _copy(proved.folder / "hls", folder)
    return folder, build_folder(folder, request, progress, project.folder / TEMPLATES)


def _copy(source: Path, folder: Path) -> None:
    """Copy a whole folder, so that it is there entirely or not at all; raises StorageError."""
    part = folder.with_name(f"{folder.name}.{os.getpid()}.partial")
    try:
        shutil.copytree(source, part, dirs_exist_ok=True)
        part.rename(folder)
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        if not folder.is_dir():  # else another build was first
            raise storage_error(folder, error) from error


def _backend(project: Project, request: Request) -> str:
    """The project's own where the toolchain builds it, else the first that the toolchain does."""
    wished, own = _wished(request), project.target.backend
    return own if wished is None or own in wished.backends else wished.backends[0]


def _proved(project: Project, backend: str, part: str, build: Path, progress: Progress) -> Done:
    """The project translated for that backend, and its C-simulation compared; raises GateFailed."""
    alike = backend == project.target.backend or {backend, project.target.backend} <= SAME_PARTS
    update = {"backend": backend, "part": part or (project.target.part if alike else DEFAULT_PARTS[backend])}
    asked = project.model_copy(update={"target": _target(project.target, update)})
    results = run(asked, build, CHECK_STEPS, progress)
    assert results.translated is not None
    return results.translated


def _target(target: Target, update: Mapping[str, str]) -> Target:
    """The target with another backend and part; raises ProjectError for a part that cannot be one."""
    try:
        return Target.model_validate({**target.model_dump(), **update})
    except ValidationError:
        message = f"--part: '{update['part']}' is no part"
        raise ProjectError(message, "write it as its vendor does, such as xc7z020clg400-1") from None
