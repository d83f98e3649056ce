"""Logic synthesis and routing: their order, their figures, and weight ROMs that are not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from hlsflow.core.errors import DataError, ToolFailed
from hlsflow.core.metrics import Stage
from hlsflow.toolchains import drive, vivado
from hlsflow.toolchains.chain import Step
from tests.toolchains.standins import NEEDS_TCL, amd_project, install, synthesized

pytestmark = NEEDS_TCL
VERILOG = "tiny_prj/solution1/syn/verilog"


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """One in which csynth has been done."""
    install(monkeypatch, tmp_path, "vivado", "2020.1")
    return synthesized(amd_project(tmp_path / "project", "vivado"))


def test_synthesis_and_routing_share_no_column(project: Path) -> None:
    outcome = drive.run(vivado.CHAIN, project, (Step.IMPLEMENT, Step.SYNTH))
    assert outcome.ran == (Step.SYNTH, Step.IMPLEMENT)
    for stage in (Stage.SYNTH, Stage.ROUTED):
        found = {metric.name for metric in outcome.metrics if metric.stage is stage}
        assert {"lut", "ff", "dsp", "bram", "wns_ns", "fmax_mhz", "power_w"} <= found
    slack = outcome.metrics.get("wns_ns", Stage.ROUTED)
    assert slack is not None
    assert slack.source.startswith("hlsflow_vivado/routed_timing.rpt:")
    assert (project / "hlsflow_vivado" / "routed.dcp").is_file()


def test_floating_point_cores_are_made_first(project: Path) -> None:
    core = "create_ip -name floating_point -vendor xilinx.com -library ip -module_name tiny_fadd_ip\n"
    (project / VERILOG / "tiny_fadd_ip.tcl").write_text(core)
    drive.run(vivado.CHAIN, project, (Step.SYNTH,))
    log = (project / "hlsflow_logs" / "vivado-synth.log").read_text()
    assert log.index("Command: create_ip") < log.index("Command: synth_ip") < log.index("Starting Synthesize")


def test_routing_needs_synthesis(project: Path) -> None:
    with pytest.raises(DataError, match="implement needs the result of synth"):
        drive.run(vivado.CHAIN, project, (Step.IMPLEMENT,))


@pytest.mark.parametrize("content", [None, ""], ids=["missing", "empty"])
def test_a_weight_rom_that_is_not_there_is_refused_before_the_start(project: Path, content: str | None) -> None:
    rom = project / VERILOG / "rom.dat"
    rom.unlink()
    if content is not None:
        rom.write_text(content)
    with pytest.raises(DataError, match=r"tiny\.v loads the weight ROM \./rom\.dat, which is missing or empty"):
        drive.run(vivado.CHAIN, project, (Step.SYNTH,))
    assert not (project / "hlsflow_logs").exists()


def test_a_weight_rom_that_vivado_does_not_find_is_a_failure(monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    monkeypatch.setenv("STANDIN_MODE", "lost_rom")
    with pytest.raises(ToolFailed, match=r"the weight ROM \./rom\.dat was not found"):
        drive.run(vivado.CHAIN, project, (Step.SYNTH,))


def test_verilog_must_be_there(project: Path) -> None:
    (project / VERILOG / "tiny.v").unlink()
    with pytest.raises(DataError, match="holds no Verilog"):
        drive.run(vivado.CHAIN, project, (Step.SYNTH,))
