"""How a command shows its result: for people on the terminal, or as one JSON document for scripts.

In: a result. Out: standard output, and the log of the run. Under `--json` whatever else is printed goes to standard
error.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from hlsflow.core import journal
from hlsflow.core.journal import Verbosity

if TYPE_CHECKING:
    from rich.console import RenderableType

    from hlsflow.report.document import Block, Section


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add `--json` to a command that prints a table."""
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of tables")


def add_verbosity(parser: argparse.ArgumentParser) -> None:
    """Add `-v` and `-q` to a command."""
    how = parser.add_mutually_exclusive_group()
    how.add_argument("-v", "--verbose", action="store_true", help="also tell the commands of tools, and their times")
    how.add_argument("-q", "--quiet", action="store_true", help="print the result and errors alone")


def verbosity(arguments: argparse.Namespace) -> Verbosity:
    """What the arguments ask for."""
    if arguments.verbose:
        return Verbosity.VERBOSE
    return Verbosity.QUIET if arguments.quiet else Verbosity.NORMAL


@contextmanager
def shown(arguments: argparse.Namespace, words: Sequence[str]) -> Iterator[None]:
    """Hold for one command how much is shown, and where."""
    told = f"hlsflow {' '.join(words)}"
    with contextlib.ExitStack() as stack:
        if getattr(arguments, "json", False):
            arguments.output_stream = sys.stdout
            stack.enter_context(contextlib.redirect_stdout(sys.stderr))
        stack.enter_context(journal.session(verbosity(arguments), told))
        yield


def log_failure(error: BaseException, text: str) -> None:
    """Keep what ended a command in the log, and note in the error where that is."""
    journal.LOGGER.info("hlsflow: %s", text)
    if journal.file_of_session():
        error.add_note(f"log: {journal.file_of_session()}")


def say(text: str, drawn: RenderableType | None = None) -> None:
    """Print what was asked for; on a terminal as it is drawn."""
    from hlsflow.core.progress import Progress

    Progress().result(text, drawn)


def say_tables(*blocks: Section | Block) -> None:
    """Print tables and sections."""
    from hlsflow.report import markdown, terminal

    say("\n" + markdown.render_blocks(*blocks), terminal.drawn(*blocks))


def say_report(arguments: argparse.Namespace, report: Path | None) -> None:
    """Print the report of a run that has written it, where JSON is asked for."""
    if arguments.json and report is not None:
        say_text(arguments, report.read_text(encoding="utf-8"))


def say_json(arguments: argparse.Namespace, document: Any) -> None:
    """Print the document that `--json` asks for."""
    say_text(arguments, json.dumps(document, indent=1) + "\n")


def say_text(arguments: argparse.Namespace, text: str) -> None:
    """Print a text that is JSON already."""
    stream: TextIO = arguments.output_stream
    stream.write(text)
