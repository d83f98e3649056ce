"""The text of a report file, and the tables drawn in it.

In: a file. Out: `Text`, its lines with their numbers, and `Box`, a table drawn with `+---+` rules, as the tools of AMD
write them. A file that is absent, empty, binary, larger than any report, or that ends within a table is a `DataError`.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hlsflow.core import foreign
from hlsflow.core.errors import DataError
from hlsflow.toolchains.reports.report import UNKNOWN

LIMIT_BYTES = 32 * 2**20
"""No report is larger: those of designs that fill the largest parts have a few MB."""

HEAD_BYTES = 4096
"""As much of a file as is looked at to know what it is."""

AGAIN = "run the tool again, or remove the file"
RULE = re.compile(r"\+(?:-+\+)+")
BINARY = re.compile(r"[\x00-\x08\x0e-\x1f]")
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


@dataclass(frozen=True)
class Text:
    """The lines of a report; line numbers start at 1.

    Attributes:
        file: the report.
        name: how sources name it: relative to the root that was given.
        kind: what it is meant to be, such as `csynth report`, for messages.
        lines: its lines, without what ends them.
    """

    file: Path
    name: str
    kind: str
    lines: tuple[str, ...]

    def at(self, line: int) -> str:
        """The source of a figure on that line."""
        return f"{self.name}:{line}"

    def damaged(self, what: str, line: int | None = None) -> DataError:
        """The error to raise: `what` says what is wrong with the file."""
        where = self.file if line is None else f"{self.file}, line {line}"
        return DataError(f"{self.kind} {where}: {what}", AGAIN)

    def find(self, pattern: str, what: str, start: int = 1) -> tuple[int, re.Match[str]]:
        """The first line from `start` on that the pattern is found in, with its match.

        Args:
            what: stands there, in words for the message.
        Raises:
            DataError: there is none.
        """
        place = self.search(pattern, start)
        if place is None:
            raise self.damaged(f"has no {what}: it ends early, or is of an unknown format")
        return place

    def search(self, pattern: str, start: int = 1) -> tuple[int, re.Match[str]] | None:
        """As `find`, but None where there is none."""
        wanted = re.compile(pattern)
        for index in range(start - 1, len(self.lines)):
            match = wanted.search(self.lines[index])
            if match:
                return index + 1, match
        return None

    def number(self, text: str, line: int) -> float:
        """A number that stands on that line; raises DataError on anything else."""
        if not NUMBER.fullmatch(text.strip()):
            raise self.damaged(f"'{text.strip()}' stands where a number is due", line)
        return float(text)

    def box_under(self, line: int) -> Box | None:
        """The table that begins at the first line with text after `line`; None when something else does."""
        for index in range(line, len(self.lines)):
            if self.lines[index].strip():
                return _box(self, index) if RULE.fullmatch(self.lines[index].strip()) else None
        return None

    def boxes(self, first: str = "") -> Iterator[Box]:
        """All tables, in order, or those whose first column has that name; raises DataError when one is damaged."""
        for index in self._tables():
            if not first or self.lines[index + 1].strip("| ").startswith(first):
                yield _box(self, index)

    def require_closed(self) -> None:
        """Raises DataError when a table does not end; what stands in the tables does not matter."""
        for _ in self._tables():
            pass

    def _tables(self) -> Iterator[int]:
        """The index of the first line of each table."""
        index = 0
        while index < len(self.lines):
            if self.lines[index].lstrip().startswith("+-"):
                yield index
                index = _end(self, index)
            index += 1


@dataclass(frozen=True)
class Row:
    """A row of a table: its line, and its cells as they stand there, with the spaces around them."""

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Box:
    """A table.

    Attributes:
        text: the report it stands in.
        line: where it begins.
        end: its last line.
        head: the columns' names; a cell that spans several columns is part of the name of each.
        rows: what is below the head.
        titles: the rows of the head; all there is in a table without one.
    """

    text: Text
    line: int
    end: int
    head: tuple[str, ...]
    rows: tuple[Row, ...]
    titles: tuple[Row, ...]

    def column(self, *names: str) -> int:
        """The first of these columns that the table has; raises DataError when it has none of them."""
        for name in names:
            if name in self.head:
                return self.head.index(name)
        raise self.text.damaged(f"the table has no column '{' or '.join(names)}'", self.line)

    def rows_of(self, pattern: str) -> list[Row]:
        """The rows whose first cell the pattern matches from end to end."""
        return [row for row in self.rows if re.fullmatch(pattern, row.cells[0].strip())]

    def row(self, pattern: str, what: str) -> Row:
        """The first of these rows; raises DataError when there is none, with `what` as its name."""
        for row in self.rows_of(pattern):
            return row
        raise self.text.damaged(f"the table has no row '{what}'", self.line)


def read_text(file: Path, kind: str, root: Path | None = None) -> Text:
    """The lines of a report.

    Args:
        file: the report.
        kind: what it is meant to be, such as `csynth report`, for messages.
        root: folder that sources are told relative to; by default the file's own.
    Raises:
        DataError: it is absent, empty, binary or larger than any report.
    """
    content = read_bytes(file, kind).decode("utf-8", errors="replace")
    if BINARY.search(content):
        raise DataError(f"{kind} {file} is no text file", AGAIN)
    return Text(file, relative(file, root), kind, tuple(content.splitlines()))


def read_bytes(file: Path, kind: str) -> bytes:
    """The bytes of a report; raises DataError as `read_text` does."""
    content = foreign.content(file, kind_of(kind))
    if not content.strip():
        raise DataError(f"{kind} {file} is empty", AGAIN)
    return content


def top_of(file: Path, suffix: str) -> str:
    """The top that a report's name tells before that suffix; `UNKNOWN` where the file has a name of the user's own."""
    return file.stem.removesuffix(suffix) if file.stem.endswith(suffix) else UNKNOWN


def kind_of(kind: str) -> foreign.Kind:
    """A kind of report, as those who read files of others have it."""
    return foreign.Kind(kind, "is damaged", AGAIN, DataError, LIMIT_BYTES)


def relative(file: Path, root: Path | None) -> str:
    """How a source names a file: relative to the root where it lies within it, else by its name."""
    inside = root is not None and file.is_relative_to(root)
    return file.relative_to(root).as_posix() if inside and root is not None else file.name


def _end(text: Text, start: int) -> int:
    """The index of the last line of a table, which must be a rule as long as its first one."""
    end = start
    while end + 1 < len(text.lines) and text.lines[end + 1].lstrip().startswith(("+", "|")):
        end += 1
    first, last = text.lines[start].strip(), text.lines[end].strip()
    if end == start or len(first) != len(last) or not (RULE.fullmatch(first) and RULE.fullmatch(last)):
        raise text.damaged("the table does not end: the file was cut short or is damaged", end + 1)
    return end


def _box(text: Text, start: int) -> Box:
    """The table whose first rule is the line of that index."""
    end = _end(text, start)
    lines = [text.lines[index].strip() for index in range(start, end + 1)]
    rules = [index for index, line in enumerate(lines) if RULE.fullmatch(line)]
    if any(len(line) != len(lines[0]) for line in lines):
        raise text.damaged("the lines of the table differ in their length: the file is damaged", start + 1)
    head = lines[1 : rules[1]]
    edges = _edges(head[-1]) if head else ()
    body = [(start + index + 1, line) for index, line in enumerate(lines) if index > rules[1] and line[0] == "|"]
    if any(line[edge] != "|" for _, line in body for edge in edges):
        raise text.damaged("the columns of the table do not stand below their names: the file is damaged", start + 1)
    rows = tuple(Row(number, _between(line, edges)) for number, line in body)
    titles = tuple(Row(start + 2 + index, _cells(line)) for index, line in enumerate(head) if line[0] == "|")
    return Box(text, start + 1, end + 1, _head(head, edges), rows, titles)


def _cells(line: str) -> tuple[str, ...]:
    return tuple(line.strip("|").split("|"))


def _between(line: str, edges: Sequence[int]) -> tuple[str, ...]:
    """The cells between the edges of the head: a cell may hold `|`, as `||||||->` between the dies of a device does."""
    return tuple(line[left + 1 : right] for left, right in itertools.pairwise(edges))


def _edges(line: str) -> Sequence[int]:
    return [index for index, char in enumerate(line) if char == "|"]


def _head(lines: Sequence[str], edges: Sequence[int]) -> tuple[str, ...]:
    """The names of the columns between `edges`: in each line the cell that covers the column."""
    names = []
    for left, right in itertools.pairwise(edges):
        words = (_covering(line, left, right).strip(" -") for line in lines)
        names.append(" ".join(word for word in words if word))
    return tuple(names)


def _covering(line: str, left: int, right: int) -> str:
    """The cell of a line of the head that covers a column."""
    start = max(index for index in range(left + 1) if line[index] in "|+")
    end = min(index for index in range(right, len(line)) if line[index] in "|+")
    return line[start + 1 : end]
