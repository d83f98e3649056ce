"""The inherited suite: every construct that hlsflow carries, on random weights, shapes, widths and signs.

A construct is one layer class or one use of it, as a small network from inputs of its own to one output. `joined` puts
many into one Keras model, because compiling a C++ project takes seconds each time; `cut` takes the graph of a single
one out again, so that every executor can be checked construct by construct on the same samples.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import qkeras
import tf_keras
from tf_keras import layers as keras

from hlsflow.ir import Fixed, Graph, Overflow, Rounding, verify
from hlsflow.ir.fixed import Array
from hlsflow.keras.outputs import untranslated

INPUT = Fixed(8, 3)
"""Type of every input."""

BOTH = ("io_parallel", "io_stream")

Shape = tuple[int, ...]
Build = Callable[["Make"], Any]


@dataclass(frozen=True)
class Construct:
    """One thing that is supported.

    Attributes:
        name: unique; the name of the network's last layer starts with it.
        covers: layer class and variant, as the table of what is supported shows it.
        build: makes the network; returns its output tensor.
        io: io types in which hls4ml carries it.
    """

    name: str
    covers: str
    build: Build
    io: tuple[str, ...] = BOTH


class Make:
    """Makes the layers of one construct with random widths: names, quantizers and inputs.

    Attributes:
        inputs: the Keras inputs made so far.
    """

    def __init__(self, name: str, seed: int) -> None:
        self.name = name
        self.random = np.random.default_rng([seed, *name.encode()])
        self.inputs: list[Any] = []
        self.count = 0

    def label(self, kind: str) -> str:
        self.count += 1
        return f"{self.name}_{kind}{self.count}"

    def whole(self, low: int, high: int) -> int:
        """A random number from low to high, both included."""
        return int(self.random.integers(low, high + 1))

    def x(self, *shape: int, quantizer: Any = None) -> Any:
        """An input, quantized to a random width and sign so that its values have another type than the input."""
        tensor = keras.Input(shape, name=self.label("x"))
        self.inputs.append(tensor)
        return self.act(tensor, quantizer or self.quantizer())

    def quantizer(self) -> Any:
        """A random activation quantizer."""
        bits, integer = self.whole(4, 7), self.whole(1, 2)
        if self.random.random() < 0.4:
            return qkeras.quantized_relu(bits, integer)
        return qkeras.quantized_bits(bits, integer, alpha=1, symmetric=self.whole(0, 1))

    def weights(self) -> Any:
        """A random weight quantizer."""
        return qkeras.quantized_bits(self.whole(3, 6), self.whole(0, 1), alpha=1)

    def act(self, tensor: Any, quantizer: Any) -> Any:
        return qkeras.QActivation(quantizer, name=self.label("act"))(tensor)

    def out(self, tensor: Any) -> Any:
        """A random quantizer after a layer."""
        return self.act(tensor, self.quantizer())

    def conv(self, tensor: Any, filters: int, size: Any, **options: Any) -> Any:
        kind = qkeras.QConv1D if len(tensor.shape) == 3 else qkeras.QConv2D
        return kind(filters, size, **self._quantized("kernel"), **options, name=self.label("conv"))(tensor)

    def depthwise(self, tensor: Any, size: Any, **options: Any) -> Any:
        quantized = self._quantized("depthwise")
        return qkeras.QDepthwiseConv2D(size, **quantized, **options, name=self.label("depthwise"))(tensor)

    def dense(self, tensor: Any, units: int, **options: Any) -> Any:
        return qkeras.QDense(units, **self._quantized("kernel"), **options, name=self.label("dense"))(tensor)

    def add(self, kind: Any, tensors: Any, *arguments: Any, **options: Any) -> Any:
        """Any layer."""
        return kind(*arguments, **options, name=self.label(kind.__name__.lower()))(tensors)

    def separable(self, tensor: Any, filters: int, size: Any, **options: Any) -> Any:
        kind = qkeras.QSeparableConv1D if len(tensor.shape) == 3 else qkeras.QSeparableConv2D
        quantized = self._quantized("depthwise") | {"pointwise_quantizer": self.weights()}
        return kind(filters, size, **quantized, **options, name=self.label("separable"))(tensor)

    def _quantized(self, kernel: str) -> dict[str, Any]:
        return {f"{kernel}_quantizer": self.weights(), "bias_quantizer": self.weights()}


def joined(chosen: Sequence[Construct], seed: int) -> Any:
    """One model with an output for each construct, in order, and random weights in all of them."""
    model = untranslated(lambda: _connected(chosen, seed))
    randomize(model, seed)
    return model


def _connected(chosen: Sequence[Construct], seed: int) -> Any:
    inputs, outputs = [], []
    for construct in chosen:
        make = Make(construct.name, seed)
        outputs.append(construct.build(make))
        inputs += make.inputs
    return tf_keras.Model(inputs, outputs, name="constructs")


def randomize(model: Any, seed: int) -> None:
    """Random weights and masks; variances stay positive."""
    random = np.random.default_rng(seed)
    for weight in model.weights:
        if "variance" in weight.name:
            weight.assign(random.uniform(0.3, 3.0, weight.shape))
        elif "mask" in weight.name:
            weight.assign(random.integers(0, 2, weight.shape))
        elif not any(word in weight.name for word in ("iteration", "threshold", "pruning_step")):
            weight.assign(random.normal(size=weight.shape) * 0.7)


def samples(graph: Graph, count: int, seed: int) -> Array:
    """Integers on the grids of all inputs, (n, total_in): random, with both ends of the range among them."""
    random = np.random.default_rng(seed)
    size = sum(node.size for node in graph.inputs)
    x = random.integers(INPUT.min, INPUT.max + 1, (count, size))
    x[0], x[1] = INPUT.min, INPUT.max
    return x


def cut(graph: Graph, output: str) -> tuple[Graph, Array]:
    """The part of a graph that one output needs, and which columns of a batch are its inputs."""
    needed = {output}
    for node in reversed(graph.nodes):
        if node.name in needed:
            needed |= set(node.inputs)
    part = Graph(output, tuple(node for node in graph.nodes if node.name in needed), (output,))
    ends = np.cumsum([node.size for node in graph.inputs])
    columns = [
        np.arange(end - node.size, end) for node, end in zip(graph.inputs, ends, strict=True) if node.name in needed
    ]
    return part, np.concatenate(columns)


def renamed(chosen: Sequence[Construct], number: int) -> list[Construct]:
    """Further copies of constructs, which get other random widths by their other names."""
    return [replace(construct, name=f"{construct.name}_{number}") for construct in chosen]


@dataclass(frozen=True, eq=False)
class Case:
    """One construct on its own.

    Attributes:
        construct: which.
        graph: verified; its only output is the construct's.
        x: samples, integers (n, total_in) on the grids of the graph's inputs.
        columns: of the results of all constructs together, those of this one.
    """

    construct: Construct
    graph: Graph
    x: Array
    columns: slice


def cases(chosen: Sequence[Construct], graph: Graph, x: Array) -> list[Case]:
    """The constructs of a joined model, one by one.

    Args:
        chosen: what was joined.
        graph: of the joined model.
        x: samples for all of its inputs.
    """
    found, start = [], 0
    for construct, node in zip(chosen, graph.results, strict=True):
        part, columns = cut(graph, node.name)
        found.append(Case(construct, verify(part), x[:, columns], slice(start, start + node.size)))
        start += node.size
    return found


def any_type(random: np.random.Generator, like: Fixed) -> Fixed:
    """A type that is a few bits off in both directions, with any rounding and overflow mode."""
    width = max(2, like.width - int(random.integers(0, 5)))
    rounding, overflow = random.choice(list(Rounding)), random.choice(list(Overflow))
    return Fixed(width, like.integer - int(random.integers(0, 2)), True, Rounding(rounding), Overflow(overflow))


def groups() -> dict[str, list[Construct]]:
    """All of them, in groups of which each is one C++ project."""
    from tests import constructs_activations as functions  # which make their constructs with this module
    from tests import constructs_models as models

    layers = [*CONVOLUTIONS, *POOLINGS, *SHAPES, *MERGES, *NORMALIZATIONS, *DENSE]
    groups = {"layers": layers, "activations": functions.ACTIVATIONS, "weights": functions.WEIGHTS}
    return groups | {"models": models.MODELS}


def constructs() -> list[Construct]:
    """All of them."""
    return [construct for group in groups().values() for construct in group]


def _conv2d(**options: Any) -> Build:
    return lambda m: m.out(m.conv(m.x(m.whole(4, 6), m.whole(4, 6), m.whole(1, 3)), m.whole(1, 4), (3, 3), **options))


def _conv1d(**options: Any) -> Build:
    return lambda m: m.out(m.conv(m.x(m.whole(5, 9), m.whole(1, 3)), m.whole(1, 4), 3, **options))


def _depthwise(**options: Any) -> Build:
    return lambda m: m.out(m.depthwise(m.x(m.whole(4, 6), m.whole(4, 6), m.whole(1, 3)), (3, 2), **options))


CONVOLUTIONS = [
    Construct("conv2d_valid", "QConv2D, padding valid", _conv2d()),
    Construct("conv2d_same", "QConv2D, padding same", _conv2d(padding="same")),
    Construct("conv2d_stride", "QConv2D, strides 2", _conv2d(strides=2)),
    Construct("conv2d_same_stride", "QConv2D, padding same, strides 2", _conv2d(padding="same", strides=2)),
    Construct("conv2d_no_bias", "QConv2D without bias", _conv2d(use_bias=False)),
    Construct(
        "conv2d_uneven", "QConv2D, 2x3 window, strides 1x2",
        lambda m: m.out(m.conv(m.x(5, 6, 2), 3, (2, 3), strides=(1, 2))),
    ),
    Construct("conv2d_pointwise", "QConv2D, 1x1 window", lambda m: m.out(m.conv(m.x(3, 4, 3), 4, 1))),
    Construct("conv2d_pointwise_stride", "QConv2D, 1x1 window, strides 2",
              lambda m: m.out(m.conv(m.x(5, 4, 3), 2, 1, strides=2))),
    Construct("conv2d_open", "QConv2D without a quantizer after it", lambda m: m.conv(m.x(4, 4, 2), 2, 3)),
    Construct(
        "conv2d_activation", "QConv2D with its own quantized_relu",
        lambda m: m.conv(m.x(4, 4, 2), 3, 3, activation=qkeras.quantized_relu(5, 1)),
    ),
    Construct("conv1d_valid", "QConv1D, padding valid", _conv1d()),
    Construct("conv1d_same", "QConv1D, padding same", _conv1d(padding="same")),
    Construct("conv1d_causal", "QConv1D, padding causal", _conv1d(padding="causal")),
    Construct("conv1d_stride", "QConv1D, strides 2", _conv1d(strides=2)),
    Construct("conv1d_gaps", "QConv1D, strides larger than the window", lambda m: m.conv(m.x(9, 2), 2, 2, strides=3)),
    Construct("conv1d_pointwise", "QConv1D, window 1", lambda m: m.out(m.conv(m.x(5, 3), 4, 1))),
    Construct("depthwise2d", "QDepthwiseConv2D", _depthwise()),
    Construct("depthwise2d_open", "QDepthwiseConv2D without a quantizer after it",
              lambda m: m.depthwise(m.x(4, 4, 2), 2)),
    Construct("depthwise2d_same", "QDepthwiseConv2D, padding same", _depthwise(padding="same")),
    Construct("depthwise2d_stride", "QDepthwiseConv2D, strides 2", _depthwise(strides=2)),
    Construct("separable2d", "QSeparableConv2D", lambda m: m.out(m.separable(m.x(5, 5, 2), 3, 3))),
    Construct("separable2d_same", "QSeparableConv2D, padding same",
              lambda m: m.out(m.separable(m.x(4, 5, 2), 3, 3, padding="same"))),
    Construct("separable1d", "QSeparableConv1D", lambda m: m.out(m.separable(m.x(7, 2), 3, 3))),
    Construct(
        "lenet", "QConv2D, MaxPooling2D, Flatten, QDense",
        lambda m: m.dense(m.add(keras.Flatten, m.add(keras.MaxPooling2D, m.out(m.conv(m.x(6, 6, 1), 3, 3)))), 4),
    ),
]  # fmt: skip


def _pool(kind: Any, *shape: int, **options: Any) -> Build:
    return lambda m: m.out(m.add(kind, m.x(*shape), **options))


PARALLEL = ("io_parallel",)

POOLINGS = [
    Construct("max2d", "MaxPooling2D", _pool(keras.MaxPooling2D, 4, 6, 2)),
    Construct("max2d_rest", "MaxPooling2D that leaves a rest", _pool(keras.MaxPooling2D, 5, 7, 2, pool_size=(2, 3))),
    Construct("max2d_same", "MaxPooling2D, padding same",
              _pool(keras.MaxPooling2D, 5, 5, 2, padding="same"), PARALLEL),
    Construct("max2d_same_unsigned", "MaxPooling2D, padding same, of unsigned values",
              lambda m: m.add(keras.MaxPooling2D, m.x(5, 5, 2, quantizer=qkeras.quantized_relu(4, 1)), padding="same"),
              PARALLEL),
    Construct("max2d_overlap", "MaxPooling2D, overlapping windows",
              _pool(keras.MaxPooling2D, 5, 5, 2, pool_size=3, strides=2), PARALLEL),
    Construct("max2d_open", "MaxPooling2D without a quantizer after it",
              lambda m: m.add(keras.MaxPooling2D, m.x(4, 4, 2))),
    Construct("max1d_overlap", "MaxPooling1D, overlapping windows",
              _pool(keras.MaxPooling1D, 7, 2, pool_size=3, strides=2)),
    Construct("max1d", "MaxPooling1D", _pool(keras.MaxPooling1D, 7, 3)),
    Construct("average2d", "AveragePooling2D", _pool(keras.AveragePooling2D, 4, 6, 2)),
    Construct("average2d_open", "AveragePooling2D without a quantizer after it",
              lambda m: m.add(keras.AveragePooling2D, m.x(4, 4, 2))),
    Construct("average2d_nine", "AveragePooling2D of 9 values",
              _pool(keras.AveragePooling2D, 6, 6, 2, pool_size=3)),
    Construct("average2d_same", "AveragePooling2D, padding same",
              _pool(keras.AveragePooling2D, 5, 5, 2, padding="same"), PARALLEL),
    Construct("average2d_same_nine", "AveragePooling2D of 9 values, padding same, overlapping",
              _pool(keras.AveragePooling2D, 5, 4, 2, pool_size=3, strides=1, padding="same"), PARALLEL),
    Construct("average1d", "AveragePooling1D of 3 values", _pool(keras.AveragePooling1D, 9, 2, pool_size=3)),
    Construct("global_max2d", "GlobalMaxPooling2D", _pool(keras.GlobalMaxPooling2D, 3, 4, 3)),
    Construct("global_max1d", "GlobalMaxPooling1D", _pool(keras.GlobalMaxPooling1D, 6, 3)),
    Construct("global_average2d", "GlobalAveragePooling2D", _pool(keras.GlobalAveragePooling2D, 4, 4, 3)),
    Construct("global_average2d_odd", "GlobalAveragePooling2D of 15 values",
              _pool(keras.GlobalAveragePooling2D, 3, 5, 2)),
    Construct("global_average2d_open", "GlobalAveragePooling2D without a quantizer after it",
              lambda m: m.add(keras.GlobalAveragePooling2D, m.x(4, 2, 3))),
    Construct("global_average1d", "GlobalAveragePooling1D of 6 values", _pool(keras.GlobalAveragePooling1D, 6, 3)),
]  # fmt: skip

SHAPES = [
    Construct("zero_padding2d", "ZeroPadding2D",
              lambda m: m.out(m.conv(m.add(keras.ZeroPadding2D, m.x(3, 4, 2), ((1, 0), (2, 1))), 2, 2))),
    Construct("zero_padding1d", "ZeroPadding1D",
              lambda m: m.out(m.conv(m.add(keras.ZeroPadding1D, m.x(4, 2), (2, 1)), 2, 2))),
    Construct("upsampling2d", "UpSampling2D", lambda m: m.out(m.conv(m.add(keras.UpSampling2D, m.x(2, 3, 2)), 2, 2))),
    Construct("upsampling1d", "UpSampling1D", lambda m: m.out(m.conv(m.add(keras.UpSampling1D, m.x(3, 2)), 2, 2))),
    Construct("flatten", "Flatten", lambda m: m.dense(m.add(keras.Flatten, m.x(3, 2, 2)), 3)),
    Construct("flatten_end", "Flatten at the end", lambda m: m.add(keras.Flatten, m.out(m.conv(m.x(3, 3, 2), 2, 2)))),
    Construct("flatten_function", "Flatten, and a quantizer after it",
              lambda m: m.dense(m.out(m.add(keras.Flatten, m.x(2, 3, 2))), 3)),
    Construct("flatten_concat", "Flatten, and a Concatenate after it",
              lambda m: m.add(keras.Concatenate, [m.add(keras.Flatten, m.x(2, 3, 2)), m.x(4)])),
    Construct("flatten_add", "Flatten, and an Add after it",
              lambda m: m.add(keras.Add, [m.add(keras.Flatten, m.x(2, 3, 2)), m.add(keras.Flatten, m.x(3, 4))])),
    Construct("flatten_permuted", "Permute, Flatten, QDense",
              lambda m: m.dense(m.add(keras.Flatten, m.add(keras.Permute, m.x(3, 4, 2), (2, 3, 1))), 3)),
    Construct("reshape_open", "Reshape with a size of -1",
              lambda m: m.conv(m.add(keras.Reshape, m.x(3, 4, 2), (-1, 4)), 2, 2)),
    Construct("reshape", "Reshape to an image",
              lambda m: m.out(m.conv(m.add(keras.Reshape, m.x(24), (3, 4, 2)), 2, 2))),
    Construct("reshape_rows", "Reshape of an image",
              lambda m: m.out(m.conv(m.add(keras.Reshape, m.x(2, 6, 2), (4, 6)), 2, 2))),
    Construct("reshape_end", "Reshape at the end",
              lambda m: m.add(keras.Reshape, m.out(m.dense(m.x(5), 6)), (3, 2))),
    Construct("permute3", "Permute of three axes",
              lambda m: m.out(m.conv(m.add(keras.Permute, m.x(3, 4, 2), (3, 1, 2)), 2, 2))),
    Construct("permute2", "Permute of two axes",
              lambda m: m.out(m.conv(m.add(keras.Permute, m.x(3, 4), (2, 1)), 2, 2))),
]  # fmt: skip


def _merge(kind: Any, *shape: int, **options: Any) -> Build:
    return lambda m: m.add(kind, [m.x(*shape), m.x(*shape)], **options)


def _residual(m: Make) -> Any:
    """A block as residual networks have it: the shortcut skips two convolutions."""
    x = m.x(4, 4, 3)
    deep = m.conv(m.out(m.conv(x, 3, 3, padding="same")), 3, 3, padding="same")
    return m.out(m.add(keras.Add, [m.out(deep), x]))


MERGES = [
    Construct("add", "Add", _merge(keras.Add, 3, 4, 2)),
    Construct("add_quantized", "Add with a quantizer after it", lambda m: m.out(_merge(keras.Add, 6)(m))),
    Construct("add_itself", "Add of a tensor to itself", lambda m: (lambda t: m.add(keras.Add, [t, t]))(m.x(5))),
    Construct("subtract", "Subtract", _merge(keras.Subtract, 5)),
    Construct("multiply", "Multiply", _merge(keras.Multiply, 4, 3)),
    Construct("average", "Average", _merge(keras.Average, 3, 2, 2)),
    Construct("maximum", "Maximum", _merge(keras.Maximum, 5)),
    Construct("minimum", "Minimum", _merge(keras.Minimum, 3, 4, 2)),
    Construct("add_three", "Add of three", lambda m: m.add(keras.Add, [m.x(5), m.x(5), m.x(5)])),
    Construct("concat1", "Concatenate of vectors", lambda m: m.dense(m.add(keras.Concatenate, [m.x(3), m.x(4)]), 3)),
    Construct("concat2", "Concatenate of rows, along channels",
              lambda m: m.add(keras.Concatenate, [m.x(4, 2), m.x(4, 3)])),
    Construct("concat2_width", "Concatenate of rows, along the width",
              lambda m: m.add(keras.Concatenate, [m.x(2, 3), m.x(4, 3)], axis=1)),
    Construct("concat3", "Concatenate of images, along channels",
              lambda m: m.add(keras.Concatenate, [m.x(3, 4, 2), m.x(3, 4, 3)])),
    Construct("concat3_height", "Concatenate of images, along the height",
              lambda m: m.add(keras.Concatenate, [m.x(2, 4, 2), m.x(3, 4, 2)], axis=1)),
    Construct("concat3_width", "Concatenate of images, along the width",
              lambda m: m.add(keras.Concatenate, [m.x(3, 2, 2), m.x(3, 4, 2)], axis=2)),
    Construct("concat_three", "Concatenate of three",
              lambda m: m.add(keras.Concatenate, [m.x(3), m.x(2), m.x(4)])),
    Construct("residual", "residual block", _residual),
]  # fmt: skip


def _folded(kind: str, m: Make, **options: Any) -> Any:
    x = m.x(5, 5, 2)
    if kind == "QConv2DBatchnorm":
        quantized = {"kernel_quantizer": m.weights(), "bias_quantizer": m.weights()}
        return m.out(qkeras.QConv2DBatchnorm(3, 3, **quantized, **options, name=m.label("folded"))(x))
    quantized = {"depthwise_quantizer": m.weights(), "bias_quantizer": m.weights()}
    return m.out(qkeras.QDepthwiseConv2DBatchnorm(3, **quantized, **options, name=m.label("folded"))(x))


NORMALIZATIONS = [
    Construct("folded", "QConv2DBatchnorm", lambda m: _folded("QConv2DBatchnorm", m)),
    Construct("folded_same", "QConv2DBatchnorm, padding same, strides 2, without bias",
              lambda m: _folded("QConv2DBatchnorm", m, padding="same", strides=2, use_bias=False)),
    Construct("folded_depthwise", "QDepthwiseConv2DBatchnorm", lambda m: _folded("QDepthwiseConv2DBatchnorm", m)),
    Construct("batchnorm", "BatchNormalization of an image",
              lambda m: m.out(m.add(keras.BatchNormalization, m.conv(m.x(4, 4, 2), 3, 3)))),
    Construct("batchnorm_vector", "BatchNormalization of a vector",
              lambda m: m.out(m.add(keras.BatchNormalization, m.dense(m.x(5), 4)))),
    Construct("batchnorm_open", "BatchNormalization without a quantizer after it",
              lambda m: m.add(keras.BatchNormalization, m.x(4, 3))),
    Construct("qbatchnorm", "QBatchNormalization",
              lambda m: m.out(m.add(qkeras.QBatchNormalization, m.dense(m.x(5), 4)))),
    Construct("qbatchnorm_bits", "QBatchNormalization with 8-bit quantizers",
              lambda m: m.out(m.add(qkeras.QBatchNormalization, m.x(4, 3), **{
                  f"{name}_quantizer": qkeras.quantized_bits(8, 2, alpha=1) for name in ("gamma", "beta", "mean")}))),
]  # fmt: skip

DENSE = [
    Construct("dense", "QDense", lambda m: m.dense(m.x(6), 4)),
    Construct("dense_quantized", "QDense with a quantizer after it", lambda m: m.out(m.dense(m.x(6), 4))),
    Construct("dense_rows", "QDense on rows", lambda m: m.out(m.dense(m.x(4, 3), 2))),
    Construct("dense_image", "QDense on an image", lambda m: m.out(m.dense(m.x(3, 4, 3), 2))),
    Construct("relu_open", "ReLU", lambda m: m.add(keras.ReLU, m.dense(m.x(6), 4))),
    Construct("dense_forked", "QDense read by two quantizers and returned",
              lambda m: m.add(keras.Add, [m.out(_fork(m)), m.out(m.inputs[-1])])),
]  # fmt: skip


def _fork(m: Make) -> Any:
    """A dense layer with two readers."""
    wide = m.dense(m.x(5), 5)
    return m.add(keras.Add, [m.out(wide), m.out(wide)])
