"""The jet-tagger network (16-64-32-32-5, 6-bit weights and activations) as RTL, against the project's first prototype.

Each design is simulated on 1,000 vectors, which must equal the oracle, and synthesized whole. Prints a Markdown table;
`ratio` is LUT over the prototype's LUT for the same reuse factor, family and kind of multiplier (below 1 is better).

    scripts/bench_rtl --weights jet_shape_6bit.npz     # the prototype's own weights and vectors; random ones otherwise
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np

from flows.ir import Fixed, Graph, Node, Op, evaluate, verify
from flows.ir.fixed import Array
from flows.metrics import Stage
from flows.report import number, table
from flows.rtl import LayerKnobs, Multiplier, emit, schedule, simulate
from flows.toolchains import yosys

LAYERS = (("fc1", 16, 64), ("fc2", 64, 32), ("fc3", 32, 32), ("out", 32, 5))
INPUT, WEIGHT, HIDDEN = Fixed(10, 4), Fixed(6, 1), Fixed.parse("ufixed<6,0,RND_CONV,SAT>")
ACCUM_WIDTHS = (21, 19, 18, 18)
"""What hls4ml infers for these types; 11 bits of each are fractional."""

PROTOTYPE = {
    (64, "dsp", "xc7"): (2987, 67, 271), (64, "dsp", "xcup"): (3492, 67, 271), (64, "dsp", "ecp5"): (5035, 67, 271),
    (32, "dsp", "xc7"): (2729, 134, 152), (32, "dsp", "xcup"): (3791, 134, 152), (32, "dsp", "ecp5"): (5722, 134, 152),
    (16, "dsp", "xc7"): (4162, 267, 89), (16, "dsp", "xcup"): (6273, 267, 89), (16, "dsp", "ecp5"): (8370, 267, 89),
    (8, "dsp", "xc7"): (5149, 544, 56), (8, "dsp", "xcup"): (9450, 544, 56), (8, "dsp", "ecp5"): (14231, 544, 56),
    (64, "lut", "xc7"): (7580, 0, None), (64, "lut", "ecp5"): (13724, 0, None),
    (16, "lut", "xc7"): (21681, 0, None), (16, "lut", "ecp5"): (42163, 0, None),
}  # fmt: skip
"""(reuse factor, multiplier, family) → LUT, DSP, latency of the prototype, Yosys 0.70 (wheel); without shift registers
as LUTs, which are counted here. The DSP-free ones are sums of layers."""


def jet(weights: Path | None) -> tuple[Graph, Array]:
    """The network and 1,000 input vectors."""
    rng = np.random.default_rng(0)
    data = dict(np.load(weights)) if weights else {}
    nodes = [Node("x", Op.INPUT, (), (16,), INPUT)]
    for (name, n_in, n_out), width in zip(LAYERS, ACCUM_WIDTHS, strict=True):
        accum = Fixed(width, width - 11)
        real = [
            data.get(f"{name}_w", rng.uniform(-1, 1, (n_in, n_out))),
            data.get(f"{name}_b", rng.uniform(-1, 1, n_out)),
        ]
        params = {
            key: np.clip(np.rint(values * 32), -32, 31).astype(int)
            for key, values in zip(("weight", "bias"), real, strict=True)
        }
        types = {"weight": WEIGHT, "bias": WEIGHT, "accum": accum}
        nodes.append(Node(name, Op.DENSE, (nodes[-1].name,), (n_out,), accum, types, params))
        if name != "out":
            nodes.append(Node(f"{name}_relu", Op.RELU, (name,), (n_out,), HIDDEN))
    x = INPUT.quantize(data["inputs"]) if weights else rng.integers(INPUT.min, INPUT.max + 1, (1000, 16))
    return verify(Graph("jet", tuple(nodes), ("out",))), x


def measure(graph: Graph, x: Array, reuse_factor: int, multiplier: str, families: list[str]) -> list[list[str]]:
    """Rows of the table: one for each family."""
    plan = schedule(graph, {}, LayerKnobs(reuse_factor, Multiplier(multiplier)))
    design = emit(plan)
    with tempfile.TemporaryDirectory() as folder:
        ran = simulate(design, x, Path(folder))
    assert np.array_equal(ran.outputs, evaluate(graph, x)), "RTL differs from the oracle"
    assert set(ran.ends - ran.begins) == {plan.latency_cycles}
    rows = []
    for family in families:
        with tempfile.TemporaryDirectory() as folder:
            kind = yosys.Family(family)
            metrics = yosys.synthesize(design.files, design.top, kind, Path(folder), timeout_s=3600)
        found = {metric.name: metric.value for metric in metrics if metric.stage is Stage.SYNTH}
        lut, dsp, latency = PROTOTYPE.get((reuse_factor, multiplier, family), (None, None, None))
        ratio = f"{found['lut'] / lut:.2f}" if lut and found["lut"] else "missing"
        cells = [plan.latency_cycles, ran.ii, *(found[name] for name in ("lut", "ff", "dsp", "bram", "seconds"))]
        theirs = [number(value) for value in (latency, lut, dsp)]
        rows.append([str(reuse_factor), multiplier, family, *map(number, cells), *theirs, ratio])
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, help=".npz with fc1_w, fc1_b, … out_b and inputs")
    parser.add_argument("--reuse-factor", type=int, nargs="+", default=[64, 32, 16])
    parser.add_argument("--multiplier", nargs="+", default=["dsp"], choices=["dsp", "lut"])
    parser.add_argument("--family", nargs="+", default=["xc7", "xcup", "ecp5"])
    arguments = parser.parse_args()
    graph, x = jet(arguments.weights)
    head = ("R", "multiplier", "family", "latency (cycles, simulated)", "II", "LUT", "FF", "DSP", "BRAM", "synth (s)",
            "prototype latency", "prototype LUT", "prototype DSP", "LUT ratio")  # fmt: skip
    rows = []
    for multiplier in arguments.multiplier:
        for reuse_factor in arguments.reuse_factor:
            rows += measure(graph, x, reuse_factor, multiplier, arguments.family)
    print(f"{yosys.find().label}\n\n{table(head, rows)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
