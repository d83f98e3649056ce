"""Which values a tensor can have: grid and range, from layer to layer, so that every type can be set to be exact.

In: an entry of hls4ml's layer list with frozen weights, and the spans of what it reads. Out: the span of its result
before any cast. Ranges of sums are exact for weights, and for inputs that take every value of their range on their own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hlsflow.core.errors import UnsupportedLayer
from hlsflow.ir.fixed import MAX_WIDTH, Array, Fixed
from hlsflow.ir.integers import trailing_zeros, width_of

Layer = Mapping[str, Any]


@dataclass(frozen=True)
class Span:
    """Whole multiples of 2**-frac from `low` to `high`, both in those steps.

    Attributes:
        frac: fractional bits; may be negative.
        low, high: least and largest value.
        divisor: by which these values are divided after all, for an average that no binary fraction holds; else 1.
    """

    frac: int
    low: int
    high: int
    divisor: int = 1

    @classmethod
    def of(cls, kind: Fixed) -> Span:
        """All values of a type."""
        return cls(kind.frac, kind.min, kind.max)

    def at(self, frac: int) -> tuple[int, int]:
        """The same range in finer steps."""
        return self.low << (frac - self.frac), self.high << (frac - self.frac)

    @property
    def largest(self) -> float:
        """The largest size of a value, real."""
        return max(abs(self.low), abs(self.high)) * 2.0**-self.frac / self.divisor

    def with_zero(self) -> Span:
        """The same, and zero."""
        return Span(self.frac, min(self.low, 0), max(self.high, 0), self.divisor)

    def kind(self, where: str, signed: bool = False) -> Fixed:
        """The narrowest type that holds all of it.

        Args:
            where: the layer, for the message.
            signed: signed even where nothing is negative.
        Raises:
            UnsupportedLayer: wider than any type.
        """
        signed = signed or self.low < 0
        width = max(width_of(self.low, self.high, signed), 1 + signed)
        if width > MAX_WIDTH:
            message = f"layer '{where}' has exact results of {width} bits, more than {MAX_WIDTH}"
            raise UnsupportedLayer(message, "put a quantized_bits or quantized_relu before it")
        return Fixed(width, width - self.frac, signed)


def result(layer: Layer, sources: Sequence[Span]) -> Span:
    """The exact values of a layer's result, before an activation quantizer or a cast."""
    return _RULES[layer["class_name"]](layer, *sources)


def carried(class_name: str) -> bool:
    """Whether the values of a layer of this hls4ml class are known here."""
    return class_name in _RULES


def _kernel(layer: Layer) -> tuple[Array, Fixed]:
    key = "depthwise" if "depthwise_data" in layer else "weight"
    return _codes(layer, key)


def _codes(layer: Layer, key: str) -> tuple[Array, Fixed]:
    """Constants as whole numbers of any size, and their type."""
    precision = layer[f"{key}_quantizer"].hls_type
    kind = Fixed(int(precision.width), int(precision.integer), bool(precision.signed))
    codes = np.rint(np.asarray(layer[f"{key}_data"], np.float64) * 2.0**kind.frac)
    return np.array([int(code) for code in codes.ravel()], object).reshape(codes.shape), kind


def _sums(layer: Layer, source: Span) -> Span:
    """Sums of products: over all axes of the kernel but the last, or but the channel of a depthwise one."""
    weight, kind = _kernel(layer)
    weight = weight.reshape(-1, weight.shape[-2 if "depthwise_data" in layer else -1])
    if any(layer.get(f"pad_{side}") for side in ("top", "bottom", "left", "right")):
        source = source.with_zero()
    products = np.stack([weight * source.low, weight * source.high])
    low, high = products.min(0).sum(0), products.max(0).sum(0)
    return _biased(layer, source.frac + kind.frac, low, high)


def _scaled(layer: Layer, source: Span) -> Span:
    scale, kind = _codes(layer, "scale")
    products = np.stack([scale * source.low, scale * source.high])
    return _biased(layer, source.frac + kind.frac, products.min(0), products.max(0))


def _biased(layer: Layer, frac: int, low: Array, high: Array) -> Span:
    if layer.get("bias_data") is None:
        return Span(frac, int(low.min()), int(high.max()))
    bias, kind = _codes(layer, "bias")
    finest = max(frac, kind.frac)
    low, high = (low << (finest - frac)), (high << (finest - frac))
    bias = bias << (finest - kind.frac)
    return Span(finest, int((low + bias).min()), int((high + bias).max()))


def _same(layer: Layer, source: Span) -> Span:
    return source


