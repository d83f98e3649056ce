"""DENSE, CONV, DEPTHWISE and SCALE: products with constants, and sums of them in an accumulator that wraps around.

In: a node and the node it reads. Out: its array function, for values (*shape, rows).

A linear node is a weight (terms, outputs) and columns of the input, one a term: the input itself, or what stands at one
place of the window for all pixels. An accumulator no coarser than a product allows one exact sum, cast at
the end; a coarser one casts each product before it is added, as hls4ml's loops do (`nnet_dense_latency.h`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from hlsflow.ir.arithmetic import Cast, Step, caster, largest, number_type
from hlsflow.ir.fixed import Array, Fixed
from hlsflow.ir.graph import Node, Op, image
from hlsflow.ir.integers import ceil_div, trailing_zeros
from hlsflow.ir.windows import as_image, cells, padded, windows

STRIP_OUTPUTS = 16
"""Rows that a matrix needs for a product at full speed: a vector register of float32."""


@dataclass(frozen=True)
class _Form:
    """How a linear operation meets its weight. Sums have the result's axes, (..., outputs, rows).

    Attributes:
        weight: int64 (terms, outputs).
        affine: weight and bias (outputs,), both of one number type, to a function of values of that type to sums.
        terms: the value to columns, a term each, so that weight[term][:, None] times a column are products.
    """

    weight: Array
    affine: Callable[[Array, Array], Cast]
    terms: Callable[[Array], Iterable[Array]]


def linear(node: Node, source: Node) -> Step:
    """The array function of a DENSE, CONV or DEPTHWISE node."""
    form, accum = _FORMS[node.op](node, source), node.types["accum"]
    frac = source.type.frac + node.types["weight"].frac
    bias = accum.cast(node.params["bias"], node.types["bias"].frac)
    sums = _exact if accum.frac >= frac else _truncating
    return sums(node, source, form, bias)


def _dense(node: Node, source: Node) -> _Form:
    def affine(weight: Array, bias: Array) -> Cast:
        return lambda x: np.add(sums := weight.T @ x, bias[:, None], out=sums)

    return _Form(node.params["weight"].astype(np.int64), affine, lambda x: x[:, None])


def _conv(node: Node, source: Node) -> _Form:
    """Terms in the order of the weight's axes: window rows, window columns, channels."""
    *window, channels, outputs = node.params["weight"].shape
    weight = node.params["weight"].astype(np.int64).reshape(-1, outputs)

    def affine(weight: Array, bias: Array) -> Cast:
        columns = 1 if weight.dtype == np.int64 else ceil_div(STRIP_OUTPUTS, outputs)
        strip = min(columns, image(node.shape)[1])
        kernel = weight.reshape(*window, channels, outputs)
        return partial(_by_strips, node, source, _banded(kernel, bias, strip, node.attrs["stride"][1]))

    def terms(x: Array) -> Iterator[Array]:
        places = cells(as_image(source.shape, x), node, tuple(window), 0)
        return (place[:, :, [channel]] for place in places for channel in range(channels))

    return _Form(weight, affine, terms)


def _banded(kernel: Array, bias: Array, strip: int, stride: int) -> Array:
    """The matrix of `strip` neighbouring result columns: (strip * outputs, window rows * (span * channels + 1)).

    Each of its blocks meets one row of the pixels that the strip sees, and a one, which in the first row is the bias's.

    Args:
        kernel: of the window, (rows, columns, channels, outputs).
        bias: (outputs,).
    """
    rows, columns, channels, outputs = kernel.shape
    width = columns * channels
    matrix = np.zeros((strip, outputs, rows, width + (strip - 1) * stride * channels + 1), kernel.dtype)
    matrix[:, :, 0, -1] = bias
    for number, band in enumerate(matrix):
        first = number * stride * channels
        band[:, :, first : first + width] = kernel.transpose(3, 0, 1, 2).reshape(outputs, rows, width)
    return matrix.reshape(strip * outputs, -1)


def _by_strips(node: Node, source: Node, matrix: Array, x: Array) -> Array:
    """A convolution as matrix products, each of a strip of neighbouring result columns.

    The pixels that a strip sees are copied together once; then those of any one window are one block of memory. The
    matrix has zeros for pixels that a column does not see: with few outputs it pays to fill the vector registers.
    """
    pixels = padded(as_image(source.shape, x), node.attrs["pad"], 0)
    (down, along), high, (rows, columns, outputs) = node.attrs["stride"], len(node.params["weight"]), image(node.shape)
    strip, width = len(matrix) // outputs, matrix.shape[1] // high
    span = (width - 1) // pixels.shape[2]
    sums = np.empty((rows, columns * outputs, x.shape[-1]), x.dtype)
    inputs = np.ones((len(pixels), 1, width, x.shape[-1]), x.dtype)
    for first in range(0, columns, strip):
        column = min(first, columns - strip)  # the last strip may do some columns again
        inputs[:, 0, :-1] = pixels[:, column * along : column * along + span].reshape(len(pixels), width - 1, -1)
        blocks = windows(inputs, (high, 1), (down, 1))[:, 0, :, 0].swapaxes(0, 1).reshape(rows, high * width, -1)
        np.matmul(matrix, blocks, out=sums[:, column * outputs : (column + strip) * outputs])
    return sums


