"""A stand-in for the programs of AMD, for tests: it runs the Tcl scripts it is given, and designs nothing.

Started as `amd_standin.py PROGRAM ARGUMENT...` by an executable of the program's name. It checks its arguments as the
program does, answers its version, interprets the scripts with a real Tcl, in which only the commands of the tool are
replaced, writes the files that those write, and exits as they do. The environment tells how it shall behave:
STANDIN_VERSION is its release; STANDIN_MODE is one of `MODES`.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

MODES = (
    "ok",
    "hang",  # in its main command, with a process of its own session beside it
    "crash",  # by a signal
    "licence",  # refused
    "disk_full",
    "truncated",  # reports are cut short
    "missing",  # it succeeds, and leaves no report
    "unroll",  # it gives up at a loop
    "partition",  # it gives up at an array
    "hungry",  # takes 600 MB, and goes on
    "lost_rom",  # does not find a weight ROM, and succeeds
)
ARGUMENTS = {
    "vitis-run": ["--mode", "hls", "--tcl"],
    "vitis_hls": ["-f"],
    "vivado_hls": ["-f"],
    "vivado": ["-mode", "batch", "-nojournal", "-nolog", "-notrace", "-source"],
}
TITLES = {
    "vitis-run": "****** vitis-run v{} (64-bit)",
    "vitis_hls": "Vitis HLS - High-Level Synthesis from C, C++ and OpenCL v{} (64-bit)",
    "vivado_hls": "Vivado(TM) HLS - High-Level Synthesis from C, C++ and SystemC v{} (64-bit)",
    "vivado": "Vivado v{} (64-bit)\nSW Build 1",
}
SILENT = (
    *("add_files", "config_array_partition", "config_compile", "config_schedule", "create_clock", "get_ports"),
    *("set_clock_uncertainty", "set_param", "opt_design", "place_design", "phys_opt_design", "set_property"),
    *("current_project", "update_ip_catalog", "create_bd_design", "create_bd_cell", "apply_bd_automation"),
    *("get_bd_cells", "get_bd_pins", "get_bd_intf_pins", "connect_bd_intf_net", "group_bd_cells", "startgroup"),
    *("create_ip", "generate_target", "get_ips", "synth_ip"),
    *("endgroup", "make_wrapper", "get_files", "reset_run", "wait_on_run", "open_run"),
)
"""Commands that change nothing that anybody here looks at."""


MESSAGES = {
    "licence": "ERROR: [Common 17-345] A valid license was not found for feature 'Synthesis' and/or device 'xcvu9p'.",
    "unroll": "ERROR: [XFORM 203-504] Stop unrolling loop 'Product1' (firmware/nnet_utils/nnet_dense_latency.h:37) "
    "in function 'nnet::dense_latency<config2>' because it may cause large runtime and excessive memory usage.\n"
    "ERROR: [HLS 200-70] Pre-synthesis failed.",
    "partition": "ERROR: [XFORM 203-103] Array 'w2.V' (firmware/tiny.cpp:37): partitioned elements number (4704) "
    "has exeeded the threshold (4096), which may cause long run-time.\nERROR: [HLS 200-70] Pre-synthesis failed.",
}
"""How the tools tell that they give up."""

UNROLLING = (
    "INFO: [HLS 214-186] Unrolling loop 'Product1' (firmware/nnet_utils/nnet_dense_latency.h:37:9) in function "
    "'nnet::dense_latency<config2>' completely with a factor of 64"
)
LOST_ROM = (
    "CRITICAL WARNING: [Synth 8-4445] could not open $readmem data file './rom.dat'; "
    "please make sure the file is added to project and has read permission, ignoring [tiny.v:3]"
)


def written(name: str) -> str:
    """A report as the readers' tests have it."""
    file = Path(__file__).parents[1] / "reports" / "written.py"
    sys.path.insert(0, str(Path(__file__).parents[3]))  # it imports from the tests, too
    spec = importlib.util.spec_from_file_location("written", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return str(getattr(module, name))


def put(path: str, text: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)


def report(path: str, text: str) -> None:
    """A report, or what becomes of it."""
    mode = os.environ.get("STANDIN_MODE", "ok")
    if mode != "missing":
        put(path, text[: len(text) // 2] if mode == "truncated" else text)


def say(text: str) -> None:
    print(text, flush=True)


def misbehave() -> None:
    """What goes wrong in the middle of the main command."""
    mode = os.environ.get("STANDIN_MODE", "ok")
    say(UNROLLING)
    if mode == "hang":
        stray = subprocess.Popen(["sleep", "600"], start_new_session=True)
        put("stray", str(stray.pid))
        time.sleep(600)
    if mode == "hungry":
        block = bytearray(600 * 2**20)
        time.sleep(600)
        del block
    if mode == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if mode in MESSAGES:
        say(MESSAGES[mode])
        sys.exit(1)
    if mode == "disk_full":
        try:
            Path("/dev/full").write_text("figures")
        except OSError as error:
            say(f"ERROR: cannot write: {error.strerror}")
            sys.exit(1)
    if mode == "lost_rom":
        say(LOST_ROM)


class Tool:
    """The commands of the tools, and what they know of the project that they are given."""

    def __init__(self, program: str, version: str) -> None:
        self.program, self.version = program, version
        self.name = self.top = self.part = ""
        self.state = "Synthesized"

    @property
    def solution(self) -> str:
        return f"{self.name}/solution1"

    def filled(self, name: str) -> str:
        """A report about this project, by this release."""
        text = written(name).replace("2023.2", self.version).replace("2020.1", self.version)
        text = text.replace(">tiny<", f">{self.top}<").replace(" : tiny", f" : {self.top}")
        return text.replace("xcvu9p-flga2104-2-e", self.part)

    def open_project(self, *words: str) -> None:
        self.name = words[-1]

    def open_solution(self, *words: str) -> None:
        Path(self.solution).mkdir(parents=True, exist_ok=True)

    def set_top(self, top: str) -> None:
        self.top = top

    def set_part(self, part: str) -> None:
        self.part = part

    def csim_design(self) -> None:
        misbehave()
        put("tb_data/csim_results.log", "0.5 0.25 \n")
        report(f"{self.solution}/csim/report/{self.top}_csim.log", written("CSIM"))

    def csynth_design(self) -> None:
        misbehave()
        say("INFO: [SCHED 204-11] Starting scheduling ...")
        put(f"{self.solution}/syn/verilog/{self.top}.v", 'initial $readmemh("./rom.dat", ram);\n')
        put(f"{self.solution}/syn/verilog/rom.dat", "0f\n")
        text = self.filled("CSYNTH_XML")
        text = text.replace("DSP>", "DSP48E>") if self.program == "vivado_hls" else text
        report(f"{self.solution}/syn/report/{self.top}_csynth.xml", text)

    def cosim_design(self, *words: str) -> None:
        assert words == ("-trace_level", "all", "-setup"), words
        assert Path(f"{self.solution}/syn/verilog/{self.top}.v").is_file(), "csynth has not been run"
        put(f"{self.solution}/sim/verilog/{self.top}.tcl", "log_wave -r /\nrun all\n")
        put(f"{self.solution}/sim/verilog/run_sim.tcl", "standin_simulate\n")

    def standin_simulate(self) -> None:
        """What the scripts that cosim_design writes come to; the working folder is theirs."""
        assert "log_wave" not in Path(f"{self.top}.tcl").read_text()
        os.chdir("../../../..")
        misbehave()
        put("tb_data/rtl_cosim_results.log", "0.5 0.25 \n")
        report(f"{self.solution}/sim/report/{self.top}_cosim.rpt", written("COSIM"))
        os.chdir(f"{self.solution}/sim/verilog")

    def export_design(self, *words: str) -> None:
        misbehave()
        if os.environ.get("STANDIN_MODE") != "missing":
            put(f"{self.solution}/impl/ip/component.xml", "<component/>\n")

    def read_xdc(self, *words: str) -> None:
        assert "create_clock -period 5 " in Path(words[-1]).read_text()

    def synth_design(self, *words: str) -> None:
        options = dict(zip(words[::2], words[1::2], strict=True))
        assert options["-mode"] == "out_of_context", options
        self.top, self.part = options["-top"], options["-part"]
        say("Starting Synthesize")
        misbehave()

    def open_checkpoint(self, file: str) -> None:
        self.top, self.part = Path(file).read_text().split()

    def route_design(self) -> None:
        say("Starting Routing Task")
        misbehave()
        self.state = "Routed"

    def report_utilization(self, *words: str) -> None:
        name = "HIERARCHY" if "-hierarchical" in words else "UTILISATION"
        report(
            words[1], self.filled(name).replace("Synthesized", self.state).replace("-file vivado_synth.rpt", words[1])
        )

    def report_timing_summary(self, *words: str) -> None:
        report(words[1], self.filled("TIMING").replace("-file tiny_timing_summary_routed.rpt", words[1]))

    def report_power(self, *words: str) -> None:
        report(words[1], self.filled("POWER").replace(": routed", f": {self.state.lower()}"))

    def write_checkpoint(self, *words: str) -> None:
        put(words[-1], f"{self.top} {self.part}\n")

    def create_project(self, *words: str) -> None:
        self.name, self.part, self.top = words[1], words[3], "tiny"

    def launch_runs(self, *words: str) -> None:
        assert "write_bitstream" in words, words
        misbehave()
        self.state = "Routed"
        if os.environ.get("STANDIN_MODE") != "missing":
            put(f"{self.name}/project_1.runs/impl_1/design_1_wrapper.bit", "bits")
            put(f"{self.name}/project_1.srcs/sources_1/bd/design_1/hw_handoff/design_1.hwh", "<system/>\n")


def silent(name: str) -> Callable[..., None]:
    """A command that only tells that it was called, as Vivado does."""
    return lambda *words: say(f"Command: {name} {' '.join(words)}".rstrip())


def ending(command: Callable[..., None]) -> Callable[..., None]:
    """The command, but what it raises ends the program: Tcl would go on."""

    def guarded(*words: str) -> None:
        try:
            command(*words)
        except SystemExit as end:
            sys.stdout.flush()
            os._exit(end.code if isinstance(end.code, int) else 1)
        except Exception:
            traceback.print_exc()
            os._exit(3)

    return guarded


def main(program: str, arguments: list[str]) -> None:
    version = os.environ.get("STANDIN_VERSION", "2024.2")
    if arguments == ["--version" if program == "vitis-run" else "-version"]:
        say(TITLES[program].format(version))
        return
    expected = ARGUMENTS[program]
    if arguments[: len(expected)] != expected or len(arguments) == len(expected):
        say(f"ERROR: {program}: unknown options {arguments}")
        sys.exit(2)
    script, *rest = arguments[len(expected) :]
    run(Tool(program, version), script, rest)


def run(tool: Tool, script: str, rest: list[str]) -> None:
    """Interpret the script; an error in it is told, and ends the program with 1, as the tools do."""
    import tkinter

    tcl = tkinter.Tcl()
    for name in SILENT:
        tcl.createcommand(name, silent(name))
    for name in (name for name in vars(Tool) if not name.startswith("_") and name not in ("solution", "filled")):
        tcl.createcommand(name, ending(getattr(tool, name)))
    tcl.createcommand("exit", ending(lambda code="0": sys.exit(int(code))))
    tcl.setvar("argv", " ".join("{" + word + "}" for word in rest))
    try:
        tcl.eval(f"source {script}")
    except tkinter.TclError as error:
        say(f"ERROR: {error}")
        sys.exit(1)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
