"""The command `hlsflow search`: its arguments, and what it says in the end.

In: the command line. Out: `Options` carried out by `hlsflow.search`.
"""

from __future__ import annotations

import argparse
from typing import Any

from hlsflow.commands import project, screen
from hlsflow.core.errors import ProjectError
from hlsflow.project import Project

EPILOG = """\
Examples:
  hlsflow search projects/digits                 the trials of [search] in project.toml; again: those that are missing
  hlsflow search projects/digits --trials 60     that many in all
  hlsflow search projects/digits --storage postgresql://me@server/trials   kept there; several machines may share them
"""


def add_to(commands: Any) -> None:
    """Add the command to those of the command line."""
    parser = commands.add_parser(
        "search",
        help="the best networks by accuracy and measured hardware: widths, depths, bit widths",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    project.add_to(parser)
    parser.add_argument("--trials", type=_count, metavar="N", help="networks to try in all (default: the project's)")
    parser.add_argument(
        "--storage", metavar="URL", help="database of the trials (default: SQLite in build/PROJECT/search/search.db)"
    )
    parser.add_argument("--study", metavar="NAME", help="name of the trials there (default: the project's)")
    screen.add_json(parser)
    parser.set_defaults(command=lambda arguments: _search(arguments, project.project_of(arguments)))


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no number of trials: write 1 or more")
    return int(text)


def _search(arguments: argparse.Namespace, project: Project) -> None:
    from hlsflow.report.document import Lines
    from hlsflow.search import Options, search
    from hlsflow.search.outcome import front_table, summary_lines, to_json

    if arguments.reuse_factor:
        raise ProjectError(
            "--reuse-factor is for other commands: a trial is built at that of [knobs]",
            'vary it by search.space, as "knobs.reuse_factor" = [16, 64]',
        )
    options = Options(arguments.trials, arguments.storage, arguments.study, arguments.jobs)
    outcome, folder = search(project, options, arguments.build)
    if arguments.json:
        screen.say_json(arguments, to_json(outcome))
        return
    screen.say_tables(Lines(tuple(summary_lines(outcome))), front_table(outcome))
    screen.say(f"\npage, tables and a project for each point: {folder}")
