"""Restores what QKeras means where hls4ml's conversion loses it; every change is a `Correction` that the run prints.

In: hls4ml's layer list and its configuration. Out: the configuration with an exact type for everything that hls4ml
would guess, round or drop, the layer list with the casts that it lacks, and the list of changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from hlsflow.core.errors import UnsupportedLayer
from hlsflow.hls import activations, batchnorm, exact, softmax
from hlsflow.hls.exact import Span
from hlsflow.hls.precision import activation_type, from_hls4ml
from hlsflow.hls.tables import Table
from hlsflow.ir.fixed import Fixed, Overflow


@dataclass(frozen=True)
class Correction:
    """One change to what hls4ml would have made of a layer.

    Attributes:
        layer: name of the Keras layer.
        what: what was changed.
        reason: what would be wrong without it.
        moves: whether values may differ from those of the model's file because of it.
    """

    layer: str
    what: str
    reason: str
    moves: bool = False

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


Layer = dict[str, Any]
Layers = list[Layer]
Config = dict[str, Any]
Chosen = Mapping[str, Mapping[str, Fixed]]


@dataclass
class _Walk:
    """What is known while going through the layers in order.

    Attributes:
        config: hls4ml's configuration; changed in place.
        chosen: types that knobs set, by layer and key; they win over exact ones.
        readers: layer name → the layers that read it.
        outputs: names of the layers whose results the network returns.
        layers: the layers so far, inserted ones included.
        spans, kinds: values and type of each result so far.
        tables: of layers that come, by name, where the layer before has taken over their cast.
        notes: corrections so far.
    """

    config: Config
    chosen: Chosen
    readers: Mapping[str, Layers]
    outputs: tuple[str, ...]
    layers: Layers = field(default_factory=list)
    spans: dict[str, Span] = field(default_factory=dict)
    kinds: dict[str, Fixed] = field(default_factory=dict)
    tables: dict[str, Table] = field(default_factory=dict)
    notes: list[Correction] = field(default_factory=list)

    def precision(self, name: str) -> dict[str, str]:
        entry: dict[str, str] = self.config["LayerName"][name].setdefault("Precision", {})
        return entry

    def knob(self, name: str, key: str) -> Fixed | None:
        return self.chosen.get(name, {}).get(key)

    def set_result(self, layer: Layer, span: Span, kind: Fixed) -> None:
        """Give a layer its type; its values are those of `span`, as far as the type holds them."""
        name = layer["name"]
        self.precision(name)["result"] = str(kind)
        self.spans[name], self.kinds[name] = span if _holds(kind, span) else Span.of(kind), kind
        self.layers.append(layer)

    def note(self, layer: str, what: str, reason: str, moves: bool = False) -> None:
        self.notes.append(Correction(layer, what, reason, moves))


def correct(
    layers: Layers, config: Config, input_type: Fixed, outputs: list[str], chosen: Chosen | None = None
) -> tuple[Layers, list[Correction]]:
    """Set every precision that hls4ml would guess, round or drop.

    Args:
        layers: hls4ml's layer list, inputs first.
        config: hls4ml's configuration with `LayerName` entries for all of them; changed in place.
        input_type: the project's input quantizer.
        outputs: names of the layers whose results the network returns.
        chosen: types that knobs set, by layer name and key.
    Returns:
        the layer list with casts inserted, and what was changed.
    Raises:
        UnsupportedLayer: something that no fixed-point type expresses exactly.
    """
    readers: dict[str, Layers] = {layer["name"]: [] for layer in layers}
    for layer in layers:
        for name in layer.get("inputs") or []:
            readers[name].append(layer)
    walk = _Walk(config, chosen or {}, readers, tuple(outputs))
    for layer in layers:
        if not layer.get("inputs"):
            _set_input(walk, layer, input_type)
        elif layer["class_name"] in _BY_TABLES:
            _BY_TABLES[layer["class_name"]](walk, layer)
        elif "activation" in layer and layer["class_name"] in ACTIVATIONS:
            _set_activation(walk, layer)
        else:
            _set_layer(walk, layer)
    return walk.layers, walk.notes


ACTIVATIONS = ("Activation", "QActivation", "LeakyReLU")
"""hls4ml layer classes that are functions of one value; dense and convolution layers name an activation too."""


def _holds(kind: Fixed, span: Span) -> bool:
    if span.divisor != 1 or kind.frac < span.frac:
        return False
    low, high = span.at(kind.frac)
    return kind.min <= low and high <= kind.max


HLS4ML_DEFAULT = Fixed(16, 6)
"""Type that hls4ml gives to whatever has none."""


def _set_input(walk: _Walk, layer: Layer, kind: Fixed) -> None:
    walk.set_result(layer, Span.of(kind), kind)
    reason = f"that is the project's input quantizer; hls4ml would take its default, {HLS4ML_DEFAULT}"
    if kind != HLS4ML_DEFAULT:
        walk.note(layer["name"], f"input set to {kind}", reason)


def _set_layer(walk: _Walk, layer: Layer) -> None:
    name, sources = layer["name"], [walk.spans[source] for source in layer["inputs"]]
    if not exact.carried(layer["class_name"]):
        message = f"layer '{name}' becomes hls4ml's {layer['class_name']}, whose values are not known exactly"
        raise UnsupportedLayer(message, "use another layer there")
    _before_padded_maximum(walk, layer)
    if layer["class_name"] == "BatchNormalization":
        _settle_scale(walk, layer, sources[0])
    span = exact.result(layer, sources)
    if layer["class_name"] in KEEPING:
        walk.set_result(layer, span, walk.kinds[layer["inputs"][0]])
        return
    span = _with_room(walk, layer, span)
    _set_accumulator(walk, layer, span, sources)
    kind = walk.knob(name, "result") or _quantizer_after(walk, layer, span) or span.kind(name, _is_sum(layer))
    walk.set_result(layer, span, kind)


def _settle_scale(walk: _Walk, layer: Layer, source: Span) -> None:
    """Give a batch normalization constants on grids that are fine enough for what reads it."""
    name = layer["name"]
    readers = walk.readers[name]
    quantized = name not in walk.outputs and walk.knob(name, "result") is None and all(map(_is_quantizer, readers))
    after = [_activation_kind(walk, reader) for reader in readers] if quantized else []
    what, moves = batchnorm.settle(layer, source, after)
    for key in ("scale", "bias"):
        walk.precision(name)[key] = str(layer[f"{key}_quantizer"].hls_type)
    reason = "float32 constants lie on no grid that multipliers can have, and hls4ml drops the quantizers of QKeras"
    walk.note(name, what, reason, moves)


def _is_quantizer(layer: Layer) -> bool:
    """Whether a layer rounds and clips each value, and does nothing else."""
    return layer["class_name"] in ("Activation", "QActivation") and "activation_quantizer" in layer


KEEPING = ("ZeroPadding1D", "ZeroPadding2D", "UpSampling1D", "UpSampling2D", "Reshape", "Repack", "Transpose")
"""hls4ml layer classes whose result has the type of what they read."""


def _is_sum(layer: Layer) -> bool:
    return layer["class_name"] in exact.SUMS


def _set_accumulator(walk: _Walk, layer: Layer, span: Span, sources: list[Span]) -> None:
    name, kind = layer["name"], None
    if _is_sum(layer):
        kind = span.kind(name, signed=True)
    elif "Average" in layer["class_name"]:
        cells = max(exact.window_cells(layer))
        low, high = sources[0].at(span.frac)
        kind = Span(span.frac, low * cells, high * cells).kind(name)
    elif "MaxPooling" in layer["class_name"]:
        kind = walk.kinds[layer["inputs"][0]]
    if kind is not None:
        walk.precision(name)["accum"] = str(walk.knob(name, "accum") or kind)


def _with_room(walk: _Walk, layer: Layer, span: Span) -> Span:
    """A quotient that no binary fraction holds gets enough bits for the quantizer after it to round it rightly.

    A sum of values with f fractional bits divided by n is on, or at least 2**-max(f, q + 1) / n away from, every value
    halfway between two steps of a quantizer with q fractional bits: with log2(n) bits more, truncation cannot cross it.
    """
    if "Average" not in layer["class_name"] and layer.get("op") != "average":
        return span
    finer, finest = span.frac, max(walk.spans[source].frac for source in layer["inputs"])
    if span.divisor != 1:
        finer = max(finest, *[q + 1 for q in _fractions_after(walk, layer)])
        finer += max(exact.window_cells(layer)).bit_length()
        reason = (
            f"an average of {exact.window_cells(layer)} values is no binary fraction; hls4ml would cut it off earlier"
        )
        walk.note(layer["name"], f"computed with {finer} fractional bits, which its quantizer rounds", reason)
    elif span.frac > finest:
        reason = "hls4ml gives an average no more fractional bits than its input has"
        walk.note(layer["name"], f"computed with {span.frac} fractional bits", reason)
    return Span(finer, *span.at(finer), span.divisor)


def _fractions_after(walk: _Walk, layer: Layer) -> list[int]:
    """Fractional bits of the quantizers that read an average."""
    readers = walk.readers[layer["name"]]
    quantizers = [reader for reader in readers if "activation_quantizer" in reader]
    if layer["name"] in walk.outputs or len(quantizers) < len(readers):
        message = (
            f"layer '{layer['name']}' averages {max(exact.window_cells(layer))} values, whose result lies on no grid"
        )
        raise UnsupportedLayer(
            message, "put a quantized_bits or quantized_relu after it, or average 2, 4, 8, ... values"
        )
    return [_activation_kind(walk, reader).frac for reader in quantizers]


def _quantizer_after(walk: _Walk, layer: Layer, span: Span) -> Fixed | None:
    """The type of a linear quantizer that alone reads this layer: the cast at the end of the layer does its work."""
    readers = walk.readers[layer["name"]]
    if layer["name"] in walk.outputs or len(readers) != 1 or _is_identity(layer):
        return None
    (reader,) = readers
    if reader["class_name"] == "UnaryLUT":
        return _index_after(walk, layer, reader, span)
    if reader.get("activation") != "linear" or "activation_quantizer" not in reader:
        return None
    kind = _activation_kind(walk, reader)
    reason = (
        f"hls4ml deletes the quantizer '{reader['name']}' without a word while the type of the layer before it is open"
    )
    walk.note(layer["name"], f"result set to {kind}, the type of '{reader['name']}'", reason)
    return kind


def _index_after(walk: _Walk, layer: Layer, reader: Layer, span: Span) -> Fixed | None:
    """The index of the table that alone reads this layer, where that is narrower than the layer's values."""
    table = activations.filled(reader, span.kind(layer["name"], _is_sum(layer)), walk.knob(reader["name"], "result"))
    if table.cast is None:
        return None
    walk.tables[reader["name"]] = activations.put(reader, replace(table, source=table.cast, cast=None))
    reason = "the function is the same for all values between two of these, and the wide result would be cut there"
    walk.note(layer["name"], f"result set to {table.cast}, the index of the table '{reader['name']}'", reason)
    return table.cast


