"""Anomaly detection: trained on normal samples alone, a threshold that is the quantile, and layers that compute it."""

from __future__ import annotations

import io
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hlsflow.core.errors import DataError, ModelError, ProjectError
from hlsflow.core.metrics import Stage
from hlsflow.core.progress import Progress
from hlsflow.data import load_data
from hlsflow.data.data import Dataset
from hlsflow.explore.precision import requantized
from hlsflow.hls.translate import Settings, translate
from hlsflow.ir import Graph, evaluate
from hlsflow.pipeline.context import Samples
from hlsflow.pipeline.hardware import rtlsim
from hlsflow.pipeline.run import CHECK_STEPS, STEPS, run
from hlsflow.project import Anomaly, Project
from hlsflow.qat import TrainResult, fine_tune, load_model, narrowed, save_model, train
from hlsflow.qat.anomaly import (
    ERROR,
    SCORE,
    _representable,
    autoencoder_of,
    check_autoencoder,
    detector,
    normal_samples,
)
from hlsflow.qat.objective import Reconstruction
from tests.qat.qat_project import project_of

MODEL = """
from qkeras import QActivation, QDense, quantized_bits
from tf_keras import Sequential
from tf_keras.layers import Dense, Input, ReLU

GRID = quantized_bits(6, 0, alpha=1)


def quantized():
    return Sequential([
        Input((64,)),
        QDense(6, kernel_quantizer=GRID, bias_quantizer=GRID, name="code"),
        QActivation("quantized_relu(6,2)", name="relu"),
        QDense(64, kernel_quantizer=GRID, bias_quantizer=GRID, name="pixels"),
        QActivation("quantized_bits(6,1,alpha=1)", name="grid"),
    ])


def baseline():
    return Sequential([Input((64,)), Dense(6), ReLU(), Dense(64)])


def logits():
    return Sequential([Input((64,)), Dense(10)])
"""

TOML = """
name = "odd"
[data]
source = "digits"
test = 0.3
validation = 0.25
scale = 0.0625
[anomaly]
normal = [0, 1]
quantile = 0.9
[model]
quantized = "quantized"
baseline = "baseline"
[training]
epochs = 4
batch_size = 32
learning_rate = 0.01
seed = 3
[input]
precision = "ufixed<5,1>"
[target]
families = ["xc7"]
[knobs]
reuse_factor = 8
"""

BUILDERS = 'quantized = "quantized"\nbaseline = "baseline"'
QUIET = Progress(io.StringIO())
UP_TO_RTL = STEPS[: STEPS.index(rtlsim) + 1]


def odd_project(folder: Path, *changes: tuple[str, str]) -> Project:
    """The project, with pieces of its text replaced."""
    text = TOML
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return project_of(folder, text, MODEL)


def dataset(x: NDArray[Any]) -> Dataset:
    """Normal samples to validate with, and nothing else."""
    x, none = x.astype(np.float32), x[:0].astype(np.float32)
    y = np.zeros(len(x), np.int64)
    return Dataset("made up", none, y[:0], x, y, none, y[:0])


def autoencoder(size: int = 12, code: int = 4) -> Any:
    """A network that gives back something like what it takes, with random weights."""
    from qkeras import QActivation, QDense, quantized_bits
    from tf_keras import Sequential
    from tf_keras.layers import Input

    grid = quantized_bits(6, 0, alpha=1)
    model = Sequential(
        [
            Input((size,)),
            QDense(code, kernel_quantizer=grid, bias_quantizer=grid, name="encode"),
            QActivation("quantized_relu(6,2)", name="relu"),
            QDense(size, kernel_quantizer=grid, bias_quantizer=grid, name="decode"),
            QActivation("quantized_bits(6,1,alpha=1)", name="grid"),
        ]
    )
    return _random(model)


def image_autoencoder() -> Any:
    """The same of images, with convolutions, whose output is flat."""
    from qkeras import QActivation, QConv2D, QDense, quantized_bits
    from tf_keras import Sequential
    from tf_keras.layers import Flatten, Input

    grid = quantized_bits(6, 0, alpha=1)
    model = Sequential(
        [
            Input((4, 4, 2)),
            QConv2D(3, 3, kernel_quantizer=grid, bias_quantizer=grid, name="encode"),
            QActivation("quantized_relu(6,2)", name="relu"),
            Flatten(name="flat"),
            QDense(32, kernel_quantizer=grid, bias_quantizer=grid, name="decode"),
            QActivation("quantized_bits(6,1,alpha=1)", name="grid"),
        ]
    )
    return _random(model)


