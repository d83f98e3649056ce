"""The last step: everything measured, as a page, tables, charts and report.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hlsflow.core.errors import GateFailed
from hlsflow.core.metrics import MetricSet
from hlsflow.core.store import link, write_text
from hlsflow.hls.gate import Gate, joined
from hlsflow.pipeline.context import Context, Point, Results
from hlsflow.pipeline.provenance import provenance
from hlsflow.project import Project
from hlsflow.report import run as reporting
from hlsflow.report.markdown import render_blocks
from hlsflow.report.terminal import drawn
from hlsflow.rtl.memory import WeightMemory, weight_memories
from hlsflow.toolchains import parts


def report(context: Context, results: Results) -> Results:
    """Page, tables, charts and report.json in the run's folder."""
    assert results.gate is not None
    contents = _contents(context, results, results.gate.to_json())
    reporting.write(contents, context.folder)
    link(context.folder, context.folder.parent / "latest")
    blocks = reporting.summary(contents)
    context.progress.result(f"\n{render_blocks(*blocks)}", drawn(*blocks))
    context.progress.result(f"\nwritten to {context.folder}/report.html, .md, .csv, .json, and charts/")
    return replace(results, report=context.folder / "report.json")


def report_check(context: Context, results: Results) -> Results:
    """What the gate alone has shown, beside the report of a whole run, which may be there and stays as it is."""
    assert results.gate is not None
    folder, gate = context.folder, results.gate.to_json()
    contents = replace(
        _contents(context, results, gate), points=[reporting.PointReport({}, "all", {}, results.metrics)]
    )
    data = reporting.to_json(contents)
    del data["points"], data["budgets"]
    write_text(folder / "gate.json", _json(gate))
    write_text(folder / "check.json", _json(data | {"metrics": results.metrics.to_json()}))
    write_text(folder / "check.md", reporting.to_markdown(contents))
    write_text(folder / "check.html", reporting.to_html(contents))
    context.progress.result(f"written to {folder}/check.html, .md, .json, and gate.json")
    return replace(results, report=folder / "check.json")


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, indent=1) + "\n"


def report_failure(context: Context, results: Results, error: GateFailed) -> None:
    """The same files for a run that the gate ended: what was known until then, and the layer that differs."""
    if error.gate is None or results.translated is None:
        return
    last = Gate.from_json(error.gate)
    gate = joined(results.gate, last) if results.gate else last
    reporting.write(_contents(context, results, gate.to_json()), context.folder)
    link(context.folder, context.folder.parent / "latest")
    context.progress.result(f"the verdict is written to {context.folder}/report.html, .md, .csv, .json, and charts/")


def _contents(context: Context, results: Results, gate: Mapping[str, Any]) -> reporting.Report:
    """All that the steps have left."""
    assert results.translated is not None
    echo = json.loads((results.translated.folder / "translation.json").read_text(encoding="utf-8"))
    project = context.project
    return reporting.Report(
        project.name,
        context.folder.name,
        gate,
        echo["layers"],
        echo["corrections"],
        [_point_report(project, point, results.metrics) for point in results.points] + _csynth_report(project, results),
        {name: budget.model_dump(exclude_none=True) for name, budget in project.budgets.items()},
        results.notes,
        _parts(project),
        echo["saturation"],
        provenance(context, results),
        echo["standardization"],
    )


def _parts(project: Project) -> dict[str, str]:
    """Family that is synthesized for → the part asked for, where it is one of that family."""
    target = project.target
    of_families = {name: parts.of_family(name, target.route_part, target.part) for name in target.families}
    return {family: part for family, part in of_families.items() if part is not None}


def _point_report(project: Project, point: Point, software: MetricSet) -> reporting.PointReport:
    plan = point.schedule
    memories = {memory.layer: _memory(memory) for memory in weight_memories(plan.layers)}
    layers = {
        layer.name: {
            "reuse_factor": layer.granted,
            "asked": layer.asked,
            "strategy": layer.strategy.value,
            "multipliers": layer.multipliers,
            "multiplier": layer.multiplier.value,
            "adders": layer.adders * layer.pixels,
            "pixels": layer.pixels,
            "latency_cycles": layer.latency_cycles,
            "memory": memories.get(layer.name),
        }
        for layer in plan.layers
    }
    knobs = {"reuse_factor": point.reuse_factor, "multiplier": project.knobs.multiplier, "layers": layers}
    predicted = {"latency_cycles": plan.latency_cycles, "ii": plan.ii}
    return reporting.PointReport(knobs, point.name, predicted, software + point.metrics)


def _memory(memory: WeightMemory) -> dict[str, Any]:
    return {
        "made_of": memory.made_of.value,
        "words": memory.words,
        "bits": memory.bits,
        "blocks": memory.blocks,
        "utilisation": round(memory.utilisation, 4),
    }


def _csynth_report(project: Project, results: Results) -> list[reporting.PointReport]:
    """The vendor's row: hls4ml's project with the knobs of the project file."""
    if not results.csynth.metrics:
        return []
    knobs = project.knobs.model_dump(mode="json")
    label = f"hls4ml R{project.knobs.reuse_factor}"
    return [reporting.PointReport(knobs, label, {}, results.csynth, results.csynth_layers)]
