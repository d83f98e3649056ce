"""Cycles, multipliers and memories that templates determine, on designs made up here."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hlsflow.estimate import Design, Kind, Layer, analytic
from hlsflow.estimate.analytic import Stages, Timing
from hlsflow.estimate.calibration import measured
from hlsflow.estimate.constants import Constants
from hlsflow.estimate.fitted import timing
from hlsflow.ir import Fixed
from hlsflow.rtl.memory import memory_blocks
from tests.estimate.designs import ACCUM, PART, VALUE, design, matrix, relu


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


@pytest.mark.parametrize(
    ("part", "generation", "levels"),
    [
        ("xc7z020clg400-1", "7", 2),
        ("xcku060-ffva1156-2-e", "us", 3),
        ("xcku115-flva1517-2-e", "us", 3),
        ("xcvu440-flga2892-1-c", "us", 3),
        ("xcku11p-ffva1156-2-e", "us+", 5),
        ("XCKU15P", "us+", 5),
        ("xcvu13p-flga2577-2-e", "us+", 5),
        ("xcku5p-ffva676-3-e", "us+", 5),
        ("xcu250-figd2104-2L-e", "us+", 5),
        ("", "us+", 5),
    ],
)
def test_the_generation_of_a_part_decides_how_much_a_cycle_holds(part: str, generation: str, levels: int) -> None:
    """4.375 ns of 5 for adders of 2.08, 1.10 and 0.79 ns."""
    assert analytic.generation(part) == generation
    assert analytic.Pace(design(part=part)).levels == levels
    assert analytic.Pace(design(part=part, clock_ns=0.5)).levels == 1


@pytest.mark.parametrize(
    ("part", "first", "second", "blocks"),
    [
        (PART, 25, 18, 1),
        (PART, 18, 25, 1),
        (PART, 26, 10, 2),
        (PART, 19, 19, 2),
        ("xcku060-ffva1156-2-e", 27, 18, 1),
        ("xcku060-ffva1156-2-e", 28, 18, 2),
        ("xcku060-ffva1156-2-e", 27, 19, 2),
        ("xcu250-figd2104-2L-e", 27, 18, 1),
        ("xcu250-figd2104-2L-e", 28, 18, 2),
        ("xcu250-figd2104-2L-e", 27, 19, 2),
    ],
)
def test_a_dsp_block_has_a_wide_and_a_narrow_port(part: str, first: int, second: int, blocks: int) -> None:
    layer = matrix("one", 2, 1, weight=Fixed(second, 2), strategy="resource", reuse_factor=2)
    layer = replace(layer, input=Fixed(first, 2))
    assert analytic.dsp(design(layer, part=part), layer) == blocks


STAGES = Stages(
    product={"relaxed dsp": 1.0, "tight dsp": 2.0, "relaxed lut": -3.0},
    tail={"relaxed dsp": 3.0, "tight dsp": 4.0},
    alone={"relaxed dsp": 6.0, "tight dsp": 7.0},
    softmax={"relaxed dsp": (6.0, 2.0), "tight dsp": (5.0, 3.5)},
)
"""Made up, so that every figure below can be worked out by hand."""
FAST = {"part": "xcu250-figd2104-2L-e", "clock_ns": 3.3}
"""Three adders in a cycle."""


def depth(layer: Layer, **changes: object) -> int:
    return analytic.depth(Timing(design(layer, **changes), STAGES), layer)


def counted(n_in: int, n_out: int, nonzero: int, multipliers: int, live: int, **changes: object) -> Layer:
    """A dense layer whose weights are counted so, without adders."""
    return matrix("fc", n_in, n_out, **({"constants": Constants(nonzero, multipliers, 0, live)} | changes))


def of_kind(which: Kind, n_in: int = 4, **changes: object) -> Layer:
    return replace(counted(n_in, n_in, n_in, 1, n_in, **changes), kind=which)


@pytest.mark.parametrize(
    ("layer", "relaxed", "tight"),
    [
        (of_kind(Kind.SCALE), 1, 2),
        (of_kind(Kind.SCALE, constants=Constants(4, 0, 0, 4)), 0, 0),
        (of_kind(Kind.WIRES), 0, 0),
        (of_kind(Kind.TABLE), 1, 1),
        (of_kind(Kind.TABLE, constants=Constants(4, 0, 0, 4)), 1, 1),
        (of_kind(Kind.POOL), 2, 2),
        (of_kind(Kind.RELU), 0, 1),
        (of_kind(Kind.MERGE), 0, 1),
        (of_kind(Kind.SOFTMAX, 1), 8, 8),  # 5 + 3.5 = 8.5 to even
        (of_kind(Kind.SOFTMAX, 2), 8, 8),
        (of_kind(Kind.SOFTMAX, 5), 12, 16),
    ],
)
def test_other_layers_are_as_deep_as_their_kind(layer: Layer, relaxed: int, tight: int) -> None:
    assert depth(layer) == relaxed
    assert depth(layer, clock_ns=3.0) == tight


def test_a_softmax_that_is_fast_is_its_look_ups_and_trees() -> None:
    five = of_kind(Kind.SOFTMAX, 5)
    assert (depth(five, **FAST), depth(five, backend="vivado")) == (5, 5)


@pytest.mark.parametrize(
    ("layer", "cycles"),
    [
        (counted(4, 3, 6, 0, 3), 2),  # two terms: one level, one cycle of the product
        (counted(5, 3, 15, 0, 3), 3),  # 2.3 levels, rounded
        (counted(4, 3, 12, 5, 3, reuse_factor=2), 3),  # five products, six multipliers: none is shared
        (counted(4, 3, 12, 5, 3, reuse_factor=4), 5),  # three: 2 + 3
        (counted(4, 3, 12, 5, 3, reuse_factor=6), 6),  # two: 3 + 3
        (counted(4, 3, 12, 5, 3, reuse_factor=12), 11),  # one alone: 5 + 6
        (counted(64, 3, 192, 4, 3, reuse_factor=64), 7),  # 2 + 3, and the sums of 64 terms take 7
        (counted(7001, 1, 7001, 0, 1), 3503),  # a chain of two adders in a cycle, and two cycles more
        (counted(64, 1, 64, 64, 1, strategy="resource", reuse_factor=8), 12),  # 8, and sums of 8 terms: 3 + 1
        (counted(4, 4, 16, 16, 4, strategy="resource", reuse_factor=8), 10),
    ],
)
def test_a_matrix_is_as_deep_as_its_sums_and_its_shared_products(layer: Layer, cycles: int) -> None:
    assert depth(layer) == cycles


def test_trees_follow_the_pace() -> None:
    five, sixteen = counted(5, 1, 5, 0, 1), counted(16, 1, 16, 0, 1)
    assert depth(five, clock_ns=3.0) == 3 + 2
    assert (depth(sixteen, **FAST), depth(sixteen, backend="vivado", **FAST)) == (2 + 1, 2)
    assert depth(five, dsp_multipliers=False) == 1  # a product that takes no cycle takes none away


def test_a_pace_that_no_report_shows_takes_that_of_the_same_multipliers() -> None:
    values = {"relaxed lut": 1.0, "relaxed dsp": 2.0, "tight dsp": 3.0}
    assert analytic.at(values, "tight dsp") == 3.0
    assert analytic.at({"relaxed lut": 1.0, "relaxed dsp": 2.0}, "tight dsp") == 2.0
    assert analytic.at({"relaxed lut": 1.0}, "tight dsp") == 1.0


def test_multipliers_are_those_needed_or_allowed() -> None:
    found = counted(4, 3, 12, 5, 3, copies=2)
    assert [analytic.multipliers(replace(found, reuse_factor=factor)) for factor in (1, 2)] == [10, 6]
    assert [analytic.sharing(replace(found, reuse_factor=factor)) for factor in (1, 2)] == [1, 2]
    slow = replace(found, strategy="resource", reuse_factor=6)
    assert (analytic.multipliers(slow), analytic.sharing(slow)) == (2, 6)
    assert analytic.multipliers(replace(slow, reuse_factor=1)) == 10
    assert [analytic.multipliers(of_kind(each)) for each in (Kind.SOFTMAX, Kind.RELU, Kind.POOL)] == [4, 0, 0]
    assert analytic.operands(of_kind(Kind.SOFTMAX)) == (18, 18)
    assert analytic.operands(of_kind(Kind.SCALE, weight=None)) == (VALUE.width, VALUE.width)


def test_where_chains_begin_and_what_is_not_known() -> None:
    sizes = (4096, 4097, 6705, 6706, 10_975, 10_976)
    layers = [counted(size, 1, size, 0, 1) for size in sizes]
    assert [analytic.uncertain_sums(layer) for layer in layers] == [False, True, True, True, True, False]
    assert [analytic.serial(layer) for layer in layers] == [False, False, False, True, True, True]
    for changes in ({"kind": Kind.SCALE, "n_out": 8000}, {"strategy": "resource", "reuse_factor": 2, "n_in": 8000}):
        other = replace(layers[0], **changes)  # type: ignore[arg-type]
        assert (analytic.serial(other), analytic.uncertain_sums(other)) == (False, False)


def test_a_layer_goes_on_for_each_position() -> None:
    """Two products to each multiplier: 2 + 3 cycles deep; all ten on one: 10 + 6."""
    layer = counted(4, 3, 12, 5, 3, reuse_factor=2, positions=8, copies=2)
    timing = Timing(design(layer), STAGES)
    assert analytic.layer_latency(timing, layer) == 5 + 3 * 2
    assert analytic.layer_latency(timing, replace(layer, beats=10)) == 5 + 9 * 2
    assert analytic.interval(timing, replace(layer, reuse_factor=50)) == 17
    assert analytic.interval(timing, replace(layer, strategy="resource", reuse_factor=50)) == 50
    assert analytic.interval(timing, replace(layer, kind=Kind.POOL)) == 1


FIRST = counted(5, 3, 15, 0, 3)
"""Three cycles deep."""


@pytest.mark.parametrize(
    ("factor", "changes", "cycles"),
    [
        (1, {}, 3 + 3 + 2 + 2),  # two registers between three layers, and one before each matrix
        (1, {"dataflow": True}, 3 + 3 + 2),
        (2, {}, 3 + 3 + 2),
        (1, {"backend": "vivado"}, 3 + 3 + 2),
        (1, {"io_type": "io_stream"}, 1 + 6 + 4),
    ],
)
def test_layers_are_apart_by_registers(factor: int, changes: dict[str, object], cycles: int) -> None:
    layers = (FIRST, of_kind(Kind.RELU), of_kind(Kind.WIRES), replace(FIRST, reuse_factor=factor))
    assert analytic.latency(Timing(design(*layers, **changes), STAGES)) == cycles


@pytest.mark.parametrize(
    ("layer", "pipeline", "dataflow", "stream"),
    [
        (FIRST, 1, 2, 1 + 3 + 1 + 1),
        (replace(FIRST, reuse_factor=2), 2, 3, 2 + 3 + 1 + 1),
        (replace(FIRST, reuse_factor=2, positions=2), 2, 4 + 3 + 1, 4 + 3 + 1 + 1),
        (replace(FIRST, positions=8, copies=2), 1, 4 + 3 + 1, 4 + 3 + 1 + 1),
        (of_kind(Kind.POOL), 1, 2, 2),
        (of_kind(Kind.POOL, beats=9), 1, 9 + 2 + 1, 9 + 2 + 1 + 1),
    ],
)
def test_a_region_starts_again_when_its_slowest_process_is_done(
    layer: Layer, pipeline: int, dataflow: int, stream: int
) -> None:
    ways: tuple[dict[str, object], ...] = ({}, {"dataflow": True}, {"io_type": "io_stream"})
    found = [analytic.initiation_interval(Timing(design(layer, of_kind(Kind.RELU), **way), STAGES)) for way in ways]
    assert found == [pipeline, dataflow, stream]
    assert analytic.initiation_interval(Timing(design(), STAGES)) == 1


def bram(layer: Layer, **changes: object) -> int:
    return analytic.bram(design(layer, **changes), layer)


def test_tables_weights_and_fifos_lie_in_block_ram() -> None:
    wide = Fixed(40, 20)
    assert bram(replace(of_kind(Kind.SOFTMAX, 5), result=wide)) == 5
    assert bram(replace(of_kind(Kind.TABLE, 5, table_size=2048), result=Fixed(10, 2))) == 10
    assert bram(replace(of_kind(Kind.TABLE, 5), result=wide)) == 15
    assert bram(of_kind(Kind.RELU, strategy="resource", reuse_factor=2)) == 0
    assert bram(counted(64, 9, 1, 1, 1)) == 0
    unknown = [counted(64, n, 1, 1, 1, strategy="resource", reuse_factor=64, weight=None) for n in (7, 9)]
    assert [bram(layer) for layer in unknown] == [4, 4]  # 112 and 144 bits
    deep = replace(of_kind(Kind.SOFTMAX, 5), positions=100, result=Fixed(10, 2))
    assert (bram(deep), bram(deep, io_type="io_stream")) == (5, 5 + 2)


@pytest.mark.parametrize(
    ("n_out", "width", "positions", "blocks"),
    [(1, 1, 1024, 0), (1, 1, 1025, 1), (1, 40, 1, 0), (40, 40, 1, 0), (27, 19, 2, 15)],
)
def test_a_fifo_of_1024_bits_is_logic(n_out: int, width: int, positions: int, blocks: int) -> None:
    layer = replace(counted(1, n_out, 1, 1, 1, positions=positions), result=Fixed(width, 1, False))
    assert analytic.fifo_blocks(layer) == blocks