def filtering_autoencoder() -> Any:
    """The same again, whose output is an image, and not quantized."""
    from qkeras import QActivation, QConv2D, quantized_bits
    from tf_keras import Sequential
    from tf_keras.layers import Input

    grid = quantized_bits(6, 0, alpha=1)
    model = Sequential(
        [
            Input((4, 4, 2)),
            QConv2D(3, 3, padding="same", kernel_quantizer=grid, bias_quantizer=grid, name="encode"),
            QActivation("quantized_relu(6,2)", name="relu"),
            QConv2D(2, 3, padding="same", kernel_quantizer=grid, bias_quantizer=grid, name="decode"),
        ]
    )
    return _random(model)


def _random(model: Any) -> Any:
    rng = np.random.default_rng(1)
    model.set_weights([rng.integers(-20, 21, array.shape) / 32 for array in model.get_weights()])
    return model


def samples(shape: tuple[int, ...], rows: int = 200) -> NDArray[np.float32]:
    """On the grid of ufixed<5,1>, from 0 to 1."""
    return (np.random.default_rng(2).integers(0, 17, (rows, *shape)) / 16).astype(np.float32)


def scores(model: Any, x: NDArray[np.float32]) -> NDArray[np.float64]:
    """What a detector of an autoencoder compares with its threshold, in float64."""
    found = model.predict(x, verbose=0).reshape(len(x), -1).astype(np.float64)
    result: NDArray[np.float64] = np.abs(x.reshape(len(x), -1) - found).sum(1)
    return result


def test_the_loss_is_the_mean_squared_error_against_the_sample() -> None:
    rng = np.random.default_rng(0)
    x, found = rng.normal(size=(5, 2, 3)).astype(np.float32), rng.normal(size=(5, 6)).astype(np.float32)
    wanted = ((x.reshape(5, 6) - found) ** 2).mean(1)
    np.testing.assert_allclose(Reconstruction().losses(x, None, found), wanted, rtol=1e-6)
    np.testing.assert_allclose(Reconstruction().losses(x, None, found.reshape(5, 2, 3)), wanted, rtol=1e-6)


@pytest.mark.parametrize("quantile", [0.5, 0.9, 0.951, 1.0])
def test_the_threshold_is_the_least_score_that_lets_so_many_pass(quantile: float) -> None:
    model, x = autoencoder(), samples((12,), 40)
    found = detector(model, dataset(x), quantile, quantized=True)
    own = np.sort(scores(model, x))
    passing = own <= found.threshold
    assert found.threshold in own
    assert passing.mean() >= quantile
    assert (own < found.threshold).mean() < quantile
    np.testing.assert_array_equal(np.sort(found.model.predict(x, verbose=0)[:, 0]) > 0, ~passing)
    assert found.samples == 40


@pytest.mark.parametrize("build", [autoencoder, image_autoencoder, filtering_autoencoder])
def test_the_logit_is_the_score_less_the_threshold(build: Any) -> None:
    model = build()
    x = samples(tuple(model.input_shape[1:]))
    found = detector(model, dataset(x[:50]), 0.9, quantized=True)
    np.testing.assert_array_equal(found.model.predict(x, verbose=0)[:, 0], scores(model, x) - found.threshold)
    layer = found.model.get_layer(SCORE)
    np.testing.assert_array_equal(layer.get_weights()[0], 1)
    ones = layer.kernel_quantizer_internal
    assert (ones.bits, ones.integer, ones.alpha) == (2, 1, 1)


def test_a_float_detector_is_right_within_float32() -> None:
    from tf_keras import Sequential
    from tf_keras.layers import Dense, Input

    model = Sequential([Input((12,)), Dense(3), Dense(12)])
    x = samples((12,))
    found = detector(model, dataset(x[:50]), 0.9, quantized=False)
    np.testing.assert_allclose(
        found.model.predict(x, verbose=0)[:, 0], scores(model, x) - found.threshold, atol=1e-5 * found.threshold
    )


