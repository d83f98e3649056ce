"""Each rule of the verifier refuses by the name of the node and of the rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hlsflow.ir import Fixed, Graph, Node, Op, verify
from hlsflow.ir.shapes import result_shapes
from hlsflow.ir.verify import InvalidGraph

X, OUT = Fixed(8, 4), Fixed(12, 6)
SUMS = {"weight": Fixed(4, 1), "bias": Fixed(4, 1), "accum": Fixed(20, 10)}
IMAGE = (6, 5, 2)


def base(op: Op, shape: tuple[int, ...], source: tuple[int, ...] = IMAGE, inputs: int = 1, **parts: Any) -> Graph:
    """A graph of one operation that the verifier accepts."""
    sources = tuple(Node(f"x{i}", Op.INPUT, (), source, X) for i in range(inputs))
    names = tuple(node.name for node in sources)
    kind = parts.pop("kind", OUT)
    return verify(Graph("g", (*sources, Node("y", op, names, shape, kind, **parts)), ("y",)))


def zeros(*shape: int) -> Any:
    return np.zeros(shape, int)


SLIDE = {"stride": (1, 1), "pad": (0, 0, 0, 0)}
WINDOW = {"window": (2, 2), **SLIDE}
SOFTMAX = {"norm": X, "exp": Fixed(9, 1), "accum": Fixed(14, 6), "inv_in": Fixed(9, 5), "inv": Fixed(9, 1)}
BASES = {
    "dense": lambda: base(Op.DENSE, (3,), (4,), types=SUMS, params={"weight": zeros(4, 3), "bias": zeros(3)}),
    "conv": lambda: base(
        Op.CONV, (4, 3, 4), types=SUMS, params={"weight": zeros(3, 3, 2, 4), "bias": zeros(4)}, attrs=SLIDE
    ),
    "line": lambda: base(
        Op.CONV, (4, 4), (6, 2), types=SUMS, params={"weight": zeros(1, 3, 2, 4), "bias": zeros(4)}, attrs=SLIDE
    ),
    "depthwise": lambda: base(
        Op.DEPTHWISE, (4, 3, 2), types=SUMS, params={"weight": zeros(3, 3, 2), "bias": zeros(2)}, attrs=SLIDE
    ),
    "scale": lambda: base(Op.SCALE, IMAGE, types={"scale": X, "bias": X}, params={"scale": zeros(2), "bias": zeros(2)}),
    "leaky": lambda: base(Op.LEAKY_RELU, IMAGE, types={"slope": X}, params={"slope": zeros()}),
    "table": lambda: base(Op.TABLE, IMAGE, params={"table": zeros(256)}),
    "max": lambda: base(Op.MAX_POOL, (5, 4, 2), attrs=WINDOW),
    "average": lambda: base(Op.AVG_POOL, (5, 4, 2), types={"accum": Fixed(12, 8)}, attrs=WINDOW | {"count_pad": (0,)}),
    "pad": lambda: base(Op.ZERO_PAD, (7, 5, 2), kind=X, attrs={"pad": (1, 0, 0, 0)}),
    "up": lambda: base(Op.UPSAMPLE, (12, 5, 2), kind=X, attrs={"factor": (2, 1)}),
    "reshape": lambda: base(Op.RESHAPE, (60,), kind=X),
    "permute": lambda: base(Op.PERMUTE, (2, 6, 5), kind=X, attrs={"axes": (2, 0, 1)}),
    "add": lambda: base(Op.ADD, IMAGE, inputs=2),
    "multiply": lambda: base(Op.MULTIPLY, IMAGE, inputs=2),
    "concat": lambda: base(Op.CONCAT, (6, 10, 2), inputs=2, attrs={"axis": (1,)}),
    "argmax": lambda: base(Op.ARGMAX, (7,), (7,)),
    "softmax": lambda: base(
        Op.SOFTMAX, (7,), (7,), types=SOFTMAX, params={"exp": zeros(256), "inv": zeros(512)}, attrs={"form": (0,)}
    ),
}

Change = Callable[[Node], Node]


def result(**parts: Any) -> Change:
    """Change the node under test; dictionaries are merged into what it has."""
    return lambda node: replace(
        node, **{key: getattr(node, key) | part if isinstance(part, dict) else part for key, part in parts.items()}
    )


CASES: list[tuple[str, Change, str]] = [
    ("dense", result(inputs=("x0", "x0")), "has 2 inputs"),
    ("concat", result(inputs=("x0",)), "has 1 inputs"),
    ("add", result(inputs=("x0", "x1", "x0")), "has 3 inputs"),
    ("conv", result(attrs={"rate": (1, 1)}), "must carry the attributes"),
    ("conv", result(attrs={"stride": (0, 1)}), r"has stride \(0, 1\)"),
    ("conv", result(attrs={"stride": (1,)}), r"has stride \(1,\)"),
    ("conv", result(attrs={"pad": (0, -1, 0, 0)}), "has pad"),
    ("max", result(attrs={"window": (1, 2, 3)}), "has window"),
    ("up", result(attrs={"factor": (1, 0)}), "has factor"),
    ("concat", result(attrs={"axis": (-1,)}), "has axis"),
    ("permute", result(attrs={"axes": ()}), "has axes"),
    ("reshape", result(shape=()), r"has shape \(\)"),
    ("dense", result(shape=(0,)), r"has shape \(0,\)"),
    ("dense", result(shape=(4,)), r"maps .* to \(4,\)"),
    ("conv", result(params={"weight": zeros(3, 3, 1, 4)}), "maps"),
    ("conv", result(params={"weight": zeros(7, 3, 2, 4)}), "maps"),
    ("conv", result(attrs={"stride": (2, 1)}), r"maps .* to \(4, 3, 4\), not \[\(2, 3, 4\)\]"),
    ("depthwise", result(params={"weight": zeros(3, 3, 3), "bias": zeros(3)}), "maps"),
    ("max", result(shape=(5, 4, 1)), "maps"),
    ("pad", result(shape=(8, 5, 2)), "maps"),
    ("up", result(shape=(6, 5, 2)), "maps"),
    ("reshape", result(shape=(61,)), "maps"),
    ("permute", result(attrs={"axes": (0, 0, 1)}), "maps"),
    ("concat", result(attrs={"axis": (0,)}), "maps"),
    ("concat", result(attrs={"axis": (3,)}), "maps"),
    ("add", result(shape=(6, 5)), "maps"),
    ("conv", result(params={"bias": zeros(3)}), "has weight"),
    ("depthwise", result(params={"weight": zeros(3, 3, 2, 1)}), "has weight"),
    ("dense", result(params={"weight": np.zeros((4, 3))}), "parameter 'weight' of 'y' is not within"),
    ("table", result(params={"table": np.full(256, 4096)}), "parameter 'table' of 'y' is not within"),
    ("average", result(types={"accum": Fixed.parse("fixed<12,8,TRN,SAT>")}), "only WRAP"),
    ("depthwise", result(types={"accum": Fixed.parse("fixed<12,8,TRN,SAT_SYM>")}), "only WRAP"),
    ("line", result(attrs={"pad": (1, 0, 0, 0)}), "has pad across the rows"),
    ("line", result(attrs={"stride": (2, 1)}), "has stride across the rows"),
    ("line", result(params={"weight": zeros(2, 3, 2, 4)}), "has weight rows across the rows"),
    ("max", result(attrs={"pad": (2, 0, 0, 0)}), "not smaller than its window"),
    ("average", result(attrs={"pad": (0, 0, 0, 2)}), "not smaller than its window"),
    ("average", result(attrs={"count_pad": (2,)}), "has count_pad"),
    ("pad", result(type=OUT), "changes the type"),
    ("up", result(type=OUT), "changes the type"),
    ("reshape", result(type=OUT), "changes the type"),
    ("permute", result(type=OUT), "changes the type"),
    ("leaky", result(params={"slope": zeros(2)}), "one slope"),
    ("table", result(params={"table": zeros(128)}), "has table"),
    ("scale", result(params={"scale": zeros(3)}), "has scale and bias"),
    ("argmax", result(type=Fixed(8, 0)), "does not hold 1"),
    ("argmax", result(type=Fixed(8, 9)), "does not hold 1"),
    ("softmax", result(attrs={"form": (2,)}), "has form"),
    ("softmax", result(attrs={"form": (1,)}, types={"norm": Fixed(9, 5)}), "reads its table at the input"),
    ("softmax", result(params={"exp": zeros(100)}), "no power of two"),
    ("softmax", result(params={"inv": zeros(1024)}), "no power of two within the 9 bits"),
    ("conv", result(types={"weight": Fixed(50, 40)}), "more than 62 bits for its exact sum"),
    ("scale", result(types={"scale": Fixed(56, 4)}), "more than 62 bits for its exact result"),
    ("scale", result(types={"bias": Fixed(54, 64)}), "more than 62 bits for its exact result"),
    ("leaky", result(types={"slope": Fixed(55, 4)}), "more than 62 bits for the exact product"),
    ("softmax", result(types={"accum": Fixed(54, 30)}), "more than 62 bits for its exact product"),
]


@pytest.mark.parametrize(("name", "change", "fault"), CASES, ids=[f"{case[0]}-{case[2]}" for case in CASES])
def test_a_broken_rule_is_named(name: str, change: Change, fault: str) -> None:
    graph = BASES[name]()
    with pytest.raises(InvalidGraph, match=fault) as caught:
        verify(replace(graph, nodes=(*graph.nodes[:-1], change(graph.nodes[-1]))))
    assert "'y'" in caught.value.message


@pytest.mark.parametrize(
    ("op", "kind"), [(Op.ADD, "fixed<8,60>"), (Op.SUBTRACT, "fixed<62,8>"), (Op.MULTIPLY, "fixed<55,1>")]
)
def test_a_merge_beyond_64_bits_is_refused(op: Op, kind: str) -> None:
    graph = base(op, IMAGE, inputs=2)
    wide = replace(graph.nodes[0], type=Fixed.parse(kind))
    with pytest.raises(InvalidGraph, match="'y' needs more than 62 bits") as caught:
        verify(replace(graph, nodes=(wide, *graph.nodes[1:])))
    assert "narrower" in caught.value.hint


@pytest.mark.parametrize(
    ("source", "window", "shape"),
    [((6, 5, 2), (6, 5), (2,)), ((6, 5, 2), (6, 5), (1, 1, 2)), ((5, 2), (1, 5), (2,)), ((5, 2), (1, 5), (1, 2))],
)
def test_a_global_pooling_may_keep_its_axes(
    source: tuple[int, ...], window: tuple[int, int], shape: tuple[int, ...]
) -> None:
    base(Op.MAX_POOL, shape, source, attrs={"window": window, **SLIDE})


def test_a_windowed_image_needs_rows_or_columns() -> None:
    with pytest.raises(InvalidGraph, match="is no image"):
        base(Op.MAX_POOL, (2,), (2,), attrs={"window": (1, 1), **SLIDE})


@pytest.mark.parametrize(
    ("outputs", "fault"), [((), "not all nodes"), (("z",), "not all nodes"), (("y", "y"), "name a node twice")]
)
def test_outputs_are_nodes_each_once(outputs: tuple[str, ...], fault: str) -> None:
    with pytest.raises(InvalidGraph, match=fault):
        verify(replace(BASES["add"](), outputs=outputs))


def test_a_graph_has_an_input() -> None:
    with pytest.raises(InvalidGraph, match="has no input"):
        verify(Graph("g", (), ("y",)))


def test_every_operation_has_a_base_here() -> None:
    covered = {BASES[name]().nodes[-1].op for name in BASES}
    plain = {Op.INPUT, Op.QUANTIZE, Op.RELU, Op.SUBTRACT, Op.AVERAGE, Op.MAXIMUM, Op.MINIMUM}
    assert covered | plain == set(Op)


@pytest.mark.parametrize(
    ("kind", "holds"),
    [
        ("fixed<2,2>", True),
        ("ufixed<1,1>", True),
        ("ufixed<2,1>", True),
        ("fixed<3,2>", True),
        ("fixed<1,1>", False),
        ("fixed<2,1>", False),
        ("ufixed<2,0>", False),
        ("fixed<4,5>", False),
    ],
)
def test_the_largest_is_marked_by_a_one_that_its_type_holds(kind: str, holds: bool) -> None:
    x = Node("x", Op.INPUT, (), (3,), Fixed(4, 4))
    graph = Graph("g", (x, Node("y", Op.ARGMAX, ("x",), (3,), Fixed.parse(kind))), ("y",))
    if holds:
        assert verify(graph) is graph
        return
    with pytest.raises(InvalidGraph, match="does not hold 1"):
        verify(graph)


@pytest.mark.parametrize(
    ("axis", "shapes", "wanted"),
    [
        (0, ((2, 3), (4, 3)), [(6, 3)]),
        (1, ((2, 3), (2, 1)), [(2, 4)]),
        (1, ((2, 3), (4, 3)), []),
        (-1, ((2, 3), (2, 3)), []),
        (2, ((2, 3), (2, 3)), []),
        (0, ((5,), (2,), (1,)), [(8,)]),
    ],
)
def test_values_are_joined_along_an_axis_that_there_is(
    axis: int, shapes: tuple[tuple[int, ...], ...], wanted: list[tuple[int, ...]]
) -> None:
    sources = [Node(f"x{i}", Op.INPUT, (), shape, Fixed(4, 4)) for i, shape in enumerate(shapes)]
    names = tuple(source.name for source in sources)
    node = Node("y", Op.CONCAT, names, (1,), Fixed(4, 4), attrs={"axis": (axis,)})
    assert result_shapes(node, sources) == wanted
