"""This backend, da4ml and the project's first prototype, side by side through the same Yosys.

Designs: the jet tagger (16-64-32-32-5, 6-bit weights and activations); a 3x3 convolution of an image of 32x32 pixels
and 8 channels to 16 channels without padding; `pixels`, the same with P neighbouring pixels at a time, up to a whole
row; `cnn`, two convolutions of 5x5 with 8 filters, each with a ReLU and a maximum over 2x2, and a dense layer of 10 on
32x32 pixels, a row at a time: 4-bit weights of which three quarters are zero, 4-bit activations, all drawn from a seed.
Reuse factor 1 is strategy `latency` (adder graphs) here, and da4ml's own RTL with as many levels of adders between
registers; of the convolution, da4ml has the matrix only: no line buffer, no stream. Each design of ours is simulated,
and must equal the oracle in value and the schedule in time.

Prints Markdown tables. `ratio` is our LUT over theirs: below 1 is better.

    scripts/bench_rtl --weights jet_shape_6bit.npz  # the prototype's weights and vectors; else random ones
    scripts/bench_rtl --design conv --reuse-factor 16 64 --family ecp5 --without-da4ml
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from hlsflow.core.choices import Family
from hlsflow.core.metrics import Stage
from hlsflow.ir import Fixed, Graph, Node, Op, evaluate, verify
from hlsflow.ir.fixed import Array
from hlsflow.report.markdown import number, table
from hlsflow.rtl import (
    LayerKnobs,
    Multiplier,
    Pipeline,
    Pixels,
    Schedule,
    Strategy,
    emit,
    for_family,
    schedule,
    simulate,
)
from hlsflow.toolchains import nextpnr, yosys

LAYERS = (("fc1", 16, 64), ("fc2", 64, 32), ("fc3", 32, 32), ("out", 32, 5))
INPUT, WEIGHT, HIDDEN = Fixed(10, 4), Fixed(6, 1), Fixed.parse("ufixed<6,0,RND_CONV,SAT>")
ACCUM_WIDTHS = (21, 19, 18, 18)
"""What hls4ml infers for these types; 11 bits of each are fractional."""

PROTOTYPE = {
    (4, "dsp", "xc7"): (8952, 1088, 42), (4, "dsp", "ecp5"): (27214, 1088, 42),
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


def conv(_: Path | None) -> tuple[Graph, Array]:
    """The convolution with random weights, and two images."""
    rng = np.random.default_rng(0)
    accum, types = Fixed(19, 8), {"weight": WEIGHT, "bias": WEIGHT, "accum": Fixed(19, 8)}
    shapes = {"weight": (3, 3, 8, 16), "bias": (16,)}
    params = {key: rng.integers(WEIGHT.min, WEIGHT.max + 1, shape) for key, shape in shapes.items()}
    image = Node("x", Op.INPUT, (), (32, 32, 8), Fixed.parse("ufixed<6,0>"))
    attrs = {"stride": (1, 1), "pad": (0, 0, 0, 0)}
    layer = Node("conv", Op.CONV, ("x",), (30, 30, 16), accum, types, params, attrs)
    relu = Node("relu", Op.RELU, ("conv",), (30, 30, 16), HIDDEN)
    return verify(Graph("conv", (image, layer, relu), ("relu",))), rng.integers(0, 64, (2, 32 * 32 * 8))


def cnn(_: Path | None) -> tuple[Graph, Array]:
    """Two convolutions and a dense layer, and two images."""
    rng, kind, total, hidden = np.random.default_rng(0), Fixed(4, 1), Fixed(18, 8), Fixed.parse("ufixed<4,2,RND,SAT>")

    def layer(name: str, op: Op, source: str, weight: tuple[int, ...], shape: tuple[int, ...]) -> Node:
        thinned = rng.integers(kind.min, kind.max + 1, weight) * (rng.random(weight) >= 0.75)
        params = {"weight": thinned, "bias": rng.integers(kind.min, kind.max + 1, weight[-1])}
        attrs = {"stride": (1, 1), "pad": (0, 0, 0, 0)} if op is Op.CONV else {}
        return Node(name, op, (source,), shape, total, {"weight": kind, "bias": kind, "accum": total}, params, attrs)

    def block(number: int, source: str, channels: int, size: int) -> list[Node]:
        conv = layer(f"conv{number}", Op.CONV, source, (5, 5, channels, 8), (size, size, 8))
        relu = Node(f"relu{number}", Op.RELU, (conv.name,), conv.shape, hidden)
        attrs = {"window": (2, 2), "stride": (2, 2), "pad": (0, 0, 0, 0)}
        shape = (size // 2, size // 2, 8)
        return [conv, relu, Node(f"pool{number}", Op.MAX_POOL, (relu.name,), shape, hidden, attrs=attrs)]

    image = Node("x", Op.INPUT, (), (32, 32, 1), Fixed.parse("ufixed<6,0>"))
    blocks = [*block(1, "x", 1, 28), *block(2, "pool1", 8, 10)]
    flat = Node("flat", Op.RESHAPE, ("pool2",), (200,), hidden)
    nodes = (image, *blocks, flat, layer("out", Op.DENSE, "flat", (200, 10), (10,)))
    return verify(Graph("cnn", nodes, ("out",))), rng.integers(0, 64, (2, 32 * 32))


@dataclass(frozen=True)
class Trial:
    """A design, and the points at which it is built.

    Attributes:
        make: the network and some inputs.
        reuse_factors: of all layers that have none of their own.
        pixels: at a time.
        knobs: of single layers.
    """

    make: Callable[[Path | None], tuple[Graph, Array]]
    reuse_factors: tuple[int, ...]
    pixels: tuple[Pixels, ...] = (Pixels(),)
    knobs: Mapping[str, LayerKnobs] = field(default_factory=dict)


DESIGNS = {
    "jet": Trial(jet, (1, 4, 16, 64)),
    "conv": Trial(conv, (1, 4, 16, 64, 144)),
    "pixels": Trial(conv, (64,), tuple(Pixels(count) for count in (1, 2, 4, 8, 16, 32))),
    "cnn": Trial(
        cnn, (1,), (Pixels(32, {"conv2": 7}),), {"out": LayerKnobs(32, Multiplier.AUTO, strategy=Strategy.SPARSE)}
    ),
}

PUBLISHED = (
    ("hls4ml, published", 3_076, 18_312, None),
    ("a specialised generator, post-route Vivado, KU5P", 51, 4_930, 79),
)
"""What others state for networks of the layers of `cnn`, with weights and tools of their own: II, LUT, DSP."""

Figures = Mapping[str, float | None]

CLOCK_NS = 5.0
"""What routing aims at, ours and theirs."""


def synthesized(files: Mapping[str, str], top: str, family: str, part: str | None) -> Figures:
    """Figures of synthesis, and Fmax where the family is routed on `part`."""
    kind = Family(family)
    routes = part is not None and kind is Family.ECP5
    with tempfile.TemporaryDirectory() as folder:
        metrics = yosys.synthesize(files, top, kind, Path(folder), timeout_s=7200, netlist=routes)
        found = {metric.name: metric.value for metric in metrics if metric.stage is Stage.SYNTH}
        if part is not None and routes:
            routed = nextpnr.route(
                Path(folder) / "ecp5.json", part, CLOCK_NS, Path(folder), timeout_s=3600, synth=metrics
            )
            found["fmax_mhz"] = next(metric.value for metric in routed if metric.name == "fmax_mhz")
    return found


def ours(graph: Graph, x: Array, plan: Schedule, arguments: argparse.Namespace) -> dict[str, tuple[int, int, Figures]]:
    """Family → latency and interval, both simulated, and figures."""
    design = emit(plan)
    with tempfile.TemporaryDirectory() as folder:
        ran = simulate(design, x, Path(folder))
    assert np.array_equal(ran.outputs, evaluate(graph, x)), "RTL differs from the oracle"
    assert ran.ends[0] - ran.begins[0] == plan.latency_cycles
    assert ran.ii == plan.ii
    return {
        family: (
            plan.latency_cycles,
            plan.ii,
            synthesized(for_family(design.files, Family(family)), design.top, family, arguments.route),
        )
        for family in arguments.family
    }


def da4ml(name: str, graph: Graph, family: str, part: str | None) -> tuple[int, Figures]:
    """Latency and figures of da4ml's own RTL."""
    import da4ml_rtl  # slow to import

    levels = Pipeline().levels_per_stage
    if name == "jet":
        peer = da4ml_rtl.of_graph(graph, levels)
    else:
        weight = graph["conv"].params["weight"]
        peer = da4ml_rtl.of_matrix(weight.reshape(-1, weight.shape[-1]), graph.inputs[0].type, levels)
    return peer.latency, synthesized(peer.files, da4ml_rtl.TOP, family, part)


