"""Float networks that Keras 3 saved, built anew with Keras 2: layer by layer from the configuration, without Keras 3.

In: a model file's configuration as plain JSON, and its weights. Out: a `tf_keras` model that computes the same. Only
the layers of `LAYERS` are made, of the entries of their configuration that both releases have; nothing is looked up by
a name from the file, so that no code of the file, and no module that it names, can run.
"""

from __future__ import annotations

import re
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from hlsflow.core.errors import ModelError, first_line
from hlsflow.ir.fixed import Array

LAYERS: Mapping[str, tuple[str, ...]] = {
    "Dense": ("units", "activation", "use_bias"),
    "Conv1D": ("filters", "kernel_size", "strides", "padding", "dilation_rate", "groups", "activation", "use_bias"),
    "Conv2D": ("filters", "kernel_size", "strides", "padding", "dilation_rate", "groups", "activation", "use_bias"),
    "DepthwiseConv1D": ("kernel_size", "strides", "padding", "depth_multiplier", "activation", "use_bias"),
    "DepthwiseConv2D": ("kernel_size", "strides", "padding", "depth_multiplier", "activation", "use_bias"),
    "SeparableConv1D": ("filters", "kernel_size", "strides", "padding", "depth_multiplier", "activation", "use_bias"),
    "SeparableConv2D": ("filters", "kernel_size", "strides", "padding", "depth_multiplier", "activation", "use_bias"),
    "BatchNormalization": ("axis", "epsilon", "center", "scale"),
    "Activation": ("activation",),
    "ReLU": ("max_value", "negative_slope", "threshold"),
    "LeakyReLU": ("negative_slope",),
    "ELU": ("alpha",),
    "Softmax": ("axis",),
    **dict.fromkeys(("MaxPooling1D", "MaxPooling2D"), ("pool_size", "strides", "padding")),
    **dict.fromkeys(("AveragePooling1D", "AveragePooling2D"), ("pool_size", "strides", "padding")),
    **dict.fromkeys(("GlobalMaxPooling1D", "GlobalMaxPooling2D"), ("keepdims",)),
    **dict.fromkeys(("GlobalAveragePooling1D", "GlobalAveragePooling2D"), ("keepdims",)),
    **dict.fromkeys(("ZeroPadding1D", "ZeroPadding2D"), ("padding",)),
    "UpSampling1D": ("size",),
    "UpSampling2D": ("size", "interpolation"),
    "Flatten": (),
    "Reshape": ("target_shape",),
    "Permute": ("dims",),
    **dict.fromkeys(("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"), ()),
    "Concatenate": ("axis",),
    **dict.fromkeys(("Dropout", "SpatialDropout1D", "SpatialDropout2D", "GaussianNoise", "GaussianDropout"), ()),
    "Rescaling": ("scale", "offset"),
}
"""Layer class → the entries of its configuration that decide what it computes, and that Keras 2 has as well."""

REQUIRED: Mapping[str, Mapping[str, Any]] = {
    **{name: {"rate": 0.5} for name in ("Dropout", "SpatialDropout1D", "SpatialDropout2D", "GaussianDropout")},
    "GaussianNoise": {"stddev": 1.0},
}
"""Arguments of layers that do nothing at inference."""

RENAMED: Mapping[tuple[str, str], str] = {("LeakyReLU", "negative_slope"): "alpha"}
"""(layer class, entry) → what Keras 2 calls it."""

ACTIVATIONS = frozenset(
    {"linear", "relu", "sigmoid", "tanh", "softmax", "elu", "selu", "softplus", "softsign", "swish", "gelu"}
)
"""Functions that are the same in both releases; hard_sigmoid and leaky_relu are not."""

HINT = (
    "build it with tf_keras (Keras 2) of the layers in docs/reference/support.md, give it the weights layer by layer "
    "(layer.set_weights), and save it with model.save('model.h5')"
)


def rebuilt(path: Path, config: Mapping[str, Any]) -> Any:
    """The model of a file of Keras 3.

    Args:
        path: `.h5` or `.keras`, which holds its own data alone.
        config: of the model in it.
    Raises:
        ModelError: a layer, an activation or a connection that is not read; or weights that do not fit.
    """
    try:
        return _with_weights(_built(config), config, path)
    except ModelError as error:
        raise ModelError(f"{path} was saved by Keras 3: {error.message}", HINT) from error
    except Exception as error:  # whatever a strange configuration, or weights that do not fit, cause in Keras
        raise ModelError(f"{path} was saved by Keras 3 and cannot be read: {first_line(error)}", HINT) from error


def _built(config: Mapping[str, Any]) -> Any:
    kind, inner = config["class_name"], config["config"]
    if kind not in ("Functional", "Sequential"):
        raise ModelError(f"it is a {kind}, neither a Sequential nor a Functional model")
    return _functional(inner) if kind == "Functional" else _sequential(inner)


