"""Samples in tables: CSV and Parquet files with one sample a row, one column of which is the class.

In: the path of a file, the name of the class column, and the columns to take as features. Out: `x`, float64, `y`, and
where the classes are texts, `labels`: their names in sorted order, in which they are numbered from 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flows.errors import DataError

SUFFIXES = (".csv", ".parquet")
"""Files that are tables."""

LABELS = ("y", "label", "class")
"""Columns that hold the class where the project names none."""


def read_table(path: Path, label: str | None, features: Sequence[str]) -> dict[str, NDArray[Any]]:
    """The arrays of a table.

    Args:
        label: column of the class; None: the only one of `LABELS` there is.
        features: columns to take, in this order; none: all others, in the file's order.
    Raises:
        DataError: missing, damaged, without such columns, or with values that are missing or no numbers.
    """
    table = _read(path)
    if len(set(table.column_names)) < len(table.column_names):
        raise DataError(f"{path} has two columns of one name: {_listed(table)}", "give each column its own name")
    target = _label(table, label, path)
    chosen = list(features) or [name for name in table.column_names if name != target]
    unknown = [name for name in chosen if name not in table.column_names or name == target]
    if unknown or not chosen:
        raise DataError(
            f"{path} has no feature column {', '.join(map(repr, unknown)) or 'at all'}; columns: {_listed(table)}",
            "correct data.features: columns of the file other than that of the class",
        )
    if not table.num_rows:
        raise DataError(f"{path} has no rows", "correct the data file")
    x = np.stack([_numbers(table, name, path) for name in chosen], 1)
    return {"x": x, **_classes(table, target, path)}


def _read(path: Path) -> Any:
    import pyarrow
    from pyarrow import csv, parquet

    try:
        if path.suffix == ".parquet":
            return parquet.ParquetFile(path).read()
        return csv.read_csv(path, csv.ReadOptions(use_threads=False))  # with threads, errors name no row
    except FileNotFoundError:
        raise DataError(
            f"the data file {path} does not exist", "correct data.source, or name a set in data.fallback"
        ) from None
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        what = path.suffix.removeprefix(".")
        raise DataError(f"{path} is not a readable {what} file: {error}", "write the file again") from error


def _label(table: Any, label: str | None, path: Path) -> str:
    found = [name for name in ([label] if label else LABELS) if name in table.column_names]
    if len(found) == 1:
        return found[0]
    what = f"no column '{label}'" if label else f"{len(found) or 'no'} columns named {' or '.join(LABELS)}"
    raise DataError(f"{path} has {what}; columns: {_listed(table)}", "set data.label to the column of the class")


def _listed(table: Any) -> str:
    return ", ".join(table.column_names)


def _numbers(table: Any, name: str, path: Path) -> NDArray[np.float64]:
    """A feature column."""
    from pyarrow import types

    column = table[name]
    _check_complete(column, name, path)
    if not (types.is_integer(column.type) or types.is_floating(column.type) or types.is_boolean(column.type)):
        raise DataError(
            f"{path}: column '{name}' holds {column.type} values, no numbers{_first_text(column)}",
            "correct the file, or choose numeric columns by data.features",
        )
    values = np.asarray(column.to_numpy(), np.float64)
    if not np.isfinite(values).all():
        row = int(np.flatnonzero(~np.isfinite(values))[0]) + 1
        raise DataError(f"{path}: column '{name}' is NaN or infinite in row {row}", "correct the file")
    return values


def _first_text(column: Any) -> str:
    for row, value in enumerate(column.to_pylist(), 1):
        try:
            float(value)
        except (TypeError, ValueError):
            return f"; the first is {value!r} in row {row}"
    return ""


def _check_complete(column: Any, name: str, path: Path) -> None:
    if column.null_count:
        row = column.is_null().to_pylist().index(True) + 1
        raise DataError(
            f"{path}: column '{name}' lacks {column.null_count} values, the first in row {row}",
            "fill them in, or leave their rows or the column out",
        )


def _classes(table: Any, name: str, path: Path) -> dict[str, NDArray[Any]]:
    """Class numbers, and the names of classes that are texts."""
    from pyarrow import types

    column = table[name]
    if types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if not (types.is_string(column.type) or types.is_large_string(column.type)):
        return {"y": _numbers(table, name, path)}
    _check_complete(column, name, path)
    texts = column.to_pylist()
    if "" in texts:
        raise DataError(f"{path}: column '{name}' has no class in row {texts.index('') + 1}", "correct the file")
    labels, numbers = np.unique(np.array(texts), return_inverse=True)
    return {"y": numbers.astype(np.int64), "labels": labels}