def rows(name: str, arguments: argparse.Namespace) -> list[list[str]]:
    """One for each reuse factor, number of pixels and family, with what it is compared to."""
    trial = DESIGNS[name]
    graph, x = trial.make(arguments.weights)
    found = []
    for reuse_factor, pixels in itertools.product(arguments.reuse_factor or trial.reuse_factors, trial.pixels):
        strategy = Strategy.LATENCY if reuse_factor == 1 else Strategy.RESOURCE
        knobs = LayerKnobs(reuse_factor, Multiplier(arguments.multiplier), strategy)
        plan = schedule(graph, trial.knobs, knobs, Pipeline(), pixels=pixels)
        for family, (latency, ii, figures) in ours(graph, x, plan, arguments).items():
            peer, theirs = _peer(name, graph, reuse_factor, family, arguments)
            cells = [latency, ii, *(figures[key] for key in ("lut", "ff", "dsp", "bram", "seconds"))]
            cells.append(figures.get("fmax_mhz"))
            ratio = f"{figures['lut'] / theirs['lut']:.2f}" if figures["lut"] and theirs.get("lut") else "missing"
            other = [theirs.get(key) for key in ("latency", "lut", "ff", "dsp", "fmax_mhz")]
            found.append(
                [
                    name,
                    str(reuse_factor),
                    str(pixels.all),
                    family,
                    *map(number, cells),
                    peer,
                    *map(number, other),
                    ratio,
                ]
            )
    return found


