"""What every toolchain shares: watched, limited, resumed, within its licences; with a stand-in for Vitis HLS."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from hlsflow.core.errors import DataError, ProjectError, ToolFailed
from hlsflow.core.progress import Progress
from hlsflow.toolchains import drive, licences, vitis
from hlsflow.toolchains.chain import Settings, Step
from hlsflow.toolchains.drive import Limits
from tests.toolchains.standins import NEEDS_TCL, amd_project, install
from tests.toolchains.test_process import eventually

pytestmark = NEEDS_TCL
ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    install(monkeypatch, tmp_path, "vitis-run", "2024.2")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return amd_project(tmp_path / "project", "vitis")


def csynth(project: Path, *steps: Step, **limits: float) -> tuple[drive.Outcome, str]:
    """What it came to, and what the user saw."""
    stream = io.StringIO()
    outcome = drive.run(
        vitis.CHAIN, project, steps or (Step.CSYNTH,), limits=Limits(**limits), progress=Progress(stream)
    )
    return outcome, stream.getvalue()


def test_phases_are_shown_and_the_complete_log_is_kept(project: Path) -> None:
    outcome, said = csynth(project)
    assert outcome.ran == (Step.CSYNTH,)
    assert "Vitis HLS csynth: done in " in said
    log = (project / "hlsflow_logs" / "vitis-csynth.log").read_text()
    assert log.splitlines()[0].endswith("vitis-run --mode hls --tcl hlsflow_csynth.tcl")
    assert "***** C/RTL SYNTHESIS *****" in log


def test_every_figure_says_where_it_is_from(project: Path) -> None:
    metrics = csynth(project)[0].metrics
    lut = metrics.get("lut")
    assert lut is not None
    assert (lut.value, lut.tool, lut.version, lut.target) == (678, "Vitis HLS", "2024.2", "xcu250-figd2104-2L-e")
    assert lut.source.startswith("tiny_prj/solution1/syn/report/tiny_csynth.xml:")


def test_a_finished_step_is_not_run_again(project: Path) -> None:
    first, _ = csynth(project, Step.CSIM, Step.CSYNTH)
    again, said = csynth(project, Step.CSIM, Step.CSYNTH)
    assert again.ran == ()
    assert again.metrics == first.metrics
    assert said.count("nothing has changed since") == 2


@pytest.mark.parametrize("change", ["input", "script", "report", "version", "result"])
def test_a_step_is_run_again_when_something_has_changed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, project: Path, change: str
) -> None:
    csynth(project)
    report = project / "tiny_prj/solution1/syn/report/tiny_csynth.xml"
    settings = Settings()
    if change == "input":
        (project / "firmware" / "tiny.cpp").write_text("// another network\n")
    elif change == "script":
        own = tmp_path / "templates" / "tools" / "vitis" / "run.tcl"
        own.parent.mkdir(parents=True)
        own.write_text('puts "OUR OWN @step"\nsource build_prj.tcl\n')
        settings = Settings(tmp_path / "templates")
    elif change == "report":
        report.write_text(report.read_text()[:200])
    elif change == "version":
        install(monkeypatch, tmp_path / "newer", "vitis-run", "2025.1")
    else:
        (project / "tiny_prj/solution1/syn/verilog/rom.dat").unlink()
    outcome = drive.run(vitis.CHAIN, project, (Step.CSYNTH,), settings=settings)
    assert outcome.ran == (Step.CSYNTH,)
    logs = sorted(path.name for path in (project / "hlsflow_logs").glob("*.log"))
    assert logs == ["vitis-csynth.1.log", "vitis-csynth.log"]
    assert ("OUR OWN csynth" in (project / "hlsflow_logs" / "vitis-csynth.log").read_text()) == (change == "script")


def test_what_follows_a_step_that_was_run_is_run_too(project: Path) -> None:
    csynth(project, Step.CSYNTH, Step.COSIM)
    (project / "tiny_prj/solution1/syn/report/tiny_csynth.xml").unlink()
    assert csynth(project, Step.CSYNTH, Step.COSIM)[0].ran == (Step.CSYNTH, Step.COSIM)


def test_a_hang_is_told_while_it_lasts_and_its_verdict_names_phase_and_knob(
    monkeypatch: pytest.MonkeyPatch, project: Path
) -> None:
    monkeypatch.setenv("STANDIN_MODE", "hang")
    stream = io.StringIO()
    (project / "firmware" / "parameters.h").write_text("// fc1\nstruct config2 : nnet::dense_config {\n};\n")
    limits = Limits(timeout_s=3, silence_s=0.4)
    with pytest.raises(
        ToolFailed, match=r"did not end within 3 s .*phase unrolling loops of layer 'fc1'.*without output"
    ) as caught:
        drive.run(vitis.CHAIN, project, (Step.CSYNTH,), limits=limits, progress=Progress(stream))
    assert "higher reuse_factor" in caught.value.hint
    assert "Unrolling loop 'Product1'" in caught.value.message
    said = stream.getvalue()
    assert "Vitis HLS csynth 0:00:0" in said
    assert "unrolling loops: INFO: [HLS 214-186] Unrolling loop 'Product1'" in said
    assert "no output for" in said
    assert "in phase unrolling loops; if it never ends: unroll less" in said
    assert eventually(lambda: _is_gone(int((project / "stray").read_text())))


def _is_gone(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z"


def test_the_memory_of_all_processes_is_limited(monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    monkeypatch.setenv("STANDIN_MODE", "hungry")
    with pytest.raises(ToolFailed, match=r"took 0\.\d+ GiB of memory .* more than the limit of 0\.25 GiB") as caught:
        csynth(project, memory_gib=0.25, timeout_s=60)
    assert "unroll less" in caught.value.hint


def test_ctrl_c_leaves_no_orphan(monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    monkeypatch.setenv("STANDIN_MODE", "hang")
    script = (
        "import sys; from pathlib import Path; from hlsflow.toolchains import drive, vitis\n"
        "from hlsflow.toolchains.chain import Step\n"
        "drive.run(vitis.CHAIN, Path(sys.argv[1]), (Step.CSYNTH,))"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", script, str(project)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "flows")},
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL) and None,
    )
    stray = project / "stray"
    assert eventually(lambda: stray.exists() and stray.read_text() != "", within_s=60)
    child.send_signal(signal.SIGINT)
    assert b"KeyboardInterrupt" in child.communicate(timeout=20)[1]
    assert eventually(lambda: _is_gone(int(stray.read_text())))


def test_runs_wait_for_a_licence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    said: list[str] = []
    inside = threading.Event()
    together: list[int] = []

    def work() -> None:
        with licences.held("vitis_hls", 2, said.append):
            together.append(threading.active_count())
            inside.set()

    with licences.held("vitis_hls", 2, said.append), licences.held("vitis_hls", 2, said.append):
        worker = threading.Thread(target=work)
        worker.start()
        assert eventually(lambda: bool(said))
        assert not inside.is_set()
    worker.join(timeout=10)
    assert inside.is_set()
    assert said == ["waiting for a licence of vitis_hls: all 2 are in use"]


def test_a_run_begins_when_it_has_its_licence(project: Path) -> None:
    stream = io.StringIO()
    outcomes: list[drive.Outcome] = []

    def work() -> None:
        limits = Limits(licences=1)
        outcomes.append(drive.run(vitis.CHAIN, project, (Step.CSYNTH,), limits=limits, progress=Progress(stream)))

    with licences.held("vitis_hls", 1, print):
        worker = threading.Thread(target=work)
        worker.start()
        assert eventually(lambda: "waiting for a licence of vitis_hls" in stream.getvalue())
        assert not outcomes
        assert not list((project / "hlsflow_logs").glob("*.log"))
    worker.join(timeout=60)
    assert outcomes[0].ran == (Step.CSYNTH,)


def test_the_environment_may_say_how_many_licences_there_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("HLSFLOW_LICENCES", "3")
    with licences.held("Synthesis", None, print):
        assert [file.name for file in (tmp_path / "hlsflow" / "licences" / "Synthesis").iterdir()] == ["0.lock"]
    monkeypatch.setenv("HLSFLOW_LICENCES", "many")
    with pytest.raises(ProjectError, match="HLSFLOW_LICENCES=many"), licences.held("Synthesis", None, print):
        pass


def test_licences_count_across_processes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    script = (
        "from hlsflow.toolchains import licences\nimport time\n"
        "with licences.held('Synthesis', 1, print): print('got', flush=True); time.sleep(60)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "flows")}
    holder = subprocess.Popen([sys.executable, "-c", script], env=environment, stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"got\n"
    said: list[str] = []
    killer = threading.Thread(target=lambda: (eventually(lambda: bool(said)), holder.kill()))
    killer.start()
    with licences.held("Synthesis", 1, said.append):  # the system frees what a killed process held
        assert said == ["waiting for a licence of Synthesis: all 1 are in use"]
    killer.join()
    holder.communicate()


def test_two_drives_of_one_folder_take_turns(project: Path) -> None:
    stream = io.StringIO()
    outcomes: list[drive.Outcome] = []

    def work() -> None:
        outcomes.append(drive.run(vitis.CHAIN, project, (Step.CSYNTH,), progress=Progress(stream)))

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=60)
    assert sorted(len(outcome.ran) for outcome in outcomes) == [0, 1]
    assert "another run works in" in stream.getvalue()


def test_a_run_that_fails_leaves_no_older_report(monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    csynth(project)
    older = project / "tiny_prj/solution1/syn/report/dense_csynth.xml"
    older.write_text("of a layer")
    (project / "firmware" / "tiny.cpp").write_text("// another network\n")
    monkeypatch.setenv("STANDIN_MODE", "unroll")
    with pytest.raises(ToolFailed, match="more than the tool unrolls"):
        csynth(project)
    assert not older.exists()
    assert not (project / "tiny_prj/solution1/syn/report/tiny_csynth.xml").exists()


def test_a_report_of_another_release_gives_no_figure(monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    find = vitis.CHAIN.find
    chain = replace(vitis.CHAIN, find=lambda: replace(find(), version="2023.1"))
    with pytest.raises(ToolFailed, match=r"is by Vitis HLS 2024\.2, not by 2023\.1"):
        drive.run(chain, project, (Step.CSYNTH,))


def test_what_cannot_be_done_is_refused_at_once(project: Path, tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="Vitis HLS has no step bitstream"):
        csynth(project, Step.BITSTREAM)
    with pytest.raises(DataError, match="cosim needs the Verilog of csynth"):
        csynth(project, Step.COSIM)
    with pytest.raises(DataError, match="is no hls4ml project"):
        drive.run(vitis.CHAIN, tmp_path / "bin", (Step.CSYNTH,))
    assert not (tmp_path / "bin" / "hlsflow_logs").exists()


def test_a_template_of_the_project_with_a_wrong_placeholder_is_named(tmp_path: Path, project: Path) -> None:
    own = tmp_path / "own" / "tools" / "vitis" / "run.tcl"
    own.parent.mkdir(parents=True)
    own.write_text("puts @nonsense\n")
    with pytest.raises(ProjectError, match="placeholder that is not known: 'nonsense'") as caught:
        drive.run(vitis.CHAIN, project, (Step.CSYNTH,), settings=Settings(tmp_path / "own"))
    assert "@step" in caught.value.hint


def test_the_record_of_a_step_can_be_read_by_others(project: Path) -> None:
    csynth(project)
    record = json.loads((project / "hlsflow_logs" / "vitis-csynth.json").read_text())
    assert record["tool"] == "Vitis HLS 2024.2 (native)"
    assert "tiny_prj/solution1/syn/report/tiny_csynth.xml" in record["left"]
