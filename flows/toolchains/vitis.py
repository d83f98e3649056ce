"""Vitis HLS: C synthesis of an hls4ml project, and the figures of its report.

In: a project folder that hls4ml wrote. Out: `MetricSet` (lut, ff, dsp, bram, latency_cycles, ii) of stage `hls`.
These are the C synthesizer's estimates; logic synthesis comes to other figures, so they share no column with those.
Reports of Vivado HLS, which has the same format but for one tag, are read too.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from flows.errors import DataError, ToolFailed, ToolMissing
from flows.metrics import Metric, MetricSet, Stage
from flows.toolchains import process
from flows.toolchains.tool import Tool, version_text, version_tuple

NAME = "Vitis HLS"
VITIS_RUN_SINCE = (2024, 2)
"""From 2024.2 on, C synthesis is started by `vitis-run --mode hls`; older releases have `vitis_hls`."""
VERSION = re.compile(r"\bv?(20\d\d\.\d(?:\.\d)?)\b")
PROJECT_NAME = re.compile(r"^\s*set\s+project_name\s+\"?([A-Za-z_]\w*)\"?", re.M)
STEPS = ("reset", "csim", "synth", "cosim", "validation", "export", "vsynth", "fifo_opt")
WANTED = ("reset", "synth")
NUMBER = re.compile(r"\d+")
PART = "UserAssignments/Part"
TOP = "UserAssignments/TopModelName"
RESOURCES = "AreaEstimates/Resources"
OVERALL = "PerformanceEstimates/SummaryOfOverallLatency"
METRICS = {"LUT": "lut", "FF": "ff", "DSP": "dsp", "BRAM_18K": "bram"}
TIMES = (("latency_cycles", "Best-caseLatency", "Worst-caseLatency"), ("ii", "Interval-min", "Interval-max"))


def find() -> Tool:
    """vitis-run of 2024.2 or newer, else vitis_hls; `HLSFLOW_VITIS` may name either by path. Raises ToolMissing."""
    return _find(os.environ.get("HLSFLOW_VITIS", ""), os.environ.get("PATH", ""))


@functools.cache
def _find(wish: str, path: str) -> Tool:
    for name in (wish,) if wish else ("vitis-run", "vitis_hls"):
        program = shutil.which(name, path=path)
        tool = _identify(program) if program else None
        if tool is not None:
            return tool
    raise ToolMissing(
        f"{NAME} is not installed" + (f" at HLSFLOW_VITIS={wish}" if wish else ": neither vitis-run nor vitis_hls"),
        "install AMD Vitis and source its settings64.sh; hlsflow needs it for csynth only",
    )


def _identify(program: str) -> Tool | None:
    """The tool at `program`; None for a vitis-run too old to start C synthesis."""
    found = VERSION.search(version_text((program, "--version"), NAME))
    if found is None:
        raise ToolMissing(f"'{program} --version' names no release", "check the Vitis installation")
    version = found.group(1)
    if Path(program).name == "vitis_hls":
        return Tool(NAME, version, (program, "-f"), "native")
    recent = version_tuple(version) >= VITIS_RUN_SINCE
    return Tool(NAME, version, (program, "--mode", "hls", "--tcl"), "native") if recent else None


def csynth(folder: Path, *, timeout_s: float) -> MetricSet:
    """Run C synthesis in a project folder written by hls4ml's Vitis backend, and read its report.

    Args:
        folder: holds `build_prj.tcl` and `project.tcl`; `build_opt.tcl` is written anew.
        timeout_s: wall time allowed.

    Raises:
        DataError: the folder is no hls4ml project.
        ToolMissing: Vitis HLS is not installed.
        ToolFailed: it failed, ran out of time, or left no report or that of something else.
    """
    tool = find()
    project = _project_name(folder)
    report = report_path(folder, project)
    report.unlink(missing_ok=True)
    process.write_files(folder, {"build_opt.tcl": _options()})
    argv = (*tool.argv, "build_prj.tcl")
    process.run(argv, folder=folder, log=folder / "csynth.log", timeout_s=timeout_s, tool=NAME)
    return read_csynth(report, str(report.relative_to(folder)), top=project, release=tool.version)


def report_path(folder: Path, project: str) -> Path:
    """Where C synthesis leaves its report."""
    return folder / f"{project}_prj" / "solution1" / "syn" / "report" / f"{project}_csynth.xml"


def _project_name(folder: Path) -> str:
    try:
        found = PROJECT_NAME.search((folder / "project.tcl").read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{folder} is no hls4ml project: {error}", "translate the model for Vitis first") from error
    if found is None or not (folder / "build_prj.tcl").exists():
        raise DataError(f"{folder} is no complete hls4ml project", "translate the model for Vitis first")
    return found.group(1)


def _options() -> str:
    """The option file that hls4ml's build_prj.tcl reads: C synthesis in a fresh project, nothing else."""
    lines = (f"    {step:<10} {int(step in WANTED)}" for step in STEPS)
    return "array set opt {\n" + "\n".join(lines) + "\n}\n"


