"""`hlsflow build`: projects of ours and folders of hls4ml's through toolchains that stand-ins play."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hlsflow.__main__ import main
from hlsflow.core.errors import ProjectError, ToolMissing
from hlsflow.pipeline.vendor import Request, plan
from hlsflow.toolchains.chain import Step
from tests.explore.test_explore_vendor import PROJECT, written
from tests.hls.networks import act, dense, network
from tests.toolchains.standins import NEEDS_TCL, amd_project, install
from tests.toolchains.test_other_vendors import FIGURES, PROGRAMS, STANDIN

SAMPLES = PROJECT.replace('["latency", "resource"]', '["resource"]')


def build(path: Path, *arguments: str) -> int:
    return main(["build", str(path), "--build", str(path.parent / "build"), *arguments])


@NEEDS_TCL
def test_a_folder_that_hls4ml_wrote(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install(monkeypatch, tmp_path, "vitis-run", "2024.2")
    install(monkeypatch, tmp_path, "vivado", "2024.2")
    folder = amd_project(tmp_path / "theirs", "vitis")
    assert build(folder, "--steps", "csim,csynth,synth") == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "| lut | 678 | LUT | hls | Vitis HLS | 2024.2 |" in said
    assert "| lut | 210 | LUT | synth | Vivado | 2024.2 |" in said
    kept = json.loads((folder / "metrics.json").read_text())
    assert {figure["stage"] for figure in kept} == {"csim", "hls", "synth"}
    assert build(folder, "--steps", "csim,csynth,synth") == 0
    assert capsys.readouterr().out.count("nothing has changed since") == 3


@NEEDS_TCL
def test_a_project_is_translated_for_the_backend_of_the_toolchain(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install(monkeypatch, tmp_path, "vivado_hls", "2019.2")
    install(monkeypatch, tmp_path, "vivado", "2019.2")
    model = network(dense(3, "fc1"), act("quantized_relu(5,2)", "relu"), dense(2, "fc2"), n_in=4)
    project = written(tmp_path / "pair", model, SAMPLES)
    own = project / "templates" / "tools" / "vivado_accelerator" / "bitstream.tcl"
    own.parent.mkdir(parents=True)
    own.write_text(
        (Path(__file__).parents[2] / "templates/tools/vivado_accelerator/bitstream.tcl").read_text()
        + "puts {OUR OWN}\n"
    )
    assert build(project, "--toolchain", "vivado_accelerator", "--steps", "csynth,export,bitstream") == 0
    (folder,) = (tmp_path / "build" / "pair" / "vendor").iterdir()
    assert folder.name.startswith("vivadoaccelerator-")
    assert (folder / "hlsflow_pynq" / "hlsflow_top.bit").is_file()
    assert "OUR OWN" in (folder / "hlsflow_logs" / "vivado_accelerator-bitstream.log").read_text()
    assert 'set part "xc7z020clg400-1"' in (folder / "project.tcl").read_text()  # that of the board
    assert "Vivado HLS csynth: done" in capsys.readouterr().out


@NEEDS_TCL
@pytest.mark.parametrize("name", ["oneapi", "quartus", "catapult"])
def test_one_project_goes_through_the_tools_of_every_vendor(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    programs, version = PROGRAMS[name]
    for program in programs:
        install(monkeypatch, tmp_path, program, version, STANDIN)
    model = network(dense(3, "fc1"), act("quantized_relu(5,2)", "relu"), dense(2, "fc2"), n_in=4)
    project = written(tmp_path / "pair", model, SAMPLES.replace("factor = 3", "factor = 1"))
    assert build(project, "--toolchain", name) == 0
    said = capsys.readouterr().out
    assert ("frozen = csim" in said) == (name != "oneapi")  # whose headers are not here
    (folder,) = (tmp_path / "build" / "pair" / "vendor").iterdir()
    kept = {figure["name"] for figure in json.loads((folder / "metrics.json").read_text())}
    assert kept == FIGURES[name][Step.CSYNTH].keys()


@NEEDS_TCL
def test_what_is_known_to_fail_is_not_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install(monkeypatch, tmp_path, "vivado_hls", "2020.1")
    text = SAMPLES.replace("[knobs]", '[target]\nbackend = "vivado"\n[knobs]').replace("factor = 3", "factor = 1")
    project = written(tmp_path / "wide", network(dense(80, "fc1"), n_in=80), text.replace('"pair"', '"wide"'))
    assert build(project) == 2
    said = capsys.readouterr()
    assert "error: layer 'fc1': " in said.out
    assert "reuse_factor" in said.err
    assert not list((tmp_path / "build").rglob("*-csynth.log"))
    assert build(project, "--no-preflight") == 0
    assert list((tmp_path / "build").rglob("*-csynth.log"))


def test_without_any_tool_what_would_do_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("HLSFLOW_VITIS", raising=False)
    assert build(amd_project(tmp_path / "theirs", "vitis")) == 4
    said = capsys.readouterr().err
    assert "no vitis-run or vitis_hls on PATH" in said
    assert "`hlsflow run` needs no vendor's tool" in said


def test_what_cannot_be_built_is_one_clear_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = amd_project(tmp_path / "theirs", "vitis")
    for arguments, says in (
        (("--toolchain", "magic"), "there is no toolchain 'magic'"),
        (("--toolchain", "vivado_hls"), "builds no projects of hls4ml's vitis backend"),
        (("--part", "xc7z020"), "--part goes with a project"),
        (("--reuse-factor", "4"), "--reuse-factor goes with a project"),
    ):
        assert build(folder, *arguments) == 2
        assert says in capsys.readouterr().err
    assert build(tmp_path) == 2
    assert "is neither a project nor a folder that hls4ml wrote" in capsys.readouterr().err
    for option in (("--steps", "dream"), ("--timeout", "0"), ("--memory", "nan"), ("--licences", "-1")):
        with pytest.raises(SystemExit):
            build(folder, *option)


def test_a_part_that_can_be_none_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install(monkeypatch, tmp_path, "vitis-run", "2024.2")
    project = written(tmp_path / "pair", network(dense(3, "fc1"), n_in=4), SAMPLES)
    assert build(project, "--part", "xc7z020; exec rm") == 2
    assert "--part: 'xc7z020; exec rm' is no part" in capsys.readouterr().err


def test_steps_go_to_the_toolchains_that_have_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for program in ("vivado_hls", "vivado"):
        install(monkeypatch, tmp_path, program, "2019.2")
    steps = (Step.BITSTREAM, Step.SYNTH, Step.CSYNTH, Step.EXPORT)
    rows = [(chain.name, found) for chain, found in plan("vivadoaccelerator", Request(steps))]
    assert rows == [
        ("vivado_hls", (Step.CSYNTH, Step.EXPORT)),
        ("vivado", (Step.SYNTH,)),
        ("vivado_accelerator", (Step.BITSTREAM,)),
    ]
    assert [found for _, found in plan("vivado", Request(toolchain="vivado"))] == [(Step.SYNTH,)]
    with pytest.raises(ToolMissing, match="no toolchain does bitstream of hls4ml's vivado projects"):
        plan("vivado", Request((Step.BITSTREAM,)))
    with pytest.raises(ProjectError, match="Vivado builds no projects of hls4ml's oneapi backend"):
        plan("oneapi", Request(toolchain="vivado"))
