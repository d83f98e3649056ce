"""Weighted sums of each channel on its own with any reuse factor: depthwise convolutions, and scales.

As a matrix on the whole window such sums are mostly zeros, which neither a static schedule nor an adder graph pays for.
A scale, x * scale[c] + bias[c], is a depthwise convolution with a window of one pixel and an accumulator that holds
everything exactly.

In: a node, the one it reads and its knobs. Out: a core.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hlsflow.ir import Fixed, Node, Op
from hlsflow.ir.fixed import Array
from hlsflow.rtl.cores.latency import LatencyCore, adder_graph_suits, latency_core
from hlsflow.rtl.cores.sparse import SparseCore, sparse_core
from hlsflow.rtl.cores.sums import sums_of
from hlsflow.rtl.knobs import LayerKnobs, Pipeline
from hlsflow.rtl.tile import pixels


def depthwise_core(
    node: Node, sources: Sequence[Node], knobs: LayerKnobs, pipeline: Pipeline
) -> SparseCore | LatencyCore:
    """The core of a DEPTHWISE node: adders alone where they are asked for and suit, else folded."""
    sums = sums_of(node, sources[0].type)
    spread = replace(sums, weight=_spread(sums.weight))
    if adder_graph_suits(spread, knobs):
        return latency_core(spread, knobs, pipeline, pixels(node))
    return sparse_core(spread, knobs, pipeline, pixels(node))


def _spread(weight: Array) -> Array:
    """Weights (taps, channels) as the matrix of a dense layer, (taps * channels, channels), mostly zeros."""
    channels = weight.shape[1]
    matrix: Array = (weight[:, :, None] * np.eye(channels, dtype=weight.dtype)).reshape(-1, channels)
    return matrix


def scale_core(node: Node, sources: Sequence[Node], knobs: LayerKnobs, pipeline: Pipeline) -> SparseCore | LatencyCore:
    """The core of a SCALE node."""
    return depthwise_core(_as_depthwise(node, sources[0].type), sources, knobs, pipeline)


def _as_depthwise(node: Node, source: Fixed) -> Node:
    scale, bias = (node.params[key].astype(object) for key in ("scale", "bias"))  # shifted, they may pass 64 bits
    factor, offset = (node.types[key] for key in ("scale", "bias"))
    product = source.frac + factor.frac
    frac = max(product, offset.frac)
    ends = [(scale * end << (frac - product)) + (bias << (frac - offset.frac)) for end in (source.min, source.max)]
    accum = Fixed.spanning(int(np.min(ends)), int(np.max(ends)), frac)
    return replace(
        node,
        op=Op.DEPTHWISE,
        params={"weight": node.params["scale"][None, None], "bias": node.params["bias"]},
        types={"weight": factor, "bias": offset, "accum": accum},
    )
