"""Our own small intermediate representation: integers on fixed-point grids, and nothing else.

In: what `flows.hls` lowers from hls4ml's resolved model. Out: the oracle (`evaluate`) and what `flows.rtl` emits.
"""

from flows.ir.evaluate import evaluate, trace
from flows.ir.fixed import Fixed, Overflow, Rounding
from flows.ir.graph import Graph, Node, Op
from flows.ir.verify import verify

__all__ = ["Fixed", "Graph", "Node", "Op", "Overflow", "Rounding", "evaluate", "trace", "verify"]
