"""What is known to fail, said before anything expensive starts, each with the knob change that cures it.

In: a design of hls4ml, the folder of its project, and its estimate. Out: findings. An error is a run that cannot
succeed; a warning one that may not do what its knobs say. Limits and estimates are known of AMD's tools alone.
"""

from __future__ import annotations

import enum
import math
import os
import re
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from hlsflow.core import foreign
from hlsflow.core.errors import ProjectError
from hlsflow.estimate import Design, Estimate, Figure, Kind, Layer, analytic, estimate, fitted
from hlsflow.estimate.analytic import Timing
from hlsflow.estimate.design import AMD_BACKENDS
from hlsflow.estimate.hls4ml_project import SOURCE
from hlsflow.estimate.part import DOES_NOT_FIT, FITS, TOO_CLOSE, fitting, verdict
from hlsflow.ir.integers import ceil_div
from hlsflow.project.reuse import legal_reuse_factors, nearest_legal
from hlsflow.report.folders.directory_checks import VERILOG, roms_of
from hlsflow.toolchains.parts import offered

UNROLL_LIMIT = 4096
"""Copies of a loop's body that Vivado HLS makes at most before it stops with XFORM 203-504: hls4ml's issues 427, 904
and 1013. Vitis HLS has no such limit."""

PARTITION_LIMIT = 4096
"""Elements of an array that Vivado HLS partitions at most as hls4ml sets it up (`config_array_partition
-maximum_size`); beyond it stops with XFORM 203-103: hls4ml's issues 79 and 1157. Vitis HLS has no such option."""

WORD_LIMIT = 65_536
"""Bits of a reshaped array's word at most (XFORM 203-133): hls4ml's issue 506."""

SLOW_PRODUCTS = 4096
"""Unrolled products from which csynth takes hours, and leaves sums as chains."""

LICENCE_VARIABLES: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(AMD_BACKENDS, ("XILINXD_LICENSE_FILE", "LM_LICENSE_FILE")),
    "catapult": ("MGLS_LICENSE_FILE", "SALT_LICENSE_SERVER", "LM_LICENSE_FILE"),
    "libero": ("LM_LICENSE_FILE",),
}
"""Backend of hls4ml → where its tools look for licences; those of other backends run without one."""

LICENCE_FOLDERS = (".Xilinx", "Xilinx")
"""Folders of the home folder in which AMD's tools look for licences (AMD UG973)."""

FREE_PARTS = re.compile(
    r"xc7(?:s|a|k70t|k160t|z007s|z010|z012s|z014s|z015|z020|z030)|xcau|xczu[1-57](?:t?[cdeg]{2}|-)|xcku(?:025|035|3p|5p)|xcu\d|xck26"
)
"""Parts that need no licence: device table of the Standard Edition in AMD UG973 (2023.2), Alveo cards included."""

SERVER_TIMEOUT_S = 1.0


class Severity(enum.StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True)
class Finding:
    """One thing that is known to fail.

    Attributes:
        severity: an error stops a build, a warning is said.
        layer: its name; "" for the whole design.
        what: what will happen.
        cure: what to change, as concretely as possible.
    """

    severity: Severity
    layer: str
    what: str
    cure: str

    def __str__(self) -> str:
        place = f"layer '{self.layer}': " if self.layer else ""
        return f"{self.severity}: {place}{self.what}; {self.cure}"


@dataclass(frozen=True)
class _Flight:
    """What every check sees."""

    design: Design
    folder: Path | None
    estimate: Estimate

    @property
    def amd(self) -> bool:
        return self.design.backend in AMD_BACKENDS

    @cached_property
    def folded(self) -> list[tuple[str, Mapping[str, Figure]]]:
        """What the design would take with more sharing, by the knobs that make it so."""
        return [(knobs, estimate(design).figures) for knobs, design in _folded(self)]

    def matrices(self) -> Iterator[Layer]:
        return (layer for layer in self.design.layers if layer.kind is Kind.MATRIX)


def check(design: Design, folder: Path | None = None, figures: Estimate | None = None) -> tuple[Finding, ...]:
    """Everything that is known to fail, errors first.

    Args:
        design: what is to be built.
        folder: of its project, for what must lie there; None: not looked at.
        figures: its estimate, if there is one already.
    """
    flight = _Flight(design, folder, figures or estimate(design))
    findings = [finding for rule in CHECKS for finding in rule(flight)]
    return tuple(sorted(findings, key=lambda finding: finding.severity is not Severity.ERROR))


def require(findings: tuple[Finding, ...]) -> None:
    """Raise ProjectError for the errors among findings."""
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    if errors:
        places = [f"{f'{error.layer}: ' if error.layer else ''}{error.what}" for error in errors]
        raise ProjectError(f"the build cannot succeed: {'; '.join(places)}", "; ".join(error.cure for error in errors))


