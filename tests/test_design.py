"""The face: what a script or notebook gets from a project folder, a model file and a model at hand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hlsflow
from hlsflow.core.progress import Progress
from hlsflow.design import COLUMNS
from tests.hls.networks import INPUT, act, dense, network, samples
from tests.pipeline.test_pipeline import PROJECT, make_project

SMALL = (
    PROJECT.replace('route_part = "LFE5U-25F-6BG256C"\n', "").replace("epochs = 6", "epochs = 2")
    + '[explore]\nmultiplier = ["dsp"]\n'
)
TYPE = str(INPUT)


@pytest.fixture(scope="module")
def tiny() -> Any:
    """8-4-3, random weights."""
    from qkeras import quantized_relu

    return network(dense(4, "fc1"), act(quantized_relu(4, 2), "relu1"), dense(3, "logits"))


@pytest.fixture(scope="module")
def x() -> Any:
    return samples(60)


@pytest.fixture(scope="module")
def design(tmp_path_factory: pytest.TempPathFactory) -> hlsflow.Design:
    folder = tmp_path_factory.mktemp("face")
    with (folder / "log").open("w") as log:
        yield hlsflow.load(make_project(folder / "tiny", SMALL), build=folder / "build", progress=Progress(log))


def test_a_project_is_run_and_its_figures_are_one_table(design: hlsflow.Design) -> None:
    runs = design.run(reuse_factor=[32, 64])
    table = runs.table()
    assert tuple(table.columns) == COLUMNS
    found = table.set_index(["point", "figure", "stage"])["value"]
    assert found["R32", "ii", "simulated"] == 32
    assert found["R64", "ii", "simulated"] == 64
    assert set(table[table.figure == "lut"].unit) == {"LUT"}
    assert (runs.folder / "report.html").is_file()
    assert "R64" in str(runs)
    assert "srcdoc=" in runs._repr_html_()


def test_a_gate_that_passed_shows_what_was_compared(design: hlsflow.Design) -> None:
    check = design.check()
    assert check.gate.passed
    assert str(check).startswith(str(check.gate))
    assert "verdict: bit-exact to the file" in str(check)
    assert "csim" in check._repr_html_()
    assert set(check.table().figure) == {"accuracy"}


def test_points_of_an_exploration_are_designs_again(design: hlsflow.Design) -> None:
    front = design.explore(minimize="lut", limits={"latency_cycles": 400}, confirm=0)
    assert len(front) == 1
    row = front.table().iloc[0]
    assert row.latency_cycles <= 400
    assert front[1].project.name == "tiny_point1"
    assert [one.project.name for one in front] == ["tiny_point1"]
    with pytest.raises(IndexError, match="there are 1 to 1"):
        front[2]
    assert "srcdoc=" in front._repr_html_()


def test_a_model_at_hand_is_checked_like_its_file(tiny: Any, x: Any, tmp_path: Path) -> None:
    live = hlsflow.load(tiny, data=(x, np.zeros(len(x), int)), input_precision=TYPE, build=tmp_path)
    again = hlsflow.load(tiny, data=(x, np.zeros(len(x), int)), input_precision=TYPE, build=tmp_path)
    assert live.project == again.project  # equal bytes find the same finished work
    tiny.save(tmp_path / "tiny.h5")
    np.savez(tmp_path / "x.npz", x=x)
    file = hlsflow.load(tmp_path / "tiny.h5", data=tmp_path / "x.npz", input_precision=TYPE, build=tmp_path)
    assert file.check().gate.passed
    assert file.project.reuse_factors == (16, 64)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"source": "nowhere.h5", "data": "x.npz"}, "no model file nowhere.h5"),
        ({"source": 3, "data": "x.npz"}, "int is no model"),
        ({"source": "nowhere", "bits": 8}, "bits goes with a model"),
    ],
)
def test_wrong_arguments_say_what_is_wanted(arguments: dict[str, Any], said: str) -> None:
    source = arguments.pop("source")
    with pytest.raises(hlsflow.FlowError, match=said):
        hlsflow.load(source, **arguments)


def test_samples_must_have_an_axis_of_samples(tiny: Any, tmp_path: Path) -> None:
    with pytest.raises(hlsflow.FlowError, match=r"shape \(8,\)"):
        hlsflow.load(tiny, data=np.zeros(8), build=tmp_path)
    with pytest.raises(hlsflow.FlowError, match="needs samples"):
        hlsflow.load(tiny, build=tmp_path)


def test_importing_the_face_imports_no_tensorflow_and_names_what_it_has() -> None:
    code = "import sys, hlsflow; hlsflow.load; print({'tensorflow', 'pandas'} & set(sys.modules), sorted(dir(hlsflow)))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.startswith("set()")
    assert said.strip().endswith(str(sorted(hlsflow.__all__)))
    with pytest.raises(AttributeError, match="it has Check, Design"):
        hlsflow.desing  # noqa: B018
