"""Programs under the guard: real processes, really killed."""

from __future__ import annotations

import contextlib
import itertools
import os
import resource
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hlsflow.core.errors import DataError, StorageError, ToolFailed, ToolMissing
from hlsflow.toolchains import family, process

ROOT = Path(__file__).parents[2]
BROOD = "sleep 300 & sleep 300 & echo $$ > leader; wait"
"""A program with two children, which outlive it unless somebody sees to them."""


def shell(script: str, folder: Path, **limits: object) -> process.Finished:
    arguments: dict[str, object] = {"timeout_s": 20.0, "tool": "shell", **limits}
    return process.run(["sh", "-c", script], folder=folder, log=folder / "shell.log", **arguments)  # type: ignore[arg-type]


def group_members(group: int) -> list[int]:
    """The live processes of a process group, from the fields of /proc/<pid>/stat (man 5 proc)."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it may have ended meanwhile
            state, _, member_of = (entry / "stat").read_text().rpartition(")")[2].split()[:3]
            if int(member_of) == group and state != "Z":
                found.append(int(entry.name))
    return found


def eventually(condition: Callable[[], bool], within_s: float = 10.0) -> bool:
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def group_of(leader: Path) -> int:
    assert eventually(lambda: leader.exists() and leader.read_text().strip() != "")
    return os.getpgid(int(leader.read_text()))


def test_output_of_both_streams_is_in_the_log_and_the_result(tmp_path: Path) -> None:
    finished = shell("echo one; echo two >&2", tmp_path)
    assert finished.returncode == 0
    assert finished.output == "one\ntwo\n"
    assert (tmp_path / "shell.log").read_text().splitlines()[1:] == ["one", "two"]
    assert 0 < finished.seconds < 10


def test_the_log_is_complete_when_the_output_is_only_its_end(tmp_path: Path) -> None:
    finished = shell("seq 100000", tmp_path)
    assert len(finished.output) == process.TAIL_BYTES
    assert (tmp_path / "shell.log").read_text().splitlines()[1:] == [str(n) for n in range(1, 100001)]


def test_the_program_gets_no_input_its_folder_and_its_variables(tmp_path: Path) -> None:
    assert shell("cat; pwd; echo $COLOUR $LC_ALL", tmp_path, env={"COLOUR": "red"}).output == f"{tmp_path}\nred C\n"


def test_exit_code_log_and_first_errors_are_named(tmp_path: Path) -> None:
    with pytest.raises(ToolFailed, match="shell failed with exit code 3") as caught:
        shell("echo starting; echo 'error: no such gate'; echo leaving; exit 3", tmp_path)
    assert str(tmp_path / "shell.log") in caught.value.message
    assert caught.value.message.endswith("error: no such gate")


def test_a_signal_is_named(tmp_path: Path) -> None:
    with pytest.raises(ToolFailed, match="was killed by SIGSEGV"):
        shell("kill -SEGV $$", tmp_path)


def test_unchecked_failures_are_returned(tmp_path: Path) -> None:
    assert shell("exit 7", tmp_path, check=False).returncode == 7
    assert shell("kill -TERM $$", tmp_path, check=False).returncode == -signal.SIGTERM


def test_a_missing_program_is_a_missing_tool(tmp_path: Path) -> None:
    for program in ("no-such-program", "./no-such-program", str(tmp_path)):
        with pytest.raises(ToolMissing, match="thing: there is no program"):
            process.run([program], folder=tmp_path, log=tmp_path / "log", timeout_s=5, tool="thing")


def test_a_file_that_cannot_be_executed_fails_with_the_reason(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_text("neither script nor program")
    broken.chmod(0o755)
    with pytest.raises(ToolFailed, match="cannot start"):
        process.run(["./broken"], folder=tmp_path, log=tmp_path / "log", timeout_s=5, tool="thing")


def test_a_timeout_kills_the_whole_brood(tmp_path: Path) -> None:
    groups: list[int] = []
    watcher = threading.Thread(target=lambda: groups.append(group_of(tmp_path / "leader")))
    watcher.start()
    with pytest.raises(ToolFailed, match=r"did not end within 1 s"):
        shell(BROOD, tmp_path, timeout_s=1)
    watcher.join()
    assert group_members(groups[0]) == []


def test_a_program_deaf_to_sigterm_is_killed_all_the_same(tmp_path: Path) -> None:
    started = time.monotonic()
    with pytest.raises(ToolFailed, match="did not end"):
        shell("trap '' TERM; while :; do sleep 0.1; done", tmp_path, timeout_s=0.3)
    assert time.monotonic() - started < 0.3 + process.GRACE_S + 3


def test_what_a_finished_program_leaves_behind_is_killed(tmp_path: Path) -> None:
    shell("sleep 300 & echo $! > leader", tmp_path)
    left_behind = int((tmp_path / "leader").read_text())
    assert eventually(lambda: not Path(f"/proc/{left_behind}/stat").exists() or _is_zombie(left_behind))


@pytest.mark.parametrize("rest", ["true", "sleep 300"], ids=["at its end", "on a time-out"])
def test_what_left_the_process_group_is_killed_too(tmp_path: Path, rest: str) -> None:
    script = f"(setsid sh -c 'echo $$ > stray; sleep 300' &); until [ -s stray ]; do sleep 0.02; done; {rest}"
    with contextlib.suppress(ToolFailed):
        shell(script, tmp_path, timeout_s=2)
    stray = int((tmp_path / "stray").read_text())
    assert eventually(lambda: not Path(f"/proc/{stray}/stat").exists() or _is_zombie(stray))


def test_a_watch_sees_the_time_and_the_memory_of_all_processes_and_may_end_them(tmp_path: Path) -> None:
    seen: list[tuple[float, int, int]] = []

    def watch(seconds: float, guard: int) -> None:
        exact = family.proportional_bytes(guard)  # first, as the processes still grow
        seen.append((seconds, family.resident_bytes(guard), exact))
        if exact > 300 * 2**20:
            raise ToolFailed("enough")

    hungry = f"{sys.executable} -c 'import time; x = bytearray(200 * 2**20); time.sleep(300)'"
    with pytest.raises(ToolFailed, match="enough"):
        shell(f"(setsid {hungry} &); {hungry}", tmp_path, watch=watch)
    assert all(one[0] < other[0] for one, other in itertools.pairwise(seen))
    assert 300 * 2**20 < seen[-1][2] <= seen[-1][1] < 600 * 2**20


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"
    except FileNotFoundError:
        return True


CHILD = """
import sys, threading
from pathlib import Path
from hlsflow.toolchains import process

