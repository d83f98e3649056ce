"""A design point as a project folder, which `hlsflow run` takes as it is.

In: a project, the knobs of each layer, the pipeline, and a trained model. Out: `project.toml`.

The open RTL gets exactly these knobs. hls4ml takes some reuse factors and strategies only: where it does not have a
layer's, its own project gets the nearest, and the layer's `rtl` table holds what the RTL has.
"""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from hlsflow.core.choices import Strategy
from hlsflow.core.errors import ProjectError
from hlsflow.core.store import write_text
from hlsflow.ir import Graph, Node, Op
from hlsflow.project import FILES, Project, load
from hlsflow.project.errors import listed
from hlsflow.project.reuse import nearest_legal
from hlsflow.rtl.cores import WITH_KNOBS
from hlsflow.rtl.knobs import LayerKnobs, Pipeline
from hlsflow.toolchains.process import make_folder


@dataclass(frozen=True, eq=False)
class Point:
    """A design point.

    Attributes:
        name: of its project.
        note: lines of text for the top of the file.
        graph: the network that is built, with the weights' final types.
        knobs: layer → its knobs, for each layer with weights.
        pipeline: of the whole design.
        model: the file of the trained model that translates to `graph`.
    """

    name: str
    note: str
    graph: Graph
    knobs: Mapping[str, LayerKnobs]
    pipeline: Pipeline
    model: Path


def write_project(project: Project, point: Point, folder: Path) -> Project:
    """Write `project.toml` into a folder, and read it.

    Data, input quantizer, target, budgets and gate are those of the project. Paths are relative to the folder, so that
    it can move together with what it refers to. Nothing is trained.

    Raises:
        ProjectError: knobs for a layer without weights, or the model is not there. StorageError: it cannot be written.
    """
    text = "".join(f"# {line}\n" for line in point.note.splitlines())
    make_folder(folder)
    write_text(folder / "project.toml", text + tomli_w.dumps(_values(project, point, folder)))
    return load(folder)


def _values(project: Project, point: Point, folder: Path) -> dict[str, Any]:
    tables = set_by_hand(
        project,
        exclude={
            "folder",
            "model_digest",
            "training",
            "quantize",
            "prune",
            "distil",
            "model",
            "knobs",
            "sweep",
            "name",
        },
    )
    tables["data"]["source"] = source_of(project, folder)
    if project.anomaly is not None:
        tables["anomaly"] = project.anomaly.model_dump(
            mode="json"
        )  # also where it says nothing but what is the default
    model = {"file": relative(point.model, folder), "allow_lambda": project.model.allow_lambda}
    longest = max((knobs.reuse_factor for knobs in point.knobs.values()), default=1)
    return {
        "name": point.name,
        **tables,
        "model": model,
        "knobs": _knobs(project, point),
        "sweep": {"reuse_factor": [longest]},  # the name of the point; all layers have reuse factors of their own
    }


def set_by_hand(part: Any, **options: Any) -> dict[str, Any]:
    """What was set by hand, as TOML can hold it."""
    values = part.model_dump(mode="json", exclude_unset=True, exclude_none=True, **options)
    return {key: value for key, value in values.items() if value != {}}


def source_of(project: Project, folder: Path) -> str:
    source = project.data.source
    return relative(project.folder / source, folder) if Path(source).suffix in FILES else source


def relative(path: Path, folder: Path) -> str:
    """A path as seen from a folder; absolute where there is no way from one to the other."""
    try:
        return Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()
    except ValueError:  # on another drive
        return path.resolve().as_posix()


def _knobs(project: Project, point: Point) -> dict[str, Any]:
    nodes = {node.name: node for node in point.graph.nodes if node.op in WITH_KNOBS}
    for name in point.knobs:
        if name not in nodes:
            raise ProjectError(f"no layer with weights is named '{name}'", f"layers: {listed(name, nodes)}")
    others = {name: set_by_hand(own) for name, own in project.knobs.layers.items() if name not in point.knobs}
    layers = {name: _layer(project, nodes[name], knobs) for name, knobs in point.knobs.items()}
    return {
        **set_by_hand(project.knobs, exclude={"layers", "pipeline"}),
        "reuse_factor": 1,  # legal in hls4ml for any layer that is not named
        "pipeline": dataclasses.asdict(point.pipeline),
        "layers": {name: own for name, own in (others | layers).items() if own},
    }


def _layer(project: Project, node: Node, knobs: LayerKnobs) -> dict[str, Any]:
    before = project.knobs.layers.get(node.name)
    old = set_by_hand(before, include={"precision", "parallel_pixels"}) if before else {}
    own = {"multiplier": str(knobs.multiplier), "weights_in": str(knobs.weights_in)}
    rtl = {"reuse_factor": knobs.reuse_factor, "strategy": str(knobs.strategy)}
    if node.op is Op.SCALE:
        return {**old, **own, "rtl": rtl}
    hls = _hls(project, node, knobs)
    differing = {key: value for key, value in rtl.items() if hls[key] != value}
    precision = {**old.get("precision", {}), **_weight(project, node)}
    tables = {"precision": precision, "rtl": differing}
    return {**old, **hls, **own, **{key: table for key, table in tables.items() if table}}


def _hls(project: Project, node: Node, knobs: LayerKnobs) -> dict[str, Any]:
    """The nearest that hls4ml has: it builds depthwise layers whose values come all at once in one way only."""
    flat = node.op is Op.DEPTHWISE and project.target.io_type == "io_parallel"
    strategy = Strategy.LATENCY if flat else knobs.strategy
    weight = node.params["weight"].shape
    rule = "latency" if strategy is Strategy.LATENCY else "resource"
    legal = nearest_legal(
        math.prod(weight[: 3 if node.op is Op.DEPTHWISE else -1]), weight[-1], rule, knobs.reuse_factor
    )
    nearest = min(legal, key=lambda factor: abs(factor - knobs.reuse_factor))
    return {"reuse_factor": nearest, "strategy": str(strategy)}


def _weight(project: Project, node: Node) -> dict[str, str]:
    """A weight type that was set by hand follows the graph."""
    asked = project.knobs.of(node.name).precision.weight
    return {} if asked is None else {"weight": str(node.types["weight"])}
