"""Lower bounds: below what they are about, near it, and corrected when one breaks.

Figures here follow laws that are written down below, so that every configuration of a space has some; what synthesis
makes of the bounds is in test_study.py.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from hlsflow.core.choices import Io, Multiplier
from hlsflow.explore.bounds import FEWEST, LEAST_MARGIN, Bounds, Figures
from hlsflow.explore.features import features
from hlsflow.explore.space import Configuration, space
from hlsflow.rtl.knobs import LayerKnobs, Pipeline
from tests.explore.networks import mlp

KINDS = [LayerKnobs(1, Multiplier.DSP), LayerKnobs(1, Multiplier.LUT)]
CONFIGURATIONS = [
    one
    for layer in space([mlp((20, 18, 12))], KINDS, Pipeline(), Io.STREAM)
    for one in layer.configurations
    if one.plan.granted > 1
]


def law(configurations: Sequence[Configuration], noise: float, seed: int = 0) -> list[Figures]:
    """LUT and FF: twice each count of logic, more or less; blocks: as counted."""
    rng, found = np.random.default_rng(seed), []
    for one in configurations:
        rows = features(one)
        areas = {metric: 2 * rows[metric].sum() * (1 + noise * rng.uniform(-1, 1)) for metric in ("lut", "ff")}
        found.append({**{name: int(area) for name, area in areas.items()}, "dsp": int(rows["dsp"].sum()), "bram": 0})
    return found


@pytest.mark.parametrize("noise", [0.0, 0.03])
def test_bounds_are_below_and_near(noise: float) -> None:
    truth = law(CONFIGURATIONS, noise)
    known = dict(list(enumerate(truth))[::2])
    lower = Bounds(CONFIGURATIONS).lower(known)
    for metric in ("lut", "ff", "dsp"):
        real = np.array([figures[metric] for figures in truth])
        assert (lower[metric] <= real).all()
        assert (lower[metric] >= real * (0.85 - 4 * noise) - 1).all()


def test_what_is_measured_is_its_own_bound() -> None:
    truth = law(CONFIGURATIONS, 0.1)
    lower = Bounds(CONFIGURATIONS).lower(dict(enumerate(truth)))
    assert [int(value) for value in lower["lut"]] == [figures["lut"] for figures in truth]


def test_nothing_is_promised_before_enough_is_measured() -> None:
    truth = law(CONFIGURATIONS, 0.0)
    of_one_kind = [place for place, one in enumerate(CONFIGURATIONS) if one.plan.multiplier is Multiplier.DSP]
    few = {place: truth[place] for place in of_one_kind[: FEWEST - 1]}
    lower = Bounds(CONFIGURATIONS).lower(few)
    assert lower["lut"].sum() == sum(figures["lut"] for figures in few.values())


def test_a_bound_is_widened_by_twice_what_it_promised_too_much() -> None:
    truth = law(CONFIGURATIONS, 0.0)
    bounds = Bounds(CONFIGURATIONS)
    of_one_kind = [place for place, one in enumerate(CONFIGURATIONS) if one.plan.multiplier is Multiplier.DSP]
    known = {place: truth[place] for place in of_one_kind[::2]}
    odd, other = of_one_kind[1], of_one_kind[3]
    before = bounds.lower(known)
    margin = LEAST_MARGIN
    for share in (0.8, 0.7):
        promised = int(bounds.lower(known)["lut"][odd])
        found = int(promised * share)
        bounds.check({**before, "lut": bounds.lower(known)["lut"]}, {odd: {**truth[odd], "lut": found}})
        margin += 2 * (1 - found / promised)
        after = bounds.lower(known)["lut"]
        assert after[odd] <= found  # it would have held
        for place in (odd, other):
            predicted = before["lut"][place] / (1 - LEAST_MARGIN)
            assert after[place] == pytest.approx(max(0.0, predicted * (1 - min(1.0, margin))), abs=1.5)


def test_a_broken_bound_is_counted_and_widens_the_margin() -> None:
    truth = law(CONFIGURATIONS, 0.0)
    bounds = Bounds(CONFIGURATIONS)
    of_one_kind = [place for place, one in enumerate(CONFIGURATIONS) if one.plan.multiplier is Multiplier.DSP]
    known = {place: truth[place] for place in of_one_kind[::2]}
    odd, other = of_one_kind[1], of_one_kind[3]
    before = bounds.lower(known)
    bounds.check(before, {odd: {**truth[odd], "lut": truth[odd]["lut"] * 4 // 5}})
    after = bounds.lower(known)
    assert (bounds.broken, bounds.tested) == (1, 3)  # lut, ff and dsp were promised; no block RAM was
    assert after["lut"][other] < before["lut"][other]
    assert after["ff"][other] == before["ff"][other]
