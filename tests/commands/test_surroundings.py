"""The command line where the machine is not as usual: no home, no working folder, Ctrl-C before it has begun."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hlsflow.core import caches
from hlsflow.project import load
from hlsflow.toolchains.process import storage_error
from tests.qat.qat_project import small_project

START = "import sys; from hlsflow.__main__ import main; sys.exit(main(sys.argv[1:]))"
"""As the installed command does."""

INTERRUPTED_IMPORT = """
import os, signal, sys
class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == sys.argv[1]:
            os.kill(os.getpid(), signal.SIGINT)
signal.signal(signal.SIGINT, signal.default_int_handler)  # a suite run in the background passes on an ignored Ctrl-C
sys.meta_path.insert(0, Interrupt())
from hlsflow.__main__ import main
sys.exit(main(sys.argv[2:]))
"""


def ended(*arguments: str | Path, code: str = START, cwd: Path | None = None, **changed: str | None) -> tuple[int, str]:
    """How a command ended and what it said; a variable that is None is not set."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **changed}
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        env={name: value for name, value in environment.items() if value is not None},
        cwd=cwd,
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("module", ["hlsflow.commands", "pydantic", "shtab", "hlsflow.core.foreign"])
def test_ctrl_c_during_the_imports_is_no_traceback(module: str) -> None:
    code, said = ended(module, "doctor", code=INTERRUPTED_IMPORT)
    assert code == 130
    assert said.startswith("hlsflow: interrupted")
    assert "Traceback" not in said


@pytest.mark.parametrize("command", [["doctor"], ["check", "p"], ["report", "p"], ["new", "p"], ["estimate", "p"]])
def test_a_deleted_working_folder_is_told(tmp_path: Path, command: list[str]) -> None:
    gone = "import os, sys; os.mkdir('gone'); os.chdir('gone'); os.rmdir(os.getcwd())\n"
    code, said = ended(*command, code=gone + START, cwd=tmp_path)
    assert (code, said) == (6, "hlsflow: the working folder has been deleted\n  next: cd to one that exists\n")


def test_help_needs_no_working_folder(tmp_path: Path) -> None:
    gone = "import os, sys; os.mkdir('gone'); os.chdir('gone'); os.rmdir(os.getcwd())\n"
    assert ended("--version", code=gone + START, cwd=tmp_path)[0] == 0


def without_home(*arguments: str | Path, **changed: str | None) -> tuple[int, str]:
    """As a user whom the system does not know."""
    unknown = "import os; os.getuid = lambda: 12345; import pwd\ndef none(*_): raise KeyError\npwd.getpwuid = none\n"
    return ended(*arguments, code=unknown + START, **{"HOME": None, "XDG_CACHE_HOME": None, **changed})


def test_a_user_without_a_home_is_told_before_the_training(tmp_path: Path) -> None:
    project = small_project(tmp_path / "p", 1)
    code, said = without_home("run", project.folder, "--build", tmp_path / "build")
    assert code == 6
    assert "hlsflow: user 12345 has no home folder, and so no cache folder" in said
    assert "next: set XDG_CACHE_HOME to a folder that you may write to" in said
    assert "train:" not in said


def test_with_a_cache_folder_no_home_is_needed(tmp_path: Path) -> None:
    assert without_home("doctor")[0] == 0
    assert without_home("cache", "list", XDG_CACHE_HOME=str(tmp_path))[0] in (0, 2)


def test_the_hint_of_a_home_that_cannot_be_written_names_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", "/nonexistent")
    refused = PermissionError(13, "Permission denied")
    within = storage_error(caches.cache_folder() / "yowasp" / "x", refused)
    assert within.hint == "set XDG_CACHE_HOME to a folder that you may write to"
    assert "XDG_CACHE_HOME" not in storage_error(tmp_path / "build", refused).hint


def test_the_cache_folder_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/x")
    assert caches.cache_folder() == Path("/var/x/hlsflow")
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setenv("HOME", "/home/me")
    assert caches.cache_folder() == Path("/home/me/.cache/hlsflow")


def test_a_byte_order_mark_before_a_project_file_is_taken(tmp_path: Path) -> None:
    project = small_project(tmp_path / "p", 1)
    file = project.folder / "project.toml"
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))
    (project.folder / "model.py").write_bytes(b"\xef\xbb\xbf" + (project.folder / "model.py").read_bytes())
    assert load(project.folder).training == project.training


OTHER_SYSTEM = """
import sys
sys.platform, sys.argv = "win32", [sys.argv[1]]
before = set(sys.modules)
try:
    import hlsflow.__main__
finally:
    new = {name.partition(".")[0] for name in set(sys.modules) - before} - sys.stdlib_module_names
    print(sorted(new), [name for name in sys.modules if name.startswith("hlsflow.")], file=sys.stderr)
"""


@pytest.mark.parametrize("command", ["hlsflow.exe", "C:\\tools\\Scripts\\hlsflow", "-m"])
def test_another_system_is_told_in_the_first_line_before_anything_is_imported(command: str) -> None:
    code, said = ended(command, code=OTHER_SYSTEM)
    imported, first = said.splitlines()
    assert code == 1
    assert first.startswith("hlsflow runs on Linux only: on Windows use WSL")
    assert imported == "[] []"


def test_a_script_on_another_system_can_catch_it() -> None:
    code, said = ended("analysis.py", code=OTHER_SYSTEM)
    assert code == 1
    assert said.splitlines()[-1].startswith("ImportError: hlsflow runs on Linux only")
