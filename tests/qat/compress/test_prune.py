"""Pruning: which weights go, when, that they stay away, and what the hardware saves."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hlsflow.core.choices import Family
from hlsflow.core.errors import ProjectError
from hlsflow.core.progress import Progress
from hlsflow.hls.translate import Settings, translate
from hlsflow.ir import Fixed
from hlsflow.project import Knobs, Project, Prune, Target
from hlsflow.qat import TrainResult, load_model, train, train_from_float
from hlsflow.qat.compress.prune import mask, pruned_kernels, pruner_of, sparsity_at
from hlsflow.rtl import LayerKnobs, emit, schedule
from hlsflow.rtl.cores.fold import lane_numbers
from hlsflow.toolchains import yosys
from tests.qat.qat_project import MODEL, TOML, project_of

TABLE = """
[prune]
sparsity = 0.75
end = 0.6
layers.logits = 0.5
"""
REUSE = 16


def prune(**values: Any) -> Prune:
    return Prune.model_validate({"sparsity": 0.5} | values)


def test_the_schedule_is_polynomial_and_ends_before_the_training() -> None:
    table = prune(start=0.2, end=0.7)
    assert [sparsity_at(table, epoch, 10) for epoch in (0, 2, 7, 9)] == [0, 0, 1, 1]
    assert sparsity_at(table, 4, 10) == pytest.approx(1 - (1 - 2 / 5) ** 3)
    ends_last = [sparsity_at(prune(end=1.0), epoch, 5) for epoch in (3, 4)]
    assert ends_last == [1 - (1 / 4) ** 3, 1]  # the last epoch is trained at the final sparsity, and it alone
    assert sparsity_at(prune(), 0, 1) == 1
    assert [sparsity_at(prune(start=0.5, end=0.75), epoch, 8) for epoch in range(8)] == [0, 0, 0, 0, 0, 0.875, 1, 1]


def test_the_least_weights_go_first() -> None:
    weights = np.array([[0.1, -3.0], [2.0, -0.5]], np.float32)
    one_by_one = np.arange(4).reshape(2, 2)
    np.testing.assert_array_equal(mask(weights, one_by_one, 0.5), [[0, 1], [1, 0]])
    by_column = np.array([[0, 1], [0, 1]])
    np.testing.assert_array_equal(mask(weights, by_column, 0.5), [[0, 1], [0, 1]])
    np.testing.assert_array_equal(mask(np.zeros((2, 2)), one_by_one, 0.25), [[0, 1], [1, 1]])  # the first of equals


def test_the_first_of_many_equals_go_first() -> None:
    weights = np.tile([2.0, 1.0], 500)[:, None]
    stays = mask(weights, np.arange(1000)[:, None], 0.25)
    np.testing.assert_array_equal(np.flatnonzero(stays == 0), np.arange(1, 500, 2))


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_squares_beyond_single_precision_are_told_apart(scale: float) -> None:
    weights = np.array([[3 * scale, -scale], [2 * scale, 4 * scale]], np.float32)
    np.testing.assert_array_equal(mask(weights, np.arange(4).reshape(2, 2), 0.5), [[1, 0], [0, 1]])


@pytest.mark.parametrize(
    ("count", "sparsity", "pruned"),
    [
        (100, 0.29, 29),
        (100, 0.57, 57),
        (1000, 0.001, 1),
        (3, 0.5, 1),
        (7, 0.9, 6),
        (10, 0.95, 9),
        (10, 0, 0),
        (9, 1, 9),
    ],
)
def test_as_many_go_as_the_sparsity_says_and_no_more(count: int, sparsity: float, pruned: int) -> None:
    """0.29 * 100 is a little less than 29 in floating point; 9.5 weights are 9."""
    weights = np.random.default_rng(count).permutation(np.arange(1.0, count + 1))[:, None]
    stays = mask(weights, np.arange(count)[:, None], sparsity)
    assert (stays == 0).sum() == pruned
    assert sorted(weights[stays == 0]) == list(range(1, pruned + 1))


def test_whole_groups_are_judged_by_their_mean_and_not_their_sum() -> None:
    """Root mean squares 2, 3 and 1.5: the group of four has the largest sum of squares, and goes first."""
    labels = np.array([[5, 5, 5, 5, 7, 7, 9]])
    weights = np.array([[1.5, -1.5, 1.5, -1.5, 2.0, -2.0, -3.0]])
    np.testing.assert_array_equal(mask(weights, labels, 1 / 3), [[0, 0, 0, 0, 1, 1, 1]])
    np.testing.assert_array_equal(mask(weights, labels, 2 / 3), [[0, 0, 0, 0, 0, 0, 1]])


def small_network() -> Any:
    """Kernels of 1, 30 and 4 inputs, one without a bias, and two layers that pruning leaves alone; random weights."""
    from qkeras import QConv2D, QDense, QSeparableConv2D, quantized_bits
    from tf_keras import Sequential, utils
    from tf_keras.layers import Flatten, Input

    utils.set_random_seed(3)
    kernel = {"kernel_quantizer": quantized_bits(8, 0, alpha=1)}
    split = {"depthwise_quantizer": quantized_bits(8, 0, alpha=1), "pointwise_quantizer": quantized_bits(8, 0, alpha=1)}
    model = Sequential(
        [
            Input((4, 3, 1)),
            QConv2D(5, 1, name="point", bias_initializer="uniform", **kernel),
            QConv2D(4, (3, 2), name="conv", bias_initializer="uniform", **kernel),
            QSeparableConv2D(3, 1, name="split", use_bias=False, **split),
            Flatten(),
            QDense(2, name="frozen", **kernel),
            QDense(2, name="spared", **kernel),
        ]
    )
    model.get_layer("frozen").trainable = False
    return model


def small_table(**values: Any) -> Prune:
    return prune(layers={"spared": 0, "split": 0.25}, **values)


@pytest.mark.parametrize("pattern", ["weight", "neuron", "lane"])
def test_every_small_kernel_has_its_labels(pattern: str) -> None:
    model = small_network()
    found = pruned_kernels(model, small_table(pattern=pattern), lambda *lane: np.full(lane[1:], len(lane[0])))
    assert {kernel.layer: kernel.sparsity for kernel in found} == {"point": 0.5, "conv": 0.5, "split": 0.25}
    sizes = {"point": (1, 5), "conv": (30, 4), "split": (4, 3)}
    for kernel in found:
        size = sizes[kernel.layer]
        labels = {
            "weight": np.arange(size[0] * size[1]).reshape(size),
            "neuron": np.tile(np.arange(size[1]), (size[0], 1)),
            "lane": np.full(size, len(kernel.layer)),
        }
        np.testing.assert_array_equal(kernel.labels, labels[pattern])
        layer = model.get_layer(kernel.layer)
        assert kernel.variable is (layer.pointwise_kernel if kernel.layer == "split" else layer.kernel)
        assert kernel.bias is (layer.bias if pattern == "neuron" and layer.use_bias else None)


def weights_of(model: Any) -> dict[str, list[np.ndarray]]:
    return {layer.name: layer.get_weights() for layer in model.layers if layer.weights}


def test_small_neurons_go_with_their_bias_and_all_else_stays() -> None:
    """Half of 5, 4 and a quarter of 3 outputs: 2, 2 and none; what stays keeps its bits."""
    model = small_network()
    before = weights_of(model)
    pruner = pruner_of(model, small_table(pattern="neuron"), None, 4, at_once=True)
    pruner.apply()
    for name, weights in weights_of(model).items():  # nothing goes before an epoch has begun
        assert all(map(np.array_equal, weights, before[name]))
    assert pruner.begin(0) == 1.0
    for name, weights in weights_of(model).items():
        stays = np.ones(1)
        if name in ("point", "conv"):
            power = np.square(before[name][0].reshape(-1, weights[-1].size)).mean(0)
            stays = (np.argsort(np.argsort(power)) >= 2).astype(float)
        for now, was in zip(weights, before[name], strict=True):
            np.testing.assert_array_equal(now, was * stays)


def test_a_small_pruner_follows_its_schedule() -> None:
    """From none to the final half of 120 weights over three epochs: 0, 19/27, 26/27 and all of it."""
    model = small_network()
    pruner = pruner_of(model, small_table(end=1.0), None, 4)
    shares, zero = [], []
    for epoch in range(4):
        shares.append(pruner.begin(epoch))
        zero.append(int((model.get_layer("conv").kernel.numpy() == 0).sum()))
    assert shares == pytest.approx([0, 19 / 27, 26 / 27, 1])
    assert zero == [0, 42, 57, 60]


@pytest.mark.parametrize("pattern", ["weight", "neuron"])
def test_a_small_copy_is_pruned_alike_and_alone(pattern: str) -> None:
    model, copy = small_network(), small_network()
    pruner = pruner_of(model, small_table(pattern=pattern), None, 4, at_once=True)
    untouched = weights_of(model)
    pruner.on(copy).begin(0)
    for name, weights in weights_of(model).items():
        assert all(map(np.array_equal, weights, untouched[name]))
    pruner.begin(0)
    for name, weights in weights_of(copy).items():
        assert all(map(np.array_equal, weights, weights_of(model)[name]))
    assert (copy.get_layer("conv").kernel.numpy() == 0).sum() == 60
    assert (copy.get_layer("conv").bias.numpy() == 0).sum() == (2 if pattern == "neuron" else 0)


def test_whatever_decides_small_masks_is_in_their_digest() -> None:
    model = small_network()
    pruners = [
        pruner_of(model, small_table(end=0.75), None, 4),
        pruner_of(model, small_table(end=0.75, start=0.25), None, 4),
        pruner_of(model, small_table(end=1.0), None, 4),
        pruner_of(model, small_table(end=0.75), None, 5),
        pruner_of(model, small_table(end=0.75), None, 4, at_once=True),
        pruner_of(model, small_table(end=0.75, pattern="neuron"), None, 4),
        pruner_of(model, small_table(end=0.75, sparsity=0.75), None, 4),
    ]
    assert len({pruner.digest() for pruner in pruners}) == len(pruners)
    assert pruners[0].on(small_network()).digest() == pruners[0].digest()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return project_of(tmp_path_factory.mktemp("project"), TOML.format(epochs=5) + TABLE, MODEL)


@pytest.fixture(scope="module")
def whole(project: Project, tmp_path_factory: pytest.TempPathFactory) -> TrainResult:
    return train(project, tmp_path_factory.mktemp("whole"), Progress(io.StringIO()))


def zeros(layer: Any) -> float:
    return float(np.mean(np.asarray(layer.kernel) == 0))


def test_a_trained_network_has_the_zeros_asked_for(whole: TrainResult) -> None:
    model = load_model(whole.model)
    assert zeros(model.get_layer("fc1")) == 0.75
    assert zeros(model.get_layer("logits")) == 0.5
    history = json.loads((whole.model.parent / "history.json").read_text())
    shares = [row["pruned"] for row in history["qat"]]
    assert shares == sorted(shares)
    assert shares[-2:] == [1.0, 1.0]
    assert "pruned" not in history["float"][0]
    assert whole.baseline is not None
    assert zeros(next(layer for layer in load_model(whole.baseline).layers if hasattr(layer, "kernel"))) < 0.01


def test_an_interrupted_pruning_ends_in_the_same_bits(whole: TrainResult, project: Project, tmp_path: Path) -> None:
    shutil.copytree(whole.model.parent / "checkpoints", tmp_path / "checkpoints")
    max((tmp_path / "checkpoints" / "qat").iterdir()).unlink()
    again = train(project, tmp_path, Progress(io.StringIO()))
    for one, other in zip(load_model(whole.model).get_weights(), load_model(again.model).get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_whole_multipliers_are_pruned_and_not_built(tmp_path: Path) -> None:
    text = TOML.format(epochs=4).replace("reuse_factor = 4", f"reuse_factor = {REUSE}") + "[prune]\nsparsity = 0.75\n"
    blocks = {}
    for pattern in ("", 'pattern = "lane"\n'):
        folder = tmp_path / ("lane" if pattern else "weight")
        project = project_of(folder, text + pattern, MODEL)
        result = train(project, folder / "work", Progress(io.StringIO()), lambda _, *size: lane_numbers(*size, REUSE))
        settings = Settings(Fixed.parse("ufixed<5,1>"), Target(), Knobs(reuse_factor=REUSE))
        translated = translate(load_model(result.model), settings, folder / "hls")
        design = emit(schedule(translated.graph, {}, LayerKnobs(REUSE)))
        found = yosys.synthesize(design.files, design.top, Family.XC7, folder, timeout_s=300).get("dsp")
        assert found is not None
        blocks[folder.name] = found.value
        zero = np.mean(translated.graph["fc1"].params["weight"] == 0)
        assert zero >= 0.75
    whole = 64 * 8 // REUSE + 8 * 10 // REUSE
    assert blocks["weight"] >= whole - 2  # zeros here and there leave nearly every multiplier with something to do
    assert blocks["lane"] <= whole / 3.5


def test_falling_widths_are_pruned_once(tmp_path: Path) -> None:
    table = "[quantize]\nbits = 4\nlower = [6]\nepochs = 3\n[prune]\nsparsity = 0.5\n"
    named = MODEL.replace("Dense(8), ReLU(), Dense(10)", "Dense(8, name='fc'), ReLU(), Dense(10, name='logits')")
    project = project_of(tmp_path, TOML.format(epochs=3).replace('quantized = "quantized"\n', "") + table, named)
    result = train_from_float(project, tmp_path / "work", Progress(io.StringIO()))
    history = json.loads((result.model.parent / "history.json").read_text())
    assert [row.get("pruned") for row in history["6 bits"]] == [None, 0.0, pytest.approx(1 - (1 / 3) ** 3), 1.0]
    assert [row.get("pruned") for row in history["quantized"]] == [None, 1.0, 1.0, 1.0]
    model = load_model(result.model)
    assert {zeros(model.get_layer(name)) for name in ("fc", "logits")} == {0.5}


def test_kernels_without_a_zero_are_refused() -> None:
    from qkeras import QDense, binary
    from tf_keras import Sequential
    from tf_keras.layers import Input

    model = Sequential([Input((4,)), QDense(3, kernel_quantizer=binary(alpha=1), name="signs")])
    with pytest.raises(ProjectError, match="'signs' are binary, which has no zero"):
        pruned_kernels(model, prune())
    assert pruned_kernels(model, prune(layers={"signs": 0})) == ()
    with pytest.raises(ProjectError, match="'sings', which has no kernel to prune"):
        pruned_kernels(model, prune(layers={"sings": 0.5}))


def test_lanes_need_the_hardware(project: Project) -> None:
    from hlsflow.qat.build import build

    with pytest.raises(ProjectError, match="pattern 'lane' depends on the hardware"):
        pruned_kernels(build(project, "quantized"), prune(pattern="lane"))


@pytest.mark.parametrize(
    ("table", "said"),
    [("sparsity = 1.0", "prune.sparsity"), ("sparsity = 0.5\nstart = 0.6", "before start"), ("", "prune.sparsity")],
)
def test_bad_tables_are_named(table: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=said):
        project_of(tmp_path, TOML.format(epochs=2) + "[prune]\n" + table, MODEL)


def test_pruning_needs_a_training(tmp_path: Path) -> None:
    text = (
        TOML.format(epochs=2).replace('quantized = "quantized"\n', "") + "[quantize]\nepochs = 0\n[prune]\nsparsity=0.5"
    )
    with pytest.raises(ProjectError, match="prunes while it trains"):
        project_of(tmp_path, text, MODEL)
