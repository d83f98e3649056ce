"""What values must become, in Python's unlimited integers and rationals: shares no code with `Fixed` and the oracle."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hlsflow.ir import Fixed, Graph, Node, Op, Overflow, Rounding


def rounded(value: Fraction, mode: Rounding) -> int:
    """The definition of each mode in AMD UG1399, on exact rationals."""
    down = math.floor(value)
    rest = value - down
    if mode is Rounding.TRN:
        return down
    if mode is Rounding.TRN_ZERO:
        return math.trunc(value)
    if rest != Fraction(1, 2):
        return down + (rest > Fraction(1, 2))
    return {
        Rounding.RND: down + 1,
        Rounding.RND_ZERO: down + (value < 0),
        Rounding.RND_INF: down + (value > 0),
        Rounding.RND_MIN_INF: down,
        Rounding.RND_CONV: down + (down % 2),
    }[mode]


def limited(code: int, kind: Fixed) -> int:
    """A code of any size, wrapped or saturated into the type."""
    top = (1 << (kind.width - kind.signed)) - 1
    bottom = -top - 1 if kind.signed else 0
    bottom += kind.signed and kind.overflow is Overflow.SAT_SYM
    if bottom <= code <= top:
        return code
    if kind.overflow is Overflow.WRAP:
        return (code - bottom) % (1 << kind.width) + bottom
    return 0 if kind.overflow is Overflow.SAT_ZERO else min(max(code, bottom), top)


def of_real(value: Fraction, kind: Fixed) -> int:
    """The code of a real number."""
    return limited(rounded(value * Fraction(2) ** (kind.width - kind.integer), kind.rounding), kind)


def cast(code: int, frac: int, kind: Fixed) -> int:
    """The code of an integer with `frac` fractional bits."""
    return of_real(Fraction(code) / Fraction(2) ** frac, kind)


Values = NDArray[Any]
"""Python's integers or rationals in an array of objects, shaped as a node's value for one row of a batch."""


def run(graph: Graph, batch: Values) -> dict[str, Values]:
    """Every node's codes, (n, *shape), one value after the other: the plain definitions of `Op`."""
    rows = [_row(graph, [int(code) for code in row]) for row in batch]
    return {node.name: np.array([row[node.name] for row in rows], object) for node in graph.nodes}


def results(graph: Graph, batch: Values) -> Values:
    """The graph's results, (n, total output values)."""
    values = run(graph, batch)
    return np.concatenate([values[name].reshape(len(batch), -1) for name in graph.outputs], axis=1)


def _row(graph: Graph, codes: list[int]) -> dict[str, Values]:
    values: dict[str, Values] = {}
    for node in graph.nodes:
        if node.op is Op.INPUT:
            mine, codes = codes[: node.size], codes[node.size :]
            values[node.name] = np.array(mine, object).reshape(node.shape)
            continue
        sources = [graph[name] for name in node.inputs]
        reals = [_reals(values[source.name], source.type) for source in sources]
        values[node.name] = np.array(_OPERATIONS[node.op](node, sources, reals), object).reshape(node.shape)
    return values


def _reals(codes: Values, kind: Fixed) -> Values:
    step = Fraction(2) ** -kind.frac
    return np.array([int(code) * step for code in codes.ravel()], object).reshape(codes.shape)


def _param(node: Node, key: str) -> Values:
    return _reals(node.params[key], node.types[key])


def _cast_all(reals: Values, kind: Fixed) -> Values:
    return np.array([of_real(value, kind) for value in reals.ravel()], object).reshape(reals.shape)


def _back(code: int, kind: Fixed) -> Fraction:
    return code * Fraction(2) ** -kind.frac


def _accumulated(node: Node, terms: list[Fraction], start: Fraction) -> Fraction:
    """One addition after the other, each brought into the accumulator."""
    accum = node.types["accum"]
    total = of_real(start, accum)
    for term in terms:
        total = limited(total + of_real(term, accum), accum)
    return _back(total, accum)


