"""Names of layers that hls4ml and C++ take, where a model's own are others; the user's stay everywhere but in the C++.

In: the names of a model's layers. Out: for those that cannot stay, the names in hls4ml's project; graphs and texts with
the user's again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from hlsflow.hls.corrections import Config, Correction, Layers
from hlsflow.ir import Graph
from hlsflow.keras.graph import activation_name, free_name, nodes, rebuilt

KEYWORDS = (
    "alignas|alignof|and|and_eq|asm|auto|bitand|bitor|bool|break|case|catch|char|char16_t|char32_t|class|compl|"
    "const|const_cast|constexpr|continue|decltype|default|delete|do|double|dynamic_cast|else|enum|explicit|"
    "export|extern|false|float|for|friend|goto|if|inline|int|long|mutable|namespace|new|noexcept|not|not_eq|"
    "nullptr|operator|or|or_eq|private|protected|public|register|reinterpret_cast|return|short|signed|sizeof|"
    "static|static_assert|static_cast|struct|switch|template|this|thread_local|throw|true|try|typedef|typeid|"
    "typename|union|unsigned|using|virtual|void|volatile|wchar_t|while|xor|xor_eq|main|std|nnet"
)
"""Keywords of C++17 and names of its scopes: hls4ml calls variables by the names of inputs."""

GENERATED = r"[wbst]\d+|(layer|config|table)\d+\w*|\w+_t|(N|OUT)_[A-Z0-9_]+"
"""Names that hls4ml gives to weights, values, types and sizes, as inputs may be called as well."""

TAKEN = re.compile(f"{KEYWORDS}|{GENERATED}", re.ASCII)

KEPT = "input"
"""The layer name that hls4ml keeps to itself."""

MERGES = ("Add", "Multiply", "Average", "Maximum", "Minimum", "Concatenate")
"""Keras layer classes of which one of many arguments becomes a chain, `<name>_1`, `<name>_2` ..."""

Names = Mapping[str, str]
"""Layer → its name in C++, of the layers for which that is another one."""


def distinct(model: Any) -> tuple[Any, list[Correction]]:
    """The model with other names for layers that are called like something that is made of another layer.

    hls4ml makes `<layer>_<activation>` of a layer's own activation, and hlsflow `<layer>_cast` and others.
    """
    names = [node.layer.name for node in nodes(model)]
    made = {name: node.layer.name for node in nodes(model) for name in _made(node)}
    taken, changes, notes = {*names, *made}, {}, []
    for name in (name for name in names if name in made):
        new = free_name(name, taken)
        taken.add(new)
        changes[name] = {"name": new}
        notes.append(Correction(name, f"called {new}", f"a part of layer '{made[name]}' has that name in hls4ml"))
    return (rebuilt(model, changes), notes) if changes else (model, [])


def _made(node: Any) -> Iterator[str]:
    """Names of what a layer becomes besides its own."""
    name, kind = node.layer.name, type(node.layer).__name__
    if hasattr(node.layer, "activation"):
        yield f"{name}_{activation_name(node.layer)}"
    yield from (f"{name}_{part}" for part in ("cast", "rows", "depthwise"))
    if kind in MERGES:
        yield from (f"{name}_{number}" for number in range(1, len(node.parent_nodes) - 1))


def for_cpp(names: Sequence[str], inputs: Sequence[str]) -> Names:
    """The names in C++ of layers whose own cannot stay.

    Args:
        names: of all layers.
        inputs: of those that are inputs, whose names become variables.
    """
    wrong = [name for name in names if not _stays(name, name in inputs)]
    taken = {name for name in names if name not in wrong}
    cleaned: dict[str, str] = {}
    for name in wrong:
        cleaned[name] = free_name(_cleaned(name), taken)
        taken.add(cleaned[name])
    return cleaned


def _stays(name: str, is_input: bool) -> bool:
    if not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII) or name == KEPT:
        return False
    return not (is_input and TAKEN.fullmatch(name))


def _cleaned(name: str) -> str:
    """Letters, digits and single underscores, not beginning with a digit, and no word of C++ or hls4ml."""
    clean = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_")
    return clean if clean != name and _stays(clean, True) else f"layer_{clean}".removesuffix("_t").rstrip("_")


def notes(names: Names) -> list[Correction]:
    """What is said of layers that have another name in C++."""
    reason = "neither C++ nor hls4ml takes its own name, by which knobs and reports go on calling it"
    return [Correction(name, f"called {new} in hls4ml's project", reason) for name, new in names.items()]


def renamed(layers: Layers, config: Config, names: Names) -> tuple[Layers, Config]:
    """hls4ml's layer list and configuration, with the names for C++."""

    def of(name: str) -> str:
        return names.get(name, name)

    changed = [
        layer | {"name": of(layer["name"]), "inputs": [of(name) for name in layer.get("inputs") or []]}
        for layer in layers
    ]
    return changed, config | {"LayerName": {of(name): entry for name, entry in config["LayerName"].items()}}


def under_own_names(values: Mapping[str, Any], names: Names) -> dict[str, Any]:
    """What hls4ml's C++ says of each layer, under the user's names."""
    own = {new: name for name, new in names.items()}
    return {own.get(name, name): value for name, value in values.items()}


def restored(graph: Graph, names: Names) -> Graph:
    """The graph with the user's names."""
    own = {new: name for name, new in names.items()}
    changed = [
        replace(node, name=own.get(node.name, node.name), inputs=tuple(own.get(name, name) for name in node.inputs))
        for node in graph.nodes
    ]
    return replace(graph, nodes=tuple(changed), outputs=tuple(own.get(name, name) for name in graph.outputs))
