"""Training: what it leaves behind, and that a killed training ends in the same bits."""

from __future__ import annotations

import io
import json
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util.tensor_util import make_ndarray

from hlsflow.core.errors import DataError, FlowError, ModelError, StorageError
from hlsflow.core.metrics import Stage
from hlsflow.core.progress import Progress
from hlsflow.data import load_data
from hlsflow.project import Project
from hlsflow.qat import TrainResult, accuracy, load_model, train
from hlsflow.qat.build import build
from hlsflow.qat.checkpoint import State, latest, save
from tests.qat.qat_project import DROPPING, MODEL, small_project

EPOCHS = 6
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return small_project(tmp_path_factory.mktemp("project"), EPOCHS, DROPPING)


@pytest.fixture(scope="module")
def whole(project: Project, tmp_path_factory: pytest.TempPathFactory) -> tuple[TrainResult, str]:
    """An uninterrupted training and what it printed."""
    log = io.StringIO()
    return train(project, tmp_path_factory.mktemp("whole"), Progress(log)), log.getvalue()


def weights(file: Path | None) -> list[Any]:
    assert file is not None
    arrays: list[Any] = load_model(file).get_weights()
    return arrays


def assert_same_weights(one: Path | None, other: Path | None) -> None:
    for a, b in zip(weights(one), weights(other), strict=True):
        np.testing.assert_array_equal(a, b)


def test_files_and_figures(whole: tuple[TrainResult, str], project: Project) -> None:
    result, _ = whole
    folder = result.model.parent
    assert {path.name for path in folder.iterdir()} == {
        "qat.h5",
        "float.h5",
        "history.json",
        "metrics.json",
        "checkpoints",
        "tensorboard",
    }
    assert json.loads((folder / "metrics.json").read_text()) == result.metrics.to_json()
    qat = result.metrics.get("accuracy", Stage.QAT)
    baseline = result.metrics.get("accuracy", Stage.FLOAT)
    assert qat is not None
    assert baseline is not None
    assert (qat.tool, qat.version, qat.target, qat.source) == ("qkeras", "0.9.0", "digits, 360 test samples", "qat.h5")
    assert (baseline.tool, baseline.source) == ("tf_keras", "float.h5")
    data = load_data(project)
    assert accuracy(load_model(result.model), data.x_test, data.y_test) == qat.value
    assert qat.value is not None
    assert qat.value > 0.5


def test_history_has_one_row_an_epoch_and_a_falling_rate(whole: tuple[TrainResult, str]) -> None:
    history = json.loads((whole[0].model.parent / "history.json").read_text())
    rows = [row["learning_rate"] for row in history["qat"]]
    assert len(history["float"]) == len(rows) == EPOCHS
    assert rows[0] == 0.01
    assert rows == sorted(rows, reverse=True)
    assert history["qat"][-1]["loss"] < history["qat"][0]["loss"]


def curves(folder: Path) -> dict[tuple[str, str], list[tuple[int, float]]]:
    """(part, tag) → epochs and values, as TensorBoard itself reads them."""
    found = {}
    for part in ("train", "validation"):
        events = EventAccumulator(str(folder / part)).Reload()
        for tag in events.Tags()["tensors"]:
            found[part, tag] = [(one.step, float(make_ndarray(one.tensor_proto))) for one in events.Tensors(tag)]
    return found


def test_tensorboard_reads_the_history(whole: tuple[TrainResult, str]) -> None:
    folder = whole[0].model.parent
    for name, rows in json.loads((folder / "history.json").read_text()).items():
        found = curves(folder / "tensorboard" / name)
        assert set(found) == {
            ("train", "epoch_loss"),
            ("train", "epoch_learning_rate"),
            ("validation", "epoch_loss"),
            ("validation", "epoch_accuracy"),
        }
        for (part, tag), key in ((("train", "epoch_loss"), "loss"), (("validation", "epoch_accuracy"), "val_accuracy")):
            assert found[part, tag] == [(epoch, pytest.approx(row[key])) for epoch, row in enumerate(rows)]


