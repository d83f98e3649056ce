"""What latency and initiation interval follow from a graph and its knobs; the simulation must measure the same.

In: a graph and, for each layer with weights, the reuse factor asked and the kind of multiplier. Out: a `Schedule`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from hlsflow.core.choices import Io
from hlsflow.core.errors import ProjectError
from hlsflow.ir import Graph
from hlsflow.project.errors import listed
from hlsflow.rtl.cores import WITH_KNOBS, Weighted
from hlsflow.rtl.cores.fold import LayerSchedule
from hlsflow.rtl.knobs import LayerKnobs, Pipeline, Pixels
from hlsflow.rtl.prepare import ONE_PIXEL, prepared
from hlsflow.rtl.timing import Depths, fit
from hlsflow.rtl.units import Network, network


@dataclass(frozen=True, eq=False)
class Schedule:
    """All layers with weights in order, and the whole design.

    Attributes:
        network: the units of the design.
        layers: one for each layer with weights.
        depths: of the FIFOs.
        latency_cycles: from the cycle in which the first beat of a frame is accepted to the one in which its last
            result is valid, in a design that was idle. A frame is one sample: a vector, or an image of many beats.
        ii: initiation interval, cycles between two frames.
    """

    network: Network
    layers: tuple[LayerSchedule, ...]
    depths: Depths
    latency_cycles: int
    ii: int

    def to_json(self) -> dict[str, Any]:
        """The figures of the schedule, for a file."""
        units = [
            {"name": unit.name, "latency_cycles": unit.latency, "interval": unit.interval, "fifo_words": depths}
            for unit, depths in zip(self.network.units, self.depths, strict=True)
        ]
        layers = [asdict(layer) for layer in self.layers]
        return {"layers": layers, "units": units, "latency_cycles": self.latency_cycles, "ii": self.ii}


DEFAULT = Pipeline()


def schedule(
    graph: Graph,
    knobs: Mapping[str, LayerKnobs],
    default: LayerKnobs,
    pipeline: Pipeline = DEFAULT,
    io: Io = Io.STREAM,
    pixels: Pixels = ONE_PIXEL,
) -> Schedule:
    """Fold every layer with weights, and time the whole.

    Layers of one pipeline overlap, and each takes the next vector right after the last product of this one, so a chain
    of dense layers has latency = sum of latency(layer) + registers between casts + 1 (output FIFO) and
    ii = max of granted. For the latency of a layer see `hlsflow.rtl.cores.fold`, for all else `hlsflow.rtl.timing`.

    Args:
        graph: verified.
        knobs: per layer name; layers not named get `default`.
        pipeline: how much logic stands between two registers.
        io: whether tensors come in and go out pixel by pixel or whole.
        pixels: how many neighbouring pixels go at a time.

    Raises:
        ProjectError: a reuse factor below 1, knobs for a layer that does not exist, or a number of pixels that a layer
            cannot have.
        UnsupportedLayer: the graph has no RTL.
    """
    _check_knobs(graph, knobs)
    units = network(prepared(graph, io, pixels), knobs, default, pipeline)
    fitted = fit(units)
    cores = [stage.core for unit in units.units for stage in unit.stages]
    layers = tuple(core.plan for core in cores if isinstance(core, Weighted))
    return Schedule(units, layers, fitted.depths, fitted.latency, fitted.interval)


def _check_knobs(graph: Graph, knobs: Mapping[str, LayerKnobs]) -> None:
    names = [node.name for node in graph.nodes if node.op in WITH_KNOBS]
    for name in knobs:
        if name not in names:
            message = f"no layer with weights is named '{name}'"
            raise ProjectError(message, f"layers: {listed(name, names)}")
