"""Who did a piece of work: a command line that can be typed again, and no user's name."""

from __future__ import annotations

from pathlib import Path

import pytest

from hlsflow import __version__
from hlsflow.core import provenance


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["/opt/bin/hlsflow", "run", "a b.h5", "--jobs", "2"], "hlsflow run 'a b.h5' --jobs 2"),
        (["/x/hlsflow/__main__.py", "check", "/home/alice/m.h5"], "hlsflow check ~/m.h5"),
        (["hlsflow", "run", "m.h5", "--data", "/Users/bob/x y.npz"], "hlsflow run m.h5 --data '~/x y.npz'"),
        (["/usr/lib/ipykernel_launcher.py", "-f", "/home/alice/kernel.json"], "Python: ipykernel_launcher.py"),
        ([""], "Python"),
        ([], "Python"),
    ],
)
def test_the_command_line(argv: list[str], told: str) -> None:
    assert provenance.command(argv) == told


def test_the_home_folder_is_that_of_the_user_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "home", lambda: Path("/data/carol"))
    assert (
        provenance.without_users("run /data/carol/net /data/caroline /srv/home") == "run ~/net /data/caroline /srv/home"
    )


def test_what_is_told_names_version_and_machine() -> None:
    told = provenance.provenance()
    assert set(told) == {"date", "command", "hlsflow", "python", "host"}
    assert told["hlsflow"] == __version__
    assert told["host"]["cpu"]
    assert told["host"]["os"].startswith("Linux ")
