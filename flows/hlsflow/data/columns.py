"""Samples from tables: CSV and Parquet files, a row for each sample, a column for each feature and one for the class.

In: the path of a file, and which columns are meant. Out: `x` and, where there are classes, `y`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hlsflow.core import foreign
from hlsflow.core.errors import DataError
from hlsflow.project.errors import nearest

ABSENT = "correct data.source, or name a set in data.fallback"
"""What to do where the file is not there."""

LABELS = ("y", "label", "class")
"""Columns that hold the class where none is named, the first that is there."""


def read_columns(
    path: Path, label: str | None, features: Sequence[str], targets: Sequence[str] = (), weight: str | None = None
) -> Mapping[str, NDArray[Any]]:
    """The samples of a table.

    Args:
        path: `.csv`, with names in its first line, or `.parquet`.
        label: column of the class, numbers or texts, which are numbered in alphabetical order; None: one of `LABELS`.
        features: columns in the order in which they enter the network; empty: all others in the file's order.
        targets: columns of what is right where that is several numbers or labels, in place of `label`.
        weight: column of how much each sample counts.
    Returns:
        `x` (rows, features) as float64, `features`, the names of its columns, `y` (rows,) unless there is no class,
        and of texts `labels`, by number; of targets `y` (rows, targets) as float64; `weight` (rows,) under its own
        name.
    Raises:
        DataError: missing, damaged, without a column that is named, or with features that are no numbers.
    """
    wrong = f"is not a readable {path.suffix[1:]} file"
    kind = foreign.Kind("the data file", wrong, "correct the file", absent=ABSENT)
    foreign.require_file(path, kind)
    with foreign.reading(path, kind):
        return _columns(_read(path), path, label, features, targets, weight)


def _columns(
    table: Any, path: Path, label: str | None, features: Sequence[str], targets: Sequence[str], weight: str | None
) -> Mapping[str, NDArray[Any]]:
    """Those of a table that are meant."""
    names = table.column_names
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(f"{path} has more than one column '{twice[0]}'", "give each column a name of its own")
    own = [*targets, *([weight] if weight else [])]
    for name in (*features, *([label] if label else []), *own):
        if name not in names:
            raise DataError(
                f"{path} has no column '{name}'{nearest(name, names)}", f"its columns: {', '.join(names) or 'none'}"
            )
    taken = (*features, *own)
    label = label or next((name for name in LABELS if name in names and name not in taken and not targets), None)
    chosen = list(features) or [name for name in names if name != label and name not in own]
    if not chosen or not table.num_rows:
        raise DataError(f"{path} has {table.num_rows} rows of {len(chosen)} features", "correct the data file")
    arrays = {"x": np.stack([_numbers(table[name], name, path) for name in chosen], 1), "features": np.array(chosen)}
    if weight:
        arrays[weight] = _numbers(table[weight], weight, path)
    if targets:
        return {**arrays, "y": np.stack([_numbers(table[name], name, path) for name in targets], 1)}
    return arrays if label is None else {**arrays, **_classes(table[label], label, path)}


def _read(path: Path) -> Any:
    """The table of a file."""
    from pyarrow import csv, parquet

    return csv.read_csv(path) if path.suffix == ".csv" else parquet.read_table(path, partitioning=None)


def _numbers(column: Any, name: str, path: Path) -> NDArray[np.float64]:
    """(rows,): a feature."""
    import pyarrow

    _check_complete(column, name, path)
    kind = column.type
    if not (pyarrow.types.is_integer(kind) or pyarrow.types.is_floating(kind) or pyarrow.types.is_boolean(kind)):
        raise DataError(
            f"{path}: column '{name}' holds {kind}, not numbers",
            f"if it is the class, name it: --label {name} (data.label); if it is no feature, name those that are: "
            "--features A,B (data.features)",
        )
    values: NDArray[np.float64] = column.to_numpy().astype(np.float64)
    return values


def _classes(column: Any, name: str, path: Path) -> Mapping[str, NDArray[Any]]:
    """Numbers as they are; texts by their places in alphabetical order, and the texts in that order."""
    import pyarrow

    _check_complete(column, name, path)
    values: NDArray[Any] = column.to_numpy()
    if pyarrow.types.is_floating(column.type) or pyarrow.types.is_integer(column.type):
        return {"y": values}
    labels, numbers = np.unique(values.astype(str), return_inverse=True)
    return {"y": numbers, "labels": labels}


def _check_complete(column: Any, name: str, path: Path) -> None:
    if column.null_count:
        row = int(np.flatnonzero(column.is_null().to_numpy())[0])
        raise DataError(
            f"{path}: column '{name}' has {column.null_count} empty places, the first in row {row + 1} of the data",
            "fill them, or leave those rows out",
        )