def _depthwise(node: Node, source: Node) -> _Form:
    *window, channels = node.params["weight"].shape
    weight = node.params["weight"].astype(np.int64).reshape(-1, channels)

    def affine(weight: Array, bias: Array) -> Cast:
        return lambda x: _per_channel(weight[:, :, None], bias[:, None], terms(x))

    def terms(x: Array) -> Iterator[Array]:
        return cells(as_image(source.shape, x), node, tuple(window), 0)

    return _Form(weight, affine, terms)


_FORMS: Mapping[Op, Callable[[Node, Node], _Form]] = {Op.DENSE: _dense, Op.CONV: _conv, Op.DEPTHWISE: _depthwise}


def _per_channel(weight: Array, bias: Array, columns: Iterator[Array]) -> Array:
    sums: Array = next(columns) * weight[0]
    product = np.empty_like(sums)
    for row, column in zip(weight[1:], columns, strict=True):
        sums += np.multiply(column, row, out=product)
    sums += bias
    return sums


def _exact(node: Node, source: Node, form: _Form, bias: Array) -> Step:
    """One sum of all products and the bias, on a grid that holds them all; then the accumulator's overflow."""
    accum, frac = node.types["accum"], source.type.frac + node.types["weight"].frac
    grid = _common_grid(bias, accum.frac, frac)
    bias = bias >> min(accum.frac - grid, 63)
    weight = Fixed(accum.width, accum.width - grid).cast(form.weight, frac)  # sums matter modulo 2**width alone
    top = _reach(weight, bias, source.type)
    number = number_type(top)
    sums, end = form.affine(weight.astype(number), bias.astype(number)), _ending(node, grid, top)
    return lambda x: end(sums(x.astype(number, copy=False))).reshape(*node.shape, x.shape[-1])


def _reach(weight: Array, bias: Array, kind: Fixed) -> int:
    """The largest magnitude of a sum of products with values of a type, or of a part of one."""
    rising, falling = (part.sum(0).astype(object) for part in (weight.clip(0), weight.clip(None, 0)))  # may be long
    high = rising * kind.max + falling * kind.min + bias.clip(0)
    low = rising * kind.min + falling * kind.max + bias.clip(None, 0)
    return int(max(high.max(), -low.min()))


def _ending(node: Node, grid: int, top: int) -> Cast:
    """Sums on `grid` of magnitude up to `top` to the node's type, by way of the accumulator's."""
    accum = node.types["accum"]
    signed_top = top if accum.signed else accum.max + 1  # an unsigned accumulator wraps any negative partial sum
    if signed_top << (accum.frac - grid) <= accum.max:
        return caster(node.type, grid, top)
    wrap, cast = caster(accum, grid, top), caster(node.type, accum.frac, largest(accum))
    return lambda sums: cast(wrap(sums))


def _common_grid(bias: Array, accum_frac: int, product_frac: int) -> int:
    """Fewest fractional bits that hold all products and the bias: trailing zeros cost float precision."""
    used = int(np.bitwise_or.reduce(bias))
    zeros = trailing_zeros(used)
    spare = accum_frac - product_frac
    return accum_frac - (min(spare, zeros) if used else spare)


def _truncating(node: Node, source: Node, form: _Form, bias: Array) -> Step:
    """The accumulator is coarser than a product: each product is cast on its own before it is added."""
    accum, frac = node.types["accum"], source.type.frac + node.types["weight"].frac

    def run(x: Array) -> Array:
        terms = zip(form.weight, form.terms(x.astype(np.int64, copy=False)), strict=True)
        sums = sum((accum.cast(row[:, None] * column, frac) for row, column in terms), bias[:, None])
        return node.type.cast(accum.cast(sums, accum.frac), accum.frac).reshape(*node.shape, x.shape[-1])

    return run


def scale(node: Node, source: Node) -> Step:
    """The array function of a SCALE node: x * scale[c] + bias[c], exact before the cast."""
    grids = source.type.frac + node.types["scale"].frac, node.types["bias"].frac
    frac = max(grids)
    factor, bias = (
        node.params[key].astype(object) << (frac - grid) for key, grid in zip(("scale", "bias"), grids, strict=True)
    )
    bound = int((np.abs(factor) * largest(source.type) + np.abs(bias)).max())
    number, cast = number_type(bound), caster(node.type, frac, bound)
    factors, added = factor.astype(number)[:, None], bias.astype(number)[:, None]
    return lambda x: cast(x.astype(number, copy=False) * factors + added)
