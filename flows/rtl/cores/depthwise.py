"""Weighted sums of each channel on its own with any reuse factor: depthwise convolutions, and scales.

A scale, x * scale[c] + bias[c], is a depthwise convolution with a window of one pixel and an accumulator that holds
everything exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from flows.ir import Fixed, Node, Op
from flows.ir.fixed import Array
from flows.rtl.cores.dense import DenseCore
from flows.rtl.cores.fold import fold_layer
from flows.rtl.cores.latency import LatencyCore, adder_graph_suits, latency_core
from flows.rtl.cores.sums import sums_of
from flows.rtl.knobs import LayerKnobs, Pipeline
from flows.rtl.lanes import fixed_for
from flows.rtl.verilog import Stream, Value, instance


@dataclass(frozen=True, eq=False)
class DepthwiseCore(DenseCore):
    """`templates/rtl/depthwise_core.v`: as a dense core, but with operands of its own for each sum."""

    primitives = ("depthwise_core", *(name for name in DenseCore.primitives if name != "dense_core"))

    def emit(self, vector: Stream, name: str) -> tuple[str, Stream]:
        out = Stream(f"{name}_valid", f"{name}_last", f"{name}_sums", self.lanes, self.result)
        ports = {"clk": "clk", "rst": "rst", "load": vector.valid, "vector": vector.data}
        ports |= {"sums_valid": out.valid, "sums_last": out.last, "sums": out.data}
        return out.declare() + instance("depthwise_core", name, self._depthwise_parameters(), ports), out

    def _depthwise_parameters(self) -> dict[str, Value]:
        dense = self._parameters()
        taps = {"TAPS": self.plan.n_in, "CHANNELS": self.n_out, "LANES_TAPS": self.plan.inputs_per_cycle}
        return taps | {key: value for key, value in dense.items() if key not in ("N_IN", "LANES_IN")}


def depthwise_core(
    node: Node, sources: Sequence[Node], knobs: LayerKnobs, pipeline: Pipeline
) -> DepthwiseCore | LatencyCore:
    """The core of a DEPTHWISE node: adders alone where they are asked for and suit, else folded.

    Folded, latency and interval are those of a dense layer with an input for each tap.
    """
    sums = sums_of(node, sources[0].type)
    spread = replace(sums, weight=_spread(sums.weight))
    if adder_graph_suits(spread, knobs):
        return latency_core(spread, knobs, pipeline)
    return DepthwiseCore(sums, fold_layer(sums, knobs, pipeline))


def _spread(weight: Array) -> Array:
    """Weights (taps, channels) as the matrix of a dense layer, (taps * channels, channels), mostly zeros."""
    channels = weight.shape[1]
    matrix: Array = (weight[:, :, None] * np.eye(channels, dtype=weight.dtype)).reshape(-1, channels)
    return matrix


def scale_core(
    node: Node, sources: Sequence[Node], knobs: LayerKnobs, pipeline: Pipeline
) -> DepthwiseCore | LatencyCore:
    """The core of a SCALE node."""
    return depthwise_core(_as_depthwise(node, sources[0].type), sources, knobs, pipeline)


def _as_depthwise(node: Node, source: Fixed) -> Node:
    scale, bias = (node.params[key].astype(object) for key in ("scale", "bias"))  # shifted, they may pass 64 bits
    factor, offset = (node.types[key] for key in ("scale", "bias"))
    product = source.frac + factor.frac
    frac = max(product, offset.frac)
    ends = [(scale * end << (frac - product)) + (bias << (frac - offset.frac)) for end in (source.min, source.max)]
    accum = fixed_for(int(np.min(ends)), int(np.max(ends)), frac)
    return replace(
        node,
        op=Op.DEPTHWISE,
        params={"weight": node.params["scale"][None, None], "bias": node.params["bias"]},
        types={"weight": factor, "bias": offset, "accum": accum},
    )
