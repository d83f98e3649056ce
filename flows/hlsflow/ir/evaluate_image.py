"""MAX_POOL, AVG_POOL, ZERO_PAD and UPSAMPLE.

In: a node and the node it reads. Out: its array function, for values (*shape, rows).
"""

from __future__ import annotations

from functools import reduce

import numpy as np

from hlsflow.ir.arithmetic import Number, Step, caster, largest, number_type
from hlsflow.ir.fixed import Array
from hlsflow.ir.graph import Node
from hlsflow.ir.windows import as_image, cells, padded, windows


def max_pool(node: Node, source: Node) -> Step:
    """Over rows, then over columns. Cells outside the image hold the type's least value, which never beats another."""
    (high, wide), (down, along) = node.attrs["window"], node.attrs["stride"]
    cast = caster(node.type, source.type.frac, largest(source.type))

    def run(x: Array) -> Array:
        pixels = padded(as_image(source.shape, x), node.attrs["pad"], source.type.min)
        rows = reduce(np.maximum, windows(pixels, (high, 1), (down, 1))[:, 0])
        return cast(reduce(np.maximum, windows(rows, (1, wide), (1, along))[0]).reshape(*node.shape, x.shape[-1]))

    return run


def avg_pool(node: Node, source: Node) -> Step:
    """Sum in the accumulator, then a division that truncates towards zero (`ap_fixed`'s `/`, `nnet_pooling.h`)."""
    accum, divisor = node.types["accum"], _divisor(node, source)
    terms = caster(accum, source.type.frac, largest(source.type))
    top = largest(accum) * int(np.prod(node.attrs["window"]))
    number, wrap = number_type(top), caster(accum, accum.frac, top)
    cast = caster(node.type, accum.frac, largest(accum))

    def run(x: Array) -> Array:
        image = as_image(source.shape, terms(x).astype(number, copy=False))
        total = sum(cells(image, node, node.attrs["window"], 0))
        return cast(_quotient(wrap(np.asarray(total)), divisor, number).reshape(*node.shape, x.shape[-1]))

    return run


def _divisor(node: Node, source: Node) -> Array:
    """Cells that each result pixel's average counts: (rows out, columns out, 1, 1)."""
    inside = as_image(source.shape, np.ones((*source.shape, 1), np.int64))[..., :1, :]
    counts: Array = np.asarray(sum(cells(inside, node, node.attrs["window"], node.attrs["count_pad"][0])))
    return counts


def _quotient(total: Array, divisor: Array, number: Number) -> Array:
    """Truncated towards zero. In floats the rounding error of a quotient is smaller than its distance to a whole."""
    exact = total.astype(number, copy=False)
    if number is np.int64:
        size: Array = np.abs(exact) // divisor
        return np.where(exact < 0, -size, size)
    quotient: Array = np.trunc(exact / divisor.astype(number))
    return quotient


def zero_pad(node: Node, source: Node) -> Step:
    return lambda x: padded(as_image(source.shape, x), node.attrs["pad"], 0).reshape(*node.shape, x.shape[-1])


def upsample(node: Node, source: Node) -> Step:
    rows, columns = node.attrs["factor"]

    def run(x: Array) -> Array:
        repeated = as_image(source.shape, x).repeat(rows, 0).repeat(columns, 1)
        return repeated.reshape(*node.shape, x.shape[-1])

    return run
