"""What is known to fail is found before the start, with the knob that cures it; what is right is left alone."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from hlsflow.core.errors import ProjectError
from hlsflow.estimate import Design, Kind, Layer, hls4ml_project
from hlsflow.estimate.preflight import LICENCE_VARIABLES, Finding, Severity, check, require
from hlsflow.project.reuse import legal_reuse_factors
from tests.estimate.designs import design, matrix, project, relu

LICENSED = "xcvu9p-flga2104-2L-e"


@pytest.fixture(autouse=True)
def _no_licence(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    for name in {name for names in LICENCE_VARIABLES.values() for name in names}:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))


def _about(found: Sequence[Finding], word: str) -> Finding:
    (one,) = [finding for finding in found if word in finding.what]
    return one


def test_a_project_without_faults_has_no_findings(tmp_path: Path) -> None:
    one = hls4ml_project.read(project(tmp_path, reuse_factor="1"))
    one = replace(one, layers=tuple(replace(layer, asked=None) for layer in one.layers))
    assert check(one, tmp_path) == ()


@pytest.mark.parametrize(("wide", "fails"), [(64, False), (65, True)])
def test_vivado_hls_unrolls_no_more_than_4096_products(wide: int, fails: bool) -> None:
    found = check(design(matrix("fc1", 64, wide), backend="vivado", part="xcu250-figd2104-2L-e"))
    stops = [finding for finding in found if "unrolls" in finding.what]
    assert bool(stops) == fails
    if stops:
        assert stops[0].severity is Severity.ERROR
        assert stops[0].layer == "fc1"
        assert stops[0].cure == "set strategy = resource and reuse_factor >= 2, or backend vitis"


def test_a_loop_of_strategy_resource_is_as_long_as_one_step() -> None:
    wide = matrix("fc1", 256, 256, strategy="resource", reuse_factor=8)
    stop = _about(check(design(wide, backend="vivado", part="xcu250-figd2104-2L-e")), "unrolls")
    assert "8,192" in stop.what
    assert stop.cure.startswith("set strategy = resource and reuse_factor >= 16")
    enough = replace(wide, reuse_factor=16)
    assert not [one for one in check(design(enough, backend="vivado", part="xcu250")) if "unrolls" in one.what]


def test_vitis_hls_is_warned_of_hours_only() -> None:
    slow = _about(check(design(matrix("fc1", 128, 64), part="xcu250-figd2104-2L-e")), "hours")
    assert slow.severity is Severity.WARNING


def test_vivado_hls_partitions_no_more_than_4096_results() -> None:
    layer = replace(matrix("conv1", 9, 16), positions=900)
    found = check(design(layer, backend="vivado", part="xcu250-figd2104-2L-e"))
    stop = _about(found, "partitions")
    assert (stop.severity, stop.cure) == (Severity.ERROR, "set io_type = io_stream")
    streamed = design(layer, backend="vivado", io_type="io_stream", dataflow=True, part="xcu250-figd2104-2L-e")
    assert not [one for one in check(streamed) if "partitions" in one.what]


def test_an_input_of_more_than_65536_bits_is_too_wide() -> None:
    layer = matrix("fc1", 10_000, 1)
    assert "80,000" in _about(check(design(layer, part="xcu250-figd2104-2L-e")), "one word").what


def test_an_illegal_reuse_factor_is_met_with_legal_ones() -> None:
    layer = matrix("fc1", 16, 8, strategy="resource", reuse_factor=5)
    wrong = _about(check(design(layer)), "reuse factor 5")
    assert wrong.severity is Severity.ERROR
    assert wrong.cure == "set reuse_factor = 4 or 8"


def test_strategy_latency_does_not_honour_a_large_reuse_factor() -> None:
    said = _about(check(design(matrix("fc1", 16, 8, reuse_factor=128))), "does not honour")
    assert said.severity is Severity.WARNING
    least = int(said.cure.split("<= ")[1].split(",")[0])
    assert not [one for one in check(design(matrix("fc1", 16, 8, reuse_factor=least))) if "honour" in one.what]


def test_a_reuse_factor_that_hls4ml_changed_is_said(tmp_path: Path) -> None:
    changed = _about(check(hls4ml_project.read(project(tmp_path))), "asked for")
    assert changed.what == "reuse_factor = 5 was asked for, and hls4ml wrote 4"


def test_a_part_that_is_too_small_is_refused_with_a_cure_that_works() -> None:
    big = design(*(matrix(f"fc{n}", 64, 64) for n in range(3)), part="xc7z007s-clg225-2")
    found = check(big)
    with pytest.raises(ProjectError, match="does not fit"):
        require(found)
    dsp = next(one for one in found if one.what.startswith("DSP"))
    factor = int(dsp.cure.split(">= ")[1].split()[0])
    assert dsp.severity is Severity.ERROR
    assert not [one for one in check(big.at(factor)) if one.what.startswith("DSP")]
    folded = next(one for one in found if one.what.startswith("LUT")).cure
    assert folded == "set strategy = resource and reuse_factor >= 512 in all layers"
    ways = [replace(layer, strategy="resource", reuse_factor=512) for layer in big.layers]
    assert not [one for one in check(replace(big, layers=tuple(ways))) if "fit" in one.what]
    ways = [replace(layer, strategy="resource", reuse_factor=256) for layer in big.layers]
    assert [one for one in check(replace(big, layers=tuple(ways))) if "fit" in one.what]


def test_a_larger_part_is_named_where_no_knob_helps() -> None:
    for lanes, larger in ((1_500, "xc7a200t"), (100_000, "a larger part than any that is known")):
        wide = design(matrix("fc", 16, 16), relu("relu", lanes), part="xc7z007s-clg225-2")
        (cure,) = (one.cure for one in check(wide) if one.what.startswith("LUT"))
        told = "no reuse factor of strategy latency or resource is enough: narrow the weights, or take "
        assert cure == told + larger


SHAPES = [(77, 60), (90, 70)]
"""Powers of two above 2 are no legal reuse factors of strategy resource there."""


def test_reuse_factors_of_the_hint_are_legal_in_every_layer() -> None:
    big = design(*(matrix(f"fc{n}", *shape) for n, shape in enumerate(SHAPES)), part="xc7z007s-clg225-2")
    lut = next(one for one in check(big) if one.what.startswith("LUT"))
    factor = int(lut.cure.removeprefix("set strategy = resource and reuse_factor >= ").split()[0])
    legal = [min(one for one in legal_reuse_factors(*shape, "resource") if one >= factor) for shape in SHAPES]
    pairs = zip(big.layers, legal, strict=True)
    layers = tuple(replace(layer, strategy="resource", reuse_factor=own) for layer, own in pairs)
    found = check(replace(big, layers=layers))
    assert not [one for one in found if "fit" in one.what or "has no reuse factor" in one.what]


def test_a_design_with_a_layer_that_is_not_estimated_is_neither_too_large_nor_small() -> None:
    unknown = Layer("rnn", Kind.OTHER, 1, 1, matrix("fc", 4, 4).input, matrix("fc", 4, 4).result)
    big = design(*(matrix(f"fc{n}", 64, 64) for n in range(3)), unknown, part="xc7z007s-clg225-2")
    assert not [one for one in check(big) if "fit" in one.what]


def test_what_is_too_close_to_tell_is_a_warning() -> None:
    close = design(matrix("fc1", 32, 20), relu("relu", 20), part="xc7z007s-clg225-2")
    lut = next(one for one in check(close) if one.what.startswith("LUT"))
    assert lut.severity is Severity.WARNING
    require((lut,))


def test_a_licence_is_missed_where_the_part_needs_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    paid, free = _tiny(LICENSED), _tiny("xc7z020clg400-1")
    assert _about(check(paid), "licence").severity is Severity.WARNING
    assert check(free) == ()
    monkeypatch.setenv("XILINXD_LICENSE_FILE", str(tmp_path / "none.lic"))
    assert _about(check(paid), "licence").severity is Severity.ERROR
    (tmp_path / "none.lic").touch()
    assert check(paid) == ()


def test_a_licence_server_must_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        entry = f"{server.getsockname()[1]}@127.0.0.1"
        monkeypatch.setenv("LM_LICENSE_FILE", os.pathsep.join([entry, "/no/such.lic"]))
        assert check(_tiny(LICENSED)) == ()
    assert _about(check(_tiny(LICENSED)), "cannot be reached").severity is Severity.ERROR


def _tiny(part: str) -> Design:
    return design(matrix("fc1", 4, 4), part=part)


def test_other_vendors_backends_have_their_own_licences_and_no_limits_of_amd() -> None:
    found = check(design(matrix("fc1", 128, 64), backend="catapult", part="asap7-12"))
    assert [one.what for one in found] == [
        "a licence is needed for asap7-12, and none of MGLS_LICENSE_FILE, SALT_LICENSE_SERVER, LM_LICENSE_FILE is set"
    ]


@pytest.mark.parametrize("name", ["w2.h", "w2.txt"])
def test_weight_files_that_sources_name_must_be_there(tmp_path: Path, name: str) -> None:
    folder = project(tmp_path)
    one = hls4ml_project.read(folder)
    (folder / "firmware/weights" / name).unlink()
    missing = _about(check(one, folder), f"{name} is missing")
    assert missing.severity is Severity.ERROR


def test_memory_files_of_verilog_must_be_beside_it(tmp_path: Path) -> None:
    folder = project(tmp_path)
    verilog = folder / "syn" / "verilog"
    verilog.mkdir(parents=True)
    (verilog / "rom.v").write_text('initial begin $readmemh("./rom.dat", ram); end\n', encoding="utf-8")
    one = hls4ml_project.read(folder)
    assert "rom.dat is missing" in _about(check(one, folder), "readmemh").what
    (verilog / "rom.dat").write_text("00\n", encoding="utf-8")
    assert not [finding for finding in check(one, folder) if "readmemh" in finding.what]


def test_errors_come_first_and_say_layer_and_cure() -> None:
    layers = matrix("fc1", 16, 8, reuse_factor=128), matrix("fc2", 8, 8, strategy="resource", reuse_factor=5)
    found = check(design(*layers))
    assert [one.severity for one in found] == [Severity.ERROR, Severity.WARNING]
    assert str(found[0]).startswith("error: layer 'fc2': ")
    assert "; set reuse_factor = " in str(found[0])
