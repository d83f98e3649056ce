"""Project files: what is accepted, and what a user is told when something is not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from hlsflow.core.errors import ProjectError
from hlsflow.ir.fixed import Fixed
from hlsflow.project import Project, for_model, load, parse
from hlsflow.project.errors import listed
from hlsflow.project.scaffold import Facts, scaffold

DIGITS = Path(__file__).parents[2] / "projects" / "digits"


def content(**changes: Any) -> dict[str, Any]:
    """The least a project file must have, with changes: `section__key=value`, or None to remove."""
    values: dict[str, Any] = {
        "name": "mine",
        "data": {"source": "digits", "validation": 0.1, "test": 0.2},
        "model": {"quantized": "quantized"},
        "training": {"epochs": 2, "batch_size": 8, "learning_rate": 0.01},
        "input": {"precision": "fixed<10,4>"},
        "knobs": {"reuse_factor": 4},
    }
    for path, value in changes.items():
        *tables, key = path.split("__")
        table = values
        for name in tables:
            table = table.setdefault(name, {})
        if value is None:
            del table[key]
        else:
            table[key] = value
    return values


def problems(**changes: Any) -> list[str]:
    with pytest.raises(ProjectError) as caught:
        parse(content(**changes), "p/project.toml")
    assert caught.value.hint == "correct p/project.toml and run again"
    lines = caught.value.message.splitlines()
    assert all(line.startswith("p/project.toml: ") for line in lines)
    return [line.removeprefix("p/project.toml: ") for line in lines]


def test_the_digits_project_is_read_completely() -> None:
    project = load(DIGITS)
    assert project.name == "digits"
    assert project.input.precision == Fixed(5, 1, signed=False)
    assert project.reuse_factors == (16, 32, 64, 128)
    assert project.target.families == ("xc7", "xcup", "ecp5")
    assert project.target.clock_ns == 5.0
    assert project.data_path is None
    assert project.model_path == DIGITS / "model.py"
    assert project == load(DIGITS / "project.toml")


def test_defaults_are_those_documented() -> None:
    project = parse(content(), "x")
    assert (project.target.backend, project.target.io_type, project.target.route_part) == ("vitis", "io_parallel", None)
    assert (project.knobs.strategy, project.knobs.multiplier) == ("latency", "dsp")
    assert project.sweep.reuse_factor == ()
    assert project.gate.vectors == 1000
    assert project.budgets == {}


def test_a_prefix_is_written_only_where_there_is_one() -> None:
    assert "prefix" not in parse(content(), "x").target.model_dump()
    assert parse(content(target__prefix="jets_"), "x").target.model_dump()["prefix"] == "jets_"


def test_nothing_of_a_project_can_be_changed() -> None:
    project = load(DIGITS)
    with pytest.raises(ValidationError, match="frozen"):
        project.knobs.reuse_factor = 3


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {"knobs__reuse_facter": 3},
            "knobs.reuse_facter is not a known key; did you mean reuse_factor? "
            "allowed: reuse_factor, strategy, multiplier, weights_in, codebook, parallel_pixels, precision, pipeline, "
            "layers",
        ),
        (
            {"part": "xc7a35t"},
            "part is not a known key; did you mean target.part? "
            "allowed: name, task, data, model, training, quantize, prune, distil, share, anomaly, devices, input, "
            "target, knobs, sweep, budgets, explore, search, gate",
        ),
        (
            {"knobs__layers__fc1__precision__acum": "fixed<8,2>"},
            "knobs.layers.fc1.precision.acum is not a known key; did you mean accum? "
            "allowed: result, accum, weight, bias",
        ),
        (
            {"knobs__zzz": 1},
            "knobs.zzz is not a known key; "
            "allowed: reuse_factor, strategy, multiplier, weights_in, codebook, parallel_pixels, precision, pipeline, "
            "layers",
        ),
        ({"budgets__xc8__lut": 1}, "budgets.xc8 is not a known key; did you mean xc7? allowed: xc7, xcup, ecp5"),
        (
            {"target__io_type": "stream"},
            "target.io_type is 'stream'; did you mean io_stream? allowed: io_parallel, io_stream",
        ),
        (
            {"target__prefix": "2nd"},
            "target.prefix is '2nd'; allowed: letters, digits and _, beginning with a letter or _, such as jets_",
        ),
        (
            {"knobs__strategy": "resorce"},
            "knobs.strategy is 'resorce'; did you mean resource? allowed: latency, resource, sparse",
        ),
        (
            {"target__families": ["xc7", "ecp"]},
            "target.families[1] is 'ecp'; did you mean ecp5? allowed: xc7, xcup, ecp5",
        ),
        ({"input": None}, "input is missing, and has no default"),
        ({"input": {}}, "input.precision is missing, and has no default"),
        (
            {"knobs__reuse_factor": 0},
            "knobs.reuse_factor is 0 (an integer), but it should be greater than or equal to 1",
        ),
        ({"knobs__reuse_factor": "4"}, "knobs.reuse_factor is '4' (a string), but it should be a valid integer"),
        ({"knobs__reuse_factor": True}, "knobs.reuse_factor is True (true or false), but it should be a valid integer"),
        ({"training__epochs": 2.0}, "training.epochs is 2.0 (a float), but it should be a valid integer"),
        ({"data__test": 1.0}, "data.test is 1.0 (a float), but it should be less than 1"),
        ({"data__scale": float("inf")}, "data.scale is inf (a float), but it should be a finite number"),
        ({"target__families": []}, "target.families is [] (an array), but it should have at least 1 item, not 0"),
        ({"gate__vectors": 0}, "gate.vectors is 0 (an integer), but it should be greater than or equal to 1"),
        ({"knobs": 7}, "knobs is 7 (an integer), but it should be a table"),
        ({"devices": {"strategy": "tpu"}}, "devices: tpu names the TPU of strategy 'tpu': give both or neither"),
        (
            {"devices": {"strategy": "mirrored", "layers": {"fc1": "GPU:0"}}},
            "devices: layers are placed one by one with strategy 'one'",
        ),
        (
            {"devices": {"strategy": "workers", "use": ["GPU:0"]}},
            "devices: strategy 'workers' takes all devices: hide GPUs by CUDA_VISIBLE_DEVICES instead",
        ),
        ({"devices": {"use": ["GPU:0", "GPU:1"]}}, "devices: several devices need strategy 'mirrored'"),
        (
            {"devices": {"strategy": "workers", "cpus": 2}},
            "devices: cpus are logical devices of one machine: use strategy 'one' or 'mirrored'",
        ),
        (
            {"devices": {"strategy": "mirrored", "xla": True}},
            "devices: xla compiles for one device or a TPU, not with strategy 'mirrored' or 'workers'",
        ),
        (
            {"devices": {"xla": True, "layers": {"fc1": "CPU:0"}}},
            "devices: xla compiles for one device: remove layers or xla",
        ),
        ({"sweep__reuse_factor": [4, 8, 4]}, "sweep.reuse_factor: 4 stands there more than once"),
        (
            {"sweep__reuse_factor": [4, 0]},
            "sweep.reuse_factor[1] is 0 (an integer), but it should be greater than or equal to 1",
        ),
        (
            {"input__precision": "fixed<10>"},
            "input.precision: 'fixed<10>' is no fixed-point type; "
            "write for example fixed<10,4> or ufixed<6,0,RND_CONV,SAT>",
        ),
        (
            {"input__precision": "fixed<10,200>"},
            "input.precision: fixed<10,200> leaves the range of float32, in which Keras computes: 2**-126 to 2**127",
        ),
        (
            {"target__clock_ns": 1e-300},
            "target.clock_ns is 1e-300 (a float), but it should be greater than or equal to 0.1",
        ),
        ({"input__precision": "fixed<80,4>"}, "input.precision: width 80 is outside 1..62 bits"),
        (
            {"knobs__precision__accum": 12},
            "knobs.precision.accum: '12' is no fixed-point type; "
            "write for example fixed<10,4> or ufixed<6,0,RND_CONV,SAT>",
        ),
        (
            {"data__source": "samples.txt"},
            "data.source is 'samples.txt'; "
            "allowed: digits, digits_fusion, mnist, cifar10, jets, synthetic_jets, or the path of an .npz, .csv "
            "or .parquet file",
        ),
        (
            {"target__route_part": "xc7a35t", "target__families": ["ecp5"]},
            "target.route_part is 'xc7a35t'; allowed: an ECP5 part as Lattice writes it, such as LFE5U-45F-6BG381C",
        ),
        (
            {"target__route_part": "LFE5U-45F-6BG381C", "target__families": ["xc7"]},
            "target: route_part is an ECP5 part: add 'ecp5' to families, or leave route_part out",
        ),
        (
            {"model__file": "m.h5"},
            "model: give one of quantized (a function in model.py), float_file and file (trained models)",
        ),
        ({"training": None}, "the file: model.quantized must be trained: add a [training] table"),
        (
            {"data__test": None},
            "data: source 'digits' comes in one piece: give both validation and test, such as 0.1 and 0.2",
        ),
        (
            {"data__source": "mnist", "data__test": 0.2},
            "data: mnist and cifar10 come with a test set: give validation, such as 0.1, and no test",
        ),
        (
            {"data__fallback": "digits"},
            "data: fallback 'digits' stands in for a missing file, or jets that cannot be downloaded, not for source "
            "'digits': remove it",
        ),
        (
            {"data__source": "jets", "data__fallback": "jets"},
            "data: fallback 'jets' stands in for a missing file, or jets that cannot be downloaded, not for source "
            "'jets': remove it",
        ),
        (
            {"data__source": "jets", "data__test": None},
            "data: source 'jets' comes in one piece: give both validation and test, such as 0.1 and 0.2",
        ),
        (
            {"budgets__ecp5__lut": 10, "target__families": ["xc7"]},
            "the file: budgets.ecp5 is never judged: target.families has ['xc7']",
        ),
    ],
)
def test_each_mistake_is_named_with_what_is_allowed(changes: dict[str, Any], line: str) -> None:
    assert problems(**changes) == [line]


def test_all_mistakes_of_a_file_are_told_at_once() -> None:
    lines = problems(knobs__reuse_facter=3, input__precision="x", training__epochs=0, name=None)
    assert [line.split()[0].rstrip(":") for line in lines] == [
        "name",
        "training.epochs",
        "input.precision",
        "knobs.reuse_facter",
    ]


def test_knobs_of_a_layer_go_over_the_defaults() -> None:
    layers = {"fc1": {"reuse_factor": 2, "precision": {"accum": "fixed<20,8>"}}}
    knobs = parse(content(knobs={"reuse_factor": 4, "precision": {"bias": "fixed<6,1>"}, "layers": layers}), "x").knobs
    fc1, fc2 = knobs.of("fc1"), knobs.of("fc2")
    assert (fc1.reuse_factor, fc1.strategy, fc2.reuse_factor) == (2, "latency", 4)
    assert (fc1.precision.accum, fc1.precision.bias) == (Fixed(20, 8), Fixed(6, 1))
    assert (fc2.precision.accum, fc2.precision.result) == (None, None)


def test_a_point_of_the_sweep_leaves_a_layers_own_reuse_factor_alone() -> None:
    knobs = parse(content(knobs={"reuse_factor": 4, "layers": {"fc1": {"reuse_factor": 2}}}), "x").knobs.at(64)
    assert (knobs.of("fc1").reuse_factor, knobs.of("fc2").reuse_factor) == (2, 64)


def test_digest_fields_are_exactly_the_named_sections() -> None:
    project = load(DIGITS)
    fields = project.digest_fields("input", "model_digest")
    assert fields == {"input": {"precision": "ufixed<5,1>"}, "model_digest": project.model_digest}
    assert project.digest_fields("training") == project.at(3).digest_fields("training")
    assert project.digest_fields("knobs") != project.at(3).digest_fields("knobs")


def project_folder(folder: Path, toml: str | None, model: str | None = None) -> Path:
    if toml is not None:
        (folder / "project.toml").write_text(toml)
    if model is not None:
        (folder / "model.py").write_text(model)
    return folder


def load_error(path: Path) -> ProjectError:
    with pytest.raises(ProjectError) as caught:
        load(path)
    return caught.value


TOML = (DIGITS / "project.toml").read_text()


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    assert "there is no folder" in load_error(tmp_path / "none").message


def test_a_folder_without_a_project_file(tmp_path: Path) -> None:
    assert load_error(tmp_path).message == f"{tmp_path} has no project.toml, so it is no project"


def test_toml_mistakes_have_line_and_column(tmp_path: Path) -> None:
    message = load_error(project_folder(tmp_path, 'name = "x"\n[data\n')).message
    assert message.startswith(f"{tmp_path}/project.toml is not valid TOML")
    assert "line 2, column 6" in message


def test_a_binary_project_file(tmp_path: Path) -> None:
    (tmp_path / "project.toml").write_bytes(b"\xff\xfe\x00")
    assert "is not valid TOML: byte 0 is no UTF-8" in load_error(tmp_path).message


def test_a_missing_model(tmp_path: Path) -> None:
    message = load_error(project_folder(tmp_path, TOML)).message
    assert (
        message == f"{tmp_path}/project.toml: the model {tmp_path}/model.py cannot be read: No such file or directory"
    )


def test_a_builder_that_is_not_in_model_py(tmp_path: Path) -> None:
    error = load_error(project_folder(tmp_path, TOML, "def quantised(): ...\ndef baseline(): ...\n"))
    assert error.message == (
        f"{tmp_path}/model.py: has no function quantized(), which model.quantized names; did you mean quantised?"
    )
    assert error.hint == "functions there: baseline, quantised"


def test_a_model_py_with_a_syntax_error(tmp_path: Path) -> None:
    assert "line 1" in load_error(project_folder(tmp_path, TOML, "def quantized(:\n")).message


def test_reading_runs_no_code_of_the_project(tmp_path: Path) -> None:
    trap = f"open({str(tmp_path / 'ran')!r}, 'w')\ndef quantized(): ...\nfrom os import path as baseline\n"
    load(project_folder(tmp_path, TOML, trap))
    assert not (tmp_path / "ran").exists()


def test_a_changed_model_changes_the_digest(tmp_path: Path) -> None:
    source = (DIGITS / "model.py").read_text()
    same, changed = (load(project_folder(tmp_path, TOML, text)).model_digest for text in (source, source + "#"))
    assert (same == load(DIGITS).model_digest, changed == same) == (True, False)


def test_a_trained_model_needs_no_project(tmp_path: Path) -> None:
    model = tmp_path / "Jet tagger.h5"
    model.write_bytes(b"any")
    project = for_model(model, tmp_path / "x.npz", "fixed<10,4>", (16, 32))
    assert isinstance(project, Project)
    assert (project.name, project.model_path, project.data_path) == ("jet_tagger", model, tmp_path / "x.npz")
    assert (project.reuse_factors, project.training) == ((16, 32), None)


def test_a_trained_model_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="cannot be read: No such file"):
        for_model(tmp_path / "m.h5", tmp_path / "x.npz", "fixed<10,4>")


def test_reading_a_project_imports_no_tensorflow() -> None:
    code = "import sys; from hlsflow.project import load; load(__import__('pathlib').Path(sys.argv[1])); \
            sys.exit('tensorflow' in sys.modules)"
    subprocess.run([sys.executable, "-c", code, str(DIGITS)], check=True, cwd=DIGITS.parent.parent)


def test_the_skeleton_of_a_new_project_is_valid(tmp_path: Path) -> None:
    scaffold(tmp_path / "mine")
    project = load(tmp_path / "mine")
    assert (project.name, project.data_path) == ("mine", tmp_path / "mine" / "data.npz")
    assert "16, (32, 32), 4" in (tmp_path / "mine" / "model.py").read_text()


def test_a_skeleton_says_what_is_known_of_the_samples(tmp_path: Path) -> None:
    facts = Facts('a "b".csv', "kind", 13, 3, "fixed<9,4,RND,SAT>", standardize=True, undivided=False)
    scaffold(tmp_path / "mine", facts)
    data = load(tmp_path / "mine").data
    assert (data.source, data.label, data.standardize, data.test) == ('a "b".csv', "kind", True, None)
    assert "13, (32, 32), 3" in (tmp_path / "mine" / "model.py").read_text()


def test_a_hint_lists_what_is_most_alike_of_many_names() -> None:
    assert listed("fc9", ["fc1", "relu1"]) == "fc1, relu1"
    assert listed("fc9", []) == "none"
    many = [*(f"conv{number}_block" for number in range(45)), "fc1"]
    said = listed("fc9", many)
    assert said.startswith("fc1, ")
    assert said.endswith(", and 34 more")
    assert len(said.split(", ")) == 13
