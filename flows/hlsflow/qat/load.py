"""Loads trained QKeras models, also those of strangers: no code inside a file runs before it has been looked through.

In: an `.h5` or `.keras` file. Out: a `tf_keras.Model`. The configuration is read as plain JSON first; only classes of
Keras 2 and QKeras that carry no code of their own may occur in it, unless the caller allows or adds more.
"""

from __future__ import annotations

import functools
import inspect
import os
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hlsflow.core import foreign
from hlsflow.core.errors import ModelError, first_line
from hlsflow.keras import keras2
from hlsflow.keras.outputs import untranslated
from hlsflow.project.errors import nearest
from hlsflow.qat import keras3
from hlsflow.qat.inference import for_inference, pruning_objects, with_config
from hlsflow.qat.self_contained import require_self_contained
from hlsflow.qat.widths import bounded

CODE = {"Lambda", "__lambda__", "TFSMLayer", "TFOpLambda", "SlicingOpLambda", "ClassMethod", "InstanceMethod"}
"""Classes that run code, or call any TensorFlow function, named or carried in the file."""

FILES = {"StringLookup", "IntegerLookup", "TextVectorization"}
"""Classes of Keras that read other files named in the configuration."""

STRUCTURE = {"Model", "Functional", "Sequential", "InputLayer", "TensorShape", "DType", "Policy", "__tuple__"}
"""Classes that hold a model together and have no public name among the layers."""

MODULES = {"builtins", "keras", "tf_keras", "qkeras"}
"""Top-level Python modules that a configuration may refer to."""

MEMBERS = {"metadata.json", "config.json", "model.weights.h5"}
"""Files inside a `.keras` archive; others could carry pickled objects."""

CONFIG_BYTES = 64 * foreign.MIB
"""No configuration of a model is larger."""

_STRIP = "strip it where the model was made and save that: tfmot.clustering.keras.strip_clustering(model)"
_FLOAT = (
    "its int8 scheme has float scales, which no fixed-point type holds: give the float model with --bits 8, or train "
    "with QKeras"
)
WRAPPERS = {
    **dict.fromkeys(("ClusterWeights", "ClusterWeightsRNN", "ClusterWeightsMHA"), _STRIP),
    **dict.fromkeys(("QuantizeWrapper", "QuantizeWrapperV2", "QuantizeAnnotate", "QuantizeLayer"), _FLOAT),
}
"""Classes of TensorFlow Model Optimization that stay in a file, and what to do about each."""

RESAVE = "save the model again with model.save('model.h5') under TF_USE_LEGACY_KERAS=1 and QKeras 0.9"

_HDF5 = b"\x89HDF\r\n\x1a\n"
_ZIP = b"PK\x03\x04"


@dataclass(frozen=True)
class _Reference:
    """A class or function that a configuration names; `registered`: under which of these names Keras looks for it among
    the ones it is given, before it imports `module`."""

    layer: str
    class_name: str
    name: str
    module: str
    registered: str


