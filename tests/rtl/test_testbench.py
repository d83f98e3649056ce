"""The testbench that is written beside the RTL: it passes on the right results, and names the first wrong one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hlsflow.core.errors import DataError
from hlsflow.ir import Fixed, evaluate
from hlsflow.rtl import LayerKnobs, emit, schedule
from hlsflow.rtl.testbench import testbench as bench
from hlsflow.toolchains import gxx, process, verilator
from tests.ir.random_graphs import batch
from tests.rtl.test_timing import residual

GRAPH = residual(4)
DESIGN = emit(schedule(GRAPH, {}, LayerKnobs(5)))
X = batch(np.random.default_rng(0), GRAPH, 6)
Y = evaluate(GRAPH, X)


def build(files: dict[str, str], folder: Path) -> Path:
    """The testbench as a program, with Verilator's own event loop: no harness of ours."""
    process.write_files(folder, files)
    tool = verilator.find()
    root = verilator.root(tool)
    sources = sorted(name for name in files if name.endswith(".v"))
    argv = (*tool.argv, "--cc", "--main", "--timing", "-Wno-WIDTH", "--top-module", "testbench", "--prefix", "Vtop")
    argv = (*argv, "--Mdir", "model", *sources)
    environment = {"VERILATOR_ROOT": str(root)}
    process.run(argv, folder=folder, log=folder / "verilator.log", timeout_s=300, tool="verilator", env=environment)
    model = "".join(f'#include "{path}"\n' for path in sorted((folder / "model").glob("*.cpp")))
    process.write_files(folder, {"model.cpp": model})
    flags = ("-std=c++20", "-fcoroutines", *verilator.COMMON_FLAGS[1:], "-Imodel", f"-I{root / 'include'}", "-pthread")
    units = ["model.cpp", root / "include" / "verilated_timing.cpp", *verilator.runtime()]
    gxx.compile(units, "testbench", flags, folder, folder / "compile.log", timeout_s=300)
    return folder / "testbench"


def run(program: Path) -> str:
    done = process.run((str(program),), folder=program.parent, log=program.parent / "run.log", timeout_s=60, tool="sim")
    return done.output


def test_it_passes_and_fails_as_it_should(tmp_path: Path) -> None:
    program = build({**DESIGN.files, **bench(DESIGN, X, Y)}, tmp_path)
    assert "PASS: 6 frames, twice" in run(program)
    wrong = Y.copy()
    wrong[2, 5] ^= 1
    process.write_files(tmp_path, bench(DESIGN, X, wrong))
    said = run(program)
    assert "out: frame 2, beat 1 is" in said
    assert "FAIL: 1 words differ" in said


def test_vectors_have_element_zero_in_the_low_bits() -> None:
    files = bench(DESIGN, X, Y)
    lanes, beat = DESIGN.inputs[0].lanes, int(files["in.hex"].split()[1], 16)
    assert (lanes, DESIGN.inputs[0].type) == (4, Fixed(6, 3))
    assert [(beat >> (6 * lane)) & 63 for lane in range(lanes)] == (X[0, 4:8] & 63).tolist()
    assert len(files["out.hex"].split()) == 6 * 16


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (X[:, 1:], Y, "inputs are rows of 64 values"),
        (X, Y[:3], "6 samples do not go with 3 results"),
        (X, Y + 64, "some results are outside the type"),
    ],
)
def test_what_does_not_fit_is_refused(x: np.ndarray, y: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        bench(DESIGN, x, y)