def _dense(node: Node, sources: list[Node], values: list[Values]) -> Values:
    (x,), weight, bias = values, _param(node, "weight"), _param(node, "bias")
    sums = [_accumulated(node, list(x * weight[:, column]), start) for column, start in enumerate(bias)]
    return _cast_all(np.array(sums, object), node.type)


def _patches(node: Node, source: Node, x: Values, window: tuple[int, ...]) -> list[list[tuple[int, int, Values]]]:
    """For each result pixel, row by row, the cells of its window inside the image: (row, column in the window, c)."""
    h, w, c = (1, 1, *source.shape)[-3:]
    image = x.reshape(h, w, c)
    top, bottom, left, right = node.attrs["pad"]
    places = [
        (y, x)
        for y in range(-top, h + bottom - window[0] + 1, node.attrs["stride"][0])
        for x in range(-left, w + right - window[1] + 1, node.attrs["stride"][1])
    ]
    cells = [(row, column) for row in range(window[0]) for column in range(window[1])]
    return [[(i, j, image[y + i, x + j]) for i, j in cells if 0 <= y + i < h and 0 <= x + j < w] for y, x in places]


def _conv(node: Node, sources: list[Node], values: list[Values]) -> Values:
    weight, bias = _param(node, "weight"), _param(node, "bias")
    patches = _patches(node, sources[0], values[0], weight.shape[:2])
    sums = [
        _accumulated(node, [value for i, j, pixel in patch for value in pixel * weight[i, j, :, channel]], start)
        for patch in patches
        for channel, start in enumerate(bias)
    ]
    return _cast_all(np.array(sums, object), node.type)


def _depthwise(node: Node, sources: list[Node], values: list[Values]) -> Values:
    weight, bias = _param(node, "weight"), _param(node, "bias")
    patches = _patches(node, sources[0], values[0], weight.shape[:2])
    sums = [
        _accumulated(node, [pixel[channel] * weight[i, j, channel] for i, j, pixel in patch], start)
        for patch in patches
        for channel, start in enumerate(bias)
    ]
    return _cast_all(np.array(sums, object), node.type)


def _max_pool(node: Node, sources: list[Node], values: list[Values]) -> Values:
    patches = _patches(node, sources[0], values[0], node.attrs["window"])
    best = [max(pixel[c] for _, _, pixel in patch) for patch in patches for c in range(sources[0].shape[-1])]
    return _cast_all(np.array(best, object), node.type)


def _avg_pool(node: Node, sources: list[Node], values: list[Values]) -> Values:
    patches, accum = _patches(node, sources[0], values[0], node.attrs["window"]), node.types["accum"]
    means = []
    for patch in patches:
        cells = math.prod(node.attrs["window"]) if node.attrs["count_pad"] == (1,) else len(patch)
        for c in range(sources[0].shape[-1]):
            total = _accumulated(node, [pixel[c] for _, _, pixel in patch], Fraction(0))
            means.append(_back(math.trunc(total * Fraction(2) ** accum.frac / cells), accum))
    return _cast_all(np.array(means, object), node.type)


def _elementwise(function: Callable[..., Any]) -> Callable[[Node, list[Node], list[Values]], Values]:
    """Real values of the inputs at one place, to the real value of the result there."""

    def operation(node: Node, sources: list[Node], values: list[Values]) -> Values:
        flat = [function(node, *each) for each in zip(*(value.ravel() for value in values), strict=True)]
        return _cast_all(np.array(flat, object), node.type)

    return operation


def _scale(node: Node, sources: list[Node], values: list[Values]) -> Values:
    return _cast_all(values[0] * _param(node, "scale") + _param(node, "bias"), node.type)


def _table(node: Node, sources: list[Node], values: list[Values]) -> Values:
    kind, entries = sources[0].type, node.params["table"].tolist()
    least = -(2 ** (kind.width - 1)) if kind.signed else 0
    return np.array([entries[int(value * Fraction(2) ** kind.frac) - least] for value in values[0].ravel()], object)


def _moved(move: Callable[[Node, Node, Values], Values]) -> Callable[[Node, list[Node], list[Values]], Values]:
    return lambda node, sources, values: _cast_all(move(node, sources[0], values[0]), node.type)