def _peer(
    name: str, graph: Graph, reuse_factor: int, family: str, arguments: argparse.Namespace
) -> tuple[str, Figures]:
    if reuse_factor == 1 and name in ("jet", "conv"):
        if arguments.without_da4ml:
            return "none", {}
        latency, figures = da4ml(name, graph, family, arguments.route)
        return "da4ml" if name == "jet" else "da4ml, matrix only", {**figures, "latency": latency}
    lut, dsp, cycles = PROTOTYPE.get((reuse_factor, arguments.multiplier, family), (None, None, None))
    return ("prototype", {"lut": lut, "dsp": dsp, "latency": cycles}) if name == "jet" and lut else ("none", {})


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, help=".npz with fc1_w, fc1_b, … out_b and inputs")
    parser.add_argument("--design", nargs="+", default=list(DESIGNS), choices=list(DESIGNS))
    parser.add_argument(
        "--reuse-factor", type=int, nargs="+", help="default: 1, 4, 16, 64, and 144 for the convolution"
    )
    parser.add_argument("--multiplier", default="dsp", choices=[str(kind) for kind in Multiplier])
    parser.add_argument("--family", nargs="+", default=["xc7", "ecp5"], choices=[str(kind) for kind in Family])
    parser.add_argument("--without-da4ml", action="store_true", help="spare its search and its synthesis")
    parser.add_argument("--route", metavar="PART", help="an ECP5 part: route the designs of that family that fit")
    arguments = parser.parse_args()
    mine = ("latency (cycles, simulated)", "II", "LUT", "FF", "DSP", "BRAM", "synth (s)", "Fmax (MHz, routed)")
    other = ("peer", "its latency", "its LUT", "its FF", "its DSP", "its Fmax", "LUT ratio")
    head = ("design", "R", "P", "family", *mine, *other)
    found = [row for name in arguments.design for row in rows(name, arguments)]
    print(f"{yosys.find().label}\n\n{table(head, found)}")
    if "cnn" in arguments.design:
        others = [[who, *map(number, figures)] for who, *figures in PUBLISHED]
        print(f"\nOther tools, for networks of the layers of cnn:\n\n{table(('peer', 'II', 'LUT', 'DSP'), others)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
