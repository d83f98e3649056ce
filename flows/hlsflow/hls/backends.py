"""What hls4ml's backends besides Vitis and Vivado cannot do, refused by name before anything is built on it.

In: a backend, and hls4ml's resolved `ModelGraph` for it. Out: nothing, or an error that names the layer. What stands
here was seen with hls4ml 1.3.0, by the inherited suite of layers for each backend whose C++ compiles anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hlsflow.core.errors import ProjectError, UnsupportedLayer
from hlsflow.project import Backend

HLS4ML: Mapping[Backend, str] = {
    "vitis": "Vitis",
    "vivado": "Vivado",
    "vivadoaccelerator": "VivadoAccelerator",
    "oneapi": "oneAPI",
    "quartus": "Quartus",
    "catapult": "Catapult",
    "libero": "Libero",
}
"""Our name of a backend → hls4ml's."""

READ_AS: Mapping[Backend, Backend] = {"quartus": "vitis", "oneapi": "vitis"}
"""Backends that turn and flatten weights → the one that the graph of the network is read from instead."""

TABLE, DEPTHWISE, AVERAGE = "a table of values", "a depthwise convolution", "an average"
TURNED_STREAM = {"2d": "a transposition of two axes in io_stream", "3d": "a transposition of three axes in io_stream"}
"""Dimensions as hls4ml has them → kind of layer."""

VECTORS_STREAM = "a concatenation of vectors in io_stream"
EXTREME_STREAM = "a maximum or minimum of two layers in io_stream"
MERGED_STREAM = {"maximum": EXTREME_STREAM, "minimum": EXTREME_STREAM, "concatenate1d": VECTORS_STREAM}
"""Operation of a merge as hls4ml has it → kind of layer."""

GLOBAL_STREAM = "a global pool in io_stream"
POOL_STREAM = "a pool in io_stream that is padded, or with windows that overlap or leave gaps"

NO_FUNCTION = "its C++ has no function for it that can be compiled"
STOPS = "its C++ stops at it"
OTHERWISE = "its C++ computes other values than QKeras"
LACKING: Mapping[Backend, Mapping[str, str]] = {
    "oneapi": {TABLE: NO_FUNCTION, POOL_STREAM: STOPS},
    "quartus": {
        TABLE: NO_FUNCTION,
        DEPTHWISE: OTHERWISE,
        AVERAGE: OTHERWISE,
        TURNED_STREAM["3d"]: NO_FUNCTION,
        POOL_STREAM: STOPS,
        GLOBAL_STREAM: OTHERWISE,
    },
    "catapult": {
        TABLE: NO_FUNCTION,
        DEPTHWISE: OTHERWISE,
        AVERAGE: OTHERWISE,
        VECTORS_STREAM: OTHERWISE,
        **dict.fromkeys((*TURNED_STREAM.values(), EXTREME_STREAM), NO_FUNCTION),
    },
}
"""Backend → kind of layer that it does not carry, and what happens with it."""


def require_templates(backend: Backend) -> None:
    """Refuse a backend of which the installed hls4ml lacks a file: it would fail in the middle of writing.

    Raises:
        ProjectError: a file is missing.
    """
    spec = find_spec("hls4ml")
    assert spec is not None
    assert spec.origin is not None
    script = Path(spec.origin).parent / "templates" / "libero" / "build_lib.sh"
    if backend == "libero" and not script.is_file():
        raise ProjectError(
            f"target.backend libero: hls4ml {version('hls4ml')} cannot write such projects, as its package lacks "
            f"templates/libero/{script.name}",
            "take another backend; `hlsflow build FOLDER` drives Libero projects that hls4ml has written elsewhere",
        )


def require_carried(backend: Backend, hls_model: Any) -> None:
    """Refuse a network with a layer that hls4ml's backend does not carry.

    Raises:
        UnsupportedLayer: names the first one.
    """
    lacking = LACKING.get(backend, {})
    for layer in hls_model.get_layers():
        kind = _kind(layer)
        if kind in lacking:
            raise UnsupportedLayer(
                f"layer '{layer.name}' is {kind}, which hls4ml's {HLS4ML[backend]} backend does not carry: "
                f"{lacking[kind]}",
                "take target.backend = 'vitis', or another layer there",
            )


def _kind(layer: Any) -> str:
    if layer.get_attr("pool_op") == "Average":
        return AVERAGE
    if layer.class_name.startswith("Depthwise"):
        return DEPTHWISE
    streamed = layer.model.config.get_config_value("IOType") == "io_stream"
    return (_kind_in_stream(layer) if streamed else "") or (TABLE if layer.class_name == "UnaryLUT" else "")


def _kind_in_stream(layer: Any) -> str:
    if layer.class_name == "Transpose":
        return TURNED_STREAM.get(layer.get_attr("dim"), "")
    if layer.class_name.startswith("GlobalPooling"):
        return GLOBAL_STREAM
    if layer.class_name.startswith("Pooling"):
        return "" if _plain(layer) else POOL_STREAM
    return MERGED_STREAM.get(layer.get_attr("op"), "")


def _plain(layer: Any) -> bool:
    """Whether the windows of a pool lie side by side and need no padding."""
    padding = (layer.get_attr(f"pad_{side}") for side in ("top", "bottom", "left", "right"))
    sizes = (layer.get_attr(f"pool_{axis}") == layer.get_attr(f"stride_{axis}") for axis in ("height", "width"))
    return not any(padding) and all(sizes)
