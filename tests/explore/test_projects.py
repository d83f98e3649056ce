"""A design point as a project: it loads, runs as it is, and has the knobs and the latency that were asked for."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path

import numpy as np
import pytest

from hlsflow.core.choices import Io, Multiplier, Strategy, WeightsIn
from hlsflow.core.errors import ProjectError
from hlsflow.core.progress import Progress
from hlsflow.data import load_data
from hlsflow.explore.precision import requantized
from hlsflow.explore.projects import Point, write_project
from hlsflow.ir import Fixed, Graph, Node, Op
from hlsflow.pipeline.context import Results
from hlsflow.pipeline.hardware import rtl
from hlsflow.pipeline.run import run
from hlsflow.pipeline.software import translate
from hlsflow.project import PipelineKnobs, Project, for_model, load
from hlsflow.qat import load_model, narrowed, save_model
from hlsflow.rtl.knobs import LayerKnobs, Pipeline
from hlsflow.rtl.schedule import schedule
from tests.qat.qat_project import small_project

PIPELINE = Pipeline(levels_per_stage=1, rows_per_stage=3, cast_register=True)

KNOBS = {
    "conv": LayerKnobs(7, Multiplier.LUT),
    "deep": LayerKnobs(5, Multiplier.DSP, weights_in=WeightsIn.LUT),
    "norm": LayerKnobs(2, Multiplier.LUT),
    "wide": LayerKnobs(13, Multiplier.PACKED, weights_in=WeightsIn.BRAM),
    "last": LayerKnobs(11, Multiplier.DSP, Strategy.SPARSE),
}


def network() -> object:
    from qkeras import QActivation, QConv2D, QDense, QDepthwiseConv2D, quantized_bits
    from tf_keras import Sequential
    from tf_keras.layers import BatchNormalization, Flatten, Input

    grid = quantized_bits(6, 0, alpha=1)
    return Sequential(
        [
            Input((5, 5, 2)),
            QConv2D(3, 3, kernel_quantizer=grid, bias_quantizer=grid, name="conv"),
            QActivation("quantized_relu(5,2)", name="relu1"),
            QDepthwiseConv2D(2, depthwise_quantizer=grid, bias_quantizer=grid, name="deep"),
            QActivation("quantized_relu(5,2)", name="relu2"),
            BatchNormalization(name="norm"),
            QActivation("quantized_relu(5,2)", name="relu3"),
            Flatten(),
            QDense(9, kernel_quantizer=grid, bias_quantizer=grid, name="wide"),
            QActivation("quantized_relu(5,2)", name="relu4"),
            QDense(4, kernel_quantizer=grid, bias_quantizer=grid, name="last"),
        ]
    )


def to_rtl(project: Project, build: Path) -> Results:
    return run(project, build, (translate, rtl), Progress(io.StringIO()), jobs=1)


def graph_of(results: Results) -> Graph:
    assert results.translated is not None
    return Graph.load(results.translated.folder / "graph.npz")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A trained model with its data, both in the project's folder."""
    folder = tmp_path_factory.mktemp("original")
    save_model(network(), folder / "model.h5")
    random = np.random.default_rng(0)
    np.savez(folder / "data.npz", x=random.random((20, 5, 5, 2)), y=random.integers(0, 4, 20))
    return for_model(folder / "model.h5", folder / "data.npz", "ufixed<4,0,RND,SAT>")


