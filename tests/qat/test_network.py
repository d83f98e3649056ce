"""What the key of a training holds: all that building the network has read, and the network itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import hlsflow
from hlsflow.keras import keras2
from hlsflow.pipeline.run import run
from hlsflow.pipeline.software import train
from hlsflow.project import Project
from hlsflow.qat.network import network_digest, network_key
from tests.qat.qat_project import MODEL, TOML, project_of

ONE_MODEL = TOML.format(epochs=1).replace('baseline = "baseline"\n', "")

BESIDE = """
import os, sys
from pathlib import Path

HERE = Path(__file__).parent
(HERE / ".built").open("a").write("x")
sys.path.insert(0, str(HERE))
{reading}
from tf_keras import Sequential
from tf_keras.layers import Dense, Input

def quantized():
    return Sequential([Input((64,)), Dense({width}, name="fc1"), Dense(10, name="logits")])
"""
"""Notes in a hidden file how often it was executed."""


def project_reading(folder: Path, reading: str, width: str = "WIDTH") -> Project:
    return project_of(folder / "p", ONE_MODEL, BESIDE.format(reading=reading, width=width))


def times_built(project: Project) -> int:
    return len((project.folder / ".built").read_text())


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def beside(file: str, text: str) -> Callable[[Path, int], None]:
    """Writes a file of the project that says the width."""
    return lambda folder, width: write(folder / file, text.format(width))


def archive(folder: Path, width: int) -> None:
    np.savez(folder / "shape.npz", width=width)


def weights_elsewhere(folder: Path, width: int) -> None:
    with h5py.File(folder.parent / "trained.h5", "w") as file:
        file["kernel"] = np.zeros((64, width))


KINDS: dict[str, tuple[str, Callable[[Path, int], None]]] = {
    "module": ("from blocks import WIDTH", beside("blocks.py", "WIDTH = {}")),
    "package": ("from nets.sizes import WIDTH", beside("nets/sizes.py", "WIDTH = {}")),
    "two levels deep": ("from outer import WIDTH", beside("inner.py", "WIDTH = {}")),
    "json": ('import json; WIDTH = json.loads((HERE / "w.json").read_text())["w"]', beside("w.json", '{{"w": {}}}')),
    "npz": ('import numpy; WIDTH = int(numpy.load(HERE / "shape.npz")["width"])', archive),
    "elsewhere": ("sys.path.append(str(HERE.parent)); from common import WIDTH", beside("../common.py", "WIDTH = {}")),
    "text elsewhere": ('WIDTH = int((HERE.parent / "w.txt").read_text())', beside("../w.txt", "{}")),
    "hdf5 elsewhere": (
        'import h5py; WIDTH = h5py.File(HERE.parent / "trained.h5")["kernel"].shape[1]',
        weights_elsewhere,
    ),
    "names": ('WIDTH = int(next(HERE.parent.glob("*.size")).stem)', lambda folder, width: named(folder, width)),
}


def named(folder: Path, width: int) -> None:
    for old in folder.parent.glob("*.size"):
        old.unlink()
    write(folder.parent / f"{width}.size", "")


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_the_code_of_a_model_reads_is_in_the_key(tmp_path: Path, kind: str) -> None:
    reading, write_width = KINDS[kind]
    project, records = project_reading(tmp_path, reading), tmp_path / "records"
    write(project.folder / "outer.py", "from inner import WIDTH")
    write(project.folder / "nets" / "__init__.py", "")
    keys = []
    for width in (16, 24, 24, 16):
        write_width(project.folder, width)
        keys.append(network_key(project, records))
    assert keys[0] != keys[1] == keys[2]
    assert keys[0] == keys[3]


def test_the_key_is_the_same_however_hlsflow_is_started(tmp_path: Path) -> None:
    """`python -m hlsflow` has a module of the package at the bottom of its stack, `hlsflow` a script elsewhere."""
    project = project_reading(tmp_path, "from blocks import WIDTH")
    write(project.folder / "blocks.py", "WIDTH = 16")
    names: dict[str, Any] = {"ask": network_key, "project": project, "records": tmp_path / "of_the_module"}
    exec(compile("made = ask(project, records)", str(Path(hlsflow.__file__).with_name("__main__.py")), "exec"), names)
    assert names["made"] == network_key(project, tmp_path / "of_the_script")
    assert set(names["made"]["read"]) == {"model.py", "blocks.py"}


def test_nothing_is_built_where_nothing_has_changed(tmp_path: Path) -> None:
    """Without TensorFlow, whose import takes seconds."""
    project = project_reading(tmp_path, "from blocks import WIDTH")
    write(project.folder / "blocks.py", "WIDTH = 16")
    key = network_key(project, tmp_path / "records")
    code = "import sys; from pathlib import Path; from hlsflow.project import load; from hlsflow.qat.network import \
            network_key; print(network_key(load(Path(sys.argv[1])), Path(sys.argv[2])), 'tensorflow' in sys.modules)"
    arguments = [str(project.folder), str(tmp_path / "records")]
    said = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True).stdout
    assert said == f"{key} False\n"
    assert times_built(project) == 1
    assert list(key["read"]) == ["blocks.py", "model.py"]


def test_a_file_that_no_code_reads_is_not_in_the_key(tmp_path: Path) -> None:
    """TensorFlow could have read it, so the network is built again; it is the same one."""
    project = project_reading(tmp_path, "", "16")
    first = network_key(project, tmp_path / "records")
    write(project.folder / "notes.txt", "other")
    assert network_key(project, tmp_path / "records") == first
    assert network_key(project, tmp_path / "records") == first
    assert times_built(project) == 2


@pytest.mark.parametrize(
    "place", ["__pycache__/x.cpython-311.pyc", ".git/index", "build/tiny/report.md", "project.toml"]
)
def test_results_and_hidden_files_let_nothing_be_built(tmp_path: Path, place: str) -> None:
    project = project_reading(tmp_path, "", "16")
    for text in ("1", "2"):
        write(project.folder / place, text)
        network_key(project, tmp_path / "records", [project.folder / "build"])
    assert times_built(project) == 1


def test_a_file_with_the_size_and_time_of_the_one_before_is_read_anew(tmp_path: Path) -> None:
    project = project_reading(tmp_path, "from blocks import WIDTH")
    keys, compiling = [], os.environ | {"PYTHONDONTWRITEBYTECODE": ""}
    for width in (16, 24):
        write(project.folder / "blocks.py", f"WIDTH = {width}")
        os.utime(project.folder / "blocks.py", (1, 1))
        subprocess.run([sys.executable, "-c", "import blocks"], cwd=project.folder, env=compiling, check=True)
        keys.append(network_key(project, tmp_path / "records"))
    assert list((project.folder / "__pycache__").glob("blocks.*.pyc"))
    assert keys[0]["networks"] != keys[1]["networks"]


def test_what_a_link_points_at_counts(tmp_path: Path) -> None:
    project = project_reading(tmp_path, 'WIDTH = int((HERE / "w.txt").read_text())')
    (project.folder / "w.txt").symlink_to(tmp_path / "real.txt")
    keys = []
    for width in ("16", "24"):
        write(tmp_path / "real.txt", width)
        keys.append(network_key(project, tmp_path / "records"))
    assert keys[0]["read"]["w.txt"] != keys[1]["read"]["w.txt"]


def test_a_variable_that_the_code_asks_for_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = project_reading(tmp_path, 'WIDTH = int(os.environ.get("NET_WIDTH", "16"))')
    keys: list[Any] = [network_key(project, tmp_path / "records")]
    for width in ("24", "16"):
        monkeypatch.setenv("NET_WIDTH", width)
        monkeypatch.setenv("UNRELATED", width)
        keys.append(network_key(project, tmp_path / "records"))
    assert keys[0] != keys[1]
    assert keys[0] == keys[2]  # the same network, whatever says so
    monkeypatch.setenv("UNRELATED", "")
    network_key(project, tmp_path / "records")
    assert times_built(project) == 3


def test_two_projects_with_helpers_of_one_name(tmp_path: Path) -> None:
    found = []
    for width in (16, 24, 16):
        project = project_reading(tmp_path / str(width), "from blocks import WIDTH")
        write(project.folder / "blocks.py", f"WIDTH = {width}")
        before = list(sys.path)
        found.append(network_key(project, tmp_path / "records")["networks"])
        assert (sys.path, "blocks" in sys.modules) == (before, False)
    assert found[0] != found[1]
    assert found[0] == found[2]


def test_a_damaged_record_is_made_again(tmp_path: Path) -> None:
    project = project_reading(tmp_path, "", "16")
    key = network_key(project, tmp_path / "records")
    (record,) = (tmp_path / "records").iterdir()
    for text in ("", "[]", '{"state": {}}', json.dumps({"state": {"files": 3}, "key": {}})):
        record.write_text(text)
        assert network_key(project, tmp_path / "records") == key
    assert times_built(project) == 5


def test_arguments_seed_and_keras_settings_make_another_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """keras.json is taken up when Keras is imported: here it only has to build again."""
    project = project_reading(tmp_path, "", "16")
    assert project.training is not None
    network_key(project, tmp_path / "records")
    other = project.model_copy(update={"training": project.training.model_copy(update={"seed": 4})})
    assert network_key(project, tmp_path / "records") != network_key(other, tmp_path / "records")
    write(tmp_path / "keras" / "keras.json", '{"floatx": "float64"}')
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    network_key(project, tmp_path / "records")
    assert times_built(project) == 3


def test_the_digest_of_a_network_is_that_of_its_configuration_and_weights() -> None:
    from tf_keras import Sequential
    from tf_keras.layers import Dense, Input

    def made(activation: str) -> Any:
        keras2.number_anew()
        return Sequential([Input((3,)), Dense(2, activation, kernel_initializer="ones", name="d")], name="m")

    one = made("relu")
    assert network_digest(one) == network_digest(made("relu")) != network_digest(made("tanh"))
    before = network_digest(one)
    one.set_weights([weights + 1 for weights in one.get_weights()])
    assert network_digest(one) != before


def test_samples_count_by_their_content_also_behind_a_link(tmp_path: Path) -> None:
    """A file in the place of another, of the same size and time, trains again; the same samples elsewhere do not."""
    rng = np.random.default_rng(0)
    text = ONE_MODEL.replace('source = "digits"', 'source = "samples.npz"')
    project = project_of(tmp_path / "p", text, MODEL)
    real, seen = tmp_path / "real.npz", []
    (project.folder / "samples.npz").symlink_to(real)
    contents = [{"x": rng.integers(0, 17, (200, 64)), "y": np.arange(200) % 10} for _ in range(2)]
    for content in (*contents, contents[0]):
        np.savez(real, allow_pickle=False, **content)
        os.utime(real, (1, 1))
        trained = run(project, tmp_path / "build", (train,)).trained
        assert trained is not None
        seen.append((trained.folder, trained.reused))
    assert (seen[0][1], seen[1][1], seen[2]) == (False, False, (seen[0][0], True))
    assert len({folder for folder, _ in seen}) == 2


def test_a_changed_helper_trains_again_and_other_files_do_not(tmp_path: Path) -> None:
    """The step of the pipeline; weights are those of the width asked for."""
    model = "import sys; from pathlib import Path; sys.path.insert(0, str(Path(__file__).parent))\n"
    model += "from blocks import WIDTH\n" + MODEL.replace("QDense(8", "QDense(WIDTH")
    project = project_of(tmp_path / "p", ONE_MODEL, model)
    seen = []
    for width, note in ((8, ""), (8, "other"), (12, "other")):
        write(project.folder / "blocks.py", f"WIDTH = {width}")
        write(project.folder / "notes.txt", note)
        trained = run(project, tmp_path / "build", (train,)).trained
        assert trained is not None
        with h5py.File(trained.folder / "qat.h5") as file:
            seen.append((trained.reused, file["model_weights/fc1/fc1/kernel:0"].shape))
    assert seen == [(False, (64, 8)), (True, (64, 8)), (False, (64, 12))]
