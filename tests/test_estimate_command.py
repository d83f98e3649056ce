"""`hlsflow estimate` on the folder of an hls4ml project."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.__main__ import main
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


def test_a_folder_that_is_no_project_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["estimate", str(tmp_path)]) == 2
    assert "next:" in capsys.readouterr().err
