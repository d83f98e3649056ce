"""Networks of several inputs: their samples taken apart, trained, resumed, compressed, and exact down to the RTL."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from hlsflow.core.errors import DataError, FlowError, ModelError
from hlsflow.core.metrics import Stage
from hlsflow.core.progress import Progress
from hlsflow.data import load_data
from hlsflow.keras import inputs
from hlsflow.pipeline.hardware import synth
from hlsflow.pipeline.run import STEPS, run
from hlsflow.project import Project
from hlsflow.qat import load_model, train, train_from_float
from hlsflow.qat.build import build
from hlsflow.qat.compress.shrink import shrunk
from tests.qat.qat_project import project_of
from tests.qat.test_devices import CLOSE, trained

MODEL = """
from qkeras import QActivation, QDense, quantized_bits
from tf_keras import Model
from tf_keras.layers import Concatenate, Dense, Dropout, Flatten, Input, ReLU

GRID = quantized_bits(6, 0, alpha=1)
GRIDS = {"kernel_quantizer": GRID, "bias_quantizer": GRID}


def quantized():
    vector, image = Input((16,), name="vector"), Input((4, 8, 1), name="image")
    sums = QActivation("quantized_relu(6,2)", name="relu2")(QDense(6, name="fc2", **GRIDS)(vector))
    seen = QDense(6, name="fc1", **GRIDS)(Flatten(name="flat")(image))
    fused = Concatenate(name="fused")([QActivation("quantized_relu(6,2)", name="relu1")(seen), sums])
    hidden = QActivation("quantized_relu(6,2)", name="relu3")(QDense(8, name="fc3", **GRIDS)(Dropout(0.1)(fused)))
    return Model([image, vector], QDense(10, name="logits", **GRIDS)(hidden))  # not in the order they were made


def baseline():
    image, vector = Input((4, 8, 1), name="image"), Input((16,), name="vector")
    seen = ReLU(name="relu1")(Dense(6, name="fc1")(Flatten(name="flat")(image)))
    fused = Concatenate(name="fused")([seen, ReLU(name="relu2")(Dense(6, name="fc2")(vector))])
    hidden = ReLU(name="relu3")(Dense(8, name="fc3")(fused))
    return Model([image, vector], Dense(10, name="logits")(hidden))
