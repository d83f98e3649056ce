"""What is wrong with the knobs of a network, found before it is trained.

In: an untrained Keras model and the project's knobs. Out: nothing, or the error that the translation would end in,
hours later. What only the translation can know, such as the layers that it adds, is left to it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

from hlsflow.core.errors import ProjectError
from hlsflow.project import Project
from hlsflow.project.errors import listed, nearest
from hlsflow.project.reuse import illegal, nearest_legal


def require_knobs(project: Project, model: Any) -> None:
    """Refuse knobs for a layer that is not there, and reuse factors of its own that a layer cannot have.

    Args:
        model: as it is trained, or the float network that it is made of.
    Raises:
        ProjectError: names the layer, and what would do.
    """
    layers = {layer.name: layer for layer in _layers(model)}
    for name, own in project.knobs.layers.items():
        if name in layers and own.reuse_factor is not None:
            _require_legal(project, layers[name])
        elif project.anomaly is None and project.quantize is None and not _may_come_of(name, list(layers)):
            message = f"knobs.layers.{name}: the model has no layer '{name}'{nearest(name, layers)}"
            raise ProjectError(message, f"layers: {listed(name, layers)}")


def _layers(model: Any) -> Iterator[Any]:
    """All layers, those of models within the model and within wrappers included."""
    for layer in model.layers:
        yield layer
        if hasattr(layer, "layer"):
            yield layer.layer
        yield from _layers(layer) if hasattr(layer, "layers") else ()


def _may_come_of(name: str, layers: list[str]) -> bool:
    """Whether the translation may make a layer of that name: it splits layers, and renames those no C++ can name."""
    plain = [re.sub(r"\W", "_", layer) for layer in layers]
    return any(name in (layer, own) or name.startswith(f"{own}_") for layer, own in zip(layers, plain, strict=True))


def _require_legal(project: Project, layer: Any) -> None:
    kernel = getattr(layer, "kernel", None)
    if kernel is None or "Depthwise" in type(layer).__name__ or "Separable" in type(layer).__name__:
        return
    *inputs, outputs = map(int, kernel.shape)
    own, shape = project.knobs.of(layer.name), (math.prod(inputs), outputs)
    legal = nearest_legal(*shape, own.hls_strategy, own.reuse_factor)
    if own.reuse_factor not in legal:
        raise illegal(layer.name, shape, own.hls_strategy, own.reuse_factor, legal)
