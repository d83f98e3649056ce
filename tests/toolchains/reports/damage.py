"""What every reader of reports must do with a file that is not whole: one error, and never a figure of its own.

In: a reader and a sound report. Out: assertions.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hlsflow.core.errors import DataError
from hlsflow.toolchains.reports import Report

Read = Callable[[Path], Report]
CUTS = 300


def copied(file: Path, folder: Path) -> Path:
    """A copy of a report, in a folder with what lies beside the original."""
    for neighbour in file.parent.iterdir():
        (folder / neighbour.name).write_bytes(neighbour.read_bytes())
    return folder / file.name


def assert_no_half_figures(read: Read, report: Path, folder: Path) -> None:
    """However the file is cut short, it is refused, or says the same as the whole one; two in one are refused."""
    file = copied(report, folder)
    whole, content = _said(read(file)), file.read_bytes()
    refused, ends = 0, range(0, len(content), -(-len(content) // CUTS))
    for end in ends:
        file.write_bytes(content[:end])
        found = _attempt(read, file)
        assert found in (None, whole), f"cut after {end} bytes"
        refused += found is None
    assert refused > len(ends) / 3
    file.write_bytes(content + content)
    assert _attempt(read, file) is None


def assert_refused(read: Read, report: Path, folder: Path) -> None:
    """Refuse what is empty, binary, something else, absent, or far larger than any report."""
    file = copied(report, folder)
    for content in (b"", b" \n", b"\x00\x01" * 400, b"<html>not found</html>\n", b"[1, 2", b"{}\n", b"[" * 100_000):
        file.write_bytes(content)
        assert _attempt(read, file) is None
    file.unlink()
    assert _attempt(read, file) is None
    with file.open("wb") as stream:
        stream.truncate(100 * 2**20)  # sparse: it takes no room
    with pytest.raises(DataError, match="has 100 MB"):
        read(file)


def assert_refused_when(read: Read, report: Path, folder: Path, old: str, new: str) -> None:
    """Refuse a report in which the first such text is replaced."""
    file = copied(report, folder)
    content = file.read_text(encoding="utf-8")
    assert old in content
    file.write_text(content.replace(old, new, 1), encoding="utf-8")
    assert _attempt(read, file) is None


def _attempt(read: Read, file: Path) -> object:
    """What the report says, or None after one error that names the file."""
    try:
        return _said(read(file))
    except DataError as error:
        refusal = error
    assert str(file) in refusal.message
    assert refusal.hint
    return None


def _said(report: Report) -> object:
    return report.tool, report.version, report.part, report.top, report.clock_ns, report.metrics, report.layers
