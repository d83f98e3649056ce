"""A network taken apart: a model of its own for each layer with weights, so that each can be built and measured alone.

In: a QKeras model and the graph it translates to. Out: `Segment`s in order. A segment is a layer with weights and all
that follows up to the next ones; what stands before the first one is part of that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hlsflow.core.errors import UnsupportedLayer
from hlsflow.hls.translate import quiet
from hlsflow.ir import Fixed, Graph, Node, Op
from hlsflow.keras.graph import copied, is_input, nodes, output_names

SUMS = (Op.DENSE, Op.CONV, Op.DEPTHWISE)
"""Operations to which hls4ml gives a reuse factor."""

SCALES = ("BatchNormalization", "QBatchNormalization")
"""Keras layer classes with weights to which it gives none."""

NOTHING = (Op.INPUT, Op.RESHAPE)
"""Operations that compute nothing; hls4ml leaves out a reshape at an end."""

SEVERAL = ("QSeparableConv1D", "QSeparableConv2D", "QLSTM")
"""Keras layer classes that become several layers with weights."""

ALTERNATIVE = "explore this network with --engine open"


@dataclass(frozen=True, eq=False)
class Segment:
    """One layer with weights, and what follows it.

    Attributes:
        layer: its name.
        parent: number of the segment that it reads; None: it reads an input of the network.
        model: a Keras model of its own, with copies of the layers and their weights.
        feed: the type of what it reads.
        nodes: those of the network's graph that it makes, by name.
    """

    layer: str
    parent: int | None
    model: Any
    feed: Fixed
    nodes: Mapping[str, Node]

    def require_same(self, graph: Graph) -> None:
        """See that the segment alone is what it is in the network, to the last type and weight.

        Args:
            graph: what `model` translates to.
        Raises:
            UnsupportedLayer: it is something else.
        """
        alone = {node.name: node for node in graph.nodes if node.op not in NOTHING}
        within = {name: node for name, node in self.nodes.items() if node.op not in NOTHING}
        differing = sorted(alone.keys() ^ within.keys())
        differing += [name for name in sorted(alone.keys() & within.keys()) if not _same(alone[name], within[name])]
        if differing:
            raise UnsupportedLayer(
                f"layer '{self.layer}' on its own is not what it is in the network: {', '.join(differing)}", ALTERNATIVE
            )


def _same(node: Node, other: Node) -> bool:
    plain = all(getattr(node, name) == getattr(other, name) for name in ("op", "shape", "type", "types", "attrs"))
    return plain and all(np.array_equal(value, other.params[name]) for name, value in node.params.items())


def segments(model: Any, graph: Graph) -> tuple[Segment, ...]:
    """Take a network apart.

    Args:
        model: QKeras model.
        graph: what it translates to.
    Raises:
        UnsupportedLayer: a layer reads several others, or is several layers in hls4ml, or there is none with weights.
    """
    names = [node.name for node in graph.nodes if node.op in SUMS]
    if not names:
        raise UnsupportedLayer(f"'{graph.name}' has no layer with weights", "there is nothing to choose in it")
    owners, owned = _owners(model, names), _node_owners(graph)
    with quiet():
        return tuple(_segment(model, graph, owners, owned, names, name) for name in names)


def _segment(
    model: Any, graph: Graph, owners: Mapping[str, str], owned: Mapping[str, str], names: list[str], name: str
) -> Segment:
    source = graph[graph[name].inputs[0]]
    while source.op is not Op.INPUT and owned.get(source.name) == name:
        source = graph[source.inputs[0]]
    own = {node.name: node for node in graph.nodes if owned.get(node.name) == name}
    parent = None if source.op is Op.INPUT else names.index(owned[source.name])
    return Segment(name, parent, _cut(model, {key for key, owner in owners.items() if owner == name}), source.type, own)


def _owners(model: Any, names: list[str]) -> dict[str, str]:
    """Keras layer → the layer with weights in whose segment it is."""
    reads: dict[str, str] = {}
    for node in nodes(model):
        if not is_input(node.layer):
            _require_one(node, names)
            reads[node.layer.name] = node.parent_nodes[0].layer.name
    return _assigned(reads, names)


def _node_owners(graph: Graph) -> dict[str, str]:
    """The same of the graph's nodes."""
    reads = {node.name: node.inputs[0] for node in graph.nodes if node.op is not Op.INPUT}
    return _assigned(reads, [node.name for node in graph.nodes if node.op in SUMS])


def _assigned(reads: Mapping[str, str], names: list[str]) -> dict[str, str]:
    """Each thing goes to the last layer with weights before it, or else to the only one after it."""
    owners: dict[str, str] = {}
    for name, source in reads.items():
        owner = name if name in names else owners.get(source)
        if owner is not None:
            owners[name] = owner
    for name in reversed([name for name in reads if name not in owners]):
        after = {owners.get(reader, "") for reader, source in reads.items() if source == name}
        if len(after) != 1:
            raise UnsupportedLayer(
                f"'{name}' stands before the first layer with weights, and {len(after)} layers read it", ALTERNATIVE
            )
        owners[name] = after.pop()
    return owners


def _require_one(node: Any, names: list[str]) -> None:
    layer, kind = node.layer, type(node.layer).__name__
    if len(node.parent_nodes) != 1:
        raise UnsupportedLayer(
            f"layer '{layer.name}' reads {len(node.parent_nodes)} layers, and cannot be measured on its own",
            ALTERNATIVE,
        )
    if kind in SEVERAL or (layer.weights and layer.name not in names and kind not in SCALES):
        raise UnsupportedLayer(f"layer '{layer.name}', a {kind}, is no single layer in hls4ml", ALTERNATIVE)


def _cut(model: Any, members: set[str]) -> Any:
    """A model of these layers alone, which returns what others read of them, or the model returns."""
    import tf_keras

    applications = [node for node in nodes(model) if node.layer.name in members]
    first = applications[0].parent_nodes[0]
    entry = nodes(model)[0].layer.name  # a name that no layer of a segment has
    start = tf_keras.Input(first.outputs.shape[1:], name=entry, dtype=first.outputs.dtype)
    tensors, pending = {first.layer.name: start}, []
    for node in applications:
        copy = copied(node.layer, {})
        tensors[node.layer.name] = copy(tensors[node.parent_nodes[0].layer.name])
        pending.append((copy, node.layer.get_weights()))
    cut = tf_keras.Model(start, [tensors[name] for name in _ends(model, members)], name=model.name)
    for layer, weights in pending:
        layer.set_weights(weights)
    return cut


def _ends(model: Any, members: set[str]) -> list[str]:
    """Those of the layers that layers outside read, or that the model returns."""
    readers: dict[str, set[str]] = {name: set() for name in members}
    for node in nodes(model):
        for parent in node.parent_nodes:
            if parent.layer.name in members:
                readers[parent.layer.name].add(node.layer.name)
    return [
        node.layer.name
        for node in nodes(model)
        if node.layer.name in members and (readers[node.layer.name] - members or node.layer.name in output_names(model))
    ]
