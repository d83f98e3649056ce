"""`hlsflow clean`: what the latest run uses stays, all else goes."""

from __future__ import annotations

from pathlib import Path

import pytest
from filelock import FileLock

from hlsflow.__main__ import main
from hlsflow.core.store import Store, link


def finished(store: Store, step: str, key: str) -> Path:
    return store.do(step, {"key": key}, lambda folder: (folder / "out").write_text(key) and None).folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two runs that share a step: an old one, and the latest."""
    root = tmp_path / "build" / "mine"
    store = Store(root / "store", print)
    shared, old, new = (finished(store, "train", key) for key in ("shared", "old", "new"))
    for run, own in (("aaaaaaaa", old), ("bbbbbbbb", new)):
        link(shared, root / run / "train")
        link(own, root / run / "csim")
        (root / run / "report.md").write_text(run)
    link(root / "bbbbbbbb", root / "latest")
    (root / "explore" / "cccccccc").mkdir(parents=True)
    return root


def steps(root: Path) -> list[str]:
    return sorted((path / "out").read_text() for path in (root / "store" / "train").iterdir() if path.is_dir())


def clean(root: Path, *options: str) -> int:
    return main(["clean", "--build", str(root.parent), *options])


def test_what_the_latest_run_uses_stays(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert clean(root, "mine") == 0
    assert steps(root) == ["new", "shared"]
    assert not (root / "aaaaaaaa").exists()
    assert (root / "latest" / "csim" / "out").read_text() == "new"
    assert (root / "explore" / "cccccccc").is_dir()
    assert capsys.readouterr().out.count("deleted") == 2


def test_a_dry_run_deletes_nothing(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert clean(root, "--dry-run") == 0
    assert steps(root) == ["new", "old", "shared"]
    assert capsys.readouterr().out.count("would delete") == 2


def test_all_is_all(root: Path) -> None:
    assert clean(root, "--all") == 0
    assert steps(root) == []
    assert not (root / "bbbbbbbb").exists()
    assert not (root / "explore").exists()


def test_a_step_that_is_being_done_stays(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = next(path for path in (root / "store" / "train").iterdir() if path.is_dir() and "old" in _text(path))
    with FileLock(folder.with_name(f"{folder.name}.lock")):
        assert clean(root, "mine") == 0
    assert "old" in steps(root)
    assert "another run is at work on it" in capsys.readouterr().out


def _text(folder: Path) -> str:
    return (folder / "out").read_text()


def test_a_folder_without_results_is_one_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["clean", "gone", "--build", str(tmp_path)]) == 2
    assert "has no results of gone" in capsys.readouterr().err
