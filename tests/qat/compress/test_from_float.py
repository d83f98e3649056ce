"""A float network becomes a trained quantized one, in steps, and goes on where it stopped."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hlsflow.__main__ import main
from hlsflow.core.errors import ProjectError
from hlsflow.core.metrics import Stage
from hlsflow.core.progress import Progress
from hlsflow.data import load_data
from hlsflow.project import Project, for_model
from hlsflow.qat import TrainResult, load_model, save_model, train, train_from_float
from hlsflow.qat.train import make_deterministic
from tests.qat.qat_project import MODEL, TOML, project_of, small_project

NAMED = MODEL.replace("Dense(8), ReLU(), Dense(10)", "Dense(8, name='fc'), ReLU(name='relu'), Dense(10, name='logits')")
TABLE = """
[quantize]
bits = 2
lower = [6]
epochs = 6
learning_rate = 0.01
layers.logits = { weight = 4 }
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    text = TOML.format(epochs=8).replace('quantized = "quantized"\n', "") + TABLE
    return project_of(tmp_path_factory.mktemp("project"), text, NAMED)


@pytest.fixture(scope="module")
def whole(project: Project, tmp_path_factory: pytest.TempPathFactory) -> TrainResult:
    return train_from_float(project, tmp_path_factory.mktemp("whole"), Progress(io.StringIO()))


def accuracy_of(result: TrainResult, stage: Stage) -> float:
    metric = result.metrics.get("accuracy", stage)
    assert metric is not None
    assert metric.value is not None
    return metric.value


def test_training_makes_up_for_few_bits(whole: TrainResult, project: Project) -> None:
    history = json.loads((whole.model.parent / "history.json").read_text())
    assert [len(history[name]) for name in ("float", "6 bits", "quantized")] == [8, 7, 7]  # the first one is untrained
    assert accuracy_of(whole, Stage.QAT) > accuracy_of(whole, Stage.PTQ)
    assert accuracy_of(whole, Stage.FLOAT) - accuracy_of(whole, Stage.QAT) < 0.1
    wide = np.mean([row["val_accuracy"] for row in history["6 bits"]])
    assert wide >= history["quantized"][0]["val_accuracy"]


def test_the_model_has_the_widths_of_the_table(whole: TrainResult) -> None:
    model = load_model(whole.model)
    choices = json.loads((whole.model.parent / "quantizers.json").read_text())
    bits = {(one["layer"], one["what"]): one["quantizer"].split("(")[1].split(",")[0] for one in choices}
    assert bits["fc", "kernel"] == "2"
    assert bits["logits", "kernel"] == "4"
    levels = {layer.name: np.unique(layer.kernel_quantizer_internal(layer.kernel)) for layer in weighted(model)}
    assert {
        name: len(values) <= 2 ** (4 if name == "logits" else 2) for name, values in levels.items()
    } == dict.fromkeys(levels, True)


def weighted(model: Any) -> list[Any]:
    return [layer for layer in model.layers if hasattr(layer, "kernel")]


def test_an_interrupted_training_ends_in_the_same_bits(whole: TrainResult, project: Project, tmp_path: Path) -> None:
    shutil.copytree(whole.model.parent / "checkpoints", tmp_path / "checkpoints")
    newest = max((tmp_path / "checkpoints" / "quantized").iterdir())
    newest.unlink()
    log = io.StringIO()
    again = train_from_float(project, tmp_path, Progress(log))
    assert "quantized: going on after epoch 5 of 6" in log.getvalue()
    for one, other in zip(load_model(whole.model).get_weights(), load_model(again.model).get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_float_model_of_somebody_else_is_quantized_without_training(
    whole: TrainResult, project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = load_data(project)
    np.savez(tmp_path / "samples.npz", x=data.x_test, y=data.y_test)
    assert whole.baseline is not None
    shutil.copy(whole.baseline, tmp_path / "theirs.h5")
    arguments = ["check", str(tmp_path / "theirs.h5"), "--data", str(tmp_path / "samples.npz"), "--bits", "7"]
    assert main([*arguments, "--build", str(tmp_path / "build")]) == 0
    said = capsys.readouterr().out
    assert "csim = oracle on all 3600 outputs of 360 samples" in said
    assert "ptq: test accuracy" in said


def test_samples_without_classes_leave_the_accuracy_missing(tmp_path: Path) -> None:
    from tf_keras import Sequential
    from tf_keras.layers import Dense, Input

    make_deterministic(0)
    save_model(Sequential([Input((4,)), Dense(2)]), tmp_path / "float.h5")
    np.savez(tmp_path / "x.npz", x=np.random.default_rng(0).integers(-8, 8, (20, 4)) / 8)
    project = for_model(tmp_path / "float.h5", tmp_path / "x.npz", "fixed<5,1>", bits=6)
    result = train_from_float(project, tmp_path / "work", Progress(io.StringIO()))
    for stage in (Stage.FLOAT, Stage.PTQ, Stage.QAT):
        metric = result.metrics.get("accuracy", stage)
        assert metric is not None
        assert metric.value is None
        assert "no classes" in metric.note


@pytest.mark.parametrize(
    ("model", "table", "said"),
    [
        ('baseline = "baseline"', "", "give model.quantized"),
        ('quantized = "quantized"', "[quantize]", r"\[quantize\] is for a float model"),
        ("", "[quantize]", r"\[quantize\] is for a float model"),
        ('float_file = "m.h5"\nfile = "m.h5"', "", "give one of quantized"),
        ('baseline = "baseline"', '[quantize]\nkind = "octal"', "quantize.kind"),
    ],
)
def test_sections_that_contradict_each_other(model: str, table: str, said: str, tmp_path: Path) -> None:
    text = TOML.format(epochs=1).replace('quantized = "quantized"\nbaseline = "baseline"', model) + table
    with pytest.raises(ProjectError, match=said):
        project_of(tmp_path, text, MODEL)


def test_each_training_refuses_the_other_s_projects(project: Project, tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="quantize"):
        train(project, tmp_path)
    with pytest.raises(ProjectError, match="no \\[quantize\\]"):
        train_from_float(small_project(tmp_path / "other", 1), tmp_path)
