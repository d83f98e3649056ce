"""Tables of a run's layers: what each is in hls4ml's project, and what it became at each point of the open RTL.

In: the rows of the translation, and design points with their knobs. Out: sections. A reuse factor always says whose it
is: hls4ml's project has one set of them, and each point of the RTL has its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from hlsflow import __version__
from hlsflow.report.document import Bars, Cell, Figure, Gallery, Section, Table, cell, number, row

HLS4ML = "hls4ml"
"""Whose reuse factors those of hls4ml's project are."""

FIRST: Mapping[str, str] = {"layer": "name", "kind": "kind", "shape": "shape"}
LAST: Mapping[str, str] = {
    "strategy": "strategy",
    "weight": "weight",
    "zeros (%)": "zeros",
    **{name: name for name in ("values", "accum", "result")},
}
"""Head of a column → key of a layer, before and behind the reuse factors."""

MULTIPLIERS = f"multipliers ({HLS4ML})"

MEMORIES = "bits of a layer's weights, and block RAMs of 18 Kb with the share of their bits that is used"


class Point(Protocol):
    """A design point; one of the open RTL has `predicted` latencies, and knobs of each of its layers."""

    @property
    def label(self) -> str: ...

    @property
    def knobs(self) -> Mapping[str, Any]: ...

    @property
    def predicted(self) -> Mapping[str, int]: ...


Rows = Sequence[Mapping[str, Any]]
"""Layers, as the translation has them."""


def with_reuse_factors(rows: Rows, points: Sequence[Point]) -> list[dict[str, Any]]:
    """The layers as JSON, each with `reuse_factors`: whose → its reuse factor, null where the layer has none there."""
    return [{**layer, "reuse_factors": _reuse_factors(layer, points)} for layer in rows]


def _reuse_factors(layer: Mapping[str, Any], points: Sequence[Point]) -> dict[str, int | None]:
    in_rtl = {point.label: _of(point, layer["name"]).get("reuse_factor") for point in _of_rtl(points)}
    return {HLS4ML: layer["granted"]} | in_rtl


def _of(point: Point, name: str) -> Mapping[str, Any]:
    """What a point of the RTL says of a layer; nothing of one without knobs."""
    own: Mapping[str, Any] = point.knobs["layers"].get(name, {})
    return own


def _of_rtl(points: Sequence[Point]) -> list[Point]:
    return [point for point in points if point.predicted]


def table(rows: Rows, points: Sequence[Point] = ()) -> Table:
    """All that is known of each layer."""
    last = {MULTIPLIERS: "multipliers", **LAST}
    body = [(*_told(layer, FIRST), *_cells(layer, points), *_told(layer, last)) for layer in rows]
    return Table((*FIRST, *_heads(points), *last), tuple(body))


def _told(layer: Mapping[str, Any], columns: Mapping[str, str]) -> Iterator[Cell]:
    return (_cell(layer[key]) for key in columns.values())


def reuse_factors(rows: Rows, points: Sequence[Point]) -> Table:
    """The reuse factors alone, of the layers that have any; for the terminal."""
    having = [layer for layer in rows if any(_reuse_factors(layer, points).values())]
    return Table(("layer", *_heads(points)), tuple((cell(layer["name"]), *_cells(layer, points)) for layer in having))


def _heads(points: Sequence[Point]) -> list[str]:
    return [f"R ({whose})" for whose in (HLS4ML, *(point.label for point in _of_rtl(points)))]


def _cells(layer: Mapping[str, Any], points: Sequence[Point]) -> Iterator[Cell]:
    """A layer's reuse factor in hls4ml's project, beside the one asked for where that is another, and in the RTL."""
    own, *others = _reuse_factors(layer, points).values()
    yield _cell(own) if own == layer["asked"] else Cell(f"{own} (asked {layer['asked']})", own)
    yield from map(_cell, others)


def _cell(value: Any) -> Cell:
    if isinstance(value, int | float):
        return Cell(str(value), value)
    return cell(" × ".join(map(str, value)) if isinstance(value, list | tuple) else value)


def rtl_sections(points: Sequence[Point]) -> list[Section]:
    """What the schedule says of each layer at each point of the open RTL."""
    if not _of_rtl(points):
        return []
    memories = replace(_by_point(points, _memory), notes=(MEMORIES,))
    return [
        Section("RTL: multipliers", (_by_point(points, _multipliers),)),
        Section("RTL: cycles, scheduled", (*_chart(points), _by_point(points, _cycles))),
        Section("RTL: memories of weights, planned", (memories,)),
    ]


def _by_point(points: Sequence[Point], told: Callable[[Point, str], Cell]) -> Table:
    """What is told of each layer of each point of the open RTL."""
    points = _of_rtl(points)
    rows = [row(name, *(told(point, name) for point in points)) for name in _names(points)]
    return Table(("layer", *(point.label for point in points)), tuple(rows))


def _names(points: Sequence[Point]) -> list[str]:
    return list(dict.fromkeys(name for point in points for name in point.knobs["layers"]))


def _multipliers(point: Point, name: str) -> Cell:
    layer = _of(point, name)
    pixels = f", {layer['pixels']} pixels at a time" if layer["pixels"] > 1 else ""
    if layer["adders"]:
        return Cell(f"{layer['adders']} adders{pixels}", layer["adders"])
    sparse = " (sparse)" if layer["strategy"] == "sparse" else ""
    return Cell(f"{layer['multipliers']} {layer['multiplier']}{sparse}{pixels}", layer["multipliers"])


def _cycles(point: Point, name: str) -> Cell:
    return cell(_scheduled(point, name))


def _scheduled(point: Point, name: str) -> Figure:
    cycles, source = _of(point, name)["latency_cycles"], f"rtl/{point.label}/schedule.json"
    owner = f"{point.label}, layer {name}"
    return Figure(owner, "latency_cycles", cycles, "cycles", "scheduled", "hlsflow", __version__, "open RTL", source)


def _chart(points: Sequence[Point]) -> list[Gallery]:
    points = _of_rtl(points)
    names = _names(points)
    values = tuple((index, tuple(_scheduled(point, name) for name in names)) for index, point in enumerate(points))
    bars = Bars("latency of layers", "cycles", tuple(names), values)
    return [Gallery(tuple(point.label for point in points), (bars,))] if names else []


def _memory(point: Point, name: str) -> Cell:
    memory = _of(point, name)["memory"]
    if memory is None:
        return Cell("none", 0)
    where = {"lut": "LUT", "bram": "block RAM", "auto": "as the synthesizer decides"}[memory["made_of"]]
    text = f"{number(memory['bits'])} ({where}), {memory['blocks']} at {memory['utilisation']:.0%}"
    return Cell(text, memory["bits"])
