"""Stand between hlsflow and one tool, so that no process of the tool outlives it or hlsflow.

Started by `process.run` as a script, in a session of its own, with the standard library alone:
`guard.py STATUS_FD NICENESS MEMORY_BYTES PROGRAM ARG...`. In: standard input is a pipe of which hlsflow alone
holds the other end. Out: the tool's exit code (negative for a signal) as text on STATUS_FD.

The tool starts in the guard's process group. When the tool ends, on SIGUSR1, or when the pipe closes because hlsflow
is gone (even by SIGKILL), the guard kills all its descendants and the whole group, itself included. It adopts orphans
(PR_SET_CHILD_SUBREAPER of prctl(2)), so those are found that run in sessions of their own, as the run scripts of
Vivado do. Unlike Linux's parent-death signal this does not depend on which thread of hlsflow started the tool.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
import threading

TERMINAL_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)
PR_SET_CHILD_SUBREAPER = 36


def become_tool(argv: list[str], niceness: int, memory_bytes: int) -> None:
    """Turn this (child) process into the tool; never returns."""
    try:
        for number in (*TERMINAL_SIGNALS, *IGNORED_BY_PYTHON, signal.SIGUSR1):
            signal.signal(number, signal.SIG_DFL)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.nice(niceness)
        if memory_bytes:
            # Not RLIMIT_AS: WebAssembly runtimes reserve many gigabytes of addresses that they never touch.
            resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
        os.execv(argv[0], argv)
    except OSError as error:
        os.write(2, f"error: cannot start {argv[0]}: {error}\n".encode())
    finally:
        os._exit(127)


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parents end; without effect where the system has no such thing."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def strays() -> list[int]:
    """Living descendants outside the process group, from the fields of /proc/<pid>/stat (proc(5))."""
    processes: dict[int, tuple[str, int, int]] = {}
    for name in filter(str.isdigit, os.listdir("/proc") if os.path.isdir("/proc") else ()):
        with contextlib.suppress(OSError), open(f"/proc/{name}/stat", errors="replace") as stream:
            state, parent, group = stream.read().rpartition(")")[2].split()[:3]
            processes[int(name)] = state, int(parent), int(group)
    family = children = {os.getpid()}
    while children:
        children = {pid for pid, (_, parent, _) in processes.items() if parent in children} - family
        family = family | children
    return [pid for pid in family & processes.keys() if processes[pid][0] != "Z" and processes[pid][2] != os.getpgrp()]


def kill_all(*_: object) -> None:
    """Strays first, as nobody finds those once the guard is gone; twice, for one that was just being started."""
    for _round in range(2):
        for pid in strays():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    os.killpg(os.getpgrp(), signal.SIGKILL)


def kill_all_when_abandoned() -> None:
    """Block until the far end of standard input closes."""
    os.read(0, 1)
    kill_all()


def main(status_fd: int, niceness: int, memory_bytes: int, argv: list[str]) -> None:
    os.set_inheritable(status_fd, False)
    for number in TERMINAL_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGUSR1, kill_all)
    adopt_orphans()
    tool = os.fork()
    if tool == 0:
        become_tool(argv, niceness, memory_bytes)
    threading.Thread(target=kill_all_when_abandoned, daemon=True).start()
    _, status = os.waitpid(tool, 0)
    os.write(status_fd, str(os.waitstatus_to_exitcode(status)).encode())
    kill_all()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
