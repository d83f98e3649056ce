"""Samples in CSV and Parquet tables: columns, classes, and what is said about unusable files."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pytest
from pyarrow import csv, parquet

from flows.errors import DataError, ProjectError
from flows.progress import Progress
from flows.project import Project
from flows.qat import load_data, train
from flows.qat.columns import read_table
from tests.qat.qat_project import TOML, project_of

COLUMNS = {"a": [0.5, 1.0, -1.5, 2.0], "kind": ["W", "top", "W", "gluon"], "b": [1, 2, 3, 4]}
MODEL = """
from qkeras import QDense, quantized_bits
from tf_keras import Sequential
from tf_keras.layers import Input


def quantized():
    return Sequential([Input((2,)), QDense(3, kernel_quantizer=quantized_bits(6, 0, alpha=1), name="logits")])
"""


@pytest.fixture(params=[".csv", ".parquet"])
def table(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return written(tmp_path / f"x{request.param}", COLUMNS)


def written(path: Path, columns: dict[str, Any]) -> Path:
    table = pyarrow.table(columns)
    if path.suffix == ".csv":
        csv.write_csv(table, path)
    else:
        parquet.write_table(table, path)
    return path


def test_texts_are_numbered_in_sorted_order(table: Path) -> None:
    arrays = read_table(table, "kind", ())
    np.testing.assert_array_equal(arrays["x"], [[0.5, 1], [1, 2], [-1.5, 3], [2, 4]])
    assert (list(arrays["labels"]), list(arrays["y"])) == (["W", "gluon", "top"], [0, 2, 0, 1])


def test_features_are_taken_in_the_order_asked_for(table: Path) -> None:
    np.testing.assert_array_equal(read_table(table, "kind", ("b", "a"))["x"][0], [1, 0.5])
    arrays = read_table(table, "b", ("a",))
    assert (arrays["x"].shape, list(arrays["y"]), "labels" in arrays) == ((4, 1), [1, 2, 3, 4], False)


@pytest.mark.parametrize(
    ("label", "features", "message"),
    [
        (None, (), "has no columns named y or label or class; columns: a, kind, b"),
        ("c", (), "has no column 'c'; columns: a, kind, b"),
        ("b", (), "column 'kind' holds .*string values, no numbers; the first is 'W' in row 1"),
        ("kind", ("a", "c"), "has no feature column 'c'; columns: a, kind, b"),
        ("kind", ("kind",), "has no feature column 'kind'"),
    ],
)
def test_unusable_columns_are_refused(table: Path, label: str | None, features: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_table(table, label, features)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,y\n1,0\n,1\n", "column 'a' lacks 1 values, the first in row 2"),
        ("a,y\n1,p\n2,\n", "column 'y' has no class in row 2"),
        ("a,y\n1,0\n2,1,3\n", "x.csv is not a readable csv file: .*Row #3: Expected 2 columns, got 3"),
        ("a,y\n1,0\nx,1\n", "column 'a' holds string values, no numbers; the first is 'x' in row 2"),
        ("a,y\n1,0\ninf,1\n", "column 'a' is NaN or infinite in row 2"),
        ("a,y,label\n1,0,0\n", "has 2 columns named y or label or class"),
        ("a,a,y\n1,0,0\n", "has two columns of one name"),
        ("a,y\n", "has no rows"),
        ("", "is not a readable csv file"),
    ],
)
def test_unusable_csv_is_refused(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "x.csv").write_text(content)
    with pytest.raises(DataError, match=message):
        read_table(tmp_path / "x.csv", None, ())


def test_cut_off_and_missing_files_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "x.parquet", COLUMNS)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"x\.parquet is not a readable parquet file"):
        read_table(path, "kind", ())
    with pytest.raises(DataError, match="does not exist"):
        read_table(tmp_path / "z.csv", "kind", ())


def project(folder: Path, source: str) -> Project:
    text = TOML.format(epochs=1).replace('source = "digits"', source).replace('baseline = "baseline"\n', "")
    return project_of(folder, text.replace("scale = 0.0625\n", "").replace("ufixed<5,1>", "fixed<6,4>"), MODEL)


def test_a_project_trains_on_a_table_and_tells_its_classes(tmp_path: Path) -> None:
    written(tmp_path / "x.csv", {name: values * 20 for name, values in COLUMNS.items()})
    asked = project(tmp_path, 'source = "x.csv"\nlabel = "kind"')
    data = load_data(asked)
    assert (data.labels, data.shape, data.classes) == (("W", "gluon", "top"), (2,), 3)
    log = io.StringIO()
    train(asked, tmp_path / "out", Progress(log))
    assert "classes: 0 W, 1 gluon, 2 top" in log.getvalue()


def test_columns_of_what_is_no_table_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="name columns of a table, but source 'digits' is none"):
        project(tmp_path, 'source = "digits"\nlabel = "y"')
