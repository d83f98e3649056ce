"""The first link of the chain: the frozen network against the model as its file holds it. Real QKeras, real hls4ml."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import qkeras
import tf_keras

from hlsflow.core.errors import GateFailed, ModelError, ProjectError
from hlsflow.core.tasks import Kind, Task
from hlsflow.hls import gate as gating
from hlsflow.hls.fidelity import Fidelity, measured
from hlsflow.hls.gate import Gate, Verdict, against_file, require
from hlsflow.hls.original import Original, _require_same_network, _told, original
from hlsflow.hls.reference import reference
from hlsflow.hls.translate import Settings, translate
from hlsflow.ir import Fixed, Node, Op, evaluate
from hlsflow.ir.fixed import Array
from hlsflow.plugins.testing import EXACT, check
from hlsflow.project.gate import Gate as Limits
from hlsflow.project.gate import tolerance
from hlsflow.rtl import LayerKnobs, emit, schedule, simulate
from tests.hls.networks import INPUT, TARGET, act, bits, dense, knobs, network, samples

NOTHING = np.empty(0)


def linked(model: Any, folder: Path, x: Array | None = None, limits: Limits = EXACT, **values: Any) -> Gate:
    """The first link alone: nothing is compiled."""
    x = samples() if x is None else x
    translated = translate(model, Settings(INPUT, TARGET, knobs(**values)), folder / "hls")
    wide = bool(gating.beyond_float32(translated.graph))
    frozen = reference(translated.reading.model, x, wide=wide)
    found = original(translated, frozen, x, Task(), np.argmax(frozen.output, -1))
    return against_file(found.output, frozen.output, translated.graph, found.fidelity, limits)


def scaled(alpha: str = "auto", **options: Any) -> Any:
    """Kernels of 4 bits with float scales, of which hardware rounds those that no quantizer follows."""
    return network(
        dense(16, "fc1", bits(4, 0, alpha=alpha)),
        act(qkeras.quantized_relu(8, 2), "relu"),
        dense(4, "fc2", bits(4, 0, alpha=alpha), **options),
    )


def test_plain_quantizers_are_the_file_to_the_last_bit(tmp_path: Path) -> None:
    gate = linked(scaled("auto_po2", activation="softmax"), tmp_path)
    assert gate.file is not None
    assert (gate.file.equal, gate.file.in_float64, gate.file.origin) == (True, 0, None)
    assert str(gate) == "file = frozen on all 1200 outputs of 300 samples"


def test_float_scales_are_amber_with_their_figures(tmp_path: Path) -> None:
    """alpha='auto' at 4 bits, by the limits of a project that states none."""
    gate = linked(scaled(), tmp_path, limits=Limits())
    file = gate.file
    assert (gate.verdict, gate.exceeded, gate.passed) == (Verdict.CORRECTED, (), True)
    assert file is not None
    assert 1000 < file.differing <= file.outputs == 1200
    assert 0 < file.share < 0.01
    assert (file.classes, file.of_file, file.of_frozen) == (0, 1.0, 1.0)
    assert file.origin is not None
    assert file.origin.layer == "fc2"  # the quantizer after fc1 gives the same
    assert [text.split(" ", 2)[:2] for text in file.origin.corrections] == [["kernel", "held"], ["scale", "frozen"]]
    assert "('fc2_scale')" in file.origin.corrections[1]
    assert f"the frozen network against the file: by up to {file.largest:.3g}, " in str(gate)


def test_a_tolerance_of_0_fails_and_names_layer_and_correction(tmp_path: Path) -> None:
    gate = linked(scaled(), tmp_path, limits=EXACT)
    assert gate.verdict is Verdict.FAILED
    with pytest.raises(
        GateFailed, match=r"(?s)first layer that differs from the file: 'fc2'.*scale frozen as fixed<.*\('fc2_scale'\)"
    ) as e:
        require(gate)
    assert "an output moves by" in str(e.value)
    assert "--tolerance" in e.value.hint
    assert Gate.from_json(gate.to_json()) == gate


def test_the_layer_whose_difference_an_output_shows_is_blamed(tmp_path: Path) -> None:
    """Scale and bias of 'bn' are rounded, but no value of the quantizer after it changes; those of 'fc2' do."""
    model = network(
        dense(8, "fc1"), tf_keras.layers.BatchNormalization(name="bn"), act(bits(5, 2), "q"),
        dense(4, "fc2", bias_quantizer=None),
    )  # fmt: skip
    model.get_layer("bn").moving_variance.assign(np.linspace(0.5, 3, 8))
    gate = linked(model, tmp_path)
    assert gate.file is not None
    assert gate.file.origin is not None
    assert gate.file.origin.layer == "fc2"
    assert gate.file.origin.corrections[0].startswith("bias frozen as fixed<18,")
    assert gate.file.differing == 1200  # an added constant moves all of them


def dead_channel() -> Any:
    """Trained on features of which one never moved: its variance is 0, its scale 31.6; and weights of one bit."""
    model = network(
        tf_keras.layers.BatchNormalization(name="bn"), act(bits(8, 2), "q"), dense(6, "one", bits(1, 2)),
        act(qkeras.quantized_relu(6, 3), "relu"), dense(2, "fc"), n_in=3,
    )  # fmt: skip
    weights = [np.ones(3), np.zeros(3), np.array([300.0, 500, 60_000]), np.array([1700.0, 2500, 0])]
    model.get_layer("bn").set_weights(weights)
    return model


def test_a_dead_channel_and_one_bit_are_exact_to_the_rtl(tmp_path: Path) -> None:
    """What was wrong without a word: 18 bits for all scales, and weights of quantized_bits(1, 2) that became 0."""
    kind, random = Fixed(16, 16, signed=False), np.random.default_rng(3)
    x = np.rint(random.normal([300, 500, 60_000], [50, 50, 0], (200, 3)))
    model = dead_channel()
    gate = check(model, x, Settings(kind, TARGET, knobs()), tmp_path, EXACT)
    assert gate.verdict is Verdict.EXACT
    assert len(np.unique(model.predict(x, verbose=0))) > 20
    graph = translate(model, Settings(kind, TARGET, knobs()), tmp_path / "again").graph
    codes = kind.quantize(x)
    folder = tmp_path / "rtl"
    folder.mkdir()
    ran = simulate(emit(schedule(graph, {}, LayerKnobs(4))), codes, folder)
    assert np.array_equal(ran.outputs, evaluate(graph, codes))


def test_a_bias_that_is_far_larger_takes_nothing_from_the_others(tmp_path: Path) -> None:
    """One bias of 60,000 would leave 18-bit biases no fractions; what is left to round is seen and named."""
    model = network(dense(3, "fc", bias_quantizer=None))
    kernel, bias = model.get_layer("fc").get_weights()
    model.get_layer("fc").set_weights([kernel, np.array([60_000.3, *bias[1:]])])
    gate = linked(model, tmp_path)
    assert gate.file is not None
    assert gate.file.largest < 0.001
    assert gate.file.origin is not None
    assert gate.file.origin.layer == "fc"


def test_the_model_itself_is_held_against_its_plain_form() -> None:
    """Whatever is taken apart or cut before the first comparison, the untouched model has the last word."""
    whole = network(dense(5, "hidden"), act(bits(6, 2), "q"), dense(4, "end", activation="softmax"))
    other = network(dense(5, "hidden"), act(bits(6, 2), "q"), dense(4, "end"))
    other.set_weights(whole.get_weights())
    _require_same_network(whole, other, samples()[:20])
    weights = whole.get_weights()
    other.set_weights([*weights[:-1], weights[-1] + [1, 0, 0, 0]])
    with pytest.raises(ModelError, match="output 1 of the model is another one than that of its layers"):
        _require_same_network(whole, other, samples()[:20])


def test_sums_that_float32_rounds_are_those_of_the_file_in_float64(tmp_path: Path) -> None:
    wide = bits(16, 0)
    gate = linked(network(dense(6, "fc1", wide), act(bits(16, 2), "q"), dense(4, "fc2", wide)), tmp_path)
    assert gate.file is not None
    assert gate.file.equal
    assert gate.file.in_float64 > 0


def test_a_softmax_in_hardware_is_amber_and_an_argmax_is_the_class_of_the_file(tmp_path: Path) -> None:
    forms = {"end": {"implementation": "stable"}}
    model = network(dense(5, "hidden"), act(bits(6, 2), "q"), dense(4, "end", activation="softmax"))
    gate = linked(model, tmp_path / "stable", limits=Limits(), layers=forms)
    assert gate.verdict in (Verdict.CORRECTED, Verdict.NOT_SHOWN)
    assert gate.file is not None
    assert 0 < gate.file.largest < 0.001
    assert gate.file.origin is not None
    assert "softmax by hls4ml's tables" in gate.file.origin.corrections[0]
    argmax = linked(model, tmp_path / "argmax", layers={"end": {"implementation": "argmax"}})
    assert argmax.file is not None
    assert argmax.file.equal


def test_a_file_that_gives_no_numbers_is_an_error() -> None:
    output = np.array([[1.0, np.nan], [0.0, 1.0], [np.inf, 0.0]])
    with pytest.raises(ModelError, match="NaN or infinite outputs for 2 of 3 samples, in QKeras itself"):
        _told(output, results(2))


def results(*sizes: int) -> list[Node]:
    return [Node(f"y{size}", Op.INPUT, (), (size,), Fixed(8, 4)) for size in sizes]


def test_figures_of_a_difference() -> None:
    file = np.array([[0.0, 4.0, 10.0], [2.0, 1.0, 30.0], [1.0, 0.0, 20.0], [3.0, 0.0, 20.0]])
    frozen = file + np.array([[0.0, 0.0, 0.0], [0.0, 1.5, 0.0], [0.0, 0.0, 2.0], [0.0, 0.0, 0.0]])
    found = measured(file, frozen, 3, results(2, 1), Task(), np.array([1, 0, 0, 1]))
    assert (found.samples, found.outputs, found.differing, found.in_float64) == (4, 12, 2, 3)
    assert (found.largest, found.classes, found.of_file, found.of_frozen) == (2.0, 1, 0.75, 0.5)
    assert found.share == pytest.approx(100 * 1.5 / 4)  # of the first output; the second moves by 2 of 20, a tenth
    assert found.exceeded(Limits(classes=25.0, accuracy=25.0, range=37.5)) == ()
    assert found.exceeded(Limits(classes=24.9, accuracy=24.9, range=37.4)) == (
        "1 of 4 classes change, 25 % (allowed: 24.9 %)",
        "accuracy falls by 25 points (allowed: 24.9)",
        "an output moves by 37.5 % of the outputs' range (allowed: 37.4 %)",
    )
    assert Fidelity.from_json(found.to_json()) == found


def test_classes_are_counted_where_there_are_some() -> None:
    file, frozen = np.array([[0.2], [-0.1]]), np.array([[0.2], [0.1]])
    told = [Task(), Task(Kind.BINARY, cut=0.5), Task(Kind.REGRESSION)]
    y = np.array([1, 0])
    assert [measured(file, frozen, 0, results(1), task, y).classes for task in told] == [1, 0, None]
    assert measured(file, frozen, 0, results(1), Task(), NOTHING).classes is None
    assert measured(file, frozen, 0, results(1), Task(after="sigmoid"), NOTHING).classes == 1


def test_an_output_that_never_changes_has_its_size_for_a_range() -> None:
    same = np.full((3, 1), 8.0)
    assert measured(same, same + [[0.0], [0.0], [2.0]], 0, results(1), Task(), NOTHING).share == 25.0
    assert measured(same * 0, same * 0 + 1, 0, results(1), Task(), NOTHING).share == 100.0
    assert measured(same * 0, same * 0, 0, results(1), Task(), NOTHING).share == 0.0


def test_a_better_network_than_the_file_is_not_held_against_it() -> None:
    found = measured(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]]), 0, results(2), Task(), np.array([1]))
    assert (found.of_file, found.of_frozen) == (0.0, 1.0)
    assert not any("falls" in text for text in replace(found, classes=0).exceeded(EXACT))


def test_what_the_file_gives_is_kept(tmp_path: Path) -> None:
    found = measured(np.ones((2, 2)), np.ones((2, 2)), 0, results(2), Task(), NOTHING)
    Original(np.ones((2, 2)), found).save(tmp_path)
    again = Original.load(tmp_path)
    assert again.fidelity == found
    assert np.array_equal(again.output, np.ones((2, 2)))


def test_tolerances_on_the_command_line() -> None:
    assert tolerance("0") == {"classes": 0.0, "accuracy": 0.0, "range": 0.0}
    assert tolerance("classes=0.5, range=2") == {"classes": 0.5, "range": 2.0}
    for wrong in ("", "none", "-1", "range=-1", "ranges=1", "range=inf", "range=nan", "range"):
        with pytest.raises(ProjectError, match="is no limit for what may differ from the file"):
            tolerance(wrong)
