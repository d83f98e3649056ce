"""The command `hlsflow new`: a project folder to start from, filled in from samples where they are at hand.

In: parsed arguments. Out: the files of `hlsflow.project.scaffold`.
"""

from __future__ import annotations

import argparse
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hlsflow.project.scaffold import Facts


def add_to(commands: Any) -> None:
    """Add the command to the sub-parsers of `hlsflow`."""
    parser = commands.add_parser("new", help="make a project folder to start from")
    parser.add_argument("folder", type=Path, help="folder of the new project, such as projects/mine")
    parser.add_argument("--data", type=Path, metavar="FILE", help="samples (.csv, .parquet, .npz) to fill it in from")
    parser.add_argument(
        "--label", metavar="COLUMN", help="column, or array of an .npz, with the class (default: y, label or class)"
    )
    parser.set_defaults(command=_new)


def _new(arguments: argparse.Namespace) -> None:
    from hlsflow.project.scaffold import Facts, scaffold

    facts = _facts(arguments.folder, arguments.data, arguments.label) if arguments.data else Facts()
    for file in scaffold(arguments.folder, facts):
        print(f"wrote {file}")
    print(f"now run: hlsflow run {arguments.folder}")


def _facts(folder: Path, data: Path, label: str | None) -> Facts:
    """What the samples say of a project in a folder, from which their file is named; raises DataError."""
    from hlsflow.core.tasks import Kind
    from hlsflow.data.grid import proposed_grid
    from hlsflow.data.sources import read_file
    from hlsflow.data.standard import Standard
    from hlsflow.data.targets import kind_of
    from hlsflow.project.scaffold import Facts

    arrays, source = read_file(data, label), os.path.relpath(data.resolve(), folder.resolve())
    x, y = (next((arrays[name] for name in (key, f"{key}_train") if name in arrays), None) for key in "xy")
    classes = Facts.classes
    if y is not None:
        rows = y.shape[1] if y.ndim > 1 else 1
        classes = int(y.max()) + 1 if kind_of([y], None, str(data)) is Kind.CLASSES and rows == 1 else rows
    if x is None:
        return Facts(source=source, label=label, classes=classes)
    proposal = proposed_grid(Standard.of(x)(x))
    print(f"input type, of the standardized samples: {proposal}")
    inputs = math.prod(x.shape[1:])
    return Facts(source, label, inputs, classes, str(proposal.kind), True, "x" in arrays)
