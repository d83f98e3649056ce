"""The command line: one clear message and an exit code for whatever a user gets wrong."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hlsflow import __version__
from hlsflow.__main__ import main
from hlsflow.project import load


def said(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str]:
    code = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out + captured.err


MISTAKES = {
    "there is no folder nowhere": ["run", "nowhere"],
    "has no project.toml": ["check", "."],
    "there is no file m.onnx; it would be an ONNX model": ["run", "m.onnx"],
    r"net.json is the architecture .* without weights\n *next: .*model_from_json": [
        "check",
        "net.json",
        "--data",
        "x.npz",
    ],
    "notes.txt is no model that is read": ["check", "notes.txt", "--bits", "8"],
    r"net.PTH is a model of PyTorch": ["check", "net.PTH"],
    r"saved.saved_model.pb is a SavedModel, which has lost": ["run", "saved"],
    "needs samples to be checked with": ["run", "model.h5"],
    r"the data file \S*gone.npz does not exist": ["run", "model.h5", "--data", "gone.npz"],
    "lie on no fixed-point grid": ["run", "model.h5", "--data", "thirds.npz"],
    "there is no model file gone.h5": ["run", "gone.h5", "--data", "x.npz"],
    "--reuse-factor 4,x is no list": ["run", "mine", "--reuse-factor", "4,x"],
    "--reuse-factor 0: a reuse factor is 1 or more": ["run", "mine", "--reuse-factor", "0"],
    "--data goes with a model file": ["run", "mine", "--data", "x.npz"],
    "--prefix goes with a model file": ["run", "mine", "--prefix", "jets_"],
    "--allow-lambda goes with a model file": ["check", "mine", "--allow-lambda"],
    "is there already": ["new", "mine"],
    "'My Net' is no project name": ["new", "My Net"],
}


@pytest.mark.parametrize("message", MISTAKES)
def test_a_mistake_is_one_message_with_what_to_do_next(
    message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    np.savez("x.npz", x=np.zeros((3, 4)))
    np.savez("thirds.npz", x=np.ones((3, 4)) / 3)
    for name in ("model.h5", "net.json", "notes.txt", "net.PTH", "saved/saved_model.pb"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_bytes(b"any")
    assert main(["new", "mine"]) == 0
    code, text = said(capsys, *MISTAKES[message])
    assert code == 2
    text = text.split("hlsflow run mine\n")[-1]
    assert text.startswith("hlsflow: ")
    assert re.search(message, text), text
    assert "next: " in text


def test_new_makes_a_project_that_loads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, text = said(capsys, "new", tmp_path / "mine")
    assert code == 0
    assert f"now run: hlsflow run {tmp_path / 'mine'}" in text
    assert load(tmp_path / "mine").name == "mine"


def test_doctor_tells_what_is_here(capsys: pytest.CaptureFixture[str]) -> None:
    code, text = said(capsys, "doctor")
    assert code == 0
    assert [word for word in ("Yosys", "Verilator", "hls4ml", "Vitis") if word not in text] == []


def test_the_command_is_installed_and_starts_without_tensorflow() -> None:
    code = "import sys, hlsflow.__main__, hlsflow.pipeline.run; sys.exit('tensorflow' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
    command = Path(sys.executable).with_name("hlsflow")
    run = subprocess.run([command, "--version"], capture_output=True, text=True, check=True)
    assert run.stdout == f"hlsflow {__version__}\n"


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["rn", "mine"], "run"),
        (["cache", "shw"], "show"),
        (["run", "mine", "--reuse-fcator", "3"], "--reuse-factor"),
        (["explore", "mine", "--minimise=lut"], "--minimize"),
        (["run", "mine", "--io-type", "io_strem"], "io_stream"),
    ],
)
def test_a_mistyped_word_gets_a_suggestion(words: list[str], meant: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert capsys.readouterr().err.rstrip().endswith(f"; did you mean {meant}?")


@pytest.mark.parametrize("word", ["", " ", "="])
def test_a_word_of_no_letters_gets_none(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["run", "mine", word])
    assert ended.value.code == 2
    assert capsys.readouterr().err.rstrip().endswith(f"unrecognized arguments: {word}".rstrip())


def test_json_is_all_that_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["doctor", "--json"], ["cache", "show", "--json", "--cache", str(tmp_path / "none")]):
        code = main(words)
        captured = capsys.readouterr().out
        assert json.loads(captured)["schema"] == 1 if code == 0 else captured == ""
    assert main(["doctor", "--json", "-q"]) == 0
    checks = json.loads(capsys.readouterr().out)["checks"]
    assert "Yosys" in [check["name"] for check in checks]
