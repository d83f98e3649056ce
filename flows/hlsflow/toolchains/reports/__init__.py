"""Readers of the reports of all toolchains.

In: a report file. Out: `Report`. `READERS` says which formats there are and by which names their files go.
"""

from __future__ import annotations

import fnmatch
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
    libero,
    oneapi,
    power,
    quartus,
    timing,
    utilisation,
)
from hlsflow.toolchains.reports.report import LayerFigures, Origin, Reader, Report
from hlsflow.toolchains.reports.text import HEAD_BYTES, kind_of

__all__ = ["READERS", "LayerFigures", "Origin", "Reader", "Report", "read_any", "read_with", "reader_of"]

READERS: Mapping[str, Reader] = {
    "csynth_xml": Reader(("*csynth.xml",), csynth_xml.read),
    "csynth_rpt": Reader(("*csynth.rpt",), csynth_rpt.read),
    "cosim": Reader(("*_cosim.rpt",), cosim.read),
    "csim": Reader(("*_csim.log",), csim.read),
    "utilisation": Reader(
        ("vivado_synth.rpt", "util.rpt", "*utilization*.rpt"), utilisation.read, others=("*clock_utilization*",)
    ),
    "timing": Reader(("*timing*.rpt",), timing.read, others=("*check_timing*",)),
    "power": Reader(("*power*.rpt",), power.read, others=("*power_opt*",)),
    "oneapi_summary": Reader(("summary.ndjson",), oneapi.read_summary),
    "oneapi_loops": Reader(("loop_attr.ndjson",), oneapi.read_loops),
    "oneapi_fit": Reader(("quartus.ndjson",), oneapi.read_fit),
    "quartus_estimates": Reader((quartus.ESTIMATES,), quartus.read_estimates),
    "quartus_simulation": Reader((quartus.SIMULATED,), quartus.read_simulation),
    "quartus_fit": Reader((quartus.FITTED,), quartus.read_fit),
    "catapult": Reader(("rtl.rpt",), catapult.read),
    "smarthls_schedule": Reader(("summary.hls.*.rpt",), libero.read_schedule),
    "smarthls_results": Reader(("summary.results.rpt",), libero.read_results),
}
"""Format → how its files are known and read. Where names fit several, the first whose mark is there is taken."""


def reader_of(file: Path) -> Reader | None:
    """The reader of a file, by its name and its first lines; None when it is no report that is known."""
    named = [reader for reader in READERS.values() if _named(file, reader)]
    head = _head(file) if any(reader.mark for reader in named) else ""
    return next((reader for reader in named if reader.mark in head), None)


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
        names = ", ".join(pattern for found in READERS.values() for pattern in found.patterns)
        raise DataError(f"{file} is no report that is known", f"reports go by these names: {names}")
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
