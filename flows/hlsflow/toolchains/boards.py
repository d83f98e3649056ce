"""Boards by name, and what a part or board says of the hardware.

In: a name such as `arty-a7-35` or `xc7a35tcpg236-1`. Out: keys of the table [target] of a project file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hlsflow.core.errors import ProjectError
from hlsflow.project.errors import nearest
from hlsflow.toolchains import nextpnr

BOARDS: Mapping[str, str] = {
    "arty-a7-35": "xc7a35ticsg324-1L",
    "arty-a7-100": "xc7a100tcsg324-1",
    "basys3": "xc7a35tcpg236-1",
    "nexys-a7-100": "xc7a100tcsg324-1",
    "pynq-z1": "xc7z020clg400-1",
    "pynq-z2": "xc7z020clg400-1",
    "zybo-z7-20": "xc7z020clg400-1",
    "zedboard": "xc7z020clg484-1",
    "ultra96": "xczu3eg-sbva484-1-e",
    "zcu102": "xczu9eg-ffvb1156-2-e",
    "zcu104": "xczu7ev-ffvc1156-2-e",
    "alveo-u200": "xcu200-fsgd2104-2-e",
    "alveo-u250": "xcu250-figd2104-2L-e",
    "alveo-u280": "xcu280-fsvh2892-2L-e",
    "ulx3s-45": "LFE5U-45F-6BG381C",
    "ulx3s-85": "LFE5U-85F-6BG381C",
}
"""Board → the part on it, as the vendors of the boards name it in their reference manuals."""

FAMILIES = (("xc7", "xc7"), ("xcu", "xcup"), ("xcvu", "xcup"), ("xczu", "xcup"), ("xcku", "xcup"), ("xck", "xcup"))
"""How AMD's parts begin, and the device family of the open synthesis that they belong to."""


def part_of(board: str) -> str:
    """The part on a board; raises ProjectError for a board that is not known."""
    try:
        return BOARDS[board.lower()]
    except KeyError:
        hint = f"boards: {', '.join(BOARDS)}; or name its part with --part"
        raise ProjectError(f"board '{board}' is not known{nearest(board, BOARDS)}", hint) from None


def target(part: str) -> dict[str, Any]:
    """The keys of [target] that a part decides: it is what the HLS project, synthesis and routing are for.

    Args:
        part: of AMD (7-series, UltraScale+), or an ECP5 of Lattice.
    Raises:
        ProjectError: it is neither.
    """
    if part.upper().startswith("LFE5"):
        nextpnr.parse_part(part)
        return {"families": ["ecp5"], "route_part": part}
    for start, family in FAMILIES:
        if part.lower().startswith(start):
            return {"part": part, "families": [family]}
    raise ProjectError(
        f"part '{part}' is neither an ECP5 nor one of AMD's 7-series or UltraScale+",
        "write it as its vendor does, such as xc7a35tcpg236-1 or LFE5U-45F-6BG381C; boards go with --board",
    )
