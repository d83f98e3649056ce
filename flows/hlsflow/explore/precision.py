"""Bits of each layer's weights against accuracy: networks with narrower weights, scored on a calibration set.

In: a graph, candidate widths of its layers, calibration samples. Out: `Scores`, the accuracy of every combination.

Combinations share prefixes: a layer is evaluated once for each choice of the layers up to it, not once for each
combination. Where there are too many combinations, accuracies are predicted from the drops that single layers cause, as
if these added up, and measured only near the accuracy asked for; `Scores.measured` tells which is which.
"""

from __future__ import annotations

import enum
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from hlsflow.core.errors import DataError, ProjectError
from hlsflow.core.tasks import Kind, Task
from hlsflow.explore.choice import Column
from hlsflow.ir import Fixed, Graph, Node, Op, Overflow, Rounding, evaluate, verify
from hlsflow.ir.arithmetic import Step
from hlsflow.ir.evaluate import arguments, check_batch, chunk_rows, compiled, pool_first
from hlsflow.ir.fixed import Array

WEIGHT: Mapping[Op, str] = {Op.DENSE: "weight", Op.CONV: "weight", Op.DEPTHWISE: "weight", Op.SCALE: "scale"}
"""Operations with weights → which of their types is that of the weights."""

MEASURED = 5000
"""Combinations that are evaluated: up to so many all of them, of more those near the accuracy asked for."""

ROUNDING = 1e-6
"""Samples by which a product of an accuracy and a number of samples may be off in float64."""

CONSIDERED = 1 << 20
"""Combinations that are looked at; more would not fit in an optimiser's table."""


class Against(enum.StrEnum):
    """What a score is the share of."""

    LABELS = "accuracy"  # samples whose class is right, or labels
    NETWORK = "agreement"  # the same, of what the network as it is says; what is right is not known
    TARGETS = "r2"  # the targets' variance that is explained
    OUTPUTS = "r2 against the network as it is"  # the same of its outputs; no targets are known


def own_bits(node: Node) -> int:
    """The width of a layer's weights as they are."""
    return node.types[WEIGHT[node.op]].width


def fewest_bits(node: Node) -> int:
    """The fewest bits that the weights of a layer can have; `own_bits` where they cannot be narrowed.

    Narrower weights must be such as QKeras trains: `quantized_bits(bits, integer, alpha=1)` holds types with no fewer
    than 0 integer bits besides the sign, and of 1 bit it makes another quantizer. Scales of a batch normalisation, and
    weights whose shared scale leaves them below 1/2 (`alpha="auto_po2"`), stay as they are. What else becomes a
    fixed-point type in the graph (binary, ternary, powers of two) can be narrowed, as plain fixed-point weights.
    """
    kind = node.types[WEIGHT[node.op]]
    if node.op is Op.SCALE or kind.integer < kind.signed:
        return kind.width
    return min(kind.width, max(kind.integer, 1 + kind.signed))


def candidates(graph: Graph, widths: Iterable[int]) -> dict[str, tuple[int, ...]]:
    """Layer with weights, in the graph's order → widths to try, the widest first: its own, and narrower ones.

    Args:
        widths: to try in all layers; a layer leaves out those that it has no type of (`fewest_bits`).
    """
    wanted = set(widths)
    return {
        node.name: tuple(
            sorted({own_bits(node), *wanted & set(range(fewest_bits(node), own_bits(node)))}, reverse=True)
        )
        for node in graph.nodes
        if node.op in WEIGHT
    }


def requantized(graph: Graph, bits: Mapping[str, int]) -> Graph:
    """The network with narrower weights: the same integer bits and sign, fewer fractional bits.

    Values are rounded half to even and clipped to the new type, as QKeras' `quantized_bits` does. Biases, accumulators
    and results stay.

    Args:
        bits: layer → width of its weights; layers that have no more than that stay as they are.
    Raises:
        ProjectError: a layer that is not there or has no weights, or a width that it has no type of.
    """
    nodes = {node.name: node for node in graph.nodes}
    for name, width in bits.items():
        if name not in nodes or nodes[name].op not in WEIGHT:
            layers = ", ".join(node.name for node in graph.nodes if node.op in WEIGHT)
            raise ProjectError(f"graph '{graph.name}' has no layer '{name}' with weights", f"layers: {layers}")
        nodes[name] = _narrowed(nodes[name], width)
    return verify(replace(graph, nodes=tuple(nodes.values())))


