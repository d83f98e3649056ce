"""Which program Vitis HLS is, and scripts of hls4ml that take their options in the older way."""

from __future__ import annotations

from pathlib import Path

import pytest

from hlsflow.core.errors import ToolMissing
from hlsflow.toolchains import drive, vitis
from hlsflow.toolchains.chain import Step
from tests.toolchains.standins import NEEDS_TCL, amd_project, hls4ml_templates, install


def test_vitis_run_is_taken_when_it_can_start_hls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    install(monkeypatch, tmp_path, "vitis_hls", "2024.2")
    install(monkeypatch, tmp_path, "vitis-run", "2024.2")
    assert vitis.CHAIN.find().argv[1:] == ("--mode", "hls", "--tcl")


def test_up_to_2024_1_it_is_vitis_hls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    install(monkeypatch, tmp_path, "vitis-run", "2024.1")
    install(monkeypatch, tmp_path, "vitis_hls", "2024.1")
    tool = vitis.CHAIN.find()
    assert (tool.version, tool.argv) == ("2024.1", (str(tmp_path / "bin" / "vitis_hls"), "-f"))


def test_an_environment_variable_names_it_by_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = install(monkeypatch, tmp_path, "vitis_hls", "2023.2")
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setenv("HLSFLOW_VITIS", str(program))
    assert vitis.CHAIN.find().version == "2023.2"


def test_absent_tools_are_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("HLSFLOW_VITIS", raising=False)
    with pytest.raises(ToolMissing, match="no vitis-run or vitis_hls on PATH") as caught:
        vitis.CHAIN.find()
    assert "settings64.sh" in caught.value.hint
    monkeypatch.setenv("HLSFLOW_VITIS", str(tmp_path / "nowhere"))
    with pytest.raises(ToolMissing, match="HLSFLOW_VITIS="):
        vitis.CHAIN.find()


def test_a_program_that_names_no_release_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    install(monkeypatch, tmp_path, "vitis-run", "unknown")
    with pytest.raises(ToolMissing, match="names no release"):
        vitis.CHAIN.find()


@NEEDS_TCL
def test_csynth_with_vitis_hls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    install(monkeypatch, tmp_path, "vitis_hls", "2023.2")
    metrics = drive.run(vitis.CHAIN, amd_project(tmp_path / "project", "vitis"), (Step.CSYNTH,)).metrics
    assert [metric.value for metric in metrics if metric.name == "dsp"] == [12]


@NEEDS_TCL
def test_scripts_that_take_options_as_arguments(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    install(monkeypatch, tmp_path, "vitis-run", "2025.1")
    folder = amd_project(tmp_path / "project", "vitis")
    (folder / "build_prj.tcl").write_bytes((hls4ml_templates() / "vivado" / "build_prj.tcl").read_bytes())
    assert drive.run(vitis.CHAIN, folder, (Step.CSYNTH,)).ran == (Step.CSYNTH,)
    log = (folder / "hlsflow_logs" / "vitis-csynth.log").read_text()
    assert "C/RTL SYNTHESIS" in log
    assert "C SIMULATION" not in log
