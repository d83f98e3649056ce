"""Charts of designs by two figures, both better when smaller; those that no other one beats are joined.

In: a `Plane`. Out: SVG.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.etree.ElementTree import Element, SubElement

from hlsflow.report.document import Dot, Figure, Plane, number
from hlsflow.report.html import drawing
from hlsflow.report.html.scale import Scale, around

WIDTH, HEIGHT = 440.0, 320.0
LEFT, RIGHT, TOP, BOTTOM = 58.0, 16.0, 14.0, 44.0
"""What is around the plane: ticks and names of axes."""

LABELLED = 16
"""Series with more designs than these have no names beside their dots."""

NEAR = 20.0
"""Distance within which a name is not written again."""

SIZE = 4.5
SHAPES = (
    "M-{0},0a{0},{0} 0 1,0 {1},0a{0},{0} 0 1,0 -{1},0",
    "M-{0},-{0}h{1}v{1}h-{1}z",
    "M0,-{0}L{0},{0}H-{0}z",
    "M0,-{0}L{0},0L0,{0}L-{0},0z",
)
"""Circle, square, triangle, diamond: series differ in shape, not in colour alone."""


def plane(chart: Plane, places: Mapping[Figure, str]) -> str:
    """The drawing as text."""
    root = drawing.canvas(WIDTH, HEIGHT, f"{chart.title}: {chart.up} by {chart.across}")
    dots = [dot for _, of in chart.dots for dot in of]
    across = around([_value(dot.across) for dot in dots], LEFT, WIDTH - RIGHT)
    up = around([_value(dot.up) for dot in dots], HEIGHT - BOTTOM, TOP)
    _axes(root, chart, across, up)
    for series, of in chart.dots:
        if series in chart.fronts:
            _front(root, series, of, across, up)
    for series, of in chart.dots:
        for dot in of:
            _dot(root, series, dot, (across, up), places)
    _names(root, chart, across, up)
    return drawing.written(root)


def _value(figure: Figure) -> float:
    assert figure.value is not None
    return figure.value


def _axes(root: Element, chart: Plane, across: Scale, up: Scale) -> None:
    for tick in across.ticks():
        drawing.line(root, across.at(tick), TOP, across.at(tick), HEIGHT - BOTTOM)
        drawing.text(root, across.at(tick), HEIGHT - BOTTOM + 15, number(tick), "tick middle")
    for tick in up.ticks():
        drawing.line(root, LEFT, up.at(tick), WIDTH - RIGHT, up.at(tick))
        drawing.text(root, LEFT - 6, up.at(tick), number(tick), "tick end")
    drawing.line(root, LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM, "axis")
    drawing.line(root, LEFT, TOP, LEFT, HEIGHT - BOTTOM, "axis")
    drawing.text(root, (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, _name(chart.across, across), "name middle")
    middle = (TOP + HEIGHT - BOTTOM) / 2
    drawing.text(root, 11, middle, _name(chart.up, up), "name middle").set("transform", f"rotate(-90 11 {middle:g})")


def _name(words: str, scale: Scale) -> str:
    return f"{words}, logarithmic" if scale.powers else words


def front(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Those that no other one beats in both, from the least of the first on."""
    staircase: list[tuple[float, float]] = []
    for x, y in sorted(points):
        if not staircase or y < staircase[-1][1]:
            staircase.append((x, y))
    return staircase


def _front(root: Element, series: int, dots: Sequence[Dot], across: Scale, up: Scale) -> None:
    """Steps: from one design to the next, nothing better is known."""
    corners = [(across.at(x), up.at(y)) for x, y in front([(_value(dot.across), _value(dot.up)) for dot in dots])]
    path = f"M{corners[0][0]:g},{corners[0][1]:g}" + "".join(f"H{x:g}V{y:g}" for x, y in corners[1:])
    style = {"d": path, "class": f"front c{series % drawing.COLOURS}", "data-s": str(series)}
    SubElement(root, "path", style)


def _dot(root: Element, series: int, dot: Dot, scales: tuple[Scale, Scale], places: Mapping[Figure, str]) -> None:
    across, up = scales
    label = f"{dot.label or dot.up.owner}: {_said(dot.up)}; {_said(dot.across)}"
    link = drawing.mark(root, series, [dot.up, dot.across], places, label)
    x, y = across.at(_value(dot.across)), up.at(_value(dot.up))
    shape = SHAPES[series % len(SHAPES)].format(SIZE, 2 * SIZE)
    SubElement(link, "path", {"d": shape, "transform": f"translate({x:g} {y:g})"})


def _names(root: Element, chart: Plane, across: Scale, up: Scale) -> None:
    """The names of designs beside their dots, each of them once at a place."""
    written: list[tuple[str, float, float]] = []
    for series, dots in chart.dots:
        for dot in dots if len(dots) <= LABELLED else ():
            x, y, name = across.at(_value(dot.across)), up.at(_value(dot.up)), dot.up.owner
            if any(name == other and abs(x - left) < NEAR and abs(y - top) < NEAR for other, left, top in written):
                continue
            written.append((name, x, y))
            shift, style = (7, "value") if x < WIDTH - RIGHT - 60 else (-7, "value end")
            drawing.text(root, x + shift, y - 8, drawing.cut(name, 90), style).set("data-s", str(series))


def _said(figure: Figure) -> str:
    return f"{number(figure.value)} {figure.unit} ({figure.name}, {figure.stage})"
