"""Standardized samples: by whose mean and deviation, of which columns, and when they look wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hlsflow.core.errors import DataError, ProjectError
from hlsflow.data import load_data
from hlsflow.data.data import real_samples
from hlsflow.data.grid import proposed_grid
from hlsflow.data.standard import Standard, doubt
from hlsflow.project import Project, for_model

TEST = "mass,kind,length\n1,oak,100\n2,ash,300\n4,ash,200\n5,oak,600\n"
TRAINING = "length,mass,kind\n0,1,ash\n200,3,oak\n400,5,oak\n"
"""Mean and population deviation: length 200, sqrt(80000 / 3); mass 3, sqrt(8 / 3)."""


def project_of(
    folder: Path, standardize: Any, precision: str = "fixed<20,8,RND,SAT>", data: str = "test.csv"
) -> Project:
    (folder / "model.h5").write_bytes(b"any")
    (folder / "test.csv").write_text(TEST)
    (folder / "training.csv").write_text(TRAINING)
    tables = {"data": {"label": "kind" if data.endswith("csv") else None, "standardize": standardize}}
    tables["data"] = {key: value for key, value in tables["data"].items() if value is not None}
    return for_model(folder / "model.h5", folder / data, precision, tables=tables)


def test_deviation_is_one_and_constants_stay() -> None:
    x = np.array([[1.0, 5.0, 2.0], [3.0, 5.0, 4.0], [5.0, 5.0, 12.0]])
    moved = Standard.of(x)(x)
    assert moved.mean(0) == pytest.approx([0, 0, 0], abs=1e-12)
    assert moved.std(0) == pytest.approx([1, 0, 1])


def test_the_samples_of_a_trained_model_are_standardized_by_themselves_and_told_so(tmp_path: Path) -> None:
    data = load_data(project_of(tmp_path, True))
    mass = np.array([1, 2, 4, 5])
    np.testing.assert_allclose(data.x_test[:, 0], (mass - 3) / np.sqrt(2.5), atol=2**-12)
    np.testing.assert_allclose(data.x_test.std(0), [1, 1], atol=1e-3)
    assert data.standard is not None
    assert data.standard["by"].startswith("the 4 samples of test.csv that are judged; if the network was trained on")
    assert load_data(project_of(tmp_path, False, "fixed<20,12>")).standard is None


def test_another_table_gives_mean_and_deviation_of_columns_by_their_names(tmp_path: Path) -> None:
    data = load_data(project_of(tmp_path, "training.csv"))
    expected = [[(mass - 3) / np.sqrt(8 / 3), (length - 200) / np.sqrt(80000 / 3)] for mass, length in MASSES]
    np.testing.assert_allclose(data.x_test, expected, atol=2**-12)
    assert data.standard == {
        "by": "the 3 samples of training.csv",
        "features": ["mass", "length"],
        "mean": [3, 200],
        "deviation": [pytest.approx(np.sqrt(8 / 3)), pytest.approx(np.sqrt(80000 / 3))],
    }


MASSES = ((1, 100), (2, 300), (4, 200), (5, 600))


def test_arrays_are_standardized_by_the_training_samples_of_another_file(tmp_path: Path) -> None:
    raw = np.random.default_rng(0).normal(3, 2, (40, 2))
    np.savez(tmp_path / "x.npz", x=raw[:10], features=np.zeros(3))  # an array that only bears the name
    np.savez(tmp_path / "training.npz", x_train=raw, x_test=raw * 100)
    moved = real_samples(project_of(tmp_path, "training.npz", data="x.npz"))
    np.testing.assert_allclose(moved, (raw[:10] - raw.mean(0)) / raw.std(0))


def test_an_input_type_is_proposed_for_standardized_samples(tmp_path: Path) -> None:
    """Lengths up to 600 would take 10 integer bits; standardized they end at 2.4, and 16 steps in 1 are 2^-4."""
    proposal = proposed_grid(real_samples(project_of(tmp_path, "training.csv")))
    assert str(proposal.kind) == "fixed<8,3,RND,SAT>"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("training.csv", "mass,kind\n1,ash\n2,oak\n", "no column 'length'"),
        ("absent.csv", None, "there is no file .*absent.csv to learn mean and deviation from"),
        ("training.csv", "length,mass\n1,\n2,3\n", "column 'mass' has 1 empty places"),
    ],
)
def test_a_file_that_does_not_serve_is_named(tmp_path: Path, name: str, text: str | None, said: str) -> None:
    project = project_of(tmp_path, name)
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=said):
        load_data(project)


def test_samples_of_another_shape_do_not_serve(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", x=np.zeros((4, 3)))
    with pytest.raises(DataError, match=r"shape \(3,\) to learn mean and deviation from, .* have \(2,\)"):
        load_data(project_of(tmp_path, "other.npz"))
    np.savez(tmp_path / "other.npz", samples=np.zeros((4, 2)))
    with pytest.raises(DataError, match=r"has no array x_train or x to learn .*; it has: samples"):
        load_data(project_of(tmp_path, "other.npz"))


def test_what_is_no_file_of_samples_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"standardize is 'model.h5': give true, or a file of samples \(.csv"):
        project_of(tmp_path, "model.h5")


CLASSES = np.array([0, 0, 0, 1, 1])
RAW, EVEN = (
    np.array([[1, 100], [2, 300], [3, 500], [4, 100], [5, 200]]),
    np.array([[1, 2], [2, 1], [3, 5], [4, 4], [5, 1]]),
)


def test_a_poor_model_on_raw_columns_is_doubted() -> None:
    """The most frequent class has 0.6 of the samples, so accuracy is poor up to 0.8."""
    said = doubt(RAW, CLASSES, 0.8, standardized=False)
    assert said is not None
    assert "accuracy 0.8000 is poor (always naming the most frequent class: 0.6000)" in said
    assert "--standardize-by FILE" in said
    assert doubt(RAW, CLASSES, 0.81, standardized=False) is None
    assert doubt(EVEN, CLASSES, 0.2, standardized=False) is None  # nothing is wrong about the samples
    assert doubt(np.ones((5, 2)), CLASSES, 0.2, standardized=False) is None


def test_a_poor_model_on_standardized_columns_is_doubted_the_other_way() -> None:
    said = doubt(EVEN, CLASSES, 0.4, standardized=True)
    assert said is not None
    assert "begins with a Normalization layer, leave out --standardize" in said
