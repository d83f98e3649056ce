"""One exploration, whoever synthesizes: what is asked, where its files go, and the log that it keeps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hlsflow.core.journal import LOG, kept_in
from hlsflow.core.progress import Progress
from hlsflow.explore.outcome import Outcome
from hlsflow.explore.request import Request
from hlsflow.explore.search import Question
from hlsflow.explore.written import write
from hlsflow.project import Project


@dataclass(frozen=True)
class Exploration:
    """What is explored, what is asked of it, and where its files go.

    Attributes:
        build: the folder of all builds.
        folder: for the files of this one.
        jobs: external tools at once; 0: one per processor.
    """

    project: Project
    request: Request
    question: Question
    build: Path
    folder: Path
    progress: Progress
    jobs: int

    def carried_out(self, explored: Callable[[Exploration], Outcome]) -> tuple[Outcome, Path]:
        """What `explored` finds, written; and the folder of the files."""
        with kept_in(self.folder / LOG):
            outcome = explored(self)
            write(outcome, self.folder)
        return outcome, self.folder
