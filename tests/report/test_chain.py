"""The chain from the file to the RTL in reports: green, amber or red, and what must be read with it."""

from __future__ import annotations

from dataclasses import replace

from hlsflow.hls.gate import Difference, Gate, Verdict
from hlsflow.report import chain, markdown
from hlsflow.report.document import Table
from tests.report.gates import gate

ORACLE = [("oracle", "=", "good"), ("oracle", "=", "good")]


def signs(told: Gate) -> list[tuple[str, str, str]]:
    """What each row compares from, its sign, and the colour of that."""
    table = chain.section(told.to_json()).blocks[-1]
    assert isinstance(table, Table)
    return [(left.text, sign.text, sign.tone) for left, sign, *_ in table.rows]


def test_a_chain_without_a_difference_is_green() -> None:
    told = gate()
    said = chain.verdict(told.to_json())
    assert (told.verdict, said.tone) == (Verdict.EXACT, "good")
    assert said.text == "Bit-exact to the model's file"
    assert said.more == (
        "file = frozen = csim = oracle = rtl R16 = rtl R64",
        "18,000 outputs compared in 5 comparisons, all of them equal",
    )


def test_netlists_that_are_equal_are_counted_and_others_named() -> None:
    told = gate()
    equal = [replace(told.comparisons[-1], right=f"netlist R16-{family}") for family in ("xc7", "xcup", "ecp5")]
    wrong = replace(equal[0], right="netlist R64-xc7", differing=3)
    rtl = "file = frozen = csim = oracle = rtl R16 = rtl R64"
    for netlists, text in (
        (equal, f"{rtl} = 3 netlists"),
        (equal[:1], f"{rtl} = netlist R16-xc7"),
        ([*equal, wrong], f"{rtl} = 3 netlists ≠ netlist R64-xc7"),
    ):
        assert chain.chain(replace(told, comparisons=(*told.comparisons, *netlists))) == text


def test_what_differs_from_the_file_is_amber_and_the_correction_is_named() -> None:
    told = gate(40)
    said = chain.verdict(told.to_json())
    assert (told.verdict, told.passed, said.tone) == (Verdict.CORRECTED, True, "warn")
    assert said.text == "Exact after corrections"
    assert said.more == (
        "file ≠ frozen = csim = oracle = rtl R16 = rtl R64",
        "14,400 outputs compared in 4 comparisons, all of them equal; those of the file are not",
        "the frozen network differs from the file in 40 of 3,600 outputs: by up to 0.5, 0.6 % of the outputs' range; "
        "2 of 360 classes change; accuracy 0.9778 of the file, 0.9722 of the frozen network",
        "first layer that differs from the file: 'bn1', 9 of 90 values, by up to 0.1",
        "correction that did it: scales frozen ('bn1')",
    )
    assert signs(told) == [("file", "≠", "warn"), ("frozen", "=", "good"), ("csim", "=", "good"), *ORACLE]
    assert "bit-exact" not in markdown.render_section(chain.section(told.to_json())).lower()


def test_what_is_too_far_from_the_file_is_red() -> None:
    told = gate(40, ("2 of 360 classes change, 0.556 % (allowed: 0.1 %)",))
    said = chain.verdict(told.to_json())
    assert (told.verdict, told.passed, said.tone) == (Verdict.FAILED, False, "bad")
    assert said.text == "Not the network of the model's file: the first layer that differs is bn1"
    assert said.more[-1] == "beyond what may differ: 2 of 360 classes change, 0.556 % (allowed: 0.1 %)"
    assert signs(told)[0] == ("file", "≠", "bad")


def test_a_link_that_breaks_later_is_red_and_names_its_layer() -> None:
    links = gate().comparisons
    broken = replace(links[1], differing=3, largest=2.0)
    first = Difference("fc2", 7, 320, 0.25, "the accumulator drops 5 bits")
    told = Gate((links[0], broken, links[2]), first, file=gate().file)
    said = chain.verdict(told.to_json())
    assert (told.verdict, said.tone) == (Verdict.FAILED, "bad")
    assert said.text == "Not bit-exact: the first layer that differs is fc2"
    assert said.more == (
        "first layer that differs: fc2, 7 of 320 values, by up to 0.25",
        "usual cause: the accumulator drops 5 bits",
    )


def test_a_chain_with_a_missing_link_has_no_colour() -> None:
    told = replace(gate(), not_run="not run: needs oneAPI")
    assert (told.verdict, told.passed) == (Verdict.NOT_SHOWN, False)
    assert chain.verdict(told.to_json()).tone == ""
    assert Gate(gate().comparisons[1:]).verdict is Verdict.NOT_SHOWN  # nothing was compared with the file


def test_a_gate_survives_its_json() -> None:
    for told in (gate(), gate(40), gate(40, ("an output moves",)), replace(gate(), not_run="not run: no compiler")):
        assert Gate.from_json(told.to_json()) == told
