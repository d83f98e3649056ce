"""Logs finished runs to MLflow, published under the entry-point group `hlsflow.trackers`.

In: the folder of a run (`hlsflow run … --track mlflow`). Out: a run of MLflow with the report as artifacts, and in it
one for each design point, with its knobs as parameters and its figures as metrics. Where it goes is said by MLflow's
own environment variables, such as MLFLOW_TRACKING_URI and MLFLOW_EXPERIMENT_NAME; without the latter the experiment
has the project's name.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from hlsflow.core.errors import ToolFailed, ToolMissing, first_line

NAME = re.compile(r"[^\w\-. /]")
"""What MLflow takes in no name."""

MOST = 100
"""Parameters that it takes at once."""


def track(folder: Path) -> str:
    """Log the report of a run.

    Args:
        folder: of the run, with `report.json`.
    Returns:
        where it is, for people.
    Raises:
        ToolMissing: MLflow is not installed. ToolFailed: it refused; the run itself is finished and kept.
    """
    mlflow = _mlflow()
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    try:
        if not os.environ.get("MLFLOW_EXPERIMENT_NAME"):
            mlflow.set_experiment(report["project"])
        with mlflow.start_run(run_name=f"{report['project']} {report['run']}") as run:
            _log_run(mlflow, folder, report)
            for point in report["points"]:
                with mlflow.start_run(run_name=_label(point), nested=True):
                    _log_point(mlflow, point)
    except (mlflow.exceptions.MlflowException, OSError) as error:
        hint = "the run itself is finished and kept: correct MLFLOW_TRACKING_URI and run the same command again"
        raise ToolFailed(f"MLflow took no report: {first_line(error)}", hint) from error
    return f"MLflow run {run.info.run_id} at {mlflow.get_tracking_uri()}"


def _mlflow() -> Any:
    try:
        import mlflow
    except ImportError as error:
        raise ToolMissing("MLflow is not installed", "pip install 'hlsflow[mlflow]'") from error
    return mlflow


def _log_run(mlflow: Any, folder: Path, report: Mapping[str, Any]) -> None:
    mlflow.log_params({"project": report["project"], "run": report["run"]})
    mlflow.set_tag("gate passed", str(report["gate"]["passed"]).lower())
    for file in sorted(folder.glob("report.*")):
        mlflow.log_artifact(str(file))
    if (folder / "charts").is_dir():
        mlflow.log_artifacts(str(folder / "charts"), "charts")


def _log_point(mlflow: Any, point: Mapping[str, Any]) -> None:
    """Knobs, figures and what each was measured by; a figure that is missing is a tag that says why, and no number."""
    parameters = iter(_flat(point["knobs"]))
    while some := dict(islice(parameters, MOST)):
        mlflow.log_params(some)
    known = [metric for metric in point["metrics"] if metric["value"] is not None]
    for metric in known:
        mlflow.log_metric(metric_name(metric), metric["value"])
    mlflow.set_tags({f"tool of {_group(metric)}": f"{metric['tool']} {metric['version']}" for metric in known})
    missing = [metric for metric in point["metrics"] if metric["value"] is None]
    mlflow.set_tags({f"missing {metric_name(metric)}": metric["note"] for metric in missing})


def metric_name(metric: Mapping[str, Any]) -> str:
    """A figure's stage, target and name, such as `synth/xc7/lut`, by which MLflow groups its charts."""
    return f"{_group(metric)}/{metric['name']}"


def _group(metric: Mapping[str, Any]) -> str:
    return NAME.sub("", f"{metric['stage']}/{metric['target'].replace('/', '_')}")


def _flat(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Entries of nested tables by names with dots."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{key}.")
        elif value is not None:
            yield NAME.sub("_", f"{before}{key}"), value


def _label(point: Mapping[str, Any]) -> str:
    """R16 for one of the open RTL, whose schedule is known; `hls4ml R16` for hls4ml's project."""
    factor = point["knobs"]["reuse_factor"]
    return f"R{factor}" if point["predicted"] else f"hls4ml R{factor}"
