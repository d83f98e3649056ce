"""Ranges of layers' results against every input that a small layer can have."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from hlsflow.core.errors import UnsupportedLayer
from hlsflow.hls.exact import Span, carried, result, window_cells
from hlsflow.ir import Fixed

KERNELS = {"mixed": [[3, -2], [-1, 3]], "rising": [[1, 2], [3, 0]], "falling": [[-1, -2], [-3, -4]]}
"""Weights (window, outputs) of one channel, in steps of 1/4."""

SOURCES = [Span(1, 5, 7), Span(1, -7, -5), Span(0, -2, 3), Span(-1, 0, 3), Span(2, 4, 4)]


def constants(key: str, values: Any, kind: Fixed) -> dict[str, Any]:
    """A parameter as hls4ml's layer list holds it."""
    real = np.asarray(values) * 2.0**-kind.frac
    return {f"{key}_data": real, f"{key}_quantizer": SimpleNamespace(hls_type=kind)}


def conv(kernel: str, pad: dict[str, int], bias: list[int] | None = None) -> dict[str, Any]:
    """A convolution over three pixels; `bias` in steps of 1/16."""
    weight = constants("weight", np.array(KERNELS[kernel])[:, None, :], Fixed(6, 4))
    layer = {"class_name": "QConv1D", "name": "c", **weight, **pad}
    return layer | (constants("bias", bias, Fixed(9, 5)) if bias else {})


def sums(layer: dict[str, Any], source: Span) -> Iterable[Fraction]:
    """Every value that the convolution can have, one window after the other, zeros outside the image."""
    weight = (layer["weight_data"][:, 0, :] * 4).astype(int).tolist()
    bias = (np.asarray(layer.get("bias_data", [0, 0])) * 16).astype(int).tolist()
    before, after = layer.get("pad_left", 0), layer.get("pad_right", 0)
    for values in itertools.product(range(source.low, source.high + 1), repeat=3):
        row = [0] * before + list(values) + [0] * after
        for start, output in itertools.product(range(len(row) - 1), range(2)):
            total = sum(row[start + i] * weight[i][output] for i in range(2))
            yield total * Fraction(2) ** -(source.frac + 2) + Fraction(bias[output], 16)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("pad", [{}, {"pad_left": 1, "pad_right": 0}, {"pad_left": 0, "pad_right": 1}], ids=str)
@pytest.mark.parametrize("source", SOURCES, ids=str)
@pytest.mark.parametrize("bias", [None, [-5, 9]])
def test_a_sum_stays_in_its_range_with_zeros_around_the_image(
    kernel: str, pad: dict[str, int], source: Span, bias: list[int] | None
) -> None:
    layer = conv(kernel, pad, bias)
    span, values = result(layer, [source]), set(sums(layer, source))
    low, high = span.low * Fraction(2) ** -span.frac, span.high * Fraction(2) ** -span.frac
    assert low <= min(values)
    assert max(values) <= high
    if not any(pad.values()):
        assert (low, high) == (min(values), max(values))
    assert all(value * Fraction(2) ** span.frac == int(value * Fraction(2) ** span.frac) for value in values)


@pytest.mark.parametrize("side", ["top", "bottom", "left", "right"])
def test_zeros_count_on_every_side(side: str) -> None:
    """With 5 to 7 alone 3x - 2y is from 1 to 11; with a zero in place of either it is from -14 to 21."""
    layer = {"class_name": "QDepthwiseConv2D", "name": "d", f"pad_{side}": 1}
    layer |= constants("depthwise", np.array([3, -2]).reshape(1, 2, 1, 1), Fixed(4, 4))
    assert result(layer, [Span(0, 5, 7)]) == Span(0, -14, 21)
    assert result(layer | {f"pad_{side}": 0}, [Span(0, 5, 7)]) == Span(0, 1, 11)


@pytest.mark.parametrize("kind", ["ZeroPadding1D", "ZeroPadding2D"])
def test_padding_adds_a_zero(kind: str) -> None:
    assert result({"class_name": kind}, [Span(2, 3, 9)]) == Span(2, 0, 9)
    assert result({"class_name": kind}, [Span(2, -9, -3)]) == Span(2, -9, 0)
    assert result({"class_name": kind}, [Span(2, -9, 3)]) == Span(2, -9, 3)


def test_normalizations_have_a_range_that_is_met() -> None:
    layer = {"class_name": "BatchNormalization", "name": "n"}
    layer |= constants("scale", [3, -2, 0], Fixed(6, 4)) | constants("bias", [1, -7, 40], Fixed(9, 5))
    values = [
        x * factor * Fraction(1, 8) + Fraction(bias, 16)
        for x in range(-3, 6)
        for factor, bias in [(3, 1), (-2, -7), (0, 40)]
    ]
    assert result(layer, [Span(1, -3, 5)]) == Span(4, int(min(values) * 16), int(max(values) * 16))


