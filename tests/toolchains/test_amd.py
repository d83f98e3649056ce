"""The toolchains of AMD end to end, against a stand-in that runs hls4ml's scripts and ours with a real Tcl."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from hlsflow.core.errors import DataError, StorageError, ToolFailed, ToolMissing
from hlsflow.core.metrics import Stage
from hlsflow.report.folders import directory
from hlsflow.toolchains import amd, drive
from hlsflow.toolchains.chain import Step, Toolchain
from hlsflow.toolchains.chains import CHAINS
from hlsflow.toolchains.drive import Limits
from tests.toolchains.standins import NEEDS_TCL, amd_project, install, synthesized

pytestmark = NEEDS_TCL


@dataclass(frozen=True)
class Case:
    """A toolchain with what it works on.

    Attributes:
        program, version: of the stand-in.
        backend: of the project.
        step: to be done.
    """

    chain: str
    program: str
    version: str
    backend: str
    step: Step


CASES: Mapping[str, Case] = {
    "vitis-run": Case("vitis", "vitis-run", "2024.2", "vitis", Step.CSYNTH),
    "vivado_hls": Case("vivado_hls", "vivado_hls", "2019.2", "vivado", Step.CSYNTH),
    "vivado": Case("vivado", "vivado", "2020.1", "vivado", Step.SYNTH),
    "accelerator": Case("vivado_accelerator", "vivado", "2019.2", "vivadoaccelerator", Step.BITSTREAM),
}


@pytest.fixture(params=CASES)
def ready(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> tuple[Toolchain, Path, Step]:
    """A toolchain, a project that is ready for its step, and that step."""
    case = CASES[request.param]
    folder = amd_project(tmp_path / "project", case.backend)
    if case.step is not Step.CSYNTH:
        synthesized(folder)
    install(monkeypatch, tmp_path, case.program, case.version)
    return CHAINS[case.chain], folder, case.step


def test_a_run_that_succeeds(ready: tuple[Toolchain, Path, Step]) -> None:
    chain, folder, step = ready
    outcome = drive.run(chain, folder, (step,))
    assert outcome.ran == (step,)
    stage = {Step.CSYNTH: Stage.HLS, Step.SYNTH: Stage.SYNTH, Step.BITSTREAM: Stage.ROUTED}[step]
    assert {metric.stage for metric in outcome.metrics} == {stage}
    lut = outcome.metrics.get("lut")
    assert lut is not None
    assert lut.value == {Stage.HLS: 678, Stage.SYNTH: 210, Stage.ROUTED: 300}[stage]
    assert lut.version == chain.find().version
    assert drive.run(chain, folder, (step,)).ran == ()


FAILURES: Mapping[str, tuple[type[Exception], str, str]] = {
    "crash": (ToolFailed, "was killed by SIGSEGV", "read the log"),
    "licence": (ToolMissing, "no licence for Synthesis", "XILINXD_LICENSE_FILE"),
    "disk_full": (StorageError, "No space left on device", "free some disk space"),
    "truncated": (ToolFailed, "left no usable report", ""),
    "missing": (ToolFailed, "", ""),
}
"""Mode of the stand-in → error, what it says, and what its hint says."""


@pytest.mark.parametrize("mode", FAILURES)
def test_failures_are_told_apart(
    monkeypatch: pytest.MonkeyPatch, ready: tuple[Toolchain, Path, Step], mode: str
) -> None:
    chain, folder, step = ready
    monkeypatch.setenv("STANDIN_MODE", mode)
    kind, says, hint = FAILURES[mode]
    with pytest.raises(kind) as caught:
        drive.run(chain, folder, (step,))
    assert isinstance(caught.value, ToolFailed | ToolMissing | StorageError)
    assert says in caught.value.message
    assert hint in caught.value.hint
    assert f"{chain.title} {step}" in caught.value.message
    if mode == "truncated":  # what failed is not taken for finished
        monkeypatch.setenv("STANDIN_MODE", "ok")
        assert drive.run(chain, folder, (step,)).ran == (step,)


def test_a_hang_ends_with_the_time_limit(monkeypatch: pytest.MonkeyPatch, ready: tuple[Toolchain, Path, Step]) -> None:
    chain, folder, step = ready
    monkeypatch.setenv("STANDIN_MODE", "hang")
    with pytest.raises(ToolFailed, match=f"{chain.title} {step} did not end within 1 s and was stopped in phase"):
        drive.run(chain, folder, (step,), limits=Limits(timeout_s=1))


@pytest.mark.parametrize(
    ("mode", "says", "knob"),
    [
        ("unroll", "loop 'Product1' of nnet::dense_latency<config2> is more than the tool unrolls", "reuse_factor"),
        ("partition", "array 'w2.V' would be cut into 4704 registers", "strategy = 'resource'"),
    ],
)
def test_limits_of_hls_are_named_with_the_knob(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mode: str, says: str, knob: str
) -> None:
    install(monkeypatch, tmp_path, "vivado_hls", "2019.2")
    monkeypatch.setenv("STANDIN_MODE", mode)
    folder = amd_project(tmp_path / "project", "vivado")
    with pytest.raises(ToolFailed) as caught:
        drive.run(CHAINS["vivado_hls"], folder, (Step.CSYNTH,))
    assert says in caught.value.message
    (folder / "firmware" / "parameters.h").write_text(PARAMETERS)
    with pytest.raises(ToolFailed, match="layer 'conv1': Vivado HLS csynth: ") as caught:
        drive.run(CHAINS["vivado_hls"], folder, (Step.CSYNTH,))
    assert knob in caught.value.hint


PARAMETERS = """// hls-fpga-machine-learning insert layer-config
// conv1
struct config2_mult : nnet::dense_config {
    static const unsigned n_in = 9;
};

