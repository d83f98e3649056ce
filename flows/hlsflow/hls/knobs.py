"""Puts the project's knobs into hls4ml's layer list and configuration, and sees that they were granted.

In: hls4ml's layers and configuration, the knobs. Out: both changed in place, the types that knobs set, or an error for
a knob that would do nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hlsflow.core.choices import Strategy
from hlsflow.core.errors import ProjectError
from hlsflow.hls.corrections import Config, Correction, Layers
from hlsflow.hls.exact import SUMS
from hlsflow.hls.names import Names
from hlsflow.hls.precision import from_hls4ml, frozen
from hlsflow.ir.fixed import Fixed
from hlsflow.project import Knobs, LayerKnobs, ResolvedKnobs
from hlsflow.project.errors import listed, nearest
from hlsflow.project.reuse import illegal, nearest_legal

KEEPING = (
    "InputLayer",
    "ZeroPadding1D",
    "ZeroPadding2D",
    "UpSampling1D",
    "UpSampling2D",
    "Reshape",
    "Repack",
    "Transpose",
)
"""hls4ml layer classes whose type is not theirs to choose."""


def apply(layers: Layers, config: Config, knobs: Knobs, names: list[str], io_type: str) -> dict[str, dict[str, Fixed]]:
    """Set reuse factors, strategies and weight precisions.

    Args:
        layers, config: hls4ml's; changed in place.
        knobs: the project's.
        names: of all layers of the Keras model, for messages.
        io_type: io_parallel or io_stream, on which strategies depend.
    Returns:
        the types of accumulators and results that knobs set, by layer and key.
    Raises:
        ProjectError: knobs for a layer that is not there or has no such knob; a reuse factor of the layer's own that
            is illegal.
    """
    by_name = {layer["name"]: layer for layer in layers}
    for name, own in knobs.layers.items():
        _check_own(name, own, by_name.get(name), names)
    chosen: dict[str, dict[str, Fixed]] = {}
    for layer in layers:
        name = layer["name"]
        if layer["class_name"] in SUMS:
            _set_sum(layer, config["LayerName"][name], resolved(layer, knobs, io_type))
            precision = knobs.of(name).precision
        elif name in knobs.layers:
            precision = knobs.layers[name].precision
        else:
            continue
        chosen[name] = {key: kind for key, kind in precision if kind is not None and key in ("accum", "result")}
    return _results_after_scales(layers, chosen)


def _results_after_scales(layers: Layers, chosen: dict[str, dict[str, Fixed]]) -> dict[str, dict[str, Fixed]]:
    """A type for the result of a layer is one for what its kernel's scale makes of the sum, in the layer after it."""
    for layer in layers:
        of = getattr(layer.get("keras"), "of", "")
        if of and "result" in chosen.get(of, {}):
            chosen[layer["name"]] = {"result": chosen[of].pop("result")} | chosen.get(layer["name"], {})
    return chosen


def resolved(layer: dict[str, Any], knobs: Knobs, io_type: str) -> ResolvedKnobs:
    """The knobs of one layer as hls4ml is asked for them.

    Depthwise layers have the latency strategy alone where all values come at once; a default reuse factor that the
    layer cannot have becomes the nearest one that it can.

    Raises:
        ProjectError: the layer itself is given a strategy or a reuse factor that hls4ml does not have for it.
    """
    own = _with_strategy(layer, knobs, io_type)
    legal = nearest_legal(*matrix(layer), own.hls_strategy, own.reuse_factor)
    if own.reuse_factor in legal:
        return own
    of_layer = knobs.layers.get(layer["name"])
    if of_layer is not None and of_layer.reuse_factor is not None:
        raise illegal(layer["name"], matrix(layer), own.strategy, own.reuse_factor, legal)
    return own.model_copy(update={"reuse_factor": min(legal, key=lambda factor: abs(factor - own.reuse_factor))})


def _with_strategy(layer: dict[str, Any], knobs: Knobs, io_type: str) -> ResolvedKnobs:
    name, own = layer["name"], knobs.of(layer["name"])
    if "depthwise_data" not in layer or io_type != "io_parallel" or own.strategy == "latency":
        return own
    if name in knobs.layers and knobs.layers[name].strategy is not None:
        message = (
            f"knobs.layers.{name}.strategy: hls4ml has no {own.strategy} strategy for depthwise layers in io_parallel"
        )
        raise ProjectError(message, "use strategy latency for it, or io_stream")
    return own.model_copy(update={"strategy": Strategy.LATENCY})


