"""Named data sets and stand-ins for missing files."""

from __future__ import annotations

import socket
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hlsflow.core.errors import DataError
from hlsflow.data import load_data
from hlsflow.data.sources import SETS, read_file, read_source
from hlsflow.project import Project, for_model
from tests.qat.qat_project import small_project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return small_project(tmp_path, 1)


def with_source(project: Project, **changes: Any) -> Project:
    return project.model_copy(update={"data": project.data.model_copy(update=changes)})


def test_a_fallback_stands_in_for_a_missing_file_alone(project: Project) -> None:
    asked = with_source(project, source="x.npz", fallback="digits")
    assert (asked.data_path, asked.data_name, load_data(asked).name) == (None, "digits", "digits")
    np.savez(project.folder / "x.npz", x=np.zeros((3, 2)), y=np.arange(3))
    assert (asked.data_path, asked.data_name) == (project.folder / "x.npz", "x.npz")
    assert read_source(asked)["x"].shape == (3, 2)


def test_a_missing_file_without_fallback_is_refused(project: Project) -> None:
    asked = with_source(project, source="x.npz")
    assert asked.data_name == "x.npz"
    with pytest.raises(DataError, match=r"x\.npz does not exist") as caught:
        load_data(asked)
    assert caught.value.hint == "correct data.source, or name a set in data.fallback"


@pytest.mark.parametrize("name", ["mnist", "cifar10"])
def test_without_cache_and_network_keras_sets_say_how_to_go_on(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(urllib.request, "_opener", None)  # it keeps the proxies of its first use
    monkeypatch.setenv("HOME", str(tmp_path))  # Keras' cache lies there
    with socket.socket() as closed:  # a port that refuses connections
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{closed.getsockname()[1]}")
        with pytest.raises(
            DataError, match=f"neither find the data set '{name}' in its cache nor download it"
        ) as caught:
            SETS[name]()
    assert "path of an .npz file" in caught.value.hint
    assert socket.getdefaulttimeout() is None


@pytest.mark.slow
@pytest.mark.parametrize(("name", "shape"), [("mnist", (28, 28)), ("cifar10", (32, 32, 3))])
def test_keras_sets_are_loaded_where_the_network_is(name: str, shape: tuple[int, ...]) -> None:
    try:
        arrays = SETS[name]()
    except DataError as error:
        pytest.skip(str(error))
    assert arrays["x_train"].shape[1:] == arrays["x_test"].shape[1:] == shape
    assert len(arrays["y_test"]) == 10000
    assert arrays["x_train"].max() == 255


def test_one_number_is_no_set_of_samples(tmp_path: Path) -> None:
    for arrays in ({"x": np.float64(1), "y": np.zeros(3)}, {"x": np.zeros((3, 4)), "y": np.int64(1)}):
        np.savez(tmp_path / "x.npz", **arrays)
        (tmp_path / "m.h5").write_bytes(b"any")
        with pytest.raises(DataError, match="is one number, no array"):
            load_data(for_model(tmp_path / "m.h5", tmp_path / "x.npz", "fixed<8,3>"))


def test_arrays_of_other_names_take_the_place_of_x_and_y(tmp_path: Path) -> None:
    """One-hot rows, float64 and splits are as good under any name; what is not there is told with what is."""
    x, y = np.linspace(0, 1, 12).reshape(4, 3), np.eye(3)[[0, 1, 2, 0]]
    np.savez(tmp_path / "whole.npz", events=x, truth=y)
    np.savez(tmp_path / "split.npz", X_train=x[:3], X_test=x[3:], Y_train=y[:3], Y_test=y[3:])
    found = read_file(tmp_path / "whole.npz", "truth", ("events",))
    assert (found["x"] == x).all()
    assert (found["y"] == y).all()
    parts = read_file(tmp_path / "split.npz", "Y", ("X",))
    assert (parts["x_test"] == x[3:]).all()
    assert (parts["y_train"] == y[:3]).all()
    with pytest.raises(DataError, match=r"whole.npz has no array label, nor label_test; it has: events, truth"):
        read_file(tmp_path / "whole.npz", "label", ("events",))
