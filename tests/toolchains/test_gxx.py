"""The C++ compiler, on one-line programs."""

from __future__ import annotations

from pathlib import Path

import pytest

from hlsflow.core.errors import ToolFailed
from hlsflow.toolchains import gxx, process


def test_compiles_a_program_that_runs(tmp_path: Path) -> None:
    process.write_files(tmp_path, {"a.cpp": '#include <cstdio>\nint main() { std::puts("6 * 7 = 42"); }\n'})
    gxx.compile(["a.cpp"], "a", ["-O0"], tmp_path, tmp_path / "gxx.log")
    assert (
        process.run(["./a"], folder=tmp_path, log=tmp_path / "a.log", timeout_s=10, tool="a").output == "6 * 7 = 42\n"
    )


def test_an_error_is_shown(tmp_path: Path) -> None:
    process.write_files(tmp_path, {"a.cpp": "int main() { return nothing; }\n"})
    with pytest.raises(ToolFailed, match=r"a\.cpp:1:21: error: .*nothing"):
        gxx.compile(["a.cpp"], "a", [], tmp_path, tmp_path / "gxx.log")
