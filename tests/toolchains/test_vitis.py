"""Vitis HLS: real reports read to the last figure, and the run of the program against a stand-in."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from flows.errors import DataError, ToolFailed, ToolMissing
from flows.metrics import MetricSet, Stage
from flows.toolchains import vitis

REPORTS = Path(__file__).parents[3] / "shared" / "reports"
NESTED = "myproject_prj/solution1/syn/report/myproject_csynth.xml"
REAL: Mapping[str, tuple[str, str, str, Mapping[str, int]]] = {
    f"vitis_2021.1_mlp/mnist/DSP_reuse2/{NESTED}": (
        "Vitis HLS",
        "2021.1",
        "xc7z007s-clg225-2",
        {"lut": 215814, "ff": 176831, "dsp": 657, "bram": 10, "latency_cycles": 85, "ii": 2},
    ),
    f"vitis_2021.1_mlp/CARDIO/LUT_reuse100/{NESTED}": (
        "Vitis HLS",
        "2021.1",
        "xc7z007s-clg225-2",
        {"lut": 3882, "ff": 2172, "dsp": 0, "bram": 3, "latency_cycles": 49, "ii": 34},
    ),
    "vivado_2020.1_z7020/myproject_csynth.xml": (
        "Vivado HLS",
        "2020.1",
        "xc7z020-clg400-1",
        {"lut": 2532, "ff": 7969, "dsp": 73, "bram": 0, "latency_cycles": 10, "ii": 8},
    ),
}
REPORT = """<profile>
<ReportVersion><Version>2024.2</Version></ReportVersion>
<UserAssignments><Part>xcu250-figd2104-2L-e</Part><TopModelName>myproject</TopModelName></UserAssignments>
<PerformanceEstimates><SummaryOfOverallLatency>
<Best-caseLatency>20</Best-caseLatency><Worst-caseLatency>24</Worst-caseLatency>
<Interval-min>8</Interval-min><Interval-max>8</Interval-max>
</SummaryOfOverallLatency></PerformanceEstimates>
<AreaEstimates><Resources>
<BRAM_18K>4</BRAM_18K><DSP>12</DSP><FF>345</FF><LUT>678</LUT><URAM>0</URAM>
</Resources></AreaEstimates>
</profile>
"""


def values(metrics: MetricSet) -> Mapping[str, float | None]:
    return {metric.name: metric.value for metric in metrics}


def written(folder: Path, text: str) -> Path:
    report = folder / "csynth.xml"
    report.write_text(text)
    return report


@pytest.mark.parametrize("name", REAL)
def test_real_reports(name: str) -> None:
    report = REPORTS / name
    if not report.exists():
        pytest.skip(f"needs ../shared/reports/{name}")
    tool, version, part, figures = REAL[name]
    metrics = vitis.read_csynth(report, "csynth.xml", top="myproject")
    assert values(metrics) == figures
    assert {(m.stage, m.tool, m.version, m.target, m.source, m.note) for m in metrics} == {
        (Stage.HLS, tool, version, part, "csynth.xml", "")
    }


def test_a_range_of_latencies_gives_the_worst_case_and_a_note(tmp_path: Path) -> None:
    metrics = vitis.read_csynth(written(tmp_path, REPORT), "csynth.xml")
    assert values(metrics) == {"lut": 678, "ff": 345, "dsp": 12, "bram": 4, "latency_cycles": 24, "ii": 8}
    assert [m.note for m in metrics if m.note] == ["20 to 24 cycles, depending on the data"]


def test_an_unknown_latency_has_no_value(tmp_path: Path) -> None:
    text = REPORT.replace(">20<", ">undef<").replace(">24<", ">undef<")
    latency = vitis.read_csynth(written(tmp_path, text), "csynth.xml").get("latency_cycles")
    assert latency is not None
    assert latency.value is None
    assert latency.note == "the report says 'undef' to 'undef': it depends on the data"


def test_ultra_ram_is_told(tmp_path: Path) -> None:
    bram = vitis.read_csynth(written(tmp_path, REPORT.replace("<URAM>0", "<URAM>3")), "csynth.xml").get("bram")
    assert bram is not None
    assert (bram.value, bram.note) == (4, "and 3 URAM")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (REPORT[: len(REPORT) // 2], "no usable csynth report"),
        ("", "no usable csynth report"),
        (REPORT.replace("<LUT>678</LUT>", ""), "has no AreaEstimates/Resources/LUT"),
        (REPORT.replace(">12<", ">12.5<"), "has '12.5' where a count is due"),
        (REPORT.replace("<Interval-max>8</Interval-max>", ""), "Interval-max"),
        (REPORT.replace(">myproject<", ">other<"), "is about 'other' and by 2024.2, not about 'myproject'"),
        (REPORT.replace(">2024.2<", ">2023.1<"), "by 2023.1, not about 'myproject' and by 2024.2"),
    ],
    ids=["cut short", "empty", "no LUT", "fraction", "no interval", "other top", "other release"],
)
def test_damaged_and_mixed_up_reports_give_no_figure(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ToolFailed, match=message):
        vitis.read_csynth(written(tmp_path, text), "csynth.xml", top="myproject", release="2024.2")


STAND_IN = """#!/bin/sh
# A stand-in for {name}, for tests: it checks what it is given and behaves as told; it synthesizes nothing.
if [ "$*" = "--version" ]; then echo "****** {name} v{version} (64-bit)"; exit 0; fi
echo "$*" > argv
{behaviour}
"""
WRITE_REPORT = "mkdir -p myproject_prj/solution1/syn/report; cp report.xml " + NESTED


def install(
    monkeypatch: pytest.MonkeyPatch, folder: Path, behaviour: str, name: str = "vitis-run", version: str = "2024.2"
) -> None:
    """Put a stand-in on PATH, before everything else."""
    (folder / "bin").mkdir(exist_ok=True)
    program = folder / "bin" / name
    program.write_text(STAND_IN.format(name=name, version=version, behaviour=behaviour))
    program.chmod(0o755)
    monkeypatch.delenv("HLSFLOW_VITIS", raising=False)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}/usr/bin{os.pathsep}/bin")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The files of an hls4ml project that matter here, and the report that the stand-in shall write."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "project.tcl").write_text('variable project_name\nset project_name "myproject"\nset part "xcu250"\n')
    (folder / "build_prj.tcl").write_text("# hls4ml's\n")
    (folder / "report.xml").write_text(REPORT)
    return folder


def test_csynth_with_vitis_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, project: Path) -> None:
    install(monkeypatch, tmp_path, WRITE_REPORT)
    metrics = vitis.csynth(project, timeout_s=20)
    assert (project / "argv").read_text() == "--mode hls --tcl build_prj.tcl\n"
    assert values(metrics)["lut"] == 678
    assert {metric.source for metric in metrics} == {NESTED}
    options = (project / "build_opt.tcl").read_text().split()
    assert options[:4] == ["array", "set", "opt", "{"]
    assert dict(zip(options[4:-1:2], options[5:-1:2], strict=True)) == {
        "reset": "1",
        "csim": "0",
        "synth": "1",
        "cosim": "0",
        "validation": "0",
        "export": "0",
        "vsynth": "0",
        "fifo_opt": "0",
    }


def test_csynth_with_vitis_hls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, project: Path) -> None:
    install(monkeypatch, tmp_path, "exit 1", version="2023.2")  # its vitis-run cannot start C synthesis
    install(monkeypatch, tmp_path, WRITE_REPORT, "vitis_hls", "2023.2")
    (project / "report.xml").write_text(REPORT.replace("2024.2", "2023.2"))
    assert vitis.find().version == "2023.2"
    assert values(vitis.csynth(project, timeout_s=20))["dsp"] == 12
    assert (project / "argv").read_text() == "-f build_prj.tcl\n"


def test_a_stale_report_is_not_taken_for_a_new_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, project: Path
) -> None:
    install(monkeypatch, tmp_path, "true")
    stale = vitis.report_path(project, "myproject")
    stale.parent.mkdir(parents=True)
    stale.write_text(REPORT)
    with pytest.raises(ToolFailed, match="no usable csynth report"):
        vitis.csynth(project, timeout_s=20)


def test_failure_and_time_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, project: Path) -> None:
    install(monkeypatch, tmp_path, "echo 'ERROR: [HLS 200-70] no licence'; exit 1")
    with pytest.raises(ToolFailed, match=r"Vitis HLS failed with exit code 1.*\n.*no licence"):
        vitis.csynth(project, timeout_s=20)
    install(monkeypatch, tmp_path, "sleep 60")
    with pytest.raises(ToolFailed, match=r"did not end within 0\.5 s"):
        vitis.csynth(project, timeout_s=0.5)


def test_a_folder_that_is_no_project_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    install(monkeypatch, tmp_path, WRITE_REPORT)
    with pytest.raises(DataError, match="is no hls4ml project"):
        vitis.csynth(tmp_path, timeout_s=20)
    (tmp_path / "project.tcl").write_text("set part x\n")
    with pytest.raises(DataError, match="is no complete hls4ml project"):
        vitis.csynth(tmp_path, timeout_s=20)


def test_absent_tools_are_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("HLSFLOW_VITIS", raising=False)
    with pytest.raises(ToolMissing, match="neither vitis-run nor vitis_hls") as caught:
        vitis.find()
    assert "settings64.sh" in caught.value.hint
    monkeypatch.setenv("HLSFLOW_VITIS", str(tmp_path / "nowhere"))
    with pytest.raises(ToolMissing, match="HLSFLOW_VITIS="):
        vitis.find()
