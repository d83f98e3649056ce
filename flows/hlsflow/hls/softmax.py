"""Softmax in hardware, where a knob asks for it: hls4ml's table forms to the last bit, or the one-hot argmax.

In: a Keras model, and the form that a knob names for a layer. Out: the same model, in which that softmax is computed as
hls4ml does, by tables (`softmax_stable`, `softmax_latency` of `nnet_activation.h`), so that the hardware and all that
follows equal it to the last bit; and how far that is from the true softmax, which no table gives exactly.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from hlsflow.core.errors import ProjectError, UnsupportedLayer
from hlsflow.hls.precision import layer_type
from hlsflow.ir import Fixed, Node, Op
from hlsflow.ir import softmax as executor
from hlsflow.ir.fixed import Array, Overflow, Rounding
from hlsflow.ir.integers import tree_levels
from hlsflow.keras.graph import Part, activation_name, nodes, on_numpy, rebuilt, without_activation

ARGMAX = "argmax"
FORMS: Mapping[str, int] = {"stable": executor.STABLE, "latency": executor.LATENCY}
"""hls4ml's name of a table form → the attribute of the node."""

FORMED = "FormedSoftmax"
"""Class name of the Keras layer that stands for a softmax in hardware."""

INDEX_BITS = 12
"""Index of the table of exponentials: with 4,096 entries the error is that of the result's 16 bits."""

INV_BITS = 14
"""Index of the table of reciprocals: with fewer entries their error is what limits the result."""

TYPES: Mapping[str, str] = {
    "norm": "inp_norm_t",
    "exp": "exp_table_t",
    "accum": "accum_t",
    "inv_in": "inv_inp_t",
    "inv": "inv_table_t",
}
"""Our name of a type → hls4ml's."""

PROBES = 1000
"""Random inputs on which the distance from the true softmax is measured."""


@dataclass(frozen=True)
class Softmax:
    """All that a softmax in hardware depends on.

    Attributes:
        form: `stable`, `latency` or `argmax`.
        source, kind: types of input and result.
        types: by our names; empty for argmax.
    """

    form: str
    source: Fixed
    kind: Fixed
    types: Mapping[str, Fixed]

    def node(self, name: str, source: str, shape: tuple[int, ...]) -> Node:
        """The node that computes it."""
        if self.form == ARGMAX:
            return Node(name, Op.ARGMAX, (source,), shape, self.kind)
        params, attrs = tables(self.form, self.types), {"form": (FORMS[self.form],)}
        return Node(name, Op.SOFTMAX, (source,), shape, self.kind, dict(self.types), params, attrs)

    def run(self, values: Array) -> Array:
        """Real values (n, classes) to real results, as the hardware computes them."""
        classes = (values.shape[-1],)
        codes = self.source.quantize(values)
        if self.form == ARGMAX:
            return np.asarray(np.eye(*classes)[codes.argmax(-1)])
        logits = Node("x", Op.INPUT, (), classes, self.source)
        results: Array = self.kind.real(executor.softmax(self.node("softmax", "x", classes), logits)(codes.T).T)
        return results


def chosen(form: str, source: Fixed, classes: int, kind: Fixed | None) -> Softmax:
    """Types with which a form is about as close to the true softmax as its tables allow.

    Args:
        form: `stable`, `latency` or `argmax`.
        source: type of the logits.
        classes: how many there are.
        kind: type of the result where a knob sets it.
    """
    if form == ARGMAX:
        return Softmax(form, source, kind or Fixed(1, 1, signed=False), {})
    result = kind or _unsigned(16, 0)
    types = _stable(source, classes) if form == "stable" else _latency(source, classes)
    return Softmax(form, source, result, types)


def _unsigned(width: int, integer: int) -> Fixed:
    return Fixed(width, integer, False, Rounding.RND, Overflow.SAT)


