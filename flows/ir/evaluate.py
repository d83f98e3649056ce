"""The oracle: evaluates a graph on integers, exactly, a whole data set at a time.

Each node picks the cheapest arithmetic that is still exact: float32 where every intermediate stays below 2**24,
float64 below 2**53 (both hold such integers exactly, and matrix products of them run in BLAS), else int64.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from flows.ir.fixed import Array, Fixed, Overflow, Rounding
from flows.ir.graph import Graph, Node, Op

FAR = 64
"""Bits dropped after which every value is so far below half a step that more bits change nothing."""

CHUNK_VALUES = 1 << 16
"""Values of the widest node that a thread has in hand at once: 256 KiB of float32 stay in a core's cache."""

Step = Callable[[Array], Array]


def evaluate(graph: Graph, x: Array) -> Array:
    """The graph's result for each row of `x`.

    Args:
        graph: verified, with one input and one output.
        x: integers on the input's grid, (n, *input shape).
    Returns:
        int64, (n, *output shape), on the grid of the output node's type.
    Raises:
        ValueError: `x` has the wrong shape or leaves the input's range.
    """
    steps = compile_graph(graph)
    out = graph[graph.outputs[0]]
    result = np.empty((len(x), *out.shape), np.int64)

    def run(rows: slice) -> None:
        values = {graph.inputs[0].name: x[rows]}
        for node, step in steps:
            values[node.name] = step(values[node.inputs[0]])
        result[rows] = values[out.name]

    _check_input(graph, x)
    rows = max(1, CHUNK_VALUES // max(int(np.prod(node.shape)) for node in graph.nodes))
    with threadpool_limits(1), ThreadPoolExecutor(os.cpu_count()) as pool:  # BLAS threads would fight with ours
        list(pool.map(run, _chunks(len(x), rows)))
    return result


def trace(graph: Graph, x: Array) -> dict[str, Array]:
    """Every node's value for each row of `x`: name → int64 (n, *shape). Arguments as `evaluate`."""
    _check_input(graph, x)
    values: dict[str, Array] = {graph.inputs[0].name: np.asarray(x, np.int64)}
    for node, step in compile_graph(graph):
        values[node.name] = step(values[node.inputs[0]]).astype(np.int64)
    return values


def compile_graph(graph: Graph) -> list[tuple[Node, Step]]:
    """The graph as a list of array functions, one a node, in order; the input node has none."""
    return [(node, _COMPILE[node.op](node, graph[node.inputs[0]])) for node in graph.nodes if node.op is not Op.INPUT]


def _check_input(graph: Graph, x: Array) -> None:
    (source,) = graph.inputs
    if x.shape[1:] != source.shape:
        raise ValueError(f"input '{source.name}' wants rows of shape {source.shape}, got {x.shape[1:]}")
    if not source.type.holds(x):
        raise ValueError(f"input '{source.name}' has values outside {source.type}")


def _chunks(total: int, rows: int) -> Iterator[slice]:
    return (slice(start, start + rows) for start in range(0, total, rows))


def _number_type(bound: int) -> type[Any]:
    """The cheapest type that holds every integer up to `bound`, and every half between, exactly."""
    if bound < 1 << 22:
        return np.float32
    return np.float64 if bound < 1 << 51 else np.int64


def _largest(kind: Fixed) -> int:
    return max(-kind.min, kind.max)


def _activation(node: Node, source: Node) -> Step:
    """QUANTIZE and RELU: one cast of the whole array."""
    relu = node.op is Op.RELU
    return _caster(node.type, source.type.frac, _largest(source.type), relu)


def _leaky_relu(node: Node, source: Node) -> Step:
    slope, grid = int(node.params["slope"]), node.types["slope"].frac
    frac = source.type.frac + max(grid, 0)

    def run(x: Array) -> Array:
        exact = x.astype(np.int64, copy=False)
        positive = exact << max(grid, 0)
        return node.type.cast(np.where(exact < 0, exact * (slope << max(-grid, 0)), positive), frac)

    return run


def _dense(node: Node, source: Node) -> Step:
    accum, frac = node.types["accum"], source.type.frac + node.types["weight"].frac
    weight = node.params["weight"].astype(np.int64)
    bias = accum.cast(node.params["bias"], node.types["bias"].frac)
    if accum.frac < frac:
        return partial(_dense_truncating, node, frac - accum.frac, bias)
    grid = _common_grid(bias, accum.frac, frac)
    reach = np.abs(weight).sum(0).astype(object) * _largest(source.type)  # Python's integers: shifted, they may be long
    bias = bias >> min(accum.frac - grid, 63)
    top = int(((reach << (grid - frac)) + np.abs(bias)).max())
    weight = Fixed(accum.width, accum.width - grid).cast(weight, frac)  # sums matter modulo 2**width alone
    sums = partial(_matmul, weight, bias, _number_type(top))
    signed_top = top if accum.signed else accum.max + 1  # an unsigned accumulator wraps any negative partial sum
    if signed_top << (accum.frac - grid) <= accum.max:
        return _chain(sums, _caster(node.type, grid, top, relu=False))
    wrap = partial(accum.cast, frac=grid)
    return _chain(sums, wrap, _caster(node.type, accum.frac, _largest(accum), relu=False))


def _common_grid(bias: Array, accum_frac: int, product_frac: int) -> int:
    """Fewest fractional bits that hold all products and the bias: trailing zeros cost float precision."""
    used = int(np.bitwise_or.reduce(bias))
    zeros = (used & -used).bit_length() - 1
    spare = accum_frac - product_frac
    return accum_frac - (min(spare, zeros) if used else spare)


def _matmul(weight: Array, bias: Array, kind: type[Any], x: Array) -> Array:
    sums: Array = x.astype(kind, copy=False) @ weight.astype(kind, copy=False)
    sums += bias.astype(kind, copy=False)
    return sums


def _dense_truncating(node: Node, drop: int, bias: Array, x: Array) -> Array:
    """The accumulator is coarser than a product: each product is cast on its own before it is added."""
    accum, weight = node.types["accum"], node.params["weight"].astype(np.int64)
    columns = x.astype(np.int64, copy=False)
    sums = np.broadcast_to(bias, (len(x), len(bias))).copy()
    for column, row in zip(columns.T, weight, strict=True):
        sums += accum.cast(np.multiply.outer(column, row), accum.frac + drop)
    return node.type.cast(accum.cast(sums, accum.frac), accum.frac)


def _chain(*steps: Step) -> Step:
    def run(x: Array) -> Array:
        for step in steps:
            x = step(x)
        return x

    return run


_FLOAT_ROUNDING: Mapping[Rounding, Step] = {
    Rounding.TRN: lambda y: np.floor(y, out=y),
    Rounding.TRN_ZERO: lambda y: np.trunc(y, out=y),
    Rounding.RND: lambda y: np.floor(y + 0.5),
    Rounding.RND_ZERO: lambda y: np.copysign(np.ceil(np.abs(y) - 0.5), y),
    Rounding.RND_INF: lambda y: np.copysign(np.floor(np.abs(y) + 0.5), y),
    Rounding.RND_MIN_INF: lambda y: np.ceil(y - 0.5),
    Rounding.RND_CONV: lambda y: np.rint(y, out=y),
}


def _caster(kind: Fixed, frac: int, bound: int, relu: bool) -> Step:
    """A function that does `kind.cast(max(x, 0) if relu else x, frac)` for |x| <= bound."""
    drop = frac - kind.frac
    number = _number_type(max(bound, 1) << max(-drop, 0))
    saturates = kind.overflow in (Overflow.SAT, Overflow.SAT_SYM)
    if number is np.int64 or not (saturates or _fits(kind, drop, bound, relu)):
        return lambda x: kind.cast(np.maximum(x, 0) if relu else x, frac)
    if drop == 0 and not relu and _fits(kind, drop, bound, relu):
        return lambda x: x
    low, high = max(kind.min, 0) if relu else kind.min, kind.max
    rounding = _FLOAT_ROUNDING[kind.rounding] if drop > 0 else None
    scale = number(2.0 ** -min(drop, FAR))

    def run(x: Array) -> Array:
        y = x.astype(number, copy=False) * scale
        if rounding:
            y = rounding(y)
        clipped: Array = np.clip(y, low, high, out=y)
        return clipped

    return run


def _fits(kind: Fixed, drop: int, bound: int, relu: bool) -> bool:
    """Whether no value of magnitude up to `bound` can leave the type, so that overflow never happens."""
    top = (bound >> drop) + 1 if drop > 0 else bound << -drop
    return top <= kind.max and (relu or -top >= kind.min)


_COMPILE: Mapping[Op, Callable[[Node, Node], Step]] = {
    Op.DENSE: _dense,
    Op.QUANTIZE: _activation,
    Op.RELU: _activation,
    Op.LEAKY_RELU: _leaky_relu,
}
