"""The oracle against the plain definition of each operation, in Python integers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hlsflow.ir import Fixed, Graph, Node, Op, Overflow, Rounding, evaluate, trace, verify
from hlsflow.ir.evaluate import CHUNK_VALUES, LANE, _chunks, _dead, chunk_rows, pool_first
from hlsflow.ir.fixed import MAX_WIDTH, Array
from hlsflow.ir.verify import InvalidGraph
from tests.ir import exact


def fixed(width: int | st.SearchStrategy[int], integer: st.SearchStrategy[int]) -> st.SearchStrategy[Fixed]:
    widths = st.just(width) if isinstance(width, int) else width
    return st.builds(Fixed, widths, integer, st.booleans(), st.sampled_from(Rounding), st.sampled_from(Overflow))


NARROW, WIDE = st.integers(-3, 14), st.integers(-70, 70)
types = st.one_of(fixed(st.integers(1, 16), NARROW), fixed(st.integers(1, MAX_WIDTH), WIDE))
"""Types as networks have them, and everything that the verifier may let through."""


@st.composite
def accums(draw: st.DrawFn) -> Fixed:
    width, integer = draw(
        st.sampled_from([(st.integers(2, 40), st.integers(0, 24)), (st.integers(1, MAX_WIDTH), WIDE)])
    )
    return Fixed(draw(width), draw(integer), draw(st.booleans()), draw(st.sampled_from(Rounding)))


@st.composite
def factors(draw: st.DrawFn, n_in: int) -> tuple[Fixed, Fixed]:
    """Types of input and weight: narrow ones, or together as wide as the verifier allows."""
    if draw(st.booleans()):
        return draw(fixed(st.integers(1, 16), NARROW)), draw(fixed(st.integers(1, 16), NARROW))
    both = MAX_WIDTH - n_in.bit_length()
    width = draw(st.integers(1, both - 1))
    return draw(fixed(width, WIDE)), draw(fixed(st.integers(1, both - width), WIDE))


def codes(rng: np.random.Generator, kind: Fixed, *shape: int) -> Array:
    """Random values, a third of them at the ends or at 0."""
    values = rng.integers(kind.min, kind.max + 1, shape)
    ends = rng.choice(np.array([kind.min, kind.max, 0]), shape)
    return np.where(rng.random(shape) < 0.33, ends, values)


def plain_dense(node: Node, x: Array, source: Fixed) -> list[list[int]]:
    """One multiplication and one addition after the other, as the C++ loops do, in unlimited integers."""
    accum, weight = node.types["accum"], node.params["weight"].tolist()
    frac = source.frac + node.types["weight"].frac
    bias = [exact.cast(code, node.types["bias"].frac, accum) for code in node.params["bias"].tolist()]

    def output(row: list[int], column: int) -> int:
        total = bias[column]
        for value, weights in zip(row, weight, strict=True):
            total = exact.limited(total + exact.cast(value * weights[column], frac, accum), accum)
        return exact.cast(total, accum.frac, node.type)

    return [[output(row, column) for column in range(len(bias))] for row in x.tolist()]


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_dense_equals_the_plain_loops(data: st.DataObject) -> None:
    n_in, n_out, seed = data.draw(st.integers(1, 9)), data.draw(st.integers(1, 3)), data.draw(st.integers(0, 999))
    source, weight = data.draw(factors(n_in))
    kinds = {"weight": weight, "bias": data.draw(types), "accum": data.draw(accums())}
    rng = np.random.default_rng(seed)
    params = {"weight": codes(rng, weight, n_in, n_out), "bias": codes(rng, kinds["bias"], n_out)}
    node = Node("fc", Op.DENSE, ("x",), (n_out,), data.draw(types), kinds, params)
    graph = verify(Graph("g", (Node("x", Op.INPUT, (), (n_in,), source), node), ("fc",)))
    x = codes(rng, source, 4, n_in)
    assert evaluate(graph, x).tolist() == plain_dense(node, x, source)


def dense(kinds: tuple[Fixed, Fixed, Fixed, Fixed], result: Fixed, weight: list[int], bias: int) -> Graph:
    """One output; `kinds` of input, weight, bias and accumulator."""
    source, *rest = kinds
    params = {"weight": np.array(weight)[:, None], "bias": np.array([bias])}
    node = Node("fc", Op.DENSE, ("x",), (1,), result, dict(zip(("weight", "bias", "accum"), rest, strict=True)), params)
    return verify(Graph("g", (Node("x", Op.INPUT, (), (len(weight),), source), node), ("fc",)))


def test_products_that_lie_beyond_a_fine_accumulator() -> None:
    """On the accumulator's grid the weights take more than 64 bits; what remains of the sum is the bias, 2**-60."""
    kinds = Fixed(10, 10), Fixed(10, 10), Fixed(4, -56), Fixed(62, 2)
    assert evaluate(dense(kinds, Fixed(40, 30), [300, 200], 1), np.array([[1, 0]])).tolist() == [[0]]
    assert evaluate(dense(kinds, Fixed(4, -56), [300, 200], 1), np.array([[1, 0]])).tolist() == [[1]]


