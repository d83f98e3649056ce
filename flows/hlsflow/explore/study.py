"""A network under study: its space, its measurements, its answers, and whether whole designs cost what layers promise.

In: a graph, what to try of it, and who measures. Out: `Answer`s, and a `Confirmation` for each design built whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from hlsflow.core.choices import Family, Io, Multiplier
from hlsflow.core.errors import FlowError, UnsupportedLayer
from hlsflow.core.progress import Progress
from hlsflow.explore.bounds import Figures
from hlsflow.explore.cache import Cache
from hlsflow.explore.characterise import measure
from hlsflow.explore.choice import Assignment, Path
from hlsflow.explore.cluster import Cluster
from hlsflow.explore.features import size
from hlsflow.explore.forecast import NOTHING, Forecast, Later
from hlsflow.explore.precision import Scores, candidates, requantized
from hlsflow.explore.search import BATCH, Answer, Question, Search
from hlsflow.explore.solver import Solution
from hlsflow.explore.space import FASTEST, Configuration, Layer, space
from hlsflow.ir import Graph
from hlsflow.rtl.critical import critical
from hlsflow.rtl.emit import emit
from hlsflow.rtl.knobs import LayerKnobs, Pipeline, Pixels
from hlsflow.rtl.parts import Part, layer_stages
from hlsflow.rtl.prepare import prepared
from hlsflow.rtl.schedule import Schedule, schedule
from hlsflow.rtl.timing import holds_beats, period
from hlsflow.rtl.units import network as units

KINDS = tuple(LayerKnobs(1, multiplier) for multiplier in (Multiplier.DSP, Multiplier.PACKED, Multiplier.LUT))
"""What is tried at every reuse factor unless something else is asked for."""


@dataclass(frozen=True)
class Options:
    """What to try.

    Attributes:
        kinds: of hardware, each at every reuse factor; theirs has no meaning.
        widths: of weights, bits; each layer keeps its own besides.
        most_reuse: largest reuse factor; None: as many as there are products.
        pipeline, io, pixels: of all designs.
    """

    kinds: tuple[LayerKnobs, ...] = KINDS
    widths: tuple[int, ...] = ()
    most_reuse: int | None = None
    pipeline: Pipeline = field(default_factory=Pipeline)
    io: Io = Io.STREAM
    pixels: Pixels = field(default_factory=Pixels)


@dataclass(frozen=True, eq=False)
class Workshop:
    """Who measures, for what."""

    family: Family
    cache: Cache
    cluster: Cluster
    progress: Progress


@dataclass(frozen=True)
class Confirmation:
    """A design built whole.

    Attributes:
        characterised: figures of its layers and what is around them, summed: those of `Engine.compared`.
        built: figures of the whole design; none is there that the tool could not tell.
    """

    solution: Solution
    characterised: Figures
    built: Figures

    def error(self, metric: str) -> float | None:
        """(sum - built) / built; None: of a design that has none of it."""
        built = self.built[metric]
        return (self.characterised[metric] - built) / built if built else None


class Study:
    """All that is asked about one network on one device family.

    Args:
        graph: verified.
        options: what to try.
        workshop: who measures.
        scores: accuracy of each combination of widths; None: it does not matter.
    Raises:
        UnsupportedLayer: the graph has no RTL, or no layer with weights.
    """

    def __init__(self, graph: Graph, options: Options, workshop: Workshop, scores: Scores | None = None) -> None:
        self.graph, self.options, self.workshop, self.scores = graph, options, workshop, scores
        self._ready = prepared(graph, options.io, options.pixels)
        self._fastest = units(self._ready, {}, FASTEST, options.pipeline)
        if holds_beats(self._fastest):
            raise UnsupportedLayer(
                f"the latency of '{graph.name}' with whole images as inputs is no sum over paths",
                'explore it with target.io_type = "io_stream"',
            )
        self.layers: tuple[Layer, ...] = space(
            self._graphs(), options.kinds, options.pipeline, options.io, options.most_reuse, options.pixels
        )
        if not self.layers:
            raise UnsupportedLayer(f"'{graph.name}' has no layer with weights", "there is nothing to choose in it")
        self._reference = tuple(_middle(layer) for layer in self.layers)
        self._effort = sum(map(size, self.chosen(self._reference).values()))
        around = [self._effort / len(self.layers)]
        (self.base,) = self._measured([self._shell(self._reference)], around, quick=False, later=Later(0.0, None))

    def _graphs(self) -> Iterable[Graph]:
        choices = candidates(self.graph, self.options.widths)
        yield self.graph
        for width in self.options.widths:
            yield requantized(self.graph, {name: width for name, widths in choices.items() if width in widths})

    def chosen(self, assignment: Assignment) -> dict[str, Configuration]:
        """Layer → its configuration."""
        picked = zip(self.layers, assignment, strict=True)
        return {layer.name: layer.configurations[index] for layer, index in picked}

    def answer(self, question: Question, least_accuracy: float | None = None, confirm: int = 0) -> Answer:
        """The optimum or the front, all of measured layers.

        Args:
            least_accuracy: that narrower weights must keep.
            confirm: designs that will be built whole, for the forecast of the time left.
        Raises:
            Infeasible: no design keeps the limits. FlowError: a measurement failed.
        """
        names = [layer.name for layer in self.layers]
        allowed = self.scores.allowed(least_accuracy or 0.0, names) if self.scores else None
        forecast = Forecast(confirm, self._effort, BATCH)

        def solved(designs: int, missing: Sequence[Configuration]) -> None:
            forecast.solved([size(configuration) for configuration in missing])
            said = f"{designs} optimal by bounds; layers not measured in them: {len(missing)}"
            self.workshop.progress.say(said)

        search = Search(
            self.layers,
            lambda configurations: self.measure(configurations, forecast.later()),
            self.base,
            max(period(unit) for unit in self._fastest.units),
            self.path,
            allowed,
            solved,
        )
        return search.answer(question)

    def measure(self, configurations: Sequence[Configuration], later: Later = NOTHING) -> list[Figures]:
        """What layers cost.

        Args:
            later: effort that follows, for the time left.
        """
        efforts = [size(configuration) for configuration in configurations]
        return self._measured([configuration.part() for configuration in configurations], efforts, True, later)

    def _measured(
        self, parts: Sequence[Part], efforts: Sequence[float], quick: bool, later: Later = NOTHING
    ) -> list[Figures]:
        """Of a layer a LUT more or less is no matter; a whole design is not hurried."""
        shop, expected = self.workshop, {part.name: effort for part, effort in zip(parts, efforts, strict=True)}
        measurements = measure(
            parts,
            shop.family,
            shop.cache,
            shop.cluster,
            shop.progress,
            expected=lambda part: expected[part.name],
            quick=quick,
            later=later,
        )
        return [measurement.area for measurement in measurements]

    def path(self, assignment: Assignment) -> Path:
        """The critical path of a design, in terms of its layers."""
        knobs = {name: configuration.knobs for name, configuration in self.chosen(assignment).items()}
        built = units(self._ready, knobs, FASTEST, self.options.pipeline)
        way, stages = critical(built), list(layer_stages(built))
        times = tuple(way.flights[at.number] for at in stages)
        of_layers = sum(count * at.stage.latency for count, at in zip(times, stages, strict=True))
        flights = sum(count * unit.latency for count, unit in zip(way.flights, built.units, strict=True))
        return Path(way.constant + flights - of_layers, times, dict(enumerate(way.gaps)))

    def plan(self, assignment: Assignment) -> Schedule:
        """The schedule of a whole design."""
        knobs = {name: configuration.knobs for name, configuration in self.chosen(assignment).items()}
        options = self.options
        return schedule(self.network(assignment), knobs, FASTEST, options.pipeline, options.io, options.pixels)

    def network(self, assignment: Assignment) -> Graph:
        """The network with the widths of weights of a design."""
        return requantized(
            self.graph, {name: configuration.bits for name, configuration in self.chosen(assignment).items()}
        )

    def confirm(self, solutions: Sequence[Solution]) -> list[Confirmation]:
        """Build designs whole, and compare.

        Raises:
            FlowError: the schedule of a whole design is not what the search promised, or synthesis failed.
        """
        plans = [self._promised(solution) for solution in solutions]
        parts = [Part(f"whole design {number}", *_verilog(plan)) for number, plan in enumerate(plans, 1)]
        efforts = [sum(map(size, self.chosen(solution.assignment).values())) for solution in solutions]
        wholes = self._measured(parts, efforts, quick=False)
        sums = [{metric: solution.figures[metric] for metric in self.base} for solution in solutions]
        return [Confirmation(*row) for row in zip(solutions, sums, wholes, strict=True)]

    def _promised(self, solution: Solution) -> Schedule:
        plan = self.plan(solution.assignment)
        if (plan.latency_cycles, plan.ii) != (solution.figures["latency_cycles"], solution.figures["ii"]):
            raise FlowError(
                f"the schedule says latency {plan.latency_cycles}, II {plan.ii}; the search said {solution.figures}",
                "this is a fault of hlsflow: please report it with the project",
            )
        return plan

    def _shell(self, assignment: Assignment) -> Part:
        design = emit(self.plan(assignment), layers=False)
        return Part("around the layers", design.files, design.top)


def _verilog(plan: Schedule) -> tuple[Mapping[str, str], str]:
    design = emit(plan)
    return design.files, design.top


def _middle(layer: Layer) -> int:
    """The configuration with the median reuse factor, of the first kind."""
    order = sorted(range(len(layer.configurations)), key=lambda index: layer.configurations[index].plan.granted)
    return order[len(order) // 2]
