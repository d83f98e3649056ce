"""Tables as CSV for spreadsheets.

In: a head and rows. Out: text. A spreadsheet takes a cell that begins with `=`, `+`, `-` or `@` for a formula and runs
it, and names in reports come from files of others. Such text gets an apostrophe before it, which spreadsheets show as
text. Numbers are written as they are.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

FORMULA = ("=", "+", "-", "@", "\t", "\n")


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """The rows under their head; None is an empty cell."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(head)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return stream.getvalue()


def _cell(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = value.replace("\r\n", "\n").replace("\r", "\n")  # a carriage return alone would end the row, unquoted
    return f"'{text}" if text.startswith(FORMULA) else text
