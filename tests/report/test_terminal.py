"""Tables on a terminal: nothing is lost, nothing is wider than the terminal, what never changes is said once."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from hlsflow.report.document import Figure, Lines, Section, Table, Text, row
from hlsflow.report.terminal import drawn, folded, pieces


def lut(value: float | None) -> Figure:
    return Figure("R16", "lut", value, "LUT", "synth", "yosys", "0.70", "xc7", "a.log")


def wide(columns: int) -> Table:
    head = tuple(f"column {number}" for number in range(columns))
    return Table(head, tuple(row(*(f"{line}.{number}" for number in range(columns))) for line in range(3)), ("a note",))


def shown(*blocks: Table | Section | Lines | Text, width: int = 80, encoding: str = "utf-8") -> list[str]:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="backslashreplace")
    Console(file=stream, width=width, force_terminal=False).print(drawn(*blocks))
    stream.flush()
    return stream.buffer.getvalue().decode(encoding).splitlines()  # type: ignore[attr-defined]


@pytest.mark.parametrize("width", [40, 80, 120])
def test_a_wide_table_is_cut_between_columns_and_every_cell_is_there(width: int) -> None:
    lines = shown(wide(30), width=width)
    assert max(map(len, lines)) <= width
    words = " ".join(lines).split()
    assert all(f"{line}.{number}" in words for line in range(3) for number in range(30))
    parts = len(pieces(wide(30), width))
    assert parts > 1
    assert words.count("0.0") == parts


def test_a_table_that_fits_is_one() -> None:
    assert pieces(wide(4), 80) == [wide(4)]


def test_what_is_the_same_in_every_row_is_said_once() -> None:
    table = Table(("point", "BRAM", "empty", "LUT"), (row("R1", "0", "", lut(12)), row("R2", "0", "", lut(None))))
    rest, said = folded(table)
    assert rest.head == ("point", "LUT")
    assert said == "BRAM 0"
    lines = shown(table)
    assert lines[2].split() == ["R1", "12"]
    assert lines[3].split() == ["R2", "missing"]
    assert lines[4] == "  in every row: BRAM 0"


def test_a_single_row_and_equal_rows_stay() -> None:
    for table in (Table(("a", "b"), (row("1", "2"),)), Table(("a", "b"), (row("1", "2"), row("2", "2")))):
        assert folded(table) == (table, "")


def test_headings_are_wrapped_and_numbers_are_not() -> None:
    rows = (row("R1", 1_234_567.0), row("R2", 2.0))
    lines = shown(Table(("point", "latency (ns at the clock asked, not measured)"), rows), width=40)
    assert "1,234,567" in lines[-3]
    text = " ".join(word for line in lines for word in line.split() if word not in ("point", "R1"))
    assert "latency (ns at the clock asked, not measured)" in text


def test_sections_lists_and_paragraphs_keep_their_order() -> None:
    lines = shown(Section("Title", (Lines(("one", "two")), Text("[red] is no colour"))))
    assert [line for line in lines if line] == ["Title", "- one", "- two", "[red] is no colour"]


def test_a_terminal_without_unicode_gets_ascii() -> None:
    assert all(line.isascii() for line in shown(wide(3), encoding="ascii"))


def test_words_are_wrapped_before_a_table_is_cut() -> None:
    words = "word " * 20
    table = Table(("a", "b", "c"), (row("1", words, words), row("2", words + "x", "other")))
    assert pieces(table, 72) == [table]
    lines = shown(table, width=72)
    assert max(map(len, lines)) <= 72
    assert " ".join(lines).split().count("word") == 60
