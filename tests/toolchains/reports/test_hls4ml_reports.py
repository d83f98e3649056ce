"""What hls4ml shows and prints of a project: by hls4ml's own functions, then by readers here."""

from __future__ import annotations

import contextlib
import importlib.util
import io
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from hlsflow.core.errors import DataError
from hlsflow.core.metrics import MetricSet, Stage
from hlsflow.report.folders import directory
from hlsflow.toolchains.reports import Report, read_any
from hlsflow.toolchains.reports.report import UNKNOWN
from tests.toolchains.reports.written import COSIM, CSIM, CSYNTH_RPT, CSYNTH_XML, UTILISATION

APPLICATION = '<project top="tiny"><solutions><solution name="solution1"/></solutions></project>'
BUILT = {
    "project.tcl": 'set project_name "tiny"\nset backend "vitis"\n',
    "vivado_synth.rpt": UTILISATION,
    "tiny_prj/vivado_hls.app": APPLICATION,
    "tiny_prj/solution1/csim/report/tiny_csim.log": CSIM,
    "tiny_prj/solution1/syn/report/tiny_csynth.rpt": CSYNTH_RPT,
    "tiny_prj/solution1/syn/report/tiny_csynth.xml": CSYNTH_XML,
    "tiny_prj/solution1/sim/report/tiny_cosim.rpt": COSIM,
}
TIMING = {"WNS": -0.254, "TNS": -1.5, "WHS": 0.027, "THS": 0.0, "WPWS": 2.0, "TPWS": 0.0}


