"""Why a vendor's program failed, said so that a user can act on it.

In: a call that has ended, its complete log, and a table of symptoms. Out: one error of our family, or none.
Vendors' programs end with exit code 1 for most failures, and some with 0 in spite of one, so the log decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hlsflow.core.errors import FlowError, StorageError, ToolFailed, ToolMissing
from hlsflow.toolchains import process
from hlsflow.toolchains.chain import Call
from hlsflow.toolchains.process import FREE_SPACE, Finished

LICENCE_HINT = (
    "set XILINXD_LICENSE_FILE or LM_LICENSE_FILE to your licence server, wait for a free licence, "
    "or bound the runs at once with --licences"
)


@dataclass(frozen=True)
class Symptom:
    """A line of a log that explains a failure.

    Attributes:
        pattern: regular expression, searched in each line.
        error: what to raise.
        means: what it means; `{0}` is the matching line, `{1}` … the groups of the pattern.
        cure: what to do next.
    """

    pattern: str
    error: type[FlowError]
    means: str
    cure: str


LICENCE = (
    Symptom(
        r"(?i)(?:licen[cs]e was not found for|failed to (?:get|obtain|check ?out)(?: the| a)? licen[cs]e for|"
        r"no (?:valid )?licen[cs]e (?:was )?(?:found|available) for|cannot check ?out(?: the)? licen[cs]e(?: for)?|"
        r"invalid licen[cs]e (?:for|feature))\s*(?:the )?(?:feature:?|product:?)?\s*['\"]?([\w.-]+)",
        ToolMissing,
        "no licence for {1}",
        LICENCE_HINT,
    ),
    Symptom(
        r"(?i)licen[cs]e (?:server .*(?:down|not respond)|checkout fail|.*(?:not found|expired|denied|unavailable))"
        r"|no such feature exists|licensed number of users already reached",
        ToolMissing,
        "no licence: {0}",
        LICENCE_HINT,
    ),
)
"""FlexNet's answers, as the vendors' programs pass them on."""

STORAGE = Symptom(f"(?i){process.DISK_FULL.pattern}", StorageError, "the disk is full: {0}", FREE_SPACE)


def judge(
    call: Call,
    finished: Finished,
    folder: Path,
    title: str,
    symptoms: Sequence[Symptom] = (),
    fatal: Sequence[Symptom] = (),
) -> None:
    """The exit rule that most toolchains share.

    Args:
        call: what was run.
        finished: how it ended.
        folder: of the project.
        title: of the toolchain, for messages.
        symptoms: of that toolchain, the most telling first.
        fatal: those that mean a failure even when the program says that it has succeeded.
    Raises:
        FlowError: of the kind that the log's symptom has. Without one: ToolFailed for an exit code, a signal, or
            something of `call.leaves` that is missing; StorageError when the disk is full.
    """
    lost = [name for name in call.leaves if not _left(folder / name)]
    failed = bool(finished.returncode != 0 or lost)
    symptom_seen = _first((*fatal, STORAGE, *symptoms, *LICENCE) if failed else fatal, finished.log)
    if symptom_seen is not None:
        symptom, groups = symptom_seen
        means = symptom.means.format(*groups)
        raise symptom.error(f"{title} {call.step}: {means}; its output is in {finished.log}", symptom.cure)
    if not failed:
        return
    if finished.returncode != 0:
        raise process.failure(finished, folder, f"{title} {call.step}")
    raise ToolFailed(
        f"{title} {call.step} ended without an error, but left no {lost[0]}; its output is in {finished.log}\n"
        f"{process.last_errors(finished.output)}".rstrip(),
        "read the log, correct the cause and run again",
    )


def _left(path: Path) -> bool:
    """A file, or a folder with something in it."""
    return any(path.iterdir()) if path.is_dir() else path.is_file()


def _first(symptoms: Sequence[Symptom], log: Path) -> tuple[Symptom, tuple[str, ...]] | None:
    """The first of these symptoms that a line of the log has, with the line and the groups of its pattern."""
    waiting = [(symptom, re.compile(symptom.pattern)) for symptom in symptoms]
    first: tuple[Symptom, tuple[str, ...]] | None = None
    for line in _lines(log):
        for index, (symptom, pattern) in enumerate(waiting):
            match = pattern.search(line)
            if match:
                first = symptom, (line.strip()[:300], *(group or "" for group in match.groups()))
                del waiting[index:]  # those that come after it count no more
                break
    return first


def _lines(log: Path) -> Iterator[str]:
    with log.open(encoding="utf-8", errors="replace") as stream:
        yield from stream