def narrower(kind: Fixed, bits: int) -> Fixed:
    """The type with so many bits: the same integer bits and sign."""
    return Fixed(bits, kind.integer, kind.signed)


def _narrowed(node: Node, bits: int) -> Node:
    if bits >= own_bits(node):
        return node
    fewest = fewest_bits(node)
    if bits < fewest:
        own = node.types[WEIGHT[node.op]]
        raise ProjectError(f"layer '{node.name}' has weights {own}: no {bits} bits", f"give it {fewest} or more")
    kind = narrower(node.types["weight"], bits)
    rounding = replace(kind, rounding=Rounding.RND_CONV, overflow=Overflow.SAT)
    weight = rounding.cast(node.params["weight"], node.types["weight"].frac)
    return replace(node, types={**node.types, "weight": kind}, params={**node.params, "weight": weight})


@dataclass(frozen=True, eq=False)
class Scores:
    """How good a network is with combinations of widths.

    Attributes:
        layers: with weights, in the order of the columns of `bits`.
        own: bits of the layers as they are.
        bits: (k, layers), the combinations.
        right: (k,) samples that count (see `against`), no whole number where shares are counted, or where nothing was
            measured and this is a prediction.
        measured: (k,) whether the combination was evaluated.
        samples: on which.
        against: what was counted.
    """

    layers: tuple[str, ...]
    own: tuple[int, ...]
    bits: Column
    right: NDArray[np.float64]
    measured: NDArray[np.bool_]
    samples: int
    against: Against

    @property
    def metric(self) -> str:
        """What `accuracy` is, a key of `hlsflow.core.metrics.UNITS`."""
        return "r2" if self.against in (Against.TARGETS, Against.OUTPUTS) else "accuracy"

    @property
    def accuracy(self) -> NDArray[np.float64]:
        """(k,), up to 1: the accuracy, or what else `against` names."""
        return self.right / self.samples

    @property
    def standard_error(self) -> NDArray[np.float64]:
        """(k,), of `accuracy` as an estimate for samples that were not seen: that of a binomial share; of no other."""
        if self.metric == "r2":
            return np.full(len(self.right), np.nan)
        share = self.accuracy
        return np.sqrt(share * (1 - share) / self.samples)

    @property
    def full(self) -> float:
        """The accuracy of the network as it is."""
        return float(self.accuracy[self.number(dict(zip(self.layers, self.own, strict=True)))])

    def number(self, bits: Mapping[str, int]) -> int:
        """The row of a combination; layers that are not named have the bits they have.

        Raises:
            KeyError: it was not among the candidates.
        """
        wanted = [bits.get(name, own) for name, own in zip(self.layers, self.own, strict=True)]
        rows = np.flatnonzero((self.bits == wanted).all(1))
        if not len(rows):
            raise KeyError(f"{dict(bits)} is no combination that was scored")
        return int(rows[0])

    def allowed(self, least: float, order: Sequence[str]) -> Column:
        """The combinations whose accuracy is no lower than `least`, for `hlsflow.explore.choice.Problem.allowed`.

        Args:
            least: from 0 to 1.
            order: layers in the order of the columns; the others keep their bits.
        Returns:
            (k, len(order)), bits.
        """
        columns = [self.layers.index(name) for name in order]
        others = [column for column in range(len(self.layers)) if column not in columns]
        as_they_are = (self.bits[:, others] == np.array(self.own, np.int64)[others]).all(1)
        accurate: Column = self.bits[(self.right >= least * self.samples - ROUNDING) & as_they_are][:, columns]
        return accurate


