"""The command `hlsflow estimate`: what csynth will report, before it runs, and whether the part holds it.

In: a project, a model, or the folder of any hls4ml project. Out: a table for each reuse factor, and what is known to
fail.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hlsflow.commands import project, screen
from hlsflow.core.errors import DataError, ProjectError

if TYPE_CHECKING:
    from hlsflow.core.metrics import Metric, MetricSet
    from hlsflow.estimate import Design, Estimate, Figure
    from hlsflow.project import Project
    from hlsflow.report.document import Block, Cell, Table

EPILOG = """\
Examples:
  hlsflow estimate projects/digits --part xc7z020clg400-1
  hlsflow estimate somebody/hls4ml_prj --reuse-factor 1,4,16
"""


def add_to(commands: Any) -> None:
    """Add the command to those of the command line."""
    parser = commands.add_parser(
        "estimate",
        help="LUT, FF, DSP, block RAM, latency and interval that csynth will report, in milliseconds",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    project.add_to(parser)
    parser.add_argument("--part", help="another part than the project's, such as xc7z020clg400-1")
    screen.add_json(parser)
    parser.set_defaults(command=_estimate)


def _estimate(arguments: argparse.Namespace) -> None:
    from hlsflow.estimate import hls4ml_project
    from hlsflow.estimate.design import AMD_BACKENDS

    folder, factors = arguments.project, project.reuse_factors(arguments.reuse_factor)
    if not hls4ml_project.is_project(folder):
        folder = _translated(project.project_of(arguments), arguments.build)
    design = hls4ml_project.read(folder)
    if design.backend not in AMD_BACKENDS:
        backends = ", ".join(AMD_BACKENDS)
        raise ProjectError(
            f"projects of backend {design.backend} cannot be estimated", f"backends that can: {backends}"
        )
    if arguments.part:
        design = replace(design, part=amd_part(arguments.part))
    as_built = not factors and not arguments.part
    designs = [design.at(factor) for factor in factors] or [design]
    if arguments.json:
        screen.say_json(arguments, [_data(varied, folder) for varied in designs])
        return
    for varied in designs:
        for block in _told(varied, folder, as_built):
            screen.say_tables(block)


def amd_part(part: str) -> str:
    """A part that AMD may have; raises ProjectError for what can be none."""
    from hlsflow.project.target import AMD_PART

    if not AMD_PART.fullmatch(part):
        raise ProjectError(f"'{part}' is no part of AMD", "write it as AMD does, such as xc7z020clg400-1")
    return part


def _translated(project: Project, build: Path) -> Path:
    """The hls4ml project of one of ours; trained and translated unless that is done already."""
    from hlsflow.pipeline.run import TRANSLATE_STEPS, run

    translated = run(project, build, TRANSLATE_STEPS).translated
    assert translated is not None
    return translated.folder / "hls"


def _data(design: Design, folder: Path) -> dict[str, object]:
    """An estimate as plain JSON types."""
    from hlsflow.estimate import estimate, preflight
    from hlsflow.toolchains.parts import offered

    estimated = estimate(design)
    return {
        "reuse_factors": {layer.name: layer.reuse_factor for layer in design.layers if layer.weight},
        "metrics": estimated.metrics().to_json(),
        "intervals": {name: [figure.low, figure.high] for name, figure in estimated.figures.items()},
        "not_estimated": list(estimated.holes),
        "part": offered(design.part),
        "layers": [asdict(layer) for layer in estimated.layers],
        "departures": list(estimated.departures),
        "findings": [asdict(finding) for finding in preflight.check(design, folder, estimated)],
    }


def _measured(folder: Path) -> MetricSet:
    """What csynth has reported of the project already; nothing where its reports cannot be told from others."""
    from hlsflow.core.metrics import MetricSet, Stage
    from hlsflow.report.folders.directory import read

    try:
        return MetricSet(tuple(metric for metric in read(folder).metrics if metric.stage is Stage.HLS))
    except DataError:
        return MetricSet()


def _told(design: Design, folder: Path, as_built: bool) -> Iterator[Block]:
    from hlsflow.estimate import estimate, preflight
    from hlsflow.report.document import Lines, Text

    estimated = estimate(design)
    yield Text(f"# {design.name}: csynth as estimated, {design.backend}, {design.io_type}, {design.clock_ns:g} ns")
    yield layer_table(estimated)
    yield total_table(estimated, _measured(folder) if as_built else ())
    if estimated.holes:
        yield Text(_no_total(estimated))
    elif estimated.departures:
        yield Text(f"Intervals are wider, for this is outside the calibration: {'; '.join(estimated.departures)}.")
    findings = preflight.check(design, folder, estimated)
    if findings:
        yield Lines(tuple(map(str, findings)))


def _no_total(estimated: Estimate) -> str:
    """Why there is no total, and what is known all the same."""
    alone = ", ".join(f"{name} {figure}" for name, figure in estimated.others.items())
    rest = f" The other layers alone are estimated at {alone}." if alone else ""
    return f"There is no total and no verdict, for these layers are not estimated: {', '.join(estimated.holes)}.{rest}"


def layer_table(estimated: Estimate) -> Table:
    """The share of each layer; figures of a layer that is not estimated are missing."""
    from hlsflow.estimate import METRICS
    from hlsflow.report.document import MISSING, Cell, Table, row

    rows = []
    for layer in estimated.layers:
        none = Cell(MISSING if layer.name in estimated.holes else "")
        cells = [_count(layer.figures[name]) if name in layer.figures else none for name in METRICS]
        rows.append(row(layer.name, layer.kind, *cells))
    return Table(("layer", "kind", *METRICS), tuple(rows))


def _count(value: float) -> Cell:
    from hlsflow.report.document import Cell

    return Cell(f"{value:,.0f}", value)


def total_table(estimated: Estimate, measured: Iterable[Metric] = ()) -> Table:
    """The whole, with intervals, beside what the part has.

    Args:
        estimated: the estimate.
        measured: what csynth has reported of the design, in a column of its own.
    """
    from hlsflow.estimate import METRICS
    from hlsflow.report.document import Table, row
    from hlsflow.toolchains.parts import offered

    limits, part = offered(estimated.design.part), estimated.design.part or "unknown part"
    truth = {metric.name: f"{metric.value:,.0f}" for metric in measured if metric.value is not None}
    rows = tuple(
        row(*_total_row(name, estimated.figures.get(name), limits.get(name)), *([truth.get(name, "")] if truth else []))
        for name in METRICS
    )
    head = ("metric", "estimated", f"{estimated.coverage:.0%} interval", part, f"% of {part}", "verdict")
    return Table(head + (("csynth",) if truth else ()), rows)


def _total_row(name: str, figure: Figure | None, limit: int | None) -> list[str]:
    from hlsflow.estimate.part import verdict
    from hlsflow.report.document import MISSING

    of = [] if name in OF_NO_PART else [MISSING] * 3 if limit is None else [f"{limit:,}", MISSING, MISSING]
    if figure is None:
        return [name, MISSING, MISSING, *(of or ["", "", ""])]
    if limit is not None:
        of = [f"{limit:,}", f"{100 * figure.value / limit:.1f}", verdict(figure, limit)]
    return [name, f"{figure.value:,.0f}", f"{figure.low:,.0f} to {figure.high:,.0f}", *(of or ["", "", ""])]


OF_NO_PART = ("latency_cycles", "ii")
"""Metrics of which parts have none."""
