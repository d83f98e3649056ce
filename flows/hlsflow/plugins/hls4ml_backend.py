"""The open RTL as an hls4ml backend, published under the entry-point group `hls4ml.backends`.

hls4ml imports this module whenever it is imported itself, so nothing happens here before `register`.

In: hls4ml's configuration; `ReuseFactor` is any integer from 1, `Strategy` Latency or Resource. Out: Verilog that
computes what hls4ml's C-simulation of the same configuration computes, to the last bit. What QKeras means beyond that
is restored by `hlsflow run`, not here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hlsflow.core.choices import Family
from hlsflow.core.errors import DataError
from hlsflow.hls.lower import lower
from hlsflow.ir import Graph
from hlsflow.ir.fixed import Array
from hlsflow.ir.graph import apart, side_by_side
from hlsflow.rtl import LayerKnobs, Pixels, Schedule, Strategy, emit, for_family, schedule, simulate
from hlsflow.rtl.cores import WITH_KNOBS
from hlsflow.toolchains import process, yosys

NAME = "OpenRTL"
SYNTH_TIMEOUT_S = 4 * 3600.0
VIVADO_FLOWS = ("vivado:init_layers", "vivado:quantization", "vivado:optimize")
"""The first half of hls4ml's Vivado flow: layers, fusions and precisions, but no C++."""


def register(register_backend: Callable[..., None], register_writer: Callable[..., None]) -> None:
    """Entry point, called by hls4ml while it is imported; the writer must be known before the backend starts."""
    register_writer(NAME, _writer())
    register_backend(NAME, _backend())


def _writer() -> type[Any]:
    from hls4ml.writer.writers import Writer

    class RtlWriter(Writer):  # type: ignore[misc]  # hls4ml ships no types
        """Writes `<output_dir>/graph.npz` and `<output_dir>/rtl/*.v`."""

        def write_hls(self, model: Any) -> None:
            folder = _folder(model)
            folder.mkdir(parents=True, exist_ok=True)
            graph = lower(model, model.config.get_project_name())
            graph.save(folder / "graph.npz")
            process.write_files(folder / "rtl", emit(_schedule(model, graph)).files)

    return RtlWriter


def _backend() -> type[Any]:
    from hls4ml.backends import FPGABackend, VivadoBackend
    from hls4ml.model.flow import register_flow
    from hls4ml.model.optimizer import model_optimizer

    class OpenRtlBackend(FPGABackend):  # type: ignore[misc]  # hls4ml ships no types
        def __init__(self) -> None:
            super().__init__(NAME)
            VivadoBackend._register_layer_attributes(self)
            prefix = NAME.lower()
            self._flow = register_flow("ip", None, requires=["optimize", *VIVADO_FLOWS], backend=self.name)
            steps = ["make_stamp", f"{prefix}:write_rtl"]
            self._write = register_flow("write", steps, requires=[self._flow], backend=self.name)

        def get_default_flow(self) -> Any:
            return self._flow

        def get_writer_flow(self) -> Any:
            return self._write

        def create_initial_config(
            self, part: str | None = None, clock_period: float | None = None, io_type: str = "io_parallel", **_: Any
        ) -> dict[str, Any]:
            """hls4ml's minimal configuration: `part` is a family of the open synthesis (xc7, xcup, ecp5)."""
            from hlsflow.plugins.openrtl import take_keras2_models

            take_keras2_models()
            family = Family(part or "xc7").value
            writer = {"Namespace": None, "WriteWeightsTxt": False, "WriteTar": False}
            basic = {"Part": family, "ClockPeriod": clock_period or 5, "ClockUncertainty": "0%", "IOType": io_type}
            return basic | {"HLSConfig": {}, "WriterConfig": writer}

        @model_optimizer()  # type: ignore[untyped-decorator]
        def write_rtl(self, model: Any) -> bool:
            self.writer.write_hls(model)
            return True

        def compile(self, model: Any) -> None:
            """Nothing is loaded into the process (`CDLL(None)` is the process itself): `predict` simulates."""

        def predict(self, model: Any, x: Any) -> Any:
            return predict(model, x)

        def build(self, model: Any, **_: Any) -> dict[str, Any]:
            return build(model)

    return OpenRtlBackend


