"""Puts the project's knobs into hls4ml's layer list and configuration, and sees that they were granted.

In: hls4ml's layers and configuration, the knobs. Out: both changed in place, or an error for a knob that
would do nothing.
"""

from __future__ import annotations

from typing import Any

from flows.errors import ProjectError
from flows.hls.corrections import Config, Layers
from flows.hls.precision import from_hls4ml, frozen
from flows.ir.fixed import Fixed
from flows.project import Knobs, LayerKnobs, ResolvedKnobs
from flows.project_errors import nearest
from flows.reuse import nearest_legal

DENSE = ("QDense", "Dense")


def apply(layers: Layers, config: Config, knobs: Knobs, names: list[str]) -> None:
    """Set reuse factors, strategies and precisions.

    Args:
        layers, config: hls4ml's; changed in place.
        knobs: the project's.
        names: of all layers of the Keras model, for messages.
    Raises:
        ProjectError: knobs for a layer that is not there or has no such knob; an illegal reuse factor.
    """
    by_name = {layer["name"]: layer for layer in layers}
    for name, own in knobs.layers.items():
        _check_own(name, own, by_name.get(name), names)
    for layer in layers:
        if layer["class_name"] in DENSE:
            _set_dense(layer, config["LayerName"][layer["name"]], knobs.of(layer["name"]))
        elif layer["name"] in knobs.layers:
            kind = knobs.layers[layer["name"]].precision.result
            if kind is not None:
                config["LayerName"][layer["name"]]["Precision"]["result"] = str(kind)


def _check_own(name: str, own: LayerKnobs, layer: dict[str, Any] | None, names: list[str]) -> None:
    if name not in names:
        message = f"knobs.layers.{name}: the model has no layer '{name}'{nearest(name, names)}"
        raise ProjectError(message, f"layers: {', '.join(names)}")
    if layer is not None and layer["class_name"] in DENSE:
        return
    known = ["precision.result"] if layer is not None and "activation" in layer else []
    given = [key for key, value in own if value is not None and key != "precision"]
    given += [f"precision.{key}" for key, value in own.precision if value is not None]
    for key in given:
        if key not in known:
            message = f"knobs.layers.{name}.{key}: layer '{name}' has no such knob"
            raise ProjectError(message, f"it has: {', '.join(known) or 'none'}")


def _set_dense(layer: dict[str, Any], entry: dict[str, Any], knobs: ResolvedKnobs) -> None:
    _check_reuse_factor(layer, knobs)
    entry["ReuseFactor"], entry["Strategy"] = knobs.reuse_factor, knobs.strategy.capitalize()
    for key, kind in knobs.precision:
        if kind is None or (key == "bias" and layer.get("bias_data") is None):
            continue
        entry["Precision"][key] = str(kind)
        if key in ("weight", "bias"):
            layer[f"{key}_data"] = kind.real(kind.quantize(layer[f"{key}_data"]))
            layer[f"{key}_quantizer"] = frozen(kind)


def _check_reuse_factor(layer: dict[str, Any], knobs: ResolvedKnobs) -> None:
    legal = nearest_legal(layer["n_in"], layer["n_out"], knobs.strategy, knobs.reuse_factor)
    if knobs.reuse_factor not in legal:
        near = " or ".join(map(str, legal))
        raise ProjectError(
            f"layer '{layer['name']}' ({layer['n_in']} x {layer['n_out']}, strategy {knobs.strategy}): hls4ml cannot "
            f"build reuse factor {knobs.reuse_factor}",
            f"set knobs.layers.{layer['name']}.reuse_factor to {near}; [sweep] takes any, for the open RTL",
        )


def require_granted(hls_model: Any, layers: Layers, knobs: Knobs) -> None:
    """Raise ProjectError if hls4ml resolved a layer to anything else than what was asked."""
    by_name = {layer["name"]: layer for layer in layers}
    for layer in hls_model.get_layers():
        if layer.class_name == "Dense":
            _require_dense(layer, by_name[layer.name], knobs.of(layer.name))


def _require_dense(layer: Any, source: dict[str, Any], knobs: ResolvedKnobs) -> None:
    got: dict[str, Any] = {"reuse_factor": int(layer.get_attr("reuse_factor"))}
    asked: dict[str, Any] = {"reuse_factor": knobs.reuse_factor}
    for key, kind in knobs.precision:
        if kind is not None and (key != "bias" or source.get("bias_data") is not None):
            asked[key] = _bits(kind)
            got[key] = _bits(from_hls4ml(layer.types[f"{key}_t"].precision, layer.name))
    for key, value in asked.items():
        if got[key] != value:
            message = f"layer '{layer.name}': asked for {key} {value}, hls4ml made it {got[key]}"
            raise ProjectError(message, f"remove that knob, or set it to {got[key]}")


def _bits(kind: Fixed) -> str:
    """The type without its modes, which mean nothing for constants."""
    return str(Fixed(kind.width, kind.integer, kind.signed))
