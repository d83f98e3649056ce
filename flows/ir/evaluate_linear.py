"""DENSE, CONV, DEPTHWISE and SCALE: products with constants, and sums of them in an accumulator that wraps around.

In: a node and the node it reads. Out: its array function, for values (*shape, rows).

A linear node is a weight (terms, outputs) and columns gathered from the input, one a term: the input itself, or what
stands at one place of the window for all pixels. An accumulator no coarser than a product allows one exact sum, cast at
the end; a coarser one casts each product before it is added, as hls4ml's loops do (`nnet_dense_latency.h`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from flows.ir.arithmetic import Cast, Step, caster, largest, number_type
from flows.ir.fixed import Array, Fixed
from flows.ir.graph import Node, Op
from flows.ir.windows import as_image, cells, padded, windows


@dataclass(frozen=True)
class _Form:
    """How a linear operation meets its weight. Sums have the result's axes, (..., outputs, rows).

    Attributes:
        weight: int64 (terms, outputs).
        gather: value to columns, a term each: what the weights meet.
        affine: weight and bias (outputs,), both of the columns' number type, to a function of columns to sums.
        terms: columns as an iterator over terms, each so that weight[term][:, None] times it are products.
    """

    weight: Array
    gather: Callable[[Array], Any]
    affine: Callable[[Array, Array], Callable[[Any], Array]]
    terms: Callable[[Any], Iterable[Array]]


def linear(node: Node, source: Node) -> Step:
    """The array function of a DENSE, CONV or DEPTHWISE node."""
    form, accum = _FORMS[node.op](node, source), node.types["accum"]
    frac = source.type.frac + node.types["weight"].frac
    bias = accum.cast(node.params["bias"], node.types["bias"].frac)
    sums = _exact if accum.frac >= frac else _truncating
    return sums(node, source, form, bias)


def _dense(node: Node, source: Node) -> _Form:
    def affine(weight: Array, bias: Array) -> Cast:
        return lambda columns: np.add(sums := weight.T @ columns, bias[:, None], out=sums)

    return _Form(node.params["weight"].astype(np.int64), lambda x: x, affine, lambda columns: columns[:, None])


def _conv(node: Node, source: Node) -> _Form:
    """Columns (rows out, columns out, terms and a one, rows): the one meets the bias in the same matrix product."""
    *window, _, outputs = node.params["weight"].shape
    weight = node.params["weight"].astype(np.int64).reshape(-1, outputs)

    def gather(x: Array) -> Array:
        image = padded(as_image(source.shape, x), node.attrs["pad"], 0)
        view = windows(image, tuple(window), node.attrs["stride"]).transpose(2, 3, 0, 1, 4, 5)
        columns = np.empty((*view.shape[:2], len(weight) + 1, x.shape[-1]), x.dtype)
        columns[:, :, :-1].reshape(view.shape)[...] = view
        columns[:, :, -1] = 1
        return columns

    def affine(weight: Array, bias: Array) -> Cast:
        both = np.vstack([weight, bias]).T.copy()
        return lambda columns: np.matmul(both, columns)

    return _Form(weight, gather, affine, lambda columns: np.moveaxis(columns[:, :, :-1, None], 2, 0))


def _depthwise(node: Node, source: Node) -> _Form:
    *window, channels = node.params["weight"].shape
    weight = node.params["weight"].astype(np.int64).reshape(-1, channels)

    def gather(x: Array) -> Iterator[Array]:
        return cells(as_image(source.shape, x), node, tuple(window), 0)

    def affine(weight: Array, bias: Array) -> Callable[[Iterator[Array]], Array]:
        return partial(_per_channel, weight[:, :, None], bias[:, None])

    return _Form(weight, gather, affine, lambda columns: columns)


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
    reach = np.abs(form.weight).sum(0).astype(object) * largest(source.type)  # Python's integers: they may be long
    bias = bias >> min(accum.frac - grid, 63)
    top = int(((reach << (grid - frac)) + np.abs(bias)).max())
    weight = Fixed(accum.width, accum.width - grid).cast(form.weight, frac)  # sums matter modulo 2**width alone
    number = number_type(top)
    sums, end = form.affine(weight.astype(number), bias.astype(number)), _ending(node, grid, top)
    return lambda x: end(sums(form.gather(x.astype(number, copy=False)))).reshape(*node.shape, x.shape[-1])


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
    zeros = (used & -used).bit_length() - 1
    spare = accum_frac - product_frac
    return accum_frac - (min(spare, zeros) if used else spare)


def _truncating(node: Node, source: Node, form: _Form, bias: Array) -> Step:
    """The accumulator is coarser than a product: each product is cast on its own before it is added."""
    accum, frac = node.types["accum"], source.type.frac + node.types["weight"].frac

    def run(x: Array) -> Array:
        terms = zip(form.weight, form.terms(form.gather(x.astype(np.int64, copy=False))), strict=True)
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