def _folder(model: Any) -> Path:
    return Path(model.config.get_output_dir())


def _schedule(model: Any, graph: Graph) -> Schedule:
    """The reuse factor, the strategy and the parallelization factor of hls4ml's configuration, as asked.

    hls4ml's legal divisors do not bind us.
    """
    weighted = {node.name for node in graph.nodes if node.op in WITH_KNOBS}
    own = {layer.name: _knobs(model.config, layer) for layer in model.get_layers() if layer.name in weighted}
    return schedule(graph, own, LayerKnobs(1), pixels=Pixels(own=_pixels(model, graph)))


def _pixels(model: Any, graph: Graph) -> dict[str, int]:
    """Layer → pixels at a time, where the configuration says so."""
    names = {node.name for node in graph.nodes}
    asked = {
        layer.name: model.config.get_layer_config_value(layer, "ParallelizationFactor", None)
        for layer in model.get_layers()
    }
    return {name: int(factor) for name, factor in asked.items() if factor is not None and name in names}


def _knobs(config: Any, layer: Any) -> LayerKnobs:
    strategy = Strategy.LATENCY if str(config.get_strategy(layer)).lower() == "latency" else Strategy.RESOURCE
    return LayerKnobs(int(config.get_reuse_factor(layer)), strategy=strategy)


def predict(model: Any, x: Any) -> Any:
    """Simulate the RTL.

    Args:
        model: hls4ml `ModelGraph` of this backend.
        x: (n, *input shape) real values, or a list of such arrays, one for each input.
    Returns:
        float64 (n, *output shape), or a list of such arrays; a single sample loses its first axis, as in hls4ml.
    Raises:
        DataError: shapes that do not fit. ToolMissing, ToolFailed: Verilator or the compiler.
    """
    graph = lower(model, model.config.get_project_name())
    arrays = [x] if isinstance(x, np.ndarray) else list(x)
    batch = _quantized(graph, arrays)
    folder = _folder(model) / "simulation"
    folder.mkdir(parents=True, exist_ok=True)
    ran = simulate(emit(_schedule(model, graph)), batch, folder)
    parts = apart(graph.results, ran.outputs)
    real = [node.type.real(part) for node, part in zip(graph.results, parts, strict=True)]
    real = [part[0] if len(part) == 1 else part for part in real]
    return real[0] if len(real) == 1 else real


def _quantized(graph: Graph, arrays: Sequence[Array]) -> Array:
    sizes = [node.size for node in graph.inputs]
    if len(arrays) != len(sizes) or any(array.size % size for array, size in zip(arrays, sizes, strict=True)):
        shapes = ", ".join(str(node.shape) for node in graph.inputs)
        raise DataError(f"the network has inputs of shape {shapes}, got {[array.shape for array in arrays]}")
    return side_by_side(
        [node.type.quantize(array.reshape(-1, node.size)) for node, array in zip(graph.inputs, arrays, strict=True)]
    )


def build(model: Any) -> dict[str, Any]:
    """Synthesize the RTL with Yosys.

    Returns:
        `latency_cycles` and `ii` (cycles, predicted), and `metrics` as in report.json (stage, unit, tool, version);
        also written to `<output_dir>/report.json`.
    """
    graph = lower(model, model.config.get_project_name())
    plan = _schedule(model, graph)
    folder = _folder(model) / "synthesis"
    folder.mkdir(parents=True, exist_ok=True)
    design, family = emit(plan), Family(model.config.get_config_value("Part"))
    files = for_family(design.files, family)
    metrics = yosys.synthesize(files, design.top, family, folder, timeout_s=SYNTH_TIMEOUT_S)
    report = {"latency_cycles": plan.latency_cycles, "ii": plan.ii, "metrics": metrics.to_json()}
    (_folder(model) / "report.json").write_text(json.dumps(report, indent=1), encoding="utf-8")
    return report