@pytest.fixture(scope="module")
def graph(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Graph:
    return graph_of(run(project, tmp_path_factory.mktemp("build"), (translate,), Progress(io.StringIO()), jobs=1))


@pytest.mark.parametrize("io_type", ["io_parallel", "io_stream"])
def test_runs_as_it_is_with_exactly_these_knobs(project: Project, graph: Graph, io_type: str, tmp_path: Path) -> None:
    bits = {"conv": 4, "wide": 3}
    narrow = requantized(graph, bits)
    save_model(narrowed(load_model(project.model_path), narrow, bits), tmp_path / "models" / "narrow.h5")
    target = project.target.model_copy(update={"io_type": io_type})
    point = Point("front_1", "one point\nof many", narrow, KNOBS, PIPELINE, tmp_path / "models" / "narrow.h5")
    written = write_project(project.model_copy(update={"target": target}), point, tmp_path / "front" / "1")
    again = load(tmp_path / "front" / "1" / "project.toml")
    assert again == written
    assert (tmp_path / "front" / "1" / "project.toml").read_text().startswith("# one point\n# of many\n")
    results = to_rtl(again, tmp_path / "build")
    (built,) = results.points
    wanted = schedule(narrow, KNOBS, LayerKnobs(1), PIPELINE, Io(io_type))
    assert built.schedule.to_json() == wanted.to_json()
    assert {layer.name: layer.asked for layer in built.schedule.layers} == {n: k.reuse_factor for n, k in KNOBS.items()}
    for name in bits:
        np.testing.assert_array_equal(graph_of(results)[name].params["weight"], narrow[name].params["weight"])


def test_hls4ml_gets_the_nearest_that_it_has(project: Project, graph: Graph, tmp_path: Path) -> None:
    written = write_project(project, Point("p", "", graph, KNOBS, PIPELINE, project.model_path), tmp_path)
    layers = written.knobs.layers
    assert (layers["conv"].reuse_factor, layers["conv"].rtl.reuse_factor) == (6, 7)  # 18 x 3: 6 and 9 divide it
    assert (layers["deep"].strategy, layers["deep"].rtl.strategy) == ("latency", "resource")
    assert (layers["deep"].reuse_factor, layers["deep"].rtl.reuse_factor) == (5, None)
    assert (layers["norm"].reuse_factor, layers["norm"].rtl.reuse_factor) == (None, 2)
    assert (layers["last"].reuse_factor, layers["last"].strategy) == (9, "sparse")


def test_paths_are_relative_and_the_rest_is_kept(tmp_path: Path) -> None:
    original = small_project(tmp_path / "project", 1)
    toml = (tmp_path / "project" / "project.toml").read_text()
    data = "[knobs.layers.fc1]\nprecision = { accum = 'fixed<20,8>', weight = 'fixed<6,1>' }\n[budgets.ecp5]\nlut = 7\n"
    (tmp_path / "project" / "project.toml").write_text(
        toml.replace('"digits"', '"sub/x.npz"\nfallback = "digits"') + data
    )
    original = load(tmp_path / "project")
    weights = {"weight": np.ones((64, 8), int), "bias": np.zeros(8, int)}
    model = tmp_path / "models" / "m.h5"
    model.parent.mkdir()
    model.write_bytes(b"")
    kind = Fixed.parse("fixed<3,1>")
    fc1 = Node("fc1", Op.DENSE, ("x",), (8,), kind, {"weight": kind, "bias": kind, "accum": kind}, weights)
    graph = Graph("g", (Node("x", Op.INPUT, (), (64,), kind), fc1), ("fc1",))
    folder = tmp_path / "front" / "deep" / "1"
    written = write_project(original, Point("p", "", graph, {"fc1": LayerKnobs(4)}, PIPELINE, model), folder)
    assert (folder / written.data.source).resolve() == (tmp_path / "project" / "sub" / "x.npz").resolve()
    assert (written.model_path.resolve(), written.training) == (model.resolve(), None)
    assert not written.data.source.startswith("/")
    precision = written.knobs.layers["fc1"].precision
    assert (str(precision.accum), str(precision.weight), precision.bias) == ("fixed<20,8>", "fixed<3,1>", None)
    for part in ("input", "target", "budgets", "gate"):
        assert getattr(written, part) == getattr(original, part)
    assert (written.data.scale, written.data.test, written.data.seed) == (0.0625, 0.2, 0)


def test_a_trained_model_is_judged_by_samples_its_training_has_not_seen(tmp_path: Path) -> None:
    original = small_project(tmp_path / "project", 1)
    graph = Graph("g", (), ())
    (tmp_path / "m.h5").write_bytes(b"")
    written = write_project(original, Point("p", "", graph, {}, PIPELINE, tmp_path / "m.h5"), tmp_path / "front")
    before, after = load_data(original), load_data(written)
    np.testing.assert_array_equal(after.x_test, before.x_test)
    np.testing.assert_array_equal(after.y_test, before.y_test)
    assert not len(after.y_train)


def test_a_detector_is_still_told_which_classes_are_normal(tmp_path: Path) -> None:
    small_project(tmp_path / "project", 1)
    file = tmp_path / "project" / "project.toml"
    file.write_text(file.read_text() + "[anomaly]\n")  # all of it as by default
    original = load(tmp_path / "project")
    (tmp_path / "m.h5").write_bytes(b"")
    point = Point("p", "", Graph("g", (), ()), {}, PIPELINE, tmp_path / "m.h5")
    written = write_project(original, point, tmp_path / "front")
    assert written.anomaly == original.anomaly
    np.testing.assert_array_equal(load_data(written).y_test, load_data(original).y_test)
    assert load_data(written).classes == 2


def test_layer_names_are_quoted(tmp_path: Path) -> None:
    original = small_project(tmp_path / "project", 1)
    knobs = original.knobs.model_copy(update={"layers": {'a"b.c d': original.knobs.of("x").model_copy()}})
    (tmp_path / "m.h5").write_bytes(b"")
    point = Point("p", "", Graph("g", (), ()), {}, PIPELINE, tmp_path / "m.h5")
    assert list(write_project(original.model_copy(update={"knobs": knobs}), point, tmp_path / "f").knobs.layers) == [
        'a"b.c d'
    ]


def test_refuses_knobs_for_no_layer(project: Project, graph: Graph, tmp_path: Path) -> None:
    point = Point("p", "", graph, {"no": LayerKnobs(1)}, PIPELINE, project.model_path)
    with pytest.raises(ProjectError, match="'no'"):
        write_project(project, point, tmp_path)


def test_a_project_names_all_of_a_pipeline() -> None:
    assert dict(PipelineKnobs()) == dataclasses.asdict(Pipeline())
