"""Restores what QKeras means where hls4ml's conversion loses it; every change is a `Correction` that the run prints.

In: hls4ml's layer list and its configuration. Out: the configuration, changed in place, and the list of changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from flows.errors import UnsupportedLayer
from flows.hls.precision import activation_type, from_hls4ml
from flows.ir.fixed import Fixed, Overflow


@dataclass(frozen=True)
class Correction:
    """One change to what hls4ml would have made of a layer.

    Attributes:
        layer: name of the Keras layer.
        what: what was changed.
        reason: what would be wrong without it.
    """

    layer: str
    what: str
    reason: str

    def to_json(self) -> dict[str, str]:
        return asdict(self)


Layers = list[dict[str, Any]]
Config = dict[str, Any]


def correct(layers: Layers, config: Config, input_type: Fixed) -> list[Correction]:
    """Set every precision that hls4ml would guess, round or drop.

    Args:
        layers: hls4ml's layer list.
        config: hls4ml's configuration with `LayerName` entries for all of them; changed in place.
        input_type: the project's input quantizer.
    Raises:
        UnsupportedLayer: an activation quantizer that no fixed-point type expresses.
    """
    notes = [_set_input(layers[0]["name"], config, input_type)]
    grid = input_type.frac
    for index, layer in enumerate(layers):
        quantizer = layer.get("activation_quantizer")
        if quantizer is not None:
            kind = activation_type(layer["name"], _unaliased(quantizer))
            notes += _set_activation(layer["name"], config, kind)
            if layer.get("activation") == "linear":
                notes += _keep_quantizer(layers[:index], layer["name"], config, kind)
            if layer["class_name"] == "LeakyReLU":
                notes += _clip_before(layers[:index], layer["name"], config, Fixed(kind.integer + grid, kind.integer))
        grid = _grid_after(layer, config, grid)
    return notes


def _grid_after(layer: dict[str, Any], config: Config, grid: int) -> int:
    """Fractional bits of the exact result of a layer whose input has `grid` of them."""
    if layer["class_name"] in ("Dense", "QDense"):
        types = {key: layer[f"{key}_quantizer"].hls_type for key in ("weight", "bias") if layer.get(f"{key}_quantizer")}
        return max(grid + int(types["weight"].fractional), int(types["bias"].fractional) if "bias" in types else grid)
    if "activation_quantizer" in layer:
        return from_hls4ml(config["LayerName"][layer["name"]]["Precision"]["result"], layer["name"]).frac
    return grid


def _clip_before(before: Layers, name: str, config: Config, kind: Fixed) -> list[Correction]:
    """QKeras clips a leaky ReLU's negatives at slope * 2**integer: saturate its input, exactly, at 2**integer."""
    clip = replace(kind, overflow=Overflow.SAT)
    parents = list(_open_parents(before))
    if not parents:
        message = f"layer '{name}': a quantized_relu with negative_slope must follow a QDense to be exact"
        raise UnsupportedLayer(message, "use negative_slope=0 here")
    for parent in parents:
        config["LayerName"][parent]["Precision"]["result"] = str(clip)
    reason = f"QKeras clips the negative side of '{name}' at slope * 2**integer, hls4ml at the end of its type"
    return [Correction(parent, f"result set to {clip}", reason) for parent in parents[-1:]]


def _unaliased(quantizer: dict[str, Any]) -> dict[str, Any]:
    """hls4ml calls quantized_bits "linear"."""
    name = quantizer["class_name"]
    return {**quantizer, "class_name": "quantized_bits" if name == "linear" else name}


def _set_input(name: str, config: Config, kind: Fixed) -> Correction:
    config["LayerName"][name]["Precision"]["result"] = str(kind)
    reason = "hls4ml's default fixed<16,6> is not the grid of the data; the project's input quantizer is"
    return Correction(name, f"input set to {kind}", reason)


def _set_activation(name: str, config: Config, kind: Fixed) -> list[Correction]:
    precision = config["LayerName"][name]["Precision"]
    theirs = precision["result"]
    precision["result"] = str(kind)
    if from_hls4ml(theirs, name) == kind:
        return []
    return [
        Correction(name, f"result set to {kind}", f"hls4ml takes it for {theirs}: other rounding, overflow or range")
    ]


def _keep_quantizer(before: Layers, name: str, config: Config, kind: Fixed) -> list[Correction]:
    """hls4ml's pass MergeLinearActivation deletes a linear quantizer when its parent's type is left open."""
    parents = list(_open_parents(before))
    for parent in parents:
        config["LayerName"][parent]["Precision"]["result"] = str(kind)
    if not parents:
        return []
    reason = f"hls4ml deletes the quantizer '{name}' without a word while the type of the layer before it is open"
    return [Correction(parents[-1], f"result set to {kind}, the type of '{name}'", reason)]


def _open_parents(before: Layers) -> Iterator[str]:
    """The layers that a linear quantizer would be merged into, nearest first: a pseudo-layer and the layer itself."""
    for layer in reversed(before):
        if layer["class_name"] in ("Dense", "QDense"):
            yield layer["name"]
            return
        if layer.get("activation") != "linear" or "activation_quantizer" in layer:
            return
        yield layer["name"]
