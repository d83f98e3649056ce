"""Reports of csim and cosim."""

from __future__ import annotations

from pathlib import Path

import pytest

from hlsflow.core.errors import DataError
from hlsflow.core.metrics import MetricSet, Stage
from hlsflow.toolchains.reports import Report, csim, read_any
from tests.toolchains.reports.written import COSIM, COSIM_VITIS, CSIM


def read(folder: Path, name: str, text: str) -> Report:
    (folder / name).write_text(text)
    return read_any(folder / name)


def told(metrics: MetricSet) -> dict[str, tuple[float | None, str]]:
    return {metric.name: (metric.value, metric.note) for metric in metrics}


def test_cosim_gives_the_worst_transaction(tmp_path: Path) -> None:
    report = read(tmp_path, "tiny_cosim.rpt", COSIM)
    assert told(report.metrics) == {
        "passed": (1, "Verilog: pass"),
        "latency_cycles": (25, "21 to 25 cycles, 22 on average"),
        "ii": (8, ""),
    }
    assert (report.top, {metric.stage for metric in report.metrics}) == ("tiny", {Stage.SIMULATED})
    assert {metric.source for metric in report.metrics} == {"tiny_cosim.rpt:11"}


def test_cosim_of_vitis_and_a_single_transaction(tmp_path: Path) -> None:
    assert told(read(tmp_path, "tiny_cosim.rpt", COSIM_VITIS).metrics) == {
        "passed": (1, "Verilog: pass"),
        "latency_cycles": (21, ""),
        "ii": (None, "the report says 'NA': too few transactions, or none ended"),
    }


def test_cosim_that_failed(tmp_path: Path) -> None:
    text = COSIM.replace("Pass", "Fail").replace("             25|", "             NA|")
    found = told(read(tmp_path, "tiny_cosim.rpt", text).metrics)
    assert found["passed"] == (0, "Verilog: fail")
    assert found["latency_cycles"][0] is None


NONE = COSIM[COSIM.index("|   Verilog|") :].splitlines()[0]
FAILED = NONE.replace("Pass", "Fail").replace("21|", "NA|").replace("22|", "NA|").replace("25|", "NA|")
FAILED = FAILED.replace(" 8|", "NA|")
TOO_FEW = "the report says 'NA': too few transactions, or none ended"


def test_cosim_that_failed_before_a_simulator_was_chosen(tmp_path: Path) -> None:
    """Nothing names the tool, and no figure stands beside the verdict."""
    text = COSIM.replace(NONE, FAILED).replace("Simulation tool   : xsim.\n", "")
    report = read(tmp_path, "tiny_cosim.rpt", text)
    assert report.tool == "C/RTL cosimulation"
    assert told(report.metrics) == {
        "passed": (0, "Verilog: fail"),
        "latency_cycles": (None, TOO_FEW),
        "ii": (None, TOO_FEW),
    }


def test_cosim_of_both_languages_is_as_bad_as_the_worse_one(tmp_path: Path) -> None:
    vhdl = NONE.replace("Verilog", "   VHDL").replace("25|", "27|")
    both = "\n".join(vhdl if "VHDL" in line else line for line in COSIM.splitlines()) + "\n"
    found = told(read(tmp_path, "tiny_cosim.rpt", both).metrics)
    assert found["passed"] == (1, "VHDL: pass, Verilog: pass")
    assert found["latency_cycles"] == (27, "21 to 27 cycles, 22 on average")
    failed = told(read(tmp_path, "tiny_cosim.rpt", both.replace(NONE, FAILED)).metrics)
    assert failed == {
        "passed": (0, "VHDL: pass, Verilog: fail"),
        "latency_cycles": (None, TOO_FEW),
        "ii": (None, TOO_FEW),
    }


def test_cosim_that_simulated_nothing_has_no_verdict(tmp_path: Path) -> None:
    for tool in ("Simulation tool   : xsim.\n", ""):
        text = COSIM.replace(NONE, FAILED.replace("Fail|", "  NA|")).replace("Simulation tool   : xsim.\n", tool)
        found = told(read(tmp_path, "tiny_cosim.rpt", text).metrics)
        why = "the report names no language that was simulated: cosimulation ended before that"
        assert found == dict.fromkeys(("passed", "latency_cycles", "ii"), (None, why))


def test_cosim_with_another_verdict_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="'Okay' stands where Pass, Fail or NA is due"):
        read(tmp_path, "tiny_cosim.rpt", COSIM.replace("Pass", "Okay"))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (CSIM, 1),
        (CSIM.replace("0 errors", "3 errors"), 0),
        (CSIM.replace("INFO: [SIM 1] CSim done with 0 errors.", "ERROR: [SIM 211-100] CSim failed with errors."), 0),
        (CSIM + "ERROR: [SIM 211-100] 'csim_design' failed: nonzero return value.\n", 0),
    ],
    ids=["passed", "errors", "failed", "nonzero"],
)
def test_csim(tmp_path: Path, text: str, value: float) -> None:
    report = read(tmp_path, "tiny_csim.log", text)
    assert {(metric.name, metric.value, metric.stage) for metric in report.metrics} == {("passed", value, Stage.CSIM)}


def test_csim_that_was_killed(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not tell how csim ended"):
        read(tmp_path, "tiny_csim.log", CSIM[: CSIM.index("INFO: [SIM 1]")])


def test_the_outputs_of_a_test_bench(tmp_path: Path) -> None:
    file = tmp_path / "csim_results.log"
    file.write_text("0.5 -1 2e-3 \n1 2 3 \n")
    assert csim.outputs(file) == ((0.5, -1, 0.002), (1, 2, 3))
    file.write_text("0.5 -1 2e-3 \n1 2\n")
    with pytest.raises(DataError, match="differ in their number of values"):
        csim.outputs(file)
    file.write_text("0.5 abc\n")
    with pytest.raises(DataError, match="line 1: holds something else than numbers"):
        csim.outputs(file)
