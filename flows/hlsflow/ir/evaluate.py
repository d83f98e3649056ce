"""The oracle: evaluates a graph on integers, exactly, a whole data set at a time.

In: a verified graph and a batch. Out: integers on the grids of the graph's results, or of all its nodes.

Each node is compiled to a function on arrays whose last axis is the batch (`hlsflow.ir.evaluate_linear`, `_image`,
`_values`): every operation then runs over contiguous memory. Chunks of the batch that stay in a core's cache go through
the whole graph, several at a time in threads.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from hlsflow.ir import evaluate_image, evaluate_linear, evaluate_values
from hlsflow.ir.arithmetic import Step, largest, number_type
from hlsflow.ir.fixed import Array, Fixed, Overflow
from hlsflow.ir.graph import MERGES, Graph, Node, Op, apart, side_by_side
from hlsflow.ir.softmax import softmax

CHUNK_VALUES = 1 << 19
"""Values of the widest node that a thread has in hand at once: 2 MiB of float32 stay in the caches."""

Keep = Callable[[slice, Mapping[str, Array]], None]
"""Takes the rows of a chunk, and values by node, each (*shape, rows)."""

LANE = 16
"""Rows of a chunk are a multiple of this: whole vector registers, and no operation on a handful of numbers."""


def evaluate(graph: Graph, batch: Array) -> NDArray[np.int64]:
    """The graph's results for each row of a batch.

    Args:
        graph: verified.
        batch: integers (n, total input values): the inputs side by side, each flattened row-major, on its grid.
    Returns:
        (n, total output values): the results side by side likewise, in the order of `graph.outputs`.
    Raises:
        ValueError: the batch has another shape, is not of integers, or leaves an input's range.
    """
    graph = pool_first(graph)
    result = np.empty((len(batch), sum(node.size for node in graph.results)), np.int64)

    def keep(rows: slice, values: Mapping[str, Array]) -> None:
        result[rows] = side_by_side([np.moveaxis(values[name], -1, 0).astype(np.int64) for name in graph.outputs])

    _through(graph, batch, keep, _dead(graph))
    return result


def trace(graph: Graph, batch: Array) -> dict[str, NDArray[np.int64]]:
    """Every node's value for each row of a batch: name → (n, *shape). Arguments and errors as `evaluate`."""
    result = {node.name: np.empty((len(batch), *node.shape), np.int64) for node in graph.nodes}

    def keep(rows: slice, values: Mapping[str, Array]) -> None:
        for name, value in values.items():
            result[name][rows] = np.moveaxis(value, -1, 0)

    _through(graph, batch, keep, {})
    return result


def _through(graph: Graph, batch: Array, keep: Keep, dead: Mapping[str, list[str]]) -> None:
    """Put a batch through a graph, chunk by chunk; `dead` says which values to drop after which node."""
    check_batch(graph, batch)
    _keep_memory()
    steps = _compile(graph)

    def run(rows: slice) -> None:
        values = arguments(graph, batch[rows])
        for node, step in steps:
            values[node.name] = step(*(values[name] for name in node.inputs))
            for name in dead.get(node.name, ()):
                del values[name]
        keep(rows, values)

    threads = os.cpu_count() or 1
    with threadpool_limits(1), ThreadPoolExecutor(threads) as pool:  # BLAS threads would fight with ours
        list(pool.map(run, _chunks(len(batch), chunk_rows(graph), threads)))


def check_batch(graph: Graph, batch: Array) -> None:
    """Raises ValueError unless the batch is of integers, (n, total input values)."""
    width = sum(node.size for node in graph.inputs)
    if batch.ndim != 2 or batch.shape[1] != width:
        names = ", ".join(f"'{node.name}' {node.shape}" for node in graph.inputs)
        raise ValueError(f"graph '{graph.name}' wants a batch (n, {width}), flat, of input {names}; got {batch.shape}")
    if not np.issubdtype(batch.dtype, np.integer):
        raise ValueError(f"graph '{graph.name}' wants integers on the inputs' grids, got {batch.dtype}")


def _keep_memory() -> None:
    """Let the allocator keep freed arrays for the next chunk: fresh pages cost more than the arithmetic.

    glibc raises its own thresholds for giving memory back, up to 32 MiB, when a large block is freed (mallopt(3),
    M_MMAP_THRESHOLD). The block is never touched, so it costs nothing, here or with another allocator.
    """
    np.empty(31 << 20, np.uint8)


