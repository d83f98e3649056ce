"""The page: `templates/report/page.html` filled with a document.

In: a `Document`. Out: HTML. All text is escaped by the template engine or, within charts, by the XML writer. A figure
leads to its row in the table at the end of the page, which has all that is known of where it comes from.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from hlsflow import __version__
from hlsflow.core import templates
from hlsflow.report.document import MISSING, Bars, Block, Cell, Document, Figure, Plane, Section, Table, number
from hlsflow.report.html.bars import bars
from hlsflow.report.html.plane import plane

NUMBER = re.compile(r"[+-]?[\d.,]+(e[+-]?\d+)?")

CHARACTER, PADDING, HALF = 7.6, 22.0, 530.0
"""Of a table, in pixels: the width of a character, what is around the text of a column, and half of a wide page."""


def render(document: Document) -> str:
    """The whole page."""
    places = {figure: f"f{index}" for index, figure in enumerate(dict.fromkeys(document.figures()), 1)}

    def chart(drawn: Bars | Plane) -> Markup:
        return Markup(bars(drawn, places) if isinstance(drawn, Bars) else plane(drawn, places))

    return _template().render(
        document=document,
        figures=places,
        chart=chart,
        place=places.get,
        kind=_kind,
        numeric=_numeric,
        halves=halves(document.sections),
        origin=origin,
        number=number,
        missing=MISSING,
        version=__version__,
        style=Markup(_asset("page.css")),
        script=Markup(_asset("page.js")),
    )


@lru_cache(maxsize=1)
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(templates.read("report/page.html"))


def _asset(name: str) -> str:
    """Our own style or script, without the comments and indents that readers of the page do not need."""
    text = re.sub(r"/\*.*?\*/", "", templates.read(f"report/{name}"), flags=re.DOTALL)
    return "\n".join(line.strip() for line in text.splitlines() if line.strip())


def halves(sections: Sequence[Section]) -> list[bool]:
    """Which sections stand in pairs beside each other where the page is wide: small tables after each other."""
    small = [_is_small(section) for section in sections]
    paired = [False] * len(small)
    for place in range(1, len(small)):
        if small[place - 1] and small[place] and not paired[place - 1]:
            paired[place - 1] = paired[place] = True
    return paired


def _is_small(section: Section) -> bool:
    """Whether all of it is a table that takes less than half of a wide page."""
    if len(section.blocks) != 1 or not isinstance(table := section.blocks[0], Table):
        return False
    lines = [table.head, *([cell.text for cell in row] for row in table.rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(table.head))]
    return sum(width * CHARACTER + PADDING for width in widths) < HALF


def _kind(block: Block) -> str:
    return type(block).__name__.lower()


def _numeric(table: Table) -> list[bool]:
    """Which columns hold nothing but numbers."""
    columns = [[row[place] for row in table.rows] for place in range(len(table.head))]
    return [
        any(map(_is_number, column)) and all(_is_number(cell) or _empty(cell) for cell in column) for column in columns
    ]


def _is_number(cell: Cell) -> bool:
    return cell.order is not None and NUMBER.fullmatch(cell.text) is not None


def _empty(cell: Cell) -> bool:
    return cell.text in ("", MISSING)


def origin(figure: Figure) -> str:
    """Where a figure comes from, in one line."""
    clock = f"{figure.clock_ns:g} ns asked" if figure.clock_ns is not None else ""
    parts = (figure.stage, f"{figure.tool} {figure.version}".strip(), figure.target, clock, figure.source, figure.note)
    return " · ".join(part for part in parts if part)
