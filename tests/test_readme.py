"""What the README shows works: its commands parse, its project file is valid, its check of three lines runs."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest
import qkeras

from hlsflow.__main__ import _parser
from hlsflow.core.metrics import UNITS, Stage
from hlsflow.project import parse
from tests import support
from tests.hls.networks import act, dense, network, samples

README = (Path(__file__).parents[1] / "README.md").read_text()


def blocks(language: str) -> list[str]:
    """The texts of all blocks of a language; fences are read in turn, so that no closing one opens another block."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    return [text for name, text in found if name == language]


def test_the_commands_parse() -> None:
    lines = [line.split(" #")[0] for block in blocks("") for line in block.splitlines() if line.startswith("hlsflow ")]
    assert len(lines) >= 6
    for line in lines:
        assert callable(_parser().parse_args(shlex.split(line)[1:]).command)


def test_the_scripts_are_there_and_can_be_run() -> None:
    for name in set(re.findall(r"scripts/\w+", README)):
        script = Path(__file__).parents[1] / name
        assert script.stat().st_mode & 0o111, name


def test_the_project_file_is_valid() -> None:
    whole = next(text for text in blocks("toml") if text.startswith("name"))
    project = parse(tomllib.loads(whole), "README.md")
    assert project.knobs.of("fc1").reuse_factor == 32
    assert str(project.knobs.of("fc1").precision.accum) == "fixed<20,9>"


def test_pieces_of_a_project_file_fit_the_whole() -> None:
    whole, *pieces = sorted((tomllib.loads(text) for text in blocks("toml")), key=lambda one: "name" not in one)
    assert pieces
    for piece in pieces:
        parse(whole | piece, "README.md")


def test_the_check_of_three_lines_runs(
    assert_bit_exact: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    network(dense(4, "fc1"), act(qkeras.quantized_relu(6, 2), "relu"), dense(2, "fc2")).save("model.h5")
    numpy.save("samples.npy", samples())
    code = next(block for block in blocks("python") if "assert_bit_exact" in block)
    names: dict[str, Any] = {"numpy": numpy}
    exec(code, names)
    names["test_csim_is_bit_exact"](assert_bit_exact)


def test_the_table_of_what_is_supported_is_the_suite() -> None:
    if not support.RECORD.exists():
        pytest.skip("tests/support.json is not there yet: scripts/support_table runs the suite and writes it")
    assert support.written(README) == README, "run scripts/support_table --written"


def test_every_metric_and_stage_is_explained() -> None:
    section = README.split("## report.json")[1].split("\n## ")[0]
    used = set(Stage) - {Stage.ESTIMATED, Stage.CHARACTERISED}
    assert [name for name in [*UNITS, *used] if f"`{name}`" not in section] == []
