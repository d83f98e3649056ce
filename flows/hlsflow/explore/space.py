"""Every configuration of every layer: all knobs that change its hardware, with exact cycles.

In: a graph for each precision, and the kinds of hardware to try. Out: for each layer its `Configuration`s. Reuse
factors that make the same hardware as a smaller one are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace

from hlsflow.core.choices import Io, Strategy
from hlsflow.ir import Graph
from hlsflow.ir.integers import ceil_div
from hlsflow.rtl.cores import WITH_KNOBS
from hlsflow.rtl.cores.fold import LayerSchedule
from hlsflow.rtl.knobs import LayerKnobs, Pipeline, Pixels
from hlsflow.rtl.parts import LayerStage, Part, layer_stages
from hlsflow.rtl.prepare import ONE_PIXEL, prepared
from hlsflow.rtl.timing import period
from hlsflow.rtl.units import network

FASTEST = LayerKnobs(1)
"""For the layers that are not looked at: none of them holds up the one that is."""


@dataclass(frozen=True, eq=False)
class Configuration:
    """One way to build a layer.

    Attributes:
        knobs: for it; the reuse factor is the one it makes full use of.
        bits: of its weights.
        at: its stage in a design where every other layer is as fast as can be.
        period: cycles between two frames if this layer alone held the design up.
    """

    knobs: LayerKnobs
    bits: int
    at: LayerStage
    period: int

    @property
    def plan(self) -> LayerSchedule:
        return self.at.plan

    @property
    def label(self) -> str:
        knobs = self.knobs
        return f"{self.plan.name} R{knobs.reuse_factor} {knobs.strategy} {knobs.multiplier} {self.bits} bit"

    @property
    def cell(self) -> str:
        """For tables."""
        return f"R{self.knobs.reuse_factor} {self.plan.multipliers}×{self.knobs.multiplier} {self.bits}b"

    def to_json(self) -> dict[str, int | str]:
        """Its knobs."""
        knobs = {key: value if isinstance(value, int) else str(value) for key, value in asdict(self.knobs).items()}
        return knobs | {"weight_bits": self.bits, "multipliers": self.plan.multipliers}

    def part(self) -> Part:
        return replace(self.at.part(), name=self.label)


@dataclass(frozen=True, eq=False)
class Layer:
    """A layer with weights, and all that it can be."""

    name: str
    configurations: tuple[Configuration, ...]


def space(
    graphs: Iterable[Graph],
    kinds: Iterable[LayerKnobs],
    pipeline: Pipeline,
    io: Io,
    most: int | None = None,
    pixels: Pixels = ONE_PIXEL,
) -> tuple[Layer, ...]:
    """All layers with weights, in the order of the graph.

    Args:
        graphs: the network at each precision to try: equal but for weights and their types.
        kinds: what to try at every reuse factor; theirs has no meaning.
        pipeline: of the whole design.
        io, pixels: as in `hlsflow.rtl.schedule.schedule`.
        most: largest reuse factor; None: as many as there are products.
    Raises:
        UnsupportedLayer: the graph has no RTL.
    """
    by_layer: dict[str, dict[tuple[object, ...], Configuration]] = {}
    for graph in graphs:
        ready = prepared(graph, io, pixels)
        base = network(ready, {}, FASTEST, pipeline)
        for at in layer_stages(base):
            configurations = by_layer.setdefault(at.plan.name, {})
            for kind in kinds:
                for configuration in _configurations(ready, at, kind, pipeline, most):
                    configurations.setdefault(_hardware(configuration), configuration)
    return tuple(Layer(name, tuple(configurations.values())) for name, configurations in by_layer.items())


def _configurations(
    graph: Graph, at: LayerStage, kind: LayerKnobs, pipeline: Pipeline, most: int | None
) -> Iterator[Configuration]:
    name = at.plan.name
    bits = next(node for node in graph.nodes if node.name == name and node.op in WITH_KNOBS).types
    for factor in reuse_factors(at.plan, kind.strategy, most):
        built = network(graph, {name: replace(kind, reuse_factor=factor)}, FASTEST, pipeline)
        stage = next(candidate for candidate in layer_stages(built) if candidate.plan.name == name)
        knobs = replace(kind, reuse_factor=stage.plan.granted)
        yield Configuration(knobs, next(iter(bits.values())).width, stage, period(stage.unit))


def reuse_factors(plan: LayerSchedule, strategy: Strategy, most: int | None) -> list[int]:
    """Reuse factors of which no two need give the same hardware, ascending.

    A folded layer has steps × groups cycles, of which only those numbers differ that a division into lanes can give;
    a sparse one packs its weights anew for any number; a latency one is not folded.
    """
    products = plan.n_in * plan.n_out
    if strategy is Strategy.LATENCY:
        factors: Iterable[int] = (1,)
    elif strategy is Strategy.SPARSE:
        factors = range(1, products + 1)
    else:
        factors = {steps * groups for steps in _shares(plan.n_in) for groups in _shares(plan.n_out)}
    return sorted(factor for factor in factors if most is None or factor <= most)


def _shares(count: int) -> set[int]:
    """How many turns it takes to work off `count` things with any number of lanes."""
    return {ceil_div(count, lanes) for lanes in range(1, count + 1)}


def _hardware(configuration: Configuration) -> tuple[object, ...]:
    """What decides the Verilog of a configuration within its layer."""
    return (replace(configuration.plan, asked=0), configuration.bits)
