"""Prepared samples are kept: the same bits, made once, and never a damaged or a half copy."""

from __future__ import annotations

import mmap
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv

from hlsflow.core.errors import DataError
from hlsflow.data import Dataset, load_data
from hlsflow.data.data import PARTS
from hlsflow.data.kept import COPIES, LARGE_BYTES, cached
from tests.qat.qat_project import MODEL, TOML, project_of

X = {"x": np.arange(12.0).reshape(4, 3), "none": np.zeros((0, 3)), "labels": np.array(["a", "bc"])}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HLSFLOW_DATA", str(tmp_path / "kept"))
    return tmp_path / "kept" / "prepared"


class Maker:
    """Makes arrays, and counts how often."""

    def __init__(self, arrays: Any = X) -> None:
        self.arrays, self.calls = arrays, 0

    def __call__(self) -> Any:
        self.calls += 1
        return self.arrays


def assert_same(found: Any, wanted: Any = X) -> None:
    assert set(found) == set(wanted)
    for name, array in found.items():
        np.testing.assert_array_equal(array, wanted[name])
        assert array.dtype == wanted[name].dtype


def copies(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir())


def test_arrays_are_made_once_for_each_key(folder: Path) -> None:
    make = Maker()
    for key in (1, 1, 2, 1):
        assert_same(cached({"key": key}, make, print))
    assert make.calls == len(copies(folder)) == 2


@pytest.mark.parametrize("damage", ["cut", "changed", "gone"])
def test_a_damaged_copy_is_made_again(damage: str, folder: Path) -> None:
    make, lines = Maker(), list[str]()
    cached({}, make, print)
    file = copies(folder)[0] / "x.npy"
    content = file.read_bytes()
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(content[:-8] if damage == "cut" else content[:-1] + b"?")
    assert_same(cached({}, make, lines.append))
    assert make.calls == 2
    assert lines == [f"{copies(folder)[0]} is damaged: this step is done again"]


def test_nothing_is_kept_of_what_fails(folder: Path) -> None:
    def fail() -> Any:
        raise DataError("no samples")

    for _ in range(2):
        with pytest.raises(DataError, match="no samples"):
            cached({}, fail, print)
    assert copies(folder) == []


def test_without_a_place_arrays_are_made_each_time(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("no folder")
    make = Maker()
    for _ in range(2):
        assert_same(cached({}, make, print))
    assert make.calls == 2


def test_a_copy_that_would_fill_the_disk_is_not_written(folder: Path) -> None:
    make = Maker({"x": np.broadcast_to(np.float32(1), 2**48)})  # a petabyte, of one value
    for _ in range(2):
        assert cached({}, make, print) == make.arrays
    assert make.calls == 2
    assert copies(folder) == []


def test_the_copies_used_last_stay(folder: Path) -> None:
    make = Maker()
    for key in range(COPIES):
        cached({"key": key}, make, print)
    cached({"key": 0}, make, print)
    cached({"key": COPIES}, make, print)
    assert len(copies(folder)) == COPIES
    assert make.calls == COPIES + 1
    cached({"key": 0}, make, print)
    assert make.calls == COPIES + 1
    cached({"key": 1}, make, print)
    assert make.calls == COPIES + 2


TWO = """
import time
import numpy as np
from hlsflow.data.kept import cached

def make():
    print("made", flush=True)
    time.sleep(1)
    return {"x": np.arange(5)}

print(cached({}, make, lambda text: None)["x"].sum())
"""


def test_two_at_once_make_one(folder: Path) -> None:
    both = [subprocess.Popen([sys.executable, "-c", TWO], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate()[0].split() for process in both]
    assert sorted(said) == [["10"], ["made", "10"]]
    assert len(copies(folder)) == 1


def write_table(file: Path, rows: int) -> None:
    """A table of 16 features as texts of some length, and classes."""
    rng = np.random.default_rng(rows)
    columns: dict[str, Any] = {f"f{number}": rng.normal(size=rows) for number in range(16)}
    columns["class"] = np.array(["low", "high"])[np.arange(rows) % 2]
    csv.write_csv(pa.table(columns), file)


def is_mapped(array: Any) -> bool:
    while array is not None and not isinstance(array, mmap.mmap):
        array = getattr(array, "base", None)
    return array is not None


def assert_equal(one: Dataset, other: Dataset) -> None:
    for name in PARTS:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
        assert getattr(one, name).dtype == getattr(other, name).dtype
    assert (one.name, one.labels, one.digest()) == (other.name, other.labels, other.digest())


def test_a_large_table_is_prepared_once(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = TOML.replace('"digits"', '"x.csv"').replace("scale = 0.0625", "standardize = true")
    project = project_of(tmp_path, text.replace("ufixed<5,1>", "fixed<10,4,RND,SAT>").format(epochs=1), MODEL)
    write_table(tmp_path / "x.csv", 1000)
    assert not is_mapped(load_data(project).x_train)
    assert not folder.exists()
    write_table(tmp_path / "x.csv", 120_000)
    assert (tmp_path / "x.csv").stat().st_size > LARGE_BYTES
    first, second = load_data(project), load_data(project)
    assert is_mapped(second.x_train)
    assert_equal(first, second)
    assert second.labels == ("high", "low")
    changed = project.data.model_copy(update={"flip": True})
    assert_equal(first, load_data(project.model_copy(update={"data": changed})))
    assert len(copies(folder)) == 1  # what only training does needs no copy of its own
    changed = project.data.model_copy(update={"seed": 1})
    assert load_data(project.model_copy(update={"data": changed})).digest() != first.digest()
    assert len(copies(folder)) == 2
    shutil.rmtree(folder.parent)
    monkeypatch.setenv("HLSFLOW_DATA", str(tmp_path / "x.csv"))  # no folder: nothing is kept
    plain = load_data(project)
    assert not is_mapped(plain.x_train)
    assert_equal(first, plain)
