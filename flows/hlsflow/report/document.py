"""A report as nouns, before it becomes Markdown (`hlsflow.report.markdown`) or a page (`hlsflow.report.html`).

In: text and figures. Out: a `Document` of sections of blocks. Whoever reports something builds one document, so that
all forms of a report say the same. A figure keeps where it comes from all the way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from hlsflow.core.metrics import Metric

MISSING = "missing"

Tone = Literal["", "good", "warn", "bad"]
"""What a verdict means to the reader: green where all that is said holds, amber where something must be read with it,
red where it does not hold, none where nothing is shown. Nothing but colour and sign depends on it."""


TONES: tuple[Tone, ...] = ("", "good", "warn", "bad")
"""From the least to the worst."""


def worst(tones: Iterable[Tone]) -> Tone:
    """The tone of several things said together."""
    return max(tones, key=TONES.index, default="")


@dataclass(frozen=True)
class Figure:
    """One number and all that is known of where it comes from.

    Attributes:
        owner: what it is about: a design point, a layer, a run.
        name, unit: as in `hlsflow.core.metrics`.
        value: None when it is missing; the note says why.
        stage, tool, version, target, source, note, clock_ns: as in `hlsflow.core.metrics.Metric`.
    """

    owner: str
    name: str
    value: float | None
    unit: str
    stage: str
    tool: str
    version: str
    target: str
    source: str
    note: str = ""
    clock_ns: float | None = None

    @classmethod
    def of(cls, owner: str, metric: Metric) -> Figure:
        """The figure that a metric is."""
        fields = {key: getattr(metric, key) for key in ("name", "value", "unit", "tool", "version", "target")}
        return cls(
            owner=owner,
            stage=metric.stage.value,
            source=metric.source,
            note=metric.note,
            clock_ns=metric.clock_ns,
            **fields,
        )


@dataclass(frozen=True)
class Cell:
    """One place of a table.

    Attributes:
        text: what is read.
        order: what the column is sorted by; None: by the text.
        figure: the number it shows, with where it comes from.
        tone: what it means to the reader.
    """

    text: str
    order: float | None = None
    figure: Figure | None = None
    tone: Tone = ""


@dataclass(frozen=True)
class Table:
    """Rows under a heading each; `notes` are what must be read with them."""

    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lines:
    """A list of sentences."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class Step:
    """One step of a chain: its name, its figure, the data it is of, and what changed since the step before."""

    name: str
    cell: Cell
    data: str
    change: str = ""


@dataclass(frozen=True)
class Chain:
    """A figure on its way through the flow. A picture: only pages show it, and a table says the same."""

    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Bars:
    """A bar for each label and series; None where there is no such figure, a figure without value where it is missing.

    Attributes:
        title, unit: of the figure.
        labels: of the rows, such as design points.
        values: number of the series in the gallery → a figure for each label.
    """

    title: str
    unit: str
    labels: tuple[str, ...]
    values: tuple[tuple[int, tuple[Figure | None, ...]], ...]


@dataclass(frozen=True)
class Dot:
    """A design in a plane: two figures of it, and more about it in words."""

    across: Figure
    up: Figure
    label: str = ""


@dataclass(frozen=True)
class Plane:
    """Designs by two figures.

    Attributes:
        title: what it shows.
        across, up: what the axes count, with units and stages.
        dots: number of the series in the gallery → its designs.
        fronts: series whose designs that no other one of them beats are joined.
    """

    title: str
    across: str
    up: str
    dots: tuple[tuple[int, tuple[Dot, ...]], ...]
    fronts: tuple[int, ...] = ()


@dataclass(frozen=True)
class Gallery:
    """Charts with one legend. Pictures: only pages show them, and tables say the same.

    Attributes:
        series: their names, each with stage and tool.
        charts: that show some of them.
    """

    series: tuple[str, ...]
    charts: tuple[Bars | Plane, ...]


Block = Table | Lines | Text | Chain | Gallery


@dataclass(frozen=True)
class Section:
    """A heading and what is below it."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Fact:
    """One of the few things to know first: a name, a value, and where or when it holds."""

    name: str
    cell: Cell
    where: str = ""


@dataclass(frozen=True)
class Verdict:
    """The answer in one sentence, with what it means and what else must be said of it."""

    text: str
    tone: Tone = ""
    more: tuple[str, ...] = ()


@dataclass(frozen=True)
class Document:
    """A whole report.

    Attributes:
        title: of the report.
        kind: what sort of report it is, in few words.
        sections: in reading order.
        verdict, facts: above all sections; only pages show them, and sections say the same.
    """

    title: str
    kind: str
    sections: tuple[Section, ...]
    verdict: Verdict | None = None
    facts: tuple[Fact, ...] = field(default=())

    def figures(self) -> Iterator[Figure]:
        """All figures shown, in reading order; one that stands in several places comes as often."""
        for fact in self.facts:
            yield from _figures_of([fact.cell])
        for section in self.sections:
            for block in section.blocks:
                yield from _figures_in(block)


def _figures_in(block: Block) -> Iterator[Figure]:
    if isinstance(block, Table):
        for row in block.rows:
            yield from _figures_of(row)
    elif isinstance(block, Chain):
        yield from _figures_of([step.cell for step in block.steps])
    elif isinstance(block, Gallery):
        for chart in block.charts:
            yield from _charted(chart)


def _figures_of(cells: Sequence[Cell]) -> Iterator[Figure]:
    yield from (cell.figure for cell in cells if cell.figure)


def _charted(chart: Bars | Plane) -> Iterator[Figure]:
    if isinstance(chart, Bars):
        for _, values in chart.values:
            yield from (value for value in values if value)
    else:
        for _, dots in chart.dots:
            yield from (figure for dot in dots for figure in (dot.across, dot.up))


def number(value: float | None) -> str:
    """A figure as text: thousands separated, at most four digits after the point, None as "missing"."""
    if value is None:
        return MISSING
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.1f}"


def cell(content: str | float | Figure | None, tone: Tone = "") -> Cell:
    """The cell that shows some content; None is an empty one."""
    if content is None:
        return Cell("", None, None, tone)
    if isinstance(content, str):
        return Cell(content, None, None, tone)
    if isinstance(content, Figure):
        return Cell(number(content.value), content.value, content, tone)
    return Cell(number(content), content, None, tone)


def row(*contents: str | float | Figure | Cell | None) -> tuple[Cell, ...]:
    """A row of a table: cells as they are, and the cells of everything else."""
    return tuple(content if isinstance(content, Cell) else cell(content) for content in contents)
