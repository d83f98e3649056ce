"""What a report says so that its run can be repeated.

In: the context and results of a run. Out: plain JSON values. What was computed from what (versions, digests, settings)
is in the keys of the finished work; date, command and host are those of the work itself, so a run that computes nothing
tells those of the run that did.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from hlsflow.core.metrics import MetricSet
from hlsflow.core.store import Done, file_digest
from hlsflow.pipeline.context import SAMPLES, Context, Results, versions
from hlsflow.project import Project

PACKAGES = ("tensorflow", "tf_keras", "qkeras", "hls4ml", "numpy", "scikit-learn")
"""Python packages that results depend on."""


def provenance(context: Context, results: Results) -> dict[str, Any]:
    """What is needed to repeat the run."""
    target = context.project.target
    return {
        "made": made(results.work),
        "packages": versions(*PACKAGES),
        "tools": _tools(results),
        "files": [
            {"what": what, "name": name, "sha256": digest} for what, name, digest in _files(context.project, results)
        ],
        "settings": {
            "input_type": str(context.project.input.precision),
            "clock_ns": target.clock_ns,
            "io_type": target.io_type,
            "backend": target.backend,
            "part": target.part,
            "reuse_factors": list(context.project.reuse_factors),
        },
    }


def made(work: Sequence[Done]) -> dict[str, Any] | None:
    """Who did the work, when and where: of its latest part, with the date of the first; None where a part lacks it."""
    makers = [part.made for part in work]
    if not makers or not all(makers):
        return None
    return {**max(makers, key=lambda maker: str(maker["date"])), "first": min(str(maker["date"]) for maker in makers)}


def _tools(results: Results) -> list[dict[str, str]]:
    """The programs that figures are of, in the order of the flow; packages stand by themselves."""
    sets = [results.metrics, *(point.metrics for point in results.points), results.csynth]
    metrics = MetricSet(tuple(metric for metrics in sets for metric in metrics))
    programs = dict.fromkeys((metric.tool, metric.version) for metric in metrics if metric.tool not in PACKAGES)
    return [{"name": tool, "version": version} for tool, version in programs]


def _files(project: Project, results: Results) -> Iterator[tuple[str, str, str | None]]:
    """What each file is, its name without its folder, and its SHA-256; None for a set that comes with a package."""
    yield "model", project.model_path.name, project.model_digest
    if results.trained:
        yield "trained model", "train/qat.h5", results.trained.outputs["qat.h5"]
    path = project.data_path
    yield "data", project.data_name, file_digest(path) if path is not None and path.is_file() else None
    own = project.standard_path
    if own is not None:
        yield "samples that data are standardized by", own.name, file_digest(own)
    if results.translated:
        yield "test samples on the input grid", f"translate/{SAMPLES}", results.translated.outputs[SAMPLES]
