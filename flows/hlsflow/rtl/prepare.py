"""A graph as the RTL wants it: the same values, by nodes that each have their own hardware.

In: a verified graph. Out: a graph without nodes that no result depends on, with padding left to the convolutions that
read it, with casts of their own before beats of different types are put one after the other, for `Io.PARALLEL` with
whole tensors as inputs and results, and with the tiles in which several pixels go side by side.
"""

from __future__ import annotations

from dataclasses import replace

from hlsflow.core.choices import Io
from hlsflow.core.errors import UnsupportedLayer
from hlsflow.ir import Graph, Node, Op, verify
from hlsflow.rtl.fronts import runs_beats
from hlsflow.rtl.knobs import Pixels
from hlsflow.rtl.tile import beats
from hlsflow.rtl.tiling import tiled

ONE_PIXEL = Pixels()


def prepared(graph: Graph, io: Io, pixels: Pixels = ONE_PIXEL) -> Graph:
    """The graph to build.

    Raises:
        UnsupportedLayer: an input that no result depends on: its beats would wait for ever.
        ProjectError: a number of pixels that a layer cannot have.
    """
    graph = _cast_before_runs(_live(_padded_windows(graph)))
    return tiled(verify(_whole(graph) if io is Io.PARALLEL else graph), pixels)


def _live(graph: Graph) -> Graph:
    """Only what some result depends on."""
    wanted = set(graph.outputs)
    for node in reversed(graph.nodes):
        if node.name in wanted:
            wanted.update(node.inputs)
    for node in graph.inputs:
        if node.name not in wanted:
            raise UnsupportedLayer(f"no output depends on input '{node.name}'", "take it out of the model")
    return replace(graph, nodes=tuple(node for node in graph.nodes if node.name in wanted))


def _padded_windows(graph: Graph) -> Graph:
    """A convolution pads by itself, at no cost, and reads what the padding before it reads."""
    return replace(graph, nodes=tuple(_padded(graph, node) for node in graph.nodes))


def _padded(graph: Graph, node: Node) -> Node:
    if node.op not in (Op.CONV, Op.DEPTHWISE):
        return node
    source = graph[node.inputs[0]]
    if source.op is not Op.ZERO_PAD:
        return node
    pad = tuple(a + b for a, b in zip(node.attrs["pad"], source.attrs["pad"], strict=True))
    return _padded(graph, replace(node, inputs=source.inputs, attrs={**node.attrs, "pad": pad}))


def _cast_before_runs(graph: Graph) -> Graph:
    nodes: list[Node] = []
    for node in graph.nodes:
        casts: dict[str, Node] = {}
        if runs_beats(node):
            sources = [graph[name] for name in node.inputs if graph[name].type != node.type]
            casts = {source.name: _cast(source, node) for source in sources}
        inputs = tuple(casts[name].name if name in casts else name for name in node.inputs)
        nodes += [*casts.values(), replace(node, inputs=inputs)]
    return replace(graph, nodes=tuple(nodes))


def _cast(source: Node, reader: Node) -> Node:
    name = f"{reader.name} cast of {source.name}"
    return Node(name, Op.QUANTIZE, (source.name,), source.shape, reader.type)


def _whole(graph: Graph) -> Graph:
    """Each input and each result in one beat; what the graph had is made of it, or it of what the graph had."""
    nodes: list[Node] = []
    for node in graph.nodes:
        nodes += _split(node) if node.op is Op.INPUT and beats(node) > 1 else [node]
    gathered = {node.name: _gathered(node) for node in graph.results if beats(node) > 1}
    outputs = tuple(gathered[name].name if name in gathered else name for name in graph.outputs)
    return replace(graph, nodes=(*nodes, *gathered.values()), outputs=outputs)


def _split(node: Node) -> list[Node]:
    single_beat = replace(node, name=f"{node.name} in one beat", shape=(node.size,))
    return [single_beat, replace(node, op=Op.RESHAPE, inputs=(single_beat.name,))]


def _gathered(node: Node) -> Node:
    return Node(f"{node.name} gathered", Op.RESHAPE, (node.name,), (node.size,), node.type)
