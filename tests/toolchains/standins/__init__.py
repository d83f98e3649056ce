"""Programs that stand in for vendors' tools that cannot be installed here, and projects for them to work on."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
NEEDS_TCL = pytest.mark.skipif(importlib.util.find_spec("_tkinter") is None, reason="the stand-ins need Tcl (tkinter)")


def install(
    monkeypatch: pytest.MonkeyPatch, folder: Path, program: str, version: str, standin: str = "amd_standin.py"
) -> Path:
    """Put a stand-in on PATH under the name of a program, before everything else; returns the executable."""
    place = folder / "bin"
    place.mkdir(parents=True, exist_ok=True)
    executable = place / program
    executable.write_text(f'#!/bin/sh\nexec {sys.executable} {HERE / standin} {program} "$@"\n')
    executable.chmod(0o755)
    monkeypatch.setenv("PATH", f"{place}{os.pathsep}/usr/bin{os.pathsep}/bin")
    monkeypatch.setenv("STANDIN_VERSION", version)
    monkeypatch.delenv("STANDIN_MODE", raising=False)
    for variable in [name for name in os.environ if name.startswith("HLSFLOW_")]:
        monkeypatch.delenv(variable)
    return executable


def hls4ml_templates() -> Path:
    """The scripts of the installed hls4ml, found without importing it."""
    spec = importlib.util.find_spec("hls4ml")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "templates"


def amd_project(folder: Path, backend: str, name: str = "tiny") -> Path:
    """The files of an hls4ml project of AMD's backends that its tools work on, with hls4ml's own scripts."""
    (folder / "firmware").mkdir(parents=True)
    (folder / "firmware" / f"{name}.cpp").write_text("// the network\n")
    (folder / f"{name}_test.cpp").write_text("// the test bench\n")
    script = (hls4ml_templates() / ("vitis" if backend == "vitis" else "vivado") / "build_prj.tcl").read_text()
    if backend == "vivadoaccelerator":
        _accelerate(folder)
        script = script.replace("set_top ${project_name}", "set_top ${project_name}_axi")
        script = script.replace("${project_name}_cosim", "${project_name}_axi_cosim")
        script = script.replace("${project_name}.tcl", "${project_name}_axi.tcl")
    (folder / "build_prj.tcl").write_text(script)
    settings = {"project_name": f'"{name}"', "backend": f'"{backend}"', "part": '"xcu250-figd2104-2L-e"'}
    settings |= {"clock_period": "5", "clock_uncertainty": "12.5%", "version": '"1.0.0"', "maximum_size": "4096"}
    settings |= {"bit_width_hls_output": "32", "bit_width_hls_input": "32"}
    lines = (f"variable {key}\nset {key} {value}\n" for key, value in settings.items())
    (folder / "project.tcl").write_text("".join(lines))
    (folder / "hls4ml_config.yml").write_text(f"Backend: {backend}\nProjectName: {name}\nPart: xcu250-figd2104-2L-e\n")
    return folder


def synthesized(folder: Path) -> Path:
    """What csynth and export leave in the project."""
    solution = folder / "tiny_prj" / "solution1"
    for place in (solution / "syn" / "verilog", solution / "impl" / "ip"):
        place.mkdir(parents=True)
    verilog = solution / "syn" / "verilog"
    (verilog / "tiny.v").write_text('module tiny;\ninitial $readmemh("./rom.dat", ram);\nendmodule\n')
    (verilog / "rom.dat").write_text("0f\n")
    (solution / "impl" / "ip" / "component.xml").write_text("<component/>\n")
    return folder


def _accelerate(folder: Path) -> None:
    board = hls4ml_templates() / "vivado_accelerator" / "pynq-z2"
    (folder / "design.tcl").write_bytes((board / "tcl_scripts" / "axi_stream_design.tcl").read_bytes())
    (folder / "axi_stream_driver.py").write_bytes((board / "python_drivers" / "axi_stream_driver.py").read_bytes())


def hls_project(folder: Path, backend: str) -> Path:
    """The same of the oneAPI, Quartus, Catapult and Libero backends; the network is called hlsflow_top."""
    sources = folder / "src" if backend == "oneapi" else folder
    (sources / "firmware").mkdir(parents=True)
    (folder / "tb_data").mkdir()
    (sources / "firmware" / "hlsflow_top.cpp").write_text("// the network\n")
    (sources / "firmware" / "hlsflow_top.h").write_text("// its declaration\n")
    (sources / "hlsflow_top_test.cpp").write_text("// the test bench\n")
    script = {"oneapi": "CMakeLists.txt", "quartus": "Makefile", "catapult": "build_prj.tcl"}.get(backend)
    if script is None:  # hls4ml's Libero backend makes these two from nothing
        (folder / "Makefile").write_text("NAME = hlsflow_top\nLOCAL_CONFIG = -legup-config=config.tcl\n")
        (folder / "config.tcl").write_text("set_project PolarFire MPF300 hw_only\nset_parameter CLOCK_PERIOD 5\n")
        return folder
    text = (hls4ml_templates() / backend / script).read_text().replace("myproject", "hlsflow_top")
    text = text.replace("CATAPULT_DIR", "hlsflow_top_prj")
    technology = "#hls-fpga-machine-learning insert techlibs"
    (folder / script).write_text(text.replace(technology, "setup_xilinx_part {xcku115-flvb2104-2-i}"))
    return folder
