"""The graph: an enum of operations, nodes with exact types, and one file format.

A graph file is an `.npz`: the JSON description of the nodes under the key `graph`, and each parameter array
under `<node>/<parameter>`. Every value in a graph is an integer on the grid of a `Fixed`.
"""

from __future__ import annotations

import enum
import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from flows.errors import StorageError
from flows.ir.fixed import Array, Fixed

FORMAT = 1
"""Version of the file format; a file of another version is refused."""


class Op(enum.StrEnum):
    """What a node computes. `x` is the value of its input, on the grid of the input node's type.

    Parameters and extra types that a node of that operation carries are listed in `PARAMS` and `TYPES`.
    """

    INPUT = "input"  # the graph's argument, already on the grid
    DENSE = "dense"  # cast(sum_i cast(x[i] * weight[i, o] -> accum) + cast(bias[o] -> accum) -> type)
    QUANTIZE = "quantize"  # cast(x -> type)
    RELU = "relu"  # cast(max(x, 0) -> type)
    LEAKY_RELU = "leaky_relu"  # cast(x if x >= 0 else x * slope -> type)


PARAMS: Mapping[Op, tuple[str, ...]] = {
    Op.INPUT: (),
    Op.DENSE: ("weight", "bias"),
    Op.QUANTIZE: (),
    Op.RELU: (),
    Op.LEAKY_RELU: ("slope",),
}
"""Parameter arrays of each operation: integers, on the grid of the type of the same name."""

TYPES: Mapping[Op, tuple[str, ...]] = {
    Op.INPUT: (),
    Op.DENSE: ("weight", "bias", "accum"),
    Op.QUANTIZE: (),
    Op.RELU: (),
    Op.LEAKY_RELU: ("slope",),
}
"""Types that a node of each operation carries besides that of its result."""


@dataclass(frozen=True, eq=False)
class Node:
    """One operation.

    Attributes:
        name: unique in the graph; the name of the Keras layer it comes from where there is one.
        op: what it computes.
        inputs: names of the nodes it reads.
        shape: shape of the result, without the batch axis.
        type: type of the result.
        types: extra types, by name (`TYPES[op]`).
        params: integer arrays, by name (`PARAMS[op]`); a dense `weight` is (n_in, n_out), `bias` (n_out,).
    """

    name: str
    op: Op
    inputs: tuple[str, ...]
    shape: tuple[int, ...]
    type: Fixed
    types: Mapping[str, Fixed] = field(default_factory=dict)
    params: Mapping[str, Array] = field(default_factory=dict)


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
        try:
            with np.load(path, allow_pickle=False) as data:
                arrays = {key: data[key] for key in data.files}
            head = json.loads(str(arrays.pop("graph")))
            if head["format"] != FORMAT:
                raise ValueError(f"format {head['format']}, expected {FORMAT}")
            nodes = tuple(_node_from_json(item, arrays) for item in head["nodes"])
            return cls(head["name"], nodes, tuple(head["outputs"]))
        except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
            raise StorageError(f"{path} is not a readable graph file: {error}", "delete it and run again") from error

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
        {key: arrays[f"{item['name']}/{key}"] for key in PARAMS[op]},
    )
