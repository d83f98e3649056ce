"""The cells that synthesis has left, simulated against the oracle: a step after synthesis.

In: the points and their synthesized designs. Out: a link `oracle = netlist R16-xc7` of the gate for each of them, on
the first of the vectors that the RTL was simulated with, or a note why there is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hlsflow.core.choices import Family
from hlsflow.core.store import Done, code
from hlsflow.hls import gate as gating
from hlsflow.ir import Graph, evaluate
from hlsflow.pipeline.context import Context, Point, Results, Samples, parallel
from hlsflow.pipeline.hardware import SIMULATION, SOURCES, area, gate_in, prove, vectors
from hlsflow.rtl.simulate import simulate
from hlsflow.toolchains import gxx, verilator, yosys

VECTORS = 200
MOST_CELLS = 20_000
"""Of a netlist that is simulated unasked: its model takes a minute or two to make."""
EFFORT = 500_000_000
"""Cells times cycles: ten seconds or so. Vectors that would take more are left out unasked, but for two."""


@dataclass(frozen=True)
class Netlist:
    """A point as synthesized for a family, and how many vectors it is to reproduce.

    Attributes:
        cells: of each type.
        asked: vectors that the project asks for, None where it does not say.
    """

    point: Point
    family: Family
    synthesized: Done
    cells: Mapping[str, int]
    asked: int | None

    @property
    def name(self) -> str:
        return f"{self.point.name}-{self.family.value}"

    @property
    def obstacle(self) -> str:
        """Why it is not simulated; empty where it is."""
        if unknown := sorted(set(yosys.UNMODELLED) & set(self.cells)):
            return f"there is no model of {', '.join(unknown)}"
        size = sum(self.cells.values())
        if self.asked is None and size > MOST_CELLS:
            return f"its {size:,} cells would take long; [gate] netlist = {VECTORS} does it nevertheless"
        return ""

    @property
    def vectors(self) -> int:
        if self.asked is not None:
            return self.asked
        each = sum(self.cells.values()) * self.point.schedule.ii
        return min(VECTORS, max(2, EFFORT // each))


def netlist(context: Context, results: Results) -> Results:
    """Oracle = netlist of every point and family, where all of its cells have a model."""
    assert results.gate is not None
    if context.project.gate.netlist == 0:
        return results
    points = sorted(results.points, key=lambda point: point.reuse_factor)
    netlists = [_netlist(context, point, family) for point in points for family in context.project.target.families]
    notes = [f"{gating.NETLIST} {item.name} is not simulated: {item.obstacle}" for item in netlists if item.obstacle]
    for note in notes:
        context.progress.say(note)
    inputs, gate = _inputs(context, results), results.gate
    run = [item for item in netlists if not item.obstacle]
    finished = parallel(context, lambda item: _simulated(context, results, inputs, item), run)
    for done in finished:
        gate = gating.joined(gate, gate_in(done))
    return results.with_work(*finished, gate=gate, notes=(*results.notes, *notes))


def _netlist(context: Context, point: Point, family: Family) -> Netlist:
    synthesized = area(context, point, family)[1]
    cells = yosys.read_cells(synthesized.folder / f"{family.value}.stat.json")
    return Netlist(point, family, synthesized, cells, context.project.gate.netlist)


def _inputs(context: Context, results: Results) -> dict[str, Any]:
    """What the verdict on every netlist depends on."""
    assert results.translated is not None
    return {
        "inputs": results.translated.digest("graph.npz", "samples.npz"),
        "samples": context.project.gate.vectors,
        "tools": [*verilator.find().identity, *gxx.identity(), *yosys.find().identity],
        "code": code("pipeline/netlist.py", "toolchains/yosys.py", *SIMULATION, *SOURCES),
    }


def _simulated(context: Context, results: Results, inputs: Mapping[str, Any], item: Netlist) -> Done:
    assert results.translated is not None
    place, file = results.translated.folder, yosys.netlist_name(item.family)
    point, samples = item.point, context.project.gate.vectors

    def work(folder: Path) -> None:
        graph = Graph.load(place / "graph.npz")
        x = vectors(graph, Samples.load(place).x, samples)[: item.vectors]
        text = (item.synthesized.folder / file).read_text(encoding="utf-8")
        cells = replace(point.design, files={file: text, **yosys.models(item.family)})
        ran = simulate(cells, x, folder, verilator.NETLIST)
        prove(point, f"{gating.NETLIST} {item.name}", ran, evaluate(graph, x), folder)

    own = {
        "netlist": item.synthesized.digest(file),
        "schedule": [point.schedule.latency_cycles, point.schedule.ii],
        "vectors": item.vectors,
    }
    return context.do("netlist", item.name, {**inputs, **own}, work)
