"""The whole flow on a small real project: figures, reruns, kills, runs at once, missing tools, a full disk."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from qkeras import quantized_relu

from hlsflow.__main__ import main
from hlsflow.core import templates
from hlsflow.core.store import file_digest
from hlsflow.report.run import FILES
from tests.hls.networks import act, dense, network, samples
from tests.toolchains.standins import NEEDS_TCL, install

MODEL = """
from qkeras import QActivation, QDense, quantized_bits
from tf_keras import Sequential
from tf_keras.layers import Input

GRID = quantized_bits(4, 0, alpha=1)


def quantized():
    return Sequential([
        Input((64,), name="pixels"),
        QDense(8, kernel_quantizer=GRID, bias_quantizer=GRID, name="fc1"),
        QActivation("quantized_relu(4,2)", name="relu1"),
        QDense(10, kernel_quantizer=GRID, bias_quantizer=GRID, name="logits"),
    ], name="tiny")
"""

PROJECT = """
name = "tiny"
[data]
source = "digits"
test = 0.2
validation = 0.1
scale = 0.0625
[model]
quantized = "quantized"
[training]
epochs = 6
batch_size = 64
learning_rate = 0.01
[input]
precision = "ufixed<5,1>"
[target]
families = ["ecp5"]
route_part = "LFE5U-25F-6BG256C"
clock_ns = 10.0
[knobs]
reuse_factor = 16
[sweep]
reuse_factor = [33]
"""


def make_project(folder: Path, text: str = PROJECT) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "project.toml").write_text(text)
    (folder / "model.py").write_text(MODEL)
    return folder


def command(
    *arguments: str | Path, limit: Callable[[], None] | None = None, **environment: str
) -> subprocess.Popen[str]:
    """`hlsflow …` in a process group of its own, after `limit` was called in it."""

    def prepare() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a suite run in the background passes on an ignored Ctrl-C
        if limit:
            limit()

    argv = [sys.executable, "-m", "hlsflow", *map(str, arguments)]
    env = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2] / "flows")} | environment
    pipe = subprocess.PIPE
    return subprocess.Popen(
        argv, env=env, stdout=pipe, stderr=subprocess.STDOUT, text=True, start_new_session=True, preexec_fn=prepare
    )


def hlsflow(*arguments: str | Path, code: int = 0, limit: Callable[[], None] | None = None, **environment: str) -> str:
    """Run in a process of its own to the end; returns what it printed."""
    process = command(*arguments, limit=limit, **environment)
    output, _ = process.communicate(timeout=280)
    assert process.returncode == code, output
    return output


Here = Callable[..., str]


@pytest.fixture
def hlsflow_here(capsys: pytest.CaptureFixture[str]) -> Here:
    """The same in this process, where TensorFlow has been started already."""

    def ended(*arguments: str | Path, code: int = 0) -> str:
        assert main([*map(str, arguments)]) == code
        said = capsys.readouterr()
        return said.out + said.err

    return ended


def report_of(build: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((build / "tiny" / "latest" / "report.json").read_text())
    return data


def figures(build: Path) -> list[Any]:
    """Everything measured that does not depend on how fast the machine is."""
    return [
        [metric for metric in point["metrics"] if metric["name"] != "seconds"] for point in report_of(build)["points"]
    ]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project(tmp_path_factory.mktemp("projects") / "tiny")


@pytest.fixture(scope="module")
def finished(project: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A build folder with a finished run, and what the run printed."""
    build = tmp_path_factory.mktemp("build")
    return build, hlsflow("run", project, "--build", build)


def test_a_run_ends_in_a_report_with_measured_figures(finished: tuple[Path, str]) -> None:
    build, said = finished
    report = report_of(build)
    jsonschema.validate(report, json.loads(templates.read("report/report.schema.json")))
    assert (report["project"], report["gate"]["verdict"]) == ("tiny", "bit-exact to the file")
    assert [(item["left"], item["right"]) for item in report["gate"]["comparisons"]] == [
        ("file", "frozen"), ("frozen", "csim"), ("csim", "oracle"), ("oracle", "rtl R33"),
        ("oracle", "netlist R33-ecp5"),
    ]  # fmt: skip
    assert [item["samples"] for item in report["gate"]["comparisons"]] == [360, 360, 360, 1000, 200]
    measured(report, [33])
    assert "file = frozen on all 3600 outputs of 360 samples" in said
    assert "frozen = csim on all 3600 outputs of 360 samples" in said
    assert "verdict: bit-exact to the file" in said
    assert "no csynth row: Vitis HLS is not installed" in said
    run = build / "tiny" / "latest"
    assert all((run / name).is_file() for name in FILES)
    assert "MULT18X18D" in (run / "rtl" / "R33" / "ecp5" / "multiply_dsp.v").read_text()
    assert list((run / "charts").glob("*.svg"))
    assert list((run / "tensorboard" / "qat" / "validation").glob("events.*"))
    for metric in report["points"][0]["metrics"]:
        assert (run / metric["source"]).is_file(), metric


