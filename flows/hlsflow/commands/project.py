"""The arguments that several commands share: a project, or a model file and what has to be known of it.

In: the command line. Out: a `Project`.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from hlsflow.commands import subject
from hlsflow.core.errors import ProjectError
from hlsflow.project import Project
from hlsflow.project.gate import tolerance
from hlsflow.toolchains import boards

OF_MODELS = (
    "data",
    "label",
    "features",
    "standardize",
    "standardize_by",
    "input_precision",
    "bits",
    "task",
    "tolerance",
    "clock",
    "io_type",
    "strategy",
    "prefix",
    "axis_bits",
    "part",
    "board",
)
"""Options that say of a model file what a project's own file says."""


def add_to(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of every command that takes a project or a model."""
    add = parser.add_argument
    add("project", type=Path, help="a project folder, or a QKeras model (.h5, .keras); with --bits a float one")
    model = parser.add_argument_group("a model file takes these; a project says them in its project.toml")
    model.add_argument(
        "--data", type=Path, metavar="X.npz", help="samples: arrays x and, if known, y; or .csv, .parquet"
    )
    model.add_argument(
        "--label",
        metavar="COLUMN",
        help="column of a table with the class (default: y, label or class), or array of an .npz (default: y)",
    )
    model.add_argument(
        "--features",
        metavar="A,B,…",
        help="columns of a table that enter the network (default: all), or array of an .npz (default: x)",
    )
    standard = model.add_mutually_exclusive_group()
    standard.add_argument(
        "--standardize",
        action="store_true",
        help="the network was trained on features of mean 0 and deviation 1: bring the samples there",
    )
    standard.add_argument(
        "--standardize-by",
        type=Path,
        metavar="FILE",
        help="the same by mean and deviation of the samples in FILE, such as the training table",
    )
    model.add_argument("--input-precision", metavar="TYPE", help="input quantizer, such as fixed<10,4>, or auto")
    model.add_argument("--bits", type=int, metavar="N", help="the model is a float one: quantize it to N bits")
    model.add_argument(
        "--task",
        choices=("classes", "binary", "multilabel", "regression"),
        help="what the network tells (default: what y and the number of outputs say)",
    )
    model.add_argument(
        "--tolerance",
        metavar="0 or NAME=N,…",
        help="what may differ from the file: classes=0.1,accuracy=0.1,range=1 (per cent, points, per cent)",
    )
    model.add_argument("--clock", type=float, metavar="NS", help="clock period to ask for, in ns (default: 5)")
    model.add_argument(
        "--io-type",
        choices=("io_parallel", "io_stream"),
        help="how values enter layers (default: io_parallel, but for networks whose C++ would take minutes to compile)",
    )
    model.add_argument("--strategy", choices=("latency", "resource", "sparse"), help="of all layers (default: latency)")
    model.add_argument("--prefix", metavar="NAME", help="in front of the names of the open RTL's modules and files")
    model.add_argument("--axis-bits", type=int, metavar="N", help="width of the open RTL's AXI4-Stream buses, 8 to 512")
    model.add_argument("--allow-lambda", action="store_true", help="run code that Lambda layers of the file carry")
    add("--reuse-factor", metavar="R,R,…", help="reuse factors to measure, instead of the project's")
    add("--build", type=Path, default=Path("build"), help="folder for all results (default: build)")
    add("--jobs", type=_jobs, default=0, help="external tools at once (default: one per processor)")


def add_target_to(parser: argparse.ArgumentParser) -> None:
    """Add what a model file is built for, where a command has no `--part` of another meaning."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--part", help="part that a model file is built for, such as xc7a35tcpg236-1")
    which.add_argument("--board", help=f"board that it is built for: {', '.join(boards.BOARDS)}")


def project_of(arguments: argparse.Namespace) -> Project:
    """The project that the arguments name; raises ProjectError or DataError."""
    factors = reuse_factors(arguments.reuse_factor)
    if arguments.project.suffix.lower() in subject.MODELS:
        project = _model_project(arguments)
    else:
        project = _own_project(arguments)
    return project.sweeping(factors) if factors else project


def _own_project(arguments: argparse.Namespace) -> Project:
    from hlsflow.project import load

    subject.require_project(arguments.project)
    for option in (*OF_MODELS[:-2], "allow_lambda"):
        if getattr(arguments, option):
            name = option.replace("_", "-")
            raise ProjectError(f"--{name} goes with a model file, not with a project", "set it in project.toml instead")
    return load(arguments.project)


def _model_project(arguments: argparse.Namespace) -> Project:
    from hlsflow.design import load

    if arguments.data is None and arguments.project.is_file():
        raise ProjectError(
            f"{arguments.project} needs samples to be checked with", "add --data X.npz (array x, perhaps y)"
        )
    return load(
        arguments.project,
        data=arguments.data,
        input_precision=arguments.input_precision,
        bits=arguments.bits,
        task=arguments.task,
        tables=_tables(arguments),
        build=arguments.build,
    ).project


def _tables(arguments: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """Tables of a project file, as the options of a model file say."""
    features = arguments.features.split(",") if arguments.features else None
    board = getattr(arguments, "board", None)
    part = boards.part_of(board) if board else arguments.part if hasattr(arguments, "board") else None
    tables: dict[str, dict[str, Any]] = {
        "data": {"label": arguments.label, "features": features, "standardize": _standardize(arguments)},
        "model": {"allow_lambda": arguments.allow_lambda or None},
        "target": {
            "clock_ns": arguments.clock,
            "io_type": arguments.io_type,
            "prefix": arguments.prefix,
            "axis_bits": arguments.axis_bits,
            **(boards.target(part) if part else {}),
        },
        "knobs": {"strategy": arguments.strategy},
        "gate": dict(tolerance(arguments.tolerance)) if arguments.tolerance else {},
    }
    return {name: {key: value for key, value in keys.items() if value is not None} for name, keys in tables.items()}


def _standardize(arguments: argparse.Namespace) -> bool | str | None:
    """`data.standardize`, as the options say; None where they say nothing."""
    if arguments.standardize_by is not None:
        return str(arguments.standardize_by.resolve())
    return True if arguments.standardize else None


def reuse_factors(text: str | None) -> tuple[int, ...]:
    """A list of reuse factors; raises ProjectError."""
    try:
        factors = tuple(int(word) for word in text.split(",")) if text else ()
    except ValueError:
        raise ProjectError(f"--reuse-factor {text} is no list of whole numbers", "write for example 16,32,64") from None
    if any(factor < 1 for factor in factors):
        raise ProjectError(f"--reuse-factor {text}: a reuse factor is 1 or more", "write for example 16,32,64")
    return factors


def _jobs(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no number of tools: write 1 or more")
    return int(text)