def test_two_checkpoints_are_kept(whole: tuple[TrainResult, str]) -> None:
    folder = whole[0].model.parent / "checkpoints" / "qat"
    assert sorted(path.name for path in folder.iterdir()) == ["epoch-00005.npz", "epoch-00006.npz"]


def test_a_log_gets_plain_lines(whole: tuple[TrainResult, str]) -> None:
    lines = whole[1].splitlines()
    assert re.fullmatch(r"train quantized 6/6 loss \d\.\d{3}  validation accuracy \d\.\d{4}", lines[-2])
    assert re.fullmatch(r"qat: test accuracy 0\.\d{4} on 360 samples", lines[-1])
    assert not any("\x1b" in line or "\r" in line for line in lines)


def test_a_killed_training_goes_on_to_the_same_bits(
    whole: tuple[TrainResult, str], project: Project, tmp_path: Path
) -> None:
    """In another process, so that nothing of the first training can be left in memory."""
    code = "import sys; from pathlib import Path; from hlsflow.project import load; from hlsflow.qat import train; \
            train(load(Path(sys.argv[1])), Path(sys.argv[2]))"
    child = subprocess.Popen([sys.executable, "-c", code, str(project.folder), str(tmp_path)], cwd=ROOT)
    checkpoints = tmp_path / "checkpoints" / "qat"
    try:
        wait_for(lambda: any(checkpoints.glob("epoch-0000[2-4].npz")), child)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    assert not (tmp_path / "qat.h5").exists()
    log = io.StringIO()
    resumed = train(project, tmp_path, Progress(log))
    assert re.search(r"quantized: going on after epoch \d+ of 6", log.getvalue())
    assert_same_weights(resumed.model, whole[0].model)
    assert_same_weights(resumed.baseline, whole[0].baseline)
    assert resumed.metrics == whole[0].metrics
    logs = [curves(result.model.parent / "tensorboard" / "qat") for result in (resumed, whole[0])]
    assert logs[0] == logs[1]  # no epoch twice, none missing


