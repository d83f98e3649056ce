"""Linear operations where their sums change number type, grid or block of columns."""

from __future__ import annotations

import numpy as np
import pytest

from hlsflow.ir import Fixed, Graph, Node, Op, evaluate, verify
from hlsflow.ir.evaluate_linear import _common_grid, _reach
from tests.ir import exact


@pytest.mark.parametrize(
    ("weights", "bias", "kind", "reach"),
    [
        ([3, -2], 5, "fixed<4,4>", 42),  # 3 * 7 + 2 * 8 + 5
        ([3, -2], -5, "fixed<4,4>", 43),  # 3 * 8 + 2 * 7 + 5
        ([3, -2], 5, "ufixed<4,4>", 50),
        ([3, -2], -25, "ufixed<4,4>", 55),
        ([0, 0], 0, "fixed<4,4>", 0),
        ([8, 0], 1, "fixed<4,4>", 64),  # 8 * -8: products alone, before the bias is added
    ],
)
def test_the_largest_sum_in_either_direction(weights: list[int], bias: int, kind: str, reach: int) -> None:
    pair = np.array([weights, [0, 0]]).T, np.array([bias, 0])
    assert _reach(*pair, Fixed.parse(kind)) == reach


@pytest.mark.parametrize(("bias", "grid"), [([8, 4], 8), ([1, 64], 10), ([64], 6), ([0], 6)])
def test_a_grid_has_the_bits_that_products_and_bias_use(bias: list[int], grid: int) -> None:
    assert _common_grid(np.array(bias), 10, 6) == grid


@pytest.mark.parametrize(
    ("code", "factor", "bias", "result"),
    [
        (32767, 1025, 0, 33586175),
        (32767, -1025, 0, -33586175),
        (32767, 1, -(1 << 25) - 32768, -(1 << 25) - 1),
        (0, 1, (1 << 25) + 1, (1 << 25) + 1),
    ],
)
def test_a_scale_beyond_24_bits_is_exact(code: int, factor: int, bias: int, result: int) -> None:
    wide = Fixed(40, 40)
    params = {"scale": np.array([1, factor]), "bias": np.array([0, bias])}
    node = Node("y", Op.SCALE, ("x",), (2,), wide, {"scale": Fixed(16, 16), "bias": Fixed(30, 30)}, params)
    graph = verify(Graph("g", (Node("x", Op.INPUT, (), (2,), Fixed(16, 16)), node), ("y",)))
    assert evaluate(graph, np.array([[7, code]])).tolist() == [[7, result]]


def convolution(source: tuple[int, ...], weight: np.ndarray, bias: list[int], stride: tuple[int, int]) -> Graph:
    rows, columns, _, outputs = weight.shape
    shape = ((source[0] - rows) // stride[0] + 1, (source[1] - columns) // stride[1] + 1, outputs)
    kinds = {"weight": Fixed(6, 6), "bias": Fixed(6, 6), "accum": Fixed(20, 20)}
    params, attrs = {"weight": weight, "bias": np.array(bias)}, {"stride": stride, "pad": (0, 0, 0, 0)}
    node = Node("y", Op.CONV, ("x",), shape, Fixed(20, 20), kinds, params, attrs)
    return verify(Graph("g", (Node("x", Op.INPUT, (), source, Fixed(8, 8)), node), ("y",)))


def test_an_image_wider_than_a_block_of_columns() -> None:
    """x[i] - 2 x[i + 1] + 3, of x[i] = i: 40 columns, where one output takes them 16 at a time."""
    graph = convolution((1, 41, 1), np.array([1, -2]).reshape(1, 2, 1, 1), [3], (1, 1))
    assert evaluate(graph, np.arange(41)[None]).tolist() == [[1 - i for i in range(40)]]


@pytest.mark.parametrize(
    ("source", "window", "outputs", "stride"),
    [((3, 24, 2), (2, 3), 5, (1, 1)), ((4, 23, 1), (2, 2), 7, (2, 3)), ((2, 9, 3), (1, 2), 20, (1, 2))],
)
def test_blocks_of_columns_meet_their_own_pixels(
    source: tuple[int, ...], window: tuple[int, int], outputs: int, stride: tuple[int, int]
) -> None:
    rng = np.random.default_rng(5)
    weight = rng.integers(-32, 32, (*window, source[2], outputs))
    graph = convolution(source, weight, rng.integers(-32, 32, outputs).tolist(), stride)
    x = rng.integers(-128, 128, (2, graph["x"].size))
    assert evaluate(graph, x).tolist() == exact.results(graph, x).tolist()


@pytest.mark.parametrize(("weight", "result"), [([1, 1], 15), ([1, -1], 9), ([-1, 1], 7), ([-1, -1], 1)])
def test_an_unsigned_accumulator_wraps_a_negative_sum(weight: list[int], result: int) -> None:
    """3 and 4, plus 8, modulo 16: 8 - 7 = 1 in the end, by way of no negative number; then 8 less."""
    kinds = {"weight": Fixed(2, 2), "bias": Fixed(5, 5), "accum": Fixed(4, 4, False)}
    for bias, shift in ((8, 0), (0, 8)):
        params = {"weight": np.array(weight)[:, None], "bias": np.array([bias])}
        node = Node("y", Op.DENSE, ("x",), (1,), Fixed(8, 8), kinds, params)
        graph = verify(Graph("g", (Node("x", Op.INPUT, (), (2,), Fixed(4, 4)), node), ("y",)))
        assert evaluate(graph, np.array([[4, 3]])).tolist() == [[(result - shift) % 16]]
