"""Reports in a real MLflow, which keeps them in files."""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from hlsflow.commands.track import tracker
from hlsflow.core.errors import ProjectError, ToolFailed, ToolMissing
from hlsflow.plugins.mlflow_tracker import track
from hlsflow.report import run as reporting
from tests.report.test_html import example

if find_spec("mlflow") is None:
    pytest.skip("MLflow is not installed: pip install 'hlsflow[mlflow]'", allow_module_level=True)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of a run, with MLflow's own beside it."""
    import mlflow

    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "mlruns").as_uri())
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "tests")
    mlflow.set_tracking_uri(None)
    run = tmp_path / "run"
    run.mkdir()
    reporting.write(example(), run)
    return run


def test_a_report_is_logged_with_stages_and_artifacts(folder: Path) -> None:
    import mlflow

    said = tracker("mlflow")(folder)
    client = mlflow.MlflowClient()
    (experiment,) = [one for one in client.search_experiments() if one.name == "tests"]
    runs = {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}
    assert set(runs) == {"digits <b> a4273825", "R16", "R32", "R128"}
    parent = runs["digits <b> a4273825"]
    assert parent.info.run_id in said
    assert parent.data.tags["gate passed"] == "true"
    names = {file.path for file in client.list_artifacts(parent.info.run_id)}
    assert names == {"report.html", "report.md", "report.csv", "report.json", "charts"}

    point = runs["R32"]
    assert point.data.tags["mlflow.parentRunId"] == parent.info.run_id
    assert point.data.params["reuse_factor"] == "32"
    assert point.data.params["layers.logits.strategy"] == "resource"
    metrics = point.data.metrics
    assert metrics["synth/xc7/lut"] == 1708
    assert metrics["routed/LFE5U-45F/lut"] == 2008
    assert metrics["simulated/1000 vectors/latency_cycles"] == 120
    assert metrics["qat/360 samples/accuracy"] == 0.9778
    assert point.data.tags["tool of synth/xc7"] == "yosys 0.70 (wheel)"


def test_a_missing_figure_is_no_number(folder: Path) -> None:
    import mlflow

    track(folder)
    (run,) = mlflow.search_runs(experiment_names=["tests"], filter_string="run_name = 'R16'", output_format="list")
    assert "routed/LFE5U-45F/fmax_mhz" not in run.data.metrics
    assert run.data.tags["missing routed/LFE5U-45F/fmax_mhz"] == "does not fit: 212 of 72 MULT18X18D"


def test_a_server_that_refuses_is_one_error(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "file" / "mlruns").as_uri())
    with pytest.raises(ToolFailed, match="MLflow took no report"):
        track(folder)
    assert json.loads((folder / "report.json").read_text())["run"] == "a4273825"


def test_without_mlflow_the_package_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(ToolMissing, match="hlsflow\\[mlflow\\]"):
        track(folder)


def test_an_unknown_plug_in_is_refused_before_the_run() -> None:
    with pytest.raises(ProjectError, match="did you mean mlflow"):
        tracker("mlflw")
