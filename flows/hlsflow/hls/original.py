"""The model as its file holds it, run by QKeras itself up to where the hardware ends.

In: the Keras model as it was loaded or handed over, and the model that the hardware must equal. Out: the outputs of the
former, and the first layer of the latter that differs from it. QKeras computes in float32. Samples for which that is
not what the frozen network gives are run in float64 as well, which rounds 2**29 times less: float32 may have rounded a
sum, or have broken a tie the other way. What differs then differs from what the file says.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from hlsflow.core.errors import ModelError, StorageError
from hlsflow.core.tasks import Task
from hlsflow.hls.batchnorm import SCALE
from hlsflow.hls.corrections import Correction
from hlsflow.hls.fidelity import Fidelity, Origin, measured
from hlsflow.hls.reference import Reference, reference
from hlsflow.hls.translate import Translation, quiet
from hlsflow.ir import Node, Op
from hlsflow.ir.fixed import Array
from hlsflow.ir.graph import apart, side_by_side
from hlsflow.keras.graph import activation_name, nodes, output_names, parents
from hlsflow.keras.outputs import outputs

OUTPUT, FIDELITY = "file.npz", "file.json"
"""Where step `translate` keeps what the file gives, and how the frozen network compares with it."""

LOOKED_AT = 64
"""Samples, those of the largest differences first, of which all layers are compared."""

SAME = 2.0**-12
"""Differences of a whole model and its parts that are smaller, relative to the largest value, are float32 rounding."""

NOISE = 2.0**-40
"""Differences that are smaller, relative to the largest value of a layer, are rounding of float64."""


@dataclass(frozen=True, eq=False)
class Original:
    """What the file gives.

    Attributes:
        output: (n, total_out), real, the outputs side by side.
        fidelity: how the frozen network compares with it.
    """

    output: Array
    fidelity: Fidelity

    def save(self, folder: Path) -> None:
        np.savez_compressed(folder / OUTPUT, output=self.output)
        (folder / FIDELITY).write_text(json.dumps(self.fidelity.to_json(), indent=1), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Original:
        """Inverse of `save`; raises StorageError for a damaged file."""
        try:
            content = json.loads((folder / FIDELITY).read_text(encoding="utf-8"))
            with np.load(folder / OUTPUT, allow_pickle=False) as data:
                return cls(data["output"], Fidelity.from_json(content))
        except (OSError, EOFError, KeyError, TypeError, ValueError, zipfile.BadZipFile) as error:
            raise StorageError(f"{folder} cannot be read: {error}", "delete it and run again") from error


def original(translation: Translation, frozen: Reference, x: Array, task: Task, y: Array) -> Original:
    """Run the model of the file, and compare.

    Args:
        translation: both models, and what was changed between them.
        frozen: what the frozen network gives for `x`.
        x: samples on the input grid, as `reference` takes them.
        task, y: what outputs mean, and should be, as `measured` takes them.
    Raises:
        ModelError: the file gives values that are no numbers.
    """
    with quiet():
        return _compared(translation, frozen, x, task, y)


def _compared(translation: Translation, frozen: Reference, x: Array, task: Task, y: Array) -> Original:
    file, results = translation.reading.file, translation.graph.results
    _require_same_network(translation.reading.original, file, x[:LOOKED_AT])
    output, in_float64 = _evaluated(file, frozen.output, x, results)
    fidelity = measured(output, frozen.output, in_float64, results, task, y)
    if fidelity.equal:
        return Original(output, fidelity)
    worst = np.argsort(-np.abs(output - frozen.output).max(axis=1), kind="stable")[:LOOKED_AT]
    origin = _origin(file, translation.reading.model, x[worst], translation.corrections)
    return Original(output, replace(fidelity, origin=origin))


def _require_same_network(model: Any, file: Any, x: Array) -> None:
    """The model that was handed over, untouched, gives what its plain form does with the functions left to software.

    Raises:
        ModelError: it gives something else.
    """
    for number, (output, part) in enumerate(zip(outputs(model, x), outputs(file, x), strict=True), start=1):
        ends = (function(part.astype(np.float64)) for function in LEFT_TO_SOFTWARE)
        if not any(np.allclose(output, end, rtol=SAME, atol=SAME * np.abs(output).max(initial=0.0)) for end in ends):
            raise ModelError(
                f"output {number} of the model is another one than that of its layers, taken one by one",
                "this is a fault of hlsflow: please report it with the model",
            )


def _softmax(logits: Array) -> Array:
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return np.asarray(powers / powers.sum(-1, keepdims=True))


def _sigmoid(logits: Array) -> Array:
    return np.asarray(0.5 + 0.5 * np.tanh(logits / 2))


LEFT_TO_SOFTWARE: Sequence[Callable[[Array], Array]] = (np.asarray, _softmax, _sigmoid)
"""What a model may have behind the point where the hardware ends."""


def _evaluated(file: Any, frozen: Array, x: Array, results: Sequence[Node]) -> tuple[Array, int]:
    """The file's outputs, and of how many samples they were computed in float64, as float32 gives others."""
    output = np.asarray(_told(reference(file, x).output, results), np.float64)
    again = (output != frozen).any(axis=1)
    if again.any():
        output[again] = _told(reference(file, x[again], wide=True).output, results)
    return output, int(again.sum())


