"""Every configuration of every layer, and its exact cycles."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hlsflow.core.choices import Io, Multiplier, Strategy
from hlsflow.explore.precision import requantized
from hlsflow.explore.space import FASTEST, Layer, space
from hlsflow.rtl.knobs import LayerKnobs, Pipeline, Pixels
from hlsflow.rtl.schedule import schedule
from tests.explore.networks import convolution, mlp

DSP, LUT = LayerKnobs(1, Multiplier.DSP), LayerKnobs(1, Multiplier.LUT)
SPARSE = LayerKnobs(1, strategy=Strategy.SPARSE)


def layers(*kinds: LayerKnobs, sizes: tuple[int, ...] = (6, 5, 3)) -> dict[str, Layer]:
    found = space([mlp(sizes)], kinds, Pipeline(), Io.STREAM)
    return {layer.name: layer for layer in found}


@pytest.mark.parametrize("kind", [DSP, LUT, SPARSE], ids=lambda kind: f"{kind.strategy}-{kind.multiplier}")
def test_no_reuse_factor_that_changes_the_hardware_is_missing(kind: LayerKnobs) -> None:
    graph = mlp((6, 5, 3))
    found = layers(kind)
    for number, name in enumerate(("l1", "l3")):
        products = graph[name].params["weight"].size
        plans = [
            schedule(graph, {name: replace(kind, reuse_factor=factor)}, FASTEST).layers[number]
            for factor in range(1, products + 1)
        ]
        hardware = {replace(plan, asked=0) for plan in plans}
        assert {replace(one.plan, asked=0) for one in found[name].configurations} == hardware
        assert len(found[name].configurations) == len(hardware)


def test_cycles_are_those_of_a_whole_design() -> None:
    graph, found = mlp((6, 5, 3)), layers(DSP, LUT)
    for one in found["l1"].configurations:
        for other in found["l3"].configurations:
            whole = schedule(graph, {"l1": one.knobs, "l3": other.knobs}, FASTEST)
            assert whole.ii == max(one.period, other.period)
            assert whole.latency_cycles == one.at.stage.latency + other.at.stage.latency + 1


def test_several_pixels_at_a_time_are_explored_as_they_are_built() -> None:
    graph, pixels = convolution(), Pixels(4)
    (layer,) = space([graph], [DSP, SPARSE], Pipeline(), Io.STREAM, pixels=pixels)
    for one in layer.configurations:
        whole = schedule(graph, {"conv": one.knobs}, FASTEST, pixels=pixels)
        assert (whole.ii, whole.layers) == (one.period, (one.plan,))
        assert one.plan.pixels == 4


def test_widths_of_weights_are_configurations_of_their_own() -> None:
    graph = mlp((6, 5, 3))
    narrow = requantized(graph, {"l1": 3, "l3": 3})
    found = space([graph, narrow], [DSP], Pipeline(), Io.STREAM)
    assert [sorted({one.bits for one in layer.configurations}) for layer in found] == [[3, 5], [3, 5]]


def test_a_largest_reuse_factor_is_kept() -> None:
    found = space([mlp((6, 5, 3))], [DSP], Pipeline(), Io.STREAM, most=7)
    assert max(one.plan.granted for layer in found for one in layer.configurations) <= 7


def test_equal_layers_are_equal_parts() -> None:
    graph = mlp((4, 4))
    other = replace(graph, nodes=tuple(replace(node, name=node.name.replace("l1", "dense")) for node in graph.nodes))
    other = replace(other, outputs=("dense",))
    found = [space([one], [DSP], Pipeline(), Io.STREAM) for one in (graph, other)]
    texts = [[one.part().files for one in layer.configurations] for (layer,) in found]
    assert texts[0] == texts[1]