def load_model(path: Path, allow_lambda: bool = False, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The trained model of a file, not compiled.

    Args:
        path: `.h5` (or `.hdf5`) or `.keras`, saved by Keras 2; or by Keras 3, if `hlsflow.qat.keras3` has its layers.
        allow_lambda: also load layers that run code from the file; only for files you trust.
        custom_objects: name → class or function of your own that the model uses.
    Raises:
        ModelError: missing, damaged, of another format, not safe, with unknown classes, or with weights
            that are no numbers; says what to do.
    """
    release, saved = _read(path)
    config = for_inference(saved)
    keras2.ready()
    if release.startswith("3"):
        model = keras3.rebuilt(path, config)
        _check_weights(path, model)
        return model

    objects = _qkeras_objects() | pruning_objects() | dict(custom_objects or {})
    _check(path, config, set(objects), _keras_classes(), allow_lambda)
    try:
        with tempfile.TemporaryDirectory() as folder, bounded():
            file = path if config == saved else with_config(path, config, Path(folder))
            model = _rebuilt(file, objects, safe_mode=not allow_lambda)
    except ModelError as error:  # of `bounded`
        raise ModelError(f"{path}: {error.message}", error.hint) from error
    except (Exception, SystemExit) as error:  # Keras raises whatever its parts raise, and a Lambda may exit
        raise ModelError(f"{path} cannot be rebuilt: {first_line(error)}", RESAVE) from error

    if not hasattr(model, "layers"):  # a configuration of something else makes something else
        raise ModelError(f"{path} holds a {type(model).__name__}, and no model", RESAVE)
    _check_weights(path, model)
    return model


def _rebuilt(file: Path, objects: Mapping[str, Any], safe_mode: bool) -> Any:
    import tf_keras

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras warns that QKeras' quantizers are no Keras constraints
        load = functools.partial(
            tf_keras.models.load_model, file, custom_objects=objects, compile=False, safe_mode=safe_mode
        )
        return untranslated(load)


def _check_weights(path: Path, model: Any) -> None:
    for layer in model.layers:
        if not all(np.isfinite(weights).all() for weights in layer.get_weights()):
            raise ModelError(
                f"{path}: layer '{layer.name}' has weights that are NaN or infinite",
                "train it again, with a lower learning rate",
            )


def _read(path: Path) -> tuple[str, dict[str, Any]]:
    """The release of Keras that saved a model, and its configuration as plain JSON; runs nothing of the file.

    Raises:
        ModelError: missing, damaged, or of another format.
    """
    head = _head(path)
    if head == _HDF5:
        _expect_suffix(path, ".h5", ".hdf5")
        require_self_contained(path)
        return _read_h5(path)
    if head.startswith(_ZIP):
        _expect_suffix(path, ".keras")
        contents = _read_keras(path)
        require_self_contained(path)
        return contents
    raise ModelError(f"{path} is neither an HDF5 (.h5) nor a .keras file, or its beginning is damaged", RESAVE)


def _head(path: Path) -> bytes:
    if path.is_dir():
        raise ModelError(f"{path} is a folder; a SavedModel has lost QKeras' quantizers", RESAVE)
    if not os.path.lexists(path):
        raise ModelError(f"there is no model file {path}", "correct the path")
    kind = foreign.Kind("", "cannot be read", "check the permissions, and that it is a file", ModelError)
    return foreign.head(path, len(_HDF5), kind)


def _expect_suffix(path: Path, *suffixes: str) -> None:
    if path.suffix not in suffixes:
        raise ModelError(
            f"the content of {path} is that of a {suffixes[0]} file", f"rename it to {path.stem}{suffixes[0]}"
        )


def _read_h5(path: Path) -> tuple[str, dict[str, Any]]:
    import h5py

    kind = foreign.Kind("", "is a damaged or truncated HDF5 file", "copy it again", ModelError)
    with foreign.reading(path, kind), h5py.File(path, "r") as file:
        version, text = file.attrs.get("keras_version", ""), file.attrs.get("model_config")
    if text is None:
        raise ModelError(f"{path} holds no model configuration, perhaps weights alone", f"{RESAVE}, not save_weights()")
    return str(version), _parse(path, text)


def _read_keras(path: Path) -> tuple[str, dict[str, Any]]:
    kind = foreign.Kind("", "is a damaged or truncated .keras file", "copy it again", ModelError, CONFIG_BYTES)
    names, parts = foreign.members(path, kind, ("metadata.json", "config.json"))
    if len(parts) < 2:
        raise ModelError(f"{path} is a zip archive but no Keras model: config.json or metadata.json is missing", RESAVE)
    release = str(_parse(path, parts["metadata.json"]).get("keras_version", ""))
    if names - MEMBERS:
        raise ModelError(
            f"{path} holds files that are not read for safety: {', '.join(sorted(names - MEMBERS))}", RESAVE
        )
    return release, _parse(path, parts["config.json"])


def _parse(path: Path, text: str | bytes) -> dict[str, Any]:
    kind = foreign.Kind("the model configuration in", "is damaged", "copy the file again", ModelError)
    config = foreign.json_of(text, path, kind)
    if not isinstance(config, dict):
        raise ModelError(f"the model configuration in {path} is a {type(config).__name__}, no table", RESAVE)
    return config


def _check(path: Path, config: Mapping[str, Any], registered: set[str], keras: set[str], allow_lambda: bool) -> None:
    """Refuse code first, then whatever is neither `registered` to Keras nor its own."""
    references = list(_references(config, "the model"))
    allowed = (registered | keras) - FILES | (CODE if allow_lambda else set())
    for reference in references:
        if reference.class_name in CODE and not allow_lambda:
            raise ModelError(
                f"{path}: layer '{reference.layer}' is a {reference.class_name}, which {_deed(reference)} the file",
                "use layers of Keras instead (Add, not +), or allow it (--allow-lambda) if you trust who made the file",
            )
    for reference in references:
        kind = reference.class_name.rpartition(">")[2]
        if kind in WRAPPERS and reference.registered not in registered:
            raise ModelError(
                f"{path}: layer '{reference.layer}' is a {kind} of TensorFlow Model Optimization", WRAPPERS[kind]
            )
    for reference in references:
        if reference.module.split(".")[0] not in MODULES and reference.registered not in registered:
            raise ModelError(
                f"{path}: layer '{reference.layer}' refers to '{reference.name}' of the Python module "
                f"'{reference.module}', which is not loaded for safety",
                "only parts of Keras and QKeras are loaded; pass others of your own as custom_objects",
            )
        if reference.name not in allowed:
            raise ModelError(
                f"{path}: layer '{reference.layer}' needs '{reference.name}', which neither Keras 2 nor QKeras has"
                f"{nearest(reference.name, allowed)}",
                "rebuild the model from layers of Keras and QKeras, or pass your own as custom_objects",
            )


def _deed(reference: _Reference) -> str:
    carried = reference.class_name in {"Lambda", "__lambda__", "TFSMLayer"}
    return "runs code from" if carried else "calls a TensorFlow function named in"


def _references(node: Any, layer: str) -> Iterator[_Reference]:
    """Every class or function named anywhere in a configuration, with the innermost named layer around it."""
    if isinstance(node, list):
        for item in node:
            yield from _references(item, layer)
    if not isinstance(node, dict):
        return
    inner = node.get("config")
    if isinstance(inner, dict) and isinstance(inner.get("name"), str):
        layer = inner["name"]
    if "class_name" in node:
        yield _reference(node, layer)
    for key, value in node.items():
        if isinstance(value, dict | list):
            yield from _references(value, layer)
        elif key == "function_type" and value == "lambda":
            yield _Reference(layer, "Lambda", "Lambda", "keras", "Lambda")


def _reference(node: Mapping[str, Any], layer: str) -> _Reference:
    class_name = str(node["class_name"])
    is_function = class_name == "function"
    name = str(node.get("config")) if is_function else class_name
    registered = name if is_function or "module" not in node else str(node.get("registered_name"))
    return _Reference(layer, class_name, name, str(node.get("module") or "keras"), registered)


def _keras_classes() -> set[str]:
    """Names of Keras 2 that a configuration may use: classes, and the built-in functions of layers."""
    import tf_keras

    spaces = [tf_keras.layers, tf_keras.initializers, tf_keras.regularizers, tf_keras.constraints]
    spaces += [tf_keras.losses, tf_keras.metrics, tf_keras.optimizers, tf_keras.optimizers.legacy]
    classes = {name for space in spaces for name, thing in vars(space).items() if inspect.isclass(thing)}
    functions = {name for name, thing in vars(tf_keras.activations).items() if inspect.isfunction(thing)}
    return (classes | functions | STRUCTURE) - CODE - {"get", "serialize", "deserialize"}


def _qkeras_objects() -> dict[str, Any]:
    """Name → class of QKeras; its own list leaves quantized_hswish out. Release 0.9.0 has no QDenseBatchnorm at all."""
    from qkeras.quantizers import quantized_hswish
    from qkeras.utils import _add_supported_quantized_objects

    objects: dict[str, Any] = {"quantized_hswish": quantized_hswish} | _activation_layers()
    _add_supported_quantized_objects(objects)
    return objects


def _activation_layers() -> dict[str, Any]:
    """Layers of Keras that QKeras' own may have for an activation, but do not find when they are loaded."""
    from tf_keras import layers

    return {name: getattr(layers, name) for name in ("ReLU", "LeakyReLU", "ThresholdedReLU", "ELU", "Softmax")}
