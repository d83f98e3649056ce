"""The command `hlsflow estimate`: what csynth will report, before it runs, and whether the part holds it.

In: a project, a model, or the folder of any hls4ml project. Out: a table for each reuse factor, and what is known to
fail.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flows.estimate import Design, Estimate
    from flows.project import Project

EPILOG = """\
Examples:
  hlsflow estimate projects/digits --part xc7z020clg400-1
  hlsflow estimate somebody/hls4ml_prj --reuse-factor 1,4,16
"""


def add_to(
    commands: Any,
    project_arguments: Callable[[argparse.ArgumentParser], None],
    project: Callable[[argparse.Namespace], Project],
    reuse_factors: Callable[[str | None], tuple[int, ...]],
) -> None:
    """Add the command to those of the command line."""
    parser = commands.add_parser(
        "estimate",
        help="LUT, FF, DSP, block RAM, latency and interval that csynth will report, in milliseconds",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    project_arguments(parser)
    parser.add_argument("--part", help="another part than the project's, such as xc7z020clg400-1")
    parser.set_defaults(command=lambda arguments: _estimate(arguments, project, reuse_factors(arguments.reuse_factor)))


def _estimate(
    arguments: argparse.Namespace, project: Callable[[argparse.Namespace], Project], factors: tuple[int, ...]
) -> None:
    from flows.estimate import hls4ml_project

    folder = arguments.project
    if not hls4ml_project.is_project(folder):
        folder = _translated(project(arguments), arguments.build)
    design = hls4ml_project.read(folder)
    if arguments.part:
        design = replace(design, part=arguments.part)
    for found in [design.at(factor) for factor in factors] or [design]:
        print("\n".join(_told(found, folder)))


def _translated(project: Project, build: Path) -> Path:
    """The hls4ml project of one of ours; trained and translated unless that is done already."""
    from flows.pipeline import TRANSLATE_STEPS, run

    done = run(project, build, TRANSLATE_STEPS).translated
    assert done is not None
    return done.folder / "hls"


def _told(design: Design, folder: Path) -> Iterator[str]:
    from flows import preflight
    from flows.estimate import estimate

    found = estimate(design)
    yield f"# {design.name}: csynth as estimated, {design.backend}, {design.io_type}, {design.clock_ns:g} ns\n"
    yield layer_table(found) + "\n"
    yield total_table(found) + "\n"
    if found.departures:
        yield f"Intervals are wider, for this is outside the calibration: {'; '.join(found.departures)}.\n"
    for finding in preflight.check(design, folder, found):
        yield f"- {finding}"


def layer_table(found: Estimate) -> str:
    """The share of each layer."""
    from flows.estimate import METRICS
    from flows.markdown import table

    rows = [
        [layer.name, layer.kind, *(f"{layer.figures[name]:,.0f}" if name in layer.figures else "" for name in METRICS)]
        for layer in found.layers
    ]
    return table(["layer", "kind", *METRICS], rows)


def total_table(found: Estimate) -> str:
    """The whole, with intervals, beside what the part has."""
    from flows.estimate.part import available, verdict
    from flows.markdown import table

    offered = available(found.design.part)
    rows = []
    for name, figure in found.figures.items():
        limit = offered.get(name)
        said = [f"{limit:,}", verdict(figure, limit)] if limit is not None else ["", ""]
        rows.append([name, f"{figure.value:,.0f}", f"{figure.low:,.0f} to {figure.high:,.0f}", *said])
    part = found.design.part or "unknown part"
    return table(["estimated", "value", f"{found.coverage:.0%} interval", part, "verdict"], rows)
