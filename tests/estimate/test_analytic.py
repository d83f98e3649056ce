"""Cycles, multipliers and memories that templates determine, on designs made up here."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hlsflow.estimate import Design, Kind, Layer, analytic
from hlsflow.estimate.calibration import measured
from hlsflow.estimate.fitted import timing
from hlsflow.ir import Fixed
from hlsflow.rtl.memory import memory_blocks
from tests.estimate.designs import ACCUM, VALUE, design, matrix, relu


def test_a_pipeline_starts_every_r_cycles_or_when_it_is_done() -> None:
    one = design(matrix("fc1", 64, 32), relu("relu1", 32))
    assert [analytic.initiation_interval(timing(one.at(factor))) for factor in (1, 2, 3)] == [1, 2, 3]
    slow = one.at(1000)
    depth = analytic.depth(timing(slow), slow.layers[0])
    assert analytic.initiation_interval(timing(slow)) == depth + 1 < 1000


def test_sharing_multipliers_trades_dsp_blocks_for_cycles() -> None:
    found = [
        (analytic.dsp(one, one.layers[0]), analytic.latency(timing(one))) for one in map(_tiny().at, (1, 4, 16, 64))
    ]
    blocks, cycles = zip(*found, strict=True)
    assert list(blocks) == sorted(blocks, reverse=True)
    assert blocks[-1] == _tiny().at(64).layers[0].multiplier_limit
    assert cycles[-1] > cycles[1]


def _tiny() -> Design:
    return design(matrix("fc1", 16, 32))


def test_multipliers_without_dsp_blocks_take_none() -> None:
    one = replace(_tiny(), dsp_multipliers=False)
    assert analytic.dsp(one, one.layers[0]) == 0
    assert analytic.multipliers(one.layers[0]) > 0


@pytest.mark.parametrize(("bits", "blocks"), [(16, 1), (18, 1), (19, 2), (25, 2), (26, 4)])
def test_wide_operands_take_several_dsp_blocks(bits: int, blocks: int) -> None:
    layer = Layer(
        "wide", Kind.MATRIX, 1, 1, Fixed(bits, 2), ACCUM, weight=Fixed(bits, 2), strategy="resource", reuse_factor=1
    )
    one = design(replace(layer, constants=matrix("one", 1, 1).constants))
    many = analytic.multipliers(one.layers[0])
    assert analytic.dsp(one, one.layers[0]) == many * blocks


@pytest.mark.parametrize(
    ("words", "bits", "blocks"),
    [
        (512, 36, 1),
        (512, 37, 2),
        (513, 36, 2),
        (1024, 18, 1),
        (1025, 18, 2),
        (2048, 9, 1),
        (2049, 9, 2),
        (16_384, 1, 1),
        (16_385, 1, 2),
        (1, 1, 1),
        (1, 72, 2),
        (1, 73, 3),
        (600, 73, 5),
        (3000, 30, 6),
    ],
)
def test_memories_take_the_fewest_blocks(words: int, bits: int, blocks: int) -> None:
    assert memory_blocks(words, bits) == blocks


def test_weights_of_strategy_resource_lie_in_block_ram() -> None:
    layer = matrix("fc1", 64, 32, strategy="resource", reuse_factor=64)
    assert analytic.bram(design(layer), layer) == -(-32 * 8 // 36)
    assert analytic.multipliers(layer) == 32
    assert analytic.depth(timing(design(layer)), layer) > 64


@pytest.mark.parametrize(("n_out", "blocks"), [(9, 2), (10, 3), (4, 1), (5, 2)])
def test_a_word_of_memory_holds_what_is_left_over_too(n_out: int, blocks: int) -> None:
    """64 inputs at R = 64: as many weights of 8 bits in a word as there are outputs."""
    layer = matrix("fc1", 64, n_out, strategy="resource", reuse_factor=64)
    assert analytic.bram(design(layer), layer) == blocks


def test_weights_that_do_not_fill_the_last_word_take_one_more() -> None:
    """10 x 7 weights at R = 20: words of four weights, 3.5 of which are used; of 9 bits they take a whole block."""
    layer = matrix("fc1", 10, 7, strategy="resource", reuse_factor=20, weight=Fixed(9, 2))
    assert analytic.multipliers(layer) == 4
    assert analytic.bram(design(layer), layer) == 1
    wide = replace(layer, weight=Fixed(12, 2))
    assert analytic.bram(design(wide), wide) == 2  # 48 bits; 36 would go into one


def test_a_fifo_behind_a_layer_is_as_deep_as_its_results() -> None:
    deep = replace(matrix("conv1", 27, 5), positions=513, beats=513)
    assert analytic.fifo_blocks(deep) == 5  # 513 words of 80 bits: no shape holds them in fewer blocks
    assert analytic.fifo_blocks(replace(deep, positions=512)) == 3
    assert analytic.fifo_blocks(replace(deep, positions=12)) == 0  # 960 bits lie in LUTs


def test_a_stream_takes_a_cycle_for_each_beat() -> None:
    layer = replace(matrix("conv1", 27, 16), positions=900, beats=1024, window=3)
    one = design(layer, io_type="io_stream", dataflow=True)
    assert 1024 <= analytic.latency(timing(one)) < 1060
    assert 1024 < analytic.initiation_interval(timing(one)) < 1060


def test_vivado_hls_on_a_stream_takes_what_its_report_says() -> None:
    """SVHN network, Vivado HLS 2020.1: 1044 cycles at an interval of 1028; its weights are not known."""
    wide = Fixed(16, 6)
    shape = {"weight": wide, "accum": wide}
    first = Layer("conv1", Kind.MATRIX, 27, 16, wide, wide, positions=900, beats=1024, window=3, **shape)
    rest = [Layer(f"relu{n}", Kind.RELU, 16, 16, wide, wide, positions=900, beats=900) for n in range(3)]
    one = design(first, *rest, io_type="io_stream", backend="vivado", part="xcu250-figd2104-2L-e", dataflow=True)
    assert analytic.latency(timing(one)) == pytest.approx(1044, rel=0.02)
    assert analytic.initiation_interval(timing(one)) == pytest.approx(1028, rel=0.01)


def test_long_sums_are_chains_from_some_size_on() -> None:
    small, large = matrix("small", 64, 64), matrix("large", 561, 20)
    assert not analytic.serial(small)
    assert analytic.serial(large)
    assert not analytic.uncertain_sums(large)
    assert analytic.uncertain_sums(matrix("between", 100, 60))


def test_layers_of_a_calibrated_design_have_the_cycles_of_its_report() -> None:
    """Jet tagger, R = 1, 3.33 ns: 6, 8, 7 and 7 cycles of its matrices, 16 of its softmax, 58 in all."""
    one = next(found.design for found in measured() if (found.network, found.variant) == ("jet_tagging", "dsp 1"))
    own = timing(one)
    assert [analytic.depth(own, layer) for layer in one.layers if layer.kind is Kind.MATRIX] == [6, 8, 7, 7]
    assert analytic.depth(own, one.layers[-1]) == 16
    assert analytic.latency(own) == 58


def test_an_input_is_as_wide_as_its_type() -> None:
    assert analytic.operands(matrix("fc1", 4, 4)) == (VALUE.width, 8)
