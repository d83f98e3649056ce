"""Which rows of a table no other row makes superfluous.

In: whole numbers, a row for each candidate, all to be as small as possible. Out: the numbers of the rows to keep.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]

LEVELS = 8
"""With at most so many different values in a column of four or more, rows are compared level by level."""

BLOCK = 64
"""Rows compared with all others at a time."""


class TooMany(Exception):
    """More rows would be kept than was asked for."""


def nondominated(table: Numbers, most: int | None = None) -> Numbers:
    """Numbers of the rows of which no other is less in one column and greater in none; of equal rows the first.

    Args:
        table: (rows, columns).
        most: rows to keep; None: any number.

    Returns:
        (kept,): in no particular order.

    Raises:
        TooMany: there are more than `most`. Found out early, where it would take long.
    """
    if not len(table):
        return np.arange(0)
    counts = np.array([len(np.unique(column)) for column in table.T])
    columns = table[:, np.argsort(counts, kind="stable")][:, np.sort(counts) > 1]
    order = np.lexsort(columns.T[::-1]) if columns.size else np.arange(1)
    different = np.r_[True, (np.diff(columns[order], axis=0) != 0).any(1)]
    order = order[different]
    front = _kept(columns[order], len(order) if most is None else most)
    if most is not None and len(front) > most:
        raise TooMany
    return order[front]


def _kept(rows: Numbers, most: int) -> Numbers:
    """The same of rows in lexicographic order, all different."""
    if rows.shape[1] <= 1:
        return np.arange(1)
    if rows.shape[1] == 2:
        best = np.minimum.accumulate(rows[:, 1])
        return np.flatnonzero(np.r_[True, rows[1:, 1] < best[:-1]])
    starts = np.flatnonzero(np.r_[True, np.diff(rows[:, 0]) > 0])
    by_levels = rows.shape[1] == 3 or len(starts) <= LEVELS
    return _by_levels(rows, starts, most) if by_levels else _by_blocks(rows, most)


def _by_levels(rows: Numbers, starts: Numbers, most: int) -> Numbers:
    """Rows with one value of the first column after the other: only those before and beside can dominate them."""
    front, fronts = np.arange(0), []
    for level in np.split(np.arange(len(rows)), starts[1:]):
        both = np.concatenate([front, level])
        front = both[nondominated(rows[both, 1:], most)]
        fronts.append(front[front >= level[0]])
    return np.concatenate(fronts)


def _by_blocks(rows: Numbers, most: int) -> Numbers:
    """Those with the least sum first, which nothing after them dominates and which dominate much."""
    scaled = (rows / np.maximum(np.ptp(rows, axis=0), 1)).sum(1)
    left = np.argsort(scaled, kind="stable")
    fronts: list[Numbers] = []
    columns = np.ascontiguousarray(rows[left].T)
    while len(left):
        if sum(map(len, fronts)) > most:
            raise TooMany
        head = columns[:, :BLOCK]
        better = (head[:, :, None] <= head[:, None, :]).all(0)
        first = np.flatnonzero(better.sum(0) == 1)
        fronts.append(left[first])
        stays = np.flatnonzero(~_beaten(columns, head[:, first]))
        left, columns = left[stays], columns[:, stays]
    return np.concatenate(fronts)


def _beaten(columns: Numbers, by: Numbers) -> NDArray[np.bool_]:
    """(n,): which of (columns, n) is nowhere less than one of (columns, m)."""
    beaten = np.zeros(columns.shape[1], dtype=bool)
    for row in by.T:
        worse = columns[0] >= row[0]
        for column, value in zip(columns[1:], row[1:], strict=True):
            worse &= column >= value
        beaten |= worse
    return beaten
