"""What all charts share: an SVG root, grids, text, and marks that lead to the figures they show.

In: figures and places. Out: elements of `xml.etree`, whose writer escapes all text. Colours and fonts are those of the
page's style, so that charts are light and dark as the page is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from xml.etree.ElementTree import Element, SubElement, tostring

from hlsflow.report.document import Figure

COLOURS = 8
"""Colours that the style has for series."""

CHARACTER = 6.2
"""Width of a character of a label, on average, in units of the drawing."""


def canvas(width: float, height: float, title: str) -> Element:
    """An empty drawing that is as wide as its place."""
    root = Element("svg", {"viewBox": f"0 0 {width:g} {height:g}", "role": "group", "aria-label": title})
    root.set("style", f"max-width:{width * 1.35:g}px")
    return root


def text(parent: Element, x: float, y: float, label: str, style: str) -> Element:
    """A label; `style` names classes of the page's style."""
    element = SubElement(parent, "text", {"x": f"{x:g}", "y": f"{y:g}", "class": style})
    element.text = label
    return element


def line(parent: Element, x1: float, y1: float, x2: float, y2: float, style: str = "grid") -> None:
    """A straight line."""
    SubElement(parent, "line", {"x1": f"{x1:g}", "y1": f"{y1:g}", "x2": f"{x2:g}", "y2": f"{y2:g}", "class": style})


def mark(parent: Element, series: int, figures: Sequence[Figure], places: Mapping[Figure, str], label: str) -> Element:
    """What holds the shape of a figure: it can be focused, says what it is, and leads to where that comes from."""
    ids = [places[figure] for figure in figures]
    link = SubElement(parent, "a", {"href": f"#{ids[0]}", "class": f"mark c{series % COLOURS}", "data-s": str(series)})
    link.set("data-f", " ".join(ids))
    link.set("aria-label", label)
    SubElement(link, "title").text = label
    return link


def cut(label: str, width: float) -> str:
    """A label that fits a width; of a long one both ends, since names of modules often differ at the end alone."""
    most = max(3, int(width / CHARACTER))
    return label if len(label) <= most else f"{label[: most // 2]}…{label[len(label) - (most - 1) // 2 :]}"


def widest(labels: Iterable[str], most: float) -> float:
    """The width that labels take, up to a limit."""
    return min(most, max((len(label) for label in labels), default=0) * CHARACTER + 8)


def written(root: Element) -> str:
    """The drawing as text, everything within it escaped."""
    return tostring(root, encoding="unicode")