def work():
    folder = Path(sys.argv[1])
    process.run(["sh", "-c", {brood!r}], folder=folder, log=folder / "log", timeout_s=60, tool="brood")

{start}
"""
IN_MAIN_THREAD = "work()"
IN_ENDED_THREADS_POOL = """
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(2) as pool:
    pool.submit(work).result()
"""


def start_child(tmp_path: Path, start: str) -> subprocess.Popen[bytes]:
    script = textwrap.dedent(CHILD).format(brood=BROOD, start=textwrap.dedent(start))
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "flows")}
    return subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)],
        env=environment,
        stderr=subprocess.PIPE,
        # A suite that runs in the background passes on an ignored Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL) and None,
    )


@pytest.mark.parametrize("start", [IN_MAIN_THREAD, IN_ENDED_THREADS_POOL], ids=["main thread", "thread pool"])
def test_tools_die_with_a_caller_that_is_killed(tmp_path: Path, start: str) -> None:
    child = start_child(tmp_path, start)
    group = group_of(tmp_path / "leader")
    assert len(group_members(group)) == 4  # the guard, the shell and its two sleepers
    child.kill()
    child.communicate()
    assert eventually(lambda: group_members(group) == [])


def test_tools_die_on_ctrl_c(tmp_path: Path) -> None:
    child = start_child(tmp_path, IN_MAIN_THREAD)
    group = group_of(tmp_path / "leader")
    child.send_signal(signal.SIGINT)
    _, errors = child.communicate(timeout=20)
    assert b"KeyboardInterrupt" in errors
    assert group_members(group) == []


def test_stop_all_ends_the_tools_of_other_threads_and_lets_this_one_go_on(tmp_path: Path) -> None:
    errors: list[str] = []

    def work() -> None:
        for _ in range(2):
            try:
                shell(BROOD, tmp_path)
            except ToolFailed as error:
                errors.append(error.message)

    worker = threading.Thread(target=work)
    worker.start()
    group = group_of(tmp_path / "leader")
    process.stop_all()
    worker.join(timeout=10)
    assert [message.split(";")[0] for message in errors] == ["shell was stopped"] * 2
    assert group_members(group) == []
    assert shell("echo again", tmp_path).output == "again\n"


def test_a_full_disk_is_told_apart_from_a_failing_tool(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="No space left on device") as caught:
        shell("cat /dev/zero > /dev/full", tmp_path)
    assert "free some disk space" in caught.value.hint


def test_a_file_size_limit_counts_as_a_full_disk(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="File too large"):
        shell("ulimit -f 8; trap '' XFSZ; dd if=/dev/zero of=big bs=1024 count=100", tmp_path)


@contextlib.contextmanager
def no_file_above(size: int) -> Iterator[None]:
    """No file of this process may be larger."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize(
    "broken", [ValueError("cut"), KeyError("x"), EOFError(), FileNotFoundError(), DataError("odd")]
)
def test_results_that_cannot_be_read_are_the_tools_fault_or_that_of_a_full_disk(
    tmp_path: Path, broken: Exception
) -> None:
    with pytest.raises(DataError if isinstance(broken, DataError) else ToolFailed), process.results_of("t", tmp_path):
        raise broken
    told = pytest.raises(StorageError, match="so t left no whole result")
    with no_file_above(8192), told as caught, process.results_of("t", tmp_path):
        raise broken
    assert "free some disk space" in caught.value.hint