def read_csynth(report: Path, source: str, *, top: str | None = None, release: str | None = None) -> MetricSet:
    """The figures of a csynth XML report.

    Args:
        report: the file.
        source: how the figures shall name it.
        top: the top function it must be about, if known.
        release: the release that must have written it, if known.

    Returns:
        lut, ff, dsp, bram (18 Kb), latency_cycles and ii, each the worst case; a range is told in the note. Latency
        and ii have no value when the report does not know them. Tool and version are those in the report.

    Raises:
        ToolFailed: the report is missing, cut short, or about something else.
    """
    root = _parse(report)
    version, part, name = (_text(root, path, report) for path in ("ReportVersion/Version", PART, TOP))
    if (top is not None and name != top) or (release is not None and not release.startswith(version)):
        raise ToolFailed(
            f"{report} is about '{name}' and by {version}, not about '{top}' and by {release}",
            "reports are mixed up: delete the project folder and run again",
        )
    resources = {tag: _text(root, f"{RESOURCES}/{tag}", report) for tag in ("LUT", "FF", "BRAM_18K")}
    tool = NAME if root.find(f"{RESOURCES}/DSP") is not None else "Vivado HLS"
    resources["DSP"] = _text(root, f"{RESOURCES}/{'DSP' if tool == NAME else 'DSP48E'}", report)
    figures: dict[str, tuple[float | None, str]] = {
        METRICS[tag]: (_number(text, report), "") for tag, text in resources.items()
    }
    if root.findtext(f"{RESOURCES}/URAM", "0") != "0":
        figures["bram"] = (figures["bram"][0], f"and {root.findtext(f'{RESOURCES}/URAM')} URAM")
    figures |= {metric: _range(root, low, high, report) for metric, low, high in TIMES}
    return MetricSet(
        tuple(
            Metric(metric, value, Stage.HLS, tool, version, part, source, note)
            for metric, (value, note) in figures.items()
        )
    )


def _parse(report: Path) -> ElementTree.Element:
    try:
        return ElementTree.parse(report).getroot()
    except (OSError, ElementTree.ParseError) as error:
        raise ToolFailed(f"no usable csynth report {report}: {error}", "read csynth.log and run again") from error


def _text(root: ElementTree.Element, path: str, report: Path) -> str:
    text = (root.findtext(path) or "").strip()
    if not text:
        raise ToolFailed(f"csynth report {report} has no {path}", "it is damaged or of an unknown format")
    return text


def _number(text: str, report: Path) -> float:
    if not NUMBER.fullmatch(text):
        raise ToolFailed(f"csynth report {report} has '{text}' where a count is due", "it is damaged")
    return float(text)


def _range(root: ElementTree.Element, low: str, high: str, report: Path) -> tuple[float | None, str]:
    """The larger end of a range, and a note when its ends differ or the tool could not tell it."""
    least, most = (_text(root, f"{OVERALL}/{tag}", report) for tag in (low, high))
    if not (NUMBER.fullmatch(least) and NUMBER.fullmatch(most)):
        return None, f"the report says '{least}' to '{most}': it depends on the data"
    return float(most), "" if least == most else f"{least} to {most} cycles, depending on the data"
