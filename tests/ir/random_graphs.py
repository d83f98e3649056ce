"""Random small graphs of every operation: shapes, types, modes, windows, several inputs and outputs, branches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from hlsflow.ir import Fixed, Graph, Node, Op, Overflow, Rounding, verify
from hlsflow.ir.fixed import MAX_WIDTH, Array
from hlsflow.ir.graph import ATTRS, MERGES, PARAMS, TYPES, image
from hlsflow.ir.shapes import result_shapes
from hlsflow.ir.verify import InvalidGraph

Rng = np.random.Generator


def codes(rng: Rng, kind: Fixed, *shape: int) -> Array:
    """Random values, a third of them at the ends or at 0."""
    values = rng.integers(kind.min, kind.max + 1, shape)
    ends = rng.choice(np.array([kind.min, kind.max, 0]), shape)
    return np.where(rng.random(shape) < 0.33, ends, values)


def kind(rng: Rng, wide: bool, widest: int = 12) -> Fixed:
    """A random type: as networks have them, or anything."""
    width = int(rng.integers(1, (MAX_WIDTH if wide else widest) + 1))
    integer = int(rng.integers(-70, 71)) if wide and rng.random() < 0.3 else int(rng.integers(-2, width + 3))
    return Fixed(width, integer, bool(rng.random() < 0.6), *_modes(rng))


def _modes(rng: Rng) -> tuple[Rounding, Overflow]:
    return _choice(rng, list(Rounding)), _choice(rng, list(Overflow))


def _choice(rng: Rng, options: list[Any]) -> Any:
    return options[int(rng.integers(len(options)))]


def batch(rng: Rng, graph: Graph, rows: int) -> Array:
    return np.concatenate([codes(rng, node.type, rows, node.size) for node in graph.inputs], axis=1)


def of_op(rng: Rng, op: Op, wide: bool = False) -> Graph:
    """A graph of one operation on inputs of its own, the first of them also a result; tries until one is accepted."""
    for _ in range(2000):
        shapes = _source_shapes(rng, op)
        sources = [Node(f"x{i}", Op.INPUT, (), shape, kind(rng, wide)) for i, shape in enumerate(shapes)]
        graph = _accepted(Graph("g", (*sources, node(rng, "y", op, sources, wide)), ("y", "x0")))
        if graph:
            return graph
    raise AssertionError(f"no {op} that the verifier accepts")


def of_many(rng: Rng, size: int) -> Graph:
    """A graph of many operations, each on one or more of the nodes before it, with two inputs and several outputs."""
    shape = _shape(rng, 3)
    nodes = [Node(f"x{i}", Op.INPUT, (), shape, kind(rng, False)) for i in range(2)]
    while len(nodes) < size:
        op = _choice(rng, [op for op in Op if op is not Op.INPUT])
        first = _choice(rng, nodes)
        partners = [other for other in nodes if other.shape == first.shape]
        sources = [first, _choice(rng, partners)] if op in (*MERGES, Op.CONCAT) else [first]
        made = node(rng, f"n{len(nodes)}", op, sources, False)
        if made.size <= 300 and _accepted(Graph("g", (*nodes, made), (made.name,))):
            nodes.append(made)
    names = [each.name for each in nodes]
    outputs = {names[-1], *(_choice(rng, names) for _ in range(2))}
    return verify(Graph("g", tuple(nodes), tuple(sorted(outputs))))


def _accepted(graph: Graph) -> Graph | None:
    try:
        return verify(graph)
    except InvalidGraph:
        return None


def _source_shapes(rng: Rng, op: Op) -> list[tuple[int, ...]]:
    shape = _shape(rng, 1 if op is Op.DENSE else int(rng.integers(1, 4)))
    if op is not Op.CONCAT:
        return [shape] * (2 if op in MERGES else 1)
    axis = int(rng.integers(len(shape)))
    return [shape[:axis] + (int(rng.integers(1, 4)),) + shape[axis + 1 :] for _ in range(rng.integers(2, 4))]


def _shape(rng: Rng, rank: int) -> tuple[int, ...]:
    return tuple(int(size) for size in rng.integers(1, 6, rank - 1)) + (int(rng.integers(1, 4)),)


def node(rng: Rng, name: str, op: Op, sources: list[Node], wide: bool) -> Node:
    """A random node on these sources; the verifier may refuse it."""
    flat = len(sources[0].shape) == 2
    kinds = {key: kind(rng, wide) for key in TYPES.get(op, ())}
    if "accum" in kinds and op is not Op.SOFTMAX:
        accum = kind(rng, wide, 30)
        kinds["accum"] = Fixed(accum.width, accum.integer, accum.signed, accum.rounding)
    attrs = {key: _ATTRS[key](rng, sources[0], flat) for key in ATTRS.get(op, ())}
    if op in (Op.MAX_POOL, Op.AVG_POOL) and rng.random() < 0.2:
        attrs |= {"window": image(sources[0].shape)[:2], "pad": (0, 0, 0, 0)}
    if attrs.get("form") == (1,):
        kinds["norm"] = sources[0].type
    result = sources[0].type if op in (Op.ZERO_PAD, Op.UPSAMPLE, Op.RESHAPE, Op.PERMUTE) else kind(rng, wide)
    if op is Op.SOFTMAX:  # so that products reach the result's grid
        result = Fixed(result.width, kinds["accum"].integer + kinds["inv"].integer, True, *_modes(rng))
    shapes = _param_shapes(rng, op, sources[0], flat, kinds)
    params = {key: codes(rng, kinds.get(key, result), *shapes[key]) for key in PARAMS.get(op, ())}
    draft = Node(name, op, tuple(source.name for source in sources), sources[0].shape, result, kinds, params, attrs)
    return _shaped(rng, draft, sources)


def _shaped(rng: Rng, draft: Node, sources: list[Node]) -> Node:
    if draft.op is Op.RESHAPE:
        shape = _choice(rng, [(draft.size,), (1, draft.size), (draft.shape[-1], draft.size // draft.shape[-1])])
    else:
        shape = _choice(rng, result_shapes(draft, sources) or [draft.shape])
    return Node(draft.name, draft.op, draft.inputs, shape, draft.type, draft.types, draft.params, draft.attrs)


def _pair(rng: Rng, flat: bool, most: int) -> tuple[int, int]:
    return 1 if flat else int(rng.integers(1, most + 1)), int(rng.integers(1, most + 1))


def _pad(rng: Rng, flat: bool) -> tuple[int, ...]:
    if rng.random() < 0.3:
        return (0, 0, 0, 0)
    pad = [int(size) for size in rng.integers(0, 3, 4)]
    return (0, 0, *pad[2:]) if flat else tuple(pad)


_ATTRS: Mapping[str, Callable[[Rng, Node, bool], tuple[int, ...]]] = {
    "stride": lambda rng, source, flat: _pair(rng, flat, 3),
    "window": lambda rng, source, flat: _pair(rng, flat, 3),
    "factor": lambda rng, source, flat: _pair(rng, flat, 3),
    "pad": lambda rng, source, flat: _pad(rng, flat),
    "count_pad": lambda rng, source, flat: (int(rng.integers(2)),),
    "axes": lambda rng, source, flat: tuple(int(axis) for axis in rng.permutation(len(source.shape))),
    "axis": lambda rng, source, flat: (int(rng.integers(len(source.shape))),),
    "form": lambda rng, source, flat: (int(rng.integers(2)),),
}


def _param_shapes(rng: Rng, op: Op, source: Node, flat: bool, kinds: Mapping[str, Fixed]) -> dict[str, tuple[int, ...]]:
    channels, outputs, window = source.shape[-1], int(rng.integers(1, 4)), _pair(rng, flat, 3)
    return {
        Op.DENSE: {"weight": (channels, outputs), "bias": (outputs,)},
        Op.CONV: {"weight": (*window, channels, outputs), "bias": (outputs,)},
        Op.DEPTHWISE: {"weight": (*window, channels), "bias": (channels,)},
        Op.SCALE: {"scale": (channels,), "bias": (channels,)},
        Op.LEAKY_RELU: {"slope": ()},
        Op.TABLE: {"table": (1 << min(source.type.width, 14),)},
        Op.SOFTMAX: {
            key: (1 << int(rng.integers(min(kinds[index].width, 8) + 1)),)
            for key, index in (("exp", "norm"), ("inv", "inv_in"))
            if index in kinds
        },
    }.get(op, {})