def measured(report: dict[str, Any], factors: list[int]) -> None:
    """The points of these reuse factors have figures of all stages that agree."""
    assert [point["knobs"]["reuse_factor"] for point in report["points"]] == factors
    for point in report["points"]:
        values = {(metric["name"], metric["stage"]): metric["value"] for metric in point["metrics"]}
        assert values[("latency_cycles", "simulated")] == point["predicted"]["latency_cycles"]
        assert values[("ii", "simulated")] == point["predicted"]["ii"] <= point["knobs"]["reuse_factor"]
        assert values[("accuracy", "qat")] == values[("accuracy", "csim")] == values[("accuracy", "simulated")] > 0.7
        assert values[("lut", "synth")] > 100
        assert values[("fmax_mhz", "routed")] > 20
        latency = values[("latency_cycles", "simulated")] * 1000 / values[("fmax_mhz", "routed")]
        assert values[("latency_ns", "routed")] == pytest.approx(latency, abs=0.01)


WRONG = """
name = "wrong"
[data]
source = "samples.npz"
test = 0.5
[model]
file = "model.h5"
[input]
precision = "fixed<10,4>"
[knobs]
reuse_factor = 1
[knobs.layers.fc1.precision]
accum = "fixed<8,4>"
"""


def test_a_run_that_the_gate_ends_leaves_a_report_that_names_the_layer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network(dense(8, "fc1"), act(quantized_relu(6, 2), "relu"), dense(4, "fc2")).save(tmp_path / "model.h5")
    np.savez(tmp_path / "samples.npz", x=samples(40), y=np.arange(40) % 4)
    (tmp_path / "project.toml").write_text(WRONG)
    assert main(["check", str(tmp_path), "--build", str(tmp_path / "build")]) == 3
    assert "first layer that differs: 'fc1'" in capsys.readouterr().err
    folder = tmp_path / "build" / "wrong" / "latest"
    report = json.loads((folder / "report.json").read_text())
    jsonschema.validate(report, json.loads(templates.read("report/report.schema.json")))
    assert not report["gate"]["passed"]
    assert report["gate"]["first"]["layer"] == "fc1"
    assert "Not bit-exact: the first layer that differs is fc1" in (folder / "report.html").read_text(encoding="utf-8")


def test_every_step_has_a_manifest(finished: tuple[Path, str]) -> None:
    run = finished[0] / "tiny" / "latest"
    for step in ("train", "translate", "csim", "rtl/R33", "rtlsim/R33", "synth/R33-ecp5", "netlist/R33-ecp5"):
        manifest = json.loads((run / step / "manifest.json").read_text())
        assert manifest["step"] == step.split("/")[0]
        assert manifest["outputs"]


def test_a_second_run_does_nothing_and_starts_no_tensorflow(project: Path, finished: tuple[Path, str]) -> None:
    before, report = figures(finished[0]), report_of(finished[0])
    said = hlsflow("run", project, "--build", finished[0], PYTHONPROFILEIMPORTTIME="1")
    imported = {line.rpartition("|")[2].strip() for line in said.splitlines() if line.startswith("import time:")}
    assert "hlsflow.pipeline.run" in imported
    assert imported.isdisjoint({"tensorflow", "tf_keras", "qkeras", "hls4ml"})
    assert "nothing to do" in said
    assert "done in" not in said
    assert figures(finished[0]) == before
    assert report_of(finished[0]) == report  # with the date and command of the run that computed it


def test_the_report_says_how_to_repeat_the_run(project: Path, finished: tuple[Path, str]) -> None:
    provenance = report_of(finished[0])["provenance"]
    manifest = json.loads((finished[0] / "tiny" / "latest" / "train" / "manifest.json").read_text())
    files = {file["what"]: file["sha256"] for file in provenance["files"]}
    assert provenance["made"]["command"] == f"hlsflow run {project} --build {finished[0]}"
    assert manifest["made"]["date"] == provenance["made"]["first"] < provenance["made"]["date"]
    assert files["model"] == file_digest(project / "model.py")
    assert files["trained model"] == file_digest(finished[0] / "tiny" / "latest" / "train" / "qat.h5")
    assert files["data"] is None
    assert {tool["name"] for tool in provenance["tools"]} >= {"verilator", "yosys", "nextpnr-ecp5"}
    assert provenance["packages"]["hls4ml"] == version("hls4ml")
    settings = provenance["settings"]
    assert (settings["input_type"], settings["clock_ns"], settings["io_type"]) == ("ufixed<5,1>", 10.0, "io_parallel")


