"""QKeras → hls4ml's resolved `ModelGraph` → HLS C++ project and our own graph.

In: a model, the input quantizer, the target and the knobs. Out: `Translation`; on disk the HLS project of hls4ml.
"""

from __future__ import annotations

import contextlib
import io
import json
import math
import shutil
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from hlsflow.core.errors import UnsupportedLayer
from hlsflow.hls import backends, knobs, layouts
from hlsflow.hls import names as naming
from hlsflow.hls.corrections import Config, Correction, correct
from hlsflow.hls.gate import beyond_float32
from hlsflow.hls.lower import kernel, lower
from hlsflow.hls.names import Names
from hlsflow.hls.precision import from_hls4ml
from hlsflow.hls.reading import Reading, read
from hlsflow.hls.streams import require_streamable
from hlsflow.ir import Fixed, Graph
from hlsflow.keras import keras2
from hlsflow.keras.outputs import untranslated
from hlsflow.project import Backend, Knobs, Target

PROJECT_NAME = "hlsflow_top"
"""Name of the HLS project and of its top function."""

DEFAULT_PRECISION = "fixed<32,16>"
"""For what neither QKeras nor hls4ml's inference gives a type; never narrower than hls4ml's own fixed<16,6>."""


@dataclass(frozen=True)
class Settings:
    """What translation depends on besides the model.

    Attributes:
        input_type: the input quantizer.
        target: hls4ml backend, part, clock, io type.
        knobs: per-layer precision, reuse factor, strategy.
    """

    input_type: Fixed
    target: Target
    knobs: Knobs


@dataclass(frozen=True)
class LayerRow:
    """One line of the table that echoes the knobs.

    Attributes:
        name, kind: of hls4ml's layer.
        shape: of the weights, or of the result.
        weight, accum, result: types as text; empty where the layer has none.
        strategy: as resolved; empty where the layer has none.
        asked, granted: reuse factor; None where the layer has none.
        multipliers: ceil(products of one matrix / reuse factor); None where the layer has none.
        zeros: share of the kernel's weights that are 0, in per cent; None where the layer has none.
        values: how many different weights the kernel has; None where the layer has none.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    weight: str
    accum: str
    result: str
    strategy: str
    asked: int | None
    granted: int | None
    multipliers: int | None
    zeros: float | None = None
    values: int | None = None

    def to_json(self) -> dict[str, object]:
        return asdict(self)


@dataclass(frozen=True)
class Translation:
    """A translated network.

    Attributes:
        reading: the model as read; `reading.model` is what the hardware must equal.
        hls_model: hls4ml's `ModelGraph`, resolved.
        graph: the same network as integers.
        names: layer → its name in `hls_model` and its C++, where that is another one.
        corrections: everything that was changed on the way.
        rows: the echo of the knobs.
    """

    reading: Reading
    hls_model: Any
    graph: Graph
    names: Names
    corrections: tuple[Correction, ...]
    rows: tuple[LayerRow, ...]


def translate(model: Any, settings: Settings, folder: Path) -> Translation:
    """Translate a QKeras model and write the HLS project to `folder`.

    Raises:
        UnsupportedLayer: something in the model that hlsflow does not carry.
        ProjectError: knobs for a layer that is not there, an illegal reuse factor, or a backend whose projects the
            installed hls4ml cannot write.
    """
    with quiet():
        readable = _resolve(model, _readable(settings), folder)[1] if _readable(settings) != settings else None
        reading, hls_model, names, corrections = _resolve(model, settings, folder)
        own = {new: name for name, new in names.items()}
        rows = tuple(_row(layer, own.get(layer.name, layer.name), settings.knobs) for layer in hls_model.get_layers())
        _write(hls_model, folder)
    graph = naming.restored(lower(readable or hls_model, reading.model.name), names)
    return Translation(reading, hls_model, graph, names, (*corrections, *_in_float64(graph)), rows)


def _readable(settings: Settings) -> Settings:
    """The same for a backend whose weights `lower` can read."""
    backend = backends.READ_AS.get(settings.target.backend, settings.target.backend)
    return replace(settings, target=settings.target.model_copy(update={"backend": backend}))


def _resolve(model: Any, settings: Settings, folder: Path) -> tuple[Reading, Any, Names, list[Correction]]:
    """The model as read, hls4ml's resolved `ModelGraph` and its names, and everything that was changed on the way."""
    backends.require_templates(settings.target.backend)
    reading = untranslated(lambda: read(model, settings.knobs.softmax_forms))
    if settings.target.io_type == "io_stream":
        require_streamable(reading.layers, reading.outputs)
    config = _default_config(reading, settings.target.backend)
    layers, ordered = layouts.corrected(reading.layers, config, settings.target.io_type)
    chosen = knobs.apply(layers, config, settings.knobs, reading.names, settings.target.io_type)
    moved = knobs.moved(layers, settings.knobs, settings.target.io_type)
    layers, corrections = correct(layers, config, settings.input_type, reading.outputs, chosen)
    reading = replace(reading, layers=layers)
    names = naming.for_cpp([layer["name"] for layer in layers], reading.inputs)
    hls_model = _convert(reading, config, names, settings, folder)
    backends.require_carried(settings.target.backend, hls_model)
    knobs.require_granted(hls_model, reading.layers, names, settings.knobs, settings.target.io_type)
    return reading, hls_model, names, [*reading.corrections, *naming.notes(names), *ordered, *moved, *corrections]


