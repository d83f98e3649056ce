"""The pipeline: which steps there are and in which order they run.

In: a project and a build folder. Out: `build/<project>/<run>/<step>/` with a manifest each, the report beside them, and
`build/<project>/latest`, a link to the last run with a report. A run's name is a digest of its project, so that
the same project finds its run again and another one gets a folder of its own; finished work is shared between them
(`hlsflow.core.store`).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hlsflow.core.caches import cache_folder
from hlsflow.core.errors import GateFailed, ProjectError
from hlsflow.core.journal import LOG, kept_in
from hlsflow.core.progress import Progress
from hlsflow.core.store import Store, digest
from hlsflow.data.openml import settled
from hlsflow.pipeline.context import Context, Results
from hlsflow.pipeline.hardware import rtl, rtlsim, synth, synth_first
from hlsflow.pipeline.netlist import netlist
from hlsflow.pipeline.outcome import report, report_failure
from hlsflow.pipeline.software import csim, train, translate
from hlsflow.project import Project
from hlsflow.qat.devices import cluster_of
from hlsflow.toolchains import nextpnr
from hlsflow.toolchains.process import make_folder

RUN_DIGITS = 8

Step = Callable[[Context, Results], Results]

STEPS: tuple[Step, ...] = (train, translate, csim, rtl, rtlsim, synth, netlist, report)
"""The whole pipeline."""

TRANSLATE_STEPS: tuple[Step, ...] = (train, translate)
"""As far as hls4ml's project."""

MEASURE_STEPS: tuple[Step, ...] = (train, translate, csim, rtl, synth_first)
"""What tells one network from another: its gate, its schedule, and its area on the first family."""

CONFIRM_STEPS: tuple[Step, ...] = (train, translate, csim, rtl, rtlsim, synth_first)
"""The same, with the RTL simulated against the oracle."""

CHECK_STEPS: tuple[Step, ...] = (train, translate, csim)
"""The gate alone, as far as no RTL is needed."""


def run(
    project: Project, build: Path, steps: tuple[Step, ...], progress: Progress | None = None, jobs: int = 0
) -> Results:
    """Run the pipeline, or its first steps.

    Args:
        project: what to build.
        build: the folder that holds `<project>/<run>/<step>/`.
        steps: `STEPS`, or `CHECK_STEPS` for the gate alone.
        progress: where to report; standard output by default.
        jobs: external tools at once; one per processor by default.
    Raises:
        ProjectError: this process is a worker of a training, and not its chief; there is no such part to route for.
        FlowError: the first step that failed says why; what was finished is kept.
    """
    progress = progress or Progress()
    cluster = cluster_of(project.devices)
    if cluster is not None and not cluster.chief:
        raise ProjectError(
            f"this is worker {cluster.index} of a training, and the chief alone does what follows from it",
            "start `hlsflow run` here, and everything else on the chief",
        )
    if len(steps) > len(CHECK_STEPS):
        make_folder(cache_folder())  # tools need it: told before the training, not after it
    require_route_part(project)
    project = settled(project, progress.say)
    root = build / project.name
    store = Store(root / "store", progress.say)
    folder = root / digest(_project_key(project))[:RUN_DIGITS]
    context = Context(project, store, folder, progress, jobs or os.cpu_count() or 1)
    with kept_in(folder / LOG):
        return _carried_out(steps, context)


def require_route_part(project: Project) -> None:
    """Refuse a part that does not exist before hours of training; raises ProjectError."""
    if project.target.route_part is not None:
        nextpnr.parse_part(project.target.route_part)


def _carried_out(steps: tuple[Step, ...], context: Context) -> Results:
    """What the steps leave; a gate that fails is reported with what was known until then."""
    results, progress, folder = Results(), context.progress, context.folder
    for step in steps:
        try:
            with progress.working(step.__name__):
                results = step(context, results)
        except GateFailed as error:
            report_failure(context, results, error)
            raise
    if all(part.reused for part in results.work):
        progress.say(f"nothing to do: all {len(results.work)} parts of {folder} were finished by an earlier run")
    return results


def _project_key(project: Project) -> dict[str, Any]:
    return project.model_dump(mode="json", exclude={"folder", "explore", "search"})
