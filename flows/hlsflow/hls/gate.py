"""The gate: file = frozen network = C-simulation = oracle = RTL, on every output of every sample.

In: what each of them computed. Out: a `Gate`, which knows the first layer that differs, by how much, and the setting
that usually causes it; `require` turns a failed one into an error. From the frozen network on, all must be equal as
integers. The frozen network may differ from the model's file as far as the project allows; then the verdict says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np

from hlsflow.core.errors import GateFailed
from hlsflow.hls.fidelity import Fidelity
from hlsflow.hls.reference import Reference
from hlsflow.ir import Graph, Node, Op, evaluate, trace
from hlsflow.ir.fixed import Array, Fixed
from hlsflow.ir.graph import MERGES
from hlsflow.project import Gate as Limits

FILE, FROZEN = "file", "frozen"
"""The first two links of the chain: the model as its file holds it, and with exact constants, both run by QKeras."""

NETLIST = "netlist"
"""Word with which the names of synthesized designs begin."""

FLOAT32_BITS = 25
"""Widest signed integers that float32 holds without a gap: 24 bits of significand (IEEE 754 binary32) and a sign."""


@dataclass(frozen=True)
class Comparison:
    """Two executors on the same samples.

    Attributes:
        left, right: their names, such as `frozen` and `csim`.
        samples, outputs: how many samples, and output values of all samples together.
        differing: output values that are not equal to the last bit.
        largest: largest difference, in steps of the output grid.
    """

    left: str
    right: str
    samples: int
    outputs: int
    differing: int
    largest: float

    @property
    def equal(self) -> bool:
        return self.differing == 0

    def __str__(self) -> str:
        if self.equal:
            return f"{self.left} = {self.right} on all {self.outputs} outputs of {self.samples} samples"
        return (
            f"{self.left} differs from {self.right} in {self.differing} of {self.outputs} outputs "
            f"({self.samples} samples), by up to {self.largest:g} steps of the output grid"
        )


@dataclass(frozen=True)
class Difference:
    """Where the first difference comes from.

    Attributes:
        layer: name of the first layer whose values differ.
        differing, values: differing values of that layer, and all of them.
        largest: largest difference, real.
        cause: what usually causes it, and the knob that cures it.
    """

    layer: str
    differing: int
    values: int
    largest: float
    cause: str


class Verdict(StrEnum):
    """What a gate comes to, in the order from good to bad."""

    EXACT = "bit-exact to the file"
    CORRECTED = "exact after corrections"
    NOT_SHOWN = "not shown"  # a link of the chain was not compared, and nothing that was compared is wrong
    FAILED = "failed"


@dataclass(frozen=True)
class Gate:
    """The verdict on the chain file = frozen = csim = oracle = RTL, or on a part of it.

    Attributes:
        comparisons: in the order in which they were made; that of the file is the first, where it was made.
        first: the first differing layer of the frozen network, where all are equal None.
        not_run: why there is no C-simulation, "" where there is one. A gate without it never passes.
        file: how the frozen network compares with the model's file; None where it was not compared.
        exceeded: limits of the project that the differences from the file are beyond, in words.
    """

    comparisons: tuple[Comparison, ...]
    first: Difference | None = None
    not_run: str = ""
    file: Fidelity | None = None
    exceeded: tuple[str, ...] = ()

    @property
    def equal(self) -> bool:
        """Whether everything that was compared with the frozen network, or after it, is equal."""
        return all(comparison.equal for comparison in self.comparisons if comparison.left != FILE)

    @property
    def verdict(self) -> Verdict:
        if not self.equal or self.exceeded:
            return Verdict.FAILED
        if self.not_run or self.file is None:
            return Verdict.NOT_SHOWN
        return Verdict.EXACT if self.file.equal else Verdict.CORRECTED

    @property
    def passed(self) -> bool:
        """Whether what was compared stands: exact, or as near to the file as the project asks."""
        return self.equal and not self.exceeded and not self.not_run

    def to_json(self) -> dict[str, Any]:
        return {
            "passed": self.passed,
            "verdict": self.verdict.value,
            "comparisons": [asdict(item) | {"equal": item.equal} for item in self.comparisons],
            "first": asdict(self.first) if self.first else None,
            "not_run": self.not_run,
            "file": self.file.to_json() if self.file else None,
            "exceeded": list(self.exceeded),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Gate:
        items = [{key: value for key, value in item.items() if key != "equal"} for item in data["comparisons"]]
        first = Difference(**data["first"]) if data["first"] else None
        file = Fidelity.from_json(data["file"]) if data.get("file") else None
        comparisons = tuple(Comparison(**item) for item in items)
        return cls(comparisons, first, data.get("not_run", ""), file, tuple(data.get("exceeded", ())))

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield from map(str, self.comparisons)
        if self.file is not None and not self.file.equal:
            yield f"the frozen network against the file: {self.file}"
            yield from (str(self.file.origin).splitlines() if self.file.origin else ())
        yield from (f"beyond what may differ: {text}" for text in self.exceeded)
        if self.first:
            first = self.first
            yield (
                f"first layer that differs: '{first.layer}', {first.differing} of {first.values} values, "
                f"by up to {first.largest:g}"
            )
            yield f"usual cause: {first.cause}"
        elif not self.equal:
            yield "no layer is known: in the first samples, whose layers are kept, all of them are equal"
        if self.not_run:
            yield f"C-simulation {self.not_run}; so nothing is shown of hls4ml's C++"


def against_file(file: Array, frozen: Array, graph: Graph, fidelity: Fidelity, limits: Limits) -> Gate:
    """The first link: what the file gives, (n, total_out), against what the frozen network does.

    Args:
        graph: the network, for the grids of its outputs.
        fidelity: the two compared.
        limits: what may differ.
    """
    codes = in_steps(graph, file), in_steps(graph, frozen)
    return Gate((compare_codes(FILE, codes[0], FROZEN, codes[1]),), file=fidelity, exceeded=fidelity.exceeded(limits))


def require(gate: Gate) -> Gate:
    """The gate itself, unless something that was compared differs; raises GateFailed with everything it knows then."""
    if gate.verdict is not Verdict.FAILED:
        return gate
    if not gate.equal:
        hint = "change what the usual cause names, then run `hlsflow check` again"
        raise GateFailed(f"not bit-exact\n{gate}", hint, gate.to_json())
    hint = (
        "give the layer quantizers whose values a fixed-point type holds (alpha=1 or 'auto_po2', a bias_quantizer, a "
        "quantizer after a batch normalization), or allow more: [gate] classes, accuracy, range (--tolerance)"
    )
    raise GateFailed(f"what would be built is not the network of the model's file\n{gate}", hint, gate.to_json())


def judge(
    graph: Graph, keras: Reference, csim: Array, x: Array, csim_layers: Callable[[], Mapping[str, Array]]
) -> Gate:
    """Frozen network = C-simulation = oracle, on every output of every sample.

    Args:
        graph: the network.
        keras: what QKeras computed of the frozen network, for the same samples.
        csim: what the C-simulation computed: integers on the output grids, (n, total_out).
        x: the samples, integers on the input grid, (n, total_in).
        csim_layers: gives the C-simulation's real values of every layer; called only when it differs from the oracle.
    """
    oracle = evaluate(graph, x)
    comparisons = (
        compare_codes(FROZEN, in_steps(graph, keras.output), "csim", csim),
        compare_codes("csim", csim, "oracle", oracle),
    )
    if all(comparison.equal for comparison in comparisons):
        return Gate(comparisons)
    traced = len(next(iter(keras.layers.values())))
    values = trace(graph, x[:traced])
    if comparisons[1].equal:
        pairs = counterparts(graph, keras.parents)
        return Gate(comparisons, first_difference(graph, keras.layers, values, pairs))
    return Gate(comparisons, _between_csim_and_oracle(graph, csim_layers(), values))


def in_steps(graph: Graph, real: Array) -> Array:
    """Real results (n, total_out) in steps of the grid of each output."""
    scales = np.concatenate([np.full(node.size, 2.0**node.type.frac) for node in graph.results])
    steps: Array = np.asarray(real, np.float64).reshape(len(real), -1) * scales
    return steps


def judge_without_csim(graph: Graph, keras: Reference, x: Array, needs: str) -> Gate:
    """Frozen network = oracle, where the C++ cannot be compiled; arguments as `judge`. Never a pass.

    Args:
        needs: what is missing.
    """
    oracle = evaluate(graph, x)
    gate = Gate(
        (compare_codes(FROZEN, in_steps(graph, keras.output), "oracle", oracle),), not_run=f"not run: needs {needs}"
    )
    if gate.equal:
        return gate
    values = trace(graph, x[: len(next(iter(keras.layers.values())))])
    return replace(gate, first=first_difference(graph, keras.layers, values, counterparts(graph, keras.parents)))


def _between_csim_and_oracle(graph: Graph, csim: Mapping[str, Array], oracle: Mapping[str, Array]) -> Difference | None:
    """The first node that hls4ml's C++ computes otherwise than our graph: never the user's fault."""
    for node in graph.nodes:
        if node.name in csim:
            mine = node.type.real(oracle[node.name]).reshape(len(oracle[node.name]), -1)
            distance = np.abs(csim[node.name][: len(mine)] - mine)
            if distance.any():
                cause = "hlsflow lowers this layer otherwise than hls4ml computes it: please report it with the model"
                differing = int(np.count_nonzero(distance))
                return Difference(node.name, differing, distance.size, float(distance.max()), cause)
    return None


def compare(left: str, a: Array, right: str, b: Array, kind: Fixed) -> Comparison:
    """Compare real values `a` with integers `b` on the grid of `kind`; both (n, ...), the same number of values."""
    steps = np.asarray(a, np.float64).reshape(len(a), -1) * 2.0**kind.frac
    distance = np.abs(steps - b.reshape(len(b), -1))
    largest = float(distance.max(initial=0.0))
    return Comparison(left, right, len(a), distance.size, int(np.count_nonzero(distance)), largest)


def compare_codes(left: str, a: Array, right: str, b: Array) -> Comparison:
    """Compare integers on the same grid."""
    return compare(left, a, right, b, Fixed(1, 1, signed=False))


def first_difference(
    graph: Graph, keras: Mapping[str, Array], executed: Mapping[str, Array], names: Sequence[tuple[str, str]]
) -> Difference | None:
    """The first Keras layer whose values differ from those of the node that stands for it.

    Args:
        graph: the network.
        keras: Keras layer → real values (m, ...).
        executed: node → integers (n >= m, ...) of the executor that is compared.
        names: (Keras layer, node) pairs, in order; see `counterparts`.
    """
    for layer, name in names:
        node, wanted = graph[name], np.asarray(keras[layer], np.float64)
        values = node.type.real(executed[name][: len(wanted)]).reshape(wanted.shape)
        distance = np.abs(values - wanted)
        if distance.any():
            differing = int(np.count_nonzero(distance))
            return Difference(layer, differing, distance.size, float(distance.max()), _cause(graph, node, wanted))
    return None


def counterparts(graph: Graph, parents: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """Which node's value is each Keras layer's value.

    hls4ml names the node of a layer's own activation `<layer>_<activation>`, and lets a layer do the work of a linear
    quantizer that alone reads it: then the node of that layer holds the quantizer's value. A layer that has no node at
    all, such as a flattening at the end, has the value of what it reads. A layer before a table may be cut to what the
    table needs of it, so it is left out.

    Args:
        parents: Keras layer → what it reads, in topological order; inputs are not in it.
    """
    pairs: dict[str, str] = {}
    stands_for = {node.name: node.name for node in graph.inputs}
    for layer, sources in parents.items():
        own = [node.name for node in graph.nodes if node.name == layer or _activation_of(node, layer, parents)]
        current = own[-1] if own else stands_for[sources[0]]
        pairs = {name: node for name, node in pairs.items() if node != current} | {layer: current}
        stands_for[layer] = current
    indices = {node.inputs[0] for node in graph.nodes if node.op is Op.TABLE}
    return [(name, node) for name, node in pairs.items() if node not in indices or graph[node].op is Op.INPUT]


def _activation_of(node: Node, layer: str, layers: Mapping[str, Any]) -> bool:
    if node.name.endswith("_cast"):  # before a layer of that name, for its sake alone
        return False
    return node.name.startswith(f"{layer}_") and node.name not in layers and node.inputs[:1] == (layer,)


def _cause(graph: Graph, node: Node, wanted: Array) -> str:
    """The most likely reason why a node gives other values than QKeras."""
    source = node if node.op in SUMS else graph[node.inputs[0]] if node.inputs else node
    if source.op in SUMS:
        cause = _accumulator_cause(graph, source) or _result_cause(source)
        if cause:
            return cause
    scaled = wanted * 2.0**node.type.frac
    if not np.array_equal(scaled, np.rint(scaled)):
        return f"QKeras gives values off the grid of {node.type}: {_no_knob(node)}"
    if not node.type.holds(scaled):
        return f"QKeras gives values outside {node.type}: {_no_knob(node)}"
    return f"'{node.name}' rounds or saturates differently from QKeras as {node.type}: {_no_knob(node)}"


def _no_knob(node: Node) -> str:
    return f"remove the precision knobs of '{node.name}' (or the default's); if it has none, report this with the model"


def _accumulator_cause(graph: Graph, dense: Node) -> str | None:
    accum, need = dense.types["accum"], exact_accumulator(graph, dense)
    knob = f"remove knobs.layers.{dense.name}.precision.accum (or the default's), or set it to {need}"
    if accum.frac < need.frac:
        return f"the accumulator {accum} of '{dense.name}' drops {need.frac - accum.frac} bits of each product; {knob}"
    if accum.integer < need.integer:
        return (
            f"the accumulator {accum} of '{dense.name}' can overflow, its sums need {need.integer} integer bits; {knob}"
        )
    return None


def _result_cause(dense: Node) -> str | None:
    result, accum = dense.type, dense.types["accum"]
    if (result.frac, result.integer) >= (accum.frac, accum.integer) or result.rounding != accum.rounding:
        return None
    return f"the result {result} of '{dense.name}' is narrower than its accumulator {accum}: widen precision.result"


def beyond_float32(graph: Graph) -> dict[str, int]:
    """Nodes with values that float32 cannot hold without rounding, and how many bits these have."""
    widths = {node.name: max(node.type.width, _inner_width(graph, node)) for node in graph.nodes}
    return {name: width for name, width in widths.items() if width > FLOAT32_BITS}


def _inner_width(graph: Graph, node: Node) -> int:
    """Bits of the values that a node adds up, before its cast."""
    if node.op in SUMS:
        return exact_accumulator(graph, node).width
    kinds = [graph[name].type for name in node.inputs]
    if node.op is Op.SCALE:
        return kinds[0].width + node.types["scale"].width
    if node.op is Op.MULTIPLY:
        return sum(kind.width for kind in kinds)
    if node.op in MERGES:
        return max(kind.integer for kind in kinds) + max(kind.frac for kind in kinds) + 1
    return node.types["accum"].width if node.op is Op.AVG_POOL else 0


SUMS = (Op.DENSE, Op.CONV, Op.DEPTHWISE)
"""Operations with an accumulator of products."""


def exact_accumulator(graph: Graph, node: Node) -> Fixed:
    """The narrowest accumulator that holds every sum of a dense or convolution node, whatever the input."""
    source, weight = graph[node.inputs[0]].type, node.params["weight"].astype(object)
    least, most = source.min, source.max
    if any(node.attrs.get("pad", ())):
        least, most = min(least, 0), max(most, 0)
    weight = weight.reshape(-1, weight.shape[-1])
    frac = max(source.frac + node.types["weight"].frac, node.types["bias"].frac)
    lift = 1 << (frac - source.frac - node.types["weight"].frac)
    bias = node.params["bias"].astype(object) * (1 << (frac - node.types["bias"].frac))
    high = (np.maximum(weight * most, weight * least).sum(0) * lift + bias).max()
    low = (np.minimum(weight * most, weight * least).sum(0) * lift + bias).min()
    return Fixed.spanning(int(low), int(high), frac, signed=True)


def joined(first: Gate, second: Gate) -> Gate:
    """One verdict from two."""
    return Gate(
        first.comparisons + second.comparisons,
        first.first or second.first,
        first.not_run or second.not_run,
        first.file or second.file,
        first.exceeded + second.exceeded,
    )
