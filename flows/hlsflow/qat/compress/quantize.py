"""Turns a trained float model into a QKeras one: bits from a table, ranges from data, weights carried over.

In: a float model in the form of `hlsflow.qat.compress.fold.folded`, the project's [quantize] table, calibration
samples. Out: the QKeras model, and a row for each quantizer. What has no quantized form is refused by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hlsflow.core.errors import ProjectError, UnsupportedLayer
from hlsflow.keras import keras2
from hlsflow.keras.graph import copied
from hlsflow.keras.inputs import split
from hlsflow.keras.plain import IDENTITIES
from hlsflow.project import Quantize
from hlsflow.project.errors import nearest
from hlsflow.qat.compress.fold import FUNCTIONS, KERNELS, function_of, is_quantized, parents_of
from hlsflow.qat.compress.ranges import best_integer, relative_error

AFFINE = ("Normalization", "Rescaling")
"""Layers that bring the samples to a range: what they give is put on a grid, as it has more bits than these."""

COPIED = frozenset(
    {
        "InputLayer",
        "BatchNormalization",
        *AFFINE,
        *IDENTITIES,
        *("Flatten", "Reshape", "Permute", "ZeroPadding1D", "ZeroPadding2D", "UpSampling1D", "UpSampling2D"),
        *("MaxPooling1D", "MaxPooling2D", "AveragePooling1D", "AveragePooling2D"),
        *("GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalAveragePooling1D", "GlobalAveragePooling2D"),
        *("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate"),
    }
)
"""Layers that stay as they are: but for `AFFINE` their results have as many bits as they need."""

CALIBRATION_ROWS = 256
"""Samples that go through the model at once."""


WEIGHTS = ("kernel", "depthwise", "pointwise", "bias")


@dataclass(frozen=True)
class Choice:
    """A quantizer and what it is for.

    Attributes:
        layer: of the float model.
        what: `kernel`, `depthwise`, `pointwise`, `bias`, `activation` for results, or `argument` of a table.
        quantizer: as QKeras writes it.
        error: root of the mean squared error relative to the root mean square of the values; None for powers of two.
        scale: of the layer's own weights in terms of the float ones; QKeras' grids reach no less far than -1 to 1, so
            smaller weights are held as multiples of their quantizer's alpha.
    """

    layer: str
    what: str
    quantizer: str
    error: float | None
    scale: float = 1.0


@dataclass(frozen=True, eq=False)
class Quantized:
    """A QKeras model that has not been trained yet, and its quantizers."""

    model: Any
    choices: tuple[Choice, ...]

    def take(self, source: Any) -> None:
        """Take the weights of a float model with layers of the same names."""
        for layer, factors in self._scaled(source):
            pairs = zip(layer.get_weights(), factors, strict=True)
            self.model.get_layer(layer.name).set_weights([weight * factor for weight, factor in pairs])

    def give(self, target: Any) -> None:
        """Give the weights, as they were before their quantizers, to such a float model."""
        for layer, factors in self._scaled(target):
            pairs = zip(self.model.get_layer(layer.name).get_weights(), factors, strict=True)
            layer.set_weights([weight / factor for weight, factor in pairs])

    def _scaled(self, model: Any) -> Iterator[tuple[Any, list[float]]]:
        """The float model's layers with weights, and the factor of each weight."""
        for layer in model.layers:
            if layer.weights:
                own = [choice.scale for choice in self.choices if choice.layer == layer.name and choice.what in WEIGHTS]
                yield layer, own or [1.0] * len(layer.weights)


def quantized(model: Any, table: Quantize, x: NDArray[np.float32]) -> Quantized:
    """The QKeras model of a float model.

    Args:
        model: as `folded` returns it.
        table: bits and kinds.
        x: calibration samples (n, *`sample_shape`), on the grid of the hardware's input.
    Raises:
        UnsupportedLayer: a layer has no quantized form.
        ProjectError: the table names a layer that has nothing to quantize.
    """
    keras2.ready()
    import tf_keras

    parents = parents_of(model)
    _check(model, table)
    own = _activations(model, parents)
    arguments = {name: parents[name][0] for name in _tabulated(model) if parents[name][0] not in own}
    ranges = _observed(model, [*own, *sorted(set(arguments.values()))], x)
    tensors: dict[str, Any] = {}
    choices: list[Choice] = []
    for layer in model.layers:
        name, sources = layer.name, [tensors[parent] for parent in parents[layer.name]]
        if name in arguments:
            grid = _grid(ranges[arguments[name]], table.table, False)
            sources = [_activation(grid.text, f"{name}_argument")(sources[0])]
            choices.append(Choice(name, "argument", grid.text, grid.error))
        tensors[name], made = _layer(layer, sources, table, ranges[name] if name in own else None)
        choices += made
    inputs, outputs = ([tensors[end.node.layer.name] for end in ends] for ends in (model.inputs, model.outputs))
    result = Quantized(tf_keras.Model(inputs, outputs, name=model.name), tuple(choices))
    result.take(model)
    for name in table.frozen:
        result.model.get_layer(name).trainable = False
    return result


