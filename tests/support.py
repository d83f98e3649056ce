"""The table of what is supported, made of what the inherited suite saw when it ran last with `--record-support`.

`test_conformance` puts down for each construct what each executor gave beside the oracle;
`support.json` keeps it, with the tools; `scripts/support_table` runs it and writes the table into the documentation.
What was not run says so: nothing is exact because somebody wrote that it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from hlsflow.toolchains import gxx, verilator
from tests import conformance
from tests.conformance import Construct

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "support.md"
RECORD = Path(__file__).with_suffix(".json")
BEGIN, END = "<!-- supported: written by scripts/support_table -->\n", "<!-- end of supported -->\n"
HEAD = ("layer", "uses", "QKeras", "csim io_parallel", "csim io_stream", "RTL", "which uses")
FACTORS = (1, 3, 1000)
"""Reuse factors of the RTL: all products at once, a few cycles, one multiplier a layer."""

EXACT, REFUSED, DIFFERS = "exact", "refused", "differs"
Seen = dict[str, dict[str, str]]
"""Construct → executor (`qkeras`, an io type, `rtl R=1` ...) → what it gave beside the oracle."""


def saw(seen: Seen, construct: str, executor: str, exact: bool) -> None:
    """Put down an outcome; one that differs is not forgotten over another that does not."""
    mine = seen.setdefault(construct, {})
    mine[executor] = EXACT if exact and mine.get(executor, EXACT) == EXACT else DIFFERS


def keep(seen: Seen) -> None:
    """Write outcomes into the record; those of executors that did not run now stay, if the tools are the same."""
    before = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    earlier = before.get("constructs", {}) if before.get("tools") == tools() else {}
    names = [construct.name for construct in conformance.constructs()]
    merged = {name: dict(sorted((earlier.get(name, {}) | seen.get(name, {})).items())) for name in names}
    RECORD.write_text(json.dumps({"tools": tools(), "constructs": merged}, indent=1) + "\n", encoding="utf-8")


def tools() -> dict[str, str]:
    """What the outcomes depend on besides our own source."""
    packages = {name: version(name) for name in ("qkeras", "hls4ml", "tensorflow")}
    return packages | {"c++": gxx.find().label, "verilator": verilator.find().label}


def rows(record: Mapping[str, Mapping[str, str]]) -> list[list[str]]:
    """One row for each layer: its uses, and how many of them each executor was seen to get exactly right."""
    layers: dict[str, list[Construct]] = {}
    for construct in conformance.constructs():
        layers.setdefault(_layer(construct), []).append(construct)
    return [_row(layer, uses, record) for layer, uses in layers.items()]


def _layer(construct: Construct) -> str:
    return re.split(r",| with| without| of | that | read | on | to | at ", construct.covers)[0]


def _row(layer: str, uses: Sequence[Construct], record: Mapping[str, Mapping[str, str]]) -> list[str]:
    said = [use.covers.removeprefix(layer).strip(", ") or "plain" for use in uses]
    mine = [record.get(use.name, {}) for use in uses]
    cells = [_cell([seen.get(executor, "not run") for seen in mine]) for executor in ("qkeras", *conformance.BOTH)]
    rtl = _cell([seen.get(f"rtl R={factor}", "not run") for seen in mine for factor in FACTORS])
    return [layer, str(len(uses)), *cells, rtl, "; ".join(said)]


def _cell(outcomes: Sequence[str]) -> str:
    """One word where all are alike, else how many are what."""
    kinds = [kind for kind in (EXACT, REFUSED, DIFFERS, "not run") if kind in outcomes]
    return kinds[0] if len(kinds) == 1 else ", ".join(f"{kind} in {outcomes.count(kind)}" for kind in kinds)


def text() -> str:
    """The table as it stands in the documentation."""
    record = json.loads(RECORD.read_text(encoding="utf-8"))
    lines = [" | ".join(cells) for cells in (HEAD, ["---"] * len(HEAD), *rows(record["constructs"]))]
    made = ", ".join(f"{name} {version}" for name, version in record["tools"].items())
    return BEGIN + "\n" + "\n".join(f"| {line} |" for line in lines) + f"\n\nSeen with {made}.\n\n" + END


def written(page: str) -> str:
    """The page with the table of the record."""
    before, rest = page.split(BEGIN)
    return before + text() + rest.split(END)[1]
