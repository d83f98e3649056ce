"""Rows that no other makes superfluous, against comparing each with each."""

from __future__ import annotations

import numpy as np
import pytest

from hlsflow.explore.dominance import TooMany, nondominated


@pytest.mark.parametrize("columns", [1, 2, 3, 4, 5, 7])
@pytest.mark.parametrize("values", [1, 3, 12, 500])
def test_what_is_kept_is_what_nothing_dominates(columns: int, values: int) -> None:
    rng = np.random.default_rng(columns * values)
    for rows in (1, 2, 40, 300):
        table = rng.integers(0, values, (rows, columns))
        kept = nondominated(table)
        alive = [row for row in table if not ((table <= row).all(1) & (table < row).any(1)).any()]
        assert sorted(map(tuple, table[kept].tolist())) == sorted({tuple(row.tolist()) for row in alive})
        assert all(int(np.flatnonzero((table == table[row]).all(1))[0]) == row for row in kept)


def test_nothing_is_kept_of_nothing() -> None:
    assert nondominated(np.zeros((0, 3), np.int64)).tolist() == []


@pytest.mark.parametrize("columns", [2, 3, 5])
def test_more_rows_than_asked_for_are_refused(columns: int) -> None:
    rising = np.arange(200)
    table = np.stack([rising, *[-rising] * (columns - 1)], axis=1)
    assert len(nondominated(table, 200)) == 200
    with pytest.raises(TooMany):
        nondominated(table, 199)