struct config2 : nnet::conv2d_config {
};

// relu1
struct relu_config3 : nnet::activ_config {
};
"""


@pytest.mark.parametrize("name", ["vitis-run", "vivado_hls"])
def test_all_steps_of_hls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    case = CASES[name]
    install(monkeypatch, tmp_path, case.program, case.version)
    folder = amd_project(tmp_path / "project", case.backend)
    steps = (Step.EXPORT, Step.COSIM, Step.CSIM, Step.CSYNTH)
    outcome = drive.run(CHAINS[case.chain], folder, steps)
    assert outcome.ran == (Step.CSIM, Step.CSYNTH, Step.COSIM, Step.EXPORT)
    assert {report.kind for report in outcome.reports} == {"csim", "csynth", "cosim"}
    latency = outcome.metrics.get("latency_cycles", Stage.SIMULATED)
    assert latency is not None
    assert (latency.value, latency.version, latency.target) == (25, case.version, "xcu250-figd2104-2L-e")
    assert (latency.tool, latency.clock_ns) == (f"{CHAINS[case.chain].title} cosimulation (xsim)", 5)
    told = {(figure.tool, figure.version) for figure in outcome.metrics}
    assert told == {(report.tool, report.version) for report in directory.read(folder).reports}
    assert "INFO: Test PASSED" in (folder / "hlsflow_logs" / f"{case.chain}-cosim.log").read_text()
    assert drive.run(CHAINS[case.chain], folder, steps).ran == ()


def test_a_report_about_another_design_gives_no_figure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, tmp_path, "vitis-run", "2024.2")
    folder = amd_project(tmp_path / "project", "vitis")
    drive.run(CHAINS["vitis"], folder, (Step.CSYNTH,))
    report = folder / amd.project(folder).csynth_report
    report.write_text(report.read_text().replace(">tiny<", ">other<"))
    with pytest.raises(DataError, match="is about 'other', not about 'tiny'"):
        amd.reports("Vitis HLS", folder, Step.CSYNTH)


@pytest.mark.parametrize(
    ("text", "says"),
    [('set project_name "x"\n', "sets no part"), ("", "sets no project_name")],
)
def test_incomplete_projects_are_refused(tmp_path: Path, text: str, says: str) -> None:
    folder = amd_project(tmp_path / "project", "vitis")
    (folder / "project.tcl").write_text(text)
    with pytest.raises(DataError, match=says):
        amd.project(folder)