@pytest.mark.parametrize("offset", [0.0, 2.0**-7, 0.3125, 1.0, 13.0, 1024.0625])
def test_every_threshold_is_exact(offset: float) -> None:
    """A network that gives back its input, and samples that are off by a known amount."""
    from qkeras import QActivation
    from tf_keras import Sequential
    from tf_keras.layers import Input

    model = Sequential([Input((2,)), QActivation("quantized_bits(6,0,alpha=1)")])  # up to 1 - 1/32
    x = np.array([[1 - 1 / 32 + offset, 0.0]] * 4, np.float32)
    found = detector(model, dataset(x), 0.95, quantized=True)
    assert found.threshold == offset
    assert found.model.get_layer(SCORE).get_weights()[1] == -offset
    np.testing.assert_array_equal(found.model.predict(x, verbose=0), 0)
    np.testing.assert_array_equal(found.model.predict(x + np.float32(2**-8), verbose=0) > 0, True)


@pytest.mark.parametrize("power", [-9, -1, 0, 1, 10])
@pytest.mark.parametrize("rest", [0, 1, 5, 8, 15])
@pytest.mark.parametrize("top", [1 << 21, (1 << 21) + 1, 3 << 20, (1 << 22) - 1])
def test_a_threshold_is_rounded_up_to_22_bits(power: int, rest: int, top: int) -> None:
    """Up, so that no sample that was to pass becomes an anomaly; on the same grid it stays."""
    value = Fraction(16 * top + rest) * Fraction(2) ** (power - 4)
    wanted = Fraction(top + (rest > 0)) * Fraction(2) ** power
    assert Fraction(_representable(float(value))) == wanted
    assert float(np.float32(wanted)) == wanted


@pytest.mark.parametrize("value", [0.0, -1e-12, -3.5])
def test_a_threshold_is_never_negative(value: float) -> None:
    assert _representable(value) == 0


def test_the_autoencoder_within_a_detector() -> None:
    model, x = autoencoder(), samples((12,))
    whole = detector(model, dataset(x), 0.9, quantized=True).model
    np.testing.assert_array_equal(autoencoder_of(whole).predict(x, verbose=0), model.predict(x, verbose=0))