def moved(layers: Layers, knobs: Knobs, io_type: str) -> list[Correction]:
    """What is said of layers that get another reuse factor than the default, because hls4ml cannot build that one."""
    corrections = []
    for layer in (layer for layer in layers if layer["class_name"] in SUMS):
        asked, own = knobs.of(layer["name"]).reuse_factor, resolved(layer, knobs, io_type)
        if own.reuse_factor != asked:
            n_in, n_out = matrix(layer)
            what = f"reuse factor {own.reuse_factor} in hls4ml's project instead of the default {asked}"
            reason = f"hls4ml cannot build {asked} for {n_in} x {n_out} with strategy {own.hls_strategy}"
            corrections.append(Correction(layer["name"], what, reason))
    return corrections


def matrix(layer: Any) -> tuple[int, int]:
    """Inputs and outputs of the product that a layer repeats, as hls4ml counts them (`get_layer_mult_size`)."""
    get: Callable[[str], Any] = layer.get if isinstance(layer, dict) else layer.get_attr
    if get("filt_width") is None:
        return int(get("n_in")), int(get("n_out"))
    return int(get("n_chan") * (get("filt_height") or 1) * get("filt_width")), int(get("n_filt"))


def _check_own(name: str, own: LayerKnobs, layer: dict[str, Any] | None, names: list[str]) -> None:
    if name not in names:
        message = f"knobs.layers.{name}: the model has no layer '{name}'{nearest(name, names)}"
        raise ProjectError(message, f"layers: {listed(name, names)}")
    if layer is not None and layer["class_name"] in SUMS:
        return
    allowed = ["precision.result"] if layer is not None and layer["class_name"] not in KEEPING else []
    allowed.append("parallel_pixels")
    if layer is not None and "Pooling" in layer["class_name"]:
        allowed.append("precision.accum")
    if layer is not None and layer["class_name"] == "Softmax":
        allowed.append("implementation")
    if layer is not None and layer["class_name"] == "BatchNormalization":
        allowed += ["multiplier", "weights_in", "codebook", "rtl.reuse_factor", "rtl.strategy"]
    keys = [key for key, value in own if value is not None and key not in ("precision", "rtl")]
    keys += [f"{part}.{key}" for part in ("precision", "rtl") for key, value in getattr(own, part) if value is not None]
    for key in keys:
        if key not in allowed:
            message = f"knobs.layers.{name}.{key}: layer '{name}' has no such knob"
            raise ProjectError(message, f"it has: {', '.join(allowed)}")


def _set_sum(layer: dict[str, Any], entry: dict[str, Any], knobs: ResolvedKnobs) -> None:
    entry["ReuseFactor"], entry["Strategy"] = knobs.reuse_factor, knobs.hls_strategy.capitalize()
    kernel = "depthwise" if "depthwise_data" in layer else "weight"
    for key, source in (("weight", kernel), ("bias", "bias")):
        kind = getattr(knobs.precision, key)
        if kind is None or layer.get(f"{source}_data") is None:
            continue
        entry["Precision"][key] = str(kind)
        layer[f"{source}_data"] = kind.real(kind.quantize(layer[f"{source}_data"]))
        layer[f"{source}_quantizer"] = frozen(kind)


def require_granted(hls_model: Any, layers: Layers, names: Names, knobs: Knobs, io_type: str) -> None:
    """Raise ProjectError if hls4ml resolved a layer to anything else than what was asked."""
    by_name = {names.get(layer["name"], layer["name"]): layer for layer in layers if layer["class_name"] in SUMS}
    scaled = {getattr(layer.get("keras"), "of", "") for layer in layers}
    for layer in hls_model.get_layers():
        if layer.name in by_name:
            source = by_name[layer.name]
            _require_sum(layer, source, resolved(source, knobs, io_type), source["name"] in scaled)


def _require_sum(layer: Any, source: dict[str, Any], knobs: ResolvedKnobs, is_scaled: bool) -> None:
    got: dict[str, Any] = {"reuse_factor": int(layer.get_attr("reuse_factor"))}
    asked: dict[str, Any] = {"reuse_factor": knobs.reuse_factor}
    for key, kind in knobs.precision:
        absent = (key == "bias" and source.get("bias_data") is None) or (key == "result" and is_scaled)
        if kind is not None and not absent:
            asked[key] = _bits(kind)
            got[key] = _bits(from_hls4ml(layer.types[f"{key}_t"].precision, layer.name))
    for key, value in asked.items():
        if got[key] != value:
            message = f"layer '{source['name']}': asked for {key} {value}, hls4ml made it {got[key]}"
            raise ProjectError(message, f"remove that knob, or set it to {got[key]}")


def _bits(kind: Fixed) -> str:
    """The type without its modes, which mean nothing for constants."""
    return str(Fixed(kind.width, kind.integer, kind.signed))
