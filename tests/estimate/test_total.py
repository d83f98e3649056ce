"""Estimates of whole designs: figures with intervals, wider the less a design is like those of the calibration."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hlsflow.core.metrics import Stage
from hlsflow.estimate import METRICS, Design, Figure, Kind, Layer, estimate
from hlsflow.estimate.part import DOES_NOT_FIT, FITS, TOO_CLOSE, fitting, verdict
from hlsflow.ir import Fixed
from hlsflow.toolchains.parts import offered
from tests.estimate.designs import PART, design, matrix, relu


def _tiny() -> Design:
    return design(matrix("fc1", 16, 32), relu("relu1", 32), matrix("fc2", 32, 8))


def test_figures_are_of_stage_estimated_and_say_their_interval() -> None:
    metrics = estimate(_tiny()).metrics()
    assert {metric.name for metric in metrics} == set(METRICS)
    for metric in metrics:
        assert metric.stage is Stage.ESTIMATED
        assert metric.tool == "hlsflow estimate"
        assert metric.target == PART
        assert metric.note.startswith("90% interval: ")


def test_the_whole_is_its_layers_and_what_lies_between() -> None:
    found = estimate(_tiny())
    for name in ("lut", "ff", "dsp", "bram"):
        assert found.figures[name].value == sum(layer.figures.get(name, 0) for layer in found.layers)
    assert [layer.name for layer in found.layers] == ["fc1", "relu1", "fc2", "between layers"]


def test_values_lie_in_their_intervals() -> None:
    for figure in estimate(_tiny()).figures.values():
        assert figure.low <= figure.value <= figure.high


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"backend": "vivado"}, "backend vivado"),
        ({"io_type": "io_stream"}, "io_stream"),
        ({"part": "xcu250-figd2104-2L-e"}, "part xcu250-figd2104-2L-e"),
        ({"clock_ns": 10.0}, "clock of 10 ns"),
    ],
)
def test_what_differs_from_the_calibration_is_named_and_widens(change: dict[str, object], words: str) -> None:
    inside, outside = estimate(_tiny()), estimate(replace(_tiny(), **change))  # type: ignore[arg-type]
    assert inside.departures == ()
    assert outside.departures == (words,)
    assert _width(outside.figures["lut"]) > 1.3 * _width(inside.figures["lut"])


def _width(figure: Figure) -> float:
    return figure.high / figure.low


def test_unknown_weights_are_said() -> None:
    layer = replace(matrix("fc1", 16, 32), constants=None)
    assert "weights that are not known" in estimate(design(layer)).departures


def test_a_jet_tagger_of_unknown_weights_is_within_wide_intervals() -> None:
    """Vivado HLS 2019.2, 16 bits, R = 1: 13 cycles, II 1, 84,942 LUT, 10,961 FF, 1,450 DSP, 4 block RAMs."""
    wide = Fixed(16, 6)
    layers: list[Layer] = []
    for n_in, n_out in ((16, 64), (64, 32), (32, 32), (32, 5)):
        layers.append(Layer("fc", Kind.MATRIX, n_in, n_out, wide, wide, weight=wide, accum=wide))
        layers.append(Layer("relu", Kind.RELU, n_out, n_out, wide, wide))
    layers[-1] = Layer("softmax", Kind.SOFTMAX, 5, 5, wide, wide)
    figures = estimate(design(*layers, backend="vivado", part="xcu250-figd2104-2L-e")).figures
    truth = {"latency_cycles": 13, "ii": 1, "lut": 84_942, "ff": 10_961, "dsp": 1_450, "bram": 4}
    for name, value in truth.items():
        assert figures[name].low <= value <= figures[name].high, name


def test_a_part_holds_what_surely_is_below_and_not_what_surely_is_above() -> None:
    figure = Figure(100, 80, 130)
    assert [verdict(figure, limit) for limit in (79, 80, 129, 130)] == [DOES_NOT_FIT, TOO_CLOSE, TOO_CLOSE, FITS]
    assert offered("xc7z007s-clg225-2") == {"lut": 14_400, "ff": 28_800, "dsp": 66, "bram": 100}
    assert offered("no-part") == {}


def _some(high: int) -> Figure:
    return Figure(high, 0, high)


def test_the_smallest_part_that_fits_is_found() -> None:
    assert (
        fitting({name: Figure(0, 0, 14_000) for name in ("lut", "ff")} | {"dsp": _some(66), "bram": _some(0)})
        == "xc7z007s"
    )
    assert (
        fitting({name: Figure(0, 0, 14_000) for name in ("lut", "ff")} | {"dsp": _some(81), "bram": _some(0)})
        == "xc7a35t"
    )
    assert fitting({name: Figure(1e9, 1e9, 1e9) for name in METRICS}) is None


UNKNOWN = Layer("rnn", Kind.OTHER, 1, 1, Fixed(8, 2), Fixed(8, 2))


def test_a_total_with_a_hole_is_missing_and_names_it() -> None:
    whole, holed = estimate(_tiny()), estimate(design(*_tiny().layers, UNKNOWN))
    assert (holed.holes, holed.figures) == (("rnn",), {})
    for metric in holed.metrics():
        assert metric.value is None
        assert metric.note.startswith("not estimated: rnn; the other layers alone: ")
    assert {name: figure.value for name, figure in holed.others.items()} == {
        name: figure.value for name, figure in whole.figures.items()
    }
    assert dict(holed.layers[-1].figures) == {}


def test_a_design_of_unknown_layers_alone_has_not_even_a_part_of_a_total() -> None:
    for io_type in ("io_parallel", "io_stream"):
        found = estimate(design(UNKNOWN, replace(UNKNOWN, name="gru"), io_type=io_type))
        assert (found.holes, found.figures, found.others) == (("rnn", "gru"), {}, {})
        assert [metric.note for metric in found.metrics()] == ["not estimated: rnn, gru"] * len(METRICS)


def test_sums_that_may_be_chains_or_trees_are_four_times_less_certain() -> None:
    """Between 4,096 and 10,976 products nothing is known: a tree takes a fraction of the cycles of a chain."""
    tree, unsure = (estimate(design(matrix("fc", 64, wide))) for wide in (64, 65))
    spread = {one: found.figures["latency_cycles"] for one, found in (("tree", tree), ("unsure", unsure))}
    assert _width(spread["tree"]) < 1.5
    assert spread["unsure"].high >= 4 * spread["unsure"].value
    assert spread["unsure"].low <= spread["unsure"].value / 4
    assert _width(unsure.figures["lut"]) < 1.1 * _width(tree.figures["lut"])
