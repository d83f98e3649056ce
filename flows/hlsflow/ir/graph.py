"""The graph: an enum of operations, nodes with exact types, and one file format.

A graph file is an `.npz`: the JSON description of the nodes under the key `graph`, and each parameter array
under `<node>/<parameter>`. Every value in a graph is an integer on the grid of a `Fixed`.
"""

from __future__ import annotations

import enum
import hashlib
import io
import json
import math
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from hlsflow.core import foreign
from hlsflow.core.errors import StorageError
from hlsflow.ir.fixed import Array, Fixed

FORMAT = 2
"""Version of the file format; a file of another version is refused."""

GRAPH = foreign.Kind("", "is not a readable graph file", "delete it and run again", StorageError)


class Op(enum.StrEnum):
    """What a node computes. `x` is the value of its input, on the grid of the input node's type.

    Shapes are without the batch axis, channels last. "Image" operations read a shape (h, w, c), or (w, c), which means
    h = 1 (see `image`). `->` is a cast to the type on its right. Parameters, extra types and attributes that a node of
    each operation carries are listed in `PARAMS`, `TYPES` and `ATTRS`.
    """

    INPUT = "input"  # an argument of the graph, already on the grid
    DENSE = "dense"  # cast(sum_i cast(x[i] * weight[i, o] -> accum) + cast(bias[o] -> accum) -> type)
    CONV = "conv"  # the same over the window of each output pixel; zeros stand outside the image
    DEPTHWISE = "depthwise"  # the same for each channel on its own
    SCALE = "scale"  # cast(x * scale[c] + bias[c] -> type), exact before the cast; c is the last axis
    QUANTIZE = "quantize"  # cast(x -> type)
    RELU = "relu"  # cast(max(x, 0) -> type)
    LEAKY_RELU = "leaky_relu"  # cast(x if x >= 0 else x * slope -> type)
    TABLE = "table"  # table[x + 2**(width - 1) if the input type is signed, else x]: any function of one value
    MAX_POOL = "max_pool"  # cast(max of the window -> type); cells outside the image do not count
    AVG_POOL = "avg_pool"  # cast(sum of cast(x -> accum) / cells -> type); the quotient truncates to 0 on accum's grid
    ZERO_PAD = "zero_pad"  # image with rows and columns of zeros around; same type as the input
    UPSAMPLE = "upsample"  # each pixel repeated; same type as the input
    RESHAPE = "reshape"  # other shape, same row-major order, same type
    PERMUTE = "permute"  # axes in another order, same type
    ADD = "add"  # cast(x + y -> type)
    SUBTRACT = "subtract"  # cast(x - y -> type)
    MULTIPLY = "multiply"  # cast(x * y -> type)
    AVERAGE = "average"  # cast((x + y) / 2 -> type)
    MAXIMUM = "maximum"  # cast(max(x, y) -> type)
    MINIMUM = "minimum"  # cast(min(x, y) -> type)
    CONCAT = "concat"  # inputs one after the other along an axis, each cast to type
    ARGMAX = "argmax"  # one-hot (code 2**frac of type) of the largest of the last axis, the first among equals
    SOFTMAX = "softmax"  # by tables, along the last axis; see `hlsflow.ir.softmax`


MERGES = (Op.ADD, Op.SUBTRACT, Op.MULTIPLY, Op.AVERAGE, Op.MAXIMUM, Op.MINIMUM)
"""Operations on two inputs of the same shape, value by value."""

PARAMS: Mapping[Op, tuple[str, ...]] = {
    Op.DENSE: ("weight", "bias"),
    Op.CONV: ("weight", "bias"),
    Op.DEPTHWISE: ("weight", "bias"),
    Op.SCALE: ("scale", "bias"),
    Op.LEAKY_RELU: ("slope",),
    Op.TABLE: ("table",),
    Op.SOFTMAX: ("exp", "inv"),
}
"""Parameter arrays of operations that have any: integers, on the grid of the type of the same name.

Shapes: dense weight (n_in, n_out), bias (n_out,); conv weight (kh, kw, c_in, c_out), bias (c_out,), one-dimensional
convolutions have kh = 1; depthwise weight (kh, kw, c), bias (c,); scale and its bias (c,); slope (); table
(2**width of the input type,), on the grid of the node's own type; exp and inv (a power of two,), see
`hlsflow.ir.softmax`.
"""

TYPES: Mapping[Op, tuple[str, ...]] = {
    Op.DENSE: ("weight", "bias", "accum"),
    Op.CONV: ("weight", "bias", "accum"),
    Op.DEPTHWISE: ("weight", "bias", "accum"),
    Op.SCALE: ("scale", "bias"),
    Op.LEAKY_RELU: ("slope",),
    Op.AVG_POOL: ("accum",),
    Op.SOFTMAX: ("norm", "exp", "accum", "inv_in", "inv"),
}
"""Types that nodes of an operation carry besides that of their result."""

ATTRS: Mapping[Op, tuple[str, ...]] = {
    Op.CONV: ("stride", "pad"),
    Op.DEPTHWISE: ("stride", "pad"),
    Op.MAX_POOL: ("window", "stride", "pad"),
    Op.AVG_POOL: ("window", "stride", "pad", "count_pad"),
    Op.ZERO_PAD: ("pad",),
    Op.UPSAMPLE: ("factor",),
    Op.PERMUTE: ("axes",),
    Op.CONCAT: ("axis",),
    Op.SOFTMAX: ("form",),
}
"""Attributes of operations that have any: tuples of whole numbers.

window, stride, factor: (rows, columns). pad: (top, bottom, left, right). count_pad: (1,) where the divisor of an
average counts cells outside the image, else (0,). axes: result axis i is input axis axes[i]. axis: (axis,), 0 is the
first after the batch. form: (0,) for the stable softmax, (1,) for the latency form. A global pooling has the whole
image as its window, and result shape (c,) or (1, ..., c).
"""