def _in_float64(graph: Graph) -> list[Correction]:
    """Say where the reference is computed in float64 (see `hlsflow.hls.reference`)."""
    wide = beyond_float32(graph)
    if not wide:
        return []
    name = max(wide, key=lambda node: wide[node])
    reason = f"its values have {wide[name]} bits, and float32 rounds those of more than 24"
    return [Correction(name, "compared with QKeras in float64", reason)]


def _write(hls_model: Any, folder: Path) -> None:
    try:
        with _own_representers(), keras2.without_keras3():  # of which no model is in the configuration
            hls_model.write()
    except OSError:
        raise
    except Exception as error:  # hls4ml's writers raise nothing more precise than assertions
        raise UnsupportedLayer(f"hls4ml cannot write this model's project: {error}", "change what it names") from error
    _mend_headers(folder)


@contextlib.contextmanager
def _own_representers() -> Iterator[None]:
    """Let what hls4ml's writers tell PyYAML of Keras models hold for one project.

    They tell it for the whole process where Keras models are to be saved: in the folder of the project that is written.
    A project that hls4ml writes later by another writer would save its model there.
    """
    import yaml

    before = dict(yaml.Dumper.yaml_multi_representers)
    try:
        yield
    finally:
        yaml.Dumper.yaml_multi_representers = before


def _mend_headers(folder: Path) -> None:
    """Two headers of hls4ml have the same include guard: a project with depthwise layers of both kinds lacks one."""
    header = folder / "firmware" / "nnet_utils" / "nnet_sepconv1d_latency.h"
    if not header.is_file():  # backends that are not AMD's have no such headers
        return
    text = header.read_text(encoding="utf-8")
    header.write_text(
        text.replace("NNET_SEPARABLE_CONV2D_LATENCY_H_", "NNET_SEPARABLE_CONV1D_LATENCY_H_"), encoding="utf-8"
    )


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Silence: hls4ml and Keras talk as they go; what matters of it is checked and reported by us."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


class _Architecture(dict[str, Any]):
    """A model's JSON that hls4ml's Keras 2 code can also ask for a layer."""

    def __init__(self, model: Any) -> None:
        super().__init__(json.loads(model.to_json()))
        self.get_layer = model.get_layer


def _default_config(reading: Reading, backend: Backend) -> Config:
    from hls4ml.utils.config import config_from_keras_model

    config: Config = config_from_keras_model(
        _Architecture(reading.model),
        granularity="name",
        backend=backends.HLS4ML[backend],
        default_precision=DEFAULT_PRECISION,
        default_reuse_factor=1,
    )
    for layer in config["LayerName"].values():
        layer["Trace"] = True
    for layer in reading.layers:
        for key in ("weight", "depthwise", "bias", "scale"):
            quantizer = layer.get(f"{key}_quantizer")
            if quantizer is not None:
                name = "weight" if key == "depthwise" else key
                config["LayerName"][layer["name"]]["Precision"][name] = str(quantizer.hls_type)
    return config


def _convert(reading: Reading, config: Config, names: Names, settings: Settings, folder: Path) -> Any:
    from hls4ml.model import ModelGraph
    from hls4ml.utils.config import create_config

    target = settings.target
    shutil.rmtree(folder, ignore_errors=True)
    settings_of_hls4ml = create_config(
        output_dir=str(folder),
        project_name=PROJECT_NAME,
        backend=backends.HLS4ML[target.backend],
        io_type=target.io_type,
        clock_period=target.clock_ns,
        **({"part": target.part} if target.part else {}),  # else the backend's own, or its board's
    )
    layers, settings_of_hls4ml["HLSConfig"] = naming.renamed(reading.layers, config, names)
    ends = [[names.get(name, name) for name in side] for side in (reading.inputs, reading.outputs)]
    settings_of_hls4ml["TraceOutput"] = True  # layer values for the gate; left out of synthesis by the preprocessor
    settings_of_hls4ml["InputData"] = settings_of_hls4ml["OutputPredictions"] = None
    try:
        return ModelGraph.from_layer_list(settings_of_hls4ml, layers, *ends)
    except Exception as error:  # hls4ml's passes raise nothing more precise
        raise UnsupportedLayer(f"hls4ml cannot convert this model: {error}", "simplify the layer it names") from error


def _row(layer: Any, name: str, settings: Knobs) -> LayerRow:
    kind = {
        name: str(from_hls4ml(value.precision, layer.name)) for name, value in layer.types.items() if name in _SHOWN
    }
    result, accum = kind["result_t"], kind.get("accum_t", "")
    if "weight_t" not in kind:
        shape = tuple(int(size) for size in layer.get_output_variable().shape)
        return LayerRow(name, layer.class_name, shape, "", accum, result, "", None, None, None)
    asked, granted = settings.of(name).reuse_factor, int(layer.get_attr("reuse_factor"))
    size = math.prod(knobs.matrix(layer)) // (layer.get_attr("n_chan") if "Depthwise" in layer.class_name else 1)
    weights = Fixed.parse(kind["weight_t"]).quantize(kernel(layer))
    zeros, values = round(100 * float(np.mean(weights == 0)), 1), len(np.unique(weights))
    multipliers = math.ceil(size / granted)
    strategy = str(layer.get_attr("strategy")).lower()
    types = kind["weight_t"], accum, result
    return LayerRow(name, layer.class_name, weights.shape, *types, strategy, asked, granted, multipliers, zeros, values)


_SHOWN = ("weight_t", "accum_t", "result_t")
