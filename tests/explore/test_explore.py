"""`hlsflow explore`: what the arguments mean, and one exploration from training to a project file that runs."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from hlsflow.__main__ import main
from hlsflow.commands.explore import metric
from hlsflow.core.errors import ProjectError
from hlsflow.explore.request import Request, interval, question_of
from hlsflow.explore.run import spread
from hlsflow.project import load
from tests.pipeline.test_pipeline import PROJECT, make_project

SMALL = (
    PROJECT.replace('families = ["ecp5"]', 'families = ["xc7"]').replace('route_part = "LFE5U-25F-6BG256C"\n', "")
    + '[explore]\nmultiplier = ["dsp"]\nweight_bits = [3]\naccuracy_drop = 0.05\n'
)


def test_users_may_say_latency() -> None:
    assert [metric(name) for name in ("latency", "ii", " lut ")] == ["latency_cycles", "ii", "lut"]
    with pytest.raises(ProjectError, match="'power' is no metric"):
        metric("power")


@pytest.mark.parametrize(
    ("per_second", "clock_ns", "cycles"), [(1e6, 5.0, 200), (200e6, 5.0, 1), (3e6, 5.0, 66), (1.0, 10.0, 100_000_000)]
)
def test_a_throughput_is_a_largest_interval(per_second: float, clock_ns: float, cycles: int) -> None:
    assert interval(per_second, clock_ns) == cycles


@pytest.mark.parametrize("per_second", [0.0, -1.0, 201e6])
def test_a_throughput_beyond_the_clock_is_refused(per_second: float) -> None:
    with pytest.raises(ProjectError, match="inferences a second"):
        interval(per_second, 5.0)


def test_points_to_confirm_are_spread_over_the_front() -> None:
    assert spread(10, 3) == [1, 6, 10]
    assert spread(2, 5) == [1, 2]
    assert spread(5, 0) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--max", "lut"], "--max lut is no limit"),
        (["--max", "watts=3"], "'watts' is no metric"),
        (["--minimize", "lut=much"], "much is no weight"),
        (["--pareto", "lut,speed"], "'speed' is no metric"),
        (["--max", "lut=²"], "--max lut=² is no limit"),
        (["--max", "lut=" + "9" * 5000], "is no limit"),
        (["--minimize", "lut=nan"], "nan is no weight"),
        (["--minimize", "lut=-1"], "-1 is no weight"),
        (["--minimize", "lut=0"], "leave nothing to minimise"),
        (["--pareto", "lut"], "a front of lut cannot be drawn"),
        (["--pareto", "lut,lut"], "a front of lut, lut cannot be drawn"),
        (["--part", "xc7nonsense"], "part 'xc7nonsense' is not known"),
        (["--part", "LFE5U-35F-6BG381C"], "there is no LFE5U-35F"),
        (["--part", "xc7a35t", "--family", "ecp5"], "part xc7a35t is xc7, not ecp5"),
        (["--part", "xc7a35t", "--utilisation", "1.5"], "1.5 of a part cannot be used"),
        (["--part", "xc7a35t", "--utilisation", "nan"], "nan of a part cannot be used"),
        (["--throughput", "0"], "0 inferences a second"),
        (["--throughput", "nan"], "nan inferences a second"),
        (["--cluster", "pbs"], "cluster 'pbs' is unknown"),
        (["--cluster", "tcp://nowhere"], "'tcp://nowhere' is no scheduler's address"),
        (["--cluster", "http://host:1"], "'http://host:1' is no scheduler's address"),
        (["--confirm", "-1"], "--confirm -1 is no number of points"),
        (["--points", "0"], "--points 0 is no number of points"),
        (["--fine-tune", "0"], "there is no point 0"),
        (["--fine-tune", "3", "--points", "2"], "there is no point 3"),
        (["--fine-tune", "2", "--minimize", "lut"], "there is no point 2"),
        (["--fine-tune", "1", "--engine", "vitis"], "--engine vitis narrows no weights"),
        (["--family", "ecp5", "--engine", "vitis"], "Vitis HLS does not know ECP5"),
    ],
)
def test_a_wrong_argument_is_one_clear_error(
    arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = make_project(tmp_path / "tiny", SMALL)
    assert main(["explore", str(project), "--build", str(tmp_path / "build"), *arguments]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "build").exists()  # nothing was trained


def test_a_network_that_cannot_be_tuned_is_refused_before_training(tmp_path: Path) -> None:
    project = load(make_project(tmp_path / "tiny", SMALL))
    assert question_of(project, Request(fine_tune=1))[1].front == ("latency_cycles", "lut")
    wide = load(make_project(tmp_path / "wide", SMALL.replace("weight_bits = [3]\n", "")))
    with pytest.raises(ProjectError, match=r"\[explore\] narrows none"):
        question_of(wide, Request(fine_tune=1))
    with pytest.raises(ProjectError, match="nothing to train it on"):
        question_of(project.model_copy(update={"training": None}), Request(fine_tune=1))


def accuracy_of(report: dict[str, Any]) -> float:
    """Of the C-simulation, which equals the quantized network."""
    metrics = report["points"][0]["metrics"]
    (found,) = (one["value"] for one in metrics if one["name"] == "accuracy" and one["stage"] == "csim")
    return float(found)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_an_exploration_ends_in_projects_that_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HLSFLOW_CACHE", str(tmp_path / "cache"))
    project, build = make_project(tmp_path / "tiny", SMALL), tmp_path / "build"
    arguments = [
        "explore",
        str(project),
        "--build",
        str(build),
        "--max",
        "latency=300",
        "--max",
        "dsp=12",
        "--confirm",
        "2",
    ]
    assert main(arguments) == 0
    (folder,) = (build / "tiny" / "explore").iterdir()
    found = json.loads((folder / "explore.json").read_text())
    assert (folder / "explore.html").read_text(encoding="utf-8").count("<figure>") == 1
    assert found["proved"]
    assert found["complete"]
    assert found["effort"]["measured"] <= found["effort"]["configurations"]
    figures = [(point["scheduled"]["latency_cycles"], point["characterised"]["lut"]) for point in found["points"]]
    assert figures == sorted(figures)
    assert [lut for _, lut in figures] == sorted((lut for _, lut in figures), reverse=True)
    assert all(
        point["characterised"]["dsp"] <= 12 and point["scheduled"]["latency_cycles"] <= 300 for point in found["points"]
    )
    assert found["error"]["designs"] == 2
    assert found["error"]["dsp"]
    assert found["error"]["bram"]
    assert found["error"]["lut_worst"] <= 0.05
    with (folder / "explore.csv").open() as stream:
        assert len(list(csv.DictReader(stream))) == len(found["points"])
    (chart,) = (folder / "charts").glob("*.svg")
    assert chart.read_text(encoding="utf-8").count("<title>") == len(found["points"]) + found["error"]["designs"]

    last = found["points"][-1]
    assert main(["run", str(folder / last["project_file"]), "--build", str(build)]) == 0
    report = json.loads((build / f"tiny_point{last['point']}" / "latest" / "report.json").read_text())
    assert report["points"][0]["predicted"]["latency_cycles"] == last["scheduled"]["latency_cycles"]
    assert all(comparison["equal"] for comparison in report["gate"]["comparisons"])

    narrowed = accuracy_of(report)
    assert main([*arguments, "--fine-tune", str(last["point"])]) == 0
    assert main(["run", str(folder / last["project_file"]), "--build", str(build)]) == 0
    tuned = json.loads((build / f"tiny_point{last['point']}" / "latest" / "report.json").read_text())
    assert (folder / f"point{last['point']}" / "tuned" / "history.json").exists()
    assert all(comparison["equal"] for comparison in tuned["gate"]["comparisons"])
    assert accuracy_of(tuned) != narrowed  # other weights, measured anew
    assert tuned["points"][0]["predicted"]["latency_cycles"] == last["scheduled"]["latency_cycles"]

    capsys.readouterr()
    shutil.rmtree(folder)
    assert main([*arguments, "--max", "lut=10"]) == 2
    assert "no design keeps" in capsys.readouterr().err