@pytest.mark.parametrize(
    ("build", "io_type", "factors"),
    [
        (autoencoder, "io_parallel", (3, 300)),
        (image_autoencoder, "io_stream", (7,)),
        pytest.param(filtering_autoencoder, "io_parallel", (5,), marks=pytest.mark.slow),
        pytest.param(autoencoder, "io_stream", (1, 5), marks=pytest.mark.slow),
        pytest.param(image_autoencoder, "io_parallel", (1, 300), marks=pytest.mark.slow),
        pytest.param(filtering_autoencoder, "io_stream", (1, 300), marks=pytest.mark.slow),
    ],
)
def test_all_executors_compute_the_same_logit(
    build: Any, io_type: str, factors: tuple[int, ...], tmp_path: Path
) -> None:
    """The input feeds the first layer and both differences, whatever the latency between them is.

    QKeras = C-simulation = oracle on samples, oracle = RTL on samples and on random values of the whole input grid.
    """
    model = build()
    x = samples(tuple(model.input_shape[1:]))
    found = detector(model, dataset(x[:50]), 0.9, quantized=True)
    project = trained_file(tmp_path, found.model, x, np.arange(len(x)) % 3, io_type)
    results = run(project.sweeping(factors), tmp_path / "build", UP_TO_RTL, QUIET)
    assert results.gate is not None
    assert results.gate.passed
    compared = [(one.left, one.right) for one in results.gate.comparisons]
    simulated = [("oracle", f"rtl R{factor}") for factor in factors]
    assert compared == [("file", "frozen"), ("frozen", "csim"), ("csim", "oracle"), *simulated]
    assert results.translated is not None
    graph = Graph.load(results.translated.folder / "graph.npz")
    logits = graph.results[0].type.real(evaluate(graph, Samples.load(results.translated.folder).x))[:, 0]
    np.testing.assert_array_equal(logits, scores(model, x) - found.threshold)
    for name in ("accuracy", "tpr", "fpr", "auc"):
        told = [results.metrics.get(name, stage) for stage in (Stage.QAT, Stage.CSIM)]
        told += [point.metrics.get(name, Stage.SIMULATED) for point in results.points]
        assert len({metric.value for metric in told if metric}) == 1
        assert all(told)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return odd_project(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def trained(project: Project, tmp_path_factory: pytest.TempPathFactory) -> TrainResult:
    return train(project, tmp_path_factory.mktemp("trained"), QUIET)


def test_training_sees_normal_samples_alone(project: Project) -> None:
    from sklearn.datasets import load_digits

    data = load_data(project)
    assert data.labels == ("normal", "anomaly")
    digits = load_digits()
    normal = {row.tobytes() for row in (digits.data[digits.target < 2] / 16).astype(np.float32)}
    for x, y in ((data.x_train, data.y_train), (data.x_val, data.y_val), (data.x_test, data.y_test)):
        assert [row.tobytes() in normal for row in x] == [not anomaly for anomaly in y]
    own = normal_samples(data)
    assert all(row.tobytes() in normal for row in (*own.x_train, *own.x_val))
    assert (len(own.x_train), len(own.x_val)) == ((data.y_train == 0).sum(), (data.y_val == 0).sum())
    assert own.x_test is data.x_test


def test_the_best_epoch_is_that_of_the_lowest_loss(trained: TrainResult, project: Project) -> None:
    history = json.loads((trained.model.parent / "history.json").read_text())
    assert set(history) == {"float", "qat"}
    for name, rows in history.items():
        assert len(rows) == 4
        assert all("val_accuracy" not in row for row in rows)
        model = autoencoder_of(load_model(trained.model.with_name(f"{name}.h5")))
        x = normal_samples(load_data(project)).x_val
        loss = float(np.mean((x - model.predict(x, verbose=0)) ** 2))
        assert loss == pytest.approx(min(row["val_loss"] for row in rows), rel=1e-5)


def test_what_is_saved_is_the_detector_and_its_figures(trained: TrainResult, project: Project) -> None:
    from sklearn.metrics import roc_auc_score

    assert trained.baseline is not None
    told = json.loads((trained.model.parent / "anomaly.json").read_text())
    data = load_data(project)
    for file, stage in ((trained.baseline, Stage.FLOAT), (trained.model, Stage.QAT)):
        model = load_model(file)
        own = scores(autoencoder_of(model), data.x_test)
        above, there = own > told[file.stem]["threshold"], data.y_test == 1
        wanted = {
            "accuracy": np.mean(above == there),
            "tpr": above[there].mean(),
            "fpr": above[~there].mean(),
            "auc": roc_auc_score(there, own),
        }
        for name, value in wanted.items():
            metric = trained.metrics.get(name, stage)
            assert metric is not None
            assert metric.value == pytest.approx(value)
            assert (metric.unit, metric.target) == ("fraction", f"digits, {len(there)} test samples")
            assert ("threshold" in metric.note) == (name in ("tpr", "fpr"))
        normal = scores(autoencoder_of(model), normal_samples(data).x_val)
        assert np.mean(normal <= told[file.stem]["threshold"]) >= 0.9
        assert told[file.stem]["samples"] == len(normal)


def test_a_resumed_training_ends_in_the_same_bits(trained: TrainResult, project: Project, tmp_path: Path) -> None:
    whole = load_model(trained.model).get_weights()
    first = train(odd_project(tmp_path), tmp_path / "work", QUIET)
    for name in ("float", "qat"):
        max((tmp_path / "work" / "checkpoints" / name).iterdir()).unlink()
    first.model.unlink()
    log = io.StringIO()
    again = train(odd_project(tmp_path), tmp_path / "work", Progress(log))
    assert "quantized: going on after epoch 3 of 4" in log.getvalue()
    for one, other in zip(load_model(again.model).get_weights(), whole, strict=True):
        np.testing.assert_array_equal(one, other)


def test_other_normal_classes_do_not_go_on_with_these_weights(tmp_path: Path) -> None:
    short = ("epochs = 4", "epochs = 1")
    train(odd_project(tmp_path, short), tmp_path / "work", QUIET)
    log = io.StringIO()
    train(odd_project(tmp_path, short, ("[0, 1]", "[0, 2]")), tmp_path / "work", Progress(log))
    assert "going on" not in log.getvalue()


def test_narrower_weights_are_fine_tuned_and_get_a_new_threshold(
    trained: TrainResult, project: Project, tmp_path: Path
) -> None:
    whole, bits = load_model(trained.model), {"code": 4, "pixels": 4}
    settings = Settings(project.input.precision, project.target, project.knobs)
    graph = requantized(translate(whole, settings, tmp_path / "hls").graph, bits)
    save_model(narrowed(whole, graph, bits), tmp_path / "narrow.h5")
    result = fine_tune(project, tmp_path / "narrow.h5", tmp_path / "tuned", 3, 1.0, QUIET)
    rows = json.loads((tmp_path / "tuned" / "history.json").read_text())["qat"]
    assert len(rows) == 4
    assert min(row["val_loss"] for row in rows) < rows[0]["val_loss"]
    tuned = load_model(result.model)
    own, x = autoencoder_of(tuned), normal_samples(load_data(project)).x_val
    threshold = -tuned.get_layer(SCORE).get_weights()[1][0]
    assert threshold == np.quantile(scores(own, x), 0.9, method="inverted_cdf")
    assert {metric.name for metric in result.metrics} == {"accuracy", "tpr", "fpr", "auc"}
    again = translate(tuned, settings, tmp_path / "again").graph
    assert [again[name].types["weight"].width for name in (*bits, SCORE)] == [4, 4, 2]


def test_pruned_neurons_leave_and_shared_weights_stay_few(tmp_path: Path) -> None:
    more = "[prune]\nsparsity = 0.5\npattern = 'neuron'\nlayers = { pixels = 0 }\n[share]\nvalues = 8\n[knobs]"
    model = load_model(train(odd_project(tmp_path, ("[knobs]", more)), tmp_path / "work", QUIET).model)
    assert model.get_layer("code").units == 3
    assert len(np.unique(model.get_layer("pixels").get_weights()[0])) <= 8
    assert model.get_layer(SCORE).units == 1


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('quantized = "quantized"\n', "", "give model.quantized"),
        (f"{BUILDERS}\n", 'baseline = "baseline"\n[quantize]\n', "remove [quantize]"),
        ("[target]", "[distil]\n[target]", "remove [distil]"),
        ("[target]", "[search]\nspace = { width = [1, 2] }\n[target]", "remove [search] or [anomaly]"),
        ("scale = 0.0625", 'normalize = "fixed<8,3>"', "use data.standardize or data.scale instead"),
        (
            "normal = [0, 1]",
            "normal = []",
            "anomaly.normal is [] (an array), but it should have at least 1 item, not 0",
        ),
        ("normal = [0, 1]", "normal = [0, -1]", "anomaly.normal[1] is -1 (an integer), but it should be greater than"),
        ("normal = [0, 1]", "normal = [0.5]", "anomaly.normal[0] is 0.5 (a float), but it should be a valid integer"),
        ("normal = [0, 1]", "normal = [0, 0]", "anomaly.normal: 0 stands there more than once"),
        ("quantile = 0.9", "quantile = 1.5", "anomaly.quantile is 1.5 (a float), but it should be less than or equal"),
        ("quantile = 0.9", "quantil = 0.9", "anomaly.quantil is not a known key; did you mean quantile?"),
    ],
)
def test_what_does_not_go_together(old: str, new: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ProjectError) as caught:
        odd_project(tmp_path, (old, new))
    assert said in caught.value.message
    assert len(caught.value.message.splitlines()) == 1


