"""How many pixels of an image go side by side: a tile of neighbouring ones, row by row, is one beat.

A tile is part of one row, or a number of whole rows. Where tiles do not fill a row, its last one ends with pixels that
mean nothing. The tile of a node is its attribute `tile`, (rows, columns), which `hlsflow.rtl.tiling` sets; without it
a beat is one pixel.
"""

from __future__ import annotations

import math
from dataclasses import replace

from hlsflow.ir import Node
from hlsflow.ir.graph import image
from hlsflow.ir.integers import ceil_div

Tile = tuple[int, int]
"""(rows, columns)."""

PIXEL: Tile = (1, 1)


def tile_of(node: Node) -> Tile:
    """The tile of a node's beats."""
    rows, columns = node.attrs.get("tile", PIXEL)
    return rows, columns


def with_tile(node: Node, tile: Tile) -> Node:
    """The same node with beats of that tile."""
    if tile == tile_of(node):
        return node
    others = {key: value for key, value in node.attrs.items() if key != "tile"}
    return replace(node, attrs=others if tile == PIXEL else {**others, "tile": tile})


def pixels(node: Node) -> int:
    """Pixels of a beat."""
    return math.prod(tile_of(node))


def grid(node: Node) -> tuple[int, int]:
    """Beats of a frame, down and across."""
    (h, w, _), (rows, columns) = image(node.shape), tile_of(node)
    return ceil_div(h, rows), ceil_div(w, columns)


def beats(node: Node) -> int:
    """Beats of a node's value: one for each position of all axes but the last, or for each tile of them."""
    return math.prod(node.shape[:-1]) if tile_of(node) == PIXEL else math.prod(grid(node))


def beat_lanes(node: Node) -> int:
    """Values of a beat: all channels of its pixels, or a whole vector."""
    return node.shape[-1] * pixels(node)


def beat_bits(node: Node) -> int:
    """Bits of a beat."""
    return beat_lanes(node) * node.type.width


def is_filled(node: Node) -> bool:
    """Whether every tile is full, so that the beats are the values in their order and nothing else."""
    (h, w, _), (rows, columns) = image(node.shape), tile_of(node)
    return h % rows == 0 and w % columns == 0