def _zero_pad(node: Node, source: Node, x: Values) -> Values:
    h, w, c = (1, 1, *source.shape)[-3:]
    top, bottom, left, right = node.attrs["pad"]
    return np.pad(x.reshape(h, w, c), ((top, bottom), (left, right), (0, 0)), constant_values=Fraction(0))


def _upsample(node: Node, source: Node, x: Values) -> Values:
    h, w, c = (1, 1, *source.shape)[-3:]
    return np.kron(x.reshape(h, w, c), np.ones((*node.attrs["factor"], 1), int))


def _concat(node: Node, sources: list[Node], values: list[Values]) -> Values:
    return _cast_all(np.concatenate(values, node.attrs["axis"][0]), node.type)


def _argmax(node: Node, sources: list[Node], values: list[Values]) -> Values:
    slices = values[0].reshape(-1, node.shape[-1]).tolist()
    return np.array([[int(i == row.index(max(row))) << node.type.frac for i in range(len(row))] for row in slices])


def _softmax(node: Node, sources: list[Node], values: list[Values]) -> Values:
    return np.array([_softmax_slice(node, row) for row in values[0].reshape(-1, node.shape[-1]).tolist()], object)


def _softmax_slice(node: Node, row: list[Fraction]) -> list[int]:
    kinds, accum = node.types, node.types["accum"]
    norms = [max(row) - value if node.attrs["form"] == (0,) else value for value in row]
    exps = [_looked_up(node, "exp", of_real(norm, kinds["norm"]), kinds["norm"]) for norm in norms]
    terms = [of_real(value, accum) for value in exps]
    total = _back(_reduced(terms, accum), accum)
    factor = _looked_up(node, "inv", of_real(total, kinds["inv_in"]), kinds["inv_in"])
    return [of_real(_back(term, accum) * factor, node.type) for term in terms]


def _looked_up(node: Node, key: str, code: int, index: Fixed) -> Fraction:
    entries = node.params[key].tolist()
    bits = format(code % (1 << index.width), f"0{index.width}b")
    return _back(entries[int("0" + bits[: len(entries).bit_length() - 1], 2)], node.types[key])


def _reduced(terms: list[int], accum: Fixed) -> int:
    """The tree of `nnet::reduce`: the largest power of two below the number of terms, and the rest."""
    if len(terms) == 1:
        return terms[0]
    split = max(2**power for power in range(8) if 2**power < len(terms))
    return limited(_reduced(terms[:split], accum) + _reduced(terms[split:], accum), accum)


_OPERATIONS: Mapping[Op, Callable[[Node, list[Node], list[Values]], Values]] = {
    Op.DENSE: _dense,
    Op.CONV: _conv,
    Op.DEPTHWISE: _depthwise,
    Op.SCALE: _scale,
    Op.QUANTIZE: _elementwise(lambda node, x: x),
    Op.RELU: _elementwise(lambda node, x: max(x, 0)),
    Op.LEAKY_RELU: _elementwise(lambda node, x: x if x >= 0 else x * _param(node, "slope").item()),
    Op.TABLE: _table,
    Op.MAX_POOL: _max_pool,
    Op.AVG_POOL: _avg_pool,
    Op.ZERO_PAD: _moved(_zero_pad),
    Op.UPSAMPLE: _moved(_upsample),
    Op.RESHAPE: _moved(lambda node, source, x: x),
    Op.PERMUTE: _moved(lambda node, source, x: x.transpose(node.attrs["axes"])),
    Op.ADD: _elementwise(lambda node, x, y: x + y),
    Op.SUBTRACT: _elementwise(lambda node, x, y: x - y),
    Op.MULTIPLY: _elementwise(lambda node, x, y: x * y),
    Op.AVERAGE: _elementwise(lambda node, x, y: (x + y) / 2),
    Op.MAXIMUM: _elementwise(lambda node, x, y: max(x, y)),
    Op.MINIMUM: _elementwise(lambda node, x, y: min(x, y)),
    Op.CONCAT: _concat,
    Op.ARGMAX: _argmax,
    Op.SOFTMAX: _softmax,
}
