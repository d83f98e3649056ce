"""Who did a piece of work, when and where: told beside results, never part of what decides them.

In: the running process. Out: plain JSON values, for the manifest of finished work. No user's name is in them.
"""

from __future__ import annotations

import os
import platform
import re
import shlex
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from hlsflow import __version__

HOME = re.compile(r"/(?:home|Users)/[^/\s'\"]+")
"""A home folder, which is called as its user is."""

CPU_INFO = Path("/proc/cpuinfo")
CPU_MODEL = re.compile(r"^model name\s*:\s*(.+)$", re.MULTILINE)


def provenance() -> dict[str, Any]:
    """Of work that has just been finished.

    Returns:
        date (UTC, ISO 8601, in whole seconds), command, versions of hlsflow and Python, and the host.
    """
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command(sys.argv),
        "hlsflow": __version__,
        "python": platform.python_version(),
        "host": host(),
    }


def command(argv: Sequence[str]) -> str:
    """The command line of a process; of a program or notebook that imports hlsflow only what it is."""
    if not argv or Path(argv[0]).name not in ("hlsflow", "__main__.py"):
        return f"Python: {Path(argv[0]).name}" if argv and argv[0] else "Python"
    return without_users(shlex.join(["hlsflow", *argv[1:]]))


def without_users(text: str) -> str:
    """The text with `~` in place of home folders."""
    home = str(Path.home())
    text = re.sub(rf"{re.escape(home)}(?![^/\s'\"])", "~", text) if len(home) > 1 else text
    return HOME.sub("~", text)


@lru_cache(maxsize=1)
def host() -> dict[str, Any]:
    """The machine: its CPU, how many cores this process may use, and its operating system."""
    return {"cpu": _cpu(), "cores": len(os.sched_getaffinity(0)), "os": f"{platform.system()} {platform.release()}"}


def _cpu() -> str:
    """The name of the processor's model, or of its kind where the system does not tell the model."""
    try:
        found = CPU_MODEL.search(CPU_INFO.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        found = None
    return found.group(1).strip() if found else platform.machine()
