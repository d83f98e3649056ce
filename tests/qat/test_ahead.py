"""Knobs that cannot be are refused before the training that they would be found after."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from hlsflow.__main__ import main
from hlsflow.core.errors import ProjectError
from hlsflow.core.progress import Progress
from hlsflow.project import Project
from hlsflow.qat import train, train_from_float
from tests.qat.compress.test_from_float import NAMED, TABLE
from tests.qat.qat_project import MODEL, TOML, project_of

NESTED = MODEL.replace(
    'QDense(8, kernel_quantizer=grid, bias_quantizer=grid, name="fc1"),',
    'Sequential([QDense(8, kernel_quantizer=grid, bias_quantizer=grid, name="fc1", input_shape=(64,))], name="block"),',
)


def project(folder: Path, knobs: str, model: str = MODEL) -> Project:
    return project_of(folder, TOML.format(epochs=200) + knobs, model)


@pytest.mark.parametrize("model", [MODEL, NESTED])
@pytest.mark.parametrize(
    ("knobs", "message", "hint"),
    [
        ("layers.fc9 = { reuse_factor = 4 }", "the model has no layer 'fc9'", "fc1"),
        ("layers.fc9 = { precision.result = 'fixed<8,3>' }", "the model has no layer 'fc9'", "logits"),
        (
            "layers.fc1 = { strategy = 'resource', reuse_factor = 48 }",
            "layer 'fc1' (64 x 8, strategy resource): hls4ml cannot build reuse factor 48",
            "set knobs.layers.fc1.reuse_factor to 32 or 64",
        ),
        (
            "layers.fc1 = { reuse_factor = 513 }",
            "layer 'fc1' (64 x 8, strategy latency): hls4ml cannot build reuse factor 513",
            "set knobs.layers.fc1.reuse_factor to 512",
        ),
    ],
)
def test_wrong_knobs_are_refused_before_the_first_epoch(
    tmp_path: Path, model: str, knobs: str, message: str, hint: str
) -> None:
    said = io.StringIO()
    with pytest.raises(ProjectError) as error:
        train(project(tmp_path / "project", knobs, model), tmp_path / "out", Progress(said))
    assert message in error.value.message
    assert hint in error.value.hint
    assert not (tmp_path / "out").exists()
    assert said.getvalue() == ""


def test_a_float_network_is_asked_before_it_is_trained(tmp_path: Path) -> None:
    text = TOML.format(epochs=200).replace('quantized = "quantized"\n', "")
    text += "layers.logits = { strategy = 'resource', reuse_factor = 3 }\n" + TABLE
    with pytest.raises(ProjectError, match=r"layer 'logits' \(8 x 10, strategy resource\)"):
        train_from_float(project_of(tmp_path / "project", text, NAMED), tmp_path / "out", Progress(io.StringIO()))
    assert not (tmp_path / "out" / "checkpoints").exists()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[knobs]", '[target]\npart = "nonsense"\n[knobs]', "backend vitis builds for parts of AMD"),
        ("[knobs]", '[target]\nbackend = "vivado"\npart = "LFE5U-45F-6BG381C"\n[knobs]', "builds for parts of AMD"),
        ("[knobs]", '[target]\nroute_part = "LFE5U-35F-6BG381C"\n[knobs]', "there is no LFE5U-35F"),
        ("[knobs]", '[target]\nroute_part = "LFE5U-25F-6BG756C"\n[knobs]', "no LFE5U-25F comes in BG756"),
        ("reuse_factor = 4", "reuse_factor = 0", "reuse_factor"),
        ("reuse_factor = 4", "reuse_factor = 4\n[sweep]\nreuse_factor = [-1]", "sweep.reuse_factor"),
    ],
)
def test_wrong_parts_and_factors_are_refused_before_the_first_step(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, said: str
) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "project.toml").write_text(TOML.format(epochs=200).replace(old, new))
    (folder / "model.py").write_text(MODEL)
    for command in ("run", "check", "explore"):
        assert main([command, str(folder), "--build", str(tmp_path / "build")]) == 2
        assert said in capsys.readouterr().err
    assert not (tmp_path / "build").exists()
