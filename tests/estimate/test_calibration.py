"""Estimates against csynth: of designs that nothing was fitted to, and of the reports themselves."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from hlsflow.estimate import calibration, fitted
from hlsflow.estimate.calibration import COVERAGE, Checked, by_network, cross_validate, measured, summary
from hlsflow.toolchains.reports import read_any

REPORTED = [design for design in measured() if design.network in ("HAR", "mnist", "CARDIO")]
"""Designs whose reports lie among the reference data."""


@cache
def _without_their_network() -> tuple[Checked, ...]:
    return tuple(cross_validate(measured(), by_network))


@pytest.mark.parametrize(("metric", "limit"), [("lut", 0.30), ("ff", 0.30), ("latency_cycles", 0.10), ("dsp", 0.10)])
def test_designs_of_unseen_networks_are_estimated_within_the_goal(metric: str, limit: float) -> None:
    mean, _, _ = summary(_without_their_network())[metric]
    assert mean < limit


@pytest.mark.parametrize("metric", calibration.METRICS)
def test_intervals_hold_as_often_as_they_say(metric: str) -> None:
    assert summary(_without_their_network())[metric][2] >= COVERAGE


def test_dsp_blocks_and_block_ram_follow_exactly_from_the_weights() -> None:
    assert all(not check.error("dsp") and not check.error("bram") for check in _without_their_network())


def test_the_initiation_interval_is_exact_where_the_reuse_factor_determines_it() -> None:
    checks = [check for check in _without_their_network() if not check.measured.variant.endswith("100")]
    assert len(checks) == 21
    assert all(not check.error("ii") for check in checks)


def test_a_design_left_out_changes_what_is_fitted() -> None:
    designs = measured()
    rest = [design for design in designs if design.network != "HAR"]
    assert calibration.fit(rest).values != calibration.fit(designs).values


def test_the_coefficients_that_ship_are_those_of_the_designs_that_ship() -> None:
    ships, fits = fitted.load(), calibration.fit(measured())
    assert ships.stages == fits.stages
    assert ships.spread == pytest.approx(fits.spread, abs=1e-3)
    for row, values in fits.values.items():
        assert ships.values[row] == pytest.approx(values, abs=1e-3), row


@pytest.mark.parametrize("design", REPORTED, ids=lambda design: f"{design.network} {design.variant}")
def test_the_figures_to_fit_are_those_of_the_real_reports(shared: Path, design: calibration.Measured) -> None:
    multiplier, factor = design.variant.split()
    folder = shared / "reports" / "vitis_2021.1_mlp" / design.network / f"{multiplier.upper()}_reuse{factor}"
    report = read_any(next(folder.rglob("*_csynth.xml")))
    for name, value in design.total.items():
        metric = report.metrics.get(name)
        assert metric is not None
        assert metric.value == value, name
    assert report.part == design.design.part
    assert report.clock_ns == pytest.approx(design.design.clock_ns)
