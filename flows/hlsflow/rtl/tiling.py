"""How many neighbouring pixels each value of a graph moves at a time, from the number that the user asks for.

An input comes in as many pixels a beat as are asked for all; each layer behind it makes as many as keep up: P after P
at stride 1, P / s after a stride of s columns that divides P, whole rows of whole rows. A layer with a number of its
own makes that many. Where a reader needs other beats than it gets, a node that only regroups them stands in between.

In: a graph, and `Pixels`. Out: the same graph with tiles (`hlsflow.rtl.tile`), or as it is with one pixel for all.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from hlsflow.core.errors import ProjectError
from hlsflow.ir import Graph, Node, Op
from hlsflow.ir.graph import MERGES, image
from hlsflow.project.errors import listed
from hlsflow.rtl.fronts import runs_beats
from hlsflow.rtl.knobs import Pixels
from hlsflow.rtl.tile import PIXEL, Tile, is_filled, tile_of, with_tile

WINDOWS = (Op.CONV, Op.DEPTHWISE, Op.MAX_POOL, Op.AVG_POOL, Op.ZERO_PAD)
FRESH = (Op.INPUT, Op.RESHAPE, Op.PERMUTE)
"""Operations whose result begins anew: its tile follows from no other one."""


def tiled(graph: Graph, asked: Pixels) -> Graph:
    """The graph with a tile for each node.

    Raises:
        ProjectError: a number of pixels that a layer cannot have, or one for a layer that does not exist.
    """
    names = [node.name for node in graph.nodes]
    for name in asked.own:
        if name not in names:
            raise ProjectError(f"parallel_pixels: no layer is named '{name}'", f"layers: {listed(name, names)}")
    return graph if asked == Pixels() else _Tiling(graph, asked).result()


@dataclass
class _Tiling:
    """The graph as it grows.

    Attributes:
        made: name → node, with its tile.
        wishes: name → the tile that the number asked for leads to; `made` may have another one, where rows of a port
            have to be filled.
    """

    graph: Graph
    asked: Pixels
    made: dict[str, Node] = field(default_factory=dict)
    wishes: dict[str, Tile] = field(default_factory=dict)

    def result(self) -> Graph:
        for node in self.graph.nodes:
            self._add(node)
        outputs = tuple(self._filled(name).name for name in self.graph.outputs)
        return replace(self.graph, nodes=tuple(self.made.values()), outputs=outputs)

    def _add(self, node: Node) -> None:
        wish = self._wish(node)
        tile = _filling(wish, node) if node.op in FRESH else wish
        sources = [self._regrouped(name, needed) for name, needed in self._needed(node, tile)]
        if node.op not in (*FRESH, *WINDOWS, Op.UPSAMPLE) and sources and not runs_beats(node):
            tile = tile_of(sources[0])
        self.wishes[node.name] = wish
        self.made[node.name] = with_tile(replace(node, inputs=tuple(source.name for source in sources)), tile)

    def _wish(self, node: Node) -> Tile:
        own = self.asked.own.get(node.name)
        if own is not None:
            return self._own(node, _tile(own, node))
        if node.op in FRESH:
            return self._fresh(node)
        wishes = [self.wishes[name] for name in node.inputs]
        if node.op in WINDOWS or node.op is Op.UPSAMPLE:
            return _after(node, self.graph[node.inputs[0]], wishes[0])
        return self._of_runs(node, wishes[0]) if runs_beats(node) else wishes[0]

    def _own(self, node: Node, tile: Tile) -> Tile:
        """A tile that is asked for a layer of its own, if it can have it."""
        if runs_beats(node) and self._of_runs(node, tile) != tile:
            message = f"parallel_pixels of layer '{node.name}' is {tile[0] * tile[1]}"
            hint = "it puts its inputs one after the other: take a number that divides the rows of all of them"
            raise ProjectError(message, hint)
        if node.op is Op.UPSAMPLE:
            _before_upsample(node, tile)
        if node.op in FRESH and _filling(tile, node) != tile:
            message = f"parallel_pixels of layer '{node.name}' is {tile[1]}; its rows are {image(node.shape)[1]} pixels"
            raise ProjectError(message, "where values enter or are regrouped, take a number that divides the row")
        return tile

    def _of_runs(self, node: Node, wish: Tile) -> Tile:
        """Pixels of a row that divide the rows of all inputs, where one input comes after the other."""
        return 1, math.gcd(wish[1], *(image(self.graph[name].shape)[1] for name in node.inputs))

    def _fresh(self, node: Node) -> Tile:
        """The most pixels up to what is asked for all.

        Where only layers behind it have a number of their own, up to what the first of them reads.
        """
        h, w, _ = image(node.shape)
        number = self.asked.all if self.asked.all > 1 else self._read_by(node.name)
        return (1, number) if number <= w else (_largest_divisor(h, number // w), w)

    def _read_by(self, name: str) -> int:
        for reader in self.graph.readers(name):
            if self.asked.own.get(reader.name, 1) > 1:
                stride = reader.attrs.get("stride", PIXEL)
                return self.asked.own[reader.name] * stride[1]
        return 1

    def _needed(self, node: Node, tile: Tile) -> Iterator[tuple[str, Tile]]:
        """Each source, and the tile in which the node can read it."""
        for name in node.inputs:
            yield name, self._readable(node, tile, self.made[name])

    def _readable(self, node: Node, tile: Tile, source: Node) -> Tile:
        own = tile_of(source)
        if node.op in (Op.RESHAPE, Op.PERMUTE):
            return _filling(own, source)
        if node.op is Op.UPSAMPLE:
            return _before_upsample(node, tile)
        if node.op in WINDOWS:
            return _before_window(node, tile, source)
        if node.op in (*MERGES, Op.CONCAT) or node.name in self.asked.own:
            return tile if node.name in self.asked.own or runs_beats(node) else tile_of(self.made[node.inputs[0]])
        return own

    def _regrouped(self, name: str, tile: Tile) -> Node:
        """The node of that name, or one behind it that has its pixels in tiles of another size."""
        source = self.made[name]
        if tile == tile_of(source):
            return source
        straight = _filling(tile_of(source), source), _filling(tile, source)
        if (tile_of(source)[0] > 1 and straight[1] != tile) or (tile[0] > 1 and straight[0] != tile_of(source)):
            # Whole rows on one side, rows that are not filled on the other: by way of tiles that fill rows.
            name, source = self._in_tiles(source, straight[0] if tile[0] > 1 else straight[1])
            return self._regrouped(name, tile)
        return self._in_tiles(source, tile)[1]

    def _in_tiles(self, source: Node, tile: Tile) -> tuple[str, Node]:
        name = f"{source.name} in tiles of {tile[0]}x{tile[1]}"
        if name not in self.made:
            regrouped = Node(name, Op.RESHAPE, (source.name,), source.shape, source.type)
            self.made[name] = with_tile(regrouped, tile)
        return name, self.made[name]

    def _filled(self, name: str) -> Node:
        """A result whose beats are its values and nothing else."""
        node = self.made[name]
        return node if is_filled(node) else self._regrouped(name, _filling(tile_of(node), node))


def _tile(number: int, node: Node) -> Tile:
    """The tile of a number of pixels: neighbours in a row, or whole rows."""
    h, w, _ = image(node.shape)
    if number <= w:
        return 1, number
    rows = number // w
    if number % w or rows > h or h % rows:
        sizes = ", ".join(str(w * count) for count in range(1, h + 1) if h % count == 0)
        message = f"parallel_pixels of layer '{node.name}' is {number}; its result has {h} rows of {w} pixels"
        raise ProjectError(message, f"take up to {w} pixels of a row, or whole rows that divide the image: {sizes}")
    return rows, w


def _filling(tile: Tile, node: Node) -> Tile:
    """The largest tile within this one that rows are full of."""
    (_, w, _), (rows, columns) = image(node.shape), tile
    return (1, math.gcd(columns, w)) if w % columns else (rows, columns)


def _after(node: Node, source: Node, wish: Tile) -> Tile:
    """The tile of a window or an enlargement that keeps up with its source."""
    (h, w, _), (source_h, source_w, _) = image(node.shape), image(source.shape)
    if wish == PIXEL:
        return PIXEL
    if wish == (source_h, source_w):
        return h, w
    if node.op is Op.UPSAMPLE:
        down, across = node.attrs["factor"]
        return wish[0] * down if wish[0] > 1 else 1, wish[1] * across
    down, across = node.attrs.get("stride", PIXEL)
    rows, columns = (
        min(pixels // math.gcd(pixels, stride), size)
        for pixels, stride, size in zip(wish, (down, across), (h, w), strict=True)
    )
    return (_largest_divisor(h, rows), w) if rows > 1 else (1, columns)


def _largest_divisor(number: int, most: int) -> int:
    return next(divisor for divisor in range(min(number, most), 0, -1) if number % divisor == 0)


def _before_upsample(node: Node, tile: Tile) -> Tile:
    """The tile of the source; single pixels are repeated one by one."""
    if tile == PIXEL:
        return PIXEL
    down, across = node.attrs["factor"]
    if tile[1] % across or (tile[0] > 1 and tile[0] % down):
        message = f"parallel_pixels of layer '{node.name}' is {tile[0] * tile[1]}; it repeats each pixel {across} times"
        raise ProjectError(message, f"take a multiple of {across}")
    return max(tile[0] // down, 1), tile[1] // across


def _before_window(node: Node, tile: Tile, source: Node) -> Tile:
    """The tile of the source: as it is where steps of outputs begin at whole tiles of it, else just what they cover."""
    (h, w, _), (out_h, out_w, _) = image(source.shape), image(node.shape)
    own, stride = tile_of(source), node.attrs.get("stride", PIXEL)
    rows = own[0] if out_h <= tile[0] or tile[0] * stride[0] % own[0] == 0 else min(tile[0] * stride[0], h)
    columns = own[1] if out_w <= tile[1] or tile[1] * stride[1] % own[1] == 0 else min(tile[1] * stride[1], w)
    return (rows, columns) if h % rows == 0 and columns == w else (1, columns)
