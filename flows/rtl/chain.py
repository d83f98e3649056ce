"""A graph seen as hardware: a chain of stages, each a dense core (or the input) followed by element-wise operations.

In: a verified graph. Out: `Stage`s with the exact integer formats of every wire, which the schedule and the emitter
both read. What the RTL cannot do is refused here, by name.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from flows.errors import UnsupportedLayer
from flows.ir import Fixed, Graph, Node, Op, Overflow, Rounding
from flows.ir.fixed import Array

SUPPORTED = (Op.INPUT, Op.DENSE, Op.QUANTIZE, Op.RELU, Op.LEAKY_RELU)


@dataclass(frozen=True)
class Cast:
    """Element-wise: bring values into type `result`; with `relu`, negative ones become 0 first."""

    name: str
    source: Fixed
    result: Fixed
    relu: bool = False

    @property
    def drop(self) -> int:
        """Fractional bits that go; negative: zeros that come."""
        return self.source.frac - self.result.frac

    @property
    def is_wiring(self) -> bool:
        """Whether the cast takes no logic: bits are cut off or appended, nothing else."""
        cuts = self.drop <= 0 or self.result.rounding is Rounding.TRN
        wraps = self.result.overflow is Overflow.WRAP
        return cuts and not (self.relu and self.source.signed) and (wraps or self._always_fits())

    @property
    def is_identity(self) -> bool:
        """Whether source and result are the same bits with the same meaning."""
        same = (self.source.width, self.source.signed) == (self.result.width, self.result.signed)
        return self.drop == 0 and same and self.is_wiring

    def _always_fits(self) -> bool:
        low, high = (_shift(bound, self.drop) for bound in (self.source.min, self.source.max))
        return self.result.min <= low and high <= self.result.max


@dataclass(frozen=True)
class Slope:
    """Element-wise, exact: x * 2**grid where x >= 0, x * slope where x < 0."""

    name: str
    source: Fixed
    result: Fixed
    slope: int
    grid: int

    is_wiring = False
    is_identity = False


@dataclass(frozen=True, eq=False)
class Dense:
    """The numbers of a dense layer as the core computes them.

    Attributes:
        node: the layer.
        source: type of its input.
        weight: (n_in, n_out) integers.
        weight_type: narrowest type that holds all of them.
        product_width: bits of a signed product.
        drop: fractional bits a product has more than the sum; negative: fewer.
        sum: type of the sum: as narrow as the accumulator or the exact range allows, whichever is less.
        bias: (n_out,) integers on the sum's grid.
    """

    node: Node
    source: Fixed
    weight: Array
    weight_type: Fixed
    product_width: int
    drop: int
    sum: Fixed
    bias: Array


@dataclass(frozen=True, eq=False)
class Stage:
    """A dense core, or the graph's input where `dense` is None, and the element-wise operations that follow it.

    Attributes:
        n: values of the result.
        operations: in order; those that change nothing are left out.
        registered: for each operation, whether a pipeline register comes before it (never two with logic in a row).
    """

    name: str
    n: int
    dense: Dense | None
    operations: tuple[Cast | Slope, ...]
    registered: tuple[bool, ...]
    result: Fixed


def stages(graph: Graph) -> tuple[Stage, ...]:
    """The chain of stages from the graph's input to its output.

    Raises:
        UnsupportedLayer: a node of an operation without RTL, or a graph that is no chain.
    """
    groups: list[list[Node]] = []
    for node in _chain(graph):
        if node.op in (Op.INPUT, Op.DENSE):
            groups.append([])
        groups[-1].append(node)
    built: list[Stage] = []
    for group in groups:
        built.append(_stage(group, built[-1].result if built else group[0].type))
    return tuple(built)


def _chain(graph: Graph) -> list[Node]:
    supported = ", ".join(SUPPORTED)
    for node in graph.nodes:
        if node.op not in SUPPORTED:
            raise UnsupportedLayer(f"layer '{node.name}' ({node.op}) has no RTL", f"supported: {supported}")
    for before, node in zip(graph.nodes, graph.nodes[1:], strict=False):
        if node.inputs != (before.name,):
            message = f"layer '{node.name}' does not continue '{before.name}': the RTL is one chain of layers"
            raise UnsupportedLayer(message, f"supported: a chain of {supported}")
    if graph.outputs != (graph.nodes[-1].name,):
        raise UnsupportedLayer(
            f"the graph's results are {', '.join(graph.outputs)}", f"supported: one result, '{graph.nodes[-1].name}'"
        )
    return list(graph.nodes)


def _stage(nodes: list[Node], source: Fixed) -> Stage:
    head, *rest = nodes
    dense = _dense(head, source) if head.op is Op.DENSE else None
    operations: list[Cast | Slope] = []
    current = source
    if dense:
        current = head.type
        operations.append(Cast(head.name, dense.sum, head.type))
    for node in rest:
        operations += _element_wise(node, current)
        current = node.type
    kept = tuple(operation for operation in operations if not operation.is_identity)
    return Stage(head.name, math.prod(head.shape), dense, kept, _registers(kept), current)


def _element_wise(node: Node, source: Fixed) -> list[Cast | Slope]:
    if node.op is not Op.LEAKY_RELU:
        return [Cast(node.name, source, node.type, relu=node.op is Op.RELU)]
    slope, frac = int(node.params["slope"]), node.types["slope"].frac
    grid = max(frac, 0)
    slope <<= max(-frac, 0)
    low, high = sorted((source.min * slope, 0))
    exact = fixed_for(min(low, source.min, -1), max(high, source.max << grid), source.frac + grid)
    return [Slope(node.name, source, exact, slope, grid), Cast(node.name, exact, node.type)]


def _registers(operations: tuple[Cast | Slope, ...]) -> tuple[bool, ...]:
    busy, flags = False, []
    for operation in operations:
        flags.append(busy and not operation.is_wiring)
        busy = busy or not operation.is_wiring
    return tuple(flags)


def _dense(node: Node, source: Fixed) -> Dense:
    accum, weight = node.types["accum"], node.params["weight"].astype(np.int64)
    product_frac = source.frac + node.types["weight"].frac
    bias = accum.cast(node.params["bias"], node.types["bias"].frac)
    grid = _sum_grid(accum, product_frac, bias)
    bias = bias >> (accum.frac - grid)
    lows, highs = _product_ranges(weight.astype(object), source)  # Python's integers: shifted, they may pass 64 bits
    low = int((_floor(lows, product_frac - grid).sum(0) + bias).min())
    high = int((-_floor(-highs, product_frac - grid).sum(0) + bias).max())
    return Dense(
        node=node,
        source=source,
        weight=weight,
        weight_type=fixed_for(int(weight.min()), int(weight.max()), node.types["weight"].frac),
        product_width=max(_signed_bits(int(lows.min())), _signed_bits(int(highs.max()))),
        drop=product_frac - grid,
        sum=_sum_type(accum, grid, low, high),
        bias=bias,
    )


def _sum_grid(accum: Fixed, product_frac: int, bias: Array) -> int:
    """Fractional bits of the sum: the fewest that lose nothing, since zeros at the end need no adders."""
    if accum.frac <= product_frac:
        return accum.frac
    grid = max(product_frac, accum.frac - accum.width + 1)
    while np.any(bias & ((1 << (accum.frac - grid)) - 1)):
        grid += 1
    return grid


def _product_ranges(weight: Array, source: Fixed) -> tuple[Array, Array]:
    ends = weight * source.min, weight * source.max
    return np.minimum(*ends), np.maximum(*ends)


def _floor(values: Array, drop: int) -> Array:
    shifted: Array = values >> drop if drop > 0 else values << -drop
    return shifted


def _sum_type(accum: Fixed, grid: int, low: int, high: int) -> Fixed:
    """The exact range where the accumulator holds it, else the bits the accumulator keeps."""
    spare = accum.frac - grid
    if accum.min <= low << spare and high << spare <= accum.max:
        return fixed_for(low, high, grid)
    return Fixed(accum.width - spare, accum.integer, accum.signed)


def fixed_for(low: int, high: int, frac: int) -> Fixed:
    """The narrowest type with `frac` fractional bits that holds low..high."""
    signed = low < 0
    width = max(_signed_bits(low), _signed_bits(high)) if signed else max(high.bit_length(), 1)
    return Fixed(width, width - frac, signed)


def _signed_bits(value: int) -> int:
    return (value if value >= 0 else ~value).bit_length() + 1


def _shift(value: int, drop: int) -> int:
    return value >> drop if drop > 0 else value << -drop
