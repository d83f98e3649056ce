"""Readers of the reports of all toolchains.

In: a report file. Out: `Report`. `READERS` says which formats there are, and how their files are known.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping
from pathlib import Path

from hlsflow.core import foreign
from hlsflow.core.errors import DataError
from hlsflow.toolchains.reports import (
    catapult,
    cosim,
    csim,
    csynth_rpt,
    csynth_xml,
    export,
    hls4ml_printed,
    hls4ml_shown,
    libero,
    oneapi,
    power,
    quartus,
    quartus_text,
    timing,
    utilisation,
    vivado_text,
)
from hlsflow.toolchains.reports.report import LayerFigures, Origin, Reader, Report
from hlsflow.toolchains.reports.text import HEAD_BYTES, kind_of

__all__ = ["READERS", "LayerFigures", "Origin", "Reader", "Report", "read_any", "read_with", "reader_of"]

READERS: Mapping[str, Reader] = {
    "hls4ml_printed": Reader((), hls4ml_printed.read, hls4ml_printed.MARK),
    "hls4ml_shown": Reader((), hls4ml_shown.read, hls4ml_shown.MARK),
    "csynth_xml": Reader(("*csynth.xml",), csynth_xml.read, csynth_xml.MARK),
    "csynth_rpt": Reader(("*csynth.rpt",), csynth_rpt.read, csynth_rpt.MARK),
    "cosim": Reader(("*_cosim.rpt",), cosim.read, cosim.MARK),
    "csim": Reader(("*_csim.log",), csim.read),
    "utilisation": Reader(
        ("vivado_synth.rpt", "util.rpt", "*utilization*.rpt"),
        utilisation.read,
        utilisation.MARK,
        ("*clock_utilization*",),
    ),
    "timing": Reader(("*timing*.rpt",), timing.read, timing.MARK, ("*check_timing*",)),
    "power": Reader(("*power*.rpt",), power.read, power.MARK, ("*power_opt*",)),
    "export": Reader(("*_export.rpt",), export.read, export.MARK),
    "oneapi_summary": Reader(("summary.ndjson",), oneapi.read_summary),
    "oneapi_loops": Reader(("loop_attr.ndjson",), oneapi.read_loops),
    "oneapi_fit": Reader(("quartus.ndjson",), oneapi.read_fit),
    "quartus_estimates": Reader((quartus.ESTIMATES,), quartus.read_estimates),
    "quartus_simulation": Reader((quartus.SIMULATED,), quartus.read_simulation),
    "quartus_fit": Reader((quartus.FITTED,), quartus.read_fit),
    "quartus_text": Reader(("*.fit.rpt",), quartus_text.read, quartus_text.MARK),
    "catapult": Reader(("rtl.rpt",), catapult.read, catapult.MARK),
    "smarthls_schedule": Reader(("summary.hls.*.rpt",), libero.read_schedule),
    "smarthls_results": Reader(("summary.results.rpt",), libero.read_results, libero.MARK),
}
"""Format → how its files are known and read: by what they begin with, the first that fits, else by their names."""

TEXTS = (".rpt", ".txt", ".log", ".xml", ".out", ".report", "")
"""Endings of files that are looked into: a report may have any name."""


def reader_of(file: Path) -> Reader | None:
    """The reader of a file, by its first lines or else by its name; None when it is no report that is known."""
    if file.suffix.lower() in TEXTS and file.is_file():
        head = _head(file)
        marked = next(
            (reader for reader in READERS.values() if reader.mark and re.search(reader.mark, head, re.MULTILINE)), None
        )
        if marked or re.search(vivado_text.OTHER, head, re.MULTILINE):
            return marked
    return next((reader for reader in READERS.values() if _named(file, reader)), None)


def read_any(file: Path, *, root: Path | None = None) -> Report:
    """Read a report of any format.

    Args:
        file: the report.
        root: folder that sources are told relative to; by default the file's own.
    Raises:
        DataError: it is no report that is known, or damaged.
    """
    reader = reader_of(file)
    if reader is None:
        hint = "name a report that a vendor's tool or hls4ml wrote; docs/how-to/reports.md says which ones are read"
        raise DataError(f"{file} is no report that is known", hint)
    return read_with(reader, file, root)


def read_with(reader: Reader, file: Path, root: Path | None = None) -> Report:
    """What a reader makes of a file; whatever goes wrong in it is a DataError, for the file is a stranger's."""
    with foreign.reading(file, kind_of("report")):
        return reader.read(file, root=root)


def _named(file: Path, reader: Reader) -> bool:
    fits, other = (
        any(fnmatch.fnmatch(file.name, pattern) for pattern in patterns)
        for patterns in (reader.patterns, reader.others)
    )
    return fits and not other


def _head(file: Path) -> str:
    return foreign.head(file, HEAD_BYTES, kind_of("report")).decode("utf-8", errors="replace")
