"""The wheel, installed elsewhere, without the repository: a new project runs, and pytest has the fixture."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy
import pytest

from tests.hls.networks import dense, network, samples

REPOSITORY = Path(__file__).parents[1]
TEST = """
import numpy

import hlsflow


def test_csim_is_bit_exact(assert_bit_exact):
    assert "elsewhere" in hlsflow.__file__
    assert assert_bit_exact("model.h5", numpy.load("samples.npy"), input_precision="fixed<10,4>").passed
"""


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the wheel is installed, beside the dependencies that are there already."""
    folder = tmp_path_factory.mktemp("wheel") / "elsewhere"
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    wheels = folder.parent / "dist"
    subprocess.run([*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", wheels, REPOSITORY], check=True)
    (wheel,) = wheels.glob("hlsflow-*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--target", folder, wheel], check=True)
    return folder


def run(elsewhere: Path, folder: Path, *argv: str) -> str:
    done = subprocess.run(
        [sys.executable, *argv],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(elsewhere)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


CHANGES = {"epochs = 30": "epochs = 4", '["xc7", "xcup", "ecp5"]': '["xc7"]', 'route_part = "LFE5U-45F-6BG381C"': ""}
"""What is taken away of a new project, so that the test is short."""


def _features(rng: numpy.random.Generator, kinds: numpy.ndarray) -> tuple[numpy.ndarray, numpy.ndarray]:
    return kinds + rng.normal(size=len(kinds)) / 8, 100.0 * (kinds == 1) + rng.normal(size=len(kinds))


def test_a_new_project_runs_in_an_empty_folder(elsewhere: Path, tmp_path: Path) -> None:
    rng = numpy.random.default_rng(0)
    kinds = rng.integers(0, 3, 300)
    rows = [
        f"{low:.3f},{high:.3f},{'abc'[kind]}" for low, high, kind in zip(*_features(rng, kinds), kinds, strict=True)
    ]
    (tmp_path / "table.csv").write_text("\n".join(["low,high,kind", *rows]))
    said = run(elsewhere, tmp_path, "-m", "hlsflow", "new", "mine", "--data", "table.csv", "--label", "kind")
    assert "RMS error" in said
    file = tmp_path / "mine" / "project.toml"
    text = file.read_text()
    for old, new in CHANGES.items():
        assert old in text
        text = text.replace(old, new)
    file.write_text(text)
    run(elsewhere, tmp_path, "-m", "hlsflow", "run", "mine", "--reuse-factor", "64")
    report = json.loads((tmp_path / "build" / "mine" / "latest" / "report.json").read_text())
    assert report["gate"]["passed"]
    accuracy = [one["value"] for one in report["points"][0]["metrics"] if one["name"] == "accuracy"]
    assert min(accuracy) > 0.9  # the classes lie apart, so the table was read rightly
    assert [point["predicted"]["ii"] for point in report["points"]] == [64]


def test_pytest_has_the_fixture(elsewhere: Path, tmp_path: Path) -> None:
    network(dense(3, "fc1")).save(tmp_path / "model.h5")
    numpy.save(tmp_path / "samples.npy", samples(20))
    (tmp_path / "test_mine.py").write_text(TEST)
    assert "1 passed" in run(elsewhere, tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_mine.py")
