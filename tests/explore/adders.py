"""Parts that are synthesized quickly, a Yosys that keeps a list of its runs, and a process that measures.

As a script: `python -m tests.explore.adders CACHE WIDTH...` measures adders with two local workers, prints what each
costs, and is used where a test needs a process of its own.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from hlsflow.core.choices import Family
from hlsflow.core.progress import Progress
from hlsflow.explore.cache import Cache
from hlsflow.explore.characterise import measure
from hlsflow.explore.cluster import Cluster
from hlsflow.rtl.parts import Part
from hlsflow.toolchains import yosys, yowasp

FILE = "part.v"


def adder(width: int, name: str = "") -> Part:
    text = f"""module adder{width} (input clk, input [{width - 1}:0] a, b, output reg [{width - 1}:0] sum);
  always @(posedge clk) sum <= a + b;
endmodule
"""
    return Part(name or f"adder {width}", {FILE: text}, f"adder{width}")


def listing_yosys(folder: Path) -> tuple[Path, Path]:
    """A program that is the installed Yosys and notes each synthesis; returns it and the list: a line `PID MODULE`."""
    tool, runs, program = yosys.find(), folder / "runs", folder / "yosys"
    settings = " ".join(f"{key}={shlex.quote(value)}" for key, value in yowasp.environment(tool, yosys.PACKAGE).items())
    argv = shlex.join(tool.argv)
    note = f"test -f {FILE} && echo $$ $(grep -o 'module [a-z0-9]*' {FILE}) >> {shlex.quote(str(runs))}"
    program.write_text(f'#!/bin/sh\n{note}\nexec env {settings} {argv} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    runs.touch()
    return program, runs


def modules_in(runs: Path) -> list[str]:
    return sorted(line.split()[-1] for line in runs.read_text(encoding="utf-8").splitlines())


def alive(runs: Path) -> list[int]:
    """Processes of the list that still run."""
    pids = [int(line.split()[0]) for line in runs.read_text(encoding="utf-8").splitlines()]
    return [pid for pid in pids if _state(pid) not in ("", "Z")]


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return ""


def main(root: str, *widths: str) -> None:
    progress = Progress()
    with Cluster("local", 2) as cluster:
        parts = [adder(int(width)) for width in widths]
        found = measure(parts, Family.XC7, Cache(Path(root), progress.say), cluster, progress, quick=True)
    for item in found:
        print(item.part, dict(item.area), os.getpid())


def command(cache: Path, widths: Sequence[int]) -> list[str]:
    """The command line of `main`."""
    return [sys.executable, "-m", "tests.explore.adders", str(cache), *map(str, widths)]


if __name__ == "__main__":
    main(*sys.argv[1:])
