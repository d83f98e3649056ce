"""The charts of a page as files of their own, for papers and slides.

In: a `Document`. Out: SVG texts by file name. They are the drawings of the page with a title, a legend and the page's
light colours inside, in what browsers, Inkscape and converters to PDF all understand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, fromstring

from hlsflow.core import templates
from hlsflow.core.store import write_text
from hlsflow.report.document import Bars, Document, Figure, Gallery, Plane
from hlsflow.report.html import drawing
from hlsflow.report.html.bars import bars
from hlsflow.report.html.plane import SHAPES, SIZE, plane

FOLDER = "charts"
"""Where they lie, beside the page."""

TITLE, LINE, MARGIN = 30.0, 17.0, 12.0
"""Height of the title, height of a line of the legend, and what is around a chart."""


def write_charts(document: Document, folder: Path) -> None:
    """Write each chart to `charts/` in a folder, and remove those of an earlier report; raises StorageError."""
    drawn = pictures(document)
    place = folder / FOLDER
    for old in place.glob("*.svg"):
        if old.name not in drawn and not old.name.startswith("."):  # which another run is about to put in place
            old.unlink(missing_ok=True)
    for name, text in drawn.items():
        place.mkdir(exist_ok=True)
        write_text(place / name, text)


def pictures(document: Document) -> dict[str, str]:
    """File name → SVG, for each chart of the document."""
    drawn: dict[str, str] = {}
    places = dict.fromkeys(document.figures(), "")  # a file has no table to lead to
    for section, gallery, chart in _charts(document):
        stem = _stem(section, chart.title)
        name = next(name for name in _names(stem) if name not in drawn)
        drawn[name] = _picture(chart, gallery.series, places)
    return drawn


def _charts(document: Document) -> Iterator[tuple[str, Gallery, Bars | Plane]]:
    for section in document.sections:
        for block in section.blocks:
            if isinstance(block, Gallery):
                yield from ((section.title, block, chart) for chart in block.charts)


def _stem(*titles: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", " ".join(titles).lower()).strip("_")


def _names(stem: str) -> Iterator[str]:
    yield f"{stem}.svg"
    number = 2
    while True:
        yield f"{stem}_{number}.svg"
        number += 1


def _picture(chart: Bars | Plane, names: tuple[str, ...], places: Mapping[Figure, str]) -> str:
    """A chart with its title and legend, which names stage and tool of each series."""
    drawn = fromstring(bars(chart, places) if isinstance(chart, Bars) else plane(chart, places))
    _, _, width, height = map(float, drawn.attrib["viewBox"].split())
    series = [number for number, _ in (chart.values if isinstance(chart, Bars) else chart.dots)]
    top = MARGIN + TITLE + LINE * len(series)
    root = _root(width + 2 * MARGIN, top + height + MARGIN)
    drawing.text(root, MARGIN, MARGIN + 8, _title(chart), "title")
    for place, number in enumerate(series):
        _legend(root, MARGIN + TITLE + LINE * place, number, names[number], isinstance(chart, Plane))
    inner = SubElement(root, "g", {"transform": f"translate({MARGIN:g} {top:g})"})
    inner.extend(drawn)
    _plain(root)
    return f"{drawing.written(root)}\n"


def _root(width: float, height: float) -> Element:
    size = {"width": f"{width:g}", "height": f"{height:g}", "viewBox": f"0 0 {width:g} {height:g}"}
    root = Element("svg", {"xmlns": "http://www.w3.org/2000/svg", **size})
    SubElement(root, "style").text = _style(templates.read("report/chart.css"))
    SubElement(root, "rect", {"width": "100%", "height": "100%", "fill": _colours()["card"]})
    return root


def _style(text: str) -> str:
    """A style with the page's colours in the place of their names."""
    colours = _colours()
    return re.sub(r"var\(--(\w+)\)", lambda found: colours[found[1]], text)


def _colours() -> Mapping[str, str]:
    """Name → the page's light colour."""
    light = templates.read("report/page.css").split("@media")[0]
    return dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", light))


def _title(chart: Bars | Plane) -> str:
    return f"{chart.title} ({chart.unit})" if isinstance(chart, Bars) and chart.unit != chart.title else chart.title


def _legend(root: Element, y: float, series: int, name: str, dots: bool) -> None:
    key = SubElement(root, "g", {"class": f"mark c{series % drawing.COLOURS}"})
    shape = SHAPES[series % len(SHAPES)] if dots else SHAPES[1]
    path = {"d": shape.format(SIZE, 2 * SIZE), "transform": f"translate({MARGIN + SIZE:g} {y:g})"}
    SubElement(key, "path", path)
    drawing.text(root, MARGIN + 16, y, name, "")


def _plain(root: Element) -> None:
    """Colours and lines as attributes, links as groups, text centred in a way that all programs know."""
    colours = _colours()
    for element in root.iter():
        names = element.get("class", "").split()
        colour = next((colours[name] for name in names if re.fullmatch(r"c\d", name)), None)
        if element.tag == "text":
            element.set("dy", "0.35em")
        elif "front" in names:
            element.attrib |= {"fill": "none", "stroke": str(colour), "stroke-width": "1.3", "stroke-opacity": "0.65"}
        elif colour is not None:
            element.set("fill", colour)
        if element.tag == "a":
            element.tag = "g"
            element.attrib = {"fill": element.attrib["fill"]}
