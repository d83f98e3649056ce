"""The projects that come with hlsflow: their data, and an epoch of training on a few made-up images."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hlsflow.core.metrics import Stage
from hlsflow.core.progress import Progress
from hlsflow.data import load_data
from hlsflow.keras.inputs import shapes_of
from hlsflow.project import Project, load
from hlsflow.qat import load_model, train
from hlsflow.qat.anomaly import normal_samples
from hlsflow.qat.build import build

PROJECTS = Path(__file__).parents[2] / "projects"
SHAPES = {"mnist": (28, 28), "resnet_cifar10": (32, 32, 3), "cifar10": (32, 32, 3)}
BITS = {"mnist": 6, "resnet_cifar10": 8, "cifar10": 8}


def small(name: str, folder: Path) -> Project:
    """The project with a few random images and one epoch, without its float baseline."""
    rng, project = np.random.default_rng(0), load(PROJECTS / name)
    arrays = {
        f"{kind}_{part}": rng.integers(0, 256, (n, *SHAPES[name])) if kind == "x" else np.arange(n) % 10
        for part, n in (("train", 100), ("test", 20))
        for kind in "xy"
    }
    np.savez(folder / "few.npz", allow_pickle=False, **arrays)
    assert project.training is not None
    return project.model_copy(
        update={
            "model": project.model.model_copy(update={"baseline": None}),
            "data": project.data.model_copy(update={"source": str(folder / "few.npz")}),
            "training": project.training.model_copy(update={"epochs": 1, "batch_size": 30}),
        }
    )


@pytest.mark.parametrize("name", ["mnist", "cifar10", pytest.param("resnet_cifar10", marks=pytest.mark.slow)])
def test_one_epoch_and_outputs_that_do_not_depend_on_the_batch(name: str, tmp_path: Path) -> None:
    project, log = small(name, tmp_path), io.StringIO()
    result = train(project, tmp_path / "out", Progress(log))
    assert "data: few.npz, 90 training, 10 validation and 20 test samples" in log.getvalue()
    assert [(metric.stage, metric.target) for metric in result.metrics] == [(Stage.QAT, "few.npz, 20 test samples")]
    model = load_model(result.model)
    x = load_data(project).shaped(model.input_shape[1:]).x_test
    one, other = (model.predict(x, batch_size=batch, verbose=0) for batch in (20, 7))
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", list(SHAPES))
def test_the_float_baseline_has_the_same_shape(name: str) -> None:
    project = load(PROJECTS / name)
    models = [build(project, function) for function in ("quantized", "baseline")]
    assert models[0].input_shape == models[1].input_shape
    assert models[0].output_shape == models[1].output_shape == (None, 10)
    shapes = [[layer.kernel.shape for layer in model.layers if hasattr(layer, "kernel")] for model in models]
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize("name", list(SHAPES))
def test_no_weight_and_no_activation_is_wider_than_the_readme_says(name: str) -> None:
    project = load(PROJECTS / name)
    model = build(project, "quantized")
    quantizers = [q for layer in model.layers if hasattr(layer, "get_quantizers") for q in layer.get_quantizers()]
    quantizers += [layer.quantizer for layer in model.layers if hasattr(layer, "quantizer")]
    assert len(quantizers) > 8
    assert max(q.bits for q in quantizers if q) <= BITS[name]
    assert project.input.precision.width <= BITS[name]


SIZES = {"mnist": (7200, 800, 2000), "resnet_cifar10": (3424, 381, 761), "cifar10": (3424, 381, 761)}


@pytest.mark.parametrize(("name", "sizes"), SIZES.items())
def test_the_real_images_are_used_where_they_are(name: str, sizes: tuple[int, ...]) -> None:
    project = load(PROJECTS / name)
    if project.data_path is None:
        pytest.skip(f"{project.data.source} is not there; {project.data_name} stands in")
    data = load_data(project)
    assert tuple(map(len, (data.y_train, data.y_val, data.y_test))) == sizes
    assert (data.shape, data.classes) == (SHAPES[name], 10)
    assert set(np.unique(data.x_test * 2.0**project.input.precision.frac)) == set(
        range(project.input.precision.max + 1)
    )


@pytest.mark.slow
def test_the_script_leaves_a_foreign_model_and_its_samples(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    images = {f"x_{part}": rng.integers(0, 256, (64, 32, 32, 3), np.uint8) for part in ("train", "test")}
    classes = {f"y_{part}": np.arange(64) % 10 for part in ("train", "test")}
    np.savez(tmp_path / "images.npz", allow_pickle=False, **images, **classes)
    script = PROJECTS.parent / "scripts" / "train_tiny_resnet.py"
    out = tmp_path / "tiny.h5"
    subprocess.run([sys.executable, script, tmp_path / "images.npz", "--epochs", "1", "--out", out], check=True)
    folded = [layer for layer in load_model(out).layers if hasattr(layer, "get_folded_weights")]
    assert sum(np.size(array) for layer in folded for array in layer.get_folded_weights()) == 59082 - 5130
    with np.load(tmp_path / "tiny.npz") as samples:
        np.testing.assert_array_equal(samples["x"] * 256, images["x_test"])


def test_jets_say_when_they_are_made_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HLSFLOW_DATA", str(tmp_path))
    project = load(PROJECTS / "jets")
    assert (project.data_path, project.data_name) == (None, "synthetic_jets")  # which every accuracy names
    for function in ("quantized", "baseline"):
        model = build(project, function)
        assert (model.input_shape, model.output_shape) == ((None, 16), (None, 5))
    np.savez(tmp_path / "jets.npz", x=np.zeros((2, 16)), y=[0, 1])
    assert (project.data_path, project.data_name) == (tmp_path / "jets.npz", "jets")


def test_fusion_reads_two_views_or_either() -> None:
    project = load(PROJECTS / "fusion")
    data, read = load_data(project), {"both": 72 + 32, "image": 72, "vector": 32}
    assert (project.data_name, data.shape, data.classes) == ("digits_fusion", (48,), 10)
    assert set(np.unique(data.x_test * 128)) <= set(range(129))  # means in steps of 1/128, and 1 is the largest pixel
    for sees, width in read.items():
        arguments = project.model.model_copy(update={"arguments": {"sees": sees}})
        models = [
            build(project.model_copy(update={"model": arguments}), function) for function in ("quantized", "baseline")
        ]
        assert [shapes_of(model) for model in models] == [[(4, 8, 1), (16,)]] * 2
        shapes = [[layer.kernel.shape for layer in model.layers if hasattr(layer, "kernel")] for model in models]
        assert shapes[0] == shapes[1]
        assert models[0].get_layer("fc1").kernel.shape == (width, 32)


def test_the_autoencoders_of_anomaly_are_of_one_shape_and_six_bits() -> None:
    project = load(PROJECTS / "anomaly")
    models = [build(project, function) for function in ("quantized", "baseline")]
    kernels = [[layer.kernel.shape for layer in model.layers if hasattr(layer, "kernel")] for model in models]
    assert kernels[0] == kernels[1] == [(64, 32), (32, 16), (16, 32), (32, 64)]
    for model in models:
        assert (model.input_shape, model.output_shape) == ((None, 64), (None, 64))
    quantizers = [q for layer in models[0].layers if hasattr(layer, "get_quantizers") for q in layer.get_quantizers()]
    assert max(q.bits for q in quantizers) == 6


def test_anomaly_learns_two_digits_and_is_tested_with_all() -> None:
    data = load_data(load(PROJECTS / "anomaly"))
    own = normal_samples(data)
    assert (len(own.y_train), len(own.y_val)) == (162, 54)
    assert [int((data.y_test == kind).sum()) for kind in (0, 1)] == [144, 575]
