"""The log of a run: all that was said, with what was said before it had a place, and how much the terminal shows."""

from __future__ import annotations

import logging.handlers
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hlsflow.core import journal
from hlsflow.core.journal import LOGGER, Verbosity, file_of_session, kept_in, session, shows
from hlsflow.core.progress import Progress
from hlsflow.toolchains import process


def lines(file: Path) -> list[str]:
    """The messages of a log, without their times."""
    return [line.split(" ", 2)[2] for line in file.read_text(encoding="utf-8").splitlines()]


def test_a_log_holds_what_was_said_before_it_was_opened_and_after_it_was_left(tmp_path: Path) -> None:
    first, second = tmp_path / "a" / "run.log", tmp_path / "b" / "run.log"
    with session(Verbosity.QUIET, "hlsflow run it"):
        Progress().say("early")
        with kept_in(first):
            Progress().say("one")
            with kept_in(second):
                LOGGER.debug("tool")
        Progress().result("result")
        assert file_of_session() == first
    assert lines(first) == ["hlsflow run it", "early", "one", "tool", "result"]
    assert lines(second) == ["hlsflow run it", "tool", "result"]
    assert file_of_session() is None
    LOGGER.info("after the session")
    assert lines(second)[-1] == lines(first)[-1] == "result"


def test_without_a_session_a_log_ends_with_its_block(tmp_path: Path) -> None:
    with kept_in(tmp_path / "run.log"):
        Progress().say("inside")
    Progress().say("outside")
    assert lines(tmp_path / "run.log") == ["inside"]


@pytest.mark.parametrize(
    ("verbosity", "told"),
    [
        (Verbosity.QUIET, ["result"]),
        (Verbosity.NORMAL, ["said", "train 1/1 loss 3", "result"]),
        (Verbosity.VERBOSE, ["said", "train 1/1 loss 3", "tool", "result"]),
    ],
)
def test_how_much_is_shown(verbosity: Verbosity, told: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with session(verbosity, "hlsflow run it"):
        progress = Progress()
        progress.say("said")
        with progress.track("train", 1) as advance:
            advance("loss 3")
        LOGGER.debug("tool")
        progress.result("result")
    assert capsys.readouterr().out.splitlines() == told
    assert shows(logging.INFO)
    assert not shows(logging.DEBUG)


def test_a_file_of_its_own_gets_everything_and_the_log_nothing(tmp_path: Path) -> None:
    with (tmp_path / "own.txt").open("w") as stream, session(Verbosity.QUIET, "it"), kept_in(tmp_path / "run.log"):
        Progress(stream).say("for the file")
    assert (tmp_path / "own.txt").read_text() == "for the file\n"
    assert lines(tmp_path / "run.log") == ["it"]


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("no folder")
    full = tmp_path / "full"
    os.symlink("/dev/full", full)
    for place in (tmp_path / "file" / "run.log", full):
        with session(Verbosity.NORMAL, "it"), kept_in(place):
            Progress().say("said")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("said\nsaid\n", "")


def test_tools_and_their_times_are_in_the_log(tmp_path: Path) -> None:
    with kept_in(tmp_path / "run.log"):
        argv = [sys.executable, "-c", "print('of the tool')"]
        process.run(argv, folder=tmp_path, log=tmp_path / "tool.log", timeout_s=60, tool="Python")
    begun, ended = lines(tmp_path / "run.log")
    assert begun.startswith("Python: $ ")
    assert "of the tool" in begun
    assert ended.startswith("Python: exit code 0 after ")
    assert ended.endswith(f"its output: {tmp_path / 'tool.log'}")


def test_the_level_of_the_package_is_its_own() -> None:
    assert journal.LOGGER.name == "hlsflow"
    assert not journal.LOGGER.propagate


def test_file_names_that_are_no_text_are_escaped(tmp_path: Path) -> None:
    with kept_in(tmp_path / "run.log"):
        LOGGER.info("read %s, %d bytes", "n\udcff", 7)
    assert (tmp_path / "run.log").read_text().endswith("read n\\udcff, 7 bytes\n")
    assert list(captured("n\udcff")) == ["n\\udcff"]


def captured(name: str) -> Iterator[str]:
    """What a handler of somebody else gets."""
    handler = logging.handlers.BufferingHandler(2)
    LOGGER.addHandler(handler)
    try:
        LOGGER.info("%s", name)
    finally:
        LOGGER.removeHandler(handler)
    yield from (record.getMessage() for record in handler.buffer)
