"""A bitstream with all that PYNQ needs, and projects that are not for that."""

from __future__ import annotations

from pathlib import Path

import pytest

from hlsflow.core.errors import DataError
from hlsflow.toolchains import drive, vivado_accelerator, vivado_hls
from hlsflow.toolchains.chain import Step
from tests.toolchains.standins import NEEDS_TCL, amd_project, install, synthesized

pytestmark = NEEDS_TCL


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    install(monkeypatch, tmp_path, "vivado", "2019.2")
    return synthesized(amd_project(tmp_path / "project", "vivadoaccelerator"))


def test_what_pynq_loads_stands_in_one_folder(exported: Path) -> None:
    drive.run(vivado_accelerator.CHAIN, exported, (Step.BITSTREAM,))
    place = exported / "hlsflow_pynq"
    assert {path.name for path in place.iterdir()} >= {"tiny.bit", "tiny.hwh", "axi_stream_driver.py"}
    assert (place / "tiny.hwh").read_text() == "<system/>\n"


def test_from_the_cpp_to_the_bitstream(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    install(monkeypatch, tmp_path, "vivado", "2019.2")
    install(monkeypatch, tmp_path, "vivado_hls", "2019.2")
    folder = amd_project(tmp_path / "project", "vivadoaccelerator")
    outcome = drive.run(vivado_hls.CHAIN, folder, (Step.CSYNTH, Step.EXPORT))
    assert {report.top for report in outcome.reports} == {"tiny_axi"}
    drive.run(vivado_accelerator.CHAIN, folder, (Step.BITSTREAM,))
    assert (folder / "hlsflow_pynq" / "tiny.bit").is_file()


@pytest.mark.parametrize(
    ("missing", "says"),
    [
        ("design.tcl", "is no project of VivadoAccelerator"),
        ("axi_stream_driver.py", "its driver is not for PYNQ"),
        ("tiny_prj/solution1/impl/ip/component.xml", "the bitstream needs the IP"),
        ("tiny_prj/solution1/syn/verilog/rom.dat", "weight ROM"),
    ],
)
def test_what_is_missing_is_told_before_the_start(exported: Path, missing: str, says: str) -> None:
    (exported / missing).unlink()
    with pytest.raises(DataError, match=says):
        drive.run(vivado_accelerator.CHAIN, exported, (Step.BITSTREAM,))


def test_alveo_cards_are_told_apart(exported: Path) -> None:
    (exported / "src").mkdir()
    with pytest.raises(DataError, match="Alveo"):
        drive.run(vivado_accelerator.CHAIN, exported, (Step.BITSTREAM,))
