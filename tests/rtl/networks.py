"""Small random graphs for the RTL tests: a compact notation for chains, with parameters drawn from a seed."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from hlsflow.ir import Fixed, Graph, Node, Op, verify


@dataclass(frozen=True)
class Layer:
    """One node: `op` and its types as text; `n` outputs for a dense layer; `slope` for a leaky ReLU."""

    op: Op
    type: str
    n: int = 0
    types: dict[str, str] = field(default_factory=dict)
    slope: int = 0


def dense(n: int, type: str, accum: str, weight: str = "fixed<6,1>", bias: str = "fixed<6,1>") -> Layer:
    return Layer(Op.DENSE, type, n, {"weight": weight, "bias": bias, "accum": accum})


def relu(type: str) -> Layer:
    return Layer(Op.RELU, type)


def cast(type: str) -> Layer:
    return Layer(Op.QUANTIZE, type)


def leaky(type: str, slope: int, grid: str = "fixed<8,1>") -> Layer:
    return Layer(Op.LEAKY_RELU, type, 0, {"slope": grid}, slope)


def chain(n: int, type: str, *layers: Layer, seed: int = 0) -> Graph:
    """A verified graph: an input of `n` values, then the layers, named l1, l2 ..."""
    random = np.random.default_rng(seed)
    nodes = [Node("x", Op.INPUT, (), (n,), Fixed.parse(type))]
    for number, layer in enumerate(layers, 1):
        before = nodes[-1]
        n_out = layer.n or before.shape[0]
        types = {key: Fixed.parse(value) for key, value in layer.types.items()}
        shapes = {"weight": (before.shape[0], n_out), "bias": (n_out,)}
        params = {
            key: random.integers(kind.min, kind.max + 1, shapes[key]) for key, kind in types.items() if key in shapes
        }
        if layer.op is Op.LEAKY_RELU:
            params = {"slope": np.array(layer.slope)}
        kind = Fixed.parse(layer.type)
        nodes.append(
            Node(
                f"l{number}",
                layer.op,
                (before.name,),
                (n_out,),
                kind,
                types,
                {k: params[k] for k in params if k in types},
            )
        )
    return verify(Graph("random", tuple(nodes), (nodes[-1].name,)))


def vectors(graph: Graph, rows: int, seed: int = 1) -> np.ndarray:
    """Random inputs over the whole range, the extremes among them."""
    (source,) = graph.inputs
    x = np.random.default_rng(seed).integers(source.type.min, source.type.max + 1, (rows, *source.shape))
    x[0], x[1] = source.type.min, source.type.max
    return x
