"""Which netlists are simulated, with how many vectors, and what is said of the others; a wrong one ends the run."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from hlsflow.core.choices import Family
from hlsflow.core.errors import FlowError, GateFailed
from hlsflow.core.store import Done
from hlsflow.ir import evaluate
from hlsflow.pipeline.context import Point
from hlsflow.pipeline.hardware import prove
from hlsflow.pipeline.netlist import MOST_CELLS, Netlist
from hlsflow.rtl import LayerKnobs, Simulation, emit, schedule
from tests.rtl.networks import chain, dense, vectors

GRAPH = chain(4, "fixed<6,3>", dense(3, "fixed<14,7>", "fixed<14,7>"))
PLAN = schedule(GRAPH, {}, LayerKnobs(4))
FINISHED = Done(Path("nowhere"), {}, reused=True, seconds=0.0)
POINT = Point(4, PLAN, emit(PLAN), FINISHED)


def netlist(cells: dict[str, int], asked: int | None = None) -> Netlist:
    return Netlist(POINT, Family.XC7, FINISHED, cells, asked)


def test_a_netlist_runs_unless_a_cell_has_no_model_or_it_is_large() -> None:
    assert netlist({"LUT6": 3000, "FDRE": 17_000}).obstacle == ""
    assert netlist({"LUT6": 3000, "FDRE": 17_001}).obstacle == (
        "its 20,001 cells would take long; [gate] netlist = 200 does it nevertheless"
    )
    assert netlist({"LUT6": MOST_CELLS + 1}, 50).obstacle == ""
    assert netlist({"LUT6": 3, "RAMB36E1": 1, "DP16KD": 2}, 50).obstacle == "there is no model of DP16KD, RAMB36E1"


def test_fewer_vectors_where_a_frame_takes_long() -> None:
    """500 million cells times cycles; the design takes a frame every 4 cycles."""
    assert PLAN.ii == 4
    assert netlist({"LUT6": 1000}).vectors == 200
    assert netlist({"LUT6": 12_500_000}).vectors == 10
    assert netlist({"LUT6": 125_000_000}).vectors == 2
    assert netlist({"LUT6": 12_500_000}, 700).vectors == 700


def test_a_wrong_netlist_ends_the_run_and_is_named(tmp_path: Path) -> None:
    x = vectors(GRAPH, 5)
    wanted = evaluate(GRAPH, x)
    begins = PLAN.ii * np.arange(5).reshape(-1, 1)
    ran = Simulation(wanted, begins, begins + PLAN.latency_cycles, 2)
    prove(POINT, "netlist R4-xc7", ran, wanted, tmp_path)
    (compared,) = json.loads((tmp_path / "gate.json").read_text())["comparisons"]
    assert (compared["left"], compared["right"], compared["equal"]) == ("oracle", "netlist R4-xc7", True)
    with pytest.raises(GateFailed, match="oracle differs from netlist R4-xc7 in 15 of 15 outputs"):
        prove(POINT, "netlist R4-xc7", ran, wanted + 1, tmp_path)
    late = Simulation(wanted, begins, begins + PLAN.latency_cycles + 1, 2)
    with pytest.raises(FlowError, match=f"netlist R4-xc7: simulated latency {PLAN.latency_cycles + 1}"):
        prove(POINT, "netlist R4-xc7", late, wanted, tmp_path)
