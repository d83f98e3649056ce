"""Narrower weights in a trained model: they translate to the graph that was asked for, and are fine-tuned."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hlsflow.core.errors import ModelError, ProjectError
from hlsflow.core.metrics import Stage
from hlsflow.core.progress import Progress
from hlsflow.data import load_data
from hlsflow.explore.precision import candidates, requantized
from hlsflow.hls.translate import Settings, translate
from hlsflow.ir import Fixed, Graph
from hlsflow.project import Knobs, Project, Target, for_model
from hlsflow.qat import TrainResult, accuracy, fine_tune, load_model, narrowable, narrowed, save_model
from hlsflow.qat.build import build
from hlsflow.qat.train import make_deterministic
from tests.qat.qat_project import small_project

INPUT = Fixed.parse("ufixed<5,1>")


def graph_of(model: Any, folder: Path) -> Graph:
    return translate(model, Settings(INPUT, Target(), Knobs(reuse_factor=1)), folder).graph


def mixed() -> Any:
    """Convolutions, a depthwise one, powers of two, ternary weights, unsigned ones, and a layer without a quantizer."""
    from qkeras import QActivation, QConv2D, QDense, QDepthwiseConv2D, quantized_bits, quantized_po2, ternary
    from tf_keras import Sequential
    from tf_keras.layers import Flatten, Input

    grid = quantized_bits(8, 1, alpha=1)
    return Sequential(
        [
            Input((6, 6, 2)),
            QConv2D(3, 3, kernel_quantizer=grid, bias_quantizer=grid, name="conv"),
            QActivation("quantized_relu(6,2)", name="relu1"),
            QDepthwiseConv2D(3, depthwise_quantizer=quantized_bits(7, 0, symmetric=1, alpha=1), name="deep"),
            QActivation("quantized_relu(6,2)", name="relu2"),
            Flatten(),
            QDense(6, kernel_quantizer=quantized_po2(4, 1), name="po2"),
            QActivation("quantized_bits(6,2,alpha=1)", name="grid"),
            QDense(6, kernel_quantizer=ternary(alpha=1), name="ternary"),
            QActivation("quantized_bits(6,2,alpha=1)", name="grid2"),
            QDense(5, kernel_quantizer=quantized_bits(6, 0, keep_negative=False, alpha=1), name="unsigned"),
            QActivation("quantized_bits(6,2,alpha=1)", name="grid3"),
            QDense(4, kernel_quantizer=quantized_bits(8, 2, alpha="auto_po2"), name="scaled"),
        ]
    )


def assert_same_weights(one: Graph, other: Graph) -> None:
    for node in one.nodes:
        twin = other[node.name]
        if "weight" in node.params:
            assert twin.types["weight"] == node.types["weight"], node.name
            np.testing.assert_array_equal(twin.params["weight"], node.params["weight"])
            np.testing.assert_array_equal(
                twin.types["bias"].real(twin.params["bias"]), node.types["bias"].real(node.params["bias"])
            )


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Graph]:
    """A model from its file, and what it translates to."""
    folder = tmp_path_factory.mktemp("wide")
    make_deterministic(1)
    save_model(mixed(), folder / "model.h5")
    model = load_model(folder / "model.h5")
    return model, graph_of(model, folder / "hls")


@pytest.mark.parametrize("bits", [5, 2])
def test_translates_to_the_requantized_graph(bits: int, wide: tuple[Any, Graph], tmp_path: Path) -> None:
    model, graph = wide
    wanted = {name: widths[-1] for name, widths in candidates(graph, [bits]).items() if len(widths) > 1}
    assert len(wanted) > 1
    narrow = requantized(graph, wanted)
    save_model(narrowed(model, narrow, wanted), tmp_path / "narrow.h5")
    assert_same_weights(narrow, graph_of(load_model(tmp_path / "narrow.h5"), tmp_path / "hls"))


def test_only_kernels_of_their_own_can_be_narrowed(tmp_path: Path) -> None:
    from tf_keras import Sequential
    from tf_keras.layers import Dense, Input

    model = Sequential([Input((4,)), Dense(3, name="plain")])
    assert narrowable(mixed()) == {"conv", "deep", "po2", "ternary", "unsigned", "scaled"}
    assert narrowable(model) == frozenset()
    with pytest.raises(ModelError, match="'plain'"):
        narrowed(model, Graph("g", (), ()), ["plain"])


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return small_project(tmp_path_factory.mktemp("project"), 2)


@pytest.fixture(scope="module")
def narrow(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with weights of 3 bits instead of 6."""
    folder = tmp_path_factory.mktemp("narrow")
    make_deterministic(5)
    model = build(project, "quantized")
    graph = requantized(graph_of(model, folder / "hls"), {"fc1": 3, "logits": 3})
    save_model(narrowed(model, graph, ["fc1", "logits"]), folder / "narrow.h5")
    return folder / "narrow.h5"


