"""The store: nothing twice, nothing half-done, nobody in each other's way."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import shutil
import signal
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from filelock import FileLock

from hlsflow.core import templates
from hlsflow.core.errors import StorageError, ToolFailed
from hlsflow.core.store import MANIFEST, Done, Store, code, digest, link, locked, replacing, write_text


def make(root: Path, said: list[str] | None = None) -> Store:
    return Store(root, (said if said is not None else []).append)


def write_one(folder: Path) -> None:
    (folder / "one.txt").write_text("one")


def test_the_same_key_is_done_once(tmp_path: Path) -> None:
    store, calls = make(tmp_path), []

    def work(folder: Path) -> None:
        calls.append(folder)
        write_one(folder)

    first, second = (store.do("step", {"a": 1}, work) for _ in range(2))
    other = store.do("step", {"a": 2}, work)
    assert (first.reused, second.reused, other.reused, len(calls)) == (False, True, False, 2)
    assert first.folder == second.folder != other.folder
    assert first.outputs == second.outputs
    manifest = json.loads((first.folder / MANIFEST).read_text())
    assert (manifest["step"], manifest["key"]) == ("step", {"a": 1})
    assert list(manifest["outputs"]) == ["one.txt"]
    assert first.folder == tmp_path / "step" / digest({"a": 1})[:16]


def test_date_command_and_host_stand_beside_the_key(tmp_path: Path) -> None:
    """They decide nothing: finished work keeps those of whoever did it, and work of older releases has none."""
    first = make(tmp_path).do("step", {"a": 1}, write_one)
    manifest = first.folder / MANIFEST
    told = json.loads(manifest.read_text())
    assert told["key"] == {"a": 1}
    assert told["made"] == first.made
    assert abs((datetime.now(UTC) - datetime.fromisoformat(first.made["date"])).total_seconds()) < 60
    assert first.made["host"]["cores"] == len(os.sched_getaffinity(0))
    told["made"]["date"] = "2020-01-01T00:00:00+00:00"
    manifest.write_text(json.dumps(told))
    again = make(tmp_path).do("step", {"a": 1}, write_one)
    assert (again.reused, again.made["date"]) == (True, "2020-01-01T00:00:00+00:00")
    del told["made"]
    manifest.write_text(json.dumps(told))
    assert make(tmp_path).do("step", {"a": 1}, write_one).made == {}


def test_a_failed_step_is_not_finished_and_leaves_its_files_to_look_at(tmp_path: Path) -> None:
    store = make(tmp_path)

    def fail(folder: Path) -> None:
        write_one(folder)
        raise ToolFailed("no")

    with pytest.raises(ToolFailed):
        store.do("step", {}, fail)
    assert [path.name for path in tmp_path.rglob("one.txt")] == ["one.txt"]
    assert not store.do("step", {}, write_one).reused


def test_a_partial_folder_is_wiped_unless_the_step_can_resume(tmp_path: Path) -> None:
    store, seen = make(tmp_path), []

    def fail(folder: Path) -> None:
        write_one(folder)
        raise ToolFailed("no")

    def look(folder: Path) -> None:
        seen.append((folder / "one.txt").exists())

    for resumable in (True, False):
        with pytest.raises(ToolFailed):
            store.do("step", {"r": resumable}, fail, resumable)
        store.do("step", {"r": resumable}, look, resumable)
    assert seen == [True, False]


@pytest.mark.parametrize("damage", ["changed", "lost", "extra", "manifest"])
def test_damage_is_told_and_mended(tmp_path: Path, damage: str) -> None:
    said: list[str] = []
    store = make(tmp_path, said)
    folder = store.do("step", {}, write_one).folder
    match damage:
        case "changed":
            (folder / "one.txt").write_text("two")
        case "lost":
            (folder / "one.txt").unlink()
        case "extra":
            (folder / "two.txt").write_text("two")
        case "manifest":
            (folder / MANIFEST).write_text("{")
    again = store.do("step", {}, write_one)
    assert (again.reused, (again.folder / "one.txt").read_text()) == (False, "one")
    assert said == [f"{folder} is damaged: this step is done again"]


def _slow(root: str, log: str) -> None:
    def work(folder: Path) -> None:
        with open(log, "a") as stream:
            stream.write("work\n")
        time.sleep(0.6)
        write_one(folder)

    make(Path(root)).do("step", {}, work)


def test_two_runs_at_once_do_the_work_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    context = multiprocessing.get_context("fork")
    runs = [context.Process(target=_slow, args=(str(tmp_path / "store"), str(log))) for _ in range(3)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert [run.exitcode for run in runs] == [0, 0, 0]
    assert log.read_text() == "work\n"


def test_a_killed_run_leaves_nothing_finished_and_no_lock(tmp_path: Path) -> None:
    log = tmp_path / "log"
    run = multiprocessing.get_context("fork").Process(target=_slow, args=(str(tmp_path / "store"), str(log)))
    run.start()
    while not log.exists():
        time.sleep(0.01)
    assert run.pid is not None
    os.kill(run.pid, signal.SIGKILL)
    run.join()
    done = make(tmp_path / "store").do("step", {}, write_one)
    assert (done.reused, (done.folder / "one.txt").read_text()) == (False, "one")


def test_a_place_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError) as error:
        make(tmp_path / "file" / "store").do("step", {}, write_one)
    assert str(error.value).startswith(f"cannot write {tmp_path / 'file' / 'store' / 'step'}: Not a directory")
    assert "[Errno" not in str(error.value)
    assert error.value.hint.startswith("check that the folder is there")
    assert "finished steps are kept" in error.value.hint


def test_an_error_of_the_disk_without_a_number_is_told_in_its_own_words(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        raise OSError("the shelf broke")

    with pytest.raises(StorageError, match=r"cannot write .*/step/[0-9a-f]{16}: the shelf broke"):
        make(tmp_path).do("step", {}, fail)


@pytest.mark.parametrize("before", [None, "old"])
def test_new_content_appears_only_when_it_is_complete(tmp_path: Path, before: str | None) -> None:
    file = tmp_path / "f.txt"
    if before is not None:
        file.write_text(before)

    def fail() -> None:
        with replacing(file) as part:
            part.write_text("half")
            raise ToolFailed("no")

    with pytest.raises(ToolFailed):
        fail()
    assert [path.read_text() for path in tmp_path.iterdir()] == ([] if before is None else [before])
    with replacing(file) as part:
        part.write_text("new")
        assert (file.read_text() if file.exists() else None) == before
        assert (part.parent, part.suffix) == (file.parent, ".txt")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("f.txt", "new")]


def test_a_full_disk_is_told_as_such(tmp_path: Path) -> None:
    def fill(folder: Path) -> None:
        with open("/dev/full", "w") as stream:
            stream.write("x")

    with pytest.raises(StorageError, match="No space left on device") as error:
        make(tmp_path).do("step", {}, fill)
    assert error.value.hint.startswith("free some space")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(errno.ENOSPC, "voll"), "No space left on device"),
        (OSError(errno.EDQUOT, "voll"), "Disk quota exceeded"),
        (OSError(errno.EFBIG, "voll"), "File too large"),
        (shutil.Error([("a", "b", "[Errno 28] No space left on device: 'b'")]), "No space left on device"),
    ],
)
def test_a_full_disk_is_known_by_its_number_or_its_text(tmp_path: Path, error: OSError, reason: str) -> None:
    """Copies of folders have the text alone, and a text may be in another language."""

    def fail(folder: Path) -> None:
        raise error

    with pytest.raises(StorageError, match=f": {reason}\n") as told:
        make(tmp_path).do("step", {}, fail)
    assert told.value.hint.startswith("free some space")


def test_whoever_waits_for_a_lock_says_so_at_once(tmp_path: Path) -> None:
    other, said = FileLock(tmp_path / "lock"), []

    def say(text: str) -> None:
        said.append((text, time.monotonic() - started < 0.8))
        other.release()

    other.acquire()
    started = time.monotonic()
    with locked(tmp_path / "lock", "somebody has it", say):
        assert said == [("somebody has it", True)]


def test_links_are_replaced_and_relative(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        link(tmp_path / name, tmp_path / "sub" / "sub" / "latest")
    assert os.readlink(tmp_path / "sub" / "sub" / "latest") == "../../b"


def test_texts_appear_whole(tmp_path: Path) -> None:
    write_text(tmp_path / "t", "old")
    write_text(tmp_path / "t", "new")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("t", "new")]


def test_digests_depend_on_the_value_alone() -> None:
    assert digest({"a": 1, "b": [2]}) == digest({"b": [2], "a": 1}) != digest({"a": 1, "b": [3]})


FILES = {"hls": "0", "hls/a.cpp": "1", "hls/b/c.h": "2", "hls2/a.cpp": "3", "graph.npz": "4", "graph.npz.bak": "5"}


def outputs_digest(files: dict[str, str], *names: str) -> str:
    return Done(Path(), files, False, 0.0).digest(*names)


@pytest.mark.parametrize(
    ("names", "meant"),
    [
        (("hls",), {"hls", "hls/a.cpp", "hls/b/c.h"}),
        (("hls/b",), {"hls/b/c.h"}),
        (("graph.npz",), {"graph.npz"}),
        (("graph.npz", "hls2"), {"graph.npz", "hls2/a.cpp"}),
        (("hl",), set()),
        ((), set(FILES)),
    ],
)
def test_some_outputs_are_named_by_file_or_folder(names: tuple[str, ...], meant: set[str]) -> None:
    """A change to any file that is meant changes the digest, and a change to no other does: 'hls' is not 'hls2'."""
    before = outputs_digest(FILES, *names)
    changing = {name for name in FILES if outputs_digest(FILES | {name: "changed"}, *names) != before}
    assert changing == meant


@pytest.fixture
def own_templates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the templates, which may be changed."""
    copy = shutil.copytree(templates.root(), tmp_path / "templates")
    monkeypatch.setattr(templates, "root", lambda: copy)
    return copy