def test_a_file_as_large_as_files_may_be_is_cut_short(tmp_path: Path) -> None:
    with no_file_above(2**20):
        (tmp_path / "small").write_bytes(bytes(2**20 - 1))
        assert not process.is_full(tmp_path)
        (tmp_path / "cut").write_bytes(bytes(2**20))
        assert process.is_full(tmp_path)


def test_a_log_that_cannot_be_written_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot write"):
        process.run(["true"], folder=tmp_path, log=tmp_path / "file" / "log", timeout_s=5, tool="true")
    with pytest.raises(StorageError, match="cannot write"):
        process.write_files(tmp_path / "file", {"a.v": ""})
    with pytest.raises(StorageError, match=r"cannot write /dev/full: No space left"):
        process.run(["true"], folder=tmp_path, log=Path("/dev/full"), timeout_s=5, tool="true")


def test_memory_is_limited(tmp_path: Path) -> None:
    greedy = [sys.executable, "-c", "x = bytearray(600 * 2**20); print(len(x))"]
    log = tmp_path / "log"
    free = process.run(greedy, folder=tmp_path, log=log, timeout_s=20, tool="greedy")
    assert free.output == "629145600\n"
    with pytest.raises(ToolFailed, match="MemoryError") as caught:
        process.run(greedy, folder=tmp_path, log=log, timeout_s=20, tool="greedy", memory_gib=0.25)
    assert "ran out of memory" in caught.value.hint


def test_low_priority(tmp_path: Path) -> None:
    assert int(shell("nice", tmp_path, low_priority=True).output) == min(19, os.nice(0) + process.LOW_PRIORITY)


def test_no_descriptors_leak(tmp_path: Path) -> None:
    shell("true", tmp_path)
    before = os.listdir("/proc/self/fd")
    for _ in range(3):
        shell("true", tmp_path)
    assert os.listdir("/proc/self/fd") == before
