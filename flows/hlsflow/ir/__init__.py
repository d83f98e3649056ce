"""Our own small intermediate representation: integers on fixed-point grids, and nothing else.

In: what `hlsflow.hls` lowers from hls4ml's resolved model. Out: the oracle (`evaluate`) and what `hlsflow.rtl` emits.
"""

from hlsflow.ir.evaluate import evaluate, trace
from hlsflow.ir.fixed import Fixed, Overflow, Rounding
from hlsflow.ir.graph import Graph, Node, Op
from hlsflow.ir.verify import verify

__all__ = ["Fixed", "Graph", "Node", "Op", "Overflow", "Rounding", "evaluate", "trace", "verify"]
