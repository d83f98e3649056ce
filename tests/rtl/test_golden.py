"""Latency and cells of five small networks stay what they are: a change must be meant, and seen in review.

`scripts/golden` writes the figures anew. Cells are compared where the synthesizer is the one that counted them;
with another one that test is skipped, and says so; latency and interval are ours, and compared always.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from hlsflow.ir import evaluate
from hlsflow.rtl import emit, simulate
from tests.ir.random_graphs import batch
from tests.rtl import golden

HELD = json.loads(golden.FILE.read_text(encoding="utf-8"))
RENEW = "run scripts/golden if that is meant, and tell why in the commit"


@pytest.mark.parametrize("name", golden.NETWORKS)
def test_latency_and_interval_are_as_they_were(name: str) -> None:
    held = {key: value for key, value in HELD["networks"][name].items() if key not in golden.COUNTED}
    assert golden.cycles(name) == held, RENEW


RARE = ("sparse", "residual")
"""Networks whose cells are counted on demand: a count takes ten seconds, and the others have the common primitives."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name in RARE else []) for name in golden.NETWORKS]
)
def test_cells_are_as_they_were(name: str, tmp_path: Path) -> None:
    if golden.tool() != HELD["tool"]:
        pytest.skip(f"cells were counted by {HELD['tool']}, here is {golden.tool()}: latency alone is compared")
    held = {key: value for key, value in HELD["networks"][name].items() if key in golden.COUNTED}
    assert golden.cells(name, tmp_path) == held, RENEW


def test_the_figures_are_of_the_networks_that_there_are() -> None:
    assert list(HELD["networks"]) == list(golden.NETWORKS)
    assert HELD["family"] == golden.FAMILY


@pytest.mark.slow
@pytest.mark.parametrize("name", golden.NETWORKS)
def test_they_compute_what_they_should_in_these_cycles(name: str, tmp_path: Path) -> None:
    plan = golden.NETWORKS[name]()
    x = batch(np.random.default_rng(0), plan.network.graph, 40)
    result = simulate(emit(plan), x, tmp_path)
    np.testing.assert_array_equal(result.outputs, evaluate(plan.network.graph, x))
    assert {"latency_cycles": result.latency_cycles, "ii": result.ii} == golden.cycles(name)
