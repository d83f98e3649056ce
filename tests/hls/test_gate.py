"""The gate: equal to the last bit, or the first layer that differs with the usual cause. Real hls4ml, real compiler."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import qkeras
import tf_keras

from hlsflow.core.errors import DataError, GateFailed, ProjectError
from hlsflow.hls.gate import Gate, Verdict, beyond_float32, compare, compare_codes, exact_accumulator, in_steps, require
from hlsflow.hls.reference import reference
from hlsflow.hls.translate import Settings, translate
from hlsflow.ir import Fixed, evaluate
from hlsflow.plugins.testing import check
from tests.hls.networks import INPUT, TARGET, act, bits, dense, every_construct, knobs, network, samples


def verdict(model: Any, folder: Path, n_in: int = 8, **values: Any) -> Gate:
    return check(model, samples(n_in=n_in), Settings(INPUT, TARGET, knobs(**values)), folder)


def test_every_construct_is_exact_after_its_corrections(tmp_path: Path) -> None:
    gate = verdict(every_construct(), tmp_path)
    assert [str(item) for item in gate.comparisons] == [
        "file = frozen on all 1200 outputs of 300 samples",
        "frozen = csim on all 1200 outputs of 300 samples",
        "csim = oracle on all 1200 outputs of 300 samples",
    ]
    assert require(gate).passed
    assert gate.verdict is Verdict.EXACT


def test_a_truncated_accumulator_stops_the_flow_and_is_named(tmp_path: Path) -> None:
    """The oracle follows hls4ml into the truncation, so the two agree, and both differ from QKeras at 'fc2'."""
    model = network(
        dense(8, "fc1"), act(qkeras.quantized_relu(6, 2), "relu1"), dense(8, "fc2"),
        act(qkeras.quantized_relu(6, 2), "relu2"), dense(4, "fc3"),
    )  # fmt: skip
    gate = verdict(model, tmp_path, layers={"fc2": {"precision": {"accum": "fixed<10,6>"}, "strategy": "resource"}})
    assert [item.equal for item in gate.comparisons] == [True, False, True]
    assert gate.first is not None
    assert gate.first.layer == "fc2"
    assert "drops 5 bits of each product; remove knobs.layers.fc2.precision.accum" in gate.first.cause
    with pytest.raises(GateFailed, match="first layer that differs: 'fc2'"):
        require(gate)
    assert Gate.from_json(gate.to_json()) == gate


def test_streams_are_exact_too_and_an_overflow_is_named(tmp_path: Path) -> None:
    model = network(dense(6, "fc1"), act(bits(6, 2), "q1"), dense(4, "fc2"))
    target = TARGET.model_copy(update={"io_type": "io_stream"})
    exact = check(model, samples(), Settings(INPUT, target, knobs()), tmp_path / "exact")
    assert exact.passed
    small = knobs(layers={"fc1": {"precision": {"accum": "fixed<12,1>"}}})
    gate = check(model, samples(), Settings(INPUT, target, small), tmp_path / "small")
    assert gate.comparisons[2].equal
    assert gate.first is not None
    assert gate.first.layer == "q1"
    assert "accumulator fixed<12,1> of 'fc1' can overflow" in gate.first.cause


def residual() -> Any:
    x = tf_keras.layers.Input((8,), name="x")
    short = act(bits(6, 2), "short_q")(dense(6, "short")(x))
    deep = act(bits(6, 2), "deep_q")(dense(6, "deep")(act(qkeras.quantized_relu(6, 2), "relu")(dense(6, "first")(x))))
    total = tf_keras.layers.Add(name="total")([short, deep])
    model = tf_keras.Model(x, [dense(3, "head")(total), act(bits(5, 3), "side")(total)])
    rng = np.random.default_rng(1)
    model.set_weights([rng.normal(size=array.shape) * 0.7 for array in model.get_weights()])
    return model


def test_in_a_branch_the_layer_that_is_wrong_is_named(tmp_path: Path) -> None:
    """Several outputs, each on its own grid; what comes after the wrong layer differs too and is not blamed."""
    gate = verdict(residual(), tmp_path, layers={"deep": {"precision": {"accum": "fixed<10,6>"}}})
    assert [item.equal for item in gate.comparisons] == [True, False, True]
    assert gate.comparisons[0].outputs == 300 * (3 + 6)
    assert gate.first is not None
    assert gate.first.layer == "deep_q"  # 'deep' does the work of its quantizer
    assert "the accumulator fixed<10,6> of 'deep' drops" in gate.first.cause


def test_the_fixture_makes_a_check_of_three_lines(assert_bit_exact: Callable[..., Gate], tmp_path: Path) -> None:
    file = tmp_path / "model.h5"
    network(dense(4, "fc1"), act(qkeras.quantized_relu(6, 2), "relu"), dense(2, "fc2")).save(file)
    assert assert_bit_exact(file, samples(), input_precision="fixed<10,4>").passed
    with pytest.raises(AssertionError, match="first layer that differs: 'fc1'"):
        assert_bit_exact(
            file, samples(), input_precision="fixed<10,4>", knobs=knobs(precision={"accum": "fixed<14,9>"})
        )


def test_sums_too_wide_for_float32_are_computed_in_float64(tmp_path: Path) -> None:
    wide = bits(16, 0)
    model = network(dense(6, "fc1", wide), act(bits(16, 2), "q"), dense(4, "fc2", wide))
    assert verdict(model, tmp_path).passed
    translated = translate(model, Settings(INPUT, TARGET, knobs()), tmp_path / "again")
    assert set(beyond_float32(translated.graph)) == {"fc1", "fc2"}
    codes = INPUT.quantize(samples())
    rounded = reference(translated.reading.model, INPUT.real(codes))
    assert not compare_codes(
        "float32", in_steps(translated.graph, rounded.output), "oracle", evaluate(translated.graph, codes)
    ).equal


def test_samples_and_types_that_make_no_sense_are_refused(assert_bit_exact: Callable[..., Gate]) -> None:
    model = network(dense(4, "fc1"))
    with pytest.raises(ProjectError, match="input_precision: 'fixed<banana>'"):
        assert_bit_exact(model, samples(), input_precision="fixed<banana>")
    for wrong in (samples()[:0], samples(n_in=5), np.full((3, 8), np.nan)):
        with pytest.raises(DataError, match="are not finite rows of shape"):
            assert_bit_exact(model, wrong, input_precision="fixed<10,4>")


def test_a_comparison_counts_and_measures() -> None:
    left = np.array([[0.5, 1.0], [0.25, -2.0]])
    found = compare("a", left, "b", np.array([[2, 4], [1, -7]]), Fixed(8, 6))
    assert (found.samples, found.outputs, found.differing, found.largest) == (2, 4, 1, 1.0)
    assert str(found) == "a differs from b in 1 of 4 outputs (2 samples), by up to 1 steps of the output grid"
    off_grid = compare("a", np.array([[0.3]]), "b", np.array([[1]]), Fixed(8, 6))
    assert off_grid.differing == 1
    assert compare_codes("a", np.array([[3]]), "b", np.array([[3]])).equal


def test_the_exact_accumulator_is_the_narrowest(tmp_path: Path) -> None:
    model = network(dense(3, "fc"), n_in=5)
    graph = translate(model, Settings(INPUT, TARGET, knobs()), tmp_path).graph
    need, node = exact_accumulator(graph, graph["fc"]), graph["fc"]
    corners = np.array([[INPUT.min if w > 0 else INPUT.max for w in column] for column in node.params["weight"].T])
    lows = (corners * node.params["weight"].T).sum(1) + (node.params["bias"] << 6)
    highs = (np.where(corners == INPUT.min, INPUT.max, INPUT.min) * node.params["weight"].T).sum(1)
    highs = highs + (node.params["bias"] << 6)
    assert need.holds(np.array([lows.min(), highs.max()]))
    narrower = Fixed(need.width - 1, need.integer - 1)
    assert not narrower.holds(np.array([lows.min(), highs.max()]))
