"""Distillation: the loss of the paper, and a student that learns from its teacher alone."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hlsflow.core.errors import ProjectError
from hlsflow.core.metrics import Stage
from hlsflow.core.progress import Progress
from hlsflow.data import load_data
from hlsflow.project import Distil
from hlsflow.qat import TrainResult, load_model, train, train_from_float
from hlsflow.qat.compress.distil import Teacher
from hlsflow.qat.devices import Part
from tests.qat.qat_project import MODEL, TOML, project_of, small_project

NAMED = MODEL.replace("Dense(8), ReLU(), Dense(10)", "Dense(8, name='fc'), ReLU(), Dense(10, name='logits')")
FILES = """
name = "misled"
[data]
source = "data.npz"
[model]
float_file = "float.h5"
[training]
epochs = 1
batch_size = 64
learning_rate = 0.01
[quantize]
bits = 2
epochs = 6
learning_rate = 0.01
[input]
precision = "ufixed<5,1>"
[knobs]
reuse_factor = 4
"""


def softmax(values: Any) -> Any:
    powers = np.exp(values - values.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def test_the_loss_is_that_of_the_paper() -> None:
    from tf_keras import Sequential
    from tf_keras.layers import Dense, Flatten, Input

    model = Sequential([Input((2, 3)), Flatten(), Dense(4)])
    rng = np.random.default_rng(0)
    x, logits = rng.normal(size=(5, 6)).astype(np.float32), rng.normal(size=(5, 4)).astype(np.float32)
    found = Teacher(model, Distil(weight=0.25, temperature=3.0)).loss(x, logits, 2.0, Part())
    wanted = softmax(model.predict(x.reshape(5, 2, 3), verbose=0) / 3)
    soft = -np.mean(np.sum(wanted * np.log(softmax(logits / 3)), 1))
    assert float(found) == pytest.approx(0.75 * 2.0 + 0.25 * 9 * soft, rel=1e-5)


def test_layers_add_the_mean_of_their_relative_squared_errors() -> None:
    from tf_keras import Sequential
    from tf_keras.layers import Dense, Input

    def model(seed: int) -> Any:
        made = Sequential([Input((6,)), Dense(4, name="fc"), Dense(7, name="wide"), Dense(3, name="logits")])
        rng = np.random.default_rng(seed)
        made.set_weights([rng.normal(size=array.shape) for array in made.get_weights()])
        return made

    teacher, student = model(1), model(2)
    x = np.random.default_rng(3).normal(size=(5, 6)).astype(np.float32)
    table = {"fc": "fc", "wide": "wide"}
    plain = Teacher(teacher, Distil())
    hinting = Teacher(teacher, Distil(layers=table, layer_weight=0.3))
    hinted = hinting.loss(x, hinting.student(student)(x), 2.0, Part())
    added = float(hinted) - float(plain.loss(x, student(x), 2.0, Part()))
    wanted, own = {}, {}
    for values, one in ((wanted, teacher), (own, student)):
        weights = one.get_weights()
        values["fc"] = x @ weights[0] + weights[1]
        values["wide"] = values["fc"] @ weights[2] + weights[3]
    errors = [np.mean((own[name] - wanted[name]) ** 2) / np.mean(wanted[name] ** 2) for name in table]
    assert added == pytest.approx(0.3 * np.mean(errors), rel=1e-4)
    with pytest.raises(ProjectError, match=r"'fc' gives \(4,\), 'wide' of the float network \(7,\)"):
        Teacher(teacher, Distil(layers={"fc": "wide"})).student(student)
    with pytest.raises(ProjectError, match="the quantized network has no layer 'fcc'; did you mean fc"):
        Teacher(teacher, Distil(layers={"fcc": "fc"})).student(student)
    with pytest.raises(ProjectError, match="the float network has no layer 'wid'"):
        Teacher(teacher, Distil(layers={"fc": "wid"})).student(student)


def accuracy_of(result: TrainResult, stage: Stage) -> float:
    metric = result.metrics.get("accuracy", stage)
    assert metric is not None
    assert metric.value is not None
    return metric.value


@pytest.fixture(scope="module")
def misled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained float model, and data whose training classes are drawn by lot."""
    folder = tmp_path_factory.mktemp("misled")
    honest = small_project(tmp_path_factory.mktemp("honest"), 12)
    result = train(honest, folder / "work", Progress(io.StringIO()))
    assert result.baseline is not None
    result.baseline.rename(folder / "float.h5")
    data = load_data(honest)
    classes = np.random.default_rng(0).integers(0, 10, len(data.y_train))
    parts = {"x_train": data.x_train, "y_train": classes, "x_val": data.x_val, "y_val": data.y_val}
    np.savez(folder / "data.npz", **parts, x_test=data.x_test, y_test=data.y_test)
    return folder


def test_a_student_learns_from_its_teacher_where_the_classes_are_wrong(misled: Path) -> None:
    gains = {}
    for name, table in (("alone", ""), ("taught", "[distil]\nweight = 1.0\n")):
        project = project_of(misled, FILES + table, "")
        result = train_from_float(project, misled / name, Progress(io.StringIO()))
        gains[name] = accuracy_of(result, Stage.QAT) - accuracy_of(result, Stage.PTQ)
    assert gains["taught"] > 0.05
    assert gains["taught"] > gains["alone"] + 0.05


def test_the_float_network_of_the_project_teaches_and_a_run_resumes(tmp_path: Path) -> None:
    def trained(text: str, name: str) -> list[Any]:
        project = project_of(tmp_path / name, TOML.format(epochs=2) + text, NAMED)
        weights: list[Any] = load_model(train(project, tmp_path / name, Progress(io.StringIO())).model).get_weights()
        return weights

    taught = trained("[distil]\n", "taught")
    assert any((one != other).any() for one, other in zip(taught, trained("", "alone"), strict=True))
    max((tmp_path / "taught" / "checkpoints" / "qat").iterdir()).unlink()
    for one, other in zip(taught, trained("[distil]\n", "taught"), strict=True):
        np.testing.assert_array_equal(one, other)
    assert any(
        (one != other).any() for one, other in zip(taught, trained("[distil]\nweight=0.9", "taught"), strict=True)
    )


def test_layers_of_the_teacher_change_what_is_learnt_and_a_run_resumes(tmp_path: Path) -> None:
    named = NAMED.replace("ReLU(), Dense(10", "ReLU(name='relu'), Dense(10")

    def trained(text: str) -> list[Any]:
        project = project_of(tmp_path, TOML.format(epochs=2) + text, named)
        weights: list[Any] = load_model(train(project, tmp_path, Progress(io.StringIO())).model).get_weights()
        return weights

    hinted = trained("[distil]\nlayers = { relu1 = 'relu' }\n")
    max((tmp_path / "checkpoints" / "qat").iterdir()).unlink()
    for one, other in zip(hinted, trained("[distil]\nlayers = { relu1 = 'relu' }\n"), strict=True):
        np.testing.assert_array_equal(one, other)
    assert any((one != other).any() for one, other in zip(hinted, trained("[distil]\n"), strict=True))


def test_a_teacher_is_needed(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="trains against a float network"):
        project_of(tmp_path, TOML.format(epochs=2).replace('baseline = "baseline"\n', "") + "[distil]\n", MODEL)
