"""Charts of bars: a row for each label, in it a bar for each series, with its figure at its end.

In: `Bars`. Out: SVG. A missing figure is said in the place of its bar.
"""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree.ElementTree import Element, SubElement

from hlsflow.report.document import MISSING, Bars, Figure, number
from hlsflow.report.html import drawing
from hlsflow.report.html.scale import Scale, from_zero

WIDTH, LABELS, VALUES = 440.0, 160.0, 62.0
"""Of the drawing; the most of it for labels; and of it for figures at the ends of bars."""

BAR, GAP, BETWEEN, TOP, BOTTOM = 13.0, 2.0, 11.0, 6.0, 20.0
"""Height of a bar, distance to the next, distance to the next row, and what is above and below all."""


def bars(chart: Bars, places: Mapping[Figure, str]) -> str:
    """The drawing as text."""
    height = _row(chart) * len(chart.labels)
    root = drawing.canvas(WIDTH, TOP + height + BOTTOM, f"{chart.title} ({chart.unit})")
    labels = drawing.widest(chart.labels, LABELS)
    values_there = [
        figure.value for _, values in chart.values for figure in values if figure and figure.value is not None
    ]
    scale = from_zero(max(values_there, default=1.0), labels, WIDTH - VALUES)
    _axis(root, scale, height, any(values_there))
    for place, label in enumerate(chart.labels):
        y = TOP + _row(chart) * place
        drawing.text(root, labels - 6, y + _row(chart) / 2, drawing.cut(label, labels), "label end")
        for order, (series, values) in enumerate(chart.values):
            if figure := values[place]:
                _bar(root, scale, y + BETWEEN / 2 + order * (BAR + GAP), series, figure, places)
    return drawing.written(root)


def _row(chart: Bars) -> float:
    return len(chart.values) * (BAR + GAP) - GAP + BETWEEN


def _axis(root: Element, scale: Scale, height: float, any_length: bool) -> None:
    for tick in scale.ticks() if any_length else [0.0]:
        drawing.line(root, scale.at(tick), TOP, scale.at(tick), TOP + height, "grid" if tick else "axis")
        drawing.text(root, scale.at(tick), TOP + height + 14, number(tick), "tick middle")


def _bar(root: Element, scale: Scale, y: float, series: int, figure: Figure, places: Mapping[Figure, str]) -> None:
    label = f"{figure.owner}: {number(figure.value)} {figure.unit}, {figure.stage}, {figure.target}, {figure.tool}"
    link = drawing.mark(
        root, series, [figure], places, label if figure.value is not None else f"{label}: {figure.note}"
    )
    if figure.value is None:
        drawing.text(link, scale.start + 4, y + BAR / 2, MISSING, "value missing")
        return
    width = max(1.0, scale.at(figure.value) - scale.start)
    place = {"x": f"{scale.start:g}", "y": f"{y:g}", "width": f"{width:g}", "height": f"{BAR:g}", "rx": "2"}
    SubElement(link, "rect", place)
    drawing.text(link, scale.start + width + 4, y + BAR / 2, number(figure.value), "value")