def wait_for(condition: Callable[[], bool], child: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 120
    while not condition():
        assert child.poll() is None, "training ended before it could be killed"
        assert time.monotonic() < end, "training took too long"
        time.sleep(0.005)


def test_a_damaged_checkpoint_is_passed_over(whole: tuple[TrainResult, str], project: Project, tmp_path: Path) -> None:
    for name in ("float", "qat"):
        source = whole[0].model.parent / "checkpoints" / name
        target = tmp_path / "checkpoints" / name
        target.mkdir(parents=True)
        (target / "epoch-00005.npz").write_bytes((source / "epoch-00005.npz").read_bytes())
        (target / "epoch-00006.npz").write_bytes((source / "epoch-00006.npz").read_bytes()[:-4000])
    log = io.StringIO()
    resumed = train(project, tmp_path, Progress(log))
    assert "checkpoint epoch-00006.npz is damaged" in log.getvalue()
    assert "quantized: going on after epoch 5 of 6" in log.getvalue()
    assert_same_weights(resumed.model, whole[0].model)


IMAGES = """
from qkeras import QActivation, QConv2DBatchnorm, QDense, quantized_bits
from tf_keras import Sequential
from tf_keras.layers import Flatten, Input


def quantized():
    grids = {name: quantized_bits(6, 1, alpha=1) for name in ("kernel_quantizer", "bias_quantizer")}
    return Sequential([
        Input((8, 8, 1)),
        QConv2DBatchnorm(2, 3, momentum=0.9, name="conv", **grids),
        QActivation("quantized_relu(6,2)"),
        Flatten(),
        QDense(10, name="logits", **grids),
    ])


def baseline(): ...
"""


def test_batch_statistics_and_changed_images_are_resumed_too(tmp_path: Path) -> None:
    project = small_project(tmp_path / "project", 2, IMAGES)
    project = project.model_copy(
        update={
            "data": project.data.model_copy(update={"flip": True, "shift": 1}),
            "model": project.model.model_copy(update={"baseline": None}),
        }
    )
    whole = train(project, tmp_path / "whole", Progress(io.StringIO()))
    (tmp_path / "again" / "checkpoints" / "qat").mkdir(parents=True)
    first = Path("checkpoints", "qat", "epoch-00001.npz")
    shutil.copy(tmp_path / "whole" / first, tmp_path / "again" / first)
    log = io.StringIO()
    resumed = train(project, tmp_path / "again", Progress(log))
    assert "quantized: going on after epoch 1 of 2" in log.getvalue()
    assert_same_weights(resumed.model, whole.model)
    rows = [json.loads((result.model.parent / "history.json").read_text())["qat"] for result in (whole, resumed)]
    assert rows[0] == rows[1]


def test_rows_of_numbers_are_not_changed_like_images(project: Project, tmp_path: Path) -> None:
    moving = project.model_copy(update={"data": project.data.model_copy(update={"shift": 1})})
    with pytest.raises(DataError, match="are for images"):
        train(moving, tmp_path, Progress(io.StringIO()))


@pytest.mark.parametrize(
    "damage", [lambda raw: raw[:10], lambda raw: b"", lambda raw: raw[:300] + b"\0" * 50 + raw[350:]]
)
def test_any_damage_is_noticed(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    state = State(1, (np.arange(99.0),), (np.arange(3),), (np.ones(4),), ({"loss": 1.0},))
    save(tmp_path, "f", state)
    save(tmp_path, "f", replace(state, epoch=2))
    newest = tmp_path / "epoch-00002.npz"
    newest.write_bytes(damage(newest.read_bytes()))
    said: list[str] = []
    found = latest(tmp_path, "f", said.append)
    assert found is not None
    assert found.epoch == 1
    assert said[0].startswith("checkpoint epoch-00002.npz is damaged")


def test_a_checkpoint_of_other_settings_is_not_resumed(tmp_path: Path) -> None:
    save(tmp_path, "f", State(1, (), (), (), ()))
    said: list[str] = []
    assert latest(tmp_path, "g", said.append) is None
    assert said == ["checkpoint epoch-00001.npz belongs to other settings, data or versions; training starts anew"]


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="the checkpoint of epoch 1 cannot be written"):
        save(tmp_path / "file" / "x", "f", State(1, (), (), (), ()))


def test_patience_ends_training_early_and_keeps_the_best_epoch(project: Project, tmp_path: Path) -> None:
    assert project.training is not None
    still = project.training.model_copy(update={"learning_rate": 1e-12, "patience": 3, "schedule": "constant"})
    train(project.model_copy(update={"training": still}), tmp_path, Progress(io.StringIO()))
    rows = json.loads((tmp_path / "history.json").read_text())["float"]
    assert [row["val_accuracy"] for row in rows] == [rows[0]["val_accuracy"]] * len(rows)
    assert len(rows) < EPOCHS


def broken(tmp_path: Path, model: str) -> FlowError:
    with pytest.raises(FlowError) as caught:
        train(small_project(tmp_path / "p", 1, model), tmp_path / "out", Progress(io.StringIO()))
    return caught.value


def test_a_builder_that_fails_is_named_with_its_line(tmp_path: Path) -> None:
    error = broken(tmp_path, "def quantized(): ...\n\ndef baseline():\n    return 1 / 0\n")
    assert isinstance(error, ModelError)
    assert "baseline() in" in error.message
    assert "failed at line 4: ZeroDivisionError" in error.message


def test_a_builder_that_returns_no_model(tmp_path: Path) -> None:
    assert "returned a int" in broken(tmp_path, "def quantized(): ...\ndef baseline():\n    return 3\n").message


def test_a_softmax_at_the_end_is_refused(tmp_path: Path) -> None:
    error = broken(tmp_path, MODEL.replace("Dense(10)])", 'Dense(10, activation="softmax", name="last")])'))
    assert "ends in a softmax" in error.message
    assert "'last'" in error.hint


def test_too_few_logits_are_refused(tmp_path: Path) -> None:
    error = broken(tmp_path, MODEL.replace("ReLU(), Dense(10)", "ReLU(), Dense(9)"))
    assert error.message.startswith("baseline() gives 9 outputs, but y of 'digits' has class numbers up to 9 (10 diff")


def test_outputs_of_more_than_one_axis_are_refused(tmp_path: Path) -> None:
    error = broken(
        tmp_path,
        MODEL.replace("ReLU(), Dense(10)", "ReLU(), Dense(10), Reshape((5, 2))").replace(
            "Input, ReLU", "Input, ReLU, Reshape"
        ),
    )
    assert "baseline() gives outputs of shape (5, 2)" in error.message


def test_one_output_tells_no_more_than_two_classes(tmp_path: Path) -> None:
    error = broken(tmp_path, MODEL.replace("ReLU(), Dense(10)", "ReLU(), Dense(1)"))
    assert isinstance(error, ModelError)
    assert error.message.startswith("baseline() gives 1 output, but y of 'digits' has class numbers up to 9 (10 diff")
    assert "end the model with one logit a class" in error.hint


def test_a_softmax_of_one_output_is_refused(tmp_path: Path) -> None:
    error = broken(tmp_path, MODEL.replace("ReLU(), Dense(10)", "ReLU(), Dense(1, activation='softmax')"))
    assert error.message.endswith("ends in a softmax of one output, which is always 1")
    assert "a logit or a sigmoid" in error.hint


@pytest.mark.parametrize("code", ["0", "", "'over'"])
def test_a_model_that_exits_does_not_end_the_program(tmp_path: Path, code: str) -> None:
    error = broken(tmp_path, f"import sys\ndef quantized(): ...\ndef baseline(): ...\nsys.exit({code})\n")
    assert isinstance(error, ModelError)
    assert "model.py failed at line 4: SystemExit(" in error.message


ENDS = {
    "os._exit(0)": "import os\ndef quantized(): ...\ndef baseline(): os._exit(0)\n",
    "os._exit(3)": "from posix import _exit\n_exit(3)\ndef quantized(): ...\ndef baseline(): ...\n",
    "os.exec": "import os\ndef quantized(): ...\ndef baseline(): os.execv('/bin/true', ['true'])\n",
    "GeneratorExit()": "def quantized(): ...\ndef baseline(): raise GeneratorExit\n",
    "Odd": "class Odd(BaseException):\n    def __repr__(self): raise ValueError\n"
    "def quantized(): ...\ndef baseline(): raise Odd\n",
}


@pytest.mark.parametrize("end", ENDS)
def test_no_other_end_of_a_model_looks_like_success(tmp_path: Path, end: str) -> None:
    error = broken(tmp_path, ENDS[end])
    assert isinstance(error, ModelError)
    assert end in error.message
    assert error.hint in ("remove what ends the program", "correct the function")


def test_ctrl_c_in_a_model_still_ends_the_program(tmp_path: Path) -> None:
    project = small_project(tmp_path, 1, "def quantized(): ...\ndef baseline():\n    raise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt):
        build(project, "baseline")


def test_a_single_class_and_a_single_test_sample_are_enough(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    parts = {"train": 40, "val": 1, "test": 1}
    arrays = {f"x_{part}": rng.integers(0, 32, (n, 64)) / 16 for part, n in parts.items()}
    arrays |= {f"y_{part}": np.zeros((n, 1)) for part, n in parts.items()}
    np.savez(tmp_path / "x.npz", allow_pickle=False, **arrays)
    project = small_project(tmp_path, 1)
    data = project.data.model_copy(update={"source": "x.npz", "validation": None, "test": None, "scale": 1.0})
    result = train(project.model_copy(update={"data": data}), tmp_path / "out", Progress(io.StringIO()))
    assert {metric.target for metric in result.metrics} == {"x.npz, 1 test samples"}


def test_accuracy_of_one_output_is_that_of_its_sign() -> None:
    from tf_keras import Sequential
    from tf_keras.layers import Input

    x = np.array([[-2.0], [0.0], [0.5], [3.0]], np.float32)
    same = Sequential([Input((1,))])
    assert accuracy(same, x, np.array([0, 0, 1, 1])) == 1.0
    assert accuracy(same, x, np.array([0, 1, 1, 0])) == 0.5