def test_a_changed_knob_reruns_what_depends_on_it_alone(
    project: Path, finished: tuple[Path, str], hlsflow_here: Here
) -> None:
    said = hlsflow_here("run", project, "--build", finished[0], "--reuse-factor", "33,640")
    assert [line.split(":")[0] for line in said.splitlines() if ": done in" in line] == [
        "rtl R640", "rtlsim R640", "synth R640-ecp5", "synth R640-LFE5U-25F-6BG256C", "netlist R640-ecp5"
    ]  # fmt: skip
    report = report_of(finished[0])
    measured(report, [33, 640])
    assert [item["right"] for item in report["gate"]["comparisons"]][3:] == [
        "rtl R33", "rtl R640", "netlist R33-ecp5", "netlist R640-ecp5"
    ]  # fmt: skip
    hlsflow_here("run", project, "--build", finished[0])


STEPS = {"train": "checkpoints", "translate": "", "csim": "", "rtlsim": "", "synth": "", "netlist": ""}


@pytest.mark.slow
@pytest.mark.timeout(900)  # several runs of the whole flow
def test_killed_in_every_step_it_ends_in_the_same_figures(
    project: Path, finished: tuple[Path, str], tmp_path: Path
) -> None:
    for step in STEPS:
        _kill_in(step, project, tmp_path)
    said = hlsflow("run", project, "--build", tmp_path)
    assert figures(tmp_path) == figures(finished[0])
    assert "train: done" not in said
    assert not list((tmp_path / "tiny" / "store").rglob("*.partial"))


def _kill_in(step: str, project: Path, build: Path) -> None:
    """Run until the step works in its partial folder, then kill the process, and see that no tool survives it."""
    process = command("run", project, "--build", build)
    folder = build / "tiny" / "store" / step
    deadline = time.monotonic() + 200
    while not list(folder.glob(f"*.partial/{STEPS[step]}*")):
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    while _running_in(build):
        assert time.monotonic() < deadline, "a tool survived hlsflow"
        time.sleep(0.1)


