"""The simulation itself: packing of ports, what it refuses, and that it notices lost data."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from hlsflow.core.errors import DataError, GateFailed
from hlsflow.ir import Fixed
from hlsflow.rtl import Design, LayerKnobs, emit, schedule, simulate
from hlsflow.rtl.simulate import Simulation, pack, unpack
from tests.rtl.networks import cast, chain, vectors

GRAPH = chain(4, "fixed<9,4>", cast("fixed<5,2,RND,SAT>"))


def design() -> Design:
    return emit(schedule(GRAPH, {}, LayerKnobs(1)))


def test_element_zero_is_lowest() -> None:
    packed = pack(np.array([[1, -1, 2]]), Fixed(4, 4))
    assert packed.tolist() == [[0x2F1]]
    assert unpack(packed, 3, Fixed(4, 4)).tolist() == [[1, -1, 2]]
    assert unpack(packed, 3, Fixed(4, 4, signed=False)).tolist() == [[1, 15, 2]]


@pytest.mark.parametrize("kind", [Fixed(1, 1), Fixed(7, 3), Fixed(33, 8, False), Fixed(62, 31)])
def test_packing_keeps_every_value(kind: Fixed) -> None:
    x = np.random.default_rng(0).integers(kind.min, kind.max, (20, 11), endpoint=True)
    assert pack(x, kind).shape == (20, -(-11 * kind.width // 32))
    np.testing.assert_array_equal(unpack(pack(x, kind), 11, kind), x)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((5, 3), np.int64), r"rows of 4 values, got an array of shape \(5, 3\)"),
        (np.zeros((0, 4), np.int64), r"shape \(0, 4\)"),
        (np.full((5, 4), 256), r"outside the type fixed<9,4> of the design's input 'in'"),
    ],
)
def test_vectors_that_do_not_fit_are_refused(x: np.ndarray, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        simulate(design(), x, tmp_path)


def test_data_lost_under_back_pressure_is_noticed(tmp_path: Path) -> None:
    good = design()
    assert ".CREDITS({32'd2})" in good.files["top.v"]
    generous = good.files["top.v"].replace(".CREDITS({32'd2})", ".CREDITS({32'd7})")
    bad = dataclasses.replace(good, files={**good.files, "top.v": generous})
    with pytest.raises(GateFailed, match=r"back-pressure|results for"):
        simulate(bad, vectors(GRAPH, 300), tmp_path)


def test_a_single_vector_has_no_interval(tmp_path: Path) -> None:
    result = simulate(design(), vectors(GRAPH, 2)[:1], tmp_path)
    assert result.ii is None
    assert result.latency_cycles == 1
    assert result.stalled == 1


def timed(begins: list[list[int]], ends: list[list[int]]) -> Simulation:
    return Simulation(np.zeros((len(ends), 1), int), np.array(begins), np.array(ends), 2)


@pytest.mark.parametrize(
    ("ends", "ii"),
    [
        ([10, 14], 4),
        ([10, 90, 94, 98, 102], 4),  # the first samples fill the design
        ([10, 14, 18, 22, 33, 37], 11),  # the longest of the later half, not the last, the least or their mean
        ([10, 14, 18, 25, 29, 33], 4),
        ([10, 14, 18, 22, 26, 35], 9),
    ],
)
def test_the_interval_is_the_longest_gap_of_the_later_half(ends: list[int], ii: int) -> None:
    assert timed([[0]] * len(ends), [[end] for end in ends]).ii == ii


def test_times_run_from_the_first_input_to_the_last_output() -> None:
    found = timed([[3, 5], [9, 8], [20, 21]], [[11, 12], [25, 19], [30, 40]])
    assert (found.latency_cycles, found.cycles, found.ii) == (12 - 3, 40 - 3, 40 - 25)
    assert (found.begins.tolist(), found.ends.tolist()) == ([3, 8, 20], [12, 25, 40])
