"""Rounding in the biases: the same bits in every mode of overflow, and no rounding left in the cast."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np

from hlsflow.ir import Rounding, evaluate
from hlsflow.rtl import LayerKnobs, emit, schedule, simulate
from hlsflow.rtl.lanes import Cast
from hlsflow.rtl.rounding import HalfwayCast
from tests.rtl.networks import Layer, cast, chain, dense, relu, vectors


def layers() -> list[Layer]:
    """A layer of sums for each mode, with a cast that often overflows and often is half-way."""
    found = []
    modes = itertools.product(("RND", "RND_CONV"), ("WRAP", "SAT", "SAT_ZERO", "SAT_SYM"), (cast, relu))
    for number, (rounding, overflow, make) in enumerate(modes):
        sign = "u" if number % 3 == 0 else ""
        accum = "fixed<20,10>"
        found += [dense(4, accum, accum, weight="fixed<4,2>", bias="fixed<5,2>")]
        found += [make(f"{sign}fixed<{4 + number % 2},3,{rounding},{overflow}>")]
    return found


NETWORK = chain(4, "fixed<4,3>", *layers())


def test_rtl_equals_the_oracle_in_every_mode(tmp_path: Path) -> None:
    plan = schedule(NETWORK, {}, LayerKnobs(4))
    stages = [stage for unit in plan.network.units for stage in unit.stages]
    casts = [stage.operations[0] for stage in stages]
    kept = [c.result.rounding for c in casts if isinstance(c, Cast) and not isinstance(c, HalfwayCast)]
    assert sum(isinstance(c, HalfwayCast) for c in casts) == 8
    assert kept == [Rounding.TRN] * 8
    x = vectors(NETWORK, 2000)
    result = simulate(emit(plan), x, tmp_path)
    np.testing.assert_array_equal(result.outputs, evaluate(NETWORK, x))
