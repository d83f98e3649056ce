"""Counts that synthesis must agree with exactly: multipliers and block RAMs."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.rtl.knobs import Io, LayerKnobs, Multiplier, Pipeline
from flows.toolchains import yosys
from flows.toolchains.yosys import Family
from flows.tradeoff.features import features
from flows.tradeoff.space import Configuration, space
from tests.tradeoff.networks import mlp


@pytest.fixture(scope="module")
def configurations() -> tuple[Configuration, ...]:
    (layer,) = space([mlp((64, 32))], [LayerKnobs(1, Multiplier.DSP)], Pipeline(), Io.STREAM)
    return layer.configurations


@pytest.mark.parametrize(("reuse_factor", "blocks"), [(256, 0), (512, 1)])
def test_deep_memories_go_to_block_ram_as_counted(
    configurations: tuple[Configuration, ...], reuse_factor: int, blocks: int, tmp_path: Path
) -> None:
    one = next(one for one in configurations if one.plan.granted == reuse_factor)
    counts, part = features(one), one.part()
    found = yosys.synthesize(part.files, part.top, Family.XC7, tmp_path, timeout_s=300)
    assert counts["bram"].sum() == blocks
    for name in ("bram", "dsp"):
        metric = found.get(name)
        assert metric is not None
        assert metric.value == counts[name].sum()
