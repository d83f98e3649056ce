"""The table of what is supported, made of the inherited suite: `scripts/support_table` writes it into the README.

Every row of it is run: QKeras = C-simulation = oracle by `test_conformance`, oracle = RTL by `test_conformance_rtl`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from tests import conformance
from tests.conformance import Construct

README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- supported: written by scripts/support_table -->\n", "<!-- end of supported -->\n"
HEAD = ("layer", "uses", "QKeras", "csim io_parallel", "csim io_stream", "oracle", "RTL", "which uses")


def rows() -> list[list[str]]:
    """One row for each layer: its uses, and how many of them each executor gets exactly right."""
    found: dict[str, list[Construct]] = {}
    for construct in conformance.constructs():
        found.setdefault(_layer(construct), []).append(construct)
    return [_row(layer, uses) for layer, uses in found.items()]


def _layer(construct: Construct) -> str:
    return re.split(r",| with| without| of | that | read | on | to | at ", construct.covers)[0]


def _row(layer: str, uses: Sequence[Construct]) -> list[str]:
    said = [use.covers.removeprefix(layer).strip(", ") or "plain" for use in uses]
    count = str(len(uses))
    csim = [_exact(uses, [use for use in uses if io in use.io]) for io in conformance.BOTH]
    return [layer, count, "exact", *csim, "exact", "exact", "; ".join(said)]


def _exact(uses: Sequence[Construct], carried: Sequence[Construct]) -> str:
    if len(carried) == len(uses):
        return "exact"
    return f"exact in {len(carried)}, refused in {len(uses) - len(carried)}" if carried else "refused"


def text() -> str:
    """The table as it stands in the README."""
    lines = [" | ".join(cells) for cells in (HEAD, ["---"] * len(HEAD), *rows())]
    return BEGIN + "\n" + "\n".join(f"| {line} |" for line in lines) + "\n\n" + END


def written(readme: str) -> str:
    """The README with the table of today."""
    before, rest = readme.split(BEGIN)
    return before + text() + rest.split(END)[1]
