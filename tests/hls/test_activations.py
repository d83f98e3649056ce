"""Which activations become tables, what is computed in one table together, and what is refused. No compiler needed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import qkeras
import tf_keras

from hlsflow.core.errors import UnsupportedLayer
from hlsflow.hls import activations
from hlsflow.hls.translate import Settings, Translation, translate
from hlsflow.ir import Fixed, Op, Overflow, Rounding, evaluate
from hlsflow.keras.outputs import outputs
from tests.hls.networks import INPUT, TARGET, act, bits, dense, knobs, network, samples


def translated(model: Any, folder: Path, **values: Any) -> Translation:
    return translate(model, Settings(INPUT, TARGET, knobs(**values)), folder / "hls")


def classes(model: Any) -> dict[str, str]:
    return {layer.name: type(layer).__name__ for layer in activations.tabled(model).layers}


def test_what_hls4ml_computes_exactly_stays() -> None:
    model = network(
        act(bits(6, 2), "bits"), act(qkeras.quantized_relu(5, 1), "relu"), act(bits(5, 1, symmetric=1), "symmetric"),
        dense(3, "fc", activation=qkeras.quantized_relu(6, 2)), tf_keras.layers.ReLU(name="plain"),
        tf_keras.layers.Activation("relu", name="named"),
    )  # fmt: skip
    assert activations.TABLED not in classes(model).values()


def test_an_activation_of_a_layer_gets_the_name_that_hls4ml_gives_it() -> None:
    found = classes(network(dense(3, "fc", activation=qkeras.quantized_tanh(6))))
    assert found == {"x": "InputLayer", "fc": "QDense", "fc_quantized_tanh": activations.TABLED}


def test_functions_without_a_grid_are_computed_in_the_table_of_the_quantizer_after_them(tmp_path: Path) -> None:
    elu, quantizer = tf_keras.activations.elu, bits(6, 2)
    model = network(act(bits(7, 2), "entry"), tf_keras.layers.Activation(elu, name="elu"), act(quantizer, "q"))
    assert "elu" not in classes(model)
    graph = translated(model, tmp_path).graph
    codes = INPUT.quantize(samples())
    wanted = np.asarray(quantizer(elu(bits(7, 2)(samples().astype(np.float32)))))
    assert graph["q"].op is Op.TABLE
    assert np.array_equal(graph["q"].type.real(evaluate(graph, codes)), wanted)


def test_a_function_that_others_read_too_is_not_hidden_in_one_table() -> None:
    x = tf_keras.Input((8,), name="x")
    relu6 = tf_keras.layers.ReLU(6.0, name="relu6")(act(bits(7, 3), "entry")(x))
    model = tf_keras.Model(x, [act(bits(4, 2), "left")(relu6), act(bits(5, 2), "right")(relu6)])
    assert classes(model)["relu6"] == activations.TABLED
    assert classes(model)["left"] == "QActivation"


def test_a_wide_sum_is_cast_first_where_the_function_needs_less(tmp_path: Path) -> None:
    model = network(dense(6, "fc", bits(8, 0)), act(qkeras.binary(alpha=1), "sign"), dense(2, "out"))
    translation = translated(model, tmp_path)
    graph = translation.graph
    assert graph["sign"].inputs == ("fc",)
    assert graph["fc"].type == Fixed(1, 1, True, Rounding.TRN, Overflow.SAT)
    assert list(graph["sign"].params["table"]) == [-1, 1]
    said = {note.layer: note.what for note in translation.corrections}
    assert said["fc"] == "result set to fixed<1,1,TRN,SAT>, the index of the table 'sign'"
    assert said["sign"] == "computed by a table of 2 entries, result fixed<2,2>"


def test_a_wide_value_that_others_read_too_is_cast_apart(tmp_path: Path) -> None:
    x = tf_keras.Input((8,), name="x")
    fork = dense(4, "fork")(x)
    outputs = [act(qkeras.binary(alpha=1), "sign")(fork), act(qkeras.quantized_tanh(4), "tanh")(fork)]
    model = tf_keras.Model(x, outputs)
    graph = translated(model, tmp_path).graph
    assert [graph[name].inputs for name in ("sign", "tanh")] == [("sign_cast",), ("tanh_cast",)]
    assert {graph[name].op for name in ("sign_cast", "tanh_cast")} == {Op.QUANTIZE}


def test_a_result_type_by_hand_rounds_the_function(tmp_path: Path) -> None:
    model = network(act(bits(7, 2), "entry"), tf_keras.layers.Activation("tanh", name="tanh"))
    layers = {"tanh": {"precision": {"result": "fixed<8,1,RND_CONV,SAT>"}}}
    graph = translated(model, tmp_path, layers=layers).graph
    x = bits(7, 2)(samples().astype(np.float32))
    wanted = graph["tanh"].type.quantize(np.tanh(np.asarray(x, np.float64)))
    assert np.array_equal(evaluate(graph, INPUT.quantize(samples())), wanted)


REFUSED = {
    "alpha='auto' scales by the largest value": lambda: act(bits(6, 2, alpha="auto"), "a"),
    r"\(quantized_ulaw\) cannot be computed exactly: its values lie on no": lambda: act(qkeras.quantized_ulaw(6), "a"),
    "bernoulli is random at inference": lambda: act(qkeras.bernoulli(), "a"),
    "'a' is a PReLU": lambda: tf_keras.layers.PReLU(name="a"),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_what_no_table_holds_is_refused_with_the_alternative(reason: str, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedLayer, match=f"layer 'a'.*{reason}|{reason}") as error:
        translated(network(REFUSED[reason]()), tmp_path)
    assert "use " in (error.value.hint or "") or "put " in (error.value.hint or "")


def test_the_reference_looks_up_what_the_hardware_looks_up(tmp_path: Path) -> None:
    """Both break ties as the formula has it: at 3.3125 TensorFlow may divide by 6 in a way that lifts one up."""
    model = network(act(qkeras.quantized_hswish(6, 2, alpha=1), "a"))
    translation = translated(model, tmp_path)
    every = INPUT.real(np.arange(INPUT.min, INPUT.max + 1).reshape(-1, 8))
    wanted = np.clip(np.rint(every * np.clip(every + 3, 0, 6) / 6 * 8), -32, 31) / 8
    assert 3.25 in wanted[every == 3.3125]
    for network_of_keras in (model, translation.reading.model):
        np.testing.assert_array_equal(outputs(network_of_keras, every)[0], wanted)
    codes = evaluate(translation.graph, INPUT.quantize(every))
    np.testing.assert_array_equal(translation.graph["a"].type.real(codes), wanted)
