"""The chain file = frozen = csim = oracle = RTL for people: what was compared, the verdict, and what goes with it.

In: a gate as `report.json` holds it. Out: a verdict in its colour, and a section with a row for each link.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from hlsflow.hls import gate as gating
from hlsflow.hls.gate import FILE, Comparison, Gate
from hlsflow.report.document import Cell, Lines, Section, Table, Verdict, cell, number, row

HEAD = ("this", "", "that", "equal outputs", "of", "samples", "largest difference (steps of the output grid)")


def section(told: Mapping[str, Any]) -> Section:
    """A row for each comparison, and where the chain is not whole, why."""
    gate = Gate.from_json(told)
    rows = [
        row(
            item.left,
            _sign(item, gate),
            item.right,
            *(item.outputs - item.differing, item.outputs, item.samples, item.largest),
        )
        for item in gate.comparisons
    ]
    lines, table = tuple(_said(gate)), Table(HEAD, tuple(rows))
    return Section("From the model's file to the hardware", (Lines(lines), table) if lines else (table,))


def _sign(item: Comparison, gate: Gate) -> Cell:
    if item.equal:
        return cell("=", "good")
    return cell("≠", "warn" if item.left == FILE and not gate.exceeded else "bad")


def verdict(told: Mapping[str, Any]) -> Verdict:
    """The verdict with its reasons."""
    gate = Gate.from_json(told)
    judged = _VERDICTS[gate.verdict](gate)
    return replace(judged, more=(*judged.more, *_said(gate)))


def _exact(gate: Gate) -> Verdict:
    return Verdict("Bit-exact to the model's file", "good", (chain(gate), _count(gate)))


def _corrected(gate: Gate) -> Verdict:
    return Verdict("Exact after corrections", "warn", (chain(gate), _count(gate)))


def _not_shown(gate: Gate) -> Verdict:
    if gate.not_run:
        return Verdict(f"Bit-exactness not shown: C-simulation {gate.not_run}")
    return Verdict("Bit-exactness not shown: nothing was compared with the model's file")


def _failed(gate: Gate) -> Verdict:
    if gate.equal:
        layer = gate.file.origin.layer if gate.file and gate.file.origin else ""
        where = f": the first layer that differs is {layer}" if layer else ""
        return Verdict(f"Not the network of the model's file{where}", "bad")
    where = f": the first layer that differs is {gate.first.layer}" if gate.first else ""
    return Verdict(f"Not bit-exact{where}", "bad")


_VERDICTS = {
    gating.Verdict.EXACT: _exact,
    gating.Verdict.CORRECTED: _corrected,
    gating.Verdict.NOT_SHOWN: _not_shown,
    gating.Verdict.FAILED: _failed,
}


def chain(gate: Gate) -> str:
    """The links by name, such as `file = frozen = csim = oracle = rtl R16`; netlists that are equal by number."""
    text = gate.comparisons[0].left
    named = {text}
    netlists = [item.right for item in gate.comparisons if item.equal and item.right.startswith(gating.NETLIST)]
    for item in gate.comparisons:
        if item.right not in {*named, *netlists[1:]}:
            right = f"{len(netlists)} netlists" if netlists[1:] and item.right == netlists[0] else item.right
            text += f" {'=' if item.equal else '≠'} {right}"
            named.add(item.right)
    return text


def _count(gate: Gate) -> str:
    equal = [item for item in gate.comparisons if item.equal]
    outputs = number(sum(item.outputs for item in equal))
    rest = (
        "all of them equal" if len(equal) == len(gate.comparisons) else "all of them equal; those of the file are not"
    )
    return f"{outputs} outputs compared in {len(equal)} comparisons, {rest}"


def _said(gate: Gate) -> Iterator[str]:
    """What must be read with the verdict."""
    if gate.file is not None and not gate.file.equal:
        differing = f"{number(gate.file.differing)} of {number(gate.file.outputs)} outputs"
        yield f"the frozen network differs from the file in {differing}: {gate.file}"
        yield from (str(gate.file.origin).splitlines() if gate.file.origin else ())
    yield from (f"beyond what may differ: {text}" for text in gate.exceeded)
    if gate.not_run and gate.equal:
        yield f"C-simulation {gate.not_run}; what was compared is equal, but nothing is shown of hls4ml's C++"
    if gate.first is not None:
        extent = f"{gate.first.differing} of {gate.first.values} values, by up to {gate.first.largest:g}"
        yield f"first layer that differs: {gate.first.layer}, {extent}"
        yield f"usual cause: {gate.first.cause}"
    elif not gate.equal:
        yield "no layer is known: in the samples whose layers are kept, all of them are equal"
