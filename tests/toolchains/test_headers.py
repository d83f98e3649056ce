"""Headers that the compiler has read once: the same program, made in less time, whatever becomes of the cache."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from hlsflow.core.errors import ToolFailed
from hlsflow.toolchains import gxx
from hlsflow.toolchains.headers import precompiled

FLAGS = ("-std=c++17", "-O1")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "include").mkdir()
    (tmp_path / "include" / "answer.h").write_text("#pragma once\ninline int answer() { return 42; }\n")
    (tmp_path / "program.cpp").write_text('#include "answer.h"\nint main() { return answer(); }\n')
    return tmp_path


def run(folder: Path, *begun: str) -> int:
    flags = (*FLAGS, "-Iinclude", *begun)
    gxx.compile(["program.cpp"], "program", flags, folder, folder / "compile.log")
    return subprocess.run([folder / "program"], check=False).returncode


def headers(folder: Path) -> tuple[str, ...]:
    return precompiled(["answer.h"], FLAGS, [folder / "include"])


def copies(folder: Path) -> list[Path]:
    return sorted((folder / "cache" / "hlsflow" / "headers").glob("*/common.h.*"))


def test_they_are_compiled_once_and_the_program_is_the_same(folder: Path) -> None:
    begun = headers(folder)
    assert begun[0] == "-include"
    (copy,) = copies(folder)
    compiled = copy.stat().st_mtime_ns
    assert headers(folder) == begun
    assert [path.stat().st_mtime_ns for path in copies(folder)] == [compiled]
    assert run(folder, *begun) == run(folder) == 42


def test_other_headers_of_the_same_name_are_others(folder: Path) -> None:
    before = headers(folder)
    (folder / "include" / "answer.h").write_text("#pragma once\ninline int answer() { return 43; }\n")
    after = headers(folder)
    assert before != after
    assert len(copies(folder)) == 2
    assert run(folder, *after) == 43


def test_without_a_cache_the_program_reads_them_itself(folder: Path) -> None:
    (folder / "cache").write_text("a file where the folder should be")
    assert headers(folder) == ()
    assert run(folder) == 42


def test_nothing_to_read_is_nothing_to_compile(folder: Path) -> None:
    assert precompiled([], FLAGS, [folder / "include"]) == ()
    assert not (folder / "cache").exists()


def test_headers_that_do_not_compile_are_an_error_and_leave_nothing(folder: Path) -> None:
    (folder / "include" / "answer.h").write_text("int answer() { return nothing; }\n")
    with pytest.raises(ToolFailed, match="nothing"):
        headers(folder)
    assert copies(folder) == []
    assert os.listdir(folder / "cache" / "hlsflow" / "headers") == []