def test_a_classifier_is_no_autoencoder(tmp_path: Path) -> None:
    project = odd_project(tmp_path, (BUILDERS, 'quantized = "logits"'))
    with pytest.raises(
        ModelError, match=r"^logits\(\) takes samples of shape \(64,\) and gives outputs of shape \(10,\)"
    ):
        train(project, tmp_path / "work", QUIET)


def test_an_autoencoder_has_one_input() -> None:
    from tf_keras import Model
    from tf_keras.layers import Concatenate, Input

    ends = [Input((2,)), Input((2,))]
    with pytest.raises(ModelError, match=r"^quantized\(\) has 2 inputs; \[anomaly\] reconstructs one"):
        check_autoencoder(Model(ends, Concatenate()(ends)), "quantized()")


def test_names_of_the_detector_are_taken() -> None:
    from tf_keras import Sequential
    from tf_keras.layers import Dense, Input

    with pytest.raises(ModelError, match="has a layer 'anomaly_error', the name of one of the detector's"):
        check_autoencoder(Sequential([Input((4,)), Dense(4, name=ERROR)]), "quantized()")


@pytest.mark.parametrize(
    ("normal", "said"), [("[0, 12]", "names 12, but digits has the classes 0, 1, 2"), ('["a"]', "names 'a'")]
)
def test_normal_classes_must_occur(normal: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=said):
        load_data(odd_project(tmp_path, ("[0, 1]", normal)))


def test_without_normal_samples_to_validate_with_nothing_is_trained() -> None:
    x, y = np.zeros((3, 2), np.float32), np.array([0, 1, 0])
    data = Dataset("few", x, y, x[1:2], y[1:2], x, y)
    with pytest.raises(DataError, match="'few' has 2 normal training and 0 normal validation samples"):
        normal_samples(data)