@dataclass(frozen=True, eq=False)
class Node:
    """One operation.

    Attributes:
        name: unique in the graph; the name of the Keras layer it comes from where there is one.
        op: what it computes.
        inputs: names of the nodes it reads.
        shape: shape of the result, without the batch axis.
        type: type of the result.
        types: extra types, by name (`TYPES`).
        params: integer arrays, by name (`PARAMS`).
        attrs: whole numbers, by name (`ATTRS`).
    """

    name: str
    op: Op
    inputs: tuple[str, ...]
    shape: tuple[int, ...]
    type: Fixed
    types: Mapping[str, Fixed] = field(default_factory=dict)
    params: Mapping[str, Array] = field(default_factory=dict)
    attrs: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Values of the result."""
        return math.prod(self.shape)


def image(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """A shape (h, w, c) or (w, c) as (h, w, c); a vector (c,) is one pixel."""
    h, w, c = (1, 1, *shape)[-3:]
    return h, w, c


@dataclass(frozen=True, eq=False)
class Graph:
    """Nodes in topological order, and the names of those whose values are the graph's results."""

    name: str
    nodes: tuple[Node, ...]
    outputs: tuple[str, ...]

    def __getitem__(self, name: str) -> Node:
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(f"no node '{name}' in graph '{self.name}'")

    @property
    def inputs(self) -> tuple[Node, ...]:
        return tuple(node for node in self.nodes if node.op is Op.INPUT)

    @property
    def results(self) -> tuple[Node, ...]:
        """The nodes whose values are the graph's results."""
        return tuple(self[name] for name in self.outputs)

    def readers(self, name: str) -> tuple[Node, ...]:
        """The nodes that read a node."""
        return tuple(node for node in self.nodes if name in node.inputs)

    def digest(self) -> str:
        """A name for the exact content: equal graphs have equal digests."""
        return hashlib.sha256(self._bytes()).hexdigest()

    def save(self, path: Path) -> None:
        """Write the graph to an `.npz` file whose bytes depend on the content alone."""
        path.write_bytes(self._bytes())

    @classmethod
    def load(cls, path: Path) -> Graph:
        """Read a graph file.

        Raises:
            StorageError: the file is missing, damaged, or of another format version.
        """
        arrays = foreign.arrays(path, GRAPH)
        with foreign.reading(path, GRAPH):
            head = json.loads(str(arrays.pop("graph")))
            if head["format"] != FORMAT:
                raise ValueError(f"format {head['format']}, expected {FORMAT}")
            nodes = tuple(_node_from_json(item, arrays) for item in head["nodes"])
            return cls(head["name"], nodes, tuple(head["outputs"]))

    def _bytes(self) -> bytes:
        head = {
            "format": FORMAT,
            "name": self.name,
            "nodes": [_node_to_json(node) for node in self.nodes],
            "outputs": list(self.outputs),
        }
        arrays = {"graph": np.array(json.dumps(head))} | {
            f"{node.name}/{key}": np.asarray(value) for node in self.nodes for key, value in node.params.items()
        }
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for key, value in arrays.items():
                entry = io.BytesIO()
                np.lib.format.write_array(entry, np.asarray(value, order="C"), allow_pickle=False)
                archive.writestr(zipfile.ZipInfo(f"{key}.npy", (1980, 1, 1, 0, 0, 0)), entry.getvalue())
        return buffer.getvalue()


def _node_to_json(node: Node) -> dict[str, Any]:
    return {
        "name": node.name,
        "op": node.op.value,
        "inputs": list(node.inputs),
        "shape": list(node.shape),
        "type": str(node.type),
        "types": {key: str(value) for key, value in node.types.items()},
        "attrs": {key: list(value) for key, value in node.attrs.items()},
    }


def _node_from_json(item: Mapping[str, Any], arrays: Mapping[str, Array]) -> Node:
    op = Op(item["op"])
    return Node(
        item["name"],
        op,
        tuple(item["inputs"]),
        tuple(item["shape"]),
        Fixed.parse(item["type"]),
        {key: Fixed.parse(value) for key, value in item["types"].items()},
        {key: arrays[f"{item['name']}/{key}"] for key in PARAMS.get(op, ())},
        {key: tuple(value) for key, value in item["attrs"].items()},
    )


def side_by_side(arrays: Sequence[Array]) -> Array:
    """Values of several nodes, each (n, *shape), as one batch: (n, sum of sizes), flattened row-major, in order."""
    return np.concatenate([array.reshape(len(array), math.prod(array.shape[1:])) for array in arrays], axis=1)


def apart(nodes: Sequence[Node], batch: Array) -> list[Array]:
    """The inverse of `side_by_side` for the values of these nodes."""
    ends = np.cumsum([node.size for node in nodes])[:-1]
    parts = np.split(batch, ends, axis=1)
    return [part.reshape(len(batch), *node.shape) for node, part in zip(nodes, parts, strict=True)]
