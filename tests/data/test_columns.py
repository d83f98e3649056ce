"""Samples from CSV and Parquet files, and what is said of files that cannot be used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pytest
from pyarrow import parquet

from hlsflow.core.errors import DataError, ProjectError
from hlsflow.data import load_data, natural_grid
from hlsflow.data.columns import read_columns
from hlsflow.ir import Fixed
from tests.qat.qat_project import MODEL, TOML, project_of

ROWS = "width,species,height\n1.5,oak,2\n0.25,ash,3\n1,oak,4\n"


def written(folder: Path, text: str) -> Path:
    file = folder / "trees.csv"
    file.write_text(text)
    return file


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_rows_are_samples(ending: str, tmp_path: Path) -> None:
    file = written(tmp_path, ROWS)
    if ending == ".parquet":
        columns = {"width": [1.5, 0.25, 1.0], "species": ["oak", "ash", "oak"], "height": [2, 3, 4]}
        file = tmp_path / "trees.parquet"
        parquet.write_table(pyarrow.table(columns), file)
    found = read_columns(file, "species", ())
    np.testing.assert_array_equal(found["x"], [[1.5, 2], [0.25, 3], [1, 4]])
    np.testing.assert_array_equal(found["y"], [1, 0, 1])
    assert list(found["labels"]) == ["ash", "oak"]
    np.testing.assert_array_equal(read_columns(file, "height", ["width"])["y"], [2, 3, 4])
    assert set(read_columns(file, None, ["height", "width"])) == {"x", "features"}
    assert list(found["features"]) == ["width", "height"]
    np.testing.assert_array_equal(read_columns(file, None, ["height", "width"])["x"][0], [2, 1.5])


def test_a_project_trains_on_a_table(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    values = np.column_stack([rng.integers(0, 32, (300, 64)) / 16, np.arange(300) % 10]).astype(object)
    values[:, 64] = [f"class {int(number)}" for number in values[:, 64]]
    head = ",".join([*(f"f{number}" for number in range(64)), "class"])
    np.savetxt(tmp_path / "digits.csv", values, delimiter=",", header=head, comments="", fmt="%s")
    text = TOML.format(epochs=1).replace('source = "digits"', 'source = "digits.csv"').replace("scale = 0.0625\n", "")
    data = load_data(project_of(tmp_path, text.replace("test = 0.2", "test = 0.5"), MODEL))
    assert (data.shape, data.classes, len(data.x_test)) == ((64,), 10, 150)
    assert data.labels == tuple(f"class {number}" for number in range(10))
    assert natural_grid(read_columns(tmp_path / "digits.csv", None, ())["x"], "digits.csv") == Fixed.parse(
        "ufixed<5,1>"
    )


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        (ROWS, {"label": "specie"}, "no column 'specie'; did you mean species"),
        (ROWS, {"features": ["widht"]}, "no column 'widht'; did you mean width"),
        (ROWS, {}, "column 'species' holds string, not numbers"),
        ("a,b,y\n1,2,0\n3,,1\n", {}, "column 'b' has 1 empty places, the first in row 2"),
        ("a,b,y\n1,2,0\n3,4\n", {}, "not a readable csv file"),
        ("a,a,y\n1,2,0\n", {}, "more than one column 'a'"),
        ("a,y\n", {}, "has 0 rows of 1 features"),
        ("", {}, "not a readable csv file"),
    ],
)
def test_what_cannot_be_used_is_named(text: str, options: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=said):
        read_columns(written(tmp_path, text), options.get("label"), options.get("features", ()))


def test_a_parquet_file_cut_short_or_missing_is_one_error(tmp_path: Path) -> None:
    file = tmp_path / "trees.parquet"
    with pytest.raises(DataError, match="does not exist"):
        read_columns(file, None, ())
    parquet.write_table(pyarrow.table({"a": [1, 2], "y": [0, 1]}), file)
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(DataError, match="not a readable parquet file"):
        read_columns(file, None, ())


def test_columns_go_with_tables(tmp_path: Path) -> None:
    text = TOML.format(epochs=1).replace('source = "digits"', 'source = "digits"\nlabel = "y"')
    with pytest.raises(ProjectError, match=r"columns of \.csv and \.parquet files, not of 'digits'"):
        project_of(tmp_path, text, MODEL)