MERGES = {
    "add": lambda x, y: x + y,
    "subtract": lambda x, y: x - y,
    "multiply": lambda x, y: x * y,
    "average": lambda x, y: (x + y) / 2,
    "maximum": max,
    "minimum": min,
}


@pytest.mark.parametrize("op", MERGES)
@pytest.mark.parametrize("left", [Span(1, -3, 4), Span(0, 2, 5), Span(2, -7, -2)], ids=str)
@pytest.mark.parametrize("right", [Span(2, -1, 6), Span(0, -4, -3)], ids=str)
def test_merges_have_a_range_that_is_met(op: str, left: Span, right: Span) -> None:
    span = result({"class_name": "Merge", "op": op}, [left, right])
    pairs = itertools.product(range(left.low, left.high + 1), range(right.low, right.high + 1))
    values = [MERGES[op](x * Fraction(2) ** -left.frac, y * Fraction(2) ** -right.frac) for x, y in pairs]
    assert [bound * Fraction(2) ** -span.frac for bound in (span.low, span.high)] == [min(values), max(values)]
    assert all((value * 2**span.frac).denominator == 1 for value in values)


def test_joined_values_are_of_either() -> None:
    assert result({"class_name": "Concatenate"}, [Span(1, -3, 4), Span(2, 1, 9)]) == Span(2, -6, 9)


POOL = {"class_name": "AveragePooling1D", "pool_width": 3, "stride_width": 2, "n_in": 5}


@pytest.mark.parametrize(("pad", "count", "cells"), [(0, 2, [3]), (1, 3, [2, 3]), (2, 4, [1, 3]), (1, 2, [2, 3])])
def test_windows_over_the_edge_have_fewer_cells(pad: int, count: int, cells: list[int]) -> None:
    assert window_cells(POOL | {"pad_left": pad, "out_width": count}) == cells


def test_an_average_divides_by_each_number_of_cells_exactly() -> None:
    span = result(POOL | {"pad_left": 1, "out_width": 3}, [Span(1, -2, 5)])
    assert (span.frac, span.low, span.high, span.divisor) == (2, -4, 10, 3)
    rows = {"pool_height": 4, "stride_height": 4, "in_height": 6, "out_height": 2, "pad_top": 0}
    flat = {"pool_width": 3, "stride_width": 3, "in_width": 5, "out_width": 2, "pad_left": 0}
    layer = {"class_name": "AveragePooling2D"} | rows | flat
    assert window_cells(layer) == [4, 6, 8, 12]
    span = result(layer, [Span(0, 0, 1)])
    assert (span.frac, span.divisor) == (3, 3)
    assert all((Fraction(8 * 3, cells)).denominator == 1 for cells in (4, 6, 8, 12))
    assert math.gcd(span.divisor, 2) == 1


@pytest.mark.parametrize("size", [{"n_in": 12}, {"in_height": 3, "in_width": 4}])
def test_a_global_average_is_of_the_whole_image(size: dict[str, int]) -> None:
    layer = {"class_name": "GlobalAveragePooling2D"} | size
    assert result(layer, [Span(0, -1, 1)]) == Span(2, -4, 4, 3)


@pytest.mark.parametrize(
    ("span", "kind"),
    [
        (Span(2, 0, 15), "ufixed<4,2>"),
        (Span(2, 0, 16), "ufixed<5,3>"),
        (Span(2, -8, 7), "fixed<4,2>"),
        (Span(2, -9, 7), "fixed<5,3>"),
        (Span(2, -1, 8), "fixed<5,3>"),
        (Span(-1, 0, 0), "ufixed<1,2>"),
        (Span(0, -1, 0), "fixed<2,2>"),
    ],
)
def test_the_narrowest_type_of_a_range(span: Span, kind: str) -> None:
    assert span.kind("x") == Fixed.parse(kind)
    assert Span.of(span.kind("x")).frac == span.frac


def test_a_range_wider_than_any_type_is_refused() -> None:
    assert Span(0, -(1 << 61), 0).kind("x").width == 62
    with pytest.raises(UnsupportedLayer, match="layer 'x' has exact results of 63 bits"):
        Span(0, -(1 << 61) - 1, 0).kind("x")


def test_a_range_without_negative_values_may_be_signed_all_the_same() -> None:
    assert Span(2, 0, 7).kind("x", signed=True) == Fixed.parse("fixed<4,2>")
    assert Span(0, 0, 0).kind("x", signed=True) == Fixed.parse("fixed<2,2>")


def test_each_output_of_a_dense_layer_is_a_sum_over_all_its_inputs() -> None:
    layer = {"class_name": "QDense", "name": "d"}
    layer |= constants("weight", [[1, 2], [1, -3], [1, 0]], Fixed(4, 4))
    assert result(layer, [Span(0, 0, 1)]) == Span(0, -3, 3)


@pytest.mark.parametrize(("kind", "wanted"), [("QDense", True), ("Concatenate", True), ("LSTM", False), ("", False)])
def test_layers_without_a_rule_are_not_carried(kind: str, wanted: bool) -> None:
    assert carried(kind) is wanted
