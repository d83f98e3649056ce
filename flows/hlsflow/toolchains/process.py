"""Start one external program and never lose control of it.

In: argv, a working folder, limits. Out: `Finished`, and the program's complete output in a log file.
The program runs in a session of its own under `guard.py`: on a time-out, Ctrl-C or any other exception all of its
processes are killed, and they die with hlsflow even when that is killed by SIGKILL.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import resource
import selectors
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import weakref
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from hlsflow.core.caches import hint_for
from hlsflow.core.errors import FlowError, StorageError, ToolFailed, ToolMissing, first_line
from hlsflow.core.journal import LOGGER

GUARD = Path(__file__).with_name("guard.py")
TAIL_BYTES = 64 * 1024
GRACE_S = 2.0
PULSE_S = 0.25
"""How often a watch looks at a program that runs."""
LOW_PRIORITY = 10
DISK_FULL = re.compile(r"no space left on device|disk quota exceeded|file too large|file size limit exceeded", re.I)
NO_MEMORY = re.compile(r"memoryerror|bad_alloc|out of memory|cannot allocate memory", re.I)
ERROR_LINE = re.compile(r"error\b|\bfatal\b|\bcannot\b|exception|killed|wasm trap|%warning-", re.I)
SHOWN_LINES = 5
FULL_BELOW_BYTES = 2**20
PROBE_BYTES = 2**16
FREE_SPACE = "free some disk space (old runs under build/ may be deleted) and run again; finished steps are kept"

_running: set[int] = set()
_stopped: weakref.WeakSet[threading.Thread] = weakref.WeakSet()


Watch = Callable[[float, int], None]
"""Called while a program runs, with the seconds since its start and the id of its guard; what it raises ends it."""


@dataclass(frozen=True)
class Finished:
    """A program that has ended.

    Attributes:
        returncode: its exit code; negative for the signal that ended it.
        seconds: wall time.
        output: the end (at most 64 KiB) of what it printed on standard output and standard error.
        log: the file that holds all of it.
    """

    returncode: int
    seconds: float
    output: str
    log: Path


def run(
    argv: Sequence[str],
    *,
    folder: Path,
    log: Path,
    timeout_s: float,
    tool: str,
    env: Mapping[str, str] | None = None,
    memory_gib: float | None = None,
    low_priority: bool = False,
    check: bool = True,
    watch: Watch | None = None,
) -> Finished:
    """Run a program to its end, in `folder`, without input, with all its output in `log`.

    Args:
        argv: program and arguments; a program with a path separator is looked up from `folder`, others on PATH.
        folder: working folder; must exist.
        log: file for standard output and standard error, written anew.
        timeout_s: seconds after which the program and all its children are killed.
        tool: the name for messages.
        env: variables set on top of hlsflow's own environment.
        memory_gib: limit for the private memory of each process of the tool.
        low_priority: run with niceness 10.
        check: whether an exit code other than 0 is an error.
        watch: is shown the program a few times each second; ends it by raising a FlowError.

    Raises:
        ToolMissing: there is no such program.
        ToolFailed: it failed, was killed, ran out of time, or `stop_all` was called.
        StorageError: it, or its log, ran into a full disk.
    """
    environment = {**os.environ, "LC_ALL": "C", **(env or {})}
    command = [resolve(argv[0], folder, environment, tool), *argv[1:]]
    limits = [str(LOW_PRIORITY if low_priority else 0), str(int((memory_gib or 0) * 2**30))]
    started = time.monotonic()
    LOGGER.debug("%s: $ %s", tool, shlex.join(command))
    with _open_log(log, command) as stream:
        head = stream.tell()
        returncode = _supervise([*limits, *command], folder, stream, environment, timeout_s, watch)
    finished = Finished(returncode or 0, time.monotonic() - started, _tail(log, head), log)
    LOGGER.debug("%s: %s after %.1f s; its output: %s", tool, _ending(returncode), finished.seconds, log)
    if returncode is None:
        message = _sentence(tool, _cut_short(timeout_s), finished)
        raise ToolFailed(message, "allow more time, or make the design smaller")
    if check and returncode != 0:
        raise failure(finished, folder, tool)
    return finished


def _ending(returncode: int | None) -> str:
    return "was stopped" if returncode is None else f"exit code {returncode}"


def stop_all() -> None:
    """Kill every tool that runs; the `run` calls raise ToolFailed, as do all later ones of the same threads.

    For a thread that was interrupted while others, which it waits for, run tools. The calling thread and threads that
    are started later may run tools again.
    """
    _stopped.update(thread for thread in threading.enumerate() if thread is not threading.current_thread())
    for guard in tuple(_running):
        _end_guard(guard)


def resolve(program: str, folder: Path, environment: Mapping[str, str], tool: str) -> str:
    """The absolute path of an executable; raises ToolMissing."""
    if os.sep in program:
        path = str((folder / program).absolute())
        executable = path if os.access(path, os.X_OK) and not os.path.isdir(path) else None
    else:
        executable = shutil.which(program, path=environment.get("PATH"))
    if executable is None:
        raise ToolMissing(f"{tool}: there is no program '{program}'", "`hlsflow doctor` shows which tools are found")
    return os.path.abspath(executable)


def write_files(folder: Path, files: Mapping[str, str]) -> None:
    """Write texts into `folder` (made if needed), by name relative to it; raises StorageError."""
    try:
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise storage_error(folder, error) from error


def make_folder(folder: Path) -> None:
    """Make a folder and those above it; raises StorageError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(folder, error) from error


