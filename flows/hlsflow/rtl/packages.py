"""What others need to take a design into a project of theirs: descriptions for FuseSoC and for Vivado.

In: a design and the files around it. Out: `<name>.core` (FuseSoC, CAPI2) and `vivado_ip.tcl`, which makes an IP core
with component.xml where Vivado is installed. Both stand in the folder of the Verilog.
"""

from __future__ import annotations

from collections.abc import Iterable
from string import Template

import yaml

from hlsflow.core import templates
from hlsflow.rtl.axis import AXIS_TOP
from hlsflow.rtl.emit import Design

VERSION = "1.0"


def packages(
    design: Design, around: Iterable[str], bench: Iterable[str], name: str, part: str | None
) -> dict[str, str]:
    """File name → text.

    Args:
        around: names of the files of `axis_top`.
        bench: those of the testbench, its vectors among them.
        name: of the core, such as digits_R64.
        part: AMD part to make the IP core for; its family is what counts. None: no script for Vivado.
    """
    verilog = sorted({*design.files, *around})
    top = design.prefix + AXIS_TOP
    files = {f"{name}.core": _core(verilog, sorted(bench), name, top, f"{design.prefix}testbench")}
    if part is not None:
        script = f"{design.prefix}vivado_ip.tcl"
        files[script] = _vivado(design, verilog, script=script, top=top, name=name, part=part)
    return files


def _vivado(design: Design, verilog: list[str], **values: str) -> str:
    buses = [f"s_axis_{port.name}" for port in design.inputs] + [f"m_axis_{port.name}" for port in design.outputs]
    text = _Script(templates.read("package/vivado_ip.tcl"))
    return text.substitute(values, files=" ".join(verilog), buses=" ".join(buses))


class _Script(Template):
    delimiter = "@"


def _core(verilog: list[str], bench: list[str], name: str, top: str, testbench: str) -> str:
    data = {
        "name": f"hlsflow:networks:{name}:{VERSION}",
        "description": "a neural network with AXI4-Stream ports, made by hlsflow",
        "filesets": {
            "rtl": {"files": verilog, "file_type": "verilogSource-2005"},
            "bench": {"files": [_bench_file(file) for file in bench]},
        },
        "targets": {
            "default": {"filesets": ["rtl"], "toplevel": top},
            "lint": {"default_tool": "verilator", "filesets": ["rtl"], "toplevel": top},
            "sim": {"default_tool": "icarus", "filesets": ["rtl", "bench"], "toplevel": testbench},
        },
    }
    text: str = yaml.safe_dump(data, sort_keys=False)
    return f"CAPI=2:\n{text}"


def _bench_file(file: str) -> str | dict[str, dict[str, str]]:
    """Vectors are copied to where the simulation runs, which reads them by name."""
    if file.endswith(".v"):
        return {file: {"file_type": "verilogSource-2005"}}
    return {file: {"file_type": "user", "copyto": file}}
