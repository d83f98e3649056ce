"""Images and the windows that convolutions and poolings see.

In: a value (h, w, c, rows), or (w, c, rows) which means h = 1. Out: views of its windows, no copies unless padded.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import as_strided

from hlsflow.ir.fixed import Array
from hlsflow.ir.graph import Node, image


def as_image(shape: tuple[int, ...], value: Array) -> Array:
    """A value (*shape, rows) as (h, w, c, rows)."""
    return value.reshape(*image(shape), value.shape[-1])


def padded(x: Array, pad: tuple[int, ...], fill: int) -> Array:
    """An image with rows and columns of `fill` around it; pad = (top, bottom, left, right)."""
    if not any(pad):
        return x
    top, bottom, left, right = pad
    h, w, *rest = x.shape
    result = np.full((h + top + bottom, w + left + right, *rest), fill, x.dtype)
    result[top : top + h, left : left + w] = x
    return result


def windows(x: Array, window: tuple[int, ...], stride: tuple[int, ...]) -> Array:
    """A read-only view (window rows, window columns, rows out, columns out, c, n) of an image (h, w, c, n)."""
    (h, w, *rest), (by_row, by_column, *others) = x.shape, x.strides
    out = tuple((size - part) // step + 1 for size, part, step in zip((h, w), window, stride, strict=True))
    strides = (by_row, by_column, by_row * stride[0], by_column * stride[1], *others)
    return as_strided(x, (*window, *out, *rest), strides, writeable=False)


def cells(x: Array, node: Node, window: tuple[int, ...], fill: int) -> Iterator[Array]:
    """For each place in the window, what stands there for all result pixels: (rows out, columns out, c, n)."""
    view = windows(padded(x, node.attrs["pad"], fill), window, node.attrs["stride"])
    return (view[row, column] for row, column in np.ndindex(*window))