def test_every_template_of_a_simulation_counts_by_its_content(own_templates: Path) -> None:
    from hlsflow.pipeline.hardware import SIMULATION

    before, counted = code(*SIMULATION), []
    for file in sorted(own_templates.rglob("*")):
        if file.is_file():
            content = file.read_bytes()
            file.write_bytes(content + b" ")
            if code(*SIMULATION) != before:
                counted.append(file.relative_to(own_templates).as_posix())
            file.write_bytes(content)
    wanted = [file for folder in ("sim", "tools") for file in (own_templates / folder).rglob("*") if file.is_file()]
    assert counted == sorted(file.relative_to(own_templates).as_posix() for file in wanted)
    assert {"sim/stream_check.v", "sim/harness.cpp", "tools/vitis/run.tcl"} < set(counted)
    assert code(*SIMULATION) == before


def test_files_of_one_name_in_two_folders_do_not_stand_for_each_other(own_templates: Path) -> None:
    one, other = (own_templates / "tools" / tool / "synth.tcl" for tool in ("catapult", "vivado"))
    before, contents = code("templates/tools"), (one.read_bytes(), other.read_bytes())
    one.write_bytes(contents[1])
    other.write_bytes(contents[0])
    assert code("templates/tools") != before


def test_a_file_that_is_added_or_renamed_counts(own_templates: Path) -> None:
    seen = [code("templates/sim")]
    (own_templates / "sim" / "more.sv").write_text("")
    seen.append(code("templates/sim"))
    (own_templates / "sim" / "more.sv").rename(own_templates / "sim" / "other.sv")
    seen.append(code("templates/sim"))
    assert len(set(seen)) == 3


