"""The verifier: refuses a graph whose meaning would not be exact. Runs after every step that makes a graph.

In: a graph. Out: the same graph, or `InvalidGraph`, which names the node and the rule. The rules of one node are
functions in tables by operation; each says what is wrong, or nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from hlsflow.core.errors import FlowError
from hlsflow.ir.arithmetic import largest
from hlsflow.ir.fixed import MAX_WIDTH, Overflow
from hlsflow.ir.graph import ATTRS, MERGES, PARAMS, TYPES, Graph, Node, Op
from hlsflow.ir.shapes import result_shapes
from hlsflow.ir.softmax import LATENCY, STABLE


class InvalidGraph(FlowError):
    """A graph that breaks a rule of the intermediate representation: a fault of ours, or a damaged file."""


def verify(graph: Graph) -> Graph:
    """Return the graph unchanged if it keeps every rule.

    Raises:
        InvalidGraph: names the node and the rule.
    """
    earlier: dict[str, Node] = {}
    for node in graph.nodes:
        if node.name in earlier:
            raise InvalidGraph(f"two nodes are named '{node.name}'")
        _check_node(node, [_earlier(earlier, node, name) for name in node.inputs])
        earlier[node.name] = node
    if not graph.inputs:
        raise InvalidGraph(f"graph '{graph.name}' has no input")
    if not graph.outputs or any(name not in earlier for name in graph.outputs):
        raise InvalidGraph(f"outputs {graph.outputs} are not all nodes of '{graph.name}'")
    if len(set(graph.outputs)) < len(graph.outputs):
        raise InvalidGraph(f"outputs {graph.outputs} of '{graph.name}' name a node twice")
    return graph


def _earlier(earlier: dict[str, Node], node: Node, name: str) -> Node:
    if name not in earlier:
        raise InvalidGraph(f"node '{node.name}' reads '{name}', which does not come before it")
    return earlier[name]


def _check_node(node: Node, inputs: list[Node]) -> None:
    if not node.shape or min(node.shape) < 1:
        raise InvalidGraph(f"{node.op} '{node.name}' has shape {node.shape}")
    _check_carried(node, inputs)
    for key, value in node.params.items():
        kind = node.types.get(key, node.type)
        if not np.issubdtype(value.dtype, np.integer) or not kind.holds(value):
            raise InvalidGraph(f"parameter '{key}' of '{node.name}' is not within {kind}")
    for rule in (*_RULES.get(node.op, ()), _shape_rule, *_LIMITS.get(node.op, ())):
        if fault := rule(node, *inputs):
            raise InvalidGraph(f"{node.op} '{node.name}' {fault}", _hint(fault))


def _hint(fault: str) -> str:
    narrower = "give the layer before it a narrower result type, or its parameters fewer bits"
    return narrower if f"more than {MAX_WIDTH} bits" in fault else ""


def _check_carried(node: Node, inputs: list[Node]) -> None:
    """The right number of inputs; the parameters, types and attributes that the operation has, and no others."""
    fewest, most = _INPUTS.get(node.op, (1, 1))
    if not fewest <= len(inputs) <= most:
        raise InvalidGraph(f"{node.op} '{node.name}' has {len(inputs)} inputs")
    carried = (("parameters", PARAMS, node.params), ("types", TYPES, node.types), ("attributes", ATTRS, node.attrs))
    for what, table, held in carried:
        if sorted(held) != sorted(table.get(node.op, ())):
            raise InvalidGraph(f"{node.op} '{node.name}' must carry the {what} {table.get(node.op, ())}")
    for key, value in node.attrs.items():
        length = len(node.shape) if key == "axes" else _LENGTHS.get(key, 1)
        if len(value) != length or min(value) < (key in _POSITIVE):
            raise InvalidGraph(f"{node.op} '{node.name}' has {key} {value}")


_LENGTHS = {"stride": 2, "window": 2, "factor": 2, "pad": 4}
_POSITIVE = ("stride", "window", "factor")
_INPUTS: Mapping[Op, tuple[int, float]] = {
    Op.INPUT: (0, 0),
    Op.CONCAT: (2, float("inf")),
    **dict.fromkeys(MERGES, (2, 2)),
}
"""Fewest and most inputs of the operations that do not have one."""

Rule = Callable[..., str]
"""A node and the nodes it reads, to what is wrong, or an empty string."""


def _shape_rule(node: Node, *inputs: Node) -> str:
    allowed = result_shapes(node, list(inputs))
    return "" if node.shape in allowed else f"maps {[source.shape for source in inputs]} to {node.shape}, not {allowed}"


def _weight_rule(node: Node, source: Node) -> str:
    weight, bias = node.params["weight"].shape, node.params["bias"].shape
    rank = {Op.DENSE: 2, Op.CONV: 4, Op.DEPTHWISE: 3}[node.op]
    return "" if len(weight) == rank and bias == weight[-1:] and min(weight) else f"has weight {weight} and bias {bias}"


def _wrap_rule(node: Node, source: Node) -> str:
    accum = node.types["accum"]
    wraps = accum.overflow is Overflow.WRAP
    return "" if wraps else f"has accumulator {accum}: only WRAP does not depend on the order of the sum"


def _image_rule(node: Node, source: Node) -> str:
    """One-dimensional images have no rows to slide over, pad or repeat."""
    if len(source.shape) not in (2, 3):
        return f"reads {source.shape}, which is no image"
    rows = {
        "weight rows": node.params["weight"].shape[0] if "weight" in node.params else 1,
        "window": node.attrs.get("window", (1,))[0],
        "stride": node.attrs.get("stride", (1,))[0],
        "factor": node.attrs.get("factor", (1,))[0],
        "pad": 1 + max(node.attrs.get("pad", (0, 0))[:2]),
    }
    faults = [key for key, value in rows.items() if value != 1]
    return f"has {', '.join(faults)} across the rows of {source.shape}" if len(source.shape) == 2 and faults else ""


def _pool_pad_rule(node: Node, source: Node) -> str:
    """Every window holds a cell of the image: the first and the last, and so all between."""
    top, bottom, left, right = node.attrs["pad"]
    empty = max(top, bottom) >= node.attrs["window"][0] or max(left, right) >= node.attrs["window"][1]
    return f"has pad {node.attrs['pad']}, not smaller than its window {node.attrs['window']}" if empty else ""


def _count_rule(node: Node, source: Node) -> str:
    return "" if node.attrs["count_pad"] in ((0,), (1,)) else f"has count_pad {node.attrs['count_pad']}"


def _same_type_rule(node: Node, source: Node) -> str:
    return "" if node.type == source.type else f"changes the type {source.type} to {node.type}"


def _slope_rule(node: Node, source: Node) -> str:
    return "" if node.params["slope"].shape == () else "needs one slope for all elements"


def _table_rule(node: Node, source: Node) -> str:
    shape, size = node.params["table"].shape, 1 << source.type.width
    return "" if shape == (size,) else f"has table {shape}, not ({size},)"


def _channel_rule(node: Node, source: Node) -> str:
    shapes = {node.params[key].shape for key in ("scale", "bias")}
    return "" if shapes == {source.shape[-1:]} else f"has scale and bias {shapes}, not {source.shape[-1:]}"


def _one_rule(node: Node, source: Node) -> str:
    holds_one = node.type.frac >= 0 and 1 << node.type.frac <= node.type.max
    return "" if holds_one else f"has type {node.type}, which does not hold 1"


def _form_rule(node: Node, source: Node) -> str:
    if node.attrs["form"] not in ((STABLE,), (LATENCY,)):
        return f"has form {node.attrs['form']}"
    other = node.attrs["form"] == (LATENCY,) and node.types["norm"] != source.type
    return f"reads its table at the input, and has norm {node.types['norm']}, not {source.type}" if other else ""


def _softmax_table_rule(node: Node, source: Node) -> str:
    for key, index in (("exp", "norm"), ("inv", "inv_in")):
        shape, width = node.params[key].shape, node.types[index].width
        if shape not in [(1 << bits,) for bits in range(width + 1)]:
            return f"has table {key} {shape}, no power of two within the {width} bits of its index"
    return ""


_CONV_RULES = (_weight_rule, _wrap_rule, _image_rule)
_RULES: Mapping[Op, tuple[Rule, ...]] = {
    Op.DENSE: (_weight_rule, _wrap_rule),
    Op.CONV: _CONV_RULES,
    Op.DEPTHWISE: _CONV_RULES,
    Op.SCALE: (_channel_rule,),
    Op.LEAKY_RELU: (_slope_rule,),
    Op.TABLE: (_table_rule,),
    Op.MAX_POOL: (_image_rule, _pool_pad_rule),
    Op.AVG_POOL: (_image_rule, _pool_pad_rule, _count_rule, _wrap_rule),
    Op.ZERO_PAD: (_image_rule, _same_type_rule),
    Op.UPSAMPLE: (_image_rule, _same_type_rule),
    Op.RESHAPE: (_same_type_rule,),
    Op.PERMUTE: (_same_type_rule,),
    Op.ARGMAX: (_one_rule,),
    Op.SOFTMAX: (_form_rule, _softmax_table_rule),
}


def _too_wide(what: str, bits: int) -> str:
    return f"needs more than {MAX_WIDTH} bits for {what}" if bits > MAX_WIDTH else ""


def _bits(bound: int) -> int:
    return bound.bit_length() + 1


def _sum_limit(node: Node, source: Node) -> str:
    count = node.params["weight"][..., 0].size
    return _too_wide("its exact sum", source.type.width + node.types["weight"].width + count.bit_length())


def _slope_limit(node: Node, source: Node) -> str:
    slope = node.types["slope"]
    product = slope.width + max(-slope.frac, 0)
    positive = 1 + max(slope.frac, 0)  # x on the product's grid; the sign bit is new where x has none
    what = f"the exact product of {source.type} and a slope of {slope}"
    return _too_wide(what, source.type.width + max(product, positive))


def _scale_limit(node: Node, source: Node) -> str:
    factor, bias = node.types["scale"], node.types["bias"]
    product = source.type.frac + factor.frac
    frac = max(product, bias.frac)
    bound = (largest(source.type) * largest(factor) << (frac - product)) + (largest(bias) << (frac - bias.frac))
    return _too_wide("its exact result", _bits(bound))


def _merge_limit(node: Node, left: Node, right: Node) -> str:
    """Both inputs on the finer grid, added."""
    frac = max(left.type.frac, right.type.frac)
    bound = sum(largest(kind) << (frac - kind.frac) for kind in (left.type, right.type))
    return _too_wide(f"{left.type} and {right.type} on one grid", _bits(bound))


def _product_limit(node: Node, left: Node, right: Node) -> str:
    return _too_wide("its exact product", left.type.width + right.type.width)


def _softmax_limit(node: Node, source: Node) -> str:
    product = node.types["accum"].width + node.types["inv"].width
    return _too_wide("its exact product", max(product, source.type.width + 1))


_LIMITS: Mapping[Op, tuple[Rule, ...]] = {
    Op.DENSE: (_sum_limit,),
    Op.CONV: (_sum_limit,),
    Op.DEPTHWISE: (_sum_limit,),
    Op.LEAKY_RELU: (_slope_limit,),
    Op.SCALE: (_scale_limit,),
    **dict.fromkeys(MERGES, (_merge_limit,)),
    Op.MULTIPLY: (_product_limit,),
    Op.SOFTMAX: (_softmax_limit,),
}
"""Exact intermediate results that must fit in 64-bit integers, with room for rounding."""
