"""Counts that synthesis must agree with exactly: multipliers and block RAMs."""

from __future__ import annotations

from pathlib import Path

import pytest

from hlsflow.core.choices import Family, Io, Multiplier
from hlsflow.explore.features import features
from hlsflow.explore.space import Configuration, space
from hlsflow.rtl.knobs import LayerKnobs, Pipeline, Pixels
from hlsflow.toolchains import yosys
from tests.explore.networks import convolution, mlp


@pytest.fixture(scope="module")
def configurations() -> tuple[Configuration, ...]:
    (layer,) = space([mlp((64, 32))], [LayerKnobs(1, Multiplier.DSP)], Pipeline(), Io.STREAM)
    return layer.configurations


def at(configurations: tuple[Configuration, ...], reuse_factor: int) -> Configuration:
    return next(one for one in configurations if one.plan.granted == reuse_factor)


def test_deep_memories_go_to_block_ram_as_counted(configurations: tuple[Configuration, ...], tmp_path: Path) -> None:
    one = at(configurations, 512)
    counts, part = features(one), one.part()
    found = yosys.synthesize(part.files, part.top, Family.XC7, tmp_path, timeout_s=300)
    for name, count in (("bram", 1), ("dsp", 4)):
        metric = found.get(name)
        assert metric is not None
        assert metric.value == counts[name].sum() == count


@pytest.mark.slow  # a synthesis more
def test_neighbouring_pixels_have_multipliers_of_their_own(tmp_path: Path) -> None:
    kinds = [LayerKnobs(1, Multiplier.DSP)]
    (layer,) = space([convolution()], kinds, Pipeline(), Io.STREAM, pixels=Pixels(4))
    one = at(layer.configurations, 9)
    part = one.part()
    metric = yosys.synthesize(part.files, part.top, Family.XC7, tmp_path, timeout_s=300).get("dsp")
    assert metric is not None
    assert metric.value == features(one)["dsp"].sum() == 4 * 2


def test_wide_memories_stay_in_luts(configurations: tuple[Configuration, ...]) -> None:
    assert features(at(configurations, 256))["bram"].sum() == 0
