"""Where weights are kept: what is reported, and what Yosys makes of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hlsflow.core.choices import Family
from hlsflow.core.metrics import Stage
from hlsflow.rtl import LayerKnobs, Pipeline, WeightsIn, emit, schedule
from hlsflow.rtl.cores.fold import LayerSchedule
from hlsflow.rtl.memory import WeightMemory, weight_memories
from hlsflow.toolchains import yosys
from tests.rtl.networks import chain, dense

LAYER = chain(24, "ufixed<4,0>", dense(12, "fixed<16,9>", "fixed<16,9>", weight="fixed<5,1>"))


def planned(reuse_factor: int, weights_in: WeightsIn, pipeline: Pipeline | None = None) -> tuple[LayerSchedule, ...]:
    return schedule(LAYER, {}, LayerKnobs(reuse_factor, weights_in=weights_in), pipeline or Pipeline()).layers


def test_report() -> None:
    (memory,) = weight_memories(planned(48, WeightsIn.BRAM))
    assert (memory.words, memory.word_bits, memory.bits, memory.blocks) == (48, 30, 1440, 1)
    assert memory.utilisation == pytest.approx(1440 / 18432)
    assert weight_memories(planned(1, WeightsIn.BRAM)) == ()


@pytest.mark.parametrize(
    ("words", "word_bits", "kept"), [(2, 1, True), (1, 1, False), (1, 36, False), (2, 0, False), (2, 36, True)]
)
def test_a_memory_has_at_least_two_words_of_a_bit(words: int, word_bits: int, kept: bool) -> None:
    """One word is a constant; no bits: the layer holds its weights in adders."""
    layer = replace(planned(48, WeightsIn.BRAM)[0], granted=words, weight_bits=word_bits)
    found = [(memory.words, memory.word_bits) for memory in weight_memories([layer])]
    assert found == ([(words, word_bits)] if kept else [])


def test_wide_memories_take_several_blocks() -> None:
    (memory,) = weight_memories(planned(4, WeightsIn.BRAM))
    assert (memory.word_bits, memory.blocks) == (360, 10)


@pytest.mark.parametrize(
    ("words", "word_bits", "blocks"),
    [
        (512, 36, 1),
        (513, 36, 2),
        (512, 37, 2),
        (1, 1, 1),
        (1024, 18, 1),
        (1024, 19, 2),
        (1025, 18, 2),
        (2048, 9, 1),
        (2049, 9, 2),
        (2048, 10, 2),
        (4096, 4, 1),
        (4096, 5, 2),
        (4097, 4, 2),
        (8192, 2, 1),
        (8193, 2, 2),
        (16384, 1, 1),
        (16385, 1, 2),
        (512, 360, 10),
        (513, 360, 20),
        (600, 73, 5),
        (3000, 30, 6),
        (20000, 7, 10),
    ],
)
def test_a_block_is_whole_in_words_and_in_bits(words: int, word_bits: int, blocks: int) -> None:
    """Counted by hand from the shapes of UG473: 36 bits of 512 words up to 1 bit of 16,384."""
    memory = WeightMemory("l1", WeightsIn.BRAM, words, word_bits)
    assert memory.blocks == blocks
    assert memory.bits == words * word_bits
    assert memory.utilisation == words * word_bits / (blocks * 18432)


def test_block_ram_has_a_register_and_may_be_forbidden() -> None:
    no_blocks = Pipeline(block_ram=False)
    kinds = [(48, WeightsIn.LUT), (48, WeightsIn.BRAM), (144, WeightsIn.AUTO), (48, WeightsIn.AUTO)]
    assert [planned(*kind)[0].weights_registered for kind in kinds] == [False, True, True, False]
    assert planned(144, WeightsIn.AUTO, no_blocks)[0].weights_in is WeightsIn.LUT
    assert planned(144, WeightsIn.BRAM, no_blocks)[0].weights_in is WeightsIn.BRAM


@pytest.mark.parametrize("weights_in", [WeightsIn.LUT, WeightsIn.BRAM])
def test_yosys_keeps_weights_where_they_are_asked_to_be(weights_in: WeightsIn, tmp_path: Path) -> None:
    design = emit(schedule(LAYER, {}, LayerKnobs(288, weights_in=weights_in)))
    metrics = yosys.synthesize(design.files, design.top, Family.ECP5, tmp_path, timeout_s=250)
    (blocks,) = [metric.value for metric in metrics if metric.name == "bram" and metric.stage is Stage.SYNTH]
    assert (blocks == 1) if weights_in is WeightsIn.BRAM else (blocks == 0)
