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


def test_a_total_with_a_hole_has_no_figure_and_no_verdict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = project(tmp_path)
    top = folder / "firmware/tiny.cpp"
    call = "    nnet::gru_stack<layer2_t, result_t, config4>(layer2_out, y, w4); // rnn\n}\n"
    top.write_text(top.read_text().replace("}\n", call))
    assert main(["estimate", str(folder)]) == 0
    said = capsys.readouterr().out
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in said.splitlines() if line[:1] == "|"]
    assert [row for row in rows if row[0] == "rnn"] == [["rnn", "not estimated", *["missing"] * 6]]
    for name, limit in (("lut", "53,200"), ("dsp", "220")):
        assert [name, "missing", "missing", limit, "missing", "missing"] in rows
    assert "no total and no verdict, for these layers are not estimated: rnn. The other layers alone" in said
    assert main(["estimate", str(folder), "--json"]) == 0
    (data,) = json.loads(capsys.readouterr().out)
    assert data["not_estimated"] == ["rnn"]
    assert {metric["value"] for metric in data["metrics"]} == {None}
    assert data["intervals"] == {}


def test_figures_stand_in_per_cent_of_the_part(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["estimate", str(project(tmp_path, reuse_factor="1"))]) == 0
    row = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("| ff "))
    value, _, limit, share, verdict = (cell.strip() for cell in row.strip("|").split("|")[1:])
    assert (limit, verdict) == ("106,400", "fits")
    assert float(share) == pytest.approx(100 * float(value) / 106_400, abs=0.05)


def test_a_part_that_is_not_known_has_no_verdict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["estimate", str(project(tmp_path)), "--part", "xc7vx690t-ffg1761-2"]) == 0
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith(("| lut ", "| dsp "))]
    assert [[cell.strip() for cell in row.strip("|").split("|")[3:]] for row in rows] == [["missing"] * 3] * 2


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--reuse-factor", "-1", "a reuse factor is 1 or more"),
        ("--reuse-factor", "0", "a reuse factor is 1 or more"),
        ("--reuse-factor", "4,0,16", "a reuse factor is 1 or more"),
        ("--reuse-factor", "4,", "no list of whole numbers"),
        ("--reuse-factor", "1.5", "no list of whole numbers"),
        ("--part", "nonsense", "is no part of AMD"),
        ("--part", "LFE5U-45F-6BG381C", "is no part of AMD"),
        ("--part", "xc7z020 clg400", "is no part of AMD"),
    ],
)
def test_knobs_and_parts_that_cannot_be_are_one_clear_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, value: str, words: str
) -> None:
    assert main(["estimate", str(project(tmp_path)), f"{option}={value}"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert words in said.err
    assert "next:" in said.err