"""

PLAIN = MODEL.replace("Dropout(0.1)(fused)", "fused")
"""Which trains faster: with a random layer every epoch is compiled anew."""

TOML = """
name = "views"
[data]
source = "digits_fusion"
test = 0.2
validation = 0.1
scale = 0.0625
[model]
quantized = "quantized"
[training]
epochs = 6
batch_size = 64
learning_rate = 0.01
seed = 3
[input]
precision = "ufixed<8,1>"
[knobs]
reuse_factor = 1
[sweep]
reuse_factor = [7]
[gate]
vectors = 100
"""
DISTIL = '[distil]\nweight = 0.5\nlayers = { relu3 = "relu3" }\n'
NEURONS = '[prune]\nsparsity = 0.5\npattern = "neuron"\nlayers = { logits = 0 }\n'
SHARE = "[share]\nvalues = 8\n"


def with_baseline(text: str) -> str:
    return text.replace('quantized = "quantized"', 'quantized = "quantized"\nbaseline = "baseline"')


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return project_of(tmp_path / "project", TOML, MODEL)


def quiet() -> Progress:
    return Progress(io.StringIO())


def test_samples_are_taken_apart_in_the_order_of_the_model(project: Project) -> None:
    import tensorflow as tf

    model = build(project, "quantized")
    assert (inputs.shapes_of(model), inputs.sample_shape(model)) == ([(4, 8, 1), (16,)], (48,))
    x = np.arange(3 * 48, dtype=np.float32).reshape(3, 48)
    for given in (x, tf.constant(x)):
        image, vector = map(np.asarray, inputs.split(model, given))
        np.testing.assert_array_equal(image, x[:, :32].reshape(3, 4, 8, 1))
        np.testing.assert_array_equal(vector, x[:, 32:])


def test_the_samples_of_one_input_stay_as_they_are() -> None:
    import tf_keras

    given = tf_keras.Input((4, 8, 1))
    model = tf_keras.Model(given, tf_keras.layers.Flatten()(given))
    x = np.zeros((2, 4, 8, 1), np.float32)
    assert inputs.sample_shape(model) == (4, 8, 1)
    assert inputs.split(model, x) is x


def test_two_views_of_each_digit() -> None:
    from sklearn.datasets import load_digits

    from hlsflow.data.sources import SETS

    arrays, images = SETS["digits_fusion"](), load_digits().images
    assert arrays["x"].shape == (1797, 48)
    np.testing.assert_array_equal(arrays["x"][5, :32].reshape(4, 8), images[5, :4])
    np.testing.assert_array_equal(arrays["x"][5, 32:40] * 8, images[5].sum(1))
    np.testing.assert_array_equal(arrays["x"][5, 40:] * 8, images[5].sum(0))


def test_both_inputs_teach_and_a_resumed_training_ends_in_the_same_bits(tmp_path: Path) -> None:
    project = project_of(tmp_path / "project", TOML, PLAIN)
    result = train(project, tmp_path / "whole", quiet())
    history = json.loads((tmp_path / "whole" / "history.json").read_text())["qat"]
    assert history[-1]["loss"] < 0.5 * history[0]["loss"]
    figure = result.metrics.get("accuracy", Stage.QAT)
    assert figure is not None
    assert figure.value is not None
    assert figure.value > 0.7  # of ten classes
    model, data = load_model(result.model), load_data(project)
    for begin, end in ((0, 32), (32, 48)):  # neither input can be done without
        without = data.x_test.copy()
        without[:, begin:end] = 0
        classes = model.predict(inputs.split(model, without), verbose=0).argmax(1)
        assert np.mean(classes == data.y_test) < figure.value - 0.1
    first = Path("checkpoints", "qat", "epoch-00005.npz")
    (tmp_path / "again" / first).parent.mkdir(parents=True)
    shutil.copy(tmp_path / "whole" / first, tmp_path / "again" / first)
    log = io.StringIO()
    resumed = train(project, tmp_path / "again", Progress(log))
    assert "quantized: going on after epoch 5 of 6" in log.getvalue()
    for one, other in zip(model.get_weights(), load_model(resumed.model).get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert (tmp_path / "again" / "history.json").read_bytes() == (tmp_path / "whole" / "history.json").read_bytes()


def test_a_teacher_of_two_inputs_and_neurons_taken_out(tmp_path: Path) -> None:
    """Units before the Concatenate stay, those behind it go."""
    project = project_of(
        tmp_path / "project", with_baseline(TOML).replace("epochs = 6", "epochs = 3") + DISTIL + NEURONS + SHARE, PLAIN
    )
    log = io.StringIO()
    result = train(project, tmp_path / "work", Progress(log))
    assert "pruned units taken out: 4 of fc3" in log.getvalue()
    model = load_model(result.model)
    assert [model.get_layer(name).kernel.shape for name in ("fc1", "fc2", "fc3")] == [(32, 6), (16, 6), (12, 4)]
    assert inputs.shapes_of(model) == [(4, 8, 1), (16,)]
    layer = model.get_layer("fc3")
    assert len(np.unique(layer.kernel_quantizer_internal(layer.kernel))) <= 8


def test_a_network_without_its_dead_neurons_computes_the_same(project: Project) -> None:
    model = build(project, "quantized")
    for name in ("fc1", "fc2", "fc3"):
        layer = model.get_layer(name)
        layer.set_weights([values * (np.arange(values.shape[-1]) != 2) for values in layer.get_weights()])
    small, gone = shrunk(model)
    assert gone == {"fc3": 1}
    x = inputs.split(model, load_data(project).x_test)
    np.testing.assert_array_equal(small.predict(x, verbose=0), model.predict(x, verbose=0))


def test_a_teacher_and_its_student_may_take_the_same_values_differently(tmp_path: Path) -> None:
    one = """
def baseline():
    given = Input((48,), name="all")
    return Model(given, Dense(10, name="logits")(ReLU(name="relu3")(Dense(8, name="fc3")(given))))
