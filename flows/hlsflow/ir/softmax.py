"""Softmax by two tables, bit for bit as hls4ml has it (`softmax_stable` and `softmax_latency`, `nnet_activation.h`).

In: codes along the last axis. Out: codes of the node's type. With x one slice and `top(t, code)` the index below:

    norm[i] = cast(max(x) - x[i] -> types["norm"])    form 0, stable
    norm[i] = x[i]                                    form 1, latency; types["norm"] is the input's type
    e[i]    = cast(exp[top(norm[i])] -> types["accum"])
    total   = sum of e in a tree, each sum cast to types["accum"]
    factor  = inv[top(cast(total -> types["inv_in"]))]
    y[i]    = cast(e[i] * factor -> type)

Index: a table of 2**N entries is read at the N most significant bits of the code, taken as its two's complement bit
pattern and then as an unsigned number: `(code mod 2**width) >> (width - N)`. So a signed index type has its
non-negative half first. N is at most the width. `exp` holds codes on the grid of types["exp"], `inv` on that of
types["inv"]; what functions they tabulate is the translator's business.

Tree: the first 2**floor(log2(n - 1)) terms are summed apart from the rest, and so on in each part (`nnet::reduce`).
The shape matters only where types["accum"] saturates and a table entry is negative.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from hlsflow.ir.arithmetic import Step
from hlsflow.ir.fixed import Array, Fixed
from hlsflow.ir.graph import Node
from hlsflow.ir.integers import tree_levels

STABLE, LATENCY = 0, 1
"""Values of the attribute `form`."""


def top_bits(kind: Fixed, codes: Array, size: int) -> NDArray[np.int64]:
    """Indices into a table of `size` = 2**N entries: the N most significant bits of codes of a type."""
    pattern = codes.astype(np.int64, copy=False) & ((1 << kind.width) - 1)
    return pattern >> (kind.width - (size.bit_length() - 1))


def tree_split(n: int) -> int:
    """How many of n > 1 terms stand in the first part of the sum."""
    return 1 << (tree_levels(n) - 1)


def softmax(node: Node, source: Node) -> Step:
    """The array function of a SOFTMAX node, for values (*shape, rows)."""
    return partial(_run, node, source.type)


def _run(node: Node, source: Fixed, value: Array) -> Array:
    kinds, exp, inv = node.types, node.params["exp"], node.params["inv"]
    x = value.astype(np.int64, copy=False)
    norm = kinds["norm"].cast(x.max(-2, keepdims=True) - x, source.frac) if node.attrs["form"] == (STABLE,) else x
    terms = kinds["accum"].cast(exp[top_bits(kinds["norm"], norm, len(exp))], kinds["exp"].frac)
    total = kinds["inv_in"].cast(_tree(kinds["accum"], terms), kinds["accum"].frac)
    factor = inv[top_bits(kinds["inv_in"], total, len(inv))].astype(np.int64)
    return node.type.cast(terms * factor, kinds["accum"].frac + kinds["inv"].frac)


def _tree(accum: Fixed, terms: NDArray[np.int64]) -> NDArray[np.int64]:
    """The sum along the last axis but one, kept as an axis of length 1."""
    n = terms.shape[-2]
    if n == 1:
        return terms
    split = tree_split(n)
    both = _tree(accum, terms[..., :split, :]) + _tree(accum, terms[..., split:, :])
    return accum.cast(both, accum.frac)