def remove(path: Path) -> None:
    """Delete a file or a whole folder, if it is there; raises StorageError."""
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise storage_error(path, error) from error


def last_errors(output: str) -> str:
    """The few lines of a tool's output that say best what went wrong."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    marked = [line for line in lines if ERROR_LINE.search(line)]
    return "\n".join(f"  {line[:300]}" for line in (marked[:SHOWN_LINES] or lines[-SHOWN_LINES:]))


def _open_log(log: Path, command: Sequence[str]) -> BinaryIO:
    """A fresh log that opens with the command line, so that a reader can repeat it."""
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        stream = log.open("wb", buffering=0)
        stream.write(f"$ {shlex.join(command)}\n".encode())
    except OSError as error:
        raise storage_error(log, error) from error
    return stream


def _supervise(
    arguments: Sequence[str],
    folder: Path,
    output: BinaryIO,
    environment: Mapping[str, str],
    timeout_s: float,
    watch: Watch | None,
) -> int | None:
    """Run a command under the guard until its whole group is gone; its exit code, or None if it was cut short."""
    lifeline, our_end = os.pipe()
    status, guards_end = os.pipe()
    try:
        guard = _start_guard([str(guards_end), *arguments], folder, lifeline, output, guards_end, environment)
        return _wait(guard, status, timeout_s, watch)
    finally:
        os.close(our_end)
        os.close(status)


def _start_guard(
    arguments: Sequence[str],
    folder: Path,
    lifeline: int,
    output: BinaryIO,
    guards_end: int,
    environment: Mapping[str, str],
) -> subprocess.Popen[bytes]:
    """Start the guard and give up our copies of its pipe ends."""
    try:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", str(GUARD), *arguments],
            cwd=folder,
            env=environment,
            stdin=lifeline,
            stdout=output,
            stderr=output,
            pass_fds=(guards_end,),
            start_new_session=True,
        )
    finally:
        os.close(lifeline)
        os.close(guards_end)


def _wait(guard: subprocess.Popen[bytes], status: int, timeout_s: float, watch: Watch | None) -> int | None:
    _running.add(guard.pid)
    try:
        if _is_stopped() or not _ends(guard.pid, status, timeout_s, watch):
            return None
        code = os.read(status, 16)
        return None if _is_stopped() else int(code or -signal.SIGKILL)
    finally:
        _end_group(guard, status)
        _running.discard(guard.pid)


def _ends(guard: int, status: int, timeout_s: float, watch: Watch | None) -> bool:
    """Whether the program ends in time."""
    if watch is None:
        return _readable(status, timeout_s)
    started = time.monotonic()
    while (passed := time.monotonic() - started) < timeout_s:
        if _readable(status, min(PULSE_S, timeout_s - passed)):
            return True
        watch(time.monotonic() - started, guard)
    return False


def _is_stopped() -> bool:
    return threading.current_thread() in _stopped


def _readable(descriptor: int, timeout_s: float) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        return bool(selector.select(timeout_s))


def _end_group(guard: subprocess.Popen[bytes], status: int) -> None:
    """Leave no process of the tool: a polite signal, a short grace, then the guard kills them all, and itself."""
    try:
        if not _readable(status, 0):
            _signal_group(guard.pid, signal.SIGTERM)
            _readable(status, GRACE_S)
    finally:
        _end_guard(guard.pid)
        with contextlib.suppress(subprocess.TimeoutExpired):
            guard.wait(GRACE_S)
        _signal_group(guard.pid, signal.SIGKILL)
        guard.wait()


def _end_guard(guard: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(guard, signal.SIGUSR1)


def _signal_group(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _tail(log: Path, head: int) -> str:
    with log.open("rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(head, size - TAIL_BYTES))
        return stream.read().decode("utf-8", errors="replace")


def _cut_short(timeout_s: float) -> str:
    return "was stopped" if _is_stopped() else f"did not end within {timeout_s:g} s and was killed"


def _sentence(tool: str, ending: str, finished: Finished) -> str:
    return f"{tool} {ending}; its output is in {finished.log}\n{last_errors(finished.output)}".rstrip()


def failure(finished: Finished, folder: Path, tool: str) -> ToolFailed | StorageError:
    code = finished.returncode
    ending = f"failed with exit code {code}" if code > 0 else f"was killed by {_signal_name(-code)}"
    message = _sentence(tool, ending, finished)
    if DISK_FULL.search(finished.output) or is_full(folder):
        return StorageError(message, FREE_SPACE)
    if code == -signal.SIGKILL or NO_MEMORY.search(finished.output):
        return ToolFailed(message, "it ran out of memory, it seems: use a smaller design or run fewer tools at once")
    return ToolFailed(message, "read the log, correct the cause and run again; finished steps are kept")


@contextmanager
def results_of(tool: str, folder: Path) -> Iterator[None]:
    """Read within this block what a tool has left in a folder: many tools end well on a full disk, which cuts their
    files short.

    Raises:
        StorageError: something was wrong with the files, and the disk is full.
        ToolFailed: they cannot be read. Other FlowErrors that the block raises, as they are.
    """
    try:
        yield
    except (FlowError, OSError, ValueError, LookupError, EOFError, zipfile.BadZipFile) as error:
        if is_full(folder):
            message = f"the disk that holds {folder} is full, so {tool} left no whole result: {first_line(error)}"
            raise StorageError(message, FREE_SPACE) from error
        if isinstance(error, FlowError):
            raise
        message = f"{tool} left no usable result in {folder}: {first_line(error)}"
        raise ToolFailed(message, "read the log there") from error


def is_full(folder: Path) -> bool:
    """Whether the disk, the user's quota, or the limit of a file's size leaves no room for a small file, or has cut a
    file of the folder short."""
    if shutil.disk_usage(folder).free < FULL_BELOW_BYTES:
        return True
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(bytes(PROBE_BYTES))
            probe.flush()
    except OSError as error:
        return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    limit, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    return limit != resource.RLIM_INFINITY and any(file.stat().st_size >= limit for file in _files(folder))


def _files(folder: Path) -> Iterator[Path]:
    return (file for file in folder.iterdir() if file.is_file())


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def storage_error(path: Path, error: OSError) -> StorageError:
    """The StorageError for an OSError met while reading or writing `path`."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    hint = FREE_SPACE if full else hint_for(path, "check that the folder exists and that you may write to it")
    return StorageError(f"cannot write {path}: {error.strerror or error}", hint)