def _is_identity(layer: Layer) -> bool:
    """A batch normalization that does nothing is removed by hls4ml, and its cast with it."""
    if layer["class_name"] != "BatchNormalization":
        return False
    return bool((layer["scale_data"] == 1).all() and (layer["bias_data"] == 0).all())


def _before_padded_maximum(walk: _Walk, layer: Layer) -> None:
    """hls4ml fills what is outside the image with a set top bit, which is the least value of signed types alone."""
    source = layer["inputs"][0]
    kind = walk.kinds[source]
    padded = any(layer.get(f"pad_{side}") for side in ("top", "bottom", "left", "right"))
    if "MaxPooling" not in layer["class_name"] or not padded or kind.signed:
        return
    signed = Fixed(kind.width + 1, kind.integer + 1)
    _insert_cast(walk, layer, signed)
    reason = "hls4ml pads the pooling of unsigned values with one of their larger values instead of the least"
    walk.note(layer["name"], f"its input made {signed}", reason)


def _insert_cast(walk: _Walk, layer: Layer, kind: Fixed) -> None:
    """A linear activation before a layer of one input."""
    source = layer["inputs"][0]
    name = f"{layer['name']}_cast"
    cast = {"name": name, "class_name": "Activation", "activation": "linear", "inputs": [source]}
    walk.config["LayerName"][name] = {"Trace": True, "Precision": {}}
    walk.set_result(cast, walk.spans[source], kind)
    layer["inputs"] = [name]