def _loops(flight: _Flight) -> Iterator[Finding]:
    """Loops that are unrolled: all products of a constant matrix, or those of one step of a memory's."""
    for layer in flight.matrices() if flight.amd else ():
        body = layer.products if analytic.unrolled(layer) else ceil_div(layer.products, layer.reuse_factor)
        if flight.design.vivado_hls and body > UNROLL_LIMIT:
            what = f"Vivado HLS stops when it unrolls {body:,} products; its limit is {UNROLL_LIMIT:,}"
            yield Finding(Severity.ERROR, layer.name, what, f"{_resource(layer)}, or backend vitis")
        elif analytic.unrolled(layer) and body * layer.copies > SLOW_PRODUCTS:
            what = f"{body * layer.copies:,} unrolled products make csynth take hours, and its sums may become chains"
            yield Finding(Severity.WARNING, layer.name, what, _resource(layer))


def _resource(layer: Layer) -> str:
    """The knobs with which a layer's loop stays within the limit."""
    least = max(2, math.ceil(layer.products / UNROLL_LIMIT))
    legal = legal_reuse_factors(layer.n_in, layer.n_out, "resource")
    factor = next((legal_factor for legal_factor in legal if legal_factor >= least), legal[-1])
    return f"set strategy = resource and reuse_factor >= {factor}"


def _partitions(flight: _Flight) -> Iterator[Finding]:
    """Arrays that become registers."""
    if flight.design.streams or not flight.amd:
        return
    for layer in flight.design.layers:
        elements = layer.n_out * layer.positions
        if flight.design.vivado_hls and elements > PARTITION_LIMIT:
            what = f"Vivado HLS stops when it partitions {elements:,} results; its limit is {PARTITION_LIMIT:,}"
            yield Finding(Severity.ERROR, layer.name, what, "set io_type = io_stream")
    first = flight.design.layers[0]
    bits = first.n_in * first.positions * first.input.width
    if bits > WORD_LIMIT:
        severity = Severity.ERROR if flight.design.vivado_hls else Severity.WARNING
        what = f"the input is one word of {bits:,} bits, and {WORD_LIMIT:,} are the limit"
        yield Finding(severity, first.name, what, "set io_type = io_stream")


def _reuse(flight: _Flight) -> Iterator[Finding]:
    """Reuse factors that do not do what they say."""
    timing = fitted.timing(flight.design)
    for layer in flight.matrices():
        if layer.strategy == "resource":
            yield from _illegal(layer)
        elif layer.strategy == "latency" and layer.reuse_factor > 1 and flight.amd:
            yield from _unhonoured(timing, layer)
        yield from _corrected(layer)


def _illegal(layer: Layer) -> Iterator[Finding]:
    near = nearest_legal(layer.n_in, layer.n_out, "resource", layer.reuse_factor)
    if layer.reuse_factor not in near:
        what = f"strategy resource has no reuse factor {layer.reuse_factor} for {layer.n_in} x {layer.n_out} weights"
        yield Finding(Severity.ERROR, layer.name, what, f"set reuse_factor = {' or '.join(map(str, near))}")


def _unhonoured(timing: Timing, layer: Layer) -> Iterator[Finding]:
    """With strategy latency R is a limit of multipliers and a wish for the interval; beyond both it does nothing."""
    reached = analytic.interval(timing, layer)
    if reached < layer.reuse_factor:
        what = (
            f"strategy latency does not honour reuse_factor = {layer.reuse_factor}: the layer is done after {reached}"
        )
        cure = f"set reuse_factor <= {_honoured(timing, layer)}, or strategy = resource for fewer multipliers"
        yield Finding(Severity.WARNING, layer.name, what, cure)
    elif analytic.constants(layer).multipliers < layer.multiplier_limit:
        few = analytic.constants(layer).multipliers
        what = f"reuse_factor = {layer.reuse_factor} saves nothing: {few} constant products need a multiplier"
        yield Finding(Severity.WARNING, layer.name, what, _saving(layer, few))


def _honoured(timing: Timing, layer: Layer) -> int:
    """The largest reuse factor, down from the layer's, that is its interval too."""
    reached = analytic.interval(timing, layer)
    return reached if reached == layer.reuse_factor else _honoured(timing, replace(layer, reuse_factor=reached))


def _saving(layer: Layer, few: int) -> str:
    if few <= 1:
        return "set reuse_factor = 1"
    return f"set reuse_factor = 1, or reuse_factor > {layer.products // few} to share multipliers"


def _corrected(layer: Layer) -> Iterator[Finding]:
    """A reuse factor that hls4ml changed in silence."""
    if layer.asked not in (None, layer.reuse_factor):
        what = f"reuse_factor = {layer.asked} was asked for, and hls4ml wrote {layer.reuse_factor}"
        yield Finding(Severity.WARNING, layer.name, what, f"set reuse_factor = {layer.reuse_factor}")


def _part(flight: _Flight) -> Iterator[Finding]:
    """Resources that the part lacks; nothing is said of a design that has a layer which is not estimated."""
    figures, limits = flight.estimate.figures, offered(flight.design.part) if flight.amd else {}
    for name, limit in limits.items() if figures else ():
        fit = verdict(figures[name], limit)
        if fit == FITS:
            continue
        severity = Severity.ERROR if fit == DOES_NOT_FIT else Severity.WARNING
        unit = name.upper()
        words = "does not fit" if fit == DOES_NOT_FIT else f"is {TOO_CLOSE} whether it fits"
        what = f"{unit} of {flight.design.part} {words}: {figures[name]} estimated of {limit:,}"
        yield Finding(severity, "", what, _smaller(flight, name, limits))


