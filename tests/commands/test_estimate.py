"""`hlsflow estimate` on the folder of an hls4ml project."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hlsflow.__main__ import main
from tests.estimate.designs import project


def test_a_folder_is_estimated_for_each_reuse_factor(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["estimate", str(project(tmp_path)), "--reuse-factor", "1,2"]) == 0
    said = capsys.readouterr().out
    assert said.count("# tiny: csynth as estimated, vitis, io_parallel, 5 ns") == 2
    assert said.count("| fc1 ") == 2
    rows = [line for line in said.splitlines() if line.startswith("| ii ")]
    assert [row.split("|")[2].strip() for row in rows] == ["1", "2"]


def test_the_part_can_be_another(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["estimate", str(project(tmp_path)), "--part", "xc7a35t"]) == 0
    said = capsys.readouterr().out
    assert "xc7a35t" in said
    assert "| fits" in said
    assert "reuse_factor = 5 was asked for" in said


def test_scripts_get_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["estimate", str(project(tmp_path)), "--json", "--reuse-factor", "1,2"]) == 0
    one, two = json.loads(capsys.readouterr().out)
    assert (one["reuse_factors"], two["reuse_factors"]) == ({"fc1": 1}, {"fc1": 2})
    assert {metric["stage"] for metric in one["metrics"]} == {"estimated"}
    lut = next(metric["value"] for metric in one["metrics"] if metric["name"] == "lut")
    low, high = one["intervals"]["lut"]
    assert low <= lut <= high


def test_what_csynth_said_already_stands_beside(
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = project(tmp_path)
    report = next((shared / "reports" / "vitis_2021.1_mlp" / "CARDIO" / "DSP_reuse1").rglob("*_csynth.xml"))
    place = folder / "tiny_prj" / "solution1" / "syn" / "report"
    place.mkdir(parents=True)
    text = report.read_text(encoding="utf-8").replace("myproject", "tiny")
    (place / "tiny_csynth.xml").write_text(text, encoding="utf-8")
    assert main(["estimate", str(folder)]) == 0
    row = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("| dsp "))
    assert row.split("|")[-2].strip() == "36"


def test_other_vendors_projects_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["estimate", str(project(tmp_path, backend="quartus"))]) == 2
    assert "backend quartus cannot be estimated" in capsys.readouterr().err


def test_a_folder_that_is_no_project_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["estimate", str(tmp_path)]) == 2
    assert "next:" in capsys.readouterr().err
