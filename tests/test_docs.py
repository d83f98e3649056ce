"""What README and documentation show works: commands parse, project files are valid, the check of three lines runs, the
site builds without a warning and its notebooks run on real tools."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest
import qkeras

from hlsflow.__main__ import _parser
from hlsflow.core.metrics import UNITS, Stage
from hlsflow.project import ProjectFile, parse
from tests import support
from tests.hls.networks import act, dense, network, samples

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
TEXTS = {page: page.read_text(encoding="utf-8") for page in PAGES if ".generated." not in page.name}
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


def blocks(language: str) -> list[str]:
    """The texts of all blocks of a language; fences are read in turn, so that no closing one opens another block."""
    texts = "\n".join(TEXTS.values())
    found = re.findall(r"^```([^\n]*)\n(.*?)^```$", texts, re.MULTILINE | re.DOTALL)
    return [text for name, text in found if name == language]


def test_the_readme_is_short_enough_to_read() -> None:
    assert len(TEXTS[ROOT / "README.md"].splitlines()) <= 200


def test_the_commands_parse() -> None:
    lines = [line.split(" #")[0] for block in blocks("") for line in block.splitlines() if line.startswith("hlsflow ")]
    assert len(lines) >= 20
    for line in lines:
        words = shlex.split(line.partition(" > ")[0])[1:]
        if words[0].startswith("-"):  # answers, and ends
            with pytest.raises(SystemExit) as ended:
                _parser().parse_args(words)
            assert ended.value.code == 0, line
        else:
            assert callable(_parser().parse_args(words).command)


def test_the_scripts_are_there_and_can_be_run() -> None:
    for name in {name for text in TEXTS.values() for name in re.findall(r"scripts/\w+", text)}:
        assert (ROOT / name).stat().st_mode & 0o111, name


def test_links_between_pages_lead_somewhere() -> None:
    """Links within the documentation, generated pages included, are held strictly when the site is built."""
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page, text in TEXTS.items()
        for target in LINK.findall(text)
        if not (page.parent / target).exists() and ".generated." not in target
    ]
    assert broken == []


def test_the_project_file_is_valid() -> None:
    whole = next(text for text in blocks("toml") if text.startswith("name"))
    project = parse(tomllib.loads(whole), "docs")
    assert project.knobs.of("fc1").reuse_factor == 32
    assert str(project.knobs.of("fc1").precision.accum) == "fixed<20,9>"


def test_pieces_of_a_project_file_fit_the_whole() -> None:
    texts = [text for text in blocks("toml") if not text.startswith("[project.")]  # which is of a package's pyproject
    whole, *pieces = sorted(map(tomllib.loads, texts), key=lambda tables: "name" not in tables)
    assert len(pieces) >= 5
    for piece in pieces:
        parse(whole | piece, "docs")


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
    assert support.written(support.PAGE.read_text()) == support.PAGE.read_text(), "run scripts/support_table --written"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The documentation, built strictly from nothing; the notebooks are executed."""
    folder = tmp_path_factory.mktemp("docs")
    argv = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--quiet", "-d", str(folder / "trees"), "docs"]
    done = subprocess.run([*argv, str(folder / "html")], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    return folder / "html"


@pytest.mark.timeout(1200)  # three notebooks, each with a start of TensorFlow and real tools
def test_the_site_builds_without_a_warning_and_its_notebooks_run(site: Path) -> None:
    first = text_of(site / "tutorials" / "first_design.html")
    assert "bit-exact" in first
    assert re.search(r"R128\s+ii\s+128\.0\s+cycles\s+simulated", first)
    assert "latency_cycles" in text_of(site / "tutorials" / "choose_knobs.html")


def test_generated_pages_tell_every_command_key_metric_and_stage(site: Path) -> None:
    commands, keys, metrics = (
        text_of(site / "reference" / f"{name}.generated.html") for name in ("commands", "project-file", "metrics")
    )
    for command in ("run", "check", "explore", "search", "estimate", "build", "report", "compare", "new", "clean"):
        assert f"usage: hlsflow {command}" in commands
    assert [name for name in ProjectFile.model_fields if name not in keys] == []
    assert [name for name in [*UNITS, *Stage] if name not in metrics] == []


def text_of(page: Path) -> str:
    """The words of a page."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.read_text(encoding="utf-8")))
