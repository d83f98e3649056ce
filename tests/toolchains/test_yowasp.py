"""WebAssembly tools are translated once, whatever happens meanwhile; nextpnr-ecp5 is the smaller of the two."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hlsflow.toolchains import nextpnr, yowasp
from hlsflow.toolchains.tool import Tool

ROOT = Path(__file__).parents[2]
SCRIPT = "from hlsflow.toolchains import nextpnr; nextpnr.prepare()"


def prepare_elsewhere(cache: Path) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "flows"),
        "XDG_CACHE_HOME": str(cache),
        "HLSFLOW_NEXTPNR": "wheel",
    }
    return subprocess.Popen([sys.executable, "-c", SCRIPT], env=environment)


def prepared(cache: Path) -> list[Path]:
    """The translated files that are ready for use."""
    return [
        file for ready in cache.glob("hlsflow/yowasp/*/ready") for file in ready.parent.rglob("nextpnr-ecp5.wasm/*")
    ]


def test_processes_at_once_translate_once_and_half_a_translation_is_not_used(tmp_path: Path) -> None:
    children = [prepare_elsewhere(tmp_path) for _ in range(2)]
    assert [child.wait(timeout=120) for child in children] == [0, 0]
    (file,) = prepared(tmp_path)
    written = file.stat()
    assert prepare_elsewhere(tmp_path).wait(timeout=120) == 0
    assert file.stat().st_mtime_ns == written.st_mtime_ns
    # A translation that was killed leaves half a file, and does not come to the mark that it is ready.
    next(tmp_path.glob("hlsflow/yowasp/*/ready")).unlink()
    os.truncate(file, written.st_size // 2)
    assert prepare_elsewhere(tmp_path).wait(timeout=120) == 0
    assert file.stat().st_size == written.st_size


def test_native_programs_need_no_preparation(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    native = Tool("nextpnr-ecp5", "0.11", ("/usr/bin/nextpnr-ecp5",), "native")
    assert yowasp.environment(native, nextpnr.PACKAGE) == {}
    assert list(tmp_path.iterdir()) == []