def _sequential(config: Mapping[str, Any]) -> Any:
    import tf_keras

    first, *others = config["layers"]
    shape = first["config"].get("batch_shape") or first["config"].get("batch_input_shape")
    is_input = first["class_name"] == "InputLayer"
    start = tf_keras.Input(shape[1:], name=first["config"]["name"] if is_input else None)
    tensor = start
    for entry in others if is_input else [first, *others]:
        tensor = _layer(entry)(tensor)
    return tf_keras.Model(start, tensor, name=config["name"])


def _functional(config: Mapping[str, Any]) -> Any:
    import tf_keras

    tensors: dict[str, Any] = {}
    for entry in config["layers"]:
        name = entry["config"]["name"]
        if entry["class_name"] == "InputLayer":
            tensors[name] = tf_keras.Input(entry["config"]["batch_shape"][1:], name=name)
        else:
            source = _given(name, entry["inbound_nodes"], tensors)
            tensors[name] = _layer(entry)(source)
    ends = [[tensors[_source(end)] for end in _listed(config[key])] for key in ("input_layers", "output_layers")]
    return tf_keras.Model(*ends, name=config["name"])


def _given(name: str, nodes: Sequence[Any], tensors: Mapping[str, Any]) -> Any:
    if len(nodes) != 1 or len(nodes[0]["args"]) != 1:
        raise ModelError(f"layer '{name}' is applied {len(nodes)} times, or to several arguments")
    argument = nodes[0]["args"][0]
    sources = [tensors[_source(entry["config"]["keras_history"])] for entry in _entries(argument)]
    return sources if isinstance(argument, list) else sources[0]


def _entries(argument: Any) -> list[Any]:
    return argument if isinstance(argument, list) else [argument]


def _source(history: Sequence[Any]) -> str:
    """The layer of (layer, which of its applications, which of its results), of which each has one."""
    name, *numbers = history
    if any(numbers):
        raise ModelError(f"layer '{name}' is applied several times, or has several results")
    return str(name)


def _listed(ends: Sequence[Any]) -> list[Any]:
    """[name, 0, 0] of a single end, or a list of such."""
    return [ends] if isinstance(ends[0], str) else list(ends)


def _layer(entry: Mapping[str, Any]) -> Any:
    import tf_keras

    kind, config = entry["class_name"], entry["config"]
    if kind not in LAYERS:
        raise ModelError(f"layer '{config.get('name')}' is a {kind}, which is not read from such files")
    _require_plain(config)
    options = {RENAMED.get((kind, key), key): config[key] for key in LAYERS[kind] if key in config}
    return getattr(tf_keras.layers, kind)(name=config["name"], **options, **REQUIRED.get(kind, {}))


def _require_plain(config: Mapping[str, Any]) -> None:
    """Refuse what would compute something else in Keras 2, or what is no plain value."""
    name = config["name"]
    function = config.get("activation", "linear")
    if function is not None and function not in ACTIVATIONS:
        name_of_function = function if isinstance(function, str) else "an object"
        raise ModelError(f"layer '{name}' has the activation {name_of_function}, which is not read from such files")
    if config.get("data_format", "channels_last") != "channels_last":
        raise ModelError(f"layer '{name}' has data_format={config['data_format']}")
    if config.get("quantization_config") is not None or _dtype(config.get("dtype")) != "float32":
        raise ModelError(f"layer '{name}' does not compute in float32")


def _dtype(policy: Any) -> Any:
    return policy["config"]["name"] if isinstance(policy, dict) else policy or "float32"


def _with_weights(model: Any, config: Mapping[str, Any], path: Path) -> Any:
    weighted = {layer.name: layer for layer in model.layers if layer.weights}
    with tempfile.TemporaryDirectory() as folder:
        read = partial(_archived, config, Path(folder)) if path.suffix == ".keras" else _stored
        for name, arrays in read(path, weighted):
            weighted[name].set_weights(arrays)
    return model


Weights = Iterator[tuple[str, list[Array]]]
"""The weights of each layer, in the order of `set_weights`."""


def _stored(path: Path, layers: Mapping[str, Any]) -> Weights:
    """Those in an `.h5` file, which names them."""
    import h5py

    with h5py.File(path, "r") as file:
        for name in layers:
            group = file["model_weights"][name]
            yield name, [np.asarray(group[weight]) for weight in group.attrs["weight_names"]]


def _archived(config: Mapping[str, Any], folder: Path, path: Path, layers: Mapping[str, Any]) -> Weights:
    """Those in a `.keras` file, which calls layers by their class and numbers them: `dense`, `dense_1` ..."""
    import h5py

    with zipfile.ZipFile(path) as archive:
        weights = archive.extract("model.weights.h5", folder)
    counts: Counter[str] = Counter()
    with h5py.File(weights, "r") as file:
        for entry in config["config"]["layers"]:
            name, kind = entry["config"]["name"], _snake(entry["class_name"])
            group = f"layers/{kind}_{counts[kind]}/vars" if counts[kind] else f"layers/{kind}/vars"
            counts[kind] += 1
            if name in layers:
                yield name, [np.asarray(file[group][str(index)]) for index in range(len(layers[name].weights))]


def _snake(name: str) -> str:
    """A class name in lower case, its words apart: ReLU is re_lu, Conv2D is conv2d."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=\w)(?=[A-Z][a-z])", "_", name).lower()
