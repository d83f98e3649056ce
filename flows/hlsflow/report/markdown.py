"""Documents, tables and figures as text that is Markdown, and readable as it is.

In: documents, cells, numbers. Out: text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from hlsflow.report.document import (
    MISSING,
    Block,
    Chain,
    Document,
    Gallery,
    Lines,
    Section,
    Table,
    Tone,
    Verdict,
    number,
)

__all__ = [
    "MISSING",
    "lines",
    "number",
    "render",
    "render_blocks",
    "render_section",
    "render_table",
    "table",
    "verdict_lines",
]


def render(document: Document) -> str:
    """A whole document; pictures are left out, since tables say the same."""
    return f"# {document.title}\n\n{render_blocks(*document.sections)}\n"


def render_blocks(*blocks: Section | Block) -> str:
    """Sections and blocks below each other."""
    parts = [render_section(block) if isinstance(block, Section) else _block(block) for block in blocks]
    return "\n\n".join(part for part in parts if part)


def render_section(section: Section) -> str:
    """Heading and blocks; nothing of a section of pictures alone."""
    texts = [text for block in section.blocks if (text := _block(block))]
    return "\n\n".join([f"## {section.title}", *texts]) if texts else ""


def _block(block: Block) -> str:
    if isinstance(block, Chain | Gallery):
        return ""
    if isinstance(block, Table):
        return render_table(block)
    return lines(block.items) if isinstance(block, Lines) else block.text


def render_table(block: Table) -> str:
    """A table and its notes."""
    text = table(block.head, [[cell.text for cell in row] for row in block.rows])
    return f"{text}\n\n{lines(block.notes)}" if block.notes else text


SIGNS: Mapping[Tone, str] = {"": "", "good": "✓ ", "warn": "! ", "bad": "✗ "}
"""What stands before a verdict where there are no colours."""


def verdict_lines(verdict: Verdict) -> list[str]:
    """A verdict and what it is relative to, as sentences."""
    return [SIGNS[verdict.tone] + verdict.text, *verdict.more]


def lines(items: Iterable[str]) -> str:
    """A list."""
    return "\n".join(f"- {item}" for item in items)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table with aligned columns, readable as plain text."""
    lines = [list(head), *(list(row) for row in rows)]
    widths = [max(len(line[index]) for line in lines) for index in range(len(head))]
    texts = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    ]
    return "\n".join([texts[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *texts[1:]])
