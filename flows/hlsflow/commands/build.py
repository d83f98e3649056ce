"""The command `hlsflow build`: drive a vendor's toolchain.

In: the command line. Out: what `hlsflow.pipeline.vendor` does, and its figures as a table.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hlsflow.commands import project, screen
from hlsflow.core.errors import ProjectError
from hlsflow.toolchains.chain import Step

if TYPE_CHECKING:
    from hlsflow.core.metrics import MetricSet
    from hlsflow.pipeline.vendor import Request
    from hlsflow.project import Project
    from hlsflow.report.document import Table

MODEL_FILES = (".h5", ".hdf5", ".keras", ".toml")

EPILOG = """\
Examples:
  hlsflow build projects/digits                              C synthesis by the tool that is installed
  hlsflow build projects/digits --toolchain oneapi           translated for hls4ml's oneAPI backend first
  hlsflow build my-hls-test --steps csim,csynth,cosim,synth,implement --timeout 120 --memory 24
"""


def add_to(commands: Any) -> None:
    """Add the command to those of the command line."""
    parser = commands.add_parser(
        "build",
        help="build a project, or a folder that hls4ml wrote, with a vendor's toolchain",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    project.add_to(parser)
    parser.add_argument("--toolchain", default="", help="default: the one that builds the backend and is installed")
    parser.add_argument(
        "--steps", type=_steps, default=(), metavar="A,B,…", help=f"of {', '.join(Step)} (default: csynth)"
    )
    parser.add_argument("--part", default="", help="device, instead of the project's")
    parser.add_argument(
        "--timeout", type=_positive, default=360.0, metavar="MIN", help="wall time of each step (default: 360)"
    )
    parser.add_argument("--memory", type=_positive, metavar="GIB", help="memory of all processes of a step together")
    parser.add_argument("--licences", type=_count, metavar="N", help="runs that hold a licence at once on this machine")
    parser.add_argument(
        "--no-preflight", action="store_true", help="start even what is known to fail; what is known is still said"
    )
    screen.add_json(parser)
    parser.set_defaults(command=_build)


def _build(arguments: argparse.Namespace) -> None:
    from hlsflow.core.progress import Progress
    from hlsflow.pipeline.vendor import build_folder, build_project

    path: Path = arguments.project
    if path.suffix in MODEL_FILES or (path / "project.toml").is_file():
        chosen = _at(project.project_of(arguments), bool(arguments.reuse_factor))
        folder, figures = build_project(chosen, request(arguments), arguments.build, Progress())
    else:
        if arguments.part or arguments.reuse_factor:
            option = "--part" if arguments.part else "--reuse-factor"
            raise ProjectError(f"{option} goes with a project, not with a folder that hls4ml wrote", "write it again")
        folder, figures = path, build_folder(path, request(arguments), Progress())
    if arguments.json:
        screen.say_json(arguments, {"schema": 1, "folder": str(folder), "metrics": figures.to_json()})
        return
    if figures.metrics:
        screen.say_tables(table(figures))
    screen.say(f"reports, logs and metrics.json: {folder}")


def _at(project: Project, asked: bool) -> Project:
    """The project with the reuse factor asked for, of which there is one."""
    if not asked:
        return project
    if len(project.reuse_factors) > 1:
        raise ProjectError("build makes one design", "give one --reuse-factor; `hlsflow estimate` takes several")
    return project.at(project.reuse_factors[0])


def request(arguments: argparse.Namespace) -> Request:
    """What the arguments ask for."""
    import os

    from hlsflow.pipeline.vendor import Request
    from hlsflow.toolchains.drive import Limits

    return Request(
        steps=arguments.steps,
        toolchain=arguments.toolchain,
        part=arguments.part,
        limits=Limits(arguments.timeout * 60, arguments.memory, arguments.licences),
        jobs=arguments.jobs or os.cpu_count() or 1,
        checked=not arguments.no_preflight,
    )


def table(figures: MetricSet) -> Table:
    """A row for each figure, with stage, tool, version and the line it stands on."""
    from hlsflow.report.document import Figure, Table, row

    rows = (row(m.name, Figure.of("", m), m.unit, m.stage.value, m.tool, m.version, m.source, m.note) for m in figures)
    return Table(("figure", "value", "unit", "stage", "tool", "version", "source", "note"), tuple(rows))


def _steps(text: str) -> tuple[Step, ...]:
    try:
        return tuple(Step(word.strip()) for word in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no list of steps: write some of {','.join(Step)}") from None


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is no positive number")
    return value


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no number of licences: write 1 or more")
    return int(text)