"""
    model = PLAIN.split("def baseline")[0] + one
    project = project_of(tmp_path / "one", with_baseline(TOML).replace("epochs = 6", "epochs = 1") + DISTIL, model)
    rows = json.loads((train(project, tmp_path / "a", quiet()).model.parent / "history.json").read_text())
    assert {name: len(history) for name, history in rows.items()} == {"float": 1, "qat": 1}
    swapped = (
        model.replace("quantized()", "other()").replace("baseline()", "quantized()").replace("other()", "baseline()")
    )
    swapped = swapped.replace(
        'Dense(10, name="logits")(ReLU(name="relu3")(Dense(8, name="fc3")',
        (
            'QDense(10, name="logits", **GRIDS)(QActivation("quantized_relu(6,2)", name="relu3")('
            'QDense(8, name="fc3", **GRIDS)'
        ),
    )
    project = project_of(tmp_path / "two", with_baseline(TOML).replace("epochs = 6", "epochs = 1") + DISTIL, swapped)
    assert load_model(train(project, tmp_path / "b", quiet()).model).input_shape == (None, 48)


def test_a_float_network_of_two_inputs_is_quantized(tmp_path: Path) -> None:
    text = TOML.replace("quantized = ", "baseline = ").replace('"quantized"', '"baseline"')
    project = project_of(tmp_path / "project", f"{text}[quantize]\nbits = 6\nepochs = 2\n{DISTIL}", MODEL)
    result = train_from_float(project, tmp_path / "work", quiet())
    values = [result.metrics.get("accuracy", stage) for stage in (Stage.FLOAT, Stage.PTQ, Stage.QAT)]
    assert min(metric.value or 0.0 for metric in values if metric is not None) > 0.6
    assert inputs.shapes_of(load_model(result.model)) == [(4, 8, 1), (16,)]


@pytest.mark.slow
def test_two_inputs_go_to_several_devices(tmp_path: Path) -> None:
    text = with_baseline(TOML).replace("epochs = 6", "epochs = 2") + DISTIL
    one, two = (
        trained(project_of(tmp_path / name, text + extra, PLAIN), tmp_path / f"{name}_out")
        for name, extra in (("one", ""), ("two", '[devices]\nstrategy = "mirrored"\ncpus = 2\n'))
    )
    assert set(one) == set(two) == {"float", "qat"}
    for name, weights in one.items():
        for mine, other in zip(weights, two[name], strict=True):
            np.testing.assert_allclose(mine, other, rtol=0, atol=CLOSE)


@pytest.mark.parametrize(
    ("old", "new", "kind", "said"),
    [
        (
            "scale = 0.0625",
            'normalize = "fixed<8,3>"',
            ModelError,
            "data.normalize is for one input, but the model has 2",
        ),
        ("scale = 0.0625", "scale = 0.0625\nshift = 1", DataError, "are for images .*, but the model takes 2 inputs"),
        ("scale = 0.0625", "scale = 0.0625\nflip = true", DataError, "are for images .*, but the model takes 2 inputs"),
        ("digits_fusion", "digits", DataError, r"has shape \(64,\), but the model's input has \(48,\)"),
    ],
)
def test_what_several_inputs_cannot_do_is_refused(
    old: str, new: str, kind: type[FlowError], said: str, tmp_path: Path
) -> None:
    text = TOML.replace("ufixed<8,1>", "ufixed<8,5>") if "normalize" in new else TOML
    project = project_of(tmp_path / "project", text.replace(old, new), MODEL)
    with pytest.raises(kind, match=said) as caught:
        train(project, tmp_path / "work", quiet())
    assert caught.value.hint


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("Model([image, vector], [seen, sums])", "has 2 inputs and 2 outputs"),
        ("__import__('tf_keras').Sequential([Dense(10)])", "has 0 inputs and 0 outputs"),
    ],
)
def test_models_without_inputs_or_of_several_outputs_are_refused(given: str, said: str, tmp_path: Path) -> None:
    model = MODEL.replace("return Model([image, vector], QDense", f"return {given}\n    (QDense")
    with pytest.raises(ModelError, match=said) as caught:
        build(project_of(tmp_path, TOML, model), "quantized")
    assert caught.value.hint == "use one input or more, and one output"


@pytest.mark.parametrize("io_type", ["io_parallel", "io_stream"])
def test_two_inputs_are_exact_from_keras_to_the_rtl(io_type: str, tmp_path: Path) -> None:
    text = TOML.replace("epochs = 6", "epochs = 1")
    project = project_of(tmp_path, f'{text}[target]\nio_type = "{io_type}"\n', MODEL)
    before_synthesis = STEPS[: STEPS.index(synth)]
    results = run(project, tmp_path / "build", before_synthesis, quiet())
    assert results.gate is not None
    assert results.gate.passed
    (point,) = results.points
    assert point.gate is not None
    assert point.gate.passed
    assert [(port.name, port.beats * port.lanes) for port in point.design.inputs] == [
        ("in0", 32),
        ("in1", 16),
    ]
