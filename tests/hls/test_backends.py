"""hls4ml's other backends: what compiles here is compared to the last bit, the rest is told or refused by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import qkeras
import tf_keras
import yaml

from hlsflow.__main__ import main
from hlsflow.core.errors import FlowError, GateFailed, ProjectError, ToolMissing, UnsupportedLayer
from hlsflow.hls import backends, csim, gate, reference
from hlsflow.hls.gate import Gate
from hlsflow.hls.translate import PROJECT_NAME, Settings, translate
from hlsflow.project import PARTS, Backend, Target
from hlsflow.toolchains.chains import CHAINS
from tests import conformance
from tests.hls.networks import INPUT, act, bits, dense, knobs, network, samples

COMPILED = ("quartus", "catapult", "vivadoaccelerator")
QUICK = ("-O0", *csim.FLAGS[1:])


def small() -> Any:
    return network(dense(8, "fc1"), act(qkeras.quantized_relu(6, 2), "relu"), dense(4, "fc2"))


def image(*layers: Any) -> Any:
    """A network of a convolution, what is given, and a dense layer."""
    convolution = qkeras.QConv2D(4, (3, 3), kernel_quantizer=bits(6, 0), bias_quantizer=bits(6, 0), name="c1")
    relu = act(qkeras.quantized_relu(6, 2), "relu")
    after = [tf_keras.layers.Flatten(name="flat"), dense(4, "fc")]
    model = tf_keras.Sequential([tf_keras.layers.Input((8, 8, 2), name="x"), convolution, relu, *layers, *after])
    rng = np.random.default_rng(1)
    model.set_weights([rng.normal(size=array.shape) * 0.7 for array in model.get_weights()])
    return model


def settings(backend: str, io_type: str = "io_parallel", **values: Any) -> Settings:
    return Settings(INPUT, Target.model_validate({"backend": backend, "io_type": io_type}), knobs(**values))


def judged(model: Any, chosen: Settings, folder: Path) -> Gate:
    """The gate on 40 random samples."""
    translated = translate(model, chosen, folder / "hls")
    graph, backend = translated.graph, chosen.target.backend
    x = np.random.default_rng(3).integers(INPUT.min, INPUT.max + 1, (40, *model.inputs[0].shape[1:]))
    wanted, codes = reference.reference(translated.reading.model, INPUT.real(x)), x.reshape(len(x), -1)
    if backend in csim.NEEDS:
        return gate.judge_without_csim(graph, wanted, codes, csim.NEEDS[backend])
    library = csim.build(folder / "hls", PROJECT_NAME, folder, QUICK, backend)
    ran = csim.run(library, folder / "hls", PROJECT_NAME, graph, codes, folder)
    return gate.judge(graph, wanted, ran.output, codes, dict)


@pytest.mark.parametrize(
    "backend", [COMPILED[0], *(pytest.param(name, marks=pytest.mark.slow) for name in COMPILED[1:])]
)
def test_what_compiles_here_is_bit_exact(backend: str, tmp_path: Path) -> None:
    verdict = judged(small(), settings(backend), tmp_path)
    assert verdict.passed
    assert str(verdict).splitlines()[0] == "frozen = csim on all 160 outputs of 40 samples"


@pytest.mark.slow
@pytest.mark.parametrize("backend", COMPILED)
@pytest.mark.parametrize("io_type", ["io_parallel", "io_stream"])
def test_convolutions_and_folded_layers_are_bit_exact(backend: str, io_type: str, tmp_path: Path) -> None:
    pooled = image(tf_keras.layers.MaxPooling2D(name="pool"))
    assert judged(pooled, settings(backend, io_type), tmp_path / "conv").passed
    assert judged(small(), settings(backend, io_type, reuse_factor=4, strategy="resource"), tmp_path / "folded").passed


@pytest.mark.parametrize("io_type", ["io_parallel", "io_stream"])
def test_without_the_headers_of_oneapi_the_gate_does_not_pass(io_type: str, tmp_path: Path) -> None:
    verdict = judged(image(tf_keras.layers.MaxPooling2D(name="pool")), settings("oneapi", io_type), tmp_path)
    assert verdict.equal
    assert not verdict.passed
    assert verdict.not_run == "not run: needs the SYCL headers of Intel oneAPI"
    assert verdict.not_run in str(verdict)
    assert gate.require(verdict) == verdict  # what could be compared is equal, so that the flow goes on
    assert Gate.from_json(verdict.to_json()) == verdict
    assert not gate.joined(verdict, Gate(verdict.comparisons)).passed
    assert (tmp_path / "hls" / "CMakeLists.txt").is_file()
    with pytest.raises(ToolMissing, match="C-simulation not run: needs the SYCL headers of Intel oneAPI"):
        csim.build(tmp_path / "hls", PROJECT_NAME, tmp_path, backend="oneapi")


PROJECT = """
name = "other"
[data]
source = "samples.npz"
test = 0.5
[model]
file = "model.h5"
[input]
precision = "fixed<10,4>"
[target]
backend = "BACKEND"
[knobs]
reuse_factor = 1
"""


@pytest.mark.parametrize(
    ("backend", "code", "says"),
    [
        ("oneapi", 3, "bit-exactness is not shown: C-simulation not run: needs the SYCL headers of Intel oneAPI"),
        ("libero", 2, "cannot write such projects, as its package lacks"),
    ],
)
def test_check_does_not_pass_either(
    backend: str, code: int, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small().save(tmp_path / "model.h5")
    np.savez(tmp_path / "samples.npz", x=samples(40), y=np.arange(40) % 4)
    (tmp_path / "project.toml").write_text(PROJECT.replace("BACKEND", backend))
    assert main(["check", str(tmp_path), "--build", str(tmp_path / "build")]) == code
    assert says in capsys.readouterr().err


def test_a_network_that_differs_fails_without_a_c_simulation_too(tmp_path: Path) -> None:
    narrow = knobs(layers={"fc1": {"precision": {"accum": "fixed<8,4>"}}})
    chosen = Settings(INPUT, Target(backend="oneapi", part="Agilex7"), narrow)
    verdict = judged(small(), chosen, tmp_path)
    assert verdict.first is not None
    assert verdict.first.layer == "fc1"
    with pytest.raises(GateFailed, match="accumulator"):
        gate.require(verdict)


def test_libero_projects_are_refused_while_hls4ml_cannot_write_them(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"target\.backend libero: hls4ml .* lacks templates/libero/build_lib\.sh"):
        translate(small(), settings("libero"), tmp_path / "hls")
    assert not (tmp_path / "hls").exists()


def test_what_hls4ml_cannot_write_is_one_message(tmp_path: Path) -> None:
    start = tf_keras.layers.Input((8,), name="x")
    half = dense(6, "fc1")(start)
    model = tf_keras.Model(start, [dense(3, "left")(half), dense(2, "right")(half)])
    with pytest.raises(UnsupportedLayer, match="cannot write this model's project: Only models with one output tensor"):
        translate(model, settings("vivadoaccelerator"), tmp_path / "hls")


def table() -> Any:
    return network(dense(4, "fc1"), act(qkeras.quantized_tanh(6), "tanh"), dense(2, "fc2"))


def depthwise() -> Any:
    layer = qkeras.QDepthwiseConv2D((3, 3), depthwise_quantizer=bits(6, 0), bias_quantizer=bits(6, 0), name="dw")
    return image(layer, act(qkeras.quantized_relu(6, 2), "after"))


def average() -> Any:
    return image(tf_keras.layers.AveragePooling2D(name="average"), act(bits(8, 3), "after"))


def test_what_cannot_stream_is_refused_in_streams_alone(tmp_path: Path) -> None:
    model = image(tf_keras.layers.Permute((2, 3, 1), name="turned"))
    translate(model, settings("quartus"), tmp_path / "parallel")
    with pytest.raises(UnsupportedLayer, match="layer 'turned' is a transposition of three axes in io_stream"):
        translate(model, settings("quartus", "io_stream"), tmp_path / "stream")
    with pytest.raises(UnsupportedLayer, match="which hls4ml's Catapult backend does not carry: its C\\+\\+ has no"):
        translate(model, settings("catapult", "io_stream"), tmp_path / "stream")
    globally = image(tf_keras.layers.GlobalMaxPooling2D(name="all"))
    with pytest.raises(UnsupportedLayer, match="layer 'all' is a global pool in io_stream, which hls4ml's Quartus"):
        translate(globally, settings("quartus", "io_stream"), tmp_path / "stream")
    entry = tf_keras.layers.Input((8, 2), name="x")
    windows = tf_keras.layers.MaxPooling1D(3, strides=2, name="windows")(act(bits(6, 2), "grid")(entry))
    overlapping = tf_keras.Model(entry, dense(2, "end")(tf_keras.layers.Flatten(name="flat")(windows)))
    with pytest.raises(UnsupportedLayer, match=r"layer 'windows' is a pool in io_stream .* its C\+\+ stops at it"):
        translate(overlapping, settings("oneapi", "io_stream"), tmp_path / "stream")
    start = tf_keras.layers.Input((8,), name="x")
    halves = [act(bits(6, 2), f"{name}_act")(dense(4, name)(start)) for name in ("left", "right")]
    larger = tf_keras.Model(start, dense(2, "end")(tf_keras.layers.Maximum(name="larger")(halves)))
    translate(larger, settings("catapult"), tmp_path / "parallel")
    with pytest.raises(UnsupportedLayer, match="layer 'larger' is a maximum or minimum of two layers in io_stream"):
        translate(larger, settings("catapult", "io_stream"), tmp_path / "stream")


@pytest.mark.parametrize(
    ("backend", "made", "says"),
    [
        ("quartus", table, "is a table of values, which hls4ml's Quartus backend does not carry: its C\\+\\+ has no"),
        ("oneapi", table, "hls4ml's oneAPI backend does not carry: its C\\+\\+ has no function"),
        ("catapult", table, "hls4ml's Catapult backend does not carry: its C\\+\\+ has no function"),
        ("quartus", depthwise, "layer 'dw' is a depthwise convolution, .* computes other values than QKeras"),
        ("catapult", depthwise, "layer 'dw' is a depthwise convolution, .* computes other values than QKeras"),
        ("quartus", average, "layer 'average' is an average, .* computes other values than QKeras"),
        ("catapult", average, "layer 'average' is an average, .* computes other values than QKeras"),
    ],
)
def test_layers_that_a_backend_does_not_carry_are_refused_by_name(
    backend: str, made: Callable[[], Any], says: str, tmp_path: Path
) -> None:
    with pytest.raises(UnsupportedLayer, match=says) as caught:
        translate(made(), settings(backend), tmp_path / "hls")
    assert isinstance(caught.value, FlowError)
    assert "target.backend = 'vitis'" in caught.value.hint


def test_every_backend_has_a_part_a_toolchain_and_an_answer_for_the_gate() -> None:
    names = set(get_args(Backend))
    assert names == set(PARTS) == set(backends.HLS4ML) == set(csim.FOLDERS) | set(csim.NEEDS)
    assert names <= {backend for chain in CHAINS.values() for backend in chain.backends}
    assert {name: Target.model_validate({"backend": name}).part for name in names} == dict(PARTS)
    assert Target.model_validate({"backend": "quartus", "part": "Stratix10"}).part == "Stratix10"


def test_every_backend_that_the_installed_hls4ml_offers_has_a_toolchain() -> None:
    from hls4ml.backends import get_available_backends

    built = {backend for chain in CHAINS.values() for backend in chain.backends}
    assert set(get_available_backends()) - {"symbolicexpression", "openrtl"} == built


@pytest.mark.parametrize("backend", ["oneapi", "quartus", "catapult"])
def test_a_project_leaves_nothing_behind_for_those_that_hls4ml_writes_later(backend: str, tmp_path: Path) -> None:
    """Its writers register for the whole process where Keras models are saved."""
    before = dict(yaml.Dumper.yaml_multi_representers)
    translate(network(dense(3, "fc1")), settings(backend), tmp_path / "hls")
    assert yaml.Dumper.yaml_multi_representers == before


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_readme_counts_the_uses_that_each_backend_carries(tmp_path: Path) -> None:
    """By code: of the layers of the inherited suite, those that the backend lacks are refused.

    The group of what is done to whole models is left out: it has no layers of its own.
    """
    layers = {group: constructs for group, constructs in conformance.groups().items() if group != "models"}
    carried = {}
    for io_type in conformance.BOTH:
        lacking = {backend: set[str]() for backend in backends.LACKING}
        total = 0
        for group, constructs in layers.items():
            chosen = [construct for construct in constructs if io_type in construct.io]
            total += len(chosen)
            model, folder = conformance.joined(chosen, 1), tmp_path / f"{io_type}-{group}"
            for layer in translate(model, settings("vitis", io_type), folder).hls_model.get_layers():
                for backend, kinds in backends.LACKING.items():
                    if backends._kind(layer) in kinds:
                        lacking[backend].add(_construct_of(layer.name, chosen))
        carried[io_type] = {backend: total - len(found) for backend, found in lacking.items()}
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "vendor_toolchains.md").read_text(encoding="utf-8")
    parallel, stream = (carried[io_type] for io_type in conformance.BOTH)
    assert f"{sum(map(len, layers.values()))} uses of layers" in page
    assert parallel["quartus"] == parallel["catapult"]
    said = f"{parallel['quartus']} (io_stream: {stream['quartus']} and {stream['catapult']})"
    assert f"| carried: {said}" in page


def _construct_of(layer: str, chosen: Sequence[conformance.Construct]) -> str:
    """The name of the construct that a layer is of: the longest one that it begins with."""
    return max((one.name for one in chosen if layer.startswith(f"{one.name}_")), key=len)