def test_an_accumulator_far_finer_than_the_products() -> None:
    kinds = Fixed(8, 40), Fixed(8, 40), Fixed(8, -10), Fixed(40, -10)
    assert evaluate(dense(kinds, Fixed(8, -10), [100], 5), np.array([[100], [0]])).tolist() == [[5], [5]]
    assert evaluate(dense(kinds, Fixed(8, -10), [100], 0), np.array([[100], [0]])).tolist() == [[0], [0]]


@settings(max_examples=300, deadline=None)
@given(types, types, st.sampled_from((Op.RELU, Op.QUANTIZE)), st.integers(0, 999))
def test_activations_equal_one_cast(source: Fixed, kind: Fixed, op: Op, seed: int) -> None:
    graph = verify(Graph("g", (Node("x", Op.INPUT, (), (20,), source), Node("a", op, ("x",), (20,), kind)), ("a",)))
    x = codes(np.random.default_rng(seed), source, 2, 20)
    floor = 0 if op is Op.RELU else source.min
    want = [[exact.cast(max(code, floor), source.frac, kind) for code in row] for row in x.tolist()]
    assert evaluate(graph, x).tolist() == want


@pytest.mark.parametrize("mode", Rounding)
@pytest.mark.parametrize("frac", [24, 53, 64, 200, 1100])
def test_values_far_below_the_result_round_as_the_mode_says(mode: Rounding, frac: int) -> None:
    source, kind = Fixed(4, 4 - frac), Fixed(4, 4, True, mode, Overflow.SAT)
    graph = Graph("g", (Node("x", Op.INPUT, (), (3,), source), Node("a", Op.QUANTIZE, ("x",), (3,), kind)), ("a",))
    assert evaluate(verify(graph), np.array([[-1, 0, 1]])).tolist() == [[-1 if mode is Rounding.TRN else 0, 0, 0]]


def pooled(act: str, pool: str, op: Op) -> Graph:
    """An activation, and the largest of four of its values."""
    window = {"window": (2, 2), "stride": (2, 2), "pad": (0, 0, 0, 0)}
    nodes = (
        Node("x", Op.INPUT, (), (2, 2, 1), Fixed(8, 8)),
        Node("a", op, ("x",), (2, 2, 1), Fixed.parse(act)),
        Node("p", Op.MAX_POOL, ("a",), (1, 1, 1), Fixed.parse(pool), attrs=window),
    )
    return verify(Graph("g", nodes, ("p",)))


