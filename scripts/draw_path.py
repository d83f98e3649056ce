"""Draws docs/path.svg, the picture of the README, from the report of a run: the path from a model to measured hardware.

In: the report.json of a run of projects/digits. Out: one SVG, with the run's own figures.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

POINT = "R64"
WIDTH, HEIGHT, GAP, LINE = 176, 112, 52, 20
HEAD = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="13">'
BOX = '<rect x="{x}" y="30" width="{width}" height="{height}" rx="8" fill="#f4f6fa" stroke="#3b5b92"/>'
ARROW = '<path d="M{start} 86 H{end}" stroke="#2e7d4f" stroke-width="2" marker-end="url(#tip)"/>'
TIP = (
    '<marker id="tip" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    '<path d="M0 0 L8 4 L0 8 Z" fill="#2e7d4f"/></marker>'
)


BOLD = ' font-weight="bold"'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--report", type=Path, default=Path("build/digits/latest/report.json"))
    parser.add_argument("--output", type=Path, default=Path(__file__).parents[1] / "docs" / "path.svg")
    arguments = parser.parse_args()
    arguments.output.write_text(drawn(json.loads(arguments.report.read_text(encoding="utf-8"))), encoding="utf-8")


def drawn(report: Mapping[str, Any]) -> str:
    """The picture."""
    boxes, links = _boxes(report), _links(report["gate"])
    width = len(boxes) * (WIDTH + GAP) - GAP + 20
    parts = [HEAD.format(width=width, height=HEIGHT + 50), f"<defs>{TIP}</defs>"]
    for place, lines in enumerate(boxes):
        x = 10 + place * (WIDTH + GAP)
        parts += [BOX.format(x=x, width=WIDTH, height=HEIGHT), *_text(x + WIDTH / 2, 52, lines)]
        if place + 1 < len(boxes):
            parts.append(ARROW.format(start=x + WIDTH + 4, end=x + WIDTH + GAP - 6))
        if place < len(links):
            parts += _text(x + WIDTH + GAP / 2, 20, [links[place]], small=True)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _boxes(report: Mapping[str, Any]) -> list[list[str]]:
    point = next(one for one in report["points"] if f"R{one['knobs']['reuse_factor']}" == POINT)

    def figure(name: str, stage: str, target: str = "") -> Mapping[str, Any]:
        return next(
            one
            for one in point["metrics"]
            if (one["name"], one["stage"]) == (name, stage) and target in one["target"] and one["value"] is not None
        )

    accuracy = {stage: figure("accuracy", stage)["value"] for stage in ("qat", "csim")}
    cycles, ii = (figure(name, "simulated")["value"] for name in ("latency_cycles", "ii"))
    lut, dsp, fmax = figure("lut", "synth", "xc7"), figure("dsp", "synth", "xc7"), figure("fmax_mhz", "routed")
    area = f"{lut['value']:,.0f} LUT, {dsp['value']:.0f} DSP"
    return [
        ["QKeras model", f"{report['project']}, 6 bits", f"accuracy {accuracy['qat']:.4f}", "stage qat"],
        ["hls4ml C++", "compiled by g++", f"accuracy {accuracy['csim']:.4f}", "stage csim"],
        ["Verilog", f"reuse factor {POINT[1:]}", f"{cycles:.0f} cycles, II {ii:.0f}", "stage simulated"],
        [
            "logic synthesis",
            f"{lut['target']}, {lut['tool']}",
            area,
            "stage synth",
        ],
        ["place and route", f"{fmax['target'].split('-6')[0]}", f"{fmax['value']:.1f} MHz", "stage routed"],
    ]


def _links(gate: Mapping[str, Any]) -> list[str]:
    """What was compared between the first boxes."""
    found = {(one["left"], one["right"]): one for one in gate["comparisons"]}
    to_csim = next(one for (_, right), one in found.items() if right == "csim")
    to_rtl = next(one for (_, right), one in found.items() if right.startswith("rtl"))
    return [f"{one['outputs']:,} outputs, {one['differing']} differ" for one in (to_csim, to_rtl)]


def _text(x: float, y: float, lines: Sequence[str], small: bool = False) -> list[str]:
    size = ' font-size="11" fill="#2e7d4f"' if small else ""
    return [
        f'<text x="{x:g}" y="{y + place * LINE:g}" text-anchor="middle"{size}'
        f"{' font-weight=' + chr(34) + 'bold' + chr(34) if place == 0 and not small else ''}>{escape(line)}</text>"
        for place, line in enumerate(lines)
    ]


if __name__ == "__main__":
    main()
