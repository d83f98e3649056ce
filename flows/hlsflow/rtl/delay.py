"""How long the paths between two registers are, before synthesis; and how deep to pipeline for a clock.

A path is the sum of its cells and nets. The model knows the kinds of path that a design is made of, not its placement,
so it takes nets at what they were in the slowest paths of routed designs of some thousand LUTs.

ECP5: cells are what nextpnr-ecp5 0.11 reports for speed grade 6; nets are read off the critical paths of the designs
named below. Between the registers of an ECP5 multiplier nextpnr times nothing: `block` is estimated from its database,
3.5 to 3.9 ns. 7 series and UltraScale+: cells are the order of magnitude of the data sheets' switching
characteristics at speed grade -1 (AMD DS181 and DS183; DS923), and nets take as long as logic, a rule of thumb; no
router for them is to be had here, so these two rows are NOT checked against routed designs.

Checked (Yosys 0.70, nextpnr 0.11, LFE5U speed grade 6, one seed); the slowest path, model and routed:

    32-16-8 at reuse factor 32, default, LUTs                  7.90 ns   6.72 ns (149 MHz)
    32-16-8, the pipeline for 5 ns, LUTs                       4.54 ns   4.46 ns (224 MHz)
    64-32-32-10 at 64, the pipeline for 5 ns, LUTs             4.54 ns   5.66 ns (177 MHz)
    projects/digits at 64, the pipeline for 5 ns, DSP blocks   4.54 ns   6.50 ns (154 MHz)
    projects/digits at 128, the same                           5.64 ns   5.68 ns (176 MHz)

The last three miss 200 MHz by control, which the model does not know: what admits a vector, and its way to the operands
and counters of a layer, a net of 4 ns in the fourth.

On ECP5 a multiplier has its registers inside (`templates/rtl/ecp5`). Products by constants, and of operands above
18 bits, have not; for them the model is too fast.

In: a clock, a family, what products are made of. Out: `Pipeline`, and `Path`s that say what is slowest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from hlsflow.core.choices import Family, Multiplier
from hlsflow.rtl.cores.fold import DEEP_ROM, FEW_STEPS
from hlsflow.rtl.knobs import Pipeline
from hlsflow.rtl.schedule import Schedule


@dataclass(frozen=True)
class Delays:
    """Nanoseconds.

    Attributes:
        register: clock to output, and set-up.
        lut: of one LUT.
        net: between cells beside each other, as placers achieve.
        far: between a DSP block or block RAM and logic that is not placed for it.
        near: the same where a register has nothing else to do than to be on the way.
        carry, carry_bit: into and out of a carry chain, and for each bit.
        dsp: through a multiplier, to the register behind it inside of the block.
        block: from the registers in front of it to the one behind it, all inside; 0 where they are none of the block's.
        bram: clock to output of a block RAM without output register.
    """

    register: float
    lut: float
    net: float
    far: float
    near: float
    carry: float
    carry_bit: float
    dsp: float
    block: float
    bram: float


DELAYS: Mapping[Family, Delays] = {
    Family.ECP5: Delays(0.52, 0.24, 1.1, 2.1, 1.0, 0.9, 0.035, 3.49, 3.9, 5.83),
    Family.XC7: Delays(0.5, 0.12, 0.5, 1.2, 0.7, 0.6, 0.03, 2.5, 0.0, 2.5),
    Family.XCUP: Delays(0.2, 0.1, 0.3, 0.7, 0.4, 0.25, 0.015, 1.5, 0.0, 1.2),
}


@dataclass(frozen=True)
class Path:
    """From register to register.

    Attributes:
        what: the kind of path.
        ns: how long it takes.
    """

    what: str
    ns: float


@dataclass(frozen=True)
class Widths:
    """Bits that the paths depend on: of an input, of a sum; words of the weight memory; steps of the operands."""

    inputs: int = 8
    sum: int = 20
    words: int = 64
    steps: int = 4


def paths(pipeline: Pipeline, family: Family, multiplier: Multiplier, widths: Widths = Widths()) -> tuple[Path, ...]:
    """The kinds of path of a folded layer; of an adder graph only those of adders and casts matter."""
    d = DELAYS[family]
    level = d.net + d.carry + widths.sum * d.carry_bit
    logic = d.net + d.lut
    steps = min(widths.steps, FEW_STEPS) if pipeline.feed_register else widths.steps
    kinds = [
        Path("adders", d.register + pipeline.levels_per_stage * level),
        # A multiplexer chooses bias or value in front of the last adder.
        Path("accumulator", d.register + pipeline.levels_per_stage * level + d.lut),
        # Saturation takes three LUTs in a row; the next layer's operands are chosen by one more.
        Path("cast", d.register + (3 if pipeline.cast_register else 4) * logic),
        Path("operands", d.register + max(_log4(steps) + 1, _log4(widths.steps // steps)) * logic),
        Path("weights", d.register + d.net + max(_log4(widths.words) - 1, 1) * logic),
    ]
    if pipeline.block_ram and widths.words >= DEEP_ROM:
        kinds.append(Path("block RAM", d.bram + d.far))
    if multiplier is Multiplier.LUT:
        row = logic + d.net + d.carry + (widths.inputs + 2) * d.carry_bit
        return (*kinds, Path("multiplier rows", d.register + pipeline.rows_per_stage * row))
    if pipeline.operand_register and d.block:
        return (*kinds, Path("DSP block", max(d.register + d.far, d.block)))
    way = d.near if pipeline.operand_register else d.far
    return (*kinds, Path("DSP block", d.register + way + d.dsp))


def widths_of(plan: Schedule) -> Widths:
    """What the paths of a design depend on: the widest and deepest of its layers with weights, if it has any."""
    graph = plan.network.graph
    nodes = [graph[layer.name] for layer in plan.layers]
    if not nodes:
        return Widths()
    cores = [stage.core for unit in plan.network.units for stage in unit.stages if stage.core is not None]
    return Widths(
        inputs=max(graph[node.inputs[0]].type.width for node in nodes),
        sum=max(core.result.width for core in cores),
        words=max(layer.granted for layer in plan.layers),
        steps=max(layer.steps for layer in plan.layers),
    )


def _log4(choices: int) -> int:
    return (max(choices - 1, 0).bit_length() + 1) // 2


def slowest(pipeline: Pipeline, family: Family, multiplier: Multiplier, widths: Widths = Widths()) -> Path:
    """The slowest path, of which the clock cannot be faster."""
    return max(paths(pipeline, family, multiplier, widths), key=lambda path: path.ns)


FASTER = (
    ("adders", {"levels_per_stage": 1}),
    ("accumulator", {"levels_per_stage": 1}),
    ("multiplier rows", {"rows_per_stage": 1}),
    ("cast", {"cast_register": True}),
    ("operands", {"feed_register": True}),
    ("block RAM", {"block_ram": False}),
    ("DSP block", {"operand_register": True}),
)
"""Kind of path → what makes it shorter."""


def pipeline_for(
    clock_ns: float, family: Family, multiplier: Multiplier = Multiplier.DSP, widths: Widths = Widths()
) -> Pipeline:
    """The shallowest pipeline that meets the clock, as far as pipelining can: ask `slowest` whether it does.

    Args:
        clock_ns: period asked.
        family: of the device.
        multiplier: what products are made of, DSP or LUT.
        widths: of the layer with the longest paths.
    """
    pipeline = Pipeline()
    for kind, deeper in FASTER:
        ns = {path.what: path.ns for path in paths(pipeline, family, multiplier, widths)}
        if ns.get(kind, 0.0) > clock_ns:
            pipeline = replace(pipeline, **deeper)
    return pipeline
