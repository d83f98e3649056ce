"""What is said of the clock where nobody measured it: a figure of synthesis is of no clock, whatever was asked for.

In: the figures of a run. Out: its tables, with a note below each table of a family that was synthesized and not routed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from hlsflow.core.choices import Family
from hlsflow.core.metrics import Stage
from hlsflow.report import measured
from hlsflow.report.document import Section
from hlsflow.report.measured import Group, Row
from hlsflow.toolchains.nextpnr import no_fmax

NOT_MEASURED = "Fmax: not measured"


def unrouted(rows: Sequence[Row]) -> dict[str, str]:
    """Family that was synthesized and not routed → why it has no measured clock."""
    groups = measured.groups(rows)
    routed = any(stage is Stage.ROUTED for stage, *_ in groups)
    targets = dict.fromkeys(target for stage, *_, target in groups if stage is Stage.SYNTH and target in list(Family))
    return {target: no_fmax(target) for target in targets if not (routed and target == Family.ECP5)}


def noted(rows: Sequence[Row], parts: Mapping[str, str]) -> Iterator[Section]:
    """The tables of all figures, with a note where no clock was measured."""
    why = unrouted(rows)
    for group in measured.groups(rows):
        table = measured.table(rows, group, "point", parts.get(group[-1], group[-1]))
        notes = (f"{NOT_MEASURED}: {why[group[-1]]}",) if _synthesized(group) and group[-1] in why else ()
        yield Section(measured.title(group), (replace(table, notes=(*table.notes, *notes)),))


def _synthesized(group: Group) -> bool:
    return group[0] is Stage.SYNTH
