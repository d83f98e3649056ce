"""da4ml's own Verilog for a network of dense layers and for one matrix: the peer that scripts/bench_rtl compares with.

da4ml rounds ties up only (RND), so its casts are those of a network with RND where ours has RND_CONV.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from da4ml.codegen.rtl.rtl_model import RTLModel
from da4ml.trace import FixedVariableArray, FixedVariableArrayInput, HWConfig, comb_trace

from hlsflow.ir import Fixed, Graph, Node, Op
from hlsflow.ir.fixed import Array

TOP = "net"
UNUSED = ("lookup_table.v",)
"""Written into every project, and not accepted by Yosys without the table."""


@dataclass(frozen=True)
class Peer:
    """Files of a design whose top is `TOP`, and the registers between its inputs and its outputs."""

    files: dict[str, str]
    latency: int


def of_graph(graph: Graph, levels_per_stage: int) -> Peer:
    """A chain of dense layers and ReLUs."""
    source, *nodes = graph.nodes
    inputs = FixedVariableArrayInput(source.shape, HWConfig(1, -1, -1), {"hard_dc": 2})
    values = _cast(inputs, source.type)
    for node in nodes:
        values = _dense(values, node) if node.op is Op.DENSE else _cast(values, node.type)
    return _written(inputs, values, levels_per_stage)


def of_matrix(matrix: Array, source: Fixed, levels_per_stage: int) -> Peer:
    """One product of a vector and a constant matrix of integers."""
    inputs = FixedVariableArrayInput((len(matrix),), HWConfig(1, -1, -1), {"hard_dc": 2})
    return _written(inputs, _cast(inputs, source) @ matrix.astype(np.float64), levels_per_stage)


def _dense(values: FixedVariableArray, node: Node) -> FixedVariableArray:
    real = {key: node.params[key] * 2.0 ** -node.types[key].frac for key in ("weight", "bias")}
    return values @ real["weight"] + real["bias"]


def _cast(values: FixedVariableArray, kind: Fixed) -> FixedVariableArray:
    n, overflow = len(values), "WRAP" if kind.overflow == "WRAP" else "SAT"
    bits = (int(kind.signed), kind.integer - int(kind.signed), kind.frac)
    rounding = "TRN" if kind.rounding == "TRN" else "RND"
    return values.quantize(*(np.full(n, number) for number in bits), overflow, rounding)


def _written(inputs: FixedVariableArray, values: FixedVariableArray, levels_per_stage: int) -> Peer:
    with tempfile.TemporaryDirectory() as folder:
        model = RTLModel(comb_trace(inputs, values), TOP, folder, latency_cutoff=levels_per_stage, print_latency=False)
        model.write()
        files = dict(_verilog(Path(folder) / "src"))
        stages = len(model._pipe.solutions)
    return Peer(files, stages)


def _verilog(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.rglob("*.v")):
        if path.name not in UNUSED and "wrapper" not in path.name:
            yield path.name, path.read_text(encoding="utf-8")
