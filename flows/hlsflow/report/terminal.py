"""Tables and sections as a terminal shows them: as wide as it is, without what is the same in every row.

In: the blocks of `hlsflow.report.document`. Out: what `rich` draws. Files, pipes and logs get what
`hlsflow.report.markdown` writes, which is never cut.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from rich.box import SIMPLE_HEAD
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table as Drawing
from rich.text import Text as Words

from hlsflow.report.document import Block, Cell, Lines, Section, Table, Text, Tone
from hlsflow.report.markdown import lines

LONGEST = (36, 28, 20)
"""Characters of a column of words, longer ones are wrapped: the first with which the table fits, or else the first."""

GAP = 3
"""Characters between columns."""

COLOURS: dict[Tone, str] = {"": "", "good": "green", "warn": "yellow", "bad": "red"}
"""Tone → colour."""


def drawn(*blocks: Section | Block) -> Group:
    """Sections and blocks below each other; pictures are left out, since tables say the same."""
    return Group(*(part for block in blocks for part in _parts(block)))


def _parts(block: Section | Block) -> Iterator[RenderableType]:
    if isinstance(block, Section):
        shown = [part for inner in block.blocks for part in _parts(inner)]
        if shown:
            yield from (Words(f"{block.title}\n", style="bold"), *shown)
    elif isinstance(block, Table):
        yield _Fitted(block)
        yield Words("")
    elif isinstance(block, Lines | Text):
        yield Words((lines(block.items) if isinstance(block, Lines) else block.text) + "\n")


class _Fitted:
    """A table that is drawn when the width is known."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        table, same = folded(self._table)
        longest = longest_that_fits(table, options.max_width)
        yield from (_drawing(piece, longest) for piece in pieces(table, options.max_width))
        if same:
            yield Words(f"  in every row: {same}")
        for note in table.notes:
            yield Words(f"  {note}")


def folded(table: Table) -> tuple[Table, str]:
    """The table without columns that say the same in every row, and what these say; the first column stays.

    Columns without a word in them are left out. A table of one row stays as it is.
    """
    if len(table.rows) < 2:
        return table, ""
    same = [len({row[place].text for row in table.rows}) == 1 for place in range(len(table.head))]
    same[0] = False
    said = [
        f"{' '.join(name.split())} {table.rows[0][place].text}"
        for place, name in enumerate(table.head)
        if same[place] and table.rows[0][place].text
    ]
    if all(same[1:]):  # nothing would be left to be read
        return table, ""
    places = [place for place in range(len(table.head)) if not same[place]]
    return _columns(table, places), "; ".join(said)


def pieces(table: Table, width: int) -> list[Table]:
    """The table, cut between columns into as many as it takes to fit; each begins with the first column."""
    widths = _widths(table, longest_that_fits(table, width))
    cuts, used = [1], widths[0]
    for place in range(1, len(widths)):
        if used + widths[place] > width and place > cuts[-1]:
            cuts.append(place)
            used = widths[0]
        used += widths[place]
    return [_columns(table, [0, *range(*cut)]) for cut in pairwise([*cuts, len(widths)])]


def longest_that_fits(table: Table, width: int) -> int:
    """At how many characters words are wrapped."""
    return next((longest for longest in LONGEST if sum(_widths(table, longest)) <= width), LONGEST[0])


def _widths(table: Table, longest: int) -> list[int]:
    return [column_width(table, place, longest) + GAP for place in range(len(table.head))]


def column_width(table: Table, place: int, wrapped: int) -> int:
    """Characters that a column takes: numbers are never wrapped, words and headings between words."""
    cells = [row[place] for row in table.rows]
    heading = max(_longest_word([table.head[place]]), min(len(table.head[place]), 12))
    if _numeric(cells):
        return max([heading, *(len(cell.text) for cell in cells)])
    longest = max((len(cell.text) for cell in cells), default=0)
    return max(heading, min(longest, max(wrapped, _longest_word([cell.text for cell in cells]))))


def _longest_word(texts: Sequence[str]) -> int:
    return max((len(word) for text in texts for word in text.split()), default=0)


def _numeric(cells: Sequence[Cell]) -> bool:
    return any(cell.order is not None for cell in cells) and all(len(cell.text) < LONGEST[0] for cell in cells)


def _columns(table: Table, places: Sequence[int]) -> Table:
    rows = tuple(tuple(row[place] for place in places) for row in table.rows)
    return Table(tuple(table.head[place] for place in places), rows, table.notes)


def _drawing(table: Table, longest: int) -> Drawing:
    drawing = Drawing(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1), show_edge=False, header_style="bold")
    for place, name in enumerate(table.head):
        right = place > 0 and _numeric([row[place] for row in table.rows])
        width = column_width(table, place, longest)
        drawing.add_column(Words(name), justify="right" if right else "left", width=width, overflow="fold")
    for row in table.rows:
        drawing.add_row(*(Words(cell.text, style=COLOURS[cell.tone]) for cell in row))
    return drawing
