"""Weighted sums as graphs of adders: constants become adders of shifted values, which several sums may share.

The order of additions comes from da4ml (Sun, Que, Loncar, Luk and Spiropulu, "da4ml: Distributed Arithmetic for
Real-time Neural Networks on FPGAs", arXiv 2507.04535). What is done here: exact ranges from the coefficients of every
node, signs such that low bits pass without an adder, and biases where they cost least, often nothing.

In: a matrix, biases and the type of the inputs. Out: `AdderGraph`: plain data, no Verilog.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from hlsflow.ir import Fixed
from hlsflow.ir.fixed import Array
from hlsflow.ir.integers import trailing_zeros, width_of

DEPTH_ALLOWED = 1
"""Levels of adders beyond the fewest possible (da4ml's `hard_dc`). On the jet tagger's four layers 0 takes 3,672
adders, 1 takes 3,486 and 2 takes 3,470; without a limit it is 3,422, at twice the depth for one layer."""


@dataclass(frozen=True)
class Operand:
    """node * 2**shift, or the negative of it."""

    node: int
    shift: int = 0
    negative: bool = False

    def scaled(self, shift: int) -> Operand:
        return replace(self, shift=self.shift + shift)

    def negated(self) -> Operand:
        return replace(self, negative=not self.negative)


@dataclass(frozen=True)
class Adder:
    """The sum of two operands, at most one of them negative; or of one operand and a constant."""

    operands: tuple[Operand, ...]
    offset: int = 0


@dataclass(frozen=True, eq=False)
class AdderGraph:
    """Nodes: number i < n_in is input i; the others are adders.

    Attributes:
        adders: node → adder, each behind its operands.
        bounds: node → lowest and highest value.
        sums: where each sum is: an operand, never negative, and a constant that fills the bits below it. The constant
            is all of a sum that reads no input.
        levels: node → adders on the longest way to it.
    """

    n_in: int
    adders: dict[int, Adder]
    bounds: dict[int, tuple[int, int]]
    sums: tuple[tuple[Operand | None, int], ...]
    levels: dict[int, int]

    @property
    def depth(self) -> int:
        return max((self.levels[operand.node] for operand, _ in self.sums if operand), default=0)

    def width(self, node: int) -> int:
        """Bits that hold every value of a node: unsigned where none is negative."""
        return width_of(*self.bounds[node])

    def is_wiring(self, node: int) -> bool:
        """Whether the node only sets bits above those of its operand."""
        adder = self.adders.get(node)
        return adder is not None and _is_wiring(adder, self.width(adder.operands[0].node))


def _is_wiring(adder: Adder, width: int) -> bool:
    first, *others = adder.operands
    return not others and not first.negative and first.shift == 0 and adder.offset % (1 << width) == 0


def adder_graph(weight: Array, bias: Array, source: Fixed) -> AdderGraph:
    """Sums over i of x[i] * weight[i, j], plus bias[j].

    Args:
        weight: (n_in, n_out) integers.
        bias: (n_out,) integers on the grid of the products.
        source: type of the inputs.
    """
    draft = _Draft(source, [(row, 0) for row in np.eye(len(weight), dtype=np.int64)])
    values = [value and _positive(draft, value) for value in _solved(draft, weight)]
    deepest = max((draft.level(value.node) for value in values if value), default=0)
    sums = [_with_bias(draft, value, int(constant), deepest) for value, constant in zip(values, bias, strict=True)]
    order = list(dict.fromkeys(node for operand, _ in sums if operand for node in _ordered(draft, operand.node)))
    levels = {node: draft.level(node) for node in (*range(len(weight)), *order)}
    bounds = {node: draft.bounds(node) for node in levels}
    return AdderGraph(len(weight), {node: draft.adders[node] for node in order}, bounds, tuple(sums), levels)


@dataclass(eq=False)
class _Draft:
    """Nodes while they are made; `forms` are their coefficients of the inputs and their constants."""

    source: Fixed
    forms: list[tuple[Array, int]]
    adders: dict[int, Adder] = field(default_factory=dict)
    users: Counter[int] = field(default_factory=Counter)
    by_form: dict[bytes, Operand] = field(default_factory=dict)

    def bounds(self, node: int) -> tuple[int, int]:
        coefficients, constant = self.forms[node]
        plus, minus = int(coefficients.clip(min=0).sum()), int(coefficients.clip(max=0).sum())
        low, high = self.source.min, self.source.max
        return plus * low + minus * high + constant, plus * high + minus * low + constant

    def width(self, node: int) -> int:
        return width_of(*self.bounds(node))

    def level(self, node: int) -> int:
        adder = self.adders.get(node)
        if adder is None:
            return 0
        wiring = _is_wiring(adder, self.width(adder.operands[0].node))
        return max(self.level(operand.node) for operand in adder.operands) + (not wiring)

    def append(self, adder: Adder) -> Operand:
        node = len(self.forms)
        self.forms.append(self.form(adder))
        self.adders[node] = adder
        self.users.update(operand.node for operand in adder.operands)
        return Operand(node)

    def change(self, node: int, adder: Adder) -> None:
        """Let a node add other operands: as many users of each as before."""
        self.adders[node] = adder
        self.forms[node] = self.form(adder)

    def form(self, adder: Adder) -> tuple[Array, int]:
        factors = [(-1 if operand.negative else 1) << operand.shift for operand in adder.operands]
        parts = [self.forms[operand.node] for operand in adder.operands]
        coefficients = np.sum([part[0] * factor for part, factor in zip(parts, factors, strict=True)], 0)
        return coefficients, adder.offset + sum(part[1] * factor for part, factor in zip(parts, factors, strict=True))

    def add(self, a: Operand, b: Operand) -> Operand:
        """a + b, made once only; of two signs the operand that reaches lowest is made the positive one."""
        low, high = sorted((a, b), key=lambda operand: operand.shift)
        relative = Operand(high.node, high.shift - low.shift, high.negative ^ low.negative)
        made = self._once(Adder((Operand(low.node), relative)))
        return replace(made, negative=made.negative ^ low.negative).scaled(low.shift)

    def _once(self, adder: Adder) -> Operand:
        form, _ = self.form(adder)
        if form.tobytes() not in self.by_form:
            made = self.append(adder)
            self.by_form |= {form.tobytes(): made, (-form).tobytes(): made.negated()}
        return self.by_form[form.tobytes()]


def _solved(draft: _Draft, weight: Array) -> list[Operand | None]:
    """The sums without their biases, as da4ml adds them up; None where all weights are zero."""
    shape = (int(weight.shape[0]), int(weight.shape[1]))
    values: list[Operand | None] = [Operand(i) for i in range(len(weight))]
    for part in _solve(weight.astype(np.int64).tobytes(), shape, draft.source.min, draft.source.max):
        values = _follow(draft, part, values)
    draft.users.update(operand.node for operand in values if operand)
    return values


@functools.lru_cache(maxsize=64)
def _solve(matrix: bytes, shape: tuple[int, int], low: int, high: int) -> tuple[Any, ...]:
    """da4ml's solution: one or two `CombLogic` in a row.

    Its `solve` as Python, around compiled parts. Compiled too, it would spread the few ways to split a matrix over
    threads: the first use takes 113 s of compilation instead of 71, and two threads of ours must not be in it at once.
    """
    from da4ml.cmvm import QInterval, solve  # slow to import

    weight = np.frombuffer(matrix, np.int64).reshape(shape).astype(np.float64)
    ranges = [QInterval(float(low), float(high), 1.0)] * shape[0]
    return tuple(solve.py_func(weight, hard_dc=DEPTH_ALLOWED, qintervals=ranges).solutions)


def _follow(draft: _Draft, part: Any, inputs: Sequence[Operand | None]) -> list[Operand | None]:
    """Do what a `CombLogic` says: operations -1 (take an input), 0 (add) and 1 (subtract)."""
    buffer: list[Operand | None] = []
    for op in part.ops:
        if op.opcode == -1:
            value = inputs[op.id0]
            buffer.append(value and value.scaled(int(part.inp_shifts[op.id0])))
            continue
        a, b = buffer[op.id0], buffer[op.id1]
        assert a and b and op.opcode in (0, 1), "a matrix of constants needs additions and subtractions only"
        b = b.scaled(int(op.data))
        buffer.append(draft.add(a, b.negated() if op.opcode == 1 else b))
    results = [buffer[index] if index >= 0 else None for index in part.out_idxs]
    rows = zip(results, part.out_shifts, part.out_negs, strict=True)
    return [
        value and replace(value.scaled(int(shift)), negative=value.negative ^ bool(neg)) for value, shift, neg in rows
    ]


def _ordered(draft: _Draft, node: int) -> Iterator[int]:
    """The adders that a node needs, and itself, operands first."""
    if node in draft.adders:
        for operand in draft.adders[node].operands:
            yield from _ordered(draft, operand.node)
        yield node


def _positive(draft: _Draft, value: Operand) -> Operand:
    """The same value by an operand that is not negative: its adder turned round, or one more adder."""
    if not value.negative:
        return value
    if _turned(draft, value.node):
        return value.negated()
    made = draft.append(Adder((Operand(value.node, negative=True),))).scaled(value.shift)
    draft.users[made.node] += 1
    draft.users[value.node] -= 1
    return made


def _turned(draft: _Draft, node: int) -> bool:
    """Make a node its own negative, where nobody else reads it and no adder would have two negative operands."""
    adder = draft.adders.get(node)
    if adder is None or draft.users[node] > 1:
        return False
    operands = [operand.negated() for operand in adder.operands]
    if all(operand.negative for operand in operands):
        index = next((i for i, operand in enumerate(operands) if _turned(draft, operand.node)), None)
        if index is None:
            return False
        operands[index] = operands[index].negated()
    draft.change(node, Adder(tuple(operands)))
    return True


@dataclass(frozen=True)
class _Place:
    """A value on the way to a sum where a constant can be added.

    Attributes:
        way: (node, which operand) from the sum down to it; only nodes that serve this sum alone.
        operand: the value as a part of the sum.
    """

    way: tuple[tuple[int, int], ...]
    operand: Operand

    def constant(self, of_sum: int) -> int:
        """What to add to the node, so that the sum grows by `of_sum`."""
        signed = -of_sum if self.operand.negative else of_sum
        return signed >> self.operand.shift if self.operand.shift > 0 else signed << -self.operand.shift


def _with_bias(draft: _Draft, value: Operand | None, bias: int, deepest: int) -> tuple[Operand | None, int]:
    """A sum and its bias: the operand, and the bits of the bias below it."""
    if value is None:
        return None, bias
    below = bias & ((1 << max(value.shift, 0)) - 1)
    bias -= below
    if bias == 0:
        return value, below
    possible = (place for place in _places(draft, _Place((), value)) if bias % (1 << max(place.operand.shift, 0)) == 0)
    best = min(possible, key=lambda place: _cost(draft, place, place.constant(bias), deepest))
    made = draft.append(Adder((Operand(best.operand.node),), best.constant(bias)))
    draft.users[made.node] = 1
    draft.users[best.operand.node] -= 1
    return _inserted(draft, best, made, value), below


def _places(draft: _Draft, place: _Place) -> Iterator[_Place]:
    """The sum itself and every value on the way to it."""
    yield place
    node = place.operand.node
    if draft.users[node] == 1 and node in draft.adders:
        for index, part in enumerate(draft.adders[node].operands):
            inner = Operand(part.node, part.shift + place.operand.shift, part.negative ^ place.operand.negative)
            yield from _places(draft, _Place((*place.way, (node, index)), inner))


def _cost(draft: _Draft, place: _Place, constant: int, deepest: int) -> tuple[bool, int]:
    """Whether the whole becomes deeper, and bits of adders: of the new one and of those that become wider."""
    width = draft.width(place.operand.node)
    wider = max(constant.bit_length() + 1 - width, 0)
    bits = wider * len(place.way[1:])
    if constant % (1 << width) == 0:
        return False, bits
    zeros = trailing_zeros(constant)
    level = draft.level(place.operand.node) + 1
    for node, index in reversed(place.way):
        others = [draft.level(o.node) for i, o in enumerate(draft.adders[node].operands) if i != index]
        level = max([level, *others]) + 1
    return level > deepest, bits + width + wider + 1 - zeros


def _inserted(draft: _Draft, place: _Place, made: Operand, value: Operand) -> Operand:
    """Read `made` at a place instead of what was read there; the sum's operand after that."""
    if not place.way:
        return replace(value, node=made.node)
    node, index = place.way[-1]
    operands = list(draft.adders[node].operands)
    operands[index] = replace(operands[index], node=made.node)
    draft.change(node, replace(draft.adders[node], operands=tuple(operands)))
    for above, _ in reversed(place.way[:-1]):
        draft.change(above, draft.adders[above])
    return value