def pool_first(graph: Graph) -> Graph:
    """The same results with each activation behind the max pooling that reads it: far fewer values to round.

    A cast that saturates, and max(x, 0), never put a larger value below a smaller one, so that they commute with max.
    """
    nodes = {node.name: node for node in graph.nodes}
    for pool in graph.nodes:
        act = nodes[pool.inputs[0]] if pool.op is Op.MAX_POOL else pool
        if act is not pool and _monotone(act) and _same_codes(act.type, pool.type) and _private(graph, act):
            source = nodes[act.inputs[0]]
            nodes[act.name] = replace(pool, name=act.name, inputs=act.inputs, type=source.type)
            nodes[pool.name] = replace(act, name=pool.name, inputs=(act.name,), shape=pool.shape)
    return replace(graph, nodes=tuple(nodes.values()))


def _monotone(node: Node) -> bool:
    return node.op in (Op.RELU, Op.QUANTIZE) and node.type.overflow in (Overflow.SAT, Overflow.SAT_SYM)


def _same_codes(kind: Fixed, other: Fixed) -> bool:
    """Whether all values of the first type have the same codes in the other, which has as many bits."""
    same_bits = (kind.width, kind.integer, kind.signed) == (other.width, other.integer, other.signed)
    return same_bits and other.min <= kind.min


def _private(graph: Graph, node: Node) -> bool:
    """Whether one other node alone sees a node's value."""
    return len(graph.readers(node.name)) == 1 and node.name not in graph.outputs


def arguments(graph: Graph, rows: Array) -> dict[str, Array]:
    """The inputs' values for some rows of the batch, each (*shape, rows); raises ValueError when out of range."""
    values = {}
    for node, codes in zip(graph.inputs, apart(graph.inputs, rows), strict=True):
        if not node.type.holds(codes):
            raise ValueError(f"input '{node.name}' has values outside {node.type}")
        number = number_type(largest(node.type))
        values[node.name] = np.moveaxis(codes, 0, -1).astype(number, order="C")
    return values


def chunk_rows(graph: Graph) -> int:
    """Rows that a thread takes at once, so that what it has in hand stays in the caches."""
    widest = max(node.size for node in graph.nodes)
    return LANE * max(1, CHUNK_VALUES // widest // LANE)


def _chunks(total: int, limit: int, threads: int) -> Iterator[slice]:
    """Chunks of up to `limit` rows, about as many for each thread."""
    rows = LANE * math.ceil(total / (threads * math.ceil(total / (threads * limit))) / LANE) if total else limit
    return (slice(start, start + rows) for start in range(0, total, rows))


def _dead(graph: Graph) -> dict[str, list[str]]:
    """For each node, the values that nothing reads after it."""
    last = {name: node.name for node in graph.nodes for name in (node.name, *node.inputs)}
    return {node.name: [n for n in last if last[n] == node.name and n not in graph.outputs] for node in graph.nodes}


def _compile(graph: Graph) -> list[tuple[Node, Step]]:
    """The graph as a list of array functions, one a node, in order; input nodes have none."""
    nodes = {node.name: node for node in graph.nodes}
    inner = [node for node in graph.nodes if node.op is not Op.INPUT]
    return [(node, compiled(node, [nodes[name] for name in node.inputs])) for node in inner]


def compiled(node: Node, sources: Sequence[Node]) -> Step:
    """The array function of a node, which depends on its sources' types and shapes alone: values (*shape, rows)."""
    return _COMPILE[node.op](node, *sources)


_COMPILE: Mapping[Op, Callable[..., Step]] = {
    Op.DENSE: evaluate_linear.linear,
    Op.CONV: evaluate_linear.linear,
    Op.DEPTHWISE: evaluate_linear.linear,
    Op.SCALE: evaluate_linear.scale,
    Op.QUANTIZE: evaluate_values.activation,
    Op.RELU: evaluate_values.activation,
    Op.LEAKY_RELU: evaluate_values.leaky_relu,
    Op.TABLE: evaluate_values.table,
    Op.MAX_POOL: evaluate_image.max_pool,
    Op.AVG_POOL: evaluate_image.avg_pool,
    Op.ZERO_PAD: evaluate_image.zero_pad,
    Op.UPSAMPLE: evaluate_image.upsample,
    Op.RESHAPE: evaluate_values.reshape,
    Op.PERMUTE: evaluate_values.permute,
    Op.CONCAT: evaluate_values.concat,
    Op.ARGMAX: evaluate_values.argmax,
    Op.SOFTMAX: softmax,
    **dict.fromkeys(MERGES, evaluate_values.merge),
    Op.MULTIPLY: evaluate_values.multiply,
}
