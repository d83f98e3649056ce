"""What lines of a vendor's log mean for the user."""

from __future__ import annotations

from pathlib import Path

import pytest

from hlsflow.core.errors import FlowError, StorageError, ToolFailed, ToolMissing
from hlsflow.toolchains.chain import Call, Step
from hlsflow.toolchains.process import Finished
from hlsflow.toolchains.verdict import Symptom, judge

CALL = Call(Step.SYNTH, ("tool",), {}, "tool.log", ("result",))


def verdict(folder: Path, text: str, code: int = 1, *symptoms: Symptom) -> FlowError:
    log = folder / "tool.log"
    log.write_text(f"$ tool\nINFO: starting\n{text}\nINFO: leaving\n")
    with pytest.raises(FlowError) as caught:
        judge(CALL, Finished(code, 1.0, text, log), folder, "Tool", symptoms)
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("ERROR: [Common 17-345] A valid license was not found for feature 'Synthesis' and/or device 'x'", "Synthesis"),
        ("ERROR: Failed to get the license for feature 'Implementation' and/or device 'xcku060'.", "Implementation"),
        ("ERROR: Failed to checkout license for 'vivado_hls'", "vivado_hls"),
        ("Licensed number of users already reached. (-4,342)", "already reached"),
        ("License server machine is down or not responding. (-96,7)", "server machine is down"),
        ("No such feature exists. (-5,357)", "No such feature"),
        ("Error: the license has expired", "expired"),
    ],
)
def test_a_licence_that_cannot_be_had_is_named(tmp_path: Path, line: str, says: str) -> None:
    error = verdict(tmp_path, line)
    assert isinstance(error, ToolMissing)
    assert says in error.message
    assert error.message.startswith("Tool synth: no licence")
    assert "--licences" in error.hint


def test_a_full_disk_comes_first(tmp_path: Path) -> None:
    error = verdict(tmp_path, "write failed: No space left on device\nERROR: the license has expired")
    assert isinstance(error, StorageError)


def test_the_toolchains_own_symptoms_are_more_telling(tmp_path: Path) -> None:
    own = Symptom(r"loop '(\w+)'", ToolFailed, "loop {1} is too long", "shorten it")
    error = verdict(tmp_path, "ERROR: loop 'Accum' cannot be unrolled\nlicense not found", 1, own)
    assert (error.message.split(";")[0], error.hint) == ("Tool synth: loop Accum is too long", "shorten it")


def test_without_a_symptom_the_exit_code_or_the_missing_file_is_told(tmp_path: Path) -> None:
    assert "Tool synth failed with exit code 3" in verdict(tmp_path, "ERROR: something else", 3).message
    assert "was killed by SIGABRT" in verdict(tmp_path, "assertion", -6).message
    assert "ended without an error, but left no result" in verdict(tmp_path, "all is well", 0).message
    (tmp_path / "result").mkdir()
    assert "left no result" in verdict(tmp_path, "an empty folder", 0).message


def test_success_is_silence_unless_a_symptom_is_fatal(tmp_path: Path) -> None:
    (tmp_path / "result").write_text("netlist")
    log = tmp_path / "tool.log"
    log.write_text("the license of another tool was not found, which does not matter\nROM lost\n")
    finished = Finished(0, 1.0, "", log)
    judge(CALL, finished, tmp_path, "Tool")
    with pytest.raises(ToolFailed, match="weights are gone"):
        judge(CALL, finished, tmp_path, "Tool", (), (Symptom("ROM lost", ToolFailed, "weights are gone", "look"),))