@pytest.fixture(scope="module")
def hls4ml() -> ModuleType:
    """hls4ml's module of reports alone: the whole package would start TensorFlow."""
    package = importlib.util.find_spec("hls4ml")
    assert package is not None
    assert package.origin is not None
    file = Path(package.origin).parent / "report" / "vivado_report.py"
    spec = importlib.util.spec_from_file_location("vivado_report", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def built(folder: Path, **changed: str) -> Path:
    for name, text in (BUILT | changed).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def printed(hls4ml: ModuleType, folder: Path, **more: Any) -> str:
    """What hls4ml prints of a project that it has read."""
    silent = io.StringIO()
    with contextlib.redirect_stdout(silent):
        found = hls4ml.parse_vivado_report(str(folder))
    return str(hls4ml._make_report_body(found | more, hls4ml._make_str_table_template, hls4ml._make_str_header))


def shown(hls4ml: ModuleType, folder: Path, full: bool = False) -> str:
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        hls4ml.read_vivado_report(str(folder), full)
    return said.getvalue()


def read(folder: Path, text: str) -> Report:
    (folder / "hls4ml.txt").write_text(text)
    return read_any(folder / "hls4ml.txt")


def told(metrics: MetricSet, stage: Stage) -> dict[str, float | None]:
    return {metric.name: metric.value for metric in metrics if metric.stage is stage}


def test_printed_tables_have_figures_of_every_stage(tmp_path: Path, hls4ml: ModuleType) -> None:
    report = read(tmp_path, printed(hls4ml, built(tmp_path / "p"), TimingReport=TIMING))
    assert told(report.metrics, Stage.HLS) == {
        "lut": 678,
        "ff": 345,
        "dsp": 12,
        "bram": 4,
        "uram": 2,
        "latency_cycles": None,
        "ii": 8,
        "clock_estimate_ns": 3.214,
    }
    assert told(report.metrics, Stage.SYNTH) == {"lut": 210, "ff": 120, "dsp": 6, "bram": 5, "uram": None}
    assert told(report.metrics, Stage.SIMULATED) == {"passed": 1, "latency_cycles": 25, "ii": 8}
    assert told(report.metrics, Stage.ROUTED) == {"wns_ns": -0.25, "whs_ns": 0.03}
    assert (report.version, report.part, report.top, report.clock_ns) == (UNKNOWN, UNKNOWN, UNKNOWN, 5.0)
    assert report.available == {"lut": 1182240, "ff": 2364480, "dsp": 6840, "bram": 4320, "uram": 960}
    assert {part.tool for part in report.by_stage()} == {
        "HLS, as hls4ml prints it",
        "Vivado, as hls4ml prints it",
        "C/RTL cosimulation, as hls4ml prints it",
    }


def test_hls4ml_prints_the_best_latency_for_the_worst(tmp_path: Path, hls4ml: ModuleType) -> None:
    """20 to 24 cycles in the report: 24 is not printed, and 20 is not the worst."""
    text = printed(hls4ml, built(tmp_path / "p"))
    latency = read(tmp_path, text).metrics.get("latency_cycles", Stage.HLS)
    assert latency is not None
    assert (latency.value, latency.note) == (None, "hls4ml prints the best case, 20 cycles, in the place of the worst")
    right = text.replace("Worst-case latency:     20 (100.0 ns)", "Worst-case latency:     24 (120.0 ns)")
    latency = read(tmp_path, right).metrics.get("latency_cycles", Stage.HLS)
    assert latency is not None
    assert latency.value == 24


def test_the_clock_of_a_latency_in_microseconds(tmp_path: Path, hls4ml: ModuleType) -> None:
    xml = CSYNTH_XML.replace("<Best-caseLatency>20<", "<Best-caseLatency>2000<")
    name = "tiny_prj/solution1/syn/report/tiny_csynth.xml"
    assert read(tmp_path, printed(hls4ml, built(tmp_path / "p", **{name: xml}))).clock_ns == 5.0


def test_a_cosimulation_that_failed_is_printed_and_read(tmp_path: Path, hls4ml: ModuleType) -> None:
    line = next(line for line in COSIM.splitlines() if "Verilog" in line)
    failed = line.replace("Pass", "Fail").replace("     25|", "     NA|").replace("      8|", "     NA|")
    name = "tiny_prj/solution1/sim/report/tiny_cosim.rpt"
    text = printed(hls4ml, built(tmp_path / "p", **{name: COSIM.replace(line, failed)}))
    assert told(read(tmp_path, text).metrics, Stage.SIMULATED) == {"passed": 0, "latency_cycles": None, "ii": None}


@pytest.mark.parametrize("full", [False, True])
def test_shown_reports_say_what_the_files_say(tmp_path: Path, hls4ml: ModuleType, full: bool) -> None:
    report = read(tmp_path, shown(hls4ml, built(tmp_path / "p"), full))
    csynth = read_any(tmp_path / "p/tiny_prj/solution1/syn/report/tiny_csynth.rpt")
    assert told(report.metrics, Stage.HLS) == told(csynth.metrics, Stage.HLS)
    assert told(report.metrics, Stage.SIMULATED) == {"passed": 1, "latency_cycles": 25, "ii": 8}
    assert told(report.metrics, Stage.CSIM) == {"passed": 1}
    assert (report.tool, report.version, report.part, report.top) == (
        "Vivado HLS",
        "2020.1",
        "xc7z020-clg400-1",
        "tiny",
    )
    assert [layer.name for layer in report.layers] == ["dense_U0", "relu_U0", "loop Rows", "loop Lanes"]
    assert {part.tool for part in report.by_stage()} == {
        "Vivado HLS",
        "Vivado HLS csim",
        "Vivado HLS cosimulation (xsim)",
    }


def test_a_folder_with_what_hls4ml_has_shown(tmp_path: Path, hls4ml: ModuleType) -> None:
    """Each stage has a column, and latency as simulated contradicts no latency as synthesized."""
    text = shown(hls4ml, built(tmp_path / "p"))
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept/all.rpt").write_text(text)
    found = directory.read(tmp_path / "kept")
    assert [(column.stage, column.label) for column in found.columns] == [
        (Stage.CSIM, ""),
        (Stage.HLS, ""),
        (Stage.SIMULATED, ""),
    ]
    assert (found.refused, found.warnings) == ((), ())
    assert not any("C synthesis" in text or "cosimulation" in text for text in found.missing)


def test_shown_reports_without_simulations(tmp_path: Path, hls4ml: ModuleType) -> None:
    folder = built(tmp_path / "p")
    for name in ("csim/report/tiny_csim.log", "sim/report/tiny_cosim.rpt"):
        (folder / "tiny_prj/solution1" / name).unlink()
    report = read(tmp_path, shown(hls4ml, folder))
    assert {metric.stage for metric in report.metrics} == {Stage.HLS}


def test_several_solutions_are_not_told_apart(tmp_path: Path, hls4ml: ModuleType) -> None:
    text = shown(hls4ml, built(tmp_path / "p"))
    with pytest.raises(DataError, match=r"shows several solutions: '.*' stands in it 2 times"):
        read(tmp_path, text + text[text.index("Reports for") :])


@pytest.mark.parametrize("how", [printed, shown])
def test_all_figures_or_none(tmp_path: Path, hls4ml: ModuleType, how: Any) -> None:
    text = how(hls4ml, built(tmp_path / "p"))
    whole = read(tmp_path, text).metrics
    lines = text.splitlines(keepends=True)
    for end in range(1, len(lines)):
        for cut in ("".join(lines[:end]), "".join(lines[:end])[:-2]):
            with contextlib.suppress(DataError):
                found = read(tmp_path, cut).metrics
                stages = {metric.stage for metric in found}
                assert found == MetricSet(tuple(metric for metric in whole if metric.stage in stages))
                assert how is printed or found == whole  # each printed table is whole by itself
