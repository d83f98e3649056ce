"""What all reports of Vivado begin with: who wrote them about what, and their table of contents.

In: the text of a report. Out: `Header`; an error when the last section that the contents name is not there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from hlsflow.core.metrics import Stage
from hlsflow.toolchains.reports.report import UNKNOWN, Origin
from hlsflow.toolchains.reports.text import Text

TOOL = "Vivado"
SECTION = re.compile(r"^(\d+(?:\.\d+)*)\.? (\S.*?)\s*$")
WORDS = ((Stage.ROUTED, ("rout",)), (Stage.PLACED, ("place",)), (Stage.SYNTH, ("synth", "optimized", "opted")))
"""What a design's state or a report's own name says of its stage; the first that fits counts."""

OTHER = r"^\| Command\s*: report_\w+"
"""What the first lines of a report of any of Vivado's commands hold."""

PARTLY = ("partially", "partly")


@dataclass(frozen=True)
class Header:
    """What a report says of itself.

    Attributes:
        version: of Vivado.
        design: the top.
        device: the part, as Vivado writes it here: `7z020clg400-1` for xc7z020-clg400-1.
        state: how far the design is, such as `Synthesized` or `Fully Placed`, or `UNKNOWN`.
        file: the report's own name when it was written, which says how far the design was where `state` does not.
    """

    version: str
    design: str
    device: str
    state: str
    file: str

    @property
    def stage(self) -> Stage:
        """By the design's state, or, where that tells none, by the report's own name."""
        return self._told or Stage.ROUTED

    @property
    def note(self) -> str:
        """What must be read with figures of a design that is not known to be routed."""
        if self._told is None:
            return "the report does not tell whether the design is routed"
        if self._told is Stage.PLACED:
            return "after placement, before routing"
        return f"the design is {self.state.lower()}" if self.state.lower().startswith(PARTLY) else ""

    @property
    def _told(self) -> Stage | None:
        """`Physopt postPlace` is placed, `Physopt postRoute` is routed."""
        return _stage_in(self.state.lower()) or _stage_in(self.file)

    def origin(self, clock_ns: float | None = None) -> Origin:
        return Origin(self.stage, TOOL, self.version, self.device, clock_ns)


def command(name: str) -> str:
    """What the first lines of a report hold that this command of Vivado wrote, as a regular expression."""
    return rf"^\| Command\s*: {name}(?!\w)"


def _stage_in(words: str) -> Stage | None:
    return next((stage for stage, parts in WORDS if any(part in words for part in parts)), None)


def header(text: Text) -> Header:
    """The first lines of a report; raises DataError when they are not those of Vivado."""
    start, version = text.find(r"^\| Tool Version\s*: Vivado v\.(\d{4}\.\d(?:\.\d)?)\b", "version of Vivado")
    if text.search(r"^\| Tool Version\s*:", start + 1):
        raise text.damaged("holds more than one report")
    design, device = (_said(text, name, start) for name in ("Design", "Device"))
    state = text.search(r"^\| Design State\s*: (\S.*?)\s*$", start)
    file = text.search(r"^\| Command\s*: .*-file (?:\S*/)?([^\s/]+)", start)
    name = file[1].group(1) if file else text.file.name
    design_state = state[1].group(1) if state else UNKNOWN
    return Header(version.group(1), design, _whole_device(text, device, start), design_state, name.lower())


def _said(text: Text, name: str, start: int) -> str:
    return text.find(rf"^\| {name}\s*: (\S+)\s*$", f"'{name}' among its first lines", start)[1].group(1)


def _whole_device(text: Text, device: str, start: int) -> str:
    """Timing reports write the speed grade on a line of its own: `Speed File : -1  PRODUCTION 1.11`.

    Others name it there and in the device too, with the temperature grade behind it: `xcvu9p-flga2104-2-e`.
    """
    speed = text.search(r"^\| Speed File\s*: (-\w+)", start)
    if speed is None or re.search(rf"{speed[1].group(1)}(?!\w)", device):
        return device
    return device + speed[1].group(1)


def section(text: Text, title: str) -> int | None:
    """The line on which a section of that title begins; None when the report has none.

    Args:
        title: as a regular expression, without its number.
    """
    wanted = re.compile(rf"{title}\s*")
    for index in range(len(text.lines) - 1):
        match = SECTION.match(text.lines[index])
        if match and wanted.fullmatch(match.group(2)) and re.fullmatch(r"-{3,}\s*", text.lines[index + 1]):
            return index + 2
    return None


def require_whole(text: Text) -> None:
    """Raises DataError when a table does not end, or a section that the contents name is not there."""
    text.require_closed()
    line, _ = text.find(r"^Table of Contents", "table of contents")
    named = 0
    for content in text.lines[line + 1 :]:
        match = SECTION.match(content)
        if match is None:
            break
        named += 1
        if section(text, re.escape(match.group(2))) is None:
            raise text.damaged(f"has no section '{match.group(2)}', which its contents name: it ends early")
    if not named:
        raise text.damaged("its table of contents is empty: it ends early")
