"""Small networks to explore."""

from __future__ import annotations

from collections.abc import Sequence

from hlsflow.ir import Graph
from tests.rtl.networks import chain, dense, relu


def mlp(sizes: Sequence[int], seed: int = 0) -> Graph:
    """Dense layers `l1`, `l3`, `l5` ... with 5-bit random weights, and ReLUs between them."""
    layers = [dense(n, "fixed<18,9>", "fixed<18,9>", "fixed<5,1>", "fixed<5,1>") for n in sizes[1:]]
    between = relu("ufixed<5,1,RND_CONV,SAT>")
    alternating = [layer for one in layers for layer in (one, between)][:-1]
    return chain(sizes[0], "fixed<6,2>", *alternating, seed=seed)