def test_code_that_is_not_there_is_a_fault() -> None:
    for part in ("nowhere", "core/nowhere.py", "templates/nowhere"):
        with pytest.raises(FileNotFoundError):
            code(part)


def test_a_pipe_is_written_and_stays_a_pipe(tmp_path: Path) -> None:
    """As a device such as /dev/null, whose name a new file would take for the whole machine."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_text(pipe, "through")
        assert os.read(reader, 100) == b"through"
    finally:
        os.close(reader)
    assert pipe.is_fifo()
    assert os.listdir(tmp_path) == ["pipe"]


def test_a_link_stays_and_the_file_behind_it_is_new(tmp_path: Path) -> None:
    (tmp_path / "shelf").mkdir()
    (tmp_path / "name").symlink_to(Path("shelf") / "file")
    for text in ("old", "new"):
        write_text(tmp_path / "name", text)
    assert (tmp_path / "name").is_symlink()
    assert (tmp_path / "shelf" / "file").read_text() == "new"
    assert os.listdir(tmp_path / "shelf") == ["file"]


def test_work_takes_as_long_as_it_takes(tmp_path: Path) -> None:
    started = time.monotonic()
    done = make(tmp_path).do("step", {}, write_one)
    assert 0 <= done.seconds <= time.monotonic() - started
    assert make(tmp_path).do("step", {}, write_one).seconds == pytest.approx(done.seconds, abs=0.0006)


def test_compiled_code_is_no_source(own_templates: Path) -> None:
    before = code("templates/sim")
    (own_templates / "sim" / "__pycache__").mkdir()
    (own_templates / "sim" / "__pycache__" / "a.pyc").write_text("")
    assert code("templates/sim") == before


def test_records_lie_beside_finished_steps(tmp_path: Path) -> None:
    assert make(tmp_path).records("cache") == tmp_path / "cache"
