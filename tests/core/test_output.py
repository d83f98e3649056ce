"""Whatever takes what is printed: it is told, or one error says why not, and Python adds nothing of its own."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from hlsflow.__main__ import main
from hlsflow.core import output
from hlsflow.core.errors import OutputLost, ReaderGone

SCRIPT = """
import sys
from hlsflow.__main__ import main
import hlsflow.commands.doctor as doctor
doctor.checkup = lambda: None
doctor.render = lambda found: {text}
doctor.drawn = lambda found: None
sys.exit(main(["doctor"]))
"""


def run(shell: str, text: str = "'x' * 100_000", **environment: str) -> subprocess.CompletedProcess[bytes]:
    """A command that prints the text, its output going where the shell sends it."""
    script = SCRIPT.format(text=text)
    return subprocess.run(
        ["bash", "-c", shell.replace("COMMAND", '"$PYTHON" -c "$SCRIPT"')],
        env=os.environ | {"PYTHON": sys.executable, "SCRIPT": script} | environment,
        capture_output=True,
        timeout=60,
        check=False,
    )


def test_a_full_disk() -> None:
    done = run("COMMAND > /dev/full")
    assert done.returncode == 6
    assert done.stderr.decode().startswith("hlsflow: cannot write to standard output: No space left on device\n  next:")
    assert done.stderr.count(b"\n") == 2


def test_a_reader_that_goes() -> None:
    done = run("COMMAND | head -c 1; exit ${PIPESTATUS[0]}")
    assert (done.returncode, done.stdout, done.stderr) == (141, b"x", b"")


def test_nobody_hears_the_error() -> None:
    assert run("COMMAND > /dev/full 2> /dev/full").returncode == 6
    assert run("COMMAND > /dev/full 2>&-").returncode == 6


def test_closed_standard_files() -> None:
    done = run("COMMAND <&- >&- 2>&-")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_a_file_opened_later_does_not_get_what_is_printed(tmp_path: Path) -> None:
    text = f"open({str(tmp_path / 'file')!r}, 'w').write('mine') and 'printed'"
    assert run("COMMAND <&- >&- 2>&-", text).returncode == 0
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize(
    ("encoding", "told"),
    [
        ("ascii", b"\\u2264 \\xe9 \\udcff\n"),
        ("latin-1", b"\\u2264 \xe9 \\udcff\n"),
        ("utf-8", "≤ é \\udcff\n".encode()),
    ],
)
def test_characters_that_an_encoding_lacks(encoding: str, told: bytes) -> None:
    done = run("COMMAND", r"'\u2264 \xe9 \udcff'", PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stdout, done.stderr) == (0, told, b"")


def test_the_help_goes_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    with open("/dev/full", "w") as full:
        monkeypatch.setattr("sys.stdout", full)
        assert main(["--help"]) == 6


class Closing(io.StringIO):
    """Takes some writes, and no more."""

    def __init__(self, writes: int, error: Exception) -> None:
        super().__init__()
        self.left, self.error = writes, error

    def write(self, text: str) -> int:
        if not self.left:
            raise self.error
        self.left -= 1
        return super().write(text)


@pytest.mark.parametrize(
    ("error", "wanted", "said"),
    [
        (BrokenPipeError(32, "Broken pipe"), ReaderGone, "nobody reads"),
        (OSError(5, "Input/output error"), OutputLost, "Input/output error"),
        (ValueError("I/O operation on closed file"), OutputLost, "closed file"),
    ],
)
def test_it_fails_once_and_is_silent_then(
    monkeypatch: pytest.MonkeyPatch, error: Exception, wanted: type[OutputLost], said: str
) -> None:
    monkeypatch.setattr("sys.stdout", stream := Closing(2, error))
    with output.guarded():
        print("told")
        with pytest.raises(wanted, match=said):
            print("lost")
        print("gone")
        sys.stdout.flush()
    assert sys.stdout is stream
    assert stream.getvalue() == "told\n"


def test_another_thread_leaves_the_error_to_the_main_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", Closing(0, OSError(28, "No space left on device")))
    failed: list[BaseException] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: failed.append(args.exc_value))
    with output.guarded():
        other = threading.Thread(target=print, args=("lost",))
        other.start()
        other.join()
        assert not failed
        with pytest.raises(OutputLost, match="No space"):
            print("lost")


def test_standard_error_never_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", Closing(0, OSError(28, "No space left on device")))
    with output.guarded():
        print("lost", file=sys.stderr)


def test_a_report_of_a_name_that_is_no_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "n\udcff"
    folder.mkdir()
    (folder / "hls4ml_config.yml").write_text("Backend: Vitis\n")
    for form in ("md", "html", "csv", "json"):
        assert main(["report", str(folder), "--format", form]) == 0
        assert main(["report", str(folder), "--format", form, "--output", str(tmp_path / "n\udcfe.txt")]) == 0
    assert "n\\udcff" in capsys.readouterr().out
    assert "n\\udcff" in (tmp_path / "n\udcfe.txt").read_text()


def test_what_the_system_refuses_is_one_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "x" * 5000]) in (2, 6)
    assert "File name too long" in capsys.readouterr().err
