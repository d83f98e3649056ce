"""Each rule of the verifier refuses by the name of the node and of the rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hlsflow.ir import Fixed, Graph, Node, Op, verify
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
    "line max": lambda: base(
        Op.MAX_POOL, (3, 2), (7, 2), attrs={"window": (1, 3), "stride": (1, 2), "pad": (0, 0, 0, 0)}
    ),
    "average": lambda: base(Op.AVG_POOL, (5, 4, 2), types={"accum": Fixed(12, 8)}, attrs=WINDOW | {"count_pad": (0,)}),
    "pad": lambda: base(Op.ZERO_PAD, (7, 5, 2), kind=X, attrs={"pad": (1, 0, 0, 0)}),
    "up": lambda: base(Op.UPSAMPLE, (12, 5, 2), kind=X, attrs={"factor": (2, 1)}),
    "line up": lambda: base(Op.UPSAMPLE, (12, 2), (6, 2), kind=X, attrs={"factor": (1, 2)}),
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
    ("conv", result(params={"weight": zeros(3, 3, 4)}), "has weight"),
    ("dense", result(params={"weight": zeros(4, 3, 3)}), "has weight"),
    ("dense", result(params={"weight": zeros(4, 0), "bias": zeros(0)}), "has weight"),
    ("depthwise", result(params={"weight": zeros(3, 3, 1, 2)}), "has weight"),
    ("depthwise", result(params={"weight": zeros(3, 3, 2, 1)}), "has weight"),
    ("dense", result(params={"weight": np.zeros((4, 3))}), "parameter 'weight' of 'y' is not within"),
    ("table", result(params={"table": np.full(256, 4096)}), "parameter 'table' of 'y' is not within"),
    ("average", result(types={"accum": Fixed.parse("fixed<12,8,TRN,SAT>")}), "only WRAP"),
    ("depthwise", result(types={"accum": Fixed.parse("fixed<12,8,TRN,SAT_SYM>")}), "only WRAP"),
    ("line", result(attrs={"pad": (1, 0, 0, 0)}), "has pad across the rows"),
    ("line", result(attrs={"pad": (0, 1, 0, 0)}), "has pad across the rows"),
    ("line", result(attrs={"stride": (2, 1)}), "has stride across the rows"),
    ("line max", result(attrs={"window": (2, 1)}), "has window across the rows"),
    ("line up", result(attrs={"factor": (2, 1)}), "has factor across the rows"),
    ("line", result(params={"weight": zeros(2, 3, 2, 4)}), "has weight rows across the rows"),
    ("max", result(attrs={"pad": (2, 0, 0, 0)}), "not smaller than its window"),
    ("max", result(attrs={"pad": (0, 2, 0, 0)}), "not smaller than its window"),
    ("max", result(attrs={"pad": (0, 0, 2, 0)}), "not smaller than its window"),
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
    assert bool(caught.value.hint) == ("more than 62 bits" in fault)


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
    ("outputs", "fault"), [((), "not all nodes"), (("y", "z"), "not all nodes"), (("y", "y"), "name a node twice")]
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


ALLOWED: list[tuple[str, Change]] = [
    ("dense", result(shape=(1,), params={"weight": zeros(4, 1), "bias": zeros(1)})),
    ("line", result(shape=(6, 4), attrs={"pad": (0, 0, 1, 1)})),
    ("max", result(shape=(6, 4, 2), attrs={"pad": (1, 0, 0, 0)})),
    ("max", result(shape=(5, 5, 2), attrs={"window": (2, 3), "pad": (0, 0, 2, 0)})),
    ("max", result(shape=(6, 4, 2), attrs={"window": (3, 2), "pad": (0, 2, 0, 0)})),
    ("average", result(attrs={"count_pad": (1,)})),
    ("softmax", result(attrs={"form": (1,)})),
    ("softmax", result(types={"norm": Fixed(9, 5)})),
    ("softmax", result(params={"exp": zeros(1)})),
]


@pytest.mark.parametrize(("name", "change"), ALLOWED)
def test_what_lies_within_the_rules_is_accepted(name: str, change: Change) -> None:
    graph = BASES[name]()
    verify(replace(graph, nodes=(*graph.nodes[:-1], change(graph.nodes[-1]))))


def test_an_input_reads_nothing() -> None:
    graph = BASES["add"]()
    fed = replace(graph.nodes[1], inputs=("x0",))
    with pytest.raises(InvalidGraph, match="'x1' has 1 inputs"):
        verify(replace(graph, nodes=(graph.nodes[0], fed, graph.nodes[2])))


@pytest.mark.parametrize(
    ("name", "key", "most", "more"),
    [
        ("dense", "weight", Fixed(51, 1), Fixed(52, 1)),  # 8 bits by 51, 4 terms: 62
        ("scale", "scale", Fixed(54, 54), Fixed(55, 55)),  # 2**7 * 2**53 + 2**7, and a sign
        ("scale", "bias", Fixed(57, 53), Fixed(58, 54)),  # 2**14 + (2**56 << 4)
        ("scale", "bias", Fixed(8, -46), Fixed(8, -47)),  # (2**14 << 46) + 2**7
        ("leaky", "slope", Fixed(54, 50), Fixed(55, 51)),
        ("leaky", "slope", Fixed(54, 54), Fixed(55, 55)),
        ("leaky", "slope", Fixed(49, 54), Fixed(50, 55)),  # a grid of 2**5
        ("leaky", "slope", Fixed(4, -49), Fixed(4, -50)),  # what is not negative on the slope's grid of 2**-53
        ("add", "x0", Fixed(61, 57), Fixed(62, 58)),
        ("add", "x0", Fixed(8, -49), Fixed(8, -50)),  # the other input on a grid of 2**-57
        ("add", "x0", Fixed(8, 57), Fixed(8, 58)),  # 2**7 << 53
        ("multiply", "x0", Fixed(54, 8), Fixed(55, 8)),
        ("softmax", "accum", Fixed(53, 30), Fixed(54, 30)),
        ("softmax", "x0", Fixed(61, 8), Fixed(62, 8)),
    ],
)
def test_62_bits_are_the_most_that_an_exact_result_may_need(name: str, key: str, most: Fixed, more: Fixed) -> None:
    first, *others, node = BASES[name]().nodes

    def changed(kind: Fixed) -> Graph:
        if key == "x0":
            return Graph("g", (replace(first, type=kind), *others, node), ("y",))
        return Graph("g", (first, *others, replace(node, types=node.types | {key: kind})), ("y",))

    verify(changed(most))
    with pytest.raises(InvalidGraph, match="more than 62 bits"):
        verify(changed(more))


def test_a_slope_of_one_bit_needs_no_more_than_a_sign() -> None:
    first, node = BASES["leaky"]().nodes
    slope = replace(node, types={"slope": Fixed(1, 1)})
    verify(Graph("g", (replace(first, type=Fixed(61, 8)), slope), ("y",)))
