"""Operations value by value, merges of two inputs, and those that only move values.

In: a node and the nodes it reads. Out: its array function, for values (*shape, rows).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from hlsflow.ir.arithmetic import Step, caster, largest, number_type, shifted
from hlsflow.ir.fixed import Array
from hlsflow.ir.graph import Node, Op


def activation(node: Node, source: Node) -> Step:
    """QUANTIZE and RELU: one cast of the whole array."""
    return caster(node.type, source.type.frac, largest(source.type), node.op is Op.RELU)


def leaky_relu(node: Node, source: Node) -> Step:
    slope, grid = int(node.params["slope"]), node.types["slope"].frac
    factors = slope << max(-grid, 0), 1 << max(grid, 0)
    bound = max(abs(factor) for factor in factors) * largest(source.type)
    number, cast = number_type(bound), caster(node.type, source.type.frac + max(grid, 0), bound)
    negative, positive = (number(factor) for factor in factors)

    def run(x: Array) -> Array:
        exact = x.astype(number, copy=False)
        return cast(exact * np.where(exact < 0, negative, positive))

    return run


def table(node: Node, source: Node) -> Step:
    entries = node.params["table"].astype(number_type(largest(node.type)))
    first = -(1 << (source.type.width - 1)) if source.type.signed else 0
    return lambda x: entries[x.astype(np.int64) - first]


_ALIGNED: Mapping[Op, tuple[Callable[[Array, Array], Array], int]] = {
    Op.ADD: (np.add, 0),
    Op.SUBTRACT: (np.subtract, 0),
    Op.AVERAGE: (np.add, 1),
    Op.MAXIMUM: (np.maximum, 0),
    Op.MINIMUM: (np.minimum, 0),
}
"""Merges on one grid: the function, and the bits that its result is shifted right."""


def merge(node: Node, left: Node, right: Node) -> Step:
    """Both inputs on the finer of their grids, then the function, then one cast."""
    function, halvings = _ALIGNED[node.op]
    frac = max(left.type.frac, right.type.frac)
    lifts = frac - left.type.frac, frac - right.type.frac
    bound = (largest(left.type) << lifts[0]) + (largest(right.type) << lifts[1])
    number, cast = number_type(bound), caster(node.type, frac + halvings, bound)
    return lambda x, y: cast(function(shifted(x, number, lifts[0]), shifted(y, number, lifts[1])))


def multiply(node: Node, left: Node, right: Node) -> Step:
    bound = largest(left.type) * largest(right.type)
    number, cast = number_type(bound), caster(node.type, left.type.frac + right.type.frac, bound)
    return lambda x, y: cast(x.astype(number, copy=False) * y.astype(number, copy=False))


def concat(node: Node, *sources: Node) -> Step:
    number, (axis,) = number_type(largest(node.type)), node.attrs["axis"]
    casts = [caster(node.type, source.type.frac, largest(source.type)) for source in sources]

    def run(*values: Array) -> Array:
        parts = [cast(value).astype(number, copy=False) for cast, value in zip(casts, values, strict=True)]
        return np.concatenate(parts, axis)

    return run


def argmax(node: Node, source: Node) -> Step:
    places, code_of_one = np.arange(node.shape[-1])[:, None], np.int64(1) << np.int64(node.type.frac)
    return lambda x: (x.argmax(-2)[..., None, :] == places) * code_of_one


def reshape(node: Node, source: Node) -> Step:
    return lambda x: x.reshape(*node.shape, x.shape[-1])


def permute(node: Node, source: Node) -> Step:
    axes = (*node.attrs["axes"], len(node.shape))
    return lambda x: x.transpose(axes)
