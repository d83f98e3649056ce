"""Which functions of a folder are designs, and which are parts of one.

In: the configuration, the files of a folder, and the reports that were read of them. Out: names of tops, and reports
sorted by what they are about. C synthesis writes a report for each function, and the one of the top looks like all
others. The top is what hls4ml or the project of the tool names; else what `csynth.xml` is about, in which Vitis HLS
sums a design up; else the function that no other one instantiates.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from hlsflow.core import foreign
from hlsflow.core.errors import DataError
from hlsflow.report.folders.hls4ml_config import Config
from hlsflow.toolchains.reports import Report, read_any
from hlsflow.toolchains.reports.report import UNKNOWN
from hlsflow.toolchains.reports.text import kind_of

APPLICATION = re.compile(r"<AutoPilot:project\b[^>]*\btop=\"(\w+)\"|<project\b[^>]*\btop=\"(\w+)\"")
APPLICATIONS = ("vivado_hls.app", "hls.app")
WRAPPED = ("{}", "{}_axi")
"""How hls4ml calls the top of a project."""

KERNEL = "kernel_wrapper"
"""The top that hls4ml's VitisAccelerator writes around that of the project."""

KINDS = ("csynth", "cosim", "csim", "utilisation", "timing", "power", "export")
"""Kinds of reports that name a top of a tool of AMD."""

FUNCTION = re.compile(r"(.+)_csynth")
SUMMARIES = ("csynth.xml", "csynth.rpt")


def named(config: Config | None, files: Sequence[Path]) -> set[str]:
    """The names that the top may have, by hls4ml's configuration and the tools' projects; none when nothing tells."""
    name = config.general.get("ProjectName") if config else None
    names = {pattern.format(name) for pattern in WRAPPED} if name else set()
    if config and "accelerator" in config.general.get("Backend", "").lower():
        names.add(KERNEL)
    for file in files:
        if file.name in APPLICATIONS:
            with contextlib.suppress(DataError):  # a damaged one hides no report
                text = foreign.text(file, kind_of("project of Vitis HLS"), errors="replace")
                names |= {match.group(1) or match.group(2) for match in APPLICATION.finditer(text)}
    return names


def parts(files: Sequence[Path], names: set[str]) -> set[Path]:
    """The csynth reports of functions that are parts of a design, as far as file names tell: nobody need read them."""
    folders: dict[Path, list[Path]] = {}
    for file in files:
        folders.setdefault(file.parent, []).append(file)
    return {file for inside in folders.values() for file in _parts_in(inside, names)}


def _parts_in(files: Sequence[Path], names: set[str]) -> Iterator[Path]:
    functions = {file: found[1] for file in files if (found := FUNCTION.fullmatch(file.stem))}
    if len(functions) > 1:
        summed = {_top(file) for file in files if file.name in SUMMARIES}
        designs = (names | summed) & {*functions.values()}
        yield from (file for file, top in functions.items() if designs and top not in designs)


def _top(file: Path) -> str:
    try:
        return read_any(file).top
    except DataError:
        return UNKNOWN


def sort(reports: Sequence[Report], names: set[str]) -> tuple[list[Report], list[Report]]:
    """Reports of the designs, and those of something else, such as an IP block beside it."""
    outermost = [report for report in reports if not _instantiated(report, reports)]
    synthesized = {report.top for report in outermost if report.kind == "csynth"}
    tops = names if names & synthesized or not synthesized else set()
    designs = [report for report in outermost if _is_design(report, tops)]
    return designs, [report for report in outermost if report not in designs]


def _instantiated(report: Report, reports: Sequence[Report]) -> bool:
    """Whether the report is of a function that another one beside it instantiates."""
    return report.kind == "csynth" and any(
        report.top in other.modules and report.file.parent == other.file.parent
        for other in reports
        if other.top != report.top
    )


def _is_design(report: Report, tops: set[str]) -> bool:
    named = report.kind in KINDS and report.top != UNKNOWN
    return not tops or not named or report.top in tops or is_wrapper(report.top)


def is_wrapper(top: str) -> bool:
    """Whether a design is what Vivado puts around others."""
    return top.endswith("wrapper") and top != KERNEL


def same(name: str, other: str) -> bool:
    """Whether two reports may be about one design."""
    return name == other or UNKNOWN in (name, other) or is_wrapper(name) or is_wrapper(other)
