"""Follow the log of a program that runs: which phase it is in, whether it is silent, whether it keeps its limits.

In: a call, the log it writes, limits. Out: what the user is told while it runs, and a verdict when a limit is broken:
one that names the phase in which it happened, and the knob that cures it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hlsflow.core.errors import ToolFailed
from hlsflow.core.progress import Tell, duration
from hlsflow.toolchains import family
from hlsflow.toolchains.chain import Call, Phase

START = Phase("", "starting")
GIB = 2**30
MEMORY_EVERY_S = 1.0
LONG_LINE = 10_000
"""Bytes of a line without end that are kept in waiting for the rest."""

MORE_TIME = "allow more with --timeout, or make the design smaller: a higher reuse factor, strategy resource"
MORE_MEMORY = "allow more with --memory, or make the design smaller: a higher reuse factor, strategy resource"


@dataclass(frozen=True)
class Limits:
    """What a run may take.

    Attributes:
        timeout_s: wall time of one call.
        memory_gib: memory of all processes of one call together; None: not bounded.
        licences: how many runs may hold a licence at once on this machine; None: not bounded.
        silence_s: after so long without output the user is told.
    """

    timeout_s: float = 6 * 3600.0
    memory_gib: float | None = None
    licences: int | None = None
    silence_s: float = 300.0


class Monitor:
    """Watches one call; a `hlsflow.toolchains.process.Watch`.

    Args:
        title: of toolchain and step, for messages.
        call: what runs.
        layer_of: a line of the log → the layer of the network that it is about, or "".
        log: the file it writes.
        limits: to keep.
        tell: shows phase and last line.
        say: for what must be seen also later.
    Attributes:
        phase: in which it is.
        peak: bytes of memory its processes took at most, as far as was seen.
    """

    def __init__(
        self,
        title: str,
        call: Call,
        layer_of: Callable[[str], str],
        log: Path,
        limits: Limits,
        tell: Tell,
        say: Callable[[str], None],
    ) -> None:
        self._title, self._layer_of, self._log = title, layer_of, log
        self._limits, self._tell, self._say = limits, tell, say
        self._phases = [(re.compile(phase.pattern), phase) for phase in call.phases]
        self._offset, self._rest, self._line = 0, b"", ""
        self._seconds = self._heard = self._weighed = self._began = 0.0
        self._warn_after = limits.silence_s
        self.phase, self.peak = START, 0

    def __call__(self, seconds: float, guard: int) -> None:
        """Look at it; raises ToolFailed when it breaks a limit."""
        self._seconds = seconds
        self._read()
        self._tell(self.phase.name, self._line)
        self._note_silence()
        if seconds - self._weighed >= MEMORY_EVERY_S or not self.peak:
            self._weighed = seconds
            self._weigh(guard)
        if seconds > self._limits.timeout_s:
            took = f"did not end within {duration(self._limits.timeout_s)}"
            raise self._stopped(took, MORE_TIME)

    def _read(self) -> None:
        with self._log.open("rb") as stream:
            stream.seek(self._offset)
            new = stream.read()
        if not new:
            return
        self._offset += len(new)
        self._heard, self._warn_after = self._seconds, self._limits.silence_s
        *lines, self._rest = re.split(rb"[\r\n]+", self._rest[-LONG_LINE:] + new)
        for line in filter(None, lines):
            self._take(line.decode("utf-8", errors="replace").strip())

    def _take(self, line: str) -> None:
        self._line = line or self._line
        for pattern, phase in self._phases:
            if pattern.search(line):
                if phase != self.phase:
                    self.phase, self._began = phase, self._seconds
                return

    def _note_silence(self) -> None:
        """Once, then again each time that it has lasted twice as long."""
        silent = self._seconds - self._heard
        if silent >= self._warn_after:
            cure = f"; if it never ends: {self.phase.cure}" if self.phase.cure else ""
            self._say(f"{self._title}: no output for {duration(silent)} in phase {self.phase.name}{cure}")
            self._warn_after *= 2

    def _weigh(self, guard: int) -> None:
        taken = family.resident_bytes(guard)
        limit = self._limits.memory_gib
        if limit is not None and taken > limit * GIB:
            taken = family.proportional_bytes(guard)
        self.peak = max(self.peak, taken)
        if limit is not None and taken > limit * GIB:
            took = f"took {taken / GIB:.3g} GiB of memory with all its processes, more than the limit of {limit:g} GiB,"
            raise self._stopped(took, MORE_MEMORY)

    def _stopped(self, what: str, cure: str) -> ToolFailed:
        """The verdict: what happened, in which phase and at which layer, and what to change."""
        silent, inside = self._seconds - self._heard, self._seconds - self._began
        times = f", after {duration(inside)} there" if self._began else ""
        times += f" and {duration(silent)} without output" if silent >= self._limits.silence_s else ""
        last = f"\n  last line: {self._line[:300]}" if self._line else ""
        layer = self._layer_of(self._line)
        place = f"{self.phase.name} of layer '{layer}'" if layer else self.phase.name
        message = f"{self._title} {what} and was stopped in phase {place}{times}; its output is in {self._log}{last}"
        return ToolFailed(message, self.phase.cure or cure)