def score(
    graph: Graph,
    choices: Mapping[str, tuple[int, ...]],
    x: Array,
    y: Array | None = None,
    near: float = 1.0,
    most: int = MEASURED,
    task: Task | None = None,
) -> Scores:
    """The accuracy of all combinations of widths; of a regression the share of variance explained.

    Args:
        graph: verified; its first output is judged.
        choices: of `candidates`, or fewer widths of each layer; the widest one is the layer's own.
        x: (n, total input values), integers on the input grids.
        y: (n, ...), what is right, as `task` has it; None: what the network as it is says.
        near: of more than `most` combinations those with a predicted accuracy near this one are measured.
        most: combinations that are measured; the network as it is and single narrower layers are measured in any case.
        task: how the first output is read; None: as class numbers, of one output as 1 above 0.
    Raises:
        DataError: there are no samples, or another number of classes. ProjectError: too many combinations.
    """
    if not len(x) or (y is not None and len(y) != len(x)):
        classes = "" if y is None else f" and {len(y)} classes"
        raise DataError(f"{len(x)} samples{classes} cannot tell an accuracy", "give a class for each of many samples")
    judge = _Judge(graph.results[0], task or Task(), x, y) if y is not None else _itself(graph, task or Task(), x)
    layers, scorer = tuple(choices), _Scorer(graph, choices, x, judge)
    numbers = _combinations([len(widths) for widths in choices.values()])
    right, measured = _measured(scorer, numbers, near, most)
    tables = [np.array(widths, np.int64) for widths in choices.values()]
    columns = [table[column] for table, column in zip(tables, numbers.T, strict=True)]
    bits = np.array(columns, np.int64).reshape(numbers.shape[::-1]).T
    own = tuple(widths[0] for widths in choices.values())
    return Scores(layers, own, bits, right, measured, len(x), judge.against)


def _combinations(counts: Sequence[int]) -> Column:
    """(k, layers), a number of a width for each layer, sorted; the first row is the network as it is."""
    total = math.prod(counts)
    if total > CONSIDERED:
        raise ProjectError(
            f"{len(counts)} layers have {total:.2g} combinations of widths; at most {CONSIDERED} can be looked at",
            "give fewer widths, or let fewer layers vary",
        )
    return np.indices(counts).reshape(len(counts), total).T.astype(np.int64)


