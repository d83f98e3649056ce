"""Lane-wise operations: the same function of one value on every lane of a stream, without state and combinational.

In: a node of the graph and the type of its input. Out: operations, each of which knows its exact result type and
writes its own instance.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hlsflow.ir import Fixed, Node, Op, Rounding
from hlsflow.ir.fixed import Array, Overflow
from hlsflow.rtl.tables import Short, Stepped, form_of
from hlsflow.rtl.verilog import Stream, Value, comment, constant, instance


@dataclass(frozen=True)
class Cast:
    """Bring values into type `result`; with `relu`, negative ones become 0 first."""

    name: str
    source: Fixed
    result: Fixed
    relu: bool = False

    module = "cast_lanes"

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

    @property
    def parameters(self) -> dict[str, Value]:
        return {
            "DROP": self.drop,
            "RELU": int(self.relu),
            "OUT_SIGNED": int(self.result.signed),
            "ROUNDING": f'"{self.result.rounding}"',
            "OVERFLOW": f'"{self.result.overflow}"',
        }

    def _always_fits(self) -> bool:
        low, high = (_shift(bound, self.drop) for bound in (self.source.min, self.source.max))
        return self.result.min <= low and high <= self.result.max


@dataclass(frozen=True)
class Slope:
    """Exact: x * 2**grid where x >= 0, x * slope where x < 0."""

    name: str
    source: Fixed
    result: Fixed
    slope: int
    grid: int

    module = "leaky_slope"
    is_wiring = False
    is_identity = False

    @property
    def parameters(self) -> dict[str, Value]:
        bits = max(self.slope.bit_length(), 1)
        return {
            "GRID": self.grid,
            "NEGATIVE": int(self.slope < 0),
            "BITS": bits,
            "SLOPE": f"{bits}'h{abs(self.slope):x}",
        }


@dataclass(frozen=True, eq=False)
class Lookup:
    """An entry of a table; `source` has as many bits as the table needs.

    Attributes:
        entries: by the bit pattern of a code of `source`.
    """

    name: str
    source: Fixed
    result: Fixed
    entries: Array

    module = "table_lookup"
    is_wiring = False
    is_identity = False

    @property
    def parameters(self) -> dict[str, Value]:
        return {"ENTRIES": constant(([int(entry)] for entry in self.entries), self.result.width)}


@dataclass(frozen=True, eq=False)
class Search:
    """Some levels of a search; `source` and `result` are bits side by side: x, and above it the bits found so far.

    Attributes:
        x: type of the value that is searched.
        before, levels: bits found before, and here.
        thresholds: of these levels.
    """

    name: str
    source: Fixed
    result: Fixed
    x: Fixed
    before: int
    levels: int
    thresholds: Array

    module = "table_search"
    is_wiring = False
    is_identity = False

    @property
    def parameters(self) -> dict[str, Value]:
        return {
            "X_WIDTH": self.x.width,
            "X_SIGNED": int(self.x.signed),
            "FOUND": self.before,
            "LEVELS": self.levels,
            "THRESHOLDS": constant(([int(place)] for place in self.thresholds), self.x.width),
        }


Operation = Cast | Slope | Lookup | Search

LEVELS_PER_SEARCH = 2
"""Levels of a search between two registers: comparators in a row."""


def operations(node: Node, source: Fixed) -> list[Operation]:
    """A lane-wise node as operations; `source` is the type of its input."""
    return LANE_WISE[node.op](node, source)


def _cast(node: Node, source: Fixed) -> list[Operation]:
    return [Cast(node.name, source, node.type, relu=node.op is Op.RELU)]


def _leaky_relu(node: Node, source: Fixed) -> list[Operation]:
    slope, frac = int(node.params["slope"]), node.types["slope"].frac
    grid = max(frac, 0)
    slope <<= max(-frac, 0)
    low, high = sorted((source.min * slope, -1))
    exact = Fixed.spanning(low, max(high, source.max << grid), source.frac + grid)
    return [Slope(node.name, source, exact, slope, grid), Cast(node.name, exact, node.type)]


def _table(node: Node, source: Fixed) -> list[Operation]:
    form = form_of(node.params["table"], source, node.type)
    return _short_table(node, source, form) if isinstance(form, Short) else _stepped_table(node, source, form)


def _short_table(node: Node, source: Fixed, form: Short) -> list[Operation]:
    frac = source.frac - form.drop
    index = Fixed(form.bits, form.bits - frac, source.signed, overflow=Overflow.SAT)
    return [Cast(node.name, source, index), Lookup(node.name, index, node.type, form.entries)]


def _stepped_table(node: Node, source: Fixed, form: Stepped) -> list[Operation]:
    made: list[Operation] = []
    kind = source
    for start in range(0, form.levels, LEVELS_PER_SEARCH):
        levels = min(LEVELS_PER_SEARCH, form.levels - start)
        end = start + levels
        bits = end + (source.width if end < form.levels else 0)
        thresholds = form.tree[(1 << start) - 1 : (1 << end) - 1]
        result = Fixed(bits, bits, signed=False)
        made.append(Search(node.name, kind, result, source, start, levels, thresholds))
        kind = result
    return [*made, Lookup(node.name, kind, node.type, form.entries)]


LANE_WISE: Mapping[Op, Callable[[Node, Fixed], list[Operation]]] = {
    Op.QUANTIZE: _cast,
    Op.RELU: _cast,
    Op.LEAKY_RELU: _leaky_relu,
    Op.TABLE: _table,
}
"""Lane-wise operation → what makes its parts."""


def emit(operation: Operation, stream: Stream, name: str) -> tuple[str, Stream]:
    """The instance of an operation on all lanes of a stream, and the stream of its results."""
    result = Stream(stream.valid, stream.last, f"{name}_values", stream.lanes, operation.result)
    parameters: dict[str, Value] = {
        "LANES": stream.lanes,
        "IN_WIDTH": operation.source.width,
        "IN_SIGNED": int(operation.source.signed),
        "OUT_WIDTH": operation.result.width,
    }
    wires = f"    wire [{result.bits - 1}:0] {result.data};  // {comment(operation.name)}\n"
    ports = {"in": stream.data, "out": result.data}
    return wires + instance(operation.module, name, parameters | operation.parameters, ports), result


def _shift(value: int, drop: int) -> int:
    return value >> drop if drop > 0 else value << -drop