def _stable(source: Fixed, classes: int) -> dict[str, Fixed]:
    """Exponentials of max - x: beyond 16 they are less than one step of their table."""
    integer, sums = min(source.integer, 4), tree_levels(classes) + 1
    return {
        "norm": _unsigned(max(integer + min(source.frac, INDEX_BITS - 4), 1), integer),
        "exp": _unsigned(18, 1),
        "accum": _unsigned(17 + sums, sums),
        "inv_in": _unsigned(INV_BITS, classes.bit_length()),
        "inv": _unsigned(18, 1),
    }


def _latency(source: Fixed, classes: int) -> dict[str, Fixed]:
    """Exponentials of x itself, which may be large, and their sums small."""
    largest = min(int(np.ceil(source.max * 2.0**-source.frac / np.log(2))), 14) + 1
    sums = tree_levels(classes)
    return {
        "norm": source,
        "exp": _unsigned(largest + 10, largest),
        "accum": _unsigned(largest + 10 + sums, largest + sums),
        "inv_in": _unsigned(INV_BITS, largest + sums),
        "inv": _unsigned(18, 4),
    }


def index_bits(kind: Fixed, limit: int) -> int:
    """Address bits of the table that values of a type look up."""
    return min(kind.width, limit)


def tables(form: str, types: Mapping[str, Fixed]) -> dict[str, Array]:
    """The two tables as hls4ml fills them, in float32 (`init_exp_table`, `init_invert_table`)."""
    x = _addressed(types["norm"], index_bits(types["norm"], INDEX_BITS))
    sums = _addressed(types["inv_in"], index_bits(types["inv_in"], INV_BITS))
    with np.errstate(divide="ignore"):
        inverse = np.float32(1) / sums
    exponent = -x if form == "stable" else x
    return {"exp": types["exp"].quantize(_expf(exponent)), "inv": types["inv"].quantize(inverse)}


def _addressed(kind: Fixed, bits: int) -> Array:
    """The values whose most significant bits are 0, 1, 2, ... and whose others are 0."""
    patterns = np.arange(1 << bits) << (kind.width - bits)
    codes = np.where(patterns > kind.max, patterns - (1 << kind.width), patterns) if kind.signed else patterns
    return np.asarray(kind.real(codes), np.float32)


def _expf(values: Array) -> Array:
    """The exponential as the C library has it, whose last bit numpy's may not share."""
    function = _c_expf()
    return np.array([function(float(value)) for value in values])


@cache
def _c_expf() -> Any:
    library = ctypes.CDLL(ctypes.util.find_library("m"))
    function = library.expf
    function.argtypes, function.restype = [ctypes.c_float], ctypes.c_float
    return function


def formed(model: Any, forms: Mapping[str, str]) -> Any:
    """The model with a layer of ours for each softmax that a knob gives a form.

    Args:
        model: Keras model.
        forms: layer name → form; the layer is a softmax, or ends with one.
    Raises:
        UnsupportedLayer: not over the only axis, as hls4ml has it. ProjectError: the layer is no softmax.
    """
    replaced: dict[str, list[Part]] = {}
    _require_softmaxes(model, forms)
    for node in nodes(model):
        layer = node.layer
        if layer.name in forms and is_softmax(layer):
            if len(node.outputs.shape) != 2:
                message = f"layer '{layer.name}' is a softmax over one of several axes"
                raise UnsupportedLayer(message, "flatten its input first, or leave it to software")
            is_own = type(layer).__name__ in ("Softmax", "Activation")
            name = layer.name if is_own else f"{layer.name}_{activation_name(layer)}"
            before = [] if is_own else [without_activation(layer)]
            replaced[layer.name] = [*before, Part(_layer_class()(forms[layer.name], name=name))]
    return rebuilt(model, replaced=replaced) if replaced else model


def _require_softmaxes(model: Any, forms: Mapping[str, str]) -> None:
    """Refuse a knob that would do nothing; one for a layer that is not there is refused with all others."""
    for node in nodes(model):
        name = node.layer.name
        if name in forms and not is_softmax(node.layer):
            message = f"knobs.layers.{name}.implementation: layer '{name}' is no softmax"
            raise ProjectError(message, "remove that knob")


