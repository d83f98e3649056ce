"""Activations: which ones hls4ml computes as QKeras does, and a table of all input codes for every other one.

In: a Keras model. Out: the same model, its other activations replaced by `Tabled` layers, which hls4ml carries as its
`UnaryLUT`; `filled` computes the table of one as soon as the type of its input is known. Then functions that lower: an
activation layer of a resolved `ModelGraph` to the node it becomes. What hls4ml computes was read from
`nnet_activation.h` and `nnet_activation_stream.h`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np

from hlsflow.core.errors import UnsupportedLayer
from hlsflow.hls.precision import activation_type, layer_type, require_integer
from hlsflow.hls.tables import NoTable, Table, tabulate
from hlsflow.ir import Fixed, Node, Op
from hlsflow.ir.fixed import Array
from hlsflow.keras.graph import Part, activation_name, nodes, on_numpy, output_names, rebuilt, without_activation
from hlsflow.keras.outputs import outputs

Function = Callable[[Any], Any]
"""A function on tensors: a quantizer, a Keras activation, or a layer without weights."""

TABLED = "TabledActivation"
"""Class name of the Keras layer that stands for an activation that is computed by a table."""

HOLDERS: Mapping[str, str | None] = {
    "QActivation": "quantizer",
    "Activation": "activation",
    "ReLU": None,
    "LeakyReLU": None,
    "ThresholdedReLU": None,
    "ELU": None,
    "Softmax": None,
}
"""Keras layer that is an activation → its attribute that holds the function; None: it is the function itself."""

REFUSED: Mapping[str, str] = {
    "PReLU": "it has a slope for each value, which no table holds: use a quantized_relu with negative_slope",
    "QAdaptiveActivation": "use the quantized_relu or quantized_bits of the range that it has found",
}
"""Keras layer class that is not carried → what to use instead."""

NATIVE = ("linear", "relu")
"""Keras' own functions that hls4ml computes without a loss."""


def tabled(model: Any) -> Any:
    """The model with a `Tabled` layer for each activation that hls4ml does not compute exactly.

    A function that is no quantizer, such as `elu`, is computed in the table of the activation that alone reads it.

    Raises:
        UnsupportedLayer: an activation that is no function of one value.
    """
    replaced: dict[str, list[Part]] = {}
    ahead: dict[str, Function] = {}
    for node in nodes(model):
        layer, function = node.layer, _function(node.layer)
        first = ahead.get(node.parent_nodes[0].layer.name) if node.parent_nodes else None
        if function is None or (first is None and _is_native(layer.name, function)):
            continue
        _require_elementwise(layer.name, function)
        composed = _composed(first, function) if first else function
        if not _is_quantizer(function) and _feeds_one_activation(model, layer.name):
            ahead[layer.name], replaced[layer.name] = composed, _bare(layer)
        else:
            replaced[layer.name] = [*_bare(layer), Part(_layer_class()(composed, name=_own_name(layer)))]
    return rebuilt(model, replaced=replaced) if replaced else model


def needs_table(layer: Any) -> bool:
    """Whether a layer is, or ends in, an activation that only a table computes exactly."""
    function = _function(layer)
    return function is not None and not _is_native(layer.name, function)


def _function(layer: Any) -> Function | None:
    """What a layer applies to each value at its end; None for layers that have no such thing."""
    holder = HOLDERS.get(type(layer).__name__, "activation")
    function: Function | None = getattr(layer, holder, None) if holder else layer
    return function


def _bare(layer: Any) -> list[Part]:
    """The layer without its activation: nothing, for an activation layer."""
    if type(layer).__name__ in HOLDERS:
        return []
    return [without_activation(layer)]


def _own_name(layer: Any) -> str:
    """Of the activation: the layer's own name, or hls4ml's for what comes after it."""
    return str(layer.name) if type(layer).__name__ in HOLDERS else f"{layer.name}_{activation_name(layer)}"


def _feeds_one_activation(model: Any, name: str) -> bool:
    readers = [node.layer for node in nodes(model) if name in [parent.layer.name for parent in node.parent_nodes]]
    return name not in output_names(model) and len(readers) == 1 and type(readers[0]).__name__ in HOLDERS


def _composed(first: Function, second: Function) -> Function:
    return lambda x: second(first(x))


def _is_quantizer(function: Function) -> bool:
    return type(function).__module__.startswith("qkeras")


def _is_native(name: str, function: Function) -> bool:
    """Whether hls4ml computes it exactly, given the right types."""
    if type(function).__name__ == "ReLU":
        return (function.max_value, function.negative_slope, function.threshold) == (None, 0, 0)  # type: ignore[attr-defined]
    if type(function).__name__ == "LeakyReLU":  # an absolute value
        return float(function.alpha) == -1  # type: ignore[attr-defined]
    if not _is_quantizer(function):
        return getattr(function, "__name__", "") in NATIVE
    try:
        activation_type(name, _described(function))
    except UnsupportedLayer:
        return False
    return True


def _described(quantizer: Any) -> dict[str, Any]:
    config = quantizer.get_config() if hasattr(quantizer, "get_config") else {}
    return {"class_name": type(quantizer).__name__, "config": config}


def _require_elementwise(name: str, function: Function) -> None:
    """Refuse what is random or depends on other values than the one it is applied to; raises UnsupportedLayer."""
    kind = type(function).__name__
    if _is_quantizer(function):
        require_integer(name, _described(function))
    if "softmax" in (kind.lower(), getattr(function, "__name__", "")):
        message = f"layer '{name}' is a softmax inside the network, which no hardware computes exactly"
        raise UnsupportedLayer(message, f"set knobs.layers.{name}.implementation to 'stable' or 'argmax'")
    if kind == "bernoulli":
        raise UnsupportedLayer(f"layer '{name}': bernoulli is random at inference too", "use binary(use_01=True)")
    if isinstance(getattr(function, "alpha", None), str):
        message = f"layer '{name}': {kind} with alpha={function.alpha!r} scales by the largest value of the batch"  # type: ignore[attr-defined]
        raise UnsupportedLayer(message, "use alpha=1 for activations")