def _smaller(flight: _Flight, name: str, limits: Mapping[str, int]) -> str:
    """The least sharing with which the whole fits, or else that figure; or else the smallest part that holds it."""
    for wanted in (limits, {name: limits[name]}):
        for knobs, figures in flight.folded:
            if all(figures[resource].high <= most for resource, most in wanted.items()):
                return knobs
    part = fitting(flight.estimate.figures)
    larger = part or "a larger part than any that is known"
    return f"no reuse factor of strategy latency or resource is enough: narrow the weights, or take {larger}"


def _folded(flight: _Flight) -> Iterator[tuple[str, Design]]:
    """Designs with more sharing than this one, and the knobs that make them: first with the strategies it has."""
    largest = max((layer.products for layer in flight.matrices()), default=1)
    factors = [2**power for power in range(1, largest.bit_length())]
    for factor in factors:
        yield f"set reuse_factor >= {factor} in all layers", flight.design.at(factor)
    for factor in factors:
        knobs = f"set strategy = resource and reuse_factor >= {factor} in all layers"
        yield knobs, _of_strategy_resource(flight.design, factor)


def _of_strategy_resource(design: Design, factor: int) -> Design:
    """The design with its matrices in memories, each with the next legal reuse factor."""

    def folded(layer: Layer) -> Layer:
        legal = legal_reuse_factors(layer.n_in, layer.n_out, "resource")
        next_legal = next((legal_factor for legal_factor in legal if legal_factor >= factor), legal[-1])
        return replace(layer, strategy="resource", reuse_factor=next_legal, asked=None)

    layers = (folded(layer) if layer.kind is Kind.MATRIX else layer for layer in design.layers)
    return replace(design, layers=tuple(layers))


def _licence(flight: _Flight) -> Iterator[Finding]:
    """A licence that the toolchain needs for the part."""
    part, variables = flight.design.part, LICENCE_VARIABLES.get(flight.design.backend, ())
    if not variables or (flight.amd and (not part or FREE_PARTS.match(part.lower()))):
        return
    home = os.path.expanduser("~")  # stays "~" for a user without one
    entries = [entry for name in variables for entry in os.environ.get(name, "").split(os.pathsep) if entry]
    if not entries and not any(any(Path(home, name).glob("*.lic")) for name in LICENCE_FOLDERS):
        what = f"a licence is needed for {part or flight.design.backend}, and none of {', '.join(variables)} is set"
        cure = f"set {variables[0]} to port@server or a file" + (", or take a part of the free edition" * flight.amd)
        yield Finding(Severity.WARNING, "", what, cure)
    elif entries and not any(_reachable(entry) for entry in entries):
        what = f"no licence can be had: {', '.join(entries)} cannot be reached"
        yield Finding(Severity.ERROR, "", what, f"start the server, or set {variables[0]} to one that answers")


def _reachable(entry: str) -> bool:
    """Whether a licence file is there, or a server `port@host` answers."""
    port, _, host = entry.partition("@")
    if not host:
        return Path(entry).exists()
    try:
        with socket.create_connection((host, int(port)), timeout=SERVER_TIMEOUT_S):
            return True
    except (OSError, ValueError):
        return False


def _files(flight: _Flight) -> Iterator[Finding]:
    """Weights that sources name and the folder lacks: without its ROMs a design synthesizes to almost nothing."""
    if flight.folder is None:
        return
    for place in _weights(flight.folder):
        what = f"{place.relative_to(flight.folder)} is missing, which the C++ includes or loads"
        yield Finding(Severity.ERROR, "", what, "translate the project again, or copy it with firmware/weights")
    for file in (path for path in flight.folder.rglob("*") if path.suffix in VERILOG):
        for rom in roms_of(file):
            if not os.path.isfile(rom):
                what = f"{rom.name} is missing, which {file.name} loads by $readmemh"
                yield Finding(Severity.ERROR, "", what, f"copy it to {rom.parent}, or run csynth again")


_INCLUDED = re.compile(r'#include\s+"(weights/\w+\.h)"')
_LOADED = re.compile(r'load_\w*weights_from_txt<[^>]*>\(\s*\w+\s*,\s*"(\w+\.txt)"')


def _weights(folder: Path) -> Iterator[Path]:
    """Weight files that the sources name and that are not there."""
    firmware = folder / "firmware"
    texts = [foreign.text(file, SOURCE, errors="replace") for file in sorted(firmware.glob("*.[hc]*"))]
    named = {firmware / name for text in texts for name in _INCLUDED.findall(text)}
    named |= {firmware / "weights" / name for text in texts for name in _LOADED.findall(text)}
    return (place for place in sorted(named) if not os.path.isfile(place))


CHECKS: tuple[Callable[[_Flight], Iterator[Finding]], ...] = (_loops, _partitions, _reuse, _part, _licence, _files)
"""Everything that is looked at."""