def _check(model: Any, table: Quantize) -> None:
    """Refuse layers that cannot be quantized, and rows of the table that are for none."""
    for layer in model.layers:
        kind = type(layer).__name__
        has_form = kind in COPIED | FUNCTIONS | KERNELS.keys() or is_quantized(layer)
        if not has_form or function_of(layer) == "softmax":
            what = "a softmax within the network" if function_of(layer) == "softmax" else f"a {kind}"
            raise UnsupportedLayer(f"layer '{layer.name}' is {what}, which has no quantized form here", _SUPPORTED)
    names = [layer.name for layer in model.layers if type(layer).__name__ in FUNCTIONS | KERNELS.keys()]
    if not names:
        message = f"every layer of '{model.name}' has quantizers already, so that there is nothing to quantize"
        raise ProjectError(message, "leave out --bits; in a project, give model.file in place of float_file")
    for name in (*table.layers, *table.frozen):
        if name not in names:
            raise ProjectError(f"[quantize] names '{name}', which has nothing to quantize{nearest(name, names)}")


_SUPPORTED = f"layers with a quantized form: {', '.join(sorted(FUNCTIONS | KERNELS.keys()))}; or write it with QKeras"


def _activations(model: Any, parents: Mapping[str, Sequence[str]]) -> list[str]:
    """Layers whose results are put on a grid: functions, and sums of products that no function or norm follows; but
    not those whose only readers are quantizers of the model's own."""
    ends = {end.node.layer.name for end in model.outputs}
    readers: dict[str, list[str]] = {name: [] for name in parents}
    for name, sources in parents.items():
        for parent in sources:
            readers[parent].append(type(model.get_layer(name)).__name__)
    return [
        layer.name
        for layer in model.layers
        if (type(layer).__name__ in FUNCTIONS | {*AFFINE} and {*readers[layer.name]} != {"QActivation"})
        or (
            type(layer).__name__ in KERNELS
            and layer.name not in ends
            and not {*readers[layer.name]} <= FUNCTIONS | {"BatchNormalization", "QActivation"}
        )
    ]


def _tabulated(model: Any) -> Iterator[str]:
    """Layers whose function becomes a table."""
    return (layer.name for layer in model.layers if type(layer).__name__ in FUNCTIONS and not _is_relu(layer))


