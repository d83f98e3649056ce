"""Reuse factors: the same legal ones as hls4ml finds."""

from __future__ import annotations

import pytest

from hlsflow.core.errors import ProjectError
from hlsflow.keras import keras2
from hlsflow.project.reuse import legal_reuse_factors, nearest_legal

SHAPES = [(1, 1), (64, 32), (32, 32), (32, 10), (16, 64), (7, 5), (10, 3), (6, 4), (12, 18), (1, 13), (25, 1)]


@pytest.mark.parametrize(("n_in", "n_out"), SHAPES)
def test_resource_strategy_agrees_with_hls4ml(n_in: int, n_out: int) -> None:
    keras2.ready()
    from hls4ml.backends import get_backend

    for backend in ("Vitis", "Vivado"):
        expected = get_backend(backend).get_valid_reuse_factors(n_in, n_out)
        assert list(legal_reuse_factors(n_in, n_out, "resource")) == expected


def test_latency_strategy_takes_every_factor_down_to_one_multiplier() -> None:
    assert legal_reuse_factors(3, 4, "latency") == tuple(range(1, 13))


@pytest.mark.parametrize(
    ("wish", "neighbours"), [(64, (64,)), (128, (64, 160)), (1, (1,)), (3, (2, 4)), (0, (1,)), (999, (320,))]
)
def test_neighbours_of_an_illegal_factor(wish: int, neighbours: tuple[int, ...]) -> None:
    assert nearest_legal(32, 10, "resource", wish) == neighbours


def test_unknown_strategy_and_empty_layers_are_refused() -> None:
    with pytest.raises(ProjectError, match="'fast' is none of latency, resource"):
        legal_reuse_factors(4, 4, "fast")
    with pytest.raises(ProjectError, match="0 inputs"):
        legal_reuse_factors(0, 4, "resource")