def _set_activation(walk: _Walk, layer: Layer) -> None:
    name = layer["name"]
    if layer["class_name"] == "LeakyReLU" and "activation_quantizer" in layer:
        _clip_before(walk, layer, _activation_kind(walk, layer))
    source = walk.spans[layer["inputs"][0]]
    if layer["class_name"] == "LeakyReLU" and "activation_quantizer" not in layer:
        _set_absolute(walk, layer, source)
        return
    if "activation_quantizer" not in layer:
        low = max(source.low, 0) if layer["activation"].lower() == "relu" else source.low
        span = Span(source.frac, low, max(source.high, low), source.divisor)
        walk.set_result(layer, span, walk.knob(name, "result") or span.kind(name))
        return
    kind = _activation_kind(walk, layer)
    of_hls4ml = walk.precision(name)["result"]
    if walk.knob(name, "result") is None and from_hls4ml(of_hls4ml, name) != kind:
        reason = f"hls4ml takes it for {of_hls4ml}: other rounding, overflow or range"
        walk.note(name, f"result set to {kind}", reason)
    walk.set_result(layer, Span.of(kind), kind)


def _set_absolute(walk: _Walk, layer: Layer, source: Span) -> None:
    """A leaky ReLU of slope -1; those of other slopes are tables."""
    name = layer["name"]
    walk.precision(name)["param"] = "fixed<2,2>"
    low = max(source.low, -source.high, 0)
    span = Span(source.frac, low, max(source.high, -source.low), source.divisor)
    walk.set_result(layer, span, walk.knob(name, "result") or span.kind(name))


