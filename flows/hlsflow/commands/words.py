"""The parser of the command line, which knows what a mistyped word may have meant.

In: arguments. Out: what `argparse` makes of them, or its error with a suggestion.
"""

from __future__ import annotations

import argparse
import difflib
import re
from collections.abc import Iterator
from typing import Any, NoReturn

UNKNOWN = re.compile(r"unrecognized arguments: (.*)", re.DOTALL)
CHOICE = re.compile(r"invalid choice: '([^']*)' \(choose from (.*)\)", re.DOTALL)


class Parser(argparse.ArgumentParser):
    """A parser, and those of its commands, which are of the same class."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As `argparse` does it; an option that the command does not have is its error, not that of the one above."""
        found, rest = super().parse_known_args(args, namespace)
        if rest and not any(isinstance(action, argparse._SubParsersAction) for action in self._actions):
            self.error(f"unrecognized arguments: {' '.join(rest)}")
        return found, rest

    def error(self, message: str) -> NoReturn:
        """End with usage, error and what may have been meant."""
        super().error(message + self._meant(message))

    def _meant(self, message: str) -> str:
        if unknown := UNKNOWN.search(message):
            options = [option for action in self._actions for option in action.option_strings]
            return suggestion(unknown[1].strip().partition(" ")[0].partition("=")[0], options)
        if choice := CHOICE.search(message):
            return suggestion(choice[1], re.findall(r"[^\s,']+", choice[2]))
        return ""


def suggestion(word: str, words: list[str]) -> str:
    """`; did you mean …?`, or nothing where no word is like it."""
    close = difflib.get_close_matches(word, words, 1, 0.6)
    return f"; did you mean {close[0]}?" if close else ""


def leaves(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """The parsers of all commands that have no commands of their own."""
    below = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not below:
        yield parser
    for action in below:
        for command in action.choices.values():
            yield from leaves(command)
