"""What hls4ml cannot do with values that come one pixel at a time.

In: hls4ml's layer list. Out: nothing, or a refusal by name. The limits are asserted in hls4ml's `nnet_pooling_stream.h`
and in its pass `CloneOutput`, where they would stop the C-simulation without naming a layer.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from hlsflow.core.errors import UnsupportedLayer

MAX_READERS = 7
"""Copies of one stream that hls4ml can make."""


def require_streamable(layers: list[dict[str, Any]], outputs: list[str]) -> None:
    """Refuse a network that hls4ml cannot build with io_stream; raises UnsupportedLayer."""
    readers = Counter([name for layer in layers for name in layer.get("inputs") or []] + outputs)
    for layer in layers:
        name = layer["name"]
        if readers[name] > MAX_READERS:
            message = f"layer '{name}' is read {readers[name]} times, and io_stream copies a stream {MAX_READERS} times"
            raise UnsupportedLayer(message, "use io_parallel, or hand the values on through a layer in between")
        if "Pooling" in layer["class_name"] and not layer["class_name"].startswith("Global"):
            _require_plain_windows(layer)


def _require_plain_windows(layer: dict[str, Any]) -> None:
    padded = any(layer.get(f"pad_{side}") for side in ("top", "bottom", "left", "right"))
    window = layer.get("pool_height"), layer["pool_width"]
    overlapping = window[0] is not None and window != (layer["stride_height"], layer["stride_width"])
    if padded or overlapping:
        what = "pads the image" if padded else f"has windows {window} that differ from its strides"
        message = f"layer '{layer['name']}' {what}, which hls4ml's poolings cannot with io_stream"
        raise UnsupportedLayer(message, "use io_parallel, or padding='valid' and strides equal to pool_size")
