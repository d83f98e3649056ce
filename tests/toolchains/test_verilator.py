"""Verilator, on an 8-bit counter and on mistakes it must not accept."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from hlsflow.core.errors import ToolFailed
from hlsflow.toolchains import process, verilator
from tests.toolchains.designs import COUNTER

ROOT = Path(__file__).parents[2]
STEPPING = COUNTER.replace("8'd1", "8'd`STEP")
HARNESS = """
#include <cstdio>
#include "Vtop.h"

int main() {
  VerilatedContext context;
  Vtop model(&context);
  auto tick = [&] { model.clk = 0; model.eval(); model.clk = 1; model.eval(); };
  model.rst = 1;
  tick();
  model.rst = 0;
  for (int cycle = 0; cycle < 100; ++cycle) tick();
  std::printf("%d\\n", model.q);
}
"""


def simulate(folder: Path) -> str:
    argv = [f"./{verilator.EXECUTABLE}"]
    return process.run(argv, folder=folder, log=folder / "run.log", timeout_s=10, tool="simulation").output


def test_a_counter_counts(tmp_path: Path) -> None:
    program = verilator.build({"counter.v": STEPPING}, "counter", HARNESS, tmp_path, {"STEP": "3"})
    assert program == tmp_path / verilator.EXECUTABLE
    assert simulate(tmp_path) == f"{300 % 256}\n"


ROM = """
module rom (
    input  wire       clk,
    input  wire       rst,
    output reg  [7:0] q
);
  reg [7:0] memory[0:1];
  initial $readmemh("rom.hex", memory);
  always @(posedge clk) q <= memory[rst];
endmodule
"""


def test_rom_files_lie_where_the_model_looks_and_a_missing_one_is_an_error(tmp_path: Path) -> None:
    verilator.build({"rom.v": ROM, "rom.hex": "2a\n17\n"}, "rom", HARNESS, tmp_path)
    assert simulate(tmp_path) == f"{0x2A}\n"
    (tmp_path / "rom.hex").unlink()
    with pytest.raises(ToolFailed, match=r"rom\.hex.*file not found"):
        simulate(tmp_path)


MISTAKES: Mapping[str, tuple[str, str]] = {
    "latch": ("LATCH", "reg r; always @(*) if (a) r = b; assign q = r;"),
    "two drivers": ("MULTIDRIVEN", "reg r; always @(posedge a) r <= b; always @(negedge a) r <= ~b; assign q = r;"),
    "undriven": ("UNDRIVEN", "wire r; assign q = r & a & b;"),
    "undeclared": ("IMPLICIT", "assign q = a & b; assign typo = a;"),
    "blocking": ("BLKSEQ", "reg r; always @(posedge a) r = b; assign q = r;"),
    "syntax": ("syntax error", "assign q = ;"),
    "missing module": ("Cannot find file containing module", "nowhere n(.a(a), .b(b), .q(q));"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_warnings_that_matter_are_errors(tmp_path: Path, name: str) -> None:
    message, body = MISTAKES[name]
    text = f"module top (input wire a, input wire b, output wire q);\n  {body}\nendmodule\n"
    with pytest.raises(ToolFailed, match=message):
        verilator.build({"top.v": text}, "top", HARNESS, tmp_path)


def test_a_harness_that_does_not_compile_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ToolFailed, match=r"harness\.cpp.*error"):
        verilator.build({"counter.v": STEPPING}, "counter", "int main() { nothing(); }\n", tmp_path, {"STEP": "1"})


def test_the_run_time_library_is_compiled_once_by_any_number_of_processes(tmp_path: Path) -> None:
    script = "from hlsflow.toolchains import verilator as v; v.RUNTIME_FLAGS = ('-O0',); print(*v.runtime())"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "flows"), "XDG_CACHE_HOME": str(tmp_path)}
    children = [
        subprocess.Popen([sys.executable, "-c", script], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    answers = {child.communicate(timeout=120)[0] for child in children}
    assert [child.returncode for child in children] == [0, 0]
    (answer,) = answers
    assert all(Path(name).stat().st_size > 500 for name in answer.split())
    kept = tmp_path / "hlsflow" / "verilator"
    assert [path.name for path in kept.iterdir()] == [Path(answer.split()[0]).parent.name]
