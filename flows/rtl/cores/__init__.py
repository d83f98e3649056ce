"""What each node of a graph becomes in hardware: one file for each kind of core, and the table that chooses.

In: a node, the types of its inputs and the knobs of its layer. Out: a `Core`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from flows.ir import Node, Op
from flows.rtl.cores.core import Core
from flows.rtl.cores.dense import DenseCore
from flows.rtl.cores.fold import LayerKnobs, fold_layer
from flows.rtl.cores.sums import sums_of

WITH_KNOBS = (Op.DENSE, Op.CONV, Op.DEPTHWISE)
"""Operations that have weights, and so a reuse factor and the other knobs of a layer."""


def core_of(node: Node, sources: Sequence[Node], knobs: LayerKnobs) -> Core:
    """The core of a node that needs one.

    Args:
        node: of an operation in `CORES`.
        sources: the nodes that it reads, in order.
        knobs: for its layer; without meaning where the operation is not one of `WITH_KNOBS`.
    """
    return CORES[node.op](node, sources, knobs)


def _dense(node: Node, sources: Sequence[Node], knobs: LayerKnobs) -> Core:
    sums = sums_of(node, sources[0].type)
    return DenseCore(sums, fold_layer(sums, knobs))


CORES: Mapping[Op, Callable[[Node, Sequence[Node], LayerKnobs], Core]] = {
    Op.DENSE: _dense,
    Op.CONV: _dense,
}
"""Operation → what makes its core."""

__all__ = ["CORES", "WITH_KNOBS", "Core", "DenseCore", "LayerKnobs", "core_of"]
