"""Loading models of strangers: what is loaded, what is refused, and that nothing in a refused file runs."""

from __future__ import annotations

import json
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hlsflow.core.errors import ModelError
from hlsflow.keras import keras2
from hlsflow.qat import load_model

Save = Callable[[Any, str], Path]


@pytest.fixture(scope="module")
def keras() -> Any:
    keras2.ready()
    import tf_keras

    return tf_keras


@pytest.fixture
def save(tmp_path: Path) -> Save:
    def run(model: Any, suffix: str) -> Path:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.save(tmp_path / f"model{suffix}")
        return tmp_path / f"model{suffix}"

    return run


def small(keras: Any, *layers: Any) -> Any:
    import qkeras

    dense = qkeras.QDense(
        3, kernel_quantizer="quantized_bits(4,0,alpha=1)", bias_quantizer="quantized_bits(4)", name="fc"
    )
    return keras.Sequential([keras.layers.Input((4,)), dense, qkeras.QActivation("quantized_relu(4)"), *layers])


def refused(path: Path, **options: Any) -> ModelError:
    with pytest.raises(ModelError) as caught:
        load_model(path, **options)
    assert str(path) in caught.value.message
    assert caught.value.hint
    return caught.value


def edit_h5(path: Path, change: Callable[[dict[str, Any]], None], **attributes: str) -> Path:
    """Change the configuration inside an `.h5` file, as a stranger could."""
    import h5py

    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        change(config)
        file.attrs["model_config"] = json.dumps(config)
        for name, value in attributes.items():
            file.attrs[name] = value
    return path


