"""The verifier: refuses a graph whose meaning would not be exact. Runs after every step that makes a graph."""

from __future__ import annotations

import numpy as np

from flows.errors import FlowError
from flows.ir.fixed import MAX_WIDTH, Overflow
from flows.ir.graph import PARAMS, TYPES, Graph, Node, Op


class InvalidGraph(FlowError):
    """A graph that breaks a rule of the intermediate representation: a fault of ours, or a damaged file."""


def verify(graph: Graph) -> Graph:
    """Return the graph unchanged if it keeps every rule.

    Raises:
        InvalidGraph: names the node and the rule.
    """
    seen: dict[str, Node] = {}
    for node in graph.nodes:
        if node.name in seen:
            raise InvalidGraph(f"two nodes are named '{node.name}'")
        _check_node(node, [_known(seen, node, name) for name in node.inputs])
        seen[node.name] = node
    if not graph.outputs or any(name not in seen for name in graph.outputs):
        raise InvalidGraph(f"outputs {graph.outputs} are not all nodes of '{graph.name}'")
    return graph


def _known(seen: dict[str, Node], node: Node, name: str) -> Node:
    if name not in seen:
        raise InvalidGraph(f"node '{node.name}' reads '{name}', which does not come before it")
    return seen[name]


def _check_node(node: Node, inputs: list[Node]) -> None:
    if len(inputs) != (0 if node.op is Op.INPUT else 1):
        raise InvalidGraph(f"{node.op} '{node.name}' has {len(inputs)} inputs")
    if tuple(sorted(node.params)) != tuple(sorted(PARAMS.get(node.op, ()))):
        raise InvalidGraph(f"{node.op} '{node.name}' must carry the parameters {PARAMS.get(node.op, ())}")
    if tuple(sorted(node.types)) != tuple(sorted(TYPES.get(node.op, ()))):
        raise InvalidGraph(f"{node.op} '{node.name}' must carry the types {TYPES.get(node.op, ())}")
    for key, value in node.params.items():
        if not np.issubdtype(value.dtype, np.integer) or not node.types[key].holds(value):
            raise InvalidGraph(f"parameter '{key}' of '{node.name}' is not within {node.types[key]}")
    if node.op is Op.DENSE:
        _check_dense(node, inputs[0])
    elif inputs and node.shape != inputs[0].shape:
        raise InvalidGraph(f"{node.op} '{node.name}' changes the shape {inputs[0].shape} to {node.shape}")
    if node.op is Op.LEAKY_RELU:
        _check_leaky_relu(node, inputs[0])


def _check_dense(node: Node, source: Node) -> None:
    weight, bias = node.params["weight"], node.params["bias"]
    if weight.ndim != 2 or bias.shape != weight.shape[1:]:
        raise InvalidGraph(f"'{node.name}' has weight {weight.shape} and bias {bias.shape}")
    if (source.shape, node.shape) != (weight.shape[:1], weight.shape[1:]):
        raise InvalidGraph(f"'{node.name}' maps {source.shape} to {node.shape} with weight {weight.shape}")
    accum = node.types["accum"]
    if accum.overflow is not Overflow.WRAP:
        raise InvalidGraph(
            f"accumulator of '{node.name}' is {accum}: only WRAP does not depend on the order of the sum"
        )
    product = source.type.width + node.types["weight"].width
    if product + weight.shape[0].bit_length() > MAX_WIDTH:
        raise InvalidGraph(f"the exact sum of '{node.name}' needs more than {MAX_WIDTH} bits")


def _check_leaky_relu(node: Node, source: Node) -> None:
    if node.params["slope"].shape != ():
        raise InvalidGraph(f"'{node.name}' needs one slope for all elements")
    slope = node.types["slope"]
    product = slope.width + max(-slope.frac, 0)
    positive = 1 + max(slope.frac, 0)  # x on the product's grid; the sign bit is new where x has none
    if source.type.width + max(product, positive) > MAX_WIDTH:
        raise InvalidGraph(
            f"the exact product of '{node.name}', {source.type} times a slope of {slope}, "
            f"needs more than {MAX_WIDTH} bits",
            "give the layer before it a narrower result type, or the slope fewer bits",
        )
