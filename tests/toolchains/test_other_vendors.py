"""oneAPI, Intel HLS, Catapult and SmartHLS driven end to end, with a stand-in for each program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from hlsflow.core.errors import DataError, FlowError, StorageError, ToolFailed, ToolMissing
from hlsflow.core.metrics import Stage
from hlsflow.toolchains import catapult, drive, libero, oneapi, quartus
from hlsflow.toolchains.chain import Step, Toolchain
from hlsflow.toolchains.chains import CHAINS
from hlsflow.toolchains.drive import Limits
from tests.toolchains.standins import NEEDS_TCL, hls_project, install
from tests.toolchains.test_process import eventually

STANDIN = "hls_standin.py"
PROGRAMS: Mapping[str, tuple[Sequence[str], str]] = {
    "oneapi": (("icpx", "cmake"), "2024.0.0"),
    "quartus": (("i++", "quartus_sh"), "21.2.0"),
    "catapult": (("catapult",), "2024.1_1"),
    "libero": (("shls",), "2024.2"),
}
"""Toolchain → its programs, and the release of the stand-ins."""

EVERY = [
    "oneapi",
    "quartus",
    pytest.param("catapult", marks=NEEDS_TCL),
    "libero",
]
FIGURES = {
    "oneapi": {
        Step.CSIM: {},
        Step.CSYNTH: {
            "alut": 360, "ff": 600, "m20k": 7, "dsp": 4, "mlab": 4, "fmax_mhz": 240, "ii": 4, "latency_cycles": None
        },
        Step.COSIM: {},
        Step.IMPLEMENT: {"fmax_mhz": 240.25, "alm": 301.5, "alut": 333, "ff": 700, "dsp": 4, "m20k": 5, "mlab": 2},
    },
    "quartus": {
        Step.CSYNTH: {"alut": 1280, "ff": 2410, "m20k": 9, "dsp": 6.5, "mlab": 14},
        Step.COSIM: {"latency_cycles": 24, "ii": 2},
        Step.IMPLEMENT: {"fmax_mhz": 273.15, "alm": 801.3, "ff": 2301, "dsp": 7, "m20k": 9, "mlab": 12},
    },
    "catapult": {
        Step.CSYNTH: {
            "latency_cycles": 7, "ii": 2, "area_score": 3088.5, "lut": 456, "clock_estimate_ns": 3.124, "wns_ns": 1.876
        },
        Step.COSIM: {"passed": 1},
    },
    "libero": {
        Step.CSIM: {},
        Step.CSYNTH: {"latency_cycles": 19, "ii": 2},
        Step.COSIM: {"latency_cycles": 21, "ii": 2, "passed": 1},
        Step.SYNTH: {"lut4": 6576, "ff": 4666, "usram": 12, "lsram": 13, "dsp": 20},
        Step.IMPLEMENT: {
            "fmax_mhz": 194.363, "wns_ns": -0.145, "lut4": 6576, "ff": 4666, "usram": 12, "lsram": 13, "dsp": 20
        },
    },
}  # fmt: skip
"""Toolchain → step → the figures of the stand-ins' reports."""