def edit_zip(path: Path, **texts: str) -> Path:
    """Replace members of a `.keras` file; `config_json=` stands for config.json."""
    new = {name.replace("_json", ".json").replace("_npz", ".npz"): text for name, text in texts.items()}
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()} | {k: v.encode() for k, v in new.items()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_a_qkeras_model_comes_back_as_it_was(keras: Any, save: Save, suffix: str) -> None:
    model = small(keras, keras.layers.Dense(2, activation="tanh", kernel_regularizer="l2"))
    model.compile("adam", keras.losses.CategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    x = np.linspace(-1, 1, 20, dtype=np.float32).reshape(5, 4)
    np.testing.assert_array_equal(load_model(save(model, suffix)).predict(x, verbose=0), model.predict(x, verbose=0))


def test_convolutions_branches_and_batch_normalization(keras: Any, save: Save) -> None:
    import qkeras

    layers = keras.layers
    image = layers.Input((6, 6, 1))
    one = qkeras.QConv2DBatchnorm(2, 3, kernel_quantizer=qkeras.quantized_bits(4, 0, alpha=1))(image)
    other = layers.BatchNormalization()(qkeras.QActivation(qkeras.quantized_relu(4))(one))
    model = keras.Model(image, layers.Flatten()(layers.MaxPooling2D()(layers.Add()([one, other]))))
    assert len(load_model(save(model, ".h5")).layers) == len(model.layers)


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_the_code_of_a_lambda_does_not_run(keras: Any, save: Save, tmp_path: Path, suffix: str) -> None:
    trap = tmp_path / "ran"
    model = small(keras, keras.layers.Lambda(eval(f"lambda x: (open({str(trap)!r}, 'w').close(), x)[1]"), name="evil"))
    path = save(model, suffix)
    trap.unlink(missing_ok=True)
    error = refused(path)
    assert "layer 'evil' is a Lambda, which runs code from the file" in error.message
    assert "--allow-lambda" in error.hint
    assert not trap.exists()
    load_model(path, allow_lambda=True)
    assert trap.exists()


def test_a_lambda_hidden_in_a_wrapper_or_an_activation_is_found(keras: Any, save: Save, tmp_path: Path) -> None:
    bomb = {"class_name": "__lambda__", "config": {"value": "4wAAAA=="}}

    def hide(config: dict[str, Any]) -> None:
        config["config"]["layers"][1]["config"]["kernel_initializer"] = {"class_name": "Zeros", "config": {"x": [bomb]}}

    assert "layer 'fc' is a __lambda__" in refused(edit_h5(save(small(keras), ".h5"), hide)).message


def test_operators_that_call_named_functions_are_refused(keras: Any, save: Save) -> None:
    x = keras.layers.Input((4,))
    error = refused(save(keras.Model(x, x + 1), ".h5"))
    assert "is a TFOpLambda, which calls a TensorFlow function named in the file" in error.message


def test_modules_of_the_file_are_not_imported(
    keras: Any, save: Save, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "stranger.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nclass Thing: ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    path = save(small(keras), ".keras")
    with zipfile.ZipFile(path) as archive:
        config = json.loads(archive.read("config.json"))
    config["config"]["layers"][1] |= {"module": "stranger", "class_name": "Thing", "registered_name": "Thing"}
    error = refused(edit_zip(path, config_json=json.dumps(config)))
    assert "layer 'fc' refers to 'Thing' of the Python module 'stranger'" in error.message
    config["config"]["layers"][1] |= {"class_name": "QDense", "registered_name": "Nothing"}  # which Keras would import
    assert (
        "refers to 'QDense' of the Python module 'stranger'"
        in refused(edit_zip(path, config_json=json.dumps(config))).message
    )
    assert not (tmp_path / "ran").exists()


def test_an_unknown_class_is_named_with_the_nearest(keras: Any, save: Save) -> None:
    def rename(config: dict[str, Any]) -> None:
        config["config"]["layers"][1]["class_name"] = "QDens"

    message = refused(edit_h5(save(small(keras), ".h5"), rename)).message
    assert "layer 'fc' needs 'QDens', which neither Keras 2 nor QKeras has; did you mean QDense?" in message


@pytest.mark.parametrize(
    ("kind", "hint"),
    [
        ("ClusterWeights", "tfmot.clustering.keras.strip_clustering(model)"),
        ("QuantizeWrapperV2", "give the float model with --bits 8"),
        ("Custom>QuantizeLayer", "give the float model with --bits 8"),
    ],
)
@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_wrappers_of_model_optimization_say_what_to_do(
    kind: str, hint: str, suffix: str, keras: Any, save: Save
) -> None:
    def wrap(config: dict[str, Any]) -> None:
        layer = config["config"]["layers"][1]
        inner = {"class_name": "Dense", "config": layer["config"]}
        wrapped = {"class_name": kind, "config": {"name": "wrapped", "layer": inner}}
        module = {"module": "tensorflow_model_optimization.x", "registered_name": kind} if "module" in layer else {}
        config["config"]["layers"][1] = wrapped | module

    error = refused((edit_h5 if suffix == ".h5" else _edit_keras)(save(small(keras), suffix), wrap))
    assert f"layer 'wrapped' is a {kind.removeprefix('Custom>')} of TensorFlow Model Optimization" in error.message
    assert hint in error.hint


def _edit_keras(path: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    with zipfile.ZipFile(path) as archive:
        config = json.loads(archive.read("config.json"))
    change(config)
    return edit_zip(path, config_json=json.dumps(config))


def test_classes_of_ones_own_can_be_given(keras: Any, save: Save) -> None:
    class Twice(keras.layers.Layer):  # type: ignore[misc]
        def call(self, x: Any) -> Any:
            return 2 * x

    path = save(small(keras, Twice()), ".h5")
    assert "needs 'Twice'" in refused(path).message
    assert type(load_model(path, custom_objects={"Twice": Twice}).layers[-1]) is Twice


def weighted(truth: Any, found: Any) -> Any:
    return (truth - found) ** 2 * 2.0


def compiled(keras: Any, what: str, model: Any) -> None:
    """Compile a model with something of its author's own."""

    class Schedule(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
        def __call__(self, step: Any) -> Any:
            return 1e-3

        def get_config(self) -> dict[str, Any]:
            return {}

    rate = Schedule() if what == "schedule" else 1e-3
    loss, metrics = (weighted if what == "loss" else "mse"), ([weighted] if what == "metric" else [])
    model.compile(keras.optimizers.Adam(rate), loss=loss, metrics=metrics)


@pytest.mark.parametrize("what", ["loss", "metric", "schedule"])
@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_what_a_model_was_compiled_with_is_not_needed(keras: Any, save: Save, suffix: str, what: str) -> None:
    inner = small(keras)
    compiled(keras, what, inner)
    model = keras.Sequential([keras.layers.Input((4,)), inner])  # the inner model has a loss of its own, too
    compiled(keras, what, model)
    x = np.linspace(-1, 1, 20, dtype=np.float32).reshape(5, 4)
    np.testing.assert_array_equal(load_model(save(model, suffix)).predict(x, verbose=0), model.predict(x, verbose=0))


def test_code_in_what_a_model_was_compiled_with_does_not_run(keras: Any, save: Save, tmp_path: Path) -> None:
    path = save(small(keras), ".keras")
    with zipfile.ZipFile(path) as archive:
        config = json.loads(archive.read("config.json"))
    trap = tmp_path / "ran"
    (tmp_path / "stranger.py").write_text(f"open({str(trap)!r}, 'w')\nclass Loss: ...\n")
    own = {"module": "stranger", "class_name": "Loss", "registered_name": "Loss", "config": {}}
    config["compile_config"] = config["config"]["layers"][1]["compile_config"] = {"optimizer": own, "loss": own}
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(tmp_path)
        assert load_model(edit_zip(path, config_json=json.dumps(config)), allow_lambda=True).get_layer("fc")
    assert not trap.exists()


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_wrappers_of_pruning_are_loaded_whatever_their_schedule(keras: Any, save: Save, suffix: str) -> None:
    import qkeras
    from tensorflow_model_optimization.python.core.sparsity.keras import prune, pruning_schedule

    class Own(pruning_schedule.PruningSchedule):  # type: ignore[misc]
        def __call__(self, step: Any) -> Any:
            return True, 0.5

        def get_config(self) -> dict[str, Any]:
            return {"class_name": "Own", "config": {}}

        @classmethod
        def from_config(cls, config: Any) -> Any:
            return cls()

    for schedule in (pruning_schedule.PolynomialDecay(0.0, 0.5, 0, 10), Own()):
        end = qkeras.QActivation(qkeras.quantized_bits(6, 2, alpha=1))  # a quantizer, where others have its text
        model = prune.prune_low_magnitude(small(keras, end), pruning_schedule=schedule)
        model.set_weights([np.random.default_rng(1).normal(size=array.shape) for array in model.get_weights()])
        x = np.linspace(-1, 1, 20, dtype=np.float32).reshape(5, 4)
        found = load_model(save(model, suffix))
        assert type(found.layers[0]).__name__ == "PruneLowMagnitude"
        np.testing.assert_array_equal(found.predict(x, verbose=0), model.predict(x, verbose=0))


def test_layers_of_one_s_own_in_a_keras_3_file_are_refused(keras: Any, save: Save) -> None:
    h5 = edit_h5(save(small(keras), ".h5"), lambda config: None, keras_version="3.12.0")
    archive = edit_zip(save(small(keras), ".keras"), metadata_json='{"keras_version": "3.9.2"}')
    for path in (h5, archive):
        assert "was saved by Keras 3: layer 'fc' is a QDense, which is not read" in refused(path).message


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
@pytest.mark.parametrize("kept", [0, 6, 700, -700])
def test_truncated_files_are_refused(keras: Any, save: Save, suffix: str, kept: int) -> None:
    path = save(small(keras), suffix)
    path.write_bytes(path.read_bytes()[:kept])
    assert any(word in refused(path).message for word in ("damaged", "neither"))


def test_other_content_is_refused(keras: Any, save: Save, tmp_path: Path) -> None:
    (tmp_path / "text.h5").write_text("hello, I am not a model")
    assert "is neither an HDF5 (.h5) nor a .keras file" in refused(tmp_path / "text.h5").message
    assert "there is no model file" in refused(tmp_path / "none.h5").message
    (tmp_path / "saved").mkdir()
    assert "is a folder" in refused(tmp_path / "saved").message
    small(keras).save_weights(tmp_path / "weights.h5")
    assert "no model configuration, perhaps weights alone" in refused(tmp_path / "weights.h5").message
    wrong = save(small(keras), ".h5").rename(tmp_path / "wrong.keras")
    assert refused(wrong).hint == "rename it to wrong.h5"
    with zipfile.ZipFile(tmp_path / "other.keras", "w") as archive:
        archive.writestr("readme.txt", "no model")
    assert "zip archive but no Keras model" in refused(tmp_path / "other.keras").message


def test_archives_with_other_members_are_refused(keras: Any, save: Save) -> None:
    path = edit_zip(save(small(keras), ".keras"), model_weights_npz="pickle")
    assert "holds files that are not read for safety: model_weights.npz" in refused(path).message


def test_a_damaged_configuration_is_refused(keras: Any, save: Save) -> None:
    assert "is damaged" in refused(edit_zip(save(small(keras), ".keras"), config_json="{")).message
    assert "is a list, no table" in refused(edit_zip(save(small(keras), ".keras"), config_json="[]")).message


def test_a_lambda_that_exits_is_a_model_error(keras: Any, save: Save) -> None:
    path = save(small(keras, keras.layers.Lambda(eval("lambda x: x"), name="quits")), ".h5")
    quits = keras.layers.Lambda(eval("lambda x: exit(0)"), output_shape=(3,)).get_config()

    def swap(config: dict[str, Any]) -> None:
        config["config"]["layers"][-1]["config"] |= {"function": quits["function"]}

    assert "cannot be rebuilt" in refused(edit_h5(path, swap), allow_lambda=True).message


def test_weights_that_are_no_numbers_are_refused(keras: Any, save: Save) -> None:
    model = small(keras)
    kernel, bias = model.get_layer("fc").get_weights()
    kernel[1, 2] = np.nan
    model.get_layer("fc").set_weights([kernel, bias])
    assert "layer 'fc' has weights that are NaN or infinite" in refused(save(model, ".h5")).message
