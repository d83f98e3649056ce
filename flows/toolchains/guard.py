"""Stand between hlsflow and one tool, so that no process of the tool outlives it or hlsflow.

Started by `process.run` as a script, in a session of its own, with the standard library alone:
`guard.py STATUS_FD NICENESS MEMORY_BYTES PROGRAM ARG...`. In: standard input is a pipe of which hlsflow alone
holds the other end. Out: the tool's exit code (negative for a signal) as text on STATUS_FD.

The tool stays in the guard's process group. When the tool ends, or when the pipe closes because hlsflow is gone
(even by SIGKILL), the guard kills the whole group, itself included. Unlike Linux's parent-death signal this does
not depend on which thread of hlsflow started the tool.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import threading

TERMINAL_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)


def become_tool(argv: list[str], niceness: int, memory_bytes: int) -> None:
    """Turn this (child) process into the tool; never returns."""
    try:
        for number in (*TERMINAL_SIGNALS, *IGNORED_BY_PYTHON):
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


def kill_group() -> None:
    os.killpg(os.getpgrp(), signal.SIGKILL)


def kill_group_when_abandoned() -> None:
    """Block until the far end of standard input closes."""
    os.read(0, 1)
    kill_group()


def main(status_fd: int, niceness: int, memory_bytes: int, argv: list[str]) -> None:
    os.set_inheritable(status_fd, False)
    for number in TERMINAL_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    tool = os.fork()
    if tool == 0:
        become_tool(argv, niceness, memory_bytes)
    threading.Thread(target=kill_group_when_abandoned, daemon=True).start()
    _, status = os.waitpid(tool, 0)
    os.write(status_fd, str(os.waitstatus_to_exitcode(status)).encode())
    kill_group()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
