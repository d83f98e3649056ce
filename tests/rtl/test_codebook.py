"""Weights by number: the same sums in the same cycles from a narrower memory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hlsflow.core.choices import Family
from hlsflow.core.metrics import Stage
from hlsflow.ir import Graph, evaluate, verify
from hlsflow.rtl import LayerKnobs, Multiplier, Pipeline, Strategy, WeightsIn, emit, schedule, simulate
from hlsflow.rtl.memory import weight_memories
from hlsflow.toolchains import yosys
from tests.rtl.networks import chain, dense, relu, vectors


def with_few_weights(graph: Graph, values: int) -> Graph:
    """The graph, each kernel of which has so many different weights, 0 not among them."""
    rng = np.random.default_rng(0)
    nodes = []
    for node in graph.nodes:
        if "weight" in node.params:
            kind = node.types["weight"]
            book = rng.choice([one for one in range(kind.min, kind.max + 1) if one], values, replace=False)
            node = replace(node, params={**node.params, "weight": rng.choice(book, node.params["weight"].shape)})
        nodes.append(node)
    return verify(Graph("few", tuple(nodes), graph.outputs))


NETWORK = with_few_weights(
    chain(
        13,
        "fixed<7,3>",
        dense(11, "fixed<18,9>", "fixed<18,9>", weight="fixed<8,1>"),
        relu("ufixed<6,3,RND_CONV,SAT>"),
        dense(7, "fixed<18,10>", "fixed<18,10>", weight="ufixed<7,0>"),
        relu("ufixed<6,3,RND_CONV,SAT>"),
        dense(5, "fixed<20,12>", "fixed<20,12>", weight="fixed<2,1>"),
    ),
    3,
)
"""Signed and unsigned weights of three values, and some that take no more bits themselves; lanes that stay empty."""

REGISTERS = Pipeline(feed_register=True, operand_register=True)


@pytest.mark.parametrize(
    ("reuse_factor", "kinds", "pipeline"),
    [
        (1, (Multiplier.DSP, Strategy.RESOURCE, WeightsIn.AUTO), Pipeline()),
        (5, (Multiplier.DSP, Strategy.RESOURCE, WeightsIn.LUT), REGISTERS),
        (9, (Multiplier.LUT, Strategy.RESOURCE, WeightsIn.AUTO), Pipeline()),
        (40, (Multiplier.DSP, Strategy.RESOURCE, WeightsIn.BRAM), Pipeline()),
        (40, (Multiplier.LUT, Strategy.LATENCY, WeightsIn.BRAM), Pipeline()),
        (7, (Multiplier.PACKED, Strategy.RESOURCE, WeightsIn.AUTO), Pipeline()),
        (7, (Multiplier.DSP, Strategy.SPARSE, WeightsIn.AUTO), Pipeline()),
    ],
)
def test_the_same_results_in_the_same_cycles(
    reuse_factor: int, kinds: tuple[Multiplier, Strategy, WeightsIn], pipeline: Pipeline, tmp_path: Path
) -> None:
    plan = schedule(NETWORK, {}, LayerKnobs(reuse_factor, *kinds, codebook=True), pipeline)
    plain = schedule(NETWORK, {}, LayerKnobs(reuse_factor, *kinds), pipeline)
    assert plan.latency_cycles == plain.latency_cycles
    folded = reuse_factor > 1 and Strategy.SPARSE not in kinds
    assert [layer.code_bits for layer in plan.layers] == ([2, 2, 0] if folded else [0, 0, 0])
    x = vectors(NETWORK, 300)
    result = simulate(emit(plan), x, tmp_path)
    np.testing.assert_array_equal(result.outputs, evaluate(NETWORK, x))
    assert set(result.ends - result.begins) == {plan.latency_cycles}


@pytest.mark.parametrize("multiplier", [Multiplier.DSP, Multiplier.LUT])
@pytest.mark.parametrize(("inputs", "outputs", "bits"), [(12, 6, 2), (13, 7, 3)])
def test_zero_needs_a_number_where_places_stay_empty(
    inputs: int, outputs: int, bits: int, multiplier: Multiplier, tmp_path: Path
) -> None:
    """Four values, 0 not among them: 12 * 6 weights fill the places of 12 words, 13 * 7 do not."""
    layer = dense(outputs, "fixed<18,9>", "fixed<18,9>", weight="fixed<6,1>")
    graph = with_few_weights(chain(inputs, "fixed<5,3>", layer), 4)
    plan = schedule(graph, {}, LayerKnobs(12, multiplier, codebook=True))
    (fold,) = plan.layers
    places = fold.steps * fold.inputs_per_cycle * fold.groups * fold.outputs_per_cycle
    assert (places - inputs * outputs > 0, fold.code_bits) == (bits == 3, bits)
    x = vectors(graph, 200)
    result = simulate(emit(plan), x, tmp_path)
    np.testing.assert_array_equal(result.outputs, evaluate(graph, x))
    assert set(result.ends - result.begins) == {plan.latency_cycles}


def test_two_products_of_a_block_have_weights_of_their_own() -> None:
    """The second one is less by 1 where the first is negative, so there are more different ones."""
    graph = with_few_weights(chain(9, "fixed<5,3>", dense(6, "fixed<16,8>", "fixed<16,8>")), 3)
    (layer,) = schedule(graph, {}, LayerKnobs(9, Multiplier.PACKED, codebook=True)).layers
    assert (layer.shared, layer.code_bits) == (True, 0)


def test_the_memory_holds_numbers() -> None:
    knobs = LayerKnobs(11)
    (first, *_), (plain, *_) = (
        weight_memories(schedule(NETWORK, {}, one).layers) for one in (replace(knobs, codebook=True), knobs)
    )
    assert first.words == plain.words
    assert (first.word_bits, plain.word_bits) == (13 * 2, 13 * 7)  # lanes times bits; the largest weights need 7


@pytest.mark.slow  # a minute of synthesis
def test_block_ram_is_saved(tmp_path: Path) -> None:
    """8-bit weights of 16 values: 4,096 words of a multiplier's weights are two blocks of 18 Kb, their numbers one."""
    layer = chain(64, "ufixed<4,0>", dense(64, "fixed<24,12>", "fixed<24,12>", weight="fixed<8,1>"))
    graph, blocks = with_few_weights(layer, 15), {}
    for codebook in (False, True):
        knobs = LayerKnobs(4096, weights_in=WeightsIn.BRAM, codebook=codebook)
        design = emit(schedule(graph, {}, knobs))
        metrics = yosys.synthesize(design.files, design.top, Family.XC7, tmp_path / str(codebook), timeout_s=250)
        metric = metrics.get("bram", Stage.SYNTH)
        assert metric is not None
        blocks[codebook] = metric.value
    assert blocks == {False: 2, True: 1}