def _zero_too(layer: Layer, source: Span) -> Span:
    return source.with_zero()


def _average_pool(layer: Layer, source: Span) -> Span:
    """Sums, of as many cells as one window has, divided by each number of cells that a window can have."""
    cells = window_cells(layer)
    shift = max(trailing_zeros(count) for count in cells)
    divisor = math.lcm(*(count // (count & -count) for count in cells))
    return Span(source.frac + shift, source.low << shift, source.high << shift, divisor)


def window_cells(layer: Layer) -> list[int]:
    """How many cells of the image the windows of an average pooling cover: one number, or more with padding."""
    if layer["class_name"].startswith("Global"):
        return [layer["n_in"] if "n_in" in layer else layer["in_height"] * layer["in_width"]]
    columns = _overlaps(
        layer.get("in_width", layer.get("n_in")), layer, "width", "left", layer.get("out_width", layer.get("n_out"))
    )
    if "pool_height" not in layer:
        return sorted(columns)
    rows = _overlaps(layer["in_height"], layer, "height", "top", layer["out_height"])
    return sorted({row * column for row in rows for column in columns})


def _overlaps(size: int, layer: Layer, side: str, before: str, count: int) -> set[int]:
    """Cells of an axis inside the image, for each position of the window."""
    window, stride, pad = layer[f"pool_{side}"], layer[f"stride_{side}"], layer[f"pad_{before}"]
    starts = [index * stride - pad for index in range(count)]
    return {min(start + window, size) - max(start, 0) for start in starts}


def _aligned(a: Span, b: Span) -> tuple[int, tuple[int, int], tuple[int, int]]:
    frac = max(a.frac, b.frac)
    return frac, a.at(frac), b.at(frac)


def _merged(layer: Layer, a: Span, b: Span) -> Span:
    return _MERGES[layer["op"]](a, b)


def _add(a: Span, b: Span) -> Span:
    frac, (low_a, high_a), (low_b, high_b) = _aligned(a, b)
    return Span(frac, low_a + low_b, high_a + high_b)


def _subtract(a: Span, b: Span) -> Span:
    return _add(a, Span(b.frac, -b.high, -b.low))


def _multiply(a: Span, b: Span) -> Span:
    corners = [left * right for left in (a.low, a.high) for right in (b.low, b.high)]
    return Span(a.frac + b.frac, min(corners), max(corners))


def _average(a: Span, b: Span) -> Span:
    total = _add(a, b)
    return Span(total.frac + 1, total.low, total.high)


def _maximum(a: Span, b: Span) -> Span:
    frac, (low_a, high_a), (low_b, high_b) = _aligned(a, b)
    return Span(frac, max(low_a, low_b), max(high_a, high_b))


def _minimum(a: Span, b: Span) -> Span:
    frac, (low_a, high_a), (low_b, high_b) = _aligned(a, b)
    return Span(frac, min(low_a, low_b), min(high_a, high_b))


def _either(layer: Layer, a: Span, b: Span) -> Span:
    frac, (low_a, high_a), (low_b, high_b) = _aligned(a, b)
    return Span(frac, min(low_a, low_b), max(high_a, high_b))


_MERGES: Mapping[str, Callable[[Span, Span], Span]] = {
    "add": _add,
    "subtract": _subtract,
    "multiply": _multiply,
    "average": _average,
    "maximum": _maximum,
    "minimum": _minimum,
}

SUMS = (
    "Dense",
    "QDense",
    "Conv1D",
    "QConv1D",
    "Conv2D",
    "QConv2D",
    "DepthwiseConv1D",
    "DepthwiseConv2D",
    "QDepthwiseConv2D",
)
"""hls4ml layer classes with a kernel, a bias and an accumulator."""

_RULES: Mapping[str, Callable[..., Span]] = {
    **dict.fromkeys(SUMS, _sums),
    "BatchNormalization": _scaled,
    "MaxPooling1D": _same,
    "MaxPooling2D": _same,
    "GlobalMaxPooling1D": _same,
    "GlobalMaxPooling2D": _same,
    "AveragePooling1D": _average_pool,
    "AveragePooling2D": _average_pool,
    "GlobalAveragePooling1D": _average_pool,
    "GlobalAveragePooling2D": _average_pool,
    "ZeroPadding1D": _zero_too,
    "ZeroPadding2D": _zero_too,
    "UpSampling1D": _same,
    "UpSampling2D": _same,
    "Reshape": _same,
    "Repack": _same,
    "Transpose": _same,
    "Merge": _merged,
    "Concatenate": _either,
}
"""hls4ml layer class → the span of its result, from the layer and the spans of what it reads."""
