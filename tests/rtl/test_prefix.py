"""Designs with prefixes in one: two networks side by side, for a simulator and for a synthesizer."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from hlsflow.core import templates
from hlsflow.ir import evaluate
from hlsflow.rtl import Design, LayerKnobs, Multiplier, Port, Schedule, emit, schedule, simulate
from hlsflow.rtl.axis import axis_top
from hlsflow.rtl.testbench import testbench as bench
from hlsflow.toolchains import yosys
from hlsflow.toolchains.yosys import Family
from tests.rtl.networks import chain, dense, relu, vectors

SUM = "fixed<14,7>"
GRAPHS = (
    chain(5, "fixed<6,3>", dense(4, SUM, SUM), relu("ufixed<4,2,RND,SAT>"), dense(2, SUM, SUM)),
    chain(3, "fixed<5,2>", dense(6, SUM, SUM, weight="fixed<4,1>"), relu("ufixed<5,2>"), seed=1),
)
PLANS = (
    schedule(GRAPHS[0], {}, LayerKnobs(4)),
    schedule(GRAPHS[1], {}, LayerKnobs(3, Multiplier.LUT)),
)
PREFIXES = ("first_", "second_")


def renamed(port: Port, number: int) -> Port:
    return replace(port, name=f"{port.name}{number}")


def both() -> Design:
    """One module with both networks, and the ports of both."""
    parts = [emit(plan, prefix=prefix) for plan, prefix in zip(PLANS, PREFIXES, strict=True)]
    ports, instances = [], []
    for number, part in enumerate(parts):
        pins = [".clk(clk), .rst(rst)"]
        for port, forth, back in ((part.inputs[0], "input", "output"), (part.outputs[0], "output", "input")):
            name, bits = f"{port.name}{number}", port.lanes * port.type.width
            ports += [
                f"{forth} wire {name}_valid",
                f"{back} wire {name}_ready",
                f"{forth} wire [{bits - 1}:0] {name}_data",
            ]
            pins += [f".{port.name}_{key}({name}_{key})" for key in ("valid", "ready", "data")]
        instances.append(f"    {part.top} network{number} ({', '.join(pins)});\n")
    listed = ",\n    ".join(["input wire clk", "input wire rst", *ports])
    text = f"module both (\n    {listed}\n);\n{''.join(instances)}endmodule\n"
    return Design(
        top="both",
        files={"both.v": text, **parts[0].files, **parts[1].files},
        inputs=tuple(renamed(part.inputs[0], number) for number, part in enumerate(parts)),
        outputs=tuple(renamed(part.outputs[0], number) for number, part in enumerate(parts)),
        latency_cycles=max(part.latency_cycles for part in parts),
        ii=max(part.ii for part in parts),
    )


def test_two_networks_run_in_one_simulation(tmp_path: Path) -> None:
    design, inputs = both(), [vectors(graph, 50) for graph in GRAPHS]
    assert len(design.files) == 1 + sum(len(emit(plan).files) for plan in PLANS)
    expected = [evaluate(graph, x) for graph, x in zip(GRAPHS, inputs, strict=True)]
    ran = simulate(design, np.concatenate(inputs, axis=1), tmp_path)
    np.testing.assert_array_equal(ran.outputs, np.concatenate(expected, axis=1))


def test_two_networks_are_synthesized_as_one(tmp_path: Path) -> None:
    design = both()
    found = yosys.synthesize(design.files, design.top, Family.ECP5, tmp_path, timeout_s=250)
    dsp = sum(layer.multipliers for layer in PLANS[0].layers)
    assert {metric.name: metric.value for metric in found}["dsp"] == dsp


def modules(plan: Schedule, prefix: str) -> dict[str, str]:
    design, graph = emit(plan, prefix=prefix), plan.network.graph
    x = vectors(graph, 2)
    return {**design.files, **axis_top(design), **bench(design, x, evaluate(graph, x))}


def test_nothing_has_the_same_name_in_both() -> None:
    first, second = (modules(plan, prefix) for plan, prefix in zip(PLANS, PREFIXES, strict=True))
    assert not first.keys() & second.keys()
    for files, prefix in ((first, PREFIXES[0]), (second, PREFIXES[1])):
        declared = re.findall(r"^module (\w+)", "\n".join(files.values()), re.M)
        assert sorted(f"{name}.v" for name in declared) == sorted(name for name in files if name.endswith(".v"))
        assert all(name.startswith(prefix) for name in declared)
        assert not re.findall(r"`define", "".join(files.values()))
    assert "first_axis_top.v" in first
    assert '"first_in.hex"' in first["first_testbench.v"]


def test_without_a_prefix_names_stay() -> None:
    assert emit(PLANS[0]).top == "top"
    assert emit(PLANS[0]).files["dense_core.v"] == templates.read("rtl/dense_core.v")


def test_each_file_lets_no_undeclared_name_pass_and_leaves_the_rule_as_it_was() -> None:
    for name, text in modules(PLANS[0], "").items():
        if name.endswith(".v"):
            rules = re.findall(r"^`default_nettype (\w+)$|^(module) ", text, re.M)
            assert rules == [("none", ""), ("", "module"), ("wire", "")], name
            assert not re.findall(r"^ *(?:input|output)\b(?! +(?:wire|reg)\b)", text, re.M), name


def test_instances_are_named_after_the_layers() -> None:
    text = emit(PLANS[0]).files["top.v"]
    assert re.findall(r"^    dense_core #\([^;]*?\n    \) (\w+) \(", text, re.M) == ["s0_0_l1", "s0_1_l3"]
