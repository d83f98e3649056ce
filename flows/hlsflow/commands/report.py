"""The commands `hlsflow report` and `hlsflow compare`, and the baseline of `hlsflow check`.

In: parsed arguments. Out: text on standard output or in a file.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hlsflow.commands import screen

if TYPE_CHECKING:
    from hlsflow.report.document import Document
    from hlsflow.report.folders.directory import Directory

RUN_FILES: Mapping[str, str] = {"md": "report.md", "html": "report.html", "csv": "report.csv", "json": "report.json"}
"""What a run of ours has written already."""


def add_to(commands: Any) -> None:
    """Add the commands to the sub-parsers of `hlsflow`."""
    report = commands.add_parser("report", help="tell what any project folder or run holds, as tables")
    report.add_argument("folder", type=Path, help="a folder that hls4ml wrote and any tool built, or a project or run")
    compare = commands.add_parser("compare", help="designs side by side, with differences in per cent")
    compare.add_argument(
        "paths", type=Path, nargs="+", metavar="A", help="runs, project folders, report files or baselines"
    )
    for parser, command, formats in ((report, _report, tuple(RUN_FILES)), (compare, _compare, ("md", "html"))):
        parser.add_argument(
            "--format", choices=formats, default="md", help="default: md, which reads as plain text too"
        )
        parser.add_argument("--output", type=Path, metavar="FILE", help="write there instead of on the terminal")
        parser.add_argument("--build", type=Path, default=Path("build"), help="folder of all results (default: build)")
        screen.add_json(parser)
        parser.set_defaults(command=command)


def add_baseline_to(parser: argparse.ArgumentParser) -> None:
    """Add the options of a baseline to `hlsflow check`."""
    parser.add_argument(
        "--baseline", type=Path, metavar="FILE", help="hold the figures of a run, folder or report against this file"
    )
    parser.add_argument("--write-baseline", type=Path, metavar="FILE", help="write the figures of today as a baseline")


def _report(arguments: argparse.Namespace) -> None:
    from hlsflow.report.comparison.subjects import run_report
    from hlsflow.report.folders import directory_report
    from hlsflow.report.folders.directory import read

    run = run_report(arguments.folder, arguments.build)
    form = "json" if arguments.json else arguments.format
    if run is not None:
        _say(arguments, _written(run.parent / RUN_FILES[form]))
        return
    directory = read(arguments.folder)
    _say(arguments, _told(directory, form), directory_report.document(directory) if form == "md" else None)


def _written(file: Path) -> str:
    """A file that a run has left; raises DataError when it has not."""
    from hlsflow.core import foreign

    kind = foreign.Kind("", "is damaged", "run the project again: hlsflow run", limit=256 * foreign.MIB)
    return foreign.text(file, kind)


def _told(directory: Directory, form: str) -> str:
    from hlsflow.report.folders import directory_report

    if form == "csv":
        return directory_report.to_csv(directory)
    if form == "json":
        return json.dumps(directory_report.to_json(directory), indent=1) + "\n"
    return _renderer(form)(directory_report.document(directory))


def _compare(arguments: argparse.Namespace) -> None:
    from hlsflow.report import as_json
    from hlsflow.report.comparison.baseline import designs
    from hlsflow.report.comparison.compare import compare

    subjects_there = [subject for path in arguments.paths for subject in designs(path, arguments.build)]
    document = compare(subjects_there)
    if arguments.json:
        _say(arguments, json.dumps(as_json.document(document), indent=1) + "\n")
    else:
        _say(arguments, _renderer(arguments.format)(document), document if arguments.format == "md" else None)


def check_baseline(arguments: argparse.Namespace) -> None:
    """Hold what `arguments.project` names against a baseline, or write one; raises BaselineMoved."""
    from hlsflow.report.comparison import baseline
    from hlsflow.report.comparison.subjects import subjects

    measured = subjects(arguments.project, arguments.build)
    for text in (text for subject in measured for text in subject.warnings):
        screen.say(f"warning: {text}")
    if arguments.baseline:
        expected = baseline.read(arguments.baseline)
        moved = baseline.moved(expected, measured)
        for text in baseline.other_versions(moved):
            screen.say(f"another version: {text}")
        baseline.require(moved, arguments.baseline)
        screen.say(f"{len(moved)} figures of {arguments.project} are within the tolerances of {arguments.baseline}")
    if arguments.write_baseline:
        count = baseline.write(measured, arguments.write_baseline, str(arguments.project))
        screen.say(f"wrote {count} figures of {arguments.project} to {arguments.write_baseline}")


def _renderer(form: str) -> Callable[[Document], str]:
    from hlsflow.report import html, markdown

    return html.render if form == "html" else markdown.render


def _say(arguments: argparse.Namespace, text: str, document: Document | None = None) -> None:
    """Write the text where it is wanted; a terminal gets the tables of the document."""
    from hlsflow.core.store import write_text
    from hlsflow.report import terminal

    if arguments.output:
        write_text(arguments.output, text)
        screen.say(f"wrote {arguments.output}")
    elif arguments.json:
        screen.say_text(arguments, text)
    else:
        screen.say(text.removesuffix("\n"), terminal.drawn(*document.sections) if document else None)
