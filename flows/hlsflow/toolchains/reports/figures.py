"""What stands in the cells of reports, as numbers.

In: the text of a cell, such as `5.220 us`, `1094 (~0%)` or `?`. Out: numbers in the units of
`hlsflow.core.metrics.UNITS`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

NANOSECONDS: Mapping[str, Decimal] = {
    "": Decimal(1),
    "ps": Decimal("0.001"),
    "ns": Decimal(1),
    "us": Decimal(1000),
    "ms": Decimal(1_000_000),
    "s": Decimal(1_000_000_000),
    "sec": Decimal(1_000_000_000),
}
"""Units of times in HLS reports, which choose one for each cell; a bare number is in ns."""

TIME = re.compile(r"(\d+(?:\.\d+)?(?:e[+-]?\d+)?)\s*([a-z]*)")
COUNT = re.compile(r"(\d+)(?:\s*\((?:~|<)?\d+(?:\.\d+)?%\))?")
"""A count, and perhaps its share of the part."""

RANGE = re.compile(r"(\d+)(?:\s*~\s*(\d+))?")

Range = tuple[float | None, str]
"""The larger end of a range and a note; no value, and the reason, where the tool could not tell."""


def nanoseconds(cell: str) -> float | None:
    """A time in ns, whatever its unit; None when it is none."""
    match = TIME.fullmatch(cell.strip().lower())
    if match is None or match.group(2) not in NANOSECONDS:
        return None
    return float(Decimal(match.group(1)) * NANOSECONDS[match.group(2)])


def count(cell: str) -> float | None:
    """A whole number, with or without a share in per cent behind it; None when it is none."""
    match = COUNT.fullmatch(cell.strip())
    return float(match.group(1)) if match else None


def cycles(least: str, most: str) -> Range:
    """The worst of two counts of cycles, and a note when they differ or the tool could not tell."""
    least, most = least.strip(), most.strip()
    if not (least.isdecimal() and most.isdecimal()):
        return None, f"the report says '{least}' to '{most}': it depends on the data"
    return float(most), "" if least == most else f"{least} to {most} cycles, depending on the data"


def absolute(least: str, most: str) -> Range:
    """The same for two times, in ns."""
    low, high = nanoseconds(least), nanoseconds(most)
    if low is None or high is None:
        return None, f"the report says '{least.strip()}' to '{most.strip()}': it depends on the data"
    return high, "" if low == high else f"{least.strip()} to {most.strip()}, depending on the data"


def interval(cell: str) -> Range:
    """A count of cycles that may be a range in one cell, such as `2 ~ 4`."""
    match = RANGE.fullmatch(cell.strip())
    return cycles(match.group(1), match.group(2) or match.group(1)) if match else cycles(cell, cell)