def test_classes_of_a_table_go_by_name_and_statistics_by_normal_samples(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    lines = [f"{rng.normal()},{rng.normal()},good" for _ in range(60)]
    lines += [f"{rng.normal() + 50},{rng.normal()},{kind}" for kind in ("worn", "broken") for _ in range(20)]
    (tmp_path / "parts.csv").write_text("\n".join(["a,b,class", *lines]))
    project = odd_project(
        tmp_path,
        ('source = "digits"', 'source = "parts.csv"\nstandardize = true'),
        ("scale = 0.0625\n", ""),
        ("normal = [0, 1]", 'normal = ["good"]'),
        ("ufixed<5,1>", "fixed<12,5,RND,SAT>"),
    )
    data = load_data(project)
    assert data.labels == ("normal", "anomaly")
    x = np.concatenate([data.x_train[data.y_train == 0], data.x_val[data.y_val == 0]])
    np.testing.assert_allclose((x.mean(0), x.std(0)), [[0, 0], [1, 1]], atol=0.01)
    assert [int(y.sum()) for y in (data.y_train, data.y_val, data.y_test)] == [21, 7, 12]
    assert data.x_test[data.y_test == 1][:, 0].min() > 15


def trained_file(
    folder: Path, model: Any, x: NDArray[np.float32], y: NDArray[np.int64] | None, io_type: str = "io_parallel"
) -> Project:
    """A project around a trained model."""
    folder.mkdir(exist_ok=True)
    save_model(model, folder / "model.h5")
    np.savez(folder / "x.npz", x=x, **({} if y is None else {"y": y}))
    before, rest = TOML.replace(BUILDERS, 'file = "model.h5"').split("[training]")
    text = (before + "[input]" + rest.split("[input]")[1]).replace('source = "digits"', 'source = "x.npz"')
    text = text.replace("test = 0.3\nvalidation = 0.25\nscale = 0.0625\n", "")
    return project_of(folder, text.replace("[target]", f'[target]\nio_type = "{io_type}"'), "")


def test_a_trained_detector_is_judged(tmp_path: Path) -> None:
    model, x, y = autoencoder(), samples((12,), 80), np.arange(80) % 4
    whole = detector(model, dataset(x), 0.8, quantized=True)
    results = run(trained_file(tmp_path, whole.model, x, y), tmp_path / "build", CHECK_STEPS, QUIET)
    above = scores(model, x) > whole.threshold
    for stage in (Stage.QAT, Stage.CSIM):
        found = {name: results.metrics.get(name, stage) for name in ("tpr", "fpr")}
        assert all(found.values())
        assert found["tpr"].value == pytest.approx(above[y > 1].mean())  # type: ignore[union-attr]
        assert found["fpr"].value == pytest.approx(above[y < 2].mean())  # type: ignore[union-attr]


def test_what_there_are_no_samples_for_is_missing(tmp_path: Path) -> None:
    x, y = samples((12,), 80), np.arange(80) % 2
    whole = detector(autoencoder(), dataset(x), 0.8, quantized=True)
    results = run(trained_file(tmp_path, whole.model, x, y), tmp_path / "build", CHECK_STEPS, QUIET)
    for name in ("tpr", "auc"):
        metric = results.metrics.get(name, Stage.CSIM)
        assert metric is not None
        assert (metric.value, metric.note) == (None, "there are no anomalies in the test set")
    unknown = run(trained_file(tmp_path / "none", whole.model, x, None), tmp_path / "build", CHECK_STEPS, QUIET)
    metric = unknown.metrics.get("accuracy", Stage.CSIM)
    assert metric is not None
    assert metric.note == "the data has no classes"
    assert unknown.metrics.get("tpr") is None


def test_a_trained_model_of_more_outputs_is_no_detector(tmp_path: Path) -> None:
    project = trained_file(tmp_path, autoencoder(), samples((12,), 80), np.arange(80) % 4)
    with pytest.raises(ModelError, match=r"model\.h5 gives 12 outputs, but with \[anomaly\]"):
        run(project, tmp_path / "build", CHECK_STEPS, QUIET)


def test_without_the_table_nothing_is_told_of_it(project: Project) -> None:
    assert "anomaly" in project.model_dump()
    plain = project.model_copy(update={"anomaly": None})
    assert "anomaly" not in plain.model_dump()
    assert plain.digest_fields("anomaly", "name") == {"name": "odd"}
    assert Anomaly().model_dump(mode="json") == {"normal": [0], "quantile": 0.95}
