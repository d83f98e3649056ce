"""A graph as units: where one begins, what its vectors are, and which registers its operations have."""

from __future__ import annotations

import pytest

from hlsflow.core.errors import UnsupportedLayer
from hlsflow.ir import Fixed, Graph, Node, Op, verify
from hlsflow.rtl import LayerKnobs, Pipeline
from hlsflow.rtl.lanes import Cast
from hlsflow.rtl.units import Network, Stage, network
from tests.rtl.networks import cast, chain, dense, relu

SUM = "fixed<18,9>"


def built(graph: Graph, reuse_factor: int = 1, pipeline: Pipeline | None = None) -> Network:
    return network(graph, {}, LayerKnobs(reuse_factor), pipeline or Pipeline())


def merged(op: Op, left: str, right: str) -> Graph:
    kinds = {"a": Fixed.parse(left), "b": Fixed.parse(right)}
    inputs = tuple(Node(name, Op.INPUT, (), (3,), kind) for name, kind in kinds.items())
    return verify(Graph("g", (*inputs, Node("y", op, ("a", "b"), (3,), Fixed(9, 5))), ("y",)))


def test_a_chain_is_one_unit_with_a_stage_for_each_layer() -> None:
    graph = chain(6, "fixed<6,2>", dense(5, SUM, SUM), relu("ufixed<6,2,RND,SAT>"), dense(2, SUM, SUM))
    made = built(graph, reuse_factor=10)
    (unit,) = made.units
    assert ([stage.name for stage in unit.stages], unit.name, unit.inputs) == (["l1", "l3"], "l3", (~0,))
    assert (unit.lanes, unit.type, unit.result_bits) == (6, Fixed(6, 2), 2 * 18)
    assert unit.entering(0) == (6, Fixed(6, 2))
    assert unit.entering(1) == (5, Fixed.parse("ufixed<6,2,RND,SAT>"))
    assert unit.latency == sum(stage.latency for stage in unit.stages)
    assert unit.interval == max(stage.core.interval for stage in unit.stages if stage.core) == 10
    assert (made.outputs, made.entries, made.readers(0), made.readers(~0)) == ((0,), [(0, 0, ~0)], [(-1, 0)], [(0, 0)])


def test_streams_of_two_types_lie_side_by_side_as_bits() -> None:
    (unit,) = built(merged(Op.ADD, "fixed<6,2>", "ufixed<4,1>")).units
    assert (unit.inputs, unit.lanes, unit.type) == ((~0, ~1), 3 * (6 + 4), Fixed(1, 1, signed=False))
    assert unit.interval == 1


def test_an_input_that_is_read_twice_has_a_unit_of_its_own() -> None:
    x = Node("x", Op.INPUT, (), (3,), Fixed(6, 2))
    nodes = (x, Node("r", Op.RELU, ("x",), (3,), Fixed(6, 2)), Node("y", Op.ADD, ("x", "r"), (3,), Fixed(7, 3)))
    made = built(verify(Graph("g", nodes, ("y",))))
    assert [unit.name for unit in made.units] == ["x", "r", "y"]
    assert [unit.inputs for unit in made.units] == [(~0,), (0,), (0, 1)]
    assert made.entries == [(0, 0, ~0)]
    assert made.readers(0) == [(1, 0), (2, 0)]
    shown = built(verify(Graph("g", nodes, ("y", "x", "r"))))
    assert (shown.outputs, shown.readers(0)) == ((2, 0, 1), [(1, 0), (2, 0), (-1, 1)])


def test_a_register_stands_between_two_operations_with_logic_and_after_the_last_where_asked_for() -> None:
    wide, narrow = Fixed(8, 4), Fixed.parse("fixed<6,3,RND,SAT>")
    logic, wiring = Cast("c", wide, narrow), Cast("w", narrow, Fixed(5, 2))
    assert (logic.is_wiring, wiring.is_wiring) == (False, True)
    for operations, registers in (
        ((), ()),
        ((logic,), (False,)),
        ((wiring, logic), (False, False)),
        ((logic, wiring), (False, False)),
        ((logic, logic, wiring, logic), (False, True, False, True)),
    ):
        for asked in (False, True):
            stage = Stage("s", None, operations, 3, narrow, asked)
            assert stage.registered == registers
            assert stage.ends_registered == (asked and logic in operations)
            assert stage.latency == sum(registers) + stage.ends_registered


def test_a_cast_that_changes_nothing_is_left_out() -> None:
    (unit,) = built(chain(4, "fixed<6,2>", cast("fixed<6,2>"), cast("fixed<5,2,RND,SAT>"))).units
    assert [operation.name for stage in unit.stages for operation in stage.operations] == ["l2"]


def test_what_has_no_rtl_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    from hlsflow.rtl import units

    monkeypatch.setattr(units, "LANE_WISE", {Op.QUANTIZE: units.LANE_WISE[Op.QUANTIZE]})
    with pytest.raises(UnsupportedLayer, match=r"layer 'l1' \(relu\) has no RTL"):
        built(chain(4, "fixed<6,2>", relu("ufixed<6,2>")))
