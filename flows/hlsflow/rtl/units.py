"""A graph seen as hardware: units, each a front, a pipeline that runs freely, and a FIFO for each reader of its result.

A unit begins where the values of the graph come from elsewhere than from one pipeline right before: at the input, at a
branch, where streams meet, at a window, at a change of shape. Everything behind it that works on one vector after the
other joins its pipeline, so that a chain of dense layers is one unit, with constant latency and no stalls inside.

In: a verified graph and the knobs. Out: a `Network`. What the RTL cannot do is refused here, by name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hlsflow.core.errors import UnsupportedLayer
from hlsflow.ir import Fixed, Graph, Node, Op
from hlsflow.rtl.cores import CORES, Core, core_of
from hlsflow.rtl.fronts import FRONTS, MOVES, Direct, Front, Reduce, direct, fronts_of, runs_beats
from hlsflow.rtl.knobs import LayerKnobs, Pipeline
from hlsflow.rtl.lanes import LANE_WISE, Cast, Operation, operations
from hlsflow.rtl.rounding import rounded_early
from hlsflow.rtl.tile import beat_bits


@dataclass(frozen=True, eq=False)
class Stage:
    """A core, or none, and the lane-wise operations that follow it.

    Attributes:
        operations: in order; those that change nothing are left out.
        registered: for each operation, whether a pipeline register comes before it (never two with logic in a row).
        n, result: values of a result vector, and their type.
        cast_register: whether a register comes after operations with logic.
    """

    name: str
    core: Core | None
    operations: tuple[Operation, ...]
    n: int
    result: Fixed
    cast_register: bool = False

    @property
    def registered(self) -> tuple[bool, ...]:
        busy, flags = False, []
        for operation in self.operations:
            flags.append(busy and not operation.is_wiring)
            busy = busy or not operation.is_wiring
        return tuple(flags)

    @property
    def ends_registered(self) -> bool:
        return self.cast_register and not all(operation.is_wiring for operation in self.operations)

    @property
    def latency(self) -> int:
        return (self.core.latency if self.core else 0) + sum(self.registered) + self.ends_registered


@dataclass(frozen=True, eq=False)
class Unit:
    """A front, and the stages of its pipeline.

    Attributes:
        name: of the node whose value it delivers.
        inputs: where its front takes its beats from: the number of a unit, or ~k for input k of the graph.
        lanes, type: of the vectors that the front makes; single bits where streams of several types are joined.
        result_bits: of a beat of its results.
    """

    name: str
    inputs: tuple[int, ...]
    front: Front
    lanes: int
    type: Fixed
    stages: tuple[Stage, ...]
    result_bits: int

    @property
    def latency(self) -> int:
        """Cycles from the one in which a vector enters the pipeline to the one in which its result is written."""
        return sum(stage.latency for stage in self.stages)

    def entering(self, index: int) -> tuple[int, Fixed]:
        """Values of a vector that stage `index` reads, and their type."""
        before = self.stages[index - 1] if index else None
        return (before.n, before.result) if before else (self.lanes, self.type)

    @property
    def interval(self) -> int:
        """Cycles from a vector to the next one, at least."""
        return max([1, *(stage.core.interval for stage in self.stages if stage.core)])


@dataclass(frozen=True, eq=False)
class Network:
    """Units in topological order.

    Attributes:
        outputs: the number of the unit that delivers each of the graph's results.
    """

    graph: Graph
    units: tuple[Unit, ...]
    outputs: tuple[int, ...]

    @property
    def entries(self) -> list[tuple[int, int, int]]:
        """(unit, which of its inputs, ~k) for each place where input k of the graph comes in."""
        return [(u, i, name) for u, unit in enumerate(self.units) for i, name in enumerate(unit.inputs) if name < 0]

    def readers(self, source: int) -> list[tuple[int, int]]:
        """(unit, which of its inputs) for each reader of a unit or an input; (-1, k) for the k-th output."""
        readers = [(u, i) for u, unit in enumerate(self.units) for i, name in enumerate(unit.inputs) if name == source]
        return readers + [(-1, k) for k, output in enumerate(self.outputs) if output == source]


@dataclass
class _Draft:
    """A unit as it grows; `groups` are the core and the operations of each stage."""

    inputs: tuple[int, ...]
    front: Front
    type: Fixed
    name: str
    result_bits: int
    groups: list[tuple[Node, Core | None, list[Operation]]] = field(default_factory=list)

    def append(self, node: Node, sources: Sequence[Node], knobs: LayerKnobs, pipeline: Pipeline) -> None:
        """Let the pipeline compute one node more."""
        self.name, self.result_bits = node.name, beat_bits(node)
        if node.op in CORES and not runs_beats(node):
            core = core_of(node, sources, knobs, pipeline)
            self.groups.append((node, core, [Cast(node.name, core.result, node.type)]))
        elif node.op in LANE_WISE:
            if not self.groups:
                self.groups.append((node, None, []))
            self.groups[-1][2].extend(operations(node, sources[0].type))

    def finished(self, pipeline: Pipeline) -> Unit:
        lanes = self.front.vector_bits // self.type.width
        stages = tuple(_stage(*group, lanes, pipeline) for group in self.groups)
        return Unit(self.name, self.inputs, self.front, lanes, self.type, stages, self.result_bits)


def _stage(node: Node, core: Core | None, all_operations: Sequence[Operation], lanes: int, pipeline: Pipeline) -> Stage:
    core, operations = rounded_early(core, [operation for operation in all_operations if not operation.is_identity])
    result = all_operations[-1].result
    return Stage(node.name, core, operations, core.n_out if core else lanes, result, pipeline.cast_register)


def network(graph: Graph, knobs: Mapping[str, LayerKnobs], default: LayerKnobs, pipeline: Pipeline) -> Network:
    """The units of a graph.

    Args:
        graph: verified and prepared (`hlsflow.rtl.prepare`).
        knobs: per layer name; layers not named get `default`.
        pipeline: of all of them.

    Raises:
        UnsupportedLayer: a node of an operation without RTL.
        ProjectError: a reuse factor below 1.
    """
    drafts: list[_Draft] = []
    place: dict[str, int] = {}  # node → the unit that delivers its value so far, or ~k for input k
    for number, node in enumerate(graph.inputs):
        place[node.name] = ~number
        if _users(graph, node) > 1 or node.name in graph.outputs:
            place[node.name] = len(drafts)
            drafts.append(_Draft((~number,), direct(node), node.type, node.name, beat_bits(node)))
    for node in graph.nodes:
        if node.op is not Op.INPUT:
            place[node.name] = _place(graph, node, place, drafts)
            sources, own = [graph[name] for name in node.inputs], knobs.get(node.name, default)
            drafts[place[node.name]].append(node, sources, own, pipeline)
    return Network(
        graph, tuple(draft.finished(pipeline) for draft in drafts), tuple(place[name] for name in graph.outputs)
    )


def _place(graph: Graph, node: Node, place: Mapping[str, int], drafts: list[_Draft]) -> int:
    """The unit for a node: that of its only source where it can join its pipeline, else a new one."""
    if not _is_supported(node.op):
        supported = ", ".join(sorted(op for op in Op if _is_supported(op)))
        raise UnsupportedLayer(f"layer '{node.name}' ({node.op}) has no RTL", f"supported: {supported}")
    sources = [graph[name] for name in node.inputs]
    fronts = fronts_of(node, sources)
    inputs = tuple(place[name] for name in node.inputs)
    if isinstance(fronts[0], Direct) and inputs[0] >= 0 and _users(graph, sources[0]) == 1:
        return inputs[0]
    for front in fronts:
        drafts.append(_Draft(inputs, front, _vector_type(node, front, sources), node.name, front.vector_bits))
        inputs = (len(drafts) - 1,)
    return inputs[0]


def _is_supported(op: Op) -> bool:
    return op in FRONTS and (op in CORES or op in LANE_WISE or op in MOVES)


def _vector_type(node: Node, front: Front, sources: Sequence[Node]) -> Fixed:
    """Single bits where streams of several types lie side by side."""
    if isinstance(front, Reduce):
        return front.result
    return sources[0].type if len(sources) == 1 or runs_beats(node) else Fixed(1, 1, signed=False)


def _users(graph: Graph, node: Node) -> int:
    """How often the value is read, results included."""
    return sum(reader.inputs.count(node.name) for reader in graph.nodes) + graph.outputs.count(node.name)
