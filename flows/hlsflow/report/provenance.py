"""What is needed to repeat a run, as a table.

In: the provenance of a report, as JSON (`hlsflow.pipeline.provenance`). Out: a section; none for the report of an older
hlsflow, which has no provenance.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hlsflow.report.document import MISSING, Section, Table, row

PACKAGED = "none, as the set comes with a package"
NOT_TOLD = "a part of this run was computed by an hlsflow that did not write down when and where"

SETTINGS: Mapping[str, str] = {
    "input_type": "input type",
    "clock_ns": "clock asked for (ns)",
    "io_type": "io_type",
    "part": "part of hls4ml's project",
    "backend": "backend of hls4ml",
    "reuse_factors": "reuse factors of the RTL's points",
}
"""Settings, and what each is called."""


def section(provenance: Mapping[str, Any] | None) -> list[Section]:
    """How to repeat the run."""
    if provenance is None:
        return []
    notes = () if provenance["made"] else (NOT_TOLD,)
    rows = tuple(row(name, value) for name, value in _rows(provenance))
    return [Section("To repeat this run", (Table(("what", "value"), rows, notes),))]


def _rows(provenance: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield from _made(provenance["made"])
    yield "versions", _joined(provenance["packages"])
    for tool in provenance["tools"]:
        yield "tool", f"{tool['name']} {tool['version']}"
    for file in provenance["files"]:
        yield f"{file['what']}, SHA-256", f"{file['name']}: {file['sha256'] or PACKAGED}"
    yield from ((SETTINGS.get(name, name), _text(value)) for name, value in provenance["settings"].items())


def _made(made: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    if not made:
        yield from ((name, MISSING) for name in ("computed", "command", "host"))
        return
    first, last = (made[key].replace("T", " ").replace("+00:00", " UTC") for key in ("first", "date"))
    yield "computed", last if first == last else f"{first} to {last}"
    yield "command", made["command"]
    host = made["host"]
    yield "host", f"{host['cpu']}, {host['cores']} cores, {host['os']}"
    yield "hlsflow and Python", f"{made['hlsflow']}, {made['python']}"


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _joined(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())