@pytest.fixture(scope="module")
def tuned(project: Project, narrow: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainResult:
    return fine_tune(project, narrow, tmp_path_factory.mktemp("tuned"), 4, 1.0, Progress(io.StringIO()))


def test_the_best_epoch_stays(project: Project, narrow: Path, tuned: TrainResult) -> None:
    history = json.loads((tuned.model.parent / "history.json").read_text())["qat"]
    assert len(history) == 5
    assert history[1]["learning_rate"] == pytest.approx(0.01)
    data = load_data(project)
    before, after = (accuracy(load_model(file), data.x_val, data.y_val) for file in (narrow, tuned.model))
    assert before == pytest.approx(history[0]["val_accuracy"])
    assert after == pytest.approx(max(row["val_accuracy"] for row in history))
    assert after > before
    measured = tuned.metrics.get("accuracy", Stage.QAT)
    assert measured is not None
    assert measured.value == accuracy(load_model(tuned.model), data.x_test, data.y_test)


def test_fine_tuned_weights_are_as_narrow(tuned: TrainResult, tmp_path: Path) -> None:
    graph = graph_of(load_model(tuned.model), tmp_path)
    assert {name: str(graph[name].types["weight"]) for name in ("fc1", "logits")} == dict.fromkeys(
        ("fc1", "logits"), "fixed<3,1>"
    )


def test_a_killed_fine_tuning_goes_on_to_the_same_bits(
    project: Project, narrow: Path, tuned: TrainResult, tmp_path: Path
) -> None:
    class Killed(Exception):
        pass

    class Dying(io.StringIO):
        def write(self, text: str) -> int:
            if list((tmp_path / "checkpoints" / "qat").glob("epoch-00002*")):
                raise Killed
            return super().write(text)

    with pytest.raises(Killed):
        fine_tune(project, narrow, tmp_path, 4, 1.0, Progress(Dying()))
    log = io.StringIO()
    result = fine_tune(project, narrow, tmp_path, 4, 1.0, Progress(log))
    assert "going on after epoch 2 of 4" in log.getvalue()
    for one, other in zip(load_model(result.model).get_weights(), load_model(tuned.model).get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_weights_that_no_epoch_betters_stay(project: Project, tuned: TrainResult, tmp_path: Path) -> None:
    result = fine_tune(project, tuned.model, tmp_path, 1, 1e4, Progress(io.StringIO()))
    history = json.loads((tmp_path / "history.json").read_text())["qat"]
    assert history[1]["val_accuracy"] < history[0]["val_accuracy"]
    for one, other in zip(load_model(result.model).get_weights(), load_model(tuned.model).get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_nothing_to_train_on(narrow: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", x=np.zeros((4, 64)), y=np.zeros(4))
    foreign = for_model(narrow, tmp_path / "data.npz", "ufixed<5,1>")
    with pytest.raises(ProjectError, match="nothing to train"):
        fine_tune(foreign, narrow, tmp_path)
