"""Tables in the forms in which the RTL has them: each means the same as the table, and is as small as it can be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hlsflow.ir import Fixed, Graph, Node, Op, evaluate, verify
from hlsflow.ir.fixed import Array
from hlsflow.rtl import LayerKnobs, emit, schedule, simulate
from hlsflow.rtl.lanes import Lookup, Search, operations
from hlsflow.rtl.tables import Short, Stepped, form_of, shortened, stepped

SIGNED = Fixed(10, 4)
UNSIGNED = Fixed(9, 3, signed=False)
LONG = Fixed(16, 6)
BYTE = Fixed(8, 2)


def _codes(kind: Fixed) -> Array:
    low = -(1 << (kind.width - 1)) if kind.signed else 0
    return np.arange(low, low + (1 << kind.width))


def _sigmoid(kind: Fixed) -> Array:
    return np.rint(127 / (1 + np.exp(-kind.real(_codes(kind) >> 2 << 2)))).astype(int)


def _steps(kind: Fixed, places: list[int], values: list[int]) -> Array:
    return np.array(values)[np.searchsorted(places, _codes(kind), side="right")]


TABLES = {
    "sigmoid": (SIGNED, _sigmoid(SIGNED)),
    "unsigned": (UNSIGNED, _sigmoid(UNSIGNED)),
    "constant": (SIGNED, np.full(1024, -3)),
    "sign": (LONG, _steps(LONG, [0], [-1, 1])),
    "ternary": (LONG, _steps(LONG, [-333, 342], [-1, 0, 1])),
    "five": (LONG, _steps(LONG, [-20000, -77, 1, 3, 12345], [-9, 100, -100, 3, 0, 7])),
    "tanh": (LONG, np.rint(90 * np.tanh(LONG.real(_codes(LONG)))).astype(int)),
    "identity": (BYTE, _codes(BYTE)),
    "random": (BYTE, np.random.default_rng(0).integers(-128, 128, 256)),
    "random unsigned": (Fixed(1, 1, signed=False), np.array([5, -7])),
    "highest": (UNSIGNED, _steps(UNSIGNED, [511], [1, 2])),
    "lowest": (SIGNED, _steps(SIGNED, [-511], [1, 2])),
}


@pytest.mark.parametrize("name", TABLES)
def test_both_forms_mean_the_table(name: str) -> None:
    kind, table = TABLES[name]
    distance = np.arange(len(table))
    short, steps = shortened(table, kind.signed), stepped(table, kind.width)
    low, high = (-(1 << short.bits) // 2, (1 << short.bits) // 2 - 1) if kind.signed else (0, (1 << short.bits) - 1)
    code = np.clip(_codes(kind) >> short.drop, low, high)
    np.testing.assert_array_equal(short.entries[code % (1 << short.bits)], table)
    node = np.ones_like(distance)
    for _ in range(steps.levels):
        node = 2 * node + (distance >= steps.tree[node - 1])
    np.testing.assert_array_equal(steps.entries[node - (1 << steps.levels)], table)


@pytest.mark.parametrize(
    ("name", "entries", "levels"),
    [("sign", 2, 0), ("constant", 2, 0), ("random", 256, 0), ("ternary", 4, 2), ("five", 8, 3), ("sigmoid", 256, 0)],
)
def test_the_smaller_form_is_taken(name: str, entries: int, levels: int) -> None:
    kind, table = TABLES[name]
    form = form_of(table, kind, BYTE)
    assert len(form.entries) == entries
    assert levels == (form.levels if isinstance(form, Stepped) else 0)


def test_a_long_table_with_few_values_is_searched() -> None:
    kind, table = TABLES["tanh"]
    form = form_of(table, kind, BYTE)
    assert isinstance(form, Stepped)
    assert form.cost(8) < 600 < shortened(table, True).cost(8)


def test_registers_stand_between_the_levels_of_a_search() -> None:
    kind, table = TABLES["five"]
    node = Node("t", Op.TABLE, ("x",), (2,), BYTE, params={"table": table})
    assert [type(operation) for operation in operations(node, kind)] == [Search, Search, Lookup]


def test_rtl_equals_the_oracle(tmp_path: Path) -> None:
    nodes = []
    for number, (kind, table) in enumerate(TABLES.values()):
        nodes.append(Node(f"x{number}", Op.INPUT, (), (3,), kind))
        nodes.append(Node(f"t{number}", Op.TABLE, (f"x{number}",), (3,), BYTE, params={"table": table}))
    graph = verify(Graph("tables", tuple(nodes), tuple(node.name for node in nodes[1::2])))
    rng = np.random.default_rng(1)
    shuffled = [rng.permutation(np.resize(_codes(node.type), 6000)) for node in graph.inputs]
    x = np.concatenate([codes.reshape(2000, 3) for codes in shuffled], axis=1)
    result = simulate(emit(schedule(graph, {}, LayerKnobs(1))), x, tmp_path)
    np.testing.assert_array_equal(result.outputs, evaluate(graph, x))


def test_short_keeps_the_sign() -> None:
    assert shortened(TABLES["identity"][1], True).signed
    assert isinstance(form_of(TABLES["identity"][1], BYTE, BYTE), Short)