@pytest.fixture
def project(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A project of the backend that the test is about, with its stand-ins on PATH."""
    chain = request.node.callspec.params["name"]
    names, version = PROGRAMS[chain]
    for name in names:
        install(monkeypatch, tmp_path, name, version, STANDIN)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("STANDIN_STRAY", str(tmp_path / "stray"))
    return hls_project(tmp_path / "project", chain)


def run(name: str, folder: Path, *steps: Step, timeout_s: float = 60) -> drive.Outcome:
    chain = CHAINS[name]
    return drive.run(chain, folder, steps or chain.steps, limits=Limits(timeout_s=timeout_s))


def values(outcome: drive.Outcome) -> dict[str, float | None]:
    return {metric.name: metric.value for metric in outcome.metrics}


@pytest.mark.parametrize("name", EVERY)
def test_every_step_alone_gives_its_figures(name: str, project: Path) -> None:
    for step, figures in FIGURES[name].items():
        outcome = run(name, project, step)
        assert (outcome.ran, values(outcome)) == ((step,), figures)
        assert (project / "hlsflow_logs" / f"{name}-{step}.log").stat().st_size > 0


@pytest.mark.parametrize("name", EVERY)
def test_finished_steps_are_not_run_again_until_an_input_changes(name: str, project: Path) -> None:
    steps = tuple(FIGURES[name])
    assert run(name, project, *steps).ran == steps
    assert run(name, project, *steps).ran == ()
    source = next(project.rglob("hlsflow_top.cpp"))
    source.write_text("// another network\n")
    assert run(name, project, *steps).ran == steps


@pytest.mark.parametrize(
    ("mode", "error", "says"),
    [
        ("crash", ToolFailed, "failed with exit code|was killed|signal"),
        ("licence", ToolMissing, "no licence: "),
        ("disk_full", StorageError, "the disk is full"),
        ("too_large", ToolFailed, "the part is too small: |it does not fit: |it finds no schedule: "),
        ("truncated", ToolFailed, "left no usable report"),
        ("missing", ToolFailed, "left no |exit code"),
    ],
)
@pytest.mark.parametrize("name", EVERY)
def test_failures_are_told_for_what_they_are(
    name: str, mode: str, error: type[FlowError], says: str, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STANDIN_MODE", mode)
    with pytest.raises(error, match=says) as caught:
        run(name, project, Step.CSYNTH)
    assert caught.value.hint
    assert (project / "hlsflow_logs" / f"{name}-csynth.log").read_text()
    monkeypatch.setenv("STANDIN_MODE", "ok")
    assert run(name, project, Step.CSYNTH).ran == (Step.CSYNTH,)  # a failed step is run again


@pytest.mark.parametrize("name", EVERY)
def test_a_hang_ends_with_everything_that_was_started(
    name: str, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STANDIN_MODE", "hang")
    with pytest.raises(ToolFailed, match=r"limit|did not end|time") as caught:
        run(name, project, Step.CSYNTH, timeout_s=1.5)
    assert caught.value.hint
    stray = int((tmp_path / "stray").read_text())
    assert eventually(lambda: not Path(f"/proc/{stray}").exists())


@pytest.mark.parametrize("name", EVERY)
def test_the_tool_and_its_release_are_found(name: str, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program, version = PROGRAMS[name][0][0], PROGRAMS[name][1]
    assert CHAINS[name].find().version == version
    place = Path(CHAINS[name].find().argv[0])
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    with pytest.raises(ToolMissing, match=f"is not installed: no {program.replace('+', '.')} on PATH"):
        CHAINS[name].find()
    monkeypatch.setenv(f"HLSFLOW_{name.upper()}", str(place))
    assert CHAINS[name].find().argv == (str(place),)


@pytest.mark.parametrize("name", EVERY)
def test_a_folder_of_something_else_is_refused(name: str, project: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with pytest.raises(DataError, match="is no hls4ml project") as caught:
        run(name, tmp_path / "other", Step.CSYNTH)
    assert "backend wrote" in caught.value.hint
    assert not (tmp_path / "other" / "hlsflow_logs").exists()


@pytest.mark.parametrize(("name", "step"), [("quartus", Step.COSIM), ("catapult", Step.SYNTH)])
def test_a_step_that_needs_hls_says_so(name: str, step: Step, project: Path) -> None:
    with pytest.raises(DataError, match=f"{step} needs what csynth leaves") as caught:
        run(name, project, step)
    assert "csynth" in caught.value.hint


@pytest.mark.parametrize("name", [pytest.param("catapult", marks=NEEDS_TCL), "libero"])
def test_hardware_that_computes_something_else_fails(name: str, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(name, project, Step.CSYNTH)
    monkeypatch.setenv("STANDIN_MODE", "mismatch")
    with pytest.raises(ToolFailed, match="the Verilog and the C\\+\\+ do not agree"):
        run(name, project, Step.COSIM)


@NEEDS_TCL
@pytest.mark.parametrize("name", ["catapult"])
def test_catapult_has_vivado_synthesize_what_it_has_made(name: str, project: Path) -> None:
    outcome = run(name, project, Step.CSYNTH, Step.SYNTH)
    synthesized = [metric for metric in outcome.metrics if metric.stage is Stage.SYNTH]
    assert {"lut", "ff", "dsp", "bram"} <= {metric.name for metric in synthesized}
    assert {metric.tool for metric in synthesized} == {"Vivado"}


def test_every_toolchain_has_its_own_backend() -> None:
    chains: tuple[Toolchain, ...] = (oneapi.CHAIN, quartus.CHAIN, catapult.CHAIN, libero.CHAIN)
    assert [chain.backends for chain in chains] == [("oneapi",), ("quartus",), ("catapult",), ("libero",)]
    assert all(CHAINS[chain.name] is chain for chain in chains)
