"""Names that C++ does not take: hls4ml's project has others, everything else keeps the user's."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import qkeras
import tf_keras

from hlsflow.core.errors import ProjectError
from hlsflow.hls import names
from hlsflow.hls.translate import Settings, translate
from tests.hls.networks import INPUT, TARGET, act, bits, dense, knobs, network, samples


def odd() -> Any:
    """A network in which no layer has a name that hls4ml takes, some of which become the same."""
    x = tf_keras.layers.Input((8,), name="input")
    h = act(qkeras.quantized_relu(6, 2), "1st")(dense(5, "block1/dense")(x))
    h = tf_keras.layers.Add(name="sum.of-both")([dense(5, "conv-1")(h), dense(5, "conv.1", activation="relu")(h)])
    model = tf_keras.Model(x, dense(3, "conv_1")(act(bits(8, 3), "act>a")(h)))
    random = np.random.default_rng(1)
    model.set_weights([random.normal(size=weight.shape) * 0.7 for weight in model.get_weights()])
    return model


def test_knobs_rows_graph_and_corrections_have_the_names_of_the_user(tmp_path: Path) -> None:
    own = {"conv-1": {"reuse_factor": 5, "precision": {"accum": "fixed<30,14>"}}, "block1/dense": {"reuse_factor": 4}}
    result = translate(odd(), Settings(INPUT, TARGET, knobs(layers=own)), tmp_path)
    assert result.names == {
        "input": "layer_input", "block1/dense": "block1_dense", "1st": "layer_1st", "conv-1": "conv_1_2",
        "conv.1": "conv_1_3", "conv.1_relu": "conv_1_relu", "sum.of-both": "sum_of_both", "act>a": "act_a",
    }  # fmt: skip
    rows = {row.name: row for row in result.rows}
    assert [rows[name].granted for name in ("conv-1", "block1/dense", "conv.1", "conv_1")] == [5, 4, 1, 1]
    assert rows["conv-1"].accum == "fixed<30,14>"
    assert {"input", "1st", "conv-1", "conv.1", "conv_1", "sum.of-both"} <= {node.name for node in result.graph.nodes}
    assert result.graph["sum.of-both"].inputs == ("conv-1", "conv.1_relu")
    said = {one.layer: one.what for one in result.corrections if "in hls4ml's project" in one.what}
    assert said["conv-1"] == "called conv_1_2 in hls4ml's project"
    assert "conv_1" not in said
    with pytest.raises(ProjectError, match=r"layer 'conv-1' \(5 x 5.*reuse factor 26"):
        translate(odd(), Settings(INPUT, TARGET, knobs(layers={"conv-1": {"reuse_factor": 26}})), tmp_path)


def test_such_a_network_is_bit_exact(assert_bit_exact: Callable[..., Any]) -> None:
    assert assert_bit_exact(odd(), samples(100), input_precision=str(INPUT)).passed


def test_a_difference_names_the_layer_of_the_user(tmp_path: Path) -> None:
    from hlsflow.plugins.testing import check

    narrow = {"conv-1": {"precision": {"accum": "fixed<6,2>"}}}
    verdict = check(odd(), samples(50), Settings(INPUT, TARGET, knobs(layers=narrow)), tmp_path)
    assert not verdict.passed
    assert verdict.first is not None
    assert verdict.first.layer == "conv-1"


@pytest.mark.parametrize(
    "name", ["class", "new", "w2", "config3", "layer2_out", "model_default_t", "N_IN", "a-b", "input"]
)
def test_inputs_are_not_called_like_anything_of_cpp_or_hls4ml(name: str) -> None:
    (new,) = names.for_cpp([name], [name]).values()
    assert re.fullmatch(r"[A-Za-z]\w*", new, re.ASCII)
    assert not names.TAKEN.fullmatch(new)


def test_other_layers_are_called_like_words_of_cpp_if_they_want() -> None:
    assert names.for_cpp(["x", "class", "w2", "fc"], ["x"]) == {}


def test_a_layer_called_like_a_part_of_another_gets_a_number(tmp_path: Path) -> None:
    model = network(
        dense(5, "fc", activation=qkeras.quantized_relu(6, 2)), dense(4, "fc_quantized_relu"), dense(3, "fc_linear")
    )
    result = translate(model, Settings(INPUT, TARGET, knobs()), tmp_path)
    assert [node.name for node in result.graph.nodes if node.name in ("fc_quantized_relu", "fc_quantized_relu_2")]
    assert ("fc_quantized_relu", "called fc_quantized_relu_2") in [(one.layer, one.what) for one in result.corrections]


def test_a_chain_of_merges_does_not_take_the_name_of_another_layer(tmp_path: Path) -> None:
    x = tf_keras.layers.Input((8,), name="x")
    a, b = dense(4, "a")(x), dense(4, "b")(x)
    h = tf_keras.layers.Add(name="add")([a, b, a])
    model = tf_keras.Model(x, tf_keras.layers.Add(name="add_1")([h, a]))
    result = translate(model, Settings(INPUT, TARGET, knobs()), tmp_path)
    assert {"add", "add_1", "add_1_2"} <= {node.name for node in result.graph.nodes}
