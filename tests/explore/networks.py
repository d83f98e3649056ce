"""Small networks to explore."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hlsflow.ir import Fixed, Graph, Node, Op, verify
from tests.rtl.networks import chain, dense, relu


def mlp(sizes: Sequence[int], seed: int = 0) -> Graph:
    """Dense layers `l1`, `l3`, `l5` ... with 5-bit random weights, and ReLUs between them."""
    layers = [dense(n, "fixed<18,9>", "fixed<18,9>", "fixed<5,1>", "fixed<5,1>") for n in sizes[1:]]
    between = relu("ufixed<5,1,RND_CONV,SAT>")
    alternating = [layer for one in layers for layer in (one, between)][:-1]
    return chain(sizes[0], "fixed<6,2>", *alternating, seed=seed)


def convolution() -> Graph:
    """A convolution `conv` of 3x3 over 6 x 8 pixels that pads, of one channel to two, with 5-bit random weights."""
    weight, accum = Fixed(5, 1), Fixed(18, 9)
    rng = np.random.default_rng(0)
    params = {"weight": rng.integers(-16, 16, (3, 3, 1, 2)), "bias": rng.integers(-16, 16, 2)}
    image = Node("x", Op.INPUT, (), (6, 8, 1), Fixed(6, 2))
    types, attrs = {"weight": weight, "bias": weight, "accum": accum}, {"stride": (1, 1), "pad": (1, 1, 1, 1)}
    layer = Node("conv", Op.CONV, ("x",), (6, 8, 2), accum, types, params, attrs)
    return verify(Graph("convolution", (image, layer), ("conv",)))
