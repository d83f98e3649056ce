"""A design as a core for others: FuseSoC sets it up, and the script for Vivado names every file and bus."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from hlsflow.ir import evaluate
from hlsflow.rtl import Design, LayerKnobs, emit, schedule
from hlsflow.rtl.axis import axis_top
from hlsflow.rtl.packages import packages
from hlsflow.rtl.testbench import testbench as bench
from tests.rtl.networks import chain, dense, vectors
from tests.toolchains.standins import NEEDS_TCL

GRAPH = chain(3, "fixed<6,3>", dense(2, "fixed<14,7>", "fixed<14,7>"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As a run leaves it."""
    design, place = emit(schedule(GRAPH, {}, LayerKnobs(2)), prefix="net_"), tmp_path_factory.mktemp("rtl")
    for name, text in files_of(design).items():
        (place / name).write_text(text)
    return place


def files_of(design: Design) -> dict[str, str]:
    x = vectors(GRAPH, 4)
    axis, around = axis_top(design, 32), bench(design, x, evaluate(GRAPH, x))
    package = packages(design, axis, around, "small_R2", "xc7z020clg400-1")
    return {**design.files, **axis, **around, **package}


@pytest.mark.parametrize("target", ["default", "lint", "sim"])
def test_fusesoc_sets_it_up(folder: Path, target: str, tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "fusesoc.main", "--cores-root", str(folder), "run", "--setup", "--target", target]
    argv += ["--build-root", str(tmp_path), *(["--tool", "icarus"] if target == "default" else []), "small_R2"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (written,) = tmp_path.rglob("*.eda.yml")
    told = yaml.safe_load(written.read_text())
    named = {Path(file["name"]).name for file in told["files"] if file["file_type"].startswith("verilogSource")}
    wanted = {path.name for path in folder.glob("*.v")}
    benches = {f"net_{name}.v" for name in ("testbench", "stream_source", "stream_check")}
    assert named == (wanted if target == "sim" else wanted - benches)
    assert told["toplevel"] == ("net_testbench" if target == "sim" else "net_axis_top")
    assert bool(list(written.parent.glob("*.hex"))) == (target == "sim")


STANDINS = """
proc record {args} { puts $args }
proc create_project {args} { record create_project {*}$args }
proc add_files {args} { foreach file [lindex $args end] { puts [list file $file [file exists $file]] } }
proc set_property {args} { record set_property {*}$args }
proc current_fileset {} { return sources }
namespace eval ipx {
    proc current_core {} { return core }
    foreach name {package_project associate_bus_interfaces create_xgui_files update_checksums save_core} {
        proc $name {args} [format { record %s {*}$args } $name]
    }
}
source net_vivado_ip.tcl
"""


@NEEDS_TCL
def test_the_script_for_vivado_names_every_file_and_bus(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run by Tcl itself, with a stand-in for each command of Vivado."""
    import tkinter

    monkeypatch.chdir(folder)
    tcl, said = tkinter.Tcl(), list[str]()
    tcl.createcommand("puts", said.append)
    tcl.eval(STANDINS)
    files = {line.split()[1]: line.split()[2] for line in said if line.startswith("file ")}
    benches = {f"net_{name}.v" for name in ("testbench", "stream_source", "stream_check")}
    assert files == {path.name: "1" for path in folder.glob("*.v") if path.name not in benches}
    assert "create_project -in_memory -part xc7z020clg400-1" in said
    assert "set_property top net_axis_top sources" in said
    assert "associate_bus_interfaces -busif s_axis_in -clock aclk core" in said
    assert "associate_bus_interfaces -busif m_axis_out -clock aclk core" in said
    assert said[-1] == "save_core core"


def test_without_an_amd_part_there_is_no_script() -> None:
    design = emit(schedule(GRAPH, {}, LayerKnobs(2)))
    assert list(packages(design, (), (), "small", None)) == ["small.core"]