def _observed(model: Any, names: Sequence[str], x: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """Layer → its results for the calibration samples."""
    import tf_keras

    if not names:
        return {}
    probe = tf_keras.Model(model.inputs, [model.get_layer(name).output for name in names])
    results = probe.predict(split(model, x), batch_size=CALIBRATION_ROWS, verbose=0)
    return dict(zip(names, results if len(names) > 1 else [results], strict=True))


def _layer(
    layer: Any, sources: Sequence[Any], table: Quantize, observed: NDArray[np.float32] | None
) -> tuple[Any, list[Choice]]:
    """The tensor that the quantized layer makes, and its quantizers; `observed`: float results that get a grid."""
    import tf_keras

    name, kind, bits = layer.name, type(layer).__name__, table.of(layer.name)
    if kind == "InputLayer":
        return tf_keras.Input(layer.input_shape[0][1:], name=name), []
    source = sources[0] if len(sources) == 1 else sources
    if kind in KERNELS:
        copy, choices = _with_quantizers(layer, table)
        tensor = copy(source)
    elif kind in FUNCTIONS and _is_relu(layer) and observed is not None:
        tensor, choices = source, []
    else:
        tensor, choices = copied(layer, {})(source), []
    if observed is None:
        return tensor, choices
    grid = _grid(observed, bits.activation, table.symmetric)
    own = name if _is_relu(layer) else f"{name}_grid"
    return _activation(grid.text, own)(tensor), [*choices, Choice(name, "activation", grid.text, grid.error)]


def _activation(text: str, name: str) -> Any:
    from qkeras import QActivation

    return QActivation(text, name=name)


def _is_relu(layer: Any) -> bool:
    """Whether a layer does what a `quantized_relu` does by itself."""
    if type(layer).__name__ == "ReLU":
        return layer.max_value is None and not layer.negative_slope and not layer.threshold
    return type(layer).__name__ == "Activation" and function_of(layer) == "relu"


@dataclass(frozen=True)
class _Grid:
    text: str
    error: float


def _grid(values: NDArray[np.float32], width: int, symmetric: bool) -> _Grid:
    """The quantizer for results of a layer: without a sign where none is needed."""
    signed = bool(values.min(initial=0.0) < 0)
    integer = max(0, best_integer(values, width, signed))  # QKeras' grids reach to 1 at least
    error = relative_error(values, width, integer, signed)
    if not signed:
        return _Grid(f"quantized_relu({width},{integer})", error)
    return _Grid(f"quantized_bits({width},{integer},{int(symmetric)},alpha=1)", error)


def _with_quantizers(layer: Any, table: Quantize) -> tuple[Any, list[Choice]]:
    """The QKeras layer in place of a float one."""
    import qkeras

    kind, config = type(layer).__name__, layer.get_config()
    choices = list(_weight_choices(layer, table))
    texts = {f"{choice.what}_quantizer": choice.quantizer for choice in choices}
    for what in (*KERNELS[kind], "bias"):  # QKeras has its own, which keep weights on the grid
        config.pop(f"{what}_constraint", None)
    return getattr(qkeras, f"Q{kind}")(**config, **texts), choices


def _weight_choices(layer: Any, table: Quantize) -> Iterator[Choice]:
    bits, kernels = table.of(layer.name), KERNELS[type(layer).__name__]
    for what, values in zip((*kernels, "bias"), layer.get_weights(), strict=False):
        if what == "bias":
            yield _bias(layer.name, values, bits.bias)
        elif bits.kind == "fixed":
            yield _kernel(layer.name, what, values, bits.weight)
        elif bits.kind == "power_of_two":
            text = f"quantized_po2({bits.weight},{_largest_power(values)})"
            yield Choice(layer.name, what, text, None)
        else:
            yield _signs(layer.name, what, values, bits.kind == "ternary")


def _signs(layer: str, what: str, values: NDArray[np.floating], with_zero: bool) -> Choice:
    """Weights of -a, a and perhaps 0, by whichever is nearest; a: the power of two of the least squared error.

    One scale a layer, so that hardware multiplies by 1 or -1 alone; with a scale for each output it would need the bits
    of the largest next to those of the smallest.
    """
    largest = _largest_power(values)
    scales = [largest * 2.0**-step for step in range(SCALES)]
    errors = [_signs_error(values, scale, with_zero) for scale in scales]
    scale, error = min(zip(scales, errors, strict=True), key=lambda pair: pair[1])
    text = f"ternary(alpha={scale:g},threshold={scale / 2:g})" if with_zero else f"binary(alpha={scale:g})"
    return Choice(layer, what, text, error)


def _signs_error(values: NDArray[np.floating], scale: float, with_zero: bool) -> float:
    size = np.abs(values)
    quantized_size = np.where(size >= scale / 2, scale, 0) if with_zero else scale
    power = float(np.sqrt(np.mean(values**2)))
    return float(np.sqrt(np.mean((size - quantized_size) ** 2))) / power if power else 0.0


SCALES = 8
"""How many powers of two are tried for the scale of signs, from that of the largest weight down."""


def _largest_power(values: NDArray[np.floating]) -> float:
    """The power of two next to the largest weight: `max_value` of a quantized_po2."""
    largest = float(np.abs(values).max(initial=0.0))
    return float(2.0 ** np.round(np.log2(largest))) if largest > 0 else 1.0


def _kernel(layer: str, what: str, values: NDArray[np.floating], width: int) -> Choice:
    integer = best_integer(values, width, True)
    scale = 2.0 ** min(0, integer)
    text = f"quantized_bits({width},{max(0, integer)},alpha={scale:g})"
    return Choice(layer, what, text, relative_error(values, width, integer, True), 1 / scale)


def _bias(layer: str, values: NDArray[np.floating], width: int) -> Choice:
    """A bias is stored once, not multiplied: where QKeras' grid reaches too far, it gets bits instead of a scale."""
    integer = best_integer(values, width, True)
    wider = max(0, -integer)
    text = f"quantized_bits({width + wider},{integer + wider},alpha=1)"
    return Choice(layer, "bias", text, relative_error(values, width + wider, integer + wider, True))
