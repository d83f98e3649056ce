"""Widths of weights against accuracy: every combination as if it were evaluated on its own."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from hlsflow.core.errors import DataError, ProjectError
from hlsflow.core.tasks import Kind, Task
from hlsflow.explore.precision import Against, Scores, candidates, requantized, score
from hlsflow.ir import Fixed, Graph, Node, Op, evaluate, verify
from hlsflow.ir.evaluate import chunk_rows
from tests.ir import random_graphs
from tests.rtl.networks import chain, dense, relu

predicted = Task().predicted


def jet(*sizes: int) -> Graph:
    """Dense layers with activations between them, as networks for jets have them."""
    layers = [
        [dense(size, "fixed<16,8>", "fixed<24,12>", "fixed<8,1>"), relu("ufixed<8,4,RND_CONV,SAT>")] for size in sizes
    ]
    return chain(8, "fixed<8,4>", *itertools.chain(*layers[:-1]), layers[-1][0])


def image() -> Graph:
    """Two convolutions, one depthwise, a residual branch and a dense layer behind a max pooling."""
    random = np.random.default_rng(4)
    act, accum = Fixed.parse("ufixed<6,3,RND_CONV,SAT>"), Fixed.parse("fixed<20,9>")
    kinds = {"weight": Fixed.parse("fixed<7,2>"), "bias": Fixed.parse("fixed<6,2>"), "accum": accum}

    def layer(
        name: str, op: Op, source: str, shape: tuple[int, ...], weight: tuple[int, ...], **attrs: tuple[int, ...]
    ) -> Node:
        params = {"weight": random.integers(-64, 64, weight), "bias": random.integers(-32, 32, weight[-1:])}
        return Node(name, op, (source,), shape, Fixed.parse("fixed<14,7>"), kinds, params, attrs)

    same = {"stride": (1, 1), "pad": (1, 1, 1, 1)}
    pool = {"window": (2, 2), "stride": (2, 2), "pad": (0, 0, 0, 0)}
    nodes = (
        Node("x", Op.INPUT, (), (4, 4, 2), Fixed.parse("fixed<6,3>")),
        layer("first", Op.CONV, "x", (4, 4, 3), (3, 3, 2, 3), **same),
        Node("act", Op.RELU, ("first",), (4, 4, 3), act),
        layer("deep", Op.DEPTHWISE, "act", (4, 4, 3), (3, 3, 3), **same),
        Node("sum", Op.ADD, ("deep", "act"), (4, 4, 3), act),
        Node("pool", Op.MAX_POOL, ("sum",), (2, 2, 3), act, attrs=pool),
        Node("flat", Op.RESHAPE, ("pool",), (12,), act),
        layer("last", Op.DENSE, "flat", (4,), (12, 4)),
    )
    return verify(Graph("image", nodes, ("last",)))


def samples(graph: Graph, rows: int) -> np.ndarray:
    return random_graphs.batch(np.random.default_rng(7), graph, rows)


def one_by_one(
    graph: Graph, choices: dict[str, tuple[int, ...]], x: np.ndarray, y: np.ndarray
) -> dict[tuple[int, ...], int]:
    """Combination of widths → right samples, by the whole network each time."""
    found = {}
    for bits in itertools.product(*choices.values()):
        outputs = evaluate(requantized(graph, dict(zip(choices, bits, strict=True))), x)
        found[bits] = int((predicted(outputs[:, : graph.results[0].size]) == y).sum())
    return found


def table(scores: Scores) -> dict[tuple[int, ...], int]:
    return dict(zip(map(tuple, scores.bits.tolist()), scores.right.tolist(), strict=True))


@pytest.mark.parametrize("graph", [jet(9, 7, 6, 5), image()], ids=["jet", "image"])
@pytest.mark.parametrize("labelled", [True, False])
def test_all_combinations_equal_one_by_one(graph: Graph, labelled: bool) -> None:
    x, choices = samples(graph, 203), candidates(graph, (6, 4, 3))
    y = np.random.default_rng(0).integers(0, graph.results[0].size, len(x)) if labelled else None
    scores = score(graph, choices, x, y)
    assert scores.against is (Against.LABELS if labelled else Against.NETWORK)
    truth = y if labelled else predicted(evaluate(graph, x))
    assert table(scores) == one_by_one(graph, choices, x, truth)
    assert scores.measured.all()
    assert scores.full == (1.0 if not labelled else np.mean(predicted(evaluate(graph, x)) == y))


def test_one_output_is_cut_where_the_task_says() -> None:
    """1/2 is 16 steps of a grid of 1/32, as behind a sigmoid."""
    graph = chain(4, "fixed<6,2>", dense(1, "fixed<12,7>", "fixed<14,7>", "fixed<6,2>"))
    x, half, choices = samples(graph, 150), Task(Kind.BINARY, cut=0.5), candidates(graph, (4,))
    y = (evaluate(graph, x)[:, 0] > 16).astype(np.int64)
    assert 10 < y.sum() < 140
    assert score(graph, choices, x, y, task=half).full == 1.0
    assert score(graph, choices, x, task=half).right.tolist() == score(graph, choices, x, y, task=half).right.tolist()
    assert score(graph, choices, x, y).full < 1.0


@pytest.mark.parametrize("labelled", [True, False])
def test_a_regression_is_scored_by_the_variance_that_it_explains(labelled: bool) -> None:
    graph, task = jet(9, 2), Task(Kind.REGRESSION)
    x, choices = samples(graph, 2 * chunk_rows(graph) + 5), candidates(graph, (5, 3))
    own = graph.results[0].type.real(evaluate(graph, x))
    y = own + np.random.default_rng(1).normal(0, own.std() / 3, own.shape) if labelled else own
    found = score(graph, choices, x, y if labelled else None, task=task)
    assert found.against is (Against.TARGETS if labelled else Against.OUTPUTS)
    for bits, share in zip(found.bits, found.accuracy, strict=True):
        narrow = requantized(graph, dict(zip(choices, bits.tolist(), strict=True)))
        error = narrow.results[0].type.real(evaluate(narrow, x)) - y
        assert share == pytest.approx(1 - (error**2).sum() / ((y - y.mean(0)) ** 2).sum())
    assert (found.full == 1.0) is not labelled
    assert np.isnan(found.standard_error).all()
    assert found.metric == "r2"


def test_targets_that_are_all_equal_tell_nothing() -> None:
    graph = jet(4, 1)
    with pytest.raises(DataError, match="all targets are equal"):
        score(graph, candidates(graph, (4,)), samples(graph, 9), np.ones((9, 1)), task=Task(Kind.REGRESSION))


@pytest.mark.parametrize("seed", range(12))
def test_random_graphs_equal_one_by_one(seed: int) -> None:
    random = np.random.default_rng(seed)
    graph = random_graphs.of_many(random, 14)
    choices = candidates(graph, (2, 4))
    x = random_graphs.batch(random, graph, 40)
    scores = score(graph, choices, x)
    y = predicted(evaluate(graph, x)[:, : graph.results[0].size])
    assert table(scores) == one_by_one(graph, choices, x, y)


def test_many_samples_count_once_each() -> None:
    graph = image()
    x = samples(graph, 2 * chunk_rows(graph) + 5)
    choices = {**{name: widths[:1] for name, widths in candidates(graph, (4,)).items()}, "last": (7, 4)}
    assert table(score(graph, choices, x)) == one_by_one(graph, choices, x, predicted(evaluate(graph, x)))


def test_weights_are_rounded_half_to_even_and_clipped() -> None:
    kind = Fixed.parse("fixed<6,2>")
    graph = chain(8, "fixed<4,2>", dense(1, "fixed<20,8>", "fixed<20,8>", str(kind)))
    layer = graph["l1"]
    codes = np.array([[-32], [-31], [-6], [-2], [2], [6], [10], [31]])
    graph = replace(graph, nodes=(graph["x"], replace(layer, params={**layer.params, "weight": codes})))
    narrow = requantized(graph, {"l1": 4})["l1"]
    assert str(narrow.types["weight"]) == "fixed<4,2>"
    assert narrow.params["weight"].ravel().tolist() == [-8, -8, -2, 0, 0, 2, 2, 7]
    assert (narrow.type, narrow.types["accum"], narrow.types["bias"]) == (
        layer.type,
        layer.types["accum"],
        layer.types["bias"],
    )


def test_layers_that_are_narrow_already_stay() -> None:
    graph = jet(6, 5)
    assert requantized(graph, {"l1": 8, "l3": 20}).digest() == graph.digest()


def test_candidates_are_types_that_quantized_bits_has() -> None:
    layers = [
        dense(4, "fixed<12,6>", "fixed<20,10>", weight)
        for weight in ("fixed<8,1>", "fixed<8,5>", "fixed<8,-1>", "ufixed<4,0>")
    ]
    graph = chain(4, "fixed<6,2>", *layers)
    found = candidates(graph, range(1, 20))
    assert found == {"l1": (8, 7, 6, 5, 4, 3, 2), "l2": (8, 7, 6, 5), "l3": (8,), "l4": (4, 3, 2, 1)}


@pytest.mark.parametrize(
    ("bits", "message"),
    [({"no": 4}, "no layer 'no'"), ({"l2": 4}, "no layer 'l2'"), ({"l1": 1}, "no 1 bits")],
)
def test_refuses_by_name(bits: dict[str, int], message: str) -> None:
    with pytest.raises(ProjectError, match=message):
        requantized(jet(6, 5), bits)


def test_of_many_combinations_those_near_the_budget_are_measured() -> None:
    graph = jet(9, 7, 6, 5)
    x, choices = samples(graph, 150), candidates(graph, (6, 5, 4, 3))
    exact = table(score(graph, choices, x))
    scores = score(graph, choices, x, near=0.8, most=100)
    assert scores.measured.sum() == 100
    rows = zip(scores.bits.tolist(), scores.right.tolist(), scores.measured.tolist(), strict=True)
    assert all(right == exact[tuple(bits)] for bits, right, measured in rows if measured)
    others = np.flatnonzero(~scores.measured)
    assert (np.count_nonzero(scores.bits[others] != scores.own, axis=1) > 1).all()


def test_what_is_not_measured_is_predicted_by_the_sum_of_drops() -> None:
    graph = jet(9, 7, 6, 5)
    x, choices = samples(graph, 150), candidates(graph, (6, 3))
    scores = score(graph, choices, x, most=0)
    alone = {(layer, bits): score(graph, {layer: (8, bits)}, x).accuracy[1] for layer in choices for bits in (6, 3)}
    for number in np.flatnonzero(~scores.measured):
        drops = [1 - alone[pair] for pair in zip(choices, scores.bits[number].tolist(), strict=True) if pair[1] < 8]
        assert scores.accuracy[number] == pytest.approx(max(0, 1 - sum(drops)))


def test_allowed_is_in_the_order_of_the_problem() -> None:
    graph = jet(9, 7, 5)
    x, choices = samples(graph, 120), candidates(graph, (5, 3))
    scores = score(graph, choices, x)
    names = list(choices)[::-1]
    exact = table(scores)
    wanted = {bits[::-1] for bits, right in exact.items() if right >= 0.9 * 120}
    assert 1 < len(wanted) < len(exact)
    assert set(map(tuple, scores.allowed(0.9, names).tolist())) == wanted
    alone = {bits[0] for bits, right in exact.items() if right >= 0.9 * 120 and bits[1:] == (8, 8)}
    assert set(scores.allowed(0.9, ["l1"]).ravel().tolist()) == alone


def test_standard_error_is_binomial() -> None:
    graph = jet(9, 5)
    scores = score(graph, candidates(graph, (3,)), samples(graph, 400))
    p = scores.accuracy
    assert scores.standard_error == pytest.approx(np.sqrt(p * (1 - p) / 400))
    assert scores.standard_error[scores.number({})] == 0


def test_refuses_what_tells_no_accuracy() -> None:
    graph = jet(9, 5)
    with pytest.raises(DataError):
        score(graph, candidates(graph, (3,)), samples(graph, 0))
    with pytest.raises(DataError):
        score(graph, candidates(graph, (3,)), samples(graph, 5), np.zeros(4, np.int64))
    deep = jet(*[2] * 12)
    with pytest.raises(ProjectError, match="combinations"):
        score(deep, candidates(deep, (7, 6, 5, 4)), samples(deep, 5))
