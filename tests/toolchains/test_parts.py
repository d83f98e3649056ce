"""Budgets of named parts."""

from __future__ import annotations

import pytest

from hlsflow.core.choices import Family
from hlsflow.core.errors import ProjectError
from hlsflow.toolchains.parts import Resources, resources


@pytest.mark.parametrize("name", ["xc7a35t", "xc7a35tcpg236-1", "XC7A35TICSG324-1L", "xc7a35t-cpg236-1"])
def test_a_package_and_a_speed_grade_do_not_matter(name: str) -> None:
    assert resources(name) == Resources(Family.XC7, 20_800, 41_600, 90, 100)


def test_an_ecp5_part_is_known_by_its_router() -> None:
    found = resources("LFE5U-45F-6BG381C")
    assert (found.family, found.lut, found.dsp, found.bram) == (Family.ECP5, 43_848, 72, 108)


def test_a_budget_is_a_share_rounded_down() -> None:
    assert resources("xc7a35t").budget(0.7) == {"lut": 14_560, "ff": 29_120, "dsp": 63, "bram": 70}


@pytest.mark.parametrize("share", [0.0, -0.1, 1.01])
def test_no_other_share_is_taken(share: float) -> None:
    with pytest.raises(ProjectError, match="cannot be used"):
        resources("xc7a35t").budget(share)


@pytest.mark.parametrize("name", ["xc7a350t", "xc7a35", "virtex", "LFE5U-99F-6BG381C"])
def test_an_unknown_part_is_refused_by_name(name: str) -> None:
    with pytest.raises(ProjectError, match=name):
        resources(name)