@pytest.mark.parametrize(
    ("act", "pool", "moves"),
    [
        ("fixed<4,4,RND_CONV,SAT>", "fixed<4,4,RND_CONV,SAT_SYM>", False),
        ("fixed<4,4,TRN,SAT>", "fixed<4,4,TRN,SAT_SYM>", False),
        ("fixed<4,4,RND,SAT_SYM>", "fixed<4,4,TRN,SAT>", True),
        ("fixed<4,4,RND,SAT_SYM>", "fixed<4,4,TRN,SAT_SYM>", True),
        ("fixed<4,4,RND,SAT>", "fixed<4,4>", True),
        ("fixed<4,4,RND,SAT>", "fixed<3,3>", False),
        ("fixed<4,4,RND,SAT>", "fixed<5,5>", False),
        ("fixed<4,4,RND,SAT>", "fixed<4,3>", False),
        ("fixed<4,4,RND,SAT>", "fixed<4,5>", False),
        ("fixed<4,4,RND,SAT>", "ufixed<4,4>", False),
        ("ufixed<4,4,RND,SAT>", "fixed<4,4>", False),
        ("fixed<4,4>", "fixed<4,4>", False),
        ("fixed<4,4,TRN,SAT_ZERO>", "fixed<4,4,TRN,SAT_ZERO>", False),
    ],
)
@pytest.mark.parametrize("op", [Op.QUANTIZE, Op.RELU])
def test_pooling_goes_first_where_its_type_has_every_code_of_the_activation(
    act: str, pool: str, moves: bool, op: Op
) -> None:
    graph = pooled(act, pool, op)
    assert (pool_first(graph)["p"].op is op) == moves
    x = np.arange(-128, 128)
    x = np.stack([x, x // 2, np.maximum(x - 5, -128), x], axis=1)
    assert evaluate(graph, x).tolist() == exact.results(graph, x).tolist()


def leaky(source: Fixed, slope: Fixed, code: int, result: Fixed, n: int) -> Graph:
    node = Node("a", Op.LEAKY_RELU, ("x",), (n,), result, {"slope": slope}, {"slope": np.array(code)})
    return verify(Graph("g", (Node("x", Op.INPUT, (), (n,), source), node), ("a",)))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_every_leaky_relu_that_the_verifier_accepts_is_exact(data: st.DataObject) -> None:
    width = data.draw(st.integers(1, MAX_WIDTH - 1))
    bits = data.draw(st.integers(1, MAX_WIDTH - width))
    frac = data.draw(st.integers(width + bits - MAX_WIDTH, MAX_WIDTH - 1 - width))
    source, slope, result = (
        data.draw(fixed(width, WIDE)),
        data.draw(fixed(bits, st.just(bits - frac))),
        data.draw(types),
    )
    rng = np.random.default_rng(data.draw(st.integers(0, 999)))
    x, code = codes(rng, source, 2, 8), int(codes(rng, slope))
    graph = leaky(source, slope, code, result, 8)

    def plain(value: int) -> int:
        return (
            exact.cast(value, source.frac, result)
            if value >= 0
            else exact.cast(value * code, source.frac + frac, result)
        )

    assert evaluate(graph, x).tolist() == [[plain(value) for value in row] for row in x.tolist()]


@pytest.mark.parametrize(
    ("source", "slope"),
    [("ufixed<54,38>", "fixed<2,-17>"), ("fixed<50,50>", "fixed<13,1>"), ("fixed<50,50>", "fixed<2,13>")],
)
def test_a_leaky_relu_beyond_64_bits_is_refused(source: str, slope: str) -> None:
    with pytest.raises(InvalidGraph, match=r"'a' needs more than 62 bits for the exact product"):
        leaky(Fixed.parse(source), Fixed.parse(slope), 1, Fixed.parse("ufixed<50,51,RND_CONV,SAT>"), 1)


@pytest.mark.parametrize(("slope", "kind"), [(1, "ufixed<1,-1>"), (3, "fixed<4,2>"), (-2, "fixed<3,4>")])
def test_leaky_relu_multiplies_negatives_alone(slope: int, kind: str) -> None:
    source, slope_type, out = Fixed(8, 4), Fixed.parse(kind), Fixed.parse("fixed<6,3,RND_CONV,SAT>")
    node = Node("a", Op.LEAKY_RELU, ("x",), (256,), out, {"slope": slope_type}, {"slope": np.array(slope)})
    graph = verify(Graph("g", (Node("x", Op.INPUT, (), (256,), source), node), ("a",)))
    x = np.arange(-128, 128)[None]
    real = source.real(x)
    want = out.quantize(np.where(real < 0, real * float(slope_type.real(np.array(slope))), real))
    assert evaluate(graph, x).tolist() == want.tolist()


def test_large_batches_keep_their_order_and_trace_agrees() -> None:
    kinds = {"weight": Fixed(6, 1), "bias": Fixed(6, 1), "accum": Fixed(18, 8)}
    rng = np.random.default_rng(3)
    params = {"weight": rng.integers(-32, 32, (16, 8)), "bias": rng.integers(-32, 32, 8)}
    nodes = (
        Node("x", Op.INPUT, (), (16,), Fixed(8, 3)),
        Node("fc", Op.DENSE, ("x",), (8,), kinds["accum"], kinds, params),
        Node("act", Op.RELU, ("fc",), (8,), Fixed.parse("ufixed<6,2,RND_CONV,SAT>")),
    )
    graph = verify(Graph("g", nodes, ("act",)))
    x = rng.integers(-128, 128, (100_000, 16))
    values = trace(graph, x)
    assert list(values) == ["x", "fc", "act"]
    assert np.array_equal(values["fc"], x @ params["weight"] + (params["bias"] << 5))
    assert np.array_equal(evaluate(graph, x), values["act"])


@pytest.mark.parametrize("x", [np.zeros((2, 3), int), np.full((2, 4), 16), np.zeros((2, 2, 2), int), np.zeros(4, int)])
def test_wrong_input_is_refused(x: Array) -> None:
    nodes = (Node("x", Op.INPUT, (), (4,), Fixed(5, 5)), Node("a", Op.RELU, ("x",), (4,), Fixed(5, 5)))
    with pytest.raises(ValueError, match="input 'x'"):
        evaluate(verify(Graph("g", nodes, ("a",))), x)


def test_codes_are_integers() -> None:
    nodes = (Node("x", Op.INPUT, (), (4,), Fixed(5, 5)), Node("a", Op.RELU, ("x",), (4,), Fixed(5, 5)))
    graph = verify(Graph("g", nodes, ("a",)))
    with pytest.raises(ValueError, match="wants integers"):
        evaluate(graph, np.zeros((2, 4)))
    assert evaluate(graph, np.zeros((0, 4), np.int8)).shape == (0, 4)


def test_the_jet_network_gives_the_known_logits(shared: Path) -> None:
    """1,000 vectors through 16-64-32-32-5 with 6-bit weights, exact logits stored with them."""
    data = np.load(shared / "data" / "jet_shape_6bit.npz")
    nodes = [Node("x", Op.INPUT, (), (16,), Fixed(10, 4))]
    for name, accum in zip(("fc1", "fc2", "fc3", "out"), (21, 19, 18, 18), strict=True):
        kinds = {"weight": Fixed(6, 1), "bias": Fixed(6, 1), "accum": Fixed(accum, accum - 11)}
        params = {key: kinds[key].quantize(data[f"{name}_{key[0]}"]) for key in ("weight", "bias")}
        size = params["bias"].shape
        nodes.append(Node(name, Op.DENSE, (nodes[-1].name,), size, kinds["accum"], kinds, params))
        if name != "out":
            nodes.append(Node(f"{name}_relu", Op.RELU, (name,), size, Fixed.parse("ufixed<6,0,RND_CONV,SAT>")))
    graph = verify(Graph("jet", tuple(nodes), ("out",)))
    logits = evaluate(graph, nodes[0].type.quantize(data["inputs"]))
    assert np.array_equal(graph["out"].type.real(logits), data["logits"])


def relus(*links: tuple[str, str], size: int = 4, outputs: tuple[str, ...]) -> Graph:
    """An input x, and a RELU for each pair of its own name and that of what it reads."""
    kind = Fixed(5, 5)
    nodes = [Node(name, Op.RELU, (source,), (size,), kind) for name, source in links]
    return verify(Graph("g", (Node("x", Op.INPUT, (), (size,), kind), *nodes), outputs))


@pytest.mark.parametrize(
    ("total", "limit", "threads", "starts"),
    [
        (100, 64, 2, [0, 64]),  # 50 each, in whole lanes of 16
        (96, 64, 2, [0, 48]),
        (500, 64, 2, [0, 64, 128, 192, 256, 320, 384, 448]),
        (300, 128, 1, [0, 112, 224]),
        (15, 64, 4, [0]),
        (0, 64, 4, []),
    ],
)
def test_chunks_are_even_and_in_whole_lanes(total: int, limit: int, threads: int, starts: list[int]) -> None:
    chunks = list(_chunks(total, limit, threads))
    assert [chunk.start for chunk in chunks] == starts
    assert [row for chunk in chunks for row in range(total)[chunk]] == list(range(total))


@pytest.mark.parametrize(
    ("largest", "lanes"), [(CHUNK_VALUES // LANE // 3, 3), (CHUNK_VALUES // LANE // 3 + 1, 2), (CHUNK_VALUES, 1)]
)
def test_rows_at_once_are_those_that_the_largest_value_allows(largest: int, lanes: int) -> None:
    nodes = (Node("x", Op.INPUT, (), (2,), Fixed(5, 5)), Node("w", Op.INPUT, (), (largest,), Fixed(5, 5)))
    assert chunk_rows(Graph("g", nodes, ("x",))) == lanes * LANE


def test_a_value_is_dropped_after_its_last_reader() -> None:
    graph = relus(("a", "x"), ("b", "a"), ("c", "a"), ("unread", "b"), outputs=("c",))
    assert _dead(graph) == {"x": [], "a": ["x"], "b": [], "c": ["a"], "unread": ["b", "unread"]}


def test_pooling_stays_behind_what_may_turn_the_order_round() -> None:
    """-x of 8 bits: the largest result comes of the least input."""
    window = {"window": (1, 2), "stride": (1, 2), "pad": (0, 0, 0, 0)}
    kind = Fixed.parse("fixed<8,8,TRN,SAT>")
    nodes = (
        Node("x", Op.INPUT, (), (2, 1), Fixed(8, 8)),
        Node("a", Op.LEAKY_RELU, ("x",), (2, 1), kind, {"slope": Fixed(2, 2)}, {"slope": np.array(-1)}),
        Node("p", Op.MAX_POOL, ("a",), (1, 1), kind, attrs=window),
    )
    assert evaluate(verify(Graph("g", nodes, ("p",))), np.array([[-5, 3]])).tolist() == [[5]]


def test_pooling_stays_behind_an_activation_that_another_node_reads() -> None:
    graph = pooled("fixed<4,4,RND,SAT>", "fixed<4,4>", Op.RELU)
    other = Node("other", Op.RELU, ("a",), (2, 2, 1), Fixed(4, 4))
    shared_activation = verify(Graph("g", (*graph.nodes, other), ("p", "other")))
    assert pool_first(shared_activation).nodes == shared_activation.nodes
    assert evaluate(shared_activation, np.array([[1, 9, -3, 2]])).tolist() == [[7, 1, 7, 0, 2]]


def test_every_input_keeps_to_its_own_range() -> None:
    nodes = tuple(Node(name, Op.INPUT, (), (2,), Fixed(width, width)) for name, width in (("x", 3), ("y", 5)))
    graph = verify(Graph("g", (*nodes, Node("z", Op.ADD, ("x", "y"), (2,), Fixed(6, 6))), ("z",)))
    assert evaluate(graph, np.array([[-4, 3, 15, -16]])).tolist() == [[11, -13]]
    for bad in ([4, 0, 0, 0], [0, 0, 0, -17]):
        with pytest.raises(ValueError, match="has values outside"):
            evaluate(graph, np.array([bad]))
