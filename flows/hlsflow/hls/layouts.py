"""Keeps the order of values where hls4ml's passes lose it: after flattenings and permutations.

In: hls4ml's layer list. Out: the list, changed, and the corrections.
"""

from __future__ import annotations

from collections.abc import Mapping

from hlsflow.hls.corrections import Config, Correction, Layer, Layers


def corrected(layers: Layers, config: Config, io_type: str) -> tuple[Layers, list[Correction]]:
    """The list with what `io_type` needs, and what was changed; entries for new layers are added to `config`."""
    if io_type == "io_stream":
        return layers, _repacked(layers)
    return _with_rows(layers, config)


def _repacked(layers: Layers) -> list[Correction]:
    """Make flattened images whole vectors before layers other than dense ones; changes the list in place.

    hls4ml's pass `InplaceStreamFlatten` lets a flattening hand on the pixels of the image as they are. Its dense layers
    collect these; all others would take one pixel for the whole vector.
    """
    notes = []
    for layer in layers:
        readers = [reader for reader in layers if layer["name"] in (reader.get("inputs") or [])]
        if layer["class_name"] != "Reshape" or len(layer["target_shape"]) > 1:
            continue
        if any(reader["class_name"] not in COLLECTING for reader in readers):
            layer["class_name"] = "Repack"
            reason = (
                "with io_stream hls4ml hands a flattened image on pixel by pixel, which other layers take for vectors"
            )
            notes.append(Correction(layer["name"], "made a layer that collects the vector", reason))
    return notes


COLLECTING = ("Dense", "QDense", "Reshape")
"""hls4ml layer classes that read a vector from several beats."""


def _with_rows(layers: Layers, config: Config) -> tuple[Layers, list[Correction]]:
    """Put a reshape between a permutation and a flattening.

    hls4ml's pass `RemoveTransposeBeforeFlatten` takes any permutation before a flattening and a dense layer for the one
    that its reader of other frameworks puts there, drops it, and reorders the weights for that one.
    """
    by_name = {layer["name"]: layer for layer in layers}
    result: Layers = []
    notes = []
    for layer in layers:
        if _flattens_permutation(layer, by_name):
            name, size = f"{layer['name']}_rows", layer["target_shape"][0]
            rows = {"name": name, "class_name": "Reshape", "target_shape": [1, size], "inputs": layer["inputs"]}
            result.append(rows)
            config["LayerName"][name] = {"Trace": True, "Precision": {}}
            layer["inputs"] = [name]
            reason = "hls4ml drops a permutation before a flattening, and reorders the weights after it for another one"
            notes.append(Correction(layer["name"], "separated from the permutation before it", reason))
        result.append(layer)
    return result, notes


def _flattens_permutation(layer: Layer, by_name: Mapping[str, Layer]) -> bool:
    if layer["class_name"] != "Reshape" or len(layer["target_shape"]) > 1:
        return False
    return bool(by_name[layer["inputs"][0]]["class_name"] == "Transpose")