def _measured(
    scorer: _Scorer, numbers: Column, near: float, most: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Right samples of each combination, and whether that is measured."""
    every = np.ones(len(numbers), np.bool_)
    if len(numbers) <= most:
        return scorer.right(numbers), every
    single = (numbers > 0).sum(1) <= 1
    right = np.zeros(len(numbers))
    right[single] = scorer.right(numbers[single])
    right[~single] = _predicted(numbers, right, single)[~single]
    distance = np.where(single, -1.0, np.abs(right - near * scorer.samples))
    measured = single.copy()
    measured[np.argsort(distance, kind="stable")[: max(most, int(single.sum()))]] = True
    joint = measured & ~single
    right[joint] = scorer.right(numbers[joint])
    return right, measured


def _predicted(numbers: Column, right: NDArray[np.float64], single: NDArray[np.bool_]) -> NDArray[np.float64]:
    """As if the drops that single layers cause added up."""
    full, drops = right[0], np.zeros((numbers.shape[1], int(numbers.max(initial=0)) + 1))
    for row in np.flatnonzero(single)[1:]:
        layer = int(np.flatnonzero(numbers[row])[0])
        drops[layer, numbers[row, layer]] = full - right[row]
    together = drops[np.arange(numbers.shape[1]), numbers].sum(1)
    predicted: NDArray[np.float64] = np.maximum(full - together, 0.0)
    return predicted


@dataclass(frozen=True, eq=False)
class _Judge:
    """What is right about samples.

    Attributes:
        node: the first output, by which a network is judged.
        task: how it is read.
        x: (n, ...), the samples.
        y: (n, ...), what is right of them.
        itself: whether that is what the network as it is says.
    """

    node: Node
    task: Task
    x: Array
    y: Array
    itself: bool = False

    @property
    def against(self) -> Against:
        if self.task.kind is Kind.REGRESSION:
            return Against.OUTPUTS if self.itself else Against.TARGETS
        return Against.NETWORK if self.itself else Against.LABELS

    def points(self, codes: Array, rows: slice) -> float:
        """What the outputs of some samples count, to be added up.

        Args:
            codes: (n, outputs), integers on the grid of the output.
        """
        return self.task.points(self.node.type.real(codes), self.y[rows])

    def right(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Samples that count, of the points of all; of a regression, as many as its share of explained variance."""
        if self.task.kind is not Kind.REGRESSION:
            return points
        total = float(np.sum((self.y - np.mean(self.y, 0)) ** 2))
        if not total:
            raise DataError("all targets are equal, so no network can be told from another one by them", SEVERAL)
        equivalent: NDArray[np.float64] = len(self.x) * (1 + points / total)
        return equivalent


SEVERAL = "give samples of different targets, or leave out explore.weight_bits"


def _itself(graph: Graph, task: Task, x: Array) -> _Judge:
    """The network as it is for a judge of narrower ones."""
    node = graph.results[0]
    answers = task.predicted(node.type.real(evaluate(graph, x)[:, : node.size]))
    return _Judge(node, task, x, answers, itself=True)


@dataclass(frozen=True, eq=False)
class _Segment:
    """The nodes from a layer that varies up to the next one.

    Attributes:
        variants: for each width of the layer, the functions of the nodes in order, with what they read and name.
        keep: what later segments or the result read.
    """

    variants: tuple[tuple[tuple[Node, Step], ...], ...]
    keep: frozenset[str]

    def run(self, number: int, values: Mapping[str, Array]) -> dict[str, Array]:
        computed = dict(values)
        for node, step in self.variants[number]:
            computed[node.name] = step(*(computed[name] for name in node.inputs))
        return {name: value for name, value in computed.items() if name in self.keep}


class _Scorer:
    """Counts right samples of combinations, by the tree of their prefixes."""

    def __init__(self, graph: Graph, choices: Mapping[str, tuple[int, ...]], x: Array, judge: _Judge) -> None:
        check_batch(graph, x)
        self._graph, self._x, self._judge = graph, x, judge
        self._segments = tuple(_segments(pool_first(graph), choices))

    @property
    def samples(self) -> int:
        return len(self._x)

    def right(self, numbers: Column) -> NDArray[np.float64]:
        """(k,), right samples of sorted combinations (k, layers) of numbers of widths."""
        rows = chunk_rows(self._graph)
        chunks = [slice(start, start + rows) for start in range(0, len(self._x), rows)]
        with threadpool_limits(1), ThreadPoolExecutor(os.cpu_count()) as pool:
            counts = list(pool.map(lambda chunk: self._chunk(numbers, chunk), chunks))
        return self._judge.right(np.array(counts).sum(0))

    def _chunk(self, numbers: Column, rows: slice) -> NDArray[np.float64]:
        counts = np.zeros(len(numbers))
        first, *rest = self._segments
        values = first.run(0, arguments(self._graph, self._x[rows]))
        for number, results in _leaves(rest, numbers, range(len(numbers)), values):
            codes = results[self._graph.outputs[0]].reshape(-1, len(self._x[rows])).T
            counts[number] = self._judge.points(codes, rows)
        return counts


def _leaves(
    segments: Sequence[_Segment], numbers: Column, rows: Sequence[int], values: dict[str, Array], level: int = 0
) -> Iterator[tuple[int, dict[str, Array]]]:
    """The values behind the last segment, for each of those rows of `numbers` that share everything before `level`."""
    if level == len(segments):
        yield rows[0], values
        return
    for number, group in groupby(rows, key=lambda row: int(numbers[row, level])):
        yield from _leaves(segments, numbers, list(group), segments[level].run(number, values), level + 1)


def _segments(graph: Graph, choices: Mapping[str, tuple[int, ...]]) -> Iterator[_Segment]:
    """What comes before the first layer that varies, and the segment of each layer, in the graph's order."""
    nodes = {node.name: node for node in graph.nodes}
    inner = [node for node in graph.nodes if node.op is not Op.INPUT]
    starts = [0, *(number for number, node in enumerate(inner) if node.name in choices), len(inner)]
    if [inner[start].name for start in starts[1:-1]] != list(choices):
        raise ValueError(f"layers {list(choices)} are not nodes in the graph's order")

    def step(node: Node) -> tuple[Node, Step]:
        return node, compiled(node, [nodes[name] for name in node.inputs])

    for number, (start, stop) in enumerate(pairwise(starts)):
        part = inner[start:stop]
        keep = frozenset({name for node in inner[stop:] for name in node.inputs} | {graph.outputs[0]})
        rest = tuple(step(node) for node in part[number > 0 :])
        firsts = [_narrowed(part[0], bits) for bits in choices[part[0].name]] if number else []
        yield _Segment(tuple((step(first), *rest) for first in firsts) or (rest,), keep)
