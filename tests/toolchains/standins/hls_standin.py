"""A stand-in for the HLS programs of Intel, Siemens and Microchip, for tests: it designs nothing.

Started as `hls_standin.py PROGRAM ARGUMENT...` by an executable of the program's name. It checks its arguments as the
program does, answers its version, writes the files that the program writes, and exits as it does. Catapult's scripts
are run by a real Tcl, in which only the commands of Catapult are replaced. The environment tells how it shall behave:
STANDIN_VERSION is its release; STANDIN_MODE is one of `MODES`.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

MODES = (
    "ok",
    "hang",  # with a process of its own session beside it
    "crash",  # by a signal
    "licence",  # refused
    "disk_full",
    "too_large",  # for the part
    "truncated",  # reports are cut short
    "missing",  # it succeeds, and leaves no report
    "mismatch",  # the hardware computes something else
)
REPORTS = Path(__file__).parents[1] / "reports"
VERSIONS = {
    "icpx": "Intel(R) oneAPI DPC++/C++ Compiler {0} ({0}.20231017)\nTarget: x86_64-unknown-linux-gnu",
    "i++": "Intel(R) HLS Compiler\nVersion {0} Build 72\nCopyright (C) 2021 Intel Corporation",
    "catapult": "Catapult Ultra Synthesis {0}/1091966 (Production Release) Mon Mar  4 09:00:00 PST 2024",
    "shls": "SmartHLS {0}\nCopyright (c) 2015-2024 Microchip Technology Inc. All Rights Reserved.",
}
LICENCE = {
    "cmake": "Error (292014): Can't find valid feature line for core Quartus Prime Pro in current license.",
    "i++": "** Error: Failure to obtain a Verilog simulation license.",
    "testbench": "Unable to checkout a license. Make sure your license file environment variable is set correctly.",
    "quartus_sh": "Error (292014): Can't find valid feature line for core Quartus Prime Pro in current license.",
    "catapult": "# Error: Could not obtain license for 'catapultultra_c' (LIC-17)",
    "shls": "Error: SmartHLS license is not found. Please set LM_LICENSE_FILE.",
}
TOO_LARGE = {
    "cmake": "Error (170011): Design contains 5120 blocks of type DSP; the fitter cannot fit it.",
    "i++": "Error: The estimated area is larger than the target device can hold.",
    "testbench": "Error: the design requires more resources than there are",
    "quartus_sh": "Error (170011): Design requires 5120 resources of type DSP, which the device does not have.",
    "catapult": "# Error: $PROJECT_HOME/firmware/x.cpp(12): couldn't schedule partition '/top/core' (SCHED-3)",
    "shls": "Error: the design does not fit: not enough Math resources.",
}
MISMATCH = {
    "catapult": "# Info: scverify_top/user_tb: Simulation FAILED @ 2134 ns",
    "shls": "SW/HW co-simulation: FAIL",
}


def say(text: str) -> None:
    print(text, flush=True)


def mode() -> str:
    return os.environ.get("STANDIN_MODE", "ok")


def misbehave(program: str) -> None:
    """What goes wrong in the middle of the work."""
    if mode() == "hang":
        stray = subprocess.Popen(["sleep", "600"], start_new_session=True)
        Path(os.environ["STANDIN_STRAY"]).write_text(str(stray.pid))
        time.sleep(600)
    if mode() == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    told = {"licence": LICENCE, "too_large": TOO_LARGE, "mismatch": MISMATCH}.get(mode(), {})
    if program in told:
        say(told[program])
        sys.exit(1)
    if mode() == "disk_full":
        try:
            Path("/dev/full").write_text("figures")
        except OSError as error:
            say(f"Error: cannot write: {error.strerror}")
            sys.exit(1)


def report(source: str, target: Path) -> None:
    """A report as the readers' tests have it, or what becomes of it."""
    if mode() == "missing":
        return
    text = (REPORTS / source).read_text()
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text[: len(text) // 2] if mode() == "truncated" else text)


def executable(path: Path, program: str) -> None:
    """A test bench: it comes back here as `program`."""
    path.write_text(f'#!/bin/sh\nexec {sys.executable} {Path(__file__)} {program} "$@"\n')
    path.chmod(0o755)


def cmake(*arguments: str) -> None:
    """Configure, or build one target, of a project for oneAPI."""
    match arguments:
        case ("-S", ".", "-B", build, compiler):
            assert Path("CMakeLists.txt").is_file()
            assert re.fullmatch(r"-DCMAKE_CXX_COMPILER=/.*/icpx", compiler), compiler
            (Path(build) / "CMakeCache.txt").write_text(compiler)
            say("-- Configuring done")
        case ("--build", build, "--target", target, "--parallel", jobs):
            assert (Path(build) / "CMakeCache.txt").is_file(), "not configured"
            assert int(jobs) > 0
            say("[ 50%] Building CXX object CMakeFiles/src/firmware/hlsflow_top.cpp.o")
            misbehave("cmake")
            _oneapi_leaves(Path(build), target)
        case _:
            refuse("cmake", arguments)


def _oneapi_leaves(build: Path, target: str) -> None:
    found = re.search(r"set\(TARGET_NAME (\w+)\)", Path("CMakeLists.txt").read_text())
    assert found is not None
    stem = f"{found[1]}.{target}"
    if target in ("fpga_emu", "fpga_sim"):
        if mode() != "missing":
            executable(build / stem, "testbench")
        return
    names = {"report": ("summary", "loop_attr", "info"), "fpga": ("quartus", "info")}[target]
    for name in names:
        report(f"oneapi/{name}.ndjson", build / f"{stem}.prj" / "reports" / "resources" / "json" / f"{name}.ndjson")


def testbench(*arguments: str) -> None:
    """What the compilers of Intel make of the test bench; the one of i++ simulates the hardware and reports on it."""
    assert not arguments
    assert Path("tb_data").is_dir(), "not started from the project's folder"
    say("Processing input 0")
    misbehave("testbench")
    Path("tb_data/results.log").write_text("0.5 0.25 \n")
    lib = Path("hlsflow_top-fpga.prj/reports/lib")
    if lib.is_dir():
        report("quartus/verification_data.js", lib / "verification_data.js")


def ipp(*arguments: str) -> None:
    """The Intel HLS compiler, as hls4ml's Makefile calls it."""
    words = [word for word in arguments if word != "-v"]
    assert words[:3] == ["-march=Arria10", "--time", "quartus-hlssynt.log"], words
    sources, (option, output) = words[3:-2], words[-2:]
    assert option == "-o"
    assert all(Path(source).is_file() for source in sources), sources
    say("Analyzing hlsflow_top\nOptimizing component(s) and generating Verilog files")
    misbehave("i++")
    shutil.rmtree(f"{output}.prj", ignore_errors=True)
    executable(Path(output), "testbench")
    lib = Path(f"{output}.prj/reports/lib")
    report("quartus/report_data.js", lib / "report_data.js")
    if mode() != "missing":
        (lib / "verification_data.js").write_text("var verifJSON={};\n")
        Path(f"{output}.prj/quartus").mkdir()
        Path(f"{output}.prj/quartus/quartus_compile.qpf").write_text("PROJECT_REVISION = quartus_compile\n")


def quartus_sh(*arguments: str) -> None:
    """Quartus, on the project that i++ has left."""
    if arguments != ("--flow", "compile", "quartus_compile"):
        refuse("quartus_sh", arguments)
    assert Path("quartus_compile.qpf").is_file()
    say("Info: Running Quartus Prime Fitter")
    misbehave("quartus_sh")
    report("quartus/quartus_data.js", Path("../reports/lib/quartus_data.js"))


def shls(*arguments: str) -> None:
    """SmartHLS."""
    if len(arguments) != 2 or arguments[0] not in ("-a", "-s"):
        refuse("shls", arguments)
    command = arguments[1]
    assert command in ("sw_run", "hw", "cosim", "rtl_synth", "fpga"), command
    assert Path("Makefile").is_file()
    assert Path("config.tcl").is_file()
    say(f"Info: Running the following targets: {command}")
    misbehave("shls" if command == "cosim" or mode() != "mismatch" else "")
    place = Path("hls_output/reports")
    if command == "hw":
        report("smarthls/summary.hls.hlsflow_top.rpt", place / "summary.hls.hlsflow_top.rpt")
    elif command != "sw_run":
        report("smarthls/summary.results.rpt", place / "summary.results.rpt")
        _without_timing(place / "summary.results.rpt", command)


def _without_timing(file: Path, command: str) -> None:
    """Logic synthesis alone gives no timing result."""
    if command != "rtl_synth" or mode() != "ok":
        return
    lines = file.read_text().splitlines()
    start = next(index for index, line in enumerate(lines) if "Clock Domain" in line) - 1
    lines[start : start + 5] = ["N/A. Please run 'Synthesize Hardware to FPGA' to obtain the timing result."]
    file.write_text("\n".join(lines) + "\n")


def catapult(*arguments: str) -> None:
    """Catapult's shell."""
    if arguments[:4] != ("-product", "ultra", "-shell", "-file") or len(arguments) != 5:
        refuse("catapult", arguments)
    import tkinter

    tcl = tkinter.Tcl()
    shell = Shell()
    for name in ("project", "solution", "options", "directive", "flow", "go", "logfile", "library"):
        tcl.createcommand(name, _ending(getattr(shell, name, shell.silent)))
    tcl.createcommand("exit", _ending(lambda code="0": sys.exit(int(code))))
    tcl.setvar("MGC_HOME", "/opt/catapult/Mgc_home")
    try:
        tcl.eval(f"source {arguments[4]}")
    except tkinter.TclError as error:
        say(f"# Error: {error}")


class Shell:
    """The commands of Catapult, and the project that they work on."""

    def __init__(self) -> None:
        self.name = ""

    @property
    def folder(self) -> Path:
        return Path(self.name) / "hlsflow_top.v1"

    def silent(self, *words: str) -> str:
        """Commands whose effect nobody here looks at."""
        return ""

    def project(self, action: str, *words: str) -> None:
        if action == "new":
            self.name = words[-1]
            assert not Path(self.name).exists(), "Catapult would give the second project another name"
            self.folder.mkdir(parents=True)
        elif action == "load":
            assert Path(words[0]).read_text() == "project\n"
            self.name = words[0].removesuffix(".ccs")
        elif action == "save":
            Path(f"{self.name}.ccs").write_text("project\n")

    def go(self, state: str) -> None:
        say(f"# Info: Starting transformation '{state}' on solution 'hlsflow_top.v1' (SOL-8)")
        if state == "schedule":
            misbehave("catapult" if mode() != "mismatch" else "")
        if state == "extract":
            report("catapult/rtl.rpt", self.folder / "rtl.rpt")
            report("catapult/cycle.rpt", self.folder / "cycle.rpt")
            (self.folder / "concat_rtl.v").write_text("module hlsflow_top; endmodule\n")

    def flow(self, action: str, *words: str) -> str:
        if words[0] == "/SCVerify/launch_make" and "Verify_rtl_v" in words[1]:
            assert (self.folder / "concat_rtl.v").is_file()
            misbehave("catapult")
            if mode() != "missing":
                say("# Info: scverify_top/user_tb: Simulation PASSED @ 2134 ns")
        if words[0] == "/Vivado/synthesize":
            misbehave("catapult")
            self._vivado()
        return ""

    def _vivado(self) -> None:
        sys.path.insert(0, str(REPORTS.parents[2]))
        from tests.toolchains.reports import written

        place = self.folder / "vivado_concat_v"
        place.mkdir(exist_ok=True)
        if mode() != "missing":
            (place / "utilization_synth.rpt").write_text(written.UTILISATION)
            (place / "timing_summary_synth.rpt").write_text(written.TIMING)


def _ending(command: Callable[..., object]) -> Callable[..., object]:
    """The command, but what it raises ends the program: Tcl would go on."""

    def guarded(*words: str) -> object:
        try:
            return command(*words)
        except SystemExit as end:
            sys.stdout.flush()
            os._exit(end.code if isinstance(end.code, int) else 1)
        except Exception as error:
            say(f"stand-in: {error!r}")
            os._exit(3)

    return guarded


def refuse(program: str, arguments: tuple[str, ...]) -> None:
    say(f"Error: {program}: unknown options {arguments}")
    sys.exit(2)


PROGRAMS: Mapping[str, Callable[..., None]] = {
    "icpx": lambda *arguments: refuse("icpx", arguments),
    "cmake": cmake,
    "testbench": testbench,
    "i++": ipp,
    "quartus_sh": quartus_sh,
    "catapult": catapult,
    "shls": shls,
}


def main(program: str, arguments: list[str]) -> None:
    if arguments in (["--version"], ["-version"]) and program in VERSIONS:
        assert arguments == (["-version"] if program == "catapult" else ["--version"])
        say(VERSIONS[program].format(os.environ["STANDIN_VERSION"]))
    else:
        PROGRAMS[program](*arguments)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
