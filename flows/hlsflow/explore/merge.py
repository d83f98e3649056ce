"""All designs worth a look, layer by layer: of partial assignments only those that no other makes superfluous.

The dynamic program of Nemhauser and Ullmann ("Discrete dynamic programming and capital allocation", 1969), with sums
(area, cycles along a path) and maxima (period, interval of a unit) side by side. It is exact, and far quicker than one
program after the other as long as few metrics and paths count; beyond that the tables grow too long.

In: a `Problem`, objectives, limits and the paths known. Out: the assignments that can be on the front, or None.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np

from hlsflow.explore.choice import AREA, Column, Path, Problem
from hlsflow.explore.dominance import Numbers, TooMany, nondominated
from hlsflow.explore.figures import II, LATENCY, UNMEASURED, additive

MOST = 100_000
"""Partial assignments, times columns beyond the third, after which this is given up: comparing all takes minutes."""

AT_ONCE = 1 << 18
"""Partial assignments compared at a time."""

NEVER = np.iinfo(np.int64).max // 4

Words = frozenset[tuple[int, ...]]
"""Bits that the layers to come may have, in allowed combinations."""


@dataclass(frozen=True, eq=False)
class Table:
    """Partial assignments.

    Attributes:
        picks: (n, layers so far).
        values: (n, metrics and paths): sums, then maxima.
    """

    picks: Numbers
    values: Numbers

    def take(self, rows: Numbers) -> Table:
        return Table(self.picks[rows], self.values[rows])


@dataclass(frozen=True, eq=False)
class _Unit:
    """A unit of several layers whose interval paths wait for.

    Attributes:
        layers: their numbers.
        column: where the largest interval so far stands.
        gaps: (columns,): how often each path waits for it.
        least, most: interval.
    """

    layers: tuple[int, ...]
    column: int
    gaps: Numbers
    least: int
    most: int


@dataclass(frozen=True, eq=False)
class _Columns:
    """What counts, as columns for each layer.

    Attributes:
        sums: how many columns, the first ones, add up; of the others the largest counts. The very first one says
            how many layers are not measured.
        thrifty: whether that counts as a metric does; else it only decides between equals.
        start: (columns,): before the first layer.
        layers: for each layer (configurations, columns).
        units: those of several layers.
        limits: (columns,): largest value of a whole design.
        free: (columns,): nothing but the limit counts.
    """

    sums: int
    thrifty: bool
    start: Numbers
    layers: list[Numbers]
    units: list[_Unit]
    limits: Numbers
    free: Numbers

    @property
    def most(self) -> int:
        """Partial assignments to keep."""
        return MOST // max(1, len(self.start) - 3)

    def rest(self, layer: int, least: bool) -> Numbers:
        """(columns,): the least, or the most, that comes to the sums after this layer."""
        later = [table.min(0) if least else table.max(0) for table in self.layers[layer + 1 :]]
        waits = [unit.gaps * (unit.least if least else unit.most) for unit in self.units if unit.layers[-1] > layer]
        total: Numbers = np.sum([np.zeros_like(self.start), *later, *waits], axis=0)
        total[self.sums :] = 0
        return total

    def joined(self, partial: Numbers, of_layer: Numbers, layer: int) -> Numbers:
        """(n * m, columns): each row of `partial` with each of `of_layer`, those of this layer."""
        sums = partial[:, None, : self.sums] + of_layer[None, :, : self.sums]
        maxima = np.maximum(partial[:, None, self.sums :], of_layer[None, :, self.sums :])
        values = np.concatenate([sums, maxima], axis=2).reshape(-1, partial.shape[1])
        for unit in self.units:
            if unit.layers[-1] == layer:
                values += values[:, unit.column, None] * unit.gaps
                values[:, unit.column] = 0
        return values

    def best(self, tables: Sequence[Table]) -> Table:
        """The rows of these tables that no other makes superfluous."""
        both = Table(np.concatenate([t.picks for t in tables]), np.concatenate([t.values for t in tables]))
        order = np.argsort(both.values[:, 0], kind="stable")
        return both.take(order[nondominated(both.values[order, 0 if self.thrifty else 1 :], self.most)])


def merged(
    problem: Problem,
    choices: Sequence[Column],
    objectives: Sequence[str],
    limits: Mapping[str, int],
    paths: Sequence[Path],
) -> Numbers | None:
    """(n, layers): assignments, among them one for each point of the front as far as the known paths tell.

    Args:
        choices: for each layer the numbers of the configurations to look at.

    Returns:
        None: there are too many.
    """
    for thrifty in (True, False):
        with suppress(TooMany):
            return _merged(problem, choices, _columns(problem, objectives, limits, paths, thrifty))
    return None


def _merged(problem: Problem, choices: Sequence[Column], columns: _Columns) -> Numbers:
    states = {_words(problem): Table(np.zeros((1, 0), np.int64), columns.start[None])}
    for number, (layer, picks) in enumerate(zip(problem.layers, choices, strict=True)):
        parts: dict[Words, list[Table]] = defaultdict(list)
        bits = np.zeros_like(layer.bits) if problem.allowed is None else layer.bits
        for words, table in states.items():
            for first in {word[0] for word in words}:
                rest = frozenset(word[1:] for word in words if word[0] == first)
                parts[rest].append(_extended(columns, number, table, picks[bits[picks] == first]))
        states = {words: columns.best(tables) for words, tables in parts.items()}
        if sum(len(table.picks) for table in states.values()) > columns.most:
            raise TooMany
    (last,) = states.values()
    return last.picks


def _words(problem: Problem) -> Words:
    allowed = np.zeros((1, len(problem.layers)), np.int64) if problem.allowed is None else problem.allowed
    return frozenset(map(tuple, allowed.tolist()))


def _extended(columns: _Columns, layer: int, table: Table, picks: Numbers) -> Table:
    """Each partial assignment with each of these configurations of the next layer, as far as limits allow.

    What fits whatever comes counts as fitting barely, where nothing but the limit counts.
    """
    most = columns.limits - columns.rest(layer, least=True)
    least = np.where(columns.free, columns.limits - columns.rest(layer, least=False), 0)
    extended = Table(np.zeros((0, table.picks.shape[1] + 1), np.int64), table.values[:0])
    rows = max(1, AT_ONCE // max(1, len(picks)))
    for start in range(0, len(table.picks), rows):
        part = table.take(np.arange(start, min(start + rows, len(table.picks))))
        values = columns.joined(part.values, columns.layers[layer][picks], layer)
        inside = np.flatnonzero((values <= most).all(1))
        before, chosen = np.divmod(inside, len(picks))
        both = Table(np.column_stack([part.picks[before], picks[chosen]]), np.maximum(values[inside], least))
        extended = columns.best([extended, both])
    return extended


def _columns(
    problem: Problem, objectives: Sequence[str], limits: Mapping[str, int], paths: Sequence[Path], thrifty: bool
) -> _Columns:
    metrics = {*objectives, *limits}
    ways = list(paths) if LATENCY in metrics else []
    sums = [UNMEASURED, *(metric for metric in AREA if metric in metrics)]
    names = [*sums, *[LATENCY] * len(ways), *[II] * (II in metrics)]
    start = [problem.base.get(metric, 0) for metric in sums] + [path.constant for path in ways]
    start += [problem.base_period] * (II in metrics)
    units = _units(problem, ways, len(sums), len(names))
    blank = [0] * len(units)
    return _Columns(
        sums=len(sums) + len(ways),
        thrifty=thrifty,
        start=np.array(start + blank),
        layers=[_layer(problem, number, names, ways, units) for number in range(len(problem.layers))],
        units=units,
        limits=np.array([limits.get(name, NEVER) for name in names] + [NEVER] * len(units)),
        free=np.array([name in limits and name not in objectives for name in names] + [False] * len(units)),
    )


def _units(problem: Problem, ways: Sequence[Path], before: int, column: int) -> list[_Unit]:
    """Units of several layers that a path waits for; `before`: columns before those of the paths."""
    units: list[_Unit] = []
    for unit in sorted({layer.unit for layer in problem.layers}):
        members = tuple(number for number, layer in enumerate(problem.layers) if layer.unit == unit)
        gaps = [path.gaps.get(unit, 0) for path in ways]
        if len(members) > 1 and any(gaps):
            least, most = (
                max(int(pick(problem.layers[number].interval)) for number in members) for pick in (np.min, np.max)
            )
            units.append(_Unit(members, column + len(units), np.array([0] * before + gaps), least, most))
    return [replace(unit, gaps=np.pad(unit.gaps, (0, column + len(units) - len(unit.gaps)))) for unit in units]


def _layer(problem: Problem, number: int, names: Sequence[str], ways: Sequence[Path], units: list[_Unit]) -> Numbers:
    """(configurations, columns) of a layer."""
    layer = problem.layers[number]
    alone = sum(other.unit == layer.unit for other in problem.layers) == 1
    columns = [additive(layer, name) for name in names if name not in (LATENCY, II)]
    for path in ways:
        columns.append(path.times[number] * layer.latency + alone * path.gaps.get(layer.unit, 0) * layer.interval)
    columns += [layer.period] * (II in names)
    columns += [layer.interval * (number in unit.layers) for unit in units]
    return np.stack(columns, axis=1)