@cache
def _layer_class() -> Any:
    """The Keras layer; made once, and made known to hls4ml's reader through its own registry."""
    import tf_keras
    from hls4ml.converters import register_keras_v2_layer_handler

    class TabledActivation(tf_keras.layers.Layer):  # type: ignore[misc]  # tf_keras ships no types
        """A function of one value; once its table is known, looked up there, so that float64 gives the same."""

        def __init__(self, function: Function, table: Table | None = None, **options: Any) -> None:
            super().__init__(**options)
            self.function, self.table = function, table

        def call(self, inputs: Any) -> Any:
            if self.table is None:
                return self.function(inputs)
            return on_numpy(self.table, inputs)

        def get_config(self) -> dict[str, Any]:
            config: dict[str, Any] = super().get_config()
            return config | {"function": self.function, "table": self.table}

    register_keras_v2_layer_handler(TABLED, _parsed)
    return TabledActivation


def _parsed(layer: dict[str, Any], names: Any, shapes: list[Any], reader: Any) -> tuple[dict[str, Any], Any]:
    """The layer as hls4ml's list has it; its table is filled later."""
    name = layer["config"]["name"]
    entry = {
        "name": name,
        "class_name": "UnaryLUT",
        "activation": "unary_lut",
        "inputs": names,
        "keras": reader.model.get_layer(name),
        "table_data": np.zeros(2),
    }
    return entry, list(shapes[0])


def filled(layer: dict[str, Any], source: Fixed, kind: Fixed | None) -> Table:
    """Compute the table of a `UnaryLUT` in hls4ml's layer list, and put it there.

    Args:
        layer: its entry; changed in place.
        source: type of what it reads.
        kind: type of the result where a knob sets it.
    Returns:
        the table; the caller puts its cast before the layer.
    Raises:
        UnsupportedLayer: no table of a size that makes sense gives the function's exact values.
    """
    function = layer["keras"].function
    try:
        table = tabulate(lambda x: _evaluated(function, x), source, kind)
    except NoTable as error:
        raise UnsupportedLayer(
            f"layer '{layer['name']}' ({_title(function)}) cannot be computed exactly: {error}",
            "put a QActivation('quantized_bits(8, 2, alpha=1)') before it if its input is too wide, or after it if its "
            "values lie on no grid: the two become one table",
        ) from None
    return put(layer, table)


def put(layer: dict[str, Any], table: Table) -> Table:
    """Give a `UnaryLUT` this table, and Keras the same."""
    layer["table_data"] = table.kind.real(_by_bits(table.values, table.index))
    layer["keras"].table = table
    return table


def _evaluated(function: Function, values: Array) -> Array:
    """As `hlsflow.keras.outputs` has the values of whole models."""
    import tf_keras

    alone = tf_keras.Sequential([tf_keras.Input((1,)), _layer_class()(function)])
    return np.asarray(outputs(alone, np.asarray(values[:, None], np.float32))[0], np.float64)[:, 0]


def _title(function: Function) -> str:
    return str(getattr(function, "__name__", type(function).__name__))


def described(table: Table) -> str:
    """What a table is, in words for the user."""
    before = f" of its input as {table.cast}" if table.cast else ""
    dust = "; float32 rounding errors of QKeras removed" if table.dusty else ""
    return f"computed by a table of {len(table.values)} entries{before}, result {table.kind}{dust}"


def _by_bits(values: Array, index: Fixed) -> Array:
    """Entries in the order of hls4ml's tables: by the bits of the index as an unsigned number."""
    return np.roll(values, len(values) // 2) if index.signed else values


def table(layer: Any, source: Node) -> Node:
    """An hls4ml `UnaryLUT`."""
    kind, values = layer_type(layer, "result_t"), np.asarray(layer.weights["table"].data, np.float64)
    codes: Array = kind.quantize(_by_bits(values, source.type))
    return Node(layer.name, Op.TABLE, (source.name,), source.shape, kind, params={"table": codes})


def activation(layer: Any, source: Node) -> Node:
    """An hls4ml `Activation`; raises UnsupportedLayer for a function that is not carried."""
    op = {"relu": Op.RELU, "linear": Op.QUANTIZE}.get(str(layer.get_attr("activation")).lower())
    if op is None:
        raise UnsupportedLayer(
            f"layer '{layer.name}': activation {layer.get_attr('activation')} has no RTL yet",
            "supported: relu, quantized_relu, quantized_bits, linear",
        )
    return Node(layer.name, op, (source.name,), source.shape, layer_type(layer, "result_t"))


def leaky_relu(layer: Any, source: Node) -> Node:
    """An hls4ml `ParametrizedActivation`; raises UnsupportedLayer for a function that is not carried."""
    if str(layer.get_attr("activation")).lower() not in ("leaky_relu", "leakyrelu"):
        raise UnsupportedLayer(f"layer '{layer.name}': {layer.get_attr('activation')} has no RTL yet", "use leaky_relu")
    kind = layer_type(layer, "param_t")
    slope: Array = np.asarray(kind.quantize(np.asarray(layer.get_attr("activ_param"))))
    return Node(
        layer.name,
        Op.LEAKY_RELU,
        (source.name,),
        source.shape,
        layer_type(layer, "result_t"),
        {"slope": kind},
        {"slope": slope},
    )
