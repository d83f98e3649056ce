"""Templates of scripts: ours, a project's own, and what is wrong with one."""

from __future__ import annotations

from pathlib import Path

import pytest

from hlsflow.core import templates
from hlsflow.core.errors import ProjectError
from hlsflow.toolchains.chain import Settings
from hlsflow.toolchains.scripts import own, script

NAME = "vivado/clock.xdc"


@pytest.fixture
def overrides(tmp_path: Path) -> Path:
    (tmp_path / "tools" / "vivado").mkdir(parents=True)
    return tmp_path


def test_dollars_are_the_tools_own(overrides: Path) -> None:
    (overrides / "tools" / NAME).write_text("set x $part; puts @{clock_ns}ns; # someone@@example.org\n")
    assert script(NAME, Settings(overrides), clock_ns=5) == "set x $part; puts 5ns; # someone@example.org\n"


def test_what_a_project_does_not_replace_is_ours(overrides: Path) -> None:
    assert "create_clock -period 3.3 " in script(NAME, Settings(overrides), clock_ns=3.3)
    assert script(NAME, Settings(), clock_ns=1) == script(NAME, Settings(overrides), clock_ns=1)


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"@unknown", "not known: 'unknown'"), (b"100 @ 5", "Invalid placeholder"), (b"\xff", "cannot be read")],
)
def test_faults_of_a_projects_template_are_named(overrides: Path, content: bytes, says: str) -> None:
    (overrides / "tools" / NAME).write_bytes(content)
    with pytest.raises(ProjectError, match=says):
        script(NAME, Settings(overrides), clock_ns=5)


def test_the_projects_own_are_part_of_what_a_result_depends_on(overrides: Path) -> None:
    assert own(overrides) == own(overrides / "nowhere") == {}
    (overrides / "tools" / NAME).write_text("one")
    one = own(overrides)
    (overrides / "tools" / NAME).write_text("two")
    assert one.keys() == own(overrides).keys() == {f"tools/{NAME}"}
    assert one != own(overrides)


def test_every_template_is_used_by_some_toolchain() -> None:
    code = "".join(
        file.read_text() for file in (templates.root().parent / "flows" / "hlsflow" / "toolchains").glob("*.py")
    )
    for folder in (path for path in (templates.root() / "tools").iterdir() if path.is_dir()):
        assert f'"{folder.name}/' in code or f"{folder.name}/{{" in code, folder.name
