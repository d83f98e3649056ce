"""Estimates of whole designs: figures with intervals, wider the less a design is like those of the calibration."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from hlsflow.core.metrics import Stage
from hlsflow.estimate import METRICS, Design, Figure, Kind, Layer, estimate, fitted, total
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


TWICE = replace(fitted.load(), spread=dict.fromkeys(METRICS, math.log(2)))
"""Coefficients whose intervals are half and twice a value."""


def interval(name: str, value: float, design: Design, away: tuple[str, ...] = ()) -> tuple[float, float]:
    figure = total._figure(name, value, fitted.timing(design), away, TWICE)
    return figure.low, figure.high


def test_an_interval_is_a_factor_either_way_and_wider_by_each_departure() -> None:
    assert interval("lut", 100.2, _tiny()) == (50, 200)
    assert interval("lut", 101, _tiny()) == (50, 202)
    factor = 2 * math.exp(2 * 0.35)
    assert interval("lut", 100, _tiny(), ("a", "b")) == (math.floor(100 / factor), math.ceil(100 * factor))
    assert total._figure("lut", 100, fitted.timing(_tiny()), (), replace(TWICE, spread={})) == Figure(100, 100, 100)
    assert estimate(_tiny(), replace(TWICE, spread={})).figures["lut"].low == estimate(_tiny()).figures["lut"].value


def test_of_what_is_there_the_least_is_one() -> None:
    away = ("a", "b", "c")
    assert [interval("dsp", value, _tiny(), away)[0] for value in (0, 1, 3)] == [0, 1, 1]


def test_sums_of_one_layer_make_the_cycles_of_all_uncertain() -> None:
    sure, unsure = matrix("fc1", 16, 32), matrix("fc2", 64, 65)
    assert interval("latency_cycles", 100, design(sure, sure)) == (50, 200)
    assert interval("latency_cycles", 100, design(sure, unsure)) == (12, 800)
    assert interval("lut", 100, design(sure, unsure)) == (50, 200)


@pytest.mark.parametrize(
    ("clock_ns", "factors", "fixed"),
    [
        (3.3, (3,), True),  # 8 cycles deep
        (3.3, (4,), False),
        (5.0, (2,), True),
        (5.0, (3,), False),  # 6 cycles deep
        (10.0, (2,), True),  # 4 cycles deep
        (5.0, (1, 64), False),
    ],
)
def test_an_interval_of_starts_is_certain_far_below_the_depth(
    clock_ns: float, factors: tuple[int, ...], fixed: bool
) -> None:
    layers = [replace(matrix("fc", 64, 32), reuse_factor=factor) for factor in factors]
    found = design(*layers, relu("relu", 32), clock_ns=clock_ns)
    assert interval("ii", 100, found) == ((100, 100) if fixed else (50, 200))
    for changes in ({"dataflow": True}, {"io_type": "io_stream"}):
        assert interval("ii", 100, replace(found, **changes)) == (50, 200)  # type: ignore[arg-type]


def test_an_uncertain_interval_of_starts_is_so_by_a_fifth_at_least() -> None:
    found = fitted.timing(design(replace(matrix("fc", 64, 32), reuse_factor=64)))
    figure = total._figure("ii", 100, found, (), replace(TWICE, spread={}))
    assert (figure.low, figure.high) == (math.floor(100 * math.exp(-0.2)), math.ceil(100 * math.exp(0.2)))


FEW, MANY, WIDE = Fixed(5, 2), Fixed(11, 2), Fixed(10, 2)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"reuse_factor": 1}, ()),
        ({"strategy": "resource"}, ("strategy other than latency",)),
        ({"positions": 2}, ("convolutions",)),
        ({"constants": None}, ("weights that are not known",)),
        ({"input": FEW}, ("operands outside 6 to 10 bits",)),
        ({"weight": MANY}, ("operands outside 6 to 10 bits",)),
        ({"input": Fixed(6, 2), "weight": WIDE}, ()),
        ({"kind": Kind.POOL}, ("layers that no report shows",)),
        ({"kind": Kind.OTHER}, ("layers that are not estimated",)),
    ],
)
def test_one_layer_of_two_is_enough_to_differ(change: dict[str, object], words: tuple[str, ...]) -> None:
    changed = replace(matrix("fc2", 32, 8), **change)  # type: ignore[arg-type]
    assert tuple(total.departures(design(matrix("fc1", 16, 32), changed))) == words


@pytest.mark.parametrize(("clock_ns", "inside"), [(2.99, False), (3.0, True), (6.0, True), (6.01, False)])
def test_the_bounds_of_the_calibration_belong_to_it(clock_ns: float, inside: bool) -> None:
    assert (estimate(replace(_tiny(), clock_ns=clock_ns)).departures == ()) is inside


def test_a_metric_has_the_clock_and_what_its_figure_says() -> None:
    found = estimate(replace(_tiny(), clock_ns=10.0))
    for metric in found.metrics():
        figure = found.figures[metric.name]
        assert (metric.value, metric.clock_ns) == (figure.value, 10.0)
        interval_words = f"90% interval: {figure.low:,.0f} to {figure.high:,.0f}"
        assert metric.note == f"{interval_words}; outside the calibration: clock of 10 ns"
    assert (str(Figure(1000, 1000, 1000)), str(Figure(1000, 900, 1100))) == ("1,000", "1,000 (900 to 1,100)")