def is_softmax(layer: Any) -> bool:
    """Whether a layer is a softmax or ends with one."""
    return type(layer).__name__ == "Softmax" or getattr(getattr(layer, "activation", None), "__name__", "") == "softmax"


@cache
def _layer_class() -> Any:
    """The Keras layer; made once, and made known to hls4ml's reader through its own registry."""
    import tf_keras
    from hls4ml.converters import register_keras_v2_layer_handler

    class FormedSoftmax(tf_keras.layers.Layer):  # type: ignore[misc]  # tf_keras ships no types
        """Softmax as the hardware computes it, once `how` says what that is."""

        def __init__(self, form: str, how: Softmax | None = None, **options: Any) -> None:
            super().__init__(**options)
            self.form, self.how = form, how

        def get_config(self) -> dict[str, Any]:
            config: dict[str, Any] = super().get_config()
            return config | {"form": self.form, "how": self.how}

        def call(self, inputs: Any) -> Any:
            import tensorflow as tf

            return tf.nn.softmax(inputs) if self.how is None else on_numpy(self.how.run, inputs)

    register_keras_v2_layer_handler(FORMED, _parsed)
    return FormedSoftmax


def _parsed(layer: dict[str, Any], names: Any, shapes: list[Any], reader: Any) -> tuple[dict[str, Any], Any]:
    """The layer as hls4ml's list has it; its types are set later."""
    name = layer["config"]["name"]
    entry = {"name": name, "class_name": "Softmax", "activation": "softmax", "inputs": names, "axis": -1}
    return entry | {"keras": reader.model.get_layer(name), "n_in": shapes[0][-1]}, list(shapes[0])


def settle(layer: dict[str, Any], source: Fixed, kind: Fixed | None, entry: dict[str, Any]) -> tuple[Softmax, str]:
    """Choose the types of a softmax, now that the type of the logits is known.

    Args:
        layer: its entry in hls4ml's layer list.
        source: type of what it reads.
        kind: type of the result where a knob sets it.
        entry: its part of hls4ml's configuration; changed in place.
    Returns:
        what it computes, and that in words with the distance from the true softmax.
    """
    how = chosen(layer["keras"].form, source, layer["n_in"], kind)
    layer["keras"].how = how
    entry["implementation"] = how.form
    entry.setdefault("Precision", {})["result"] = str(how.kind)
    if how.form == ARGMAX:
        return how, "one-hot argmax instead of softmax, the first of equal values"
    entry |= {hls4ml_name: str(how.types[role]) for role, hls4ml_name in TYPES.items()}
    entry["exp_table_size"] = 1 << index_bits(how.types["norm"], INDEX_BITS)
    entry["inv_table_size"] = 1 << index_bits(how.types["inv_in"], INV_BITS)
    return how, f"softmax by hls4ml's tables (form {how.form}); {_agreement(how, layer['n_in'])}"


def _agreement(how: Softmax, classes: int) -> str:
    """How close it comes to the true softmax, in words."""
    codes = how.source.quantize(np.random.default_rng(0).normal(size=(PROBES, classes)) * 2)
    logits = how.source.real(np.clip(codes, how.source.min, how.source.max))
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    true, results = powers / powers.sum(-1, keepdims=True), how.run(logits)
    same = np.mean(np.take_along_axis(results, true.argmax(-1)[:, None], -1)[:, 0] == results.max(-1))
    return f"on {PROBES} random inputs up to {np.abs(results - true).max():.2g} off, largest class right in {same:.1%}"


def softmax(layer: Any, source: Node) -> Node:
    """An hls4ml `Softmax`; raises UnsupportedLayer for a form that is not carried."""
    form = str(layer.get_attr("implementation"))
    if form not in (*FORMS, ARGMAX):
        raise UnsupportedLayer(f"layer '{layer.name}': softmax form {form} is not carried", "use stable or argmax")
    types = {}
    if form != ARGMAX:
        types = {role: layer_type(layer, hls4ml_name) for role, hls4ml_name in TYPES.items()}
    how = Softmax(form, source.type, layer_type(layer, "result_t"), types)
    return how.node(layer.name, source.name, source.shape)
