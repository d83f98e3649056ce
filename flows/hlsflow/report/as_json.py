"""Documents and tables as plain JSON values, with all that is known of each figure.

In: what `hlsflow.report.document` holds. Out: dictionaries and lists. A missing figure is null, and its note says why.
Pictures are left out, since tables say the same.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from hlsflow.report.document import Block, Cell, Document, Lines, Table, Text

SCHEMA_VERSION = 1


def document(whole: Document) -> dict[str, Any]:
    """A document: its sections in reading order, and the blocks of each."""
    sections = [
        {"title": section.title, "blocks": [told for block in section.blocks if (told := _block(block))]}
        for section in whole.sections
    ]
    return {"schema": SCHEMA_VERSION, "title": whole.title, "kind": whole.kind, "sections": sections}


def _block(block: Block) -> dict[str, Any]:
    if isinstance(block, Table):
        return table(block)
    if isinstance(block, Lines):
        return {"lines": list(block.items)}
    return {"text": block.text} if isinstance(block, Text) else {}


def table(block: Table) -> dict[str, Any]:
    """A table: its headings, its rows of cells, and its notes."""
    return {
        "columns": list(block.head),
        "rows": [[_cell(cell) for cell in row] for row in block.rows],
        "notes": list(block.notes),
    }


def _cell(cell: Cell) -> dict[str, Any]:
    """What is read, and the figure that it shows where it shows one."""
    return {"text": cell.text} | ({"figure": asdict(cell.figure)} if cell.figure else {})