def _activation_kind(walk: _Walk, layer: Layer) -> Fixed:
    quantizer = layer["activation_quantizer"]
    return walk.knob(layer["name"], "result") or activation_type(layer["name"], _unaliased(quantizer))


def _unaliased(quantizer: dict[str, Any]) -> dict[str, Any]:
    """hls4ml calls quantized_bits "linear"."""
    name = quantizer["class_name"]
    return {**quantizer, "class_name": "quantized_bits" if name == "linear" else name}


def _clip_before(walk: _Walk, layer: Layer, kind: Fixed) -> None:
    """QKeras clips a leaky ReLU's negatives at slope * 2**integer: saturate its input, exactly, at 2**integer."""
    grid = walk.spans[layer["inputs"][0]].frac
    clip = Fixed(kind.integer + grid, kind.integer, overflow=Overflow.SAT)
    _insert_cast(walk, layer, clip)
    reason = f"QKeras clips the negative side of '{layer['name']}' at slope * 2**integer, hls4ml at the end of its type"
    walk.note(layer["name"], f"its input clipped to {clip}", reason)


def _set_table(walk: _Walk, layer: Layer) -> None:
    name, source = layer["name"], walk.kinds[layer["inputs"][0]]
    table = walk.tables.get(name) or activations.filled(layer, source, walk.knob(name, "result"))
    if table.cast is not None:
        _insert_cast(walk, layer, table.cast)
    walk.config["LayerName"][name] = {"Trace": True, "Precision": {"table": str(table.kind)}}
    reason = "hls4ml has no form of this activation that equals QKeras on every value"
    walk.note(name, activations.described(table), reason)
    span = Span(table.kind.frac, int(table.values.min()), int(table.values.max()))
    walk.set_result(layer, span, table.kind)


def _set_softmax(walk: _Walk, layer: Layer) -> None:
    name, source = layer["name"], walk.kinds[layer["inputs"][0]]
    how, what = softmax.settle(layer, source, walk.knob(name, "result"), walk.config["LayerName"][name])
    reason = "a knob asks for a softmax in hardware, and no table gives the true one exactly"
    walk.note(name, what, reason, moves=how.form != softmax.ARGMAX)
    walk.set_result(layer, Span.of(how.kind), how.kind)


_BY_TABLES: Mapping[str, Callable[[_Walk, Layer], None]] = {"UnaryLUT": _set_table, "Softmax": _set_softmax}
"""hls4ml layer classes whose tables are filled here, now that the type of their input is known."""