def _running_in(folder: Path) -> list[str]:
    """Processes that name the folder on their command line or work in it."""
    running = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str(folder).encode() in (process / "cmdline").read_bytes() + os.fsencode(os.readlink(process / "cwd")):
                running.append(process.name)
        except OSError:
            continue  # it has ended, or is not ours
    return running


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_runs_at_once_end_in_the_same_figures(project: Path, finished: tuple[Path, str], tmp_path: Path) -> None:
    shutil.copytree(finished[0] / "tiny" / "store" / "train", tmp_path / "tiny" / "store" / "train")
    runs = [command("run", project, "--build", tmp_path) for _ in range(2)]
    outputs = [run.communicate(timeout=280)[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], outputs
    assert figures(tmp_path) == figures(finished[0])
    assert sum(output.count("csim: done in") for output in outputs) == 1


def test_an_interrupt_ends_the_tools_and_keeps_what_is_done(project: Path, tmp_path: Path, hlsflow_here: Here) -> None:
    process = command("check", project, "--build", tmp_path)
    while not list((tmp_path / "tiny" / "store" / "train").glob("*.partial/checkpoints/*/epoch-*.npz")):
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output
    assert "interrupted; what was finished is kept" in output
    assert "Traceback" not in output
    assert "going on after epoch" in hlsflow_here("check", project, "--build", tmp_path)


def test_a_truncated_accumulator_fails_the_check_and_is_named(
    finished: tuple[Path, str], tmp_path: Path, hlsflow_here: Here
) -> None:
    text = PROJECT.replace("[sweep]", '[knobs.layers.logits]\nprecision = {accum = "fixed<9,6>"}\n[sweep]')
    broken = make_project(tmp_path / "tiny", text)
    said = hlsflow_here("check", broken, "--build", finished[0], code=3)
    assert "first layer that differs: 'logits'" in said
    assert "the accumulator fixed<9,6> of 'logits' drops" in said
    assert "csim = oracle on all" in said
    assert "train: done in" not in said


def test_a_knob_on_an_activation_goes_through_all_steps(
    finished: tuple[Path, str], tmp_path: Path, hlsflow_here: Here
) -> None:
    """It is exact here because it repeats what the quantizer says."""
    own = '[knobs.layers.relu1]\nprecision = {result = "ufixed<4,2,RND_CONV,SAT>"}\n[sweep]'
    same = make_project(tmp_path / "tiny", PROJECT.replace("[sweep]", own))
    assert "nothing to do" not in hlsflow_here("run", same, "--build", finished[0])
    assert report_of(finished[0])["gate"]["passed"]


def test_a_missing_tool_is_one_clear_error_and_costs_nothing(
    project: Path, finished: tuple[Path, str], hlsflow_here: Here
) -> None:
    said = hlsflow("run", project, "--build", finished[0], code=4, HLSFLOW_YOSYS="native", PATH="/usr/bin:/bin")
    assert "yosys is not installed as HLSFLOW_YOSYS=native asks" in said
    assert "Traceback" not in said
    assert "nothing to do" in hlsflow_here("run", project, "--build", finished[0])


@contextmanager
def small_disk(folder: Path) -> Iterator[tuple[Callable[[], None], Callable[[], None]]]:
    """A disk too small for the C-simulation: a limit for the process to be started, and how to lift it afterwards.

    A small file system where one can be mounted (that takes root), otherwise a limit on the size of files.
    """
    mount = ["mount", "-t", "tmpfs", "-o", "size=2500k", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        yield lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000)), lambda: None
        return
    try:
        yield lambda: None, lambda: subprocess.run(["mount", "-o", "remount,size=200m", folder], check=True) and None
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("kind", [pytest.param("mounted", marks=pytest.mark.slow), "limited"])
def test_a_full_disk_is_one_clear_error_and_keeps_what_is_done(
    kind: str,
    project: Path,
    finished: tuple[Path, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    hlsflow_here: Here,
) -> None:
    if kind == "limited":
        monkeypatch.setenv("PATH", "/nowhere")  # no mount to be found
    with small_disk(tmp_path) as (limit, lift):
        monkeypatch.undo()
        for step in ("train", "translate"):
            shutil.copytree(finished[0] / "tiny" / "store" / step, tmp_path / "tiny" / "store" / step)
        said = hlsflow("run", project, "--build", tmp_path, code=6, limit=limit)
        assert "free some" in said
        assert "Traceback" not in said
        assert list((tmp_path / "tiny" / "store" / "train").glob("*/qat.h5"))
        lift()
        assert "train: done in" not in hlsflow_here("check", project, "--build", tmp_path)


def test_a_foreign_model_runs_without_a_project(finished: tuple[Path, str], tmp_path: Path, hlsflow_here: Here) -> None:
    """The model file alone, with samples that have no classes and no named input grid."""
    (trained,) = (finished[0] / "tiny" / "store" / "train").glob("*/qat.h5")
    shutil.copy(trained, tmp_path / "theirs.h5")
    np.savez(tmp_path / "x.npz", x=np.random.default_rng(0).integers(0, 17, (200, 64)) / 16)
    said = hlsflow_here("check", tmp_path / "theirs.h5", "--data", tmp_path / "x.npz", "--build", tmp_path / "build")
    assert "input quantizer ufixed<5,1>: the narrowest" in said
    assert "frozen = csim on all 2000 outputs of 200 samples" in said


@NEEDS_TCL
def test_with_vitis_on_the_path_a_csynth_row_is_added(
    monkeypatch: pytest.MonkeyPatch, project: Path, finished: tuple[Path, str], tmp_path: Path
) -> None:
    earlier = os.environ["PATH"]
    program = install(monkeypatch, tmp_path, "vitis-run", "2024.2")
    said = hlsflow("run", project, "--build", finished[0], PATH=f"{program.parent}{os.pathsep}{earlier}")
    row = report_of(finished[0])["points"][-1]
    assert row["knobs"]["reuse_factor"] == 16
    assert {(m["name"], m["value"], m["stage"]) for m in row["metrics"]} == {
        ("lut", 678, "hls"), ("ff", 345, "hls"), ("dsp", 12, "hls"), ("bram", 4, "hls"), ("uram", 2, "hls"),
        ("latency_cycles", 24, "hls"), ("latency_ns", 120, "hls"), ("ii", 8, "hls"),
        ("clock_estimate_ns", 3.214, "hls"),
    }  # fmt: skip
    (layer,) = row["layers"]
    assert (layer["name"], {m["stage"] for m in layer["metrics"]}) == ("dense_s", {"hls"})
    (source,) = {m["source"].rpartition(":")[0] for m in (*row["metrics"], *layer["metrics"])}
    assert (finished[0] / "tiny" / "latest" / source).is_file()
    assert "## hls: xcu250-figd2104-2L-e" in said
    assert "no csynth row" not in said