def _told(output: Array, results: Sequence[Node]) -> Array:
    """Outputs that are numbers; a softmax that the hardware has as an argmax, by a knob, says which class it tells."""
    wrong = int((~np.isfinite(output)).any(axis=1).sum())
    if wrong:
        message = f"the model gives NaN or infinite outputs for {wrong} of {len(output)} samples, in QKeras itself"
        raise ModelError(message, "look at its quantizers and weights, and train it anew")
    parts = zip(results, apart(results, output), strict=True)
    return side_by_side([np.eye(node.size)[part.argmax(-1)] if node.op is Op.ARGMAX else part for node, part in parts])


def _origin(file: Any, frozen: Any, x: Array, corrections: Sequence[Correction]) -> Origin | None:
    """The first layer, in the order of the file's model, whose values differ in a way that an output shows."""
    distances = _distances(file, frozen, x)
    shown = _shown(file, distances)
    passed: list[str] = []
    for layer, distance in distances.items():
        passed.append(layer)
        if distance is None:
            continue
        if layer in shown:
            count, largest = int(np.count_nonzero(distance)), float(distance.max())
            return Origin(layer, count, distance.size, largest, _blamed(passed, corrections))
        passed.clear()
    return None


def _distances(file: Any, frozen: Any, x: Array) -> dict[str, Array | None]:
    """Layer of the file → how far its values are from those of the frozen network; None where that has none of them."""
    values, held = (reference(model, x, wide=True).layers for model in (file, frozen))
    own, others = _layers(file), _layers(frozen)
    result: dict[str, Array | None] = {}
    for layer, values_of_layer in values.items():
        name = _counterpart(own, layer, others)
        result[layer] = None
        if name is not None and held[name].size == values_of_layer.size:
            distance = np.abs(held[name].reshape(values_of_layer.shape) - values_of_layer)
            result[layer] = np.where(distance > NOISE * np.abs(values_of_layer).max(initial=0.0), distance, 0.0)
    return result


def _shown(file: Any, distances: Mapping[str, Array | None]) -> set[str]:
    """Layers whose values differ, or are not known, from where an output is reached through such layers alone.

    A difference that the quantizers after it round away is none that an output shows.
    """
    shown: set[str] = set()
    ends, sources = output_names(file), parents(file)
    for layer in reversed(list(distances)):
        distance = distances[layer]
        reached = layer in ends or any(reader in shown for reader, read in sources.items() if layer in read)
        if reached and (distance is None or distance.any()):
            shown.add(layer)
    return shown


def _layers(model: Any) -> dict[str, Any]:
    return {node.layer.name: node.layer for node in nodes(model)}


def _counterpart(file: Mapping[str, Any], name: str, frozen: Mapping[str, Any]) -> str | None:
    """The frozen layer that has the values of a layer of the file; None where none has."""
    activation = activation_name(file[name])
    scales = {scale.of: scaled for scaled, scale in frozen.items() if type(scale).__name__ == SCALE}
    if f"{name}_{activation}" in frozen:
        return f"{name}_{activation}"
    if name in scales:  # the layer of its own name holds the sum before the scale
        return scales[name] if activation == "linear" and scales[name] not in file else None
    return name if name in frozen and activation_name(frozen[name]) == activation else None


def _blamed(passed: Sequence[str], corrections: Sequence[Correction]) -> tuple[str, ...]:
    """Corrections that move values, of the layers since the last one that was equal."""
    moving = [correction for correction in corrections if correction.moves]
    return tuple(
        f"{correction.what} ('{correction.layer}')"
        for correction in moving
        if any(correction.layer == layer or correction.layer.startswith(f"{layer}_") for layer in passed)
    )
