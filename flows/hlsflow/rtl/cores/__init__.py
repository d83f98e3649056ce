"""What each node of a graph becomes in hardware: one file for each kind of core, and the table that chooses.

In: a node, the types of its inputs and the knobs of its layer. Out: a `Core`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from hlsflow.core.choices import Strategy
from hlsflow.ir import Node, Op
from hlsflow.ir.graph import MERGES
from hlsflow.rtl.cores.copies import copies
from hlsflow.rtl.cores.core import Core, Reordering
from hlsflow.rtl.cores.dense import DenseCore
from hlsflow.rtl.cores.depthwise import depthwise_core, scale_core
from hlsflow.rtl.cores.fold import fold_layer
from hlsflow.rtl.cores.latency import LatencyCore, adder_graph_suits, latency_core
from hlsflow.rtl.cores.merge import concat_core, merge_core
from hlsflow.rtl.cores.parallel import Parallel
from hlsflow.rtl.cores.pool import avg_pool_cores, max_pool_core
from hlsflow.rtl.cores.softmax import argmax_core, softmax_core
from hlsflow.rtl.cores.sparse import sparse_core
from hlsflow.rtl.cores.sums import sums_of
from hlsflow.rtl.knobs import LayerKnobs, Pipeline
from hlsflow.rtl.tile import pixels

WITH_KNOBS = (Op.DENSE, Op.CONV, Op.DEPTHWISE, Op.SCALE)
"""Operations that have weights, and so a reuse factor and the other knobs of a layer."""


def core_of(node: Node, sources: Sequence[Node], knobs: LayerKnobs, pipeline: Pipeline) -> Core:
    """The core of a node that needs one.

    Args:
        node: of an operation in `CORES`.
        sources: the nodes that it reads, in order.
        knobs: for its layer; without meaning where the operation is not one of `WITH_KNOBS`.
        pipeline: of the whole design.
    """
    return CORES[node.op](node, sources, knobs, pipeline)


def _dense(node: Node, sources: Sequence[Node], knobs: LayerKnobs, pipeline: Pipeline) -> Core:
    sums = sums_of(node, sources[0].type)
    if adder_graph_suits(sums, knobs):
        return latency_core(sums, knobs, pipeline, pixels(node))
    if knobs.strategy is Strategy.SPARSE:
        return sparse_core(sums, knobs, pipeline, pixels(node))
    return DenseCore(sums, fold_layer(sums, knobs, pipeline, shareable=True, pixels=pixels(node)))


def _equal(node: Node, core: Parallel) -> Core:
    """The same core for each pixel of a beat."""
    return copies([core] * pixels(node))


CORES: Mapping[Op, Callable[[Node, Sequence[Node], LayerKnobs, Pipeline], Core]] = {
    Op.DENSE: _dense,
    Op.CONV: _dense,
    Op.DEPTHWISE: depthwise_core,
    Op.SCALE: scale_core,
    Op.CONCAT: lambda node, sources, _, __: concat_core(node, sources),
    Op.MAX_POOL: lambda node, sources, _, pipeline: _equal(node, max_pool_core(node, sources, pipeline)),
    Op.AVG_POOL: lambda node, sources, _, pipeline: copies(avg_pool_cores(node, sources, pipeline)),
    Op.ARGMAX: lambda node, sources, _, pipeline: _equal(node, argmax_core(node, sources, pipeline)),
    Op.SOFTMAX: lambda node, sources, _, pipeline: _equal(node, softmax_core(node, sources, pipeline)),
    **dict.fromkeys(MERGES, lambda node, sources, _, __: merge_core(node, sources)),
}
"""Operation → what makes its core."""

Weighted = DenseCore | LatencyCore
"""Cores of layers with weights: those that have a plan."""

__all__ = ["CORES", "WITH_KNOBS", "Core", "DenseCore", "Reordering", "Weighted", "core_of"]
