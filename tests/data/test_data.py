"""Data sets: the digits split, the exact input grid, and what is said about unusable files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hlsflow.core.errors import DataError, ModelError
from hlsflow.data import Dataset, check_classes, load_data
from hlsflow.ir.fixed import Fixed
from hlsflow.project import Project, for_model, parse
from tests.qat.qat_project import small_project

RNG = np.random.default_rng(0)
X, Y = RNG.integers(-8, 8, (60, 4)) / 4, np.arange(60) % 3
"""Samples on the grid of fixed<5,3>, and three classes."""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return small_project(tmp_path, 1)


def with_data(project: Project, precision: str = "fixed<5,3>", **data: Any) -> Project:
    """The project with another data section."""
    values = project.model_dump(mode="json", exclude={"folder", "model_digest"})
    values |= {"data": data, "input": {"precision": precision}, "sweep": {}, "target": {}}
    return Project(folder=project.folder, model_digest="", **dict(parse(values, "test")))


def load_npz(
    project: Project, precision: str = "fixed<5,3>", data: dict[str, Any] | None = None, **arrays: Any
) -> Dataset:
    np.savez(project.folder / "x.npz", **arrays)
    return load_data(with_data(project, precision, source="x.npz", **(data or {})))


SPLIT: dict[str, Any] = {"test": 0.2, "validation": 0.25}


def test_digits_are_split_evenly_and_stay_integers_over_16(project: Project) -> None:
    data = load_data(project)
    assert [len(y) for y in (data.y_train, data.y_val, data.y_test)] == [1293, 144, 360]
    assert (data.classes, data.shape, str(data.x_test.dtype)) == (10, (64,), "float32")
    assert set(np.bincount(data.y_test)) <= {35, 36, 37}
    pixels = project.input.precision.quantize(data.x_test)
    assert (pixels.min(), pixels.max()) == (0, 16)
    np.testing.assert_array_equal(project.input.precision.real(pixels), data.x_test)


def test_the_split_depends_on_its_seed_alone(project: Project) -> None:
    digits = {"source": "digits", "test": 0.2, "validation": 0.1, "scale": 0.0625}
    digests = [load_data(with_data(project, "ufixed<5,1>", seed=seed, **digits)).digest() for seed in (0, 0, 1)]
    assert digests[0] == load_data(project).digest() == digests[1] != digests[2]


def test_one_piece_is_split(project: Project) -> None:
    data = load_npz(project, data=SPLIT, x=X, y=Y)
    assert [len(y) for y in (data.y_train, data.y_val, data.y_test)] == [36, 12, 12]
    assert list(np.bincount(data.y_test)) == [4, 4, 4]


def test_parts_of_their_own_are_taken_as_they_are(project: Project) -> None:
    parts: dict[str, Any] = {"x_train": X[:40], "y_train": Y[:40], "x_val": X[40:50], "y_val": Y[40:50]}
    data = load_npz(project, **parts, x_test=X[50:], y_test=Y[50:])
    np.testing.assert_array_equal(data.x_val, X[40:50])
    np.testing.assert_array_equal(data.y_test, Y[50:])


@pytest.mark.parametrize("y", [Y.astype(float), Y[:, None], np.eye(3)[Y], np.eye(3, dtype=bool)[Y]])
def test_columns_and_one_hot_rows_are_class_numbers(project: Project, y: Any) -> None:
    one, other = (load_npz(project, data=SPLIT, x=X, y=classes) for classes in (Y, y))
    np.testing.assert_array_equal(one.y_test, other.y_test)
    assert other.y_test.dtype == np.int64


def test_a_single_class_is_split(project: Project) -> None:
    data = load_npz(project, data=SPLIT, x=X, y=np.zeros(60))
    assert ([len(y) for y in (data.y_train, data.y_val, data.y_test)], data.classes) == ([36, 12, 12], 1)


def test_samples_are_scaled_then_rounded_as_the_type_says(project: Project) -> None:
    raw = X * 40 + 7
    data = load_npz(project, "fixed<4,3,RND,SAT>", SPLIT | {"scale": 0.025, "offset": 7}, x=raw, y=Y)
    grid = Fixed.parse("fixed<4,3,RND,SAT>")
    expected = grid.real(grid.quantize((raw - 7) * 0.025))
    assert set(np.unique(data.x_train)) <= set(np.unique(expected))


def test_a_trained_model_needs_a_test_set_alone(tmp_path: Path) -> None:
    (tmp_path / "m.h5").write_bytes(b"")
    np.savez(tmp_path / "x.npz", x=X, y=Y)
    data = load_data(for_model(tmp_path / "m.h5", tmp_path / "x.npz", "fixed<5,3>"))
    assert (len(data.x_train), len(data.x_val), data.classes) == (0, 0, 3)
    np.testing.assert_array_equal(data.x_test, X)


@pytest.mark.parametrize("classes", [{}, {"y_test": Y[:0]}])
def test_a_trained_models_test_set_may_have_no_classes(tmp_path: Path, classes: Any) -> None:
    (tmp_path / "m.h5").write_bytes(b"")
    np.savez(tmp_path / "x.npz", x_test=X[:1], **classes)
    data = load_data(for_model(tmp_path / "m.h5", tmp_path / "x.npz", "fixed<5,3>"))
    assert (data.x_test.shape, data.y_test.shape, data.classes) == ((1, 4), (0,), 0)
    check_classes(data, 1, "m.h5")


@pytest.mark.parametrize(("classes", "outputs", "right"), [(2, 1, True), (3, 1, False), (3, 3, True), (4, 3, False)])
def test_classes_must_be_among_the_outputs(project: Project, classes: int, outputs: int, right: bool) -> None:
    data = load_npz(project, data=SPLIT, x=X, y=np.arange(60) % classes)
    if right:
        check_classes(data, outputs, "m.h5")
        return
    with pytest.raises(ModelError, match=f"m.h5 gives {outputs} outputs?, but y of .*x.npz' has class numbers up"):
        check_classes(data, outputs, "m.h5")


def test_what_rounds_out_of_range_counts_as_outside(project: Project) -> None:
    """3.9 lies below 4, but rounds to it, and would wrap to -4; -4.1 rounds to -4."""
    samples = X.copy()
    samples[0, 0] = 3.9
    with pytest.raises(DataError, match=r": 1 of \d+ values, from -\S+ to 3.9, leave the range"):
        load_npz(project, "fixed<5,3,RND>", SPLIT, x=samples, y=Y)
    samples[0, 0] = -4.1
    data = load_npz(project, "fixed<5,3,RND>", SPLIT, x=samples, y=Y)
    assert min(x.min() for x in (data.x_train, data.x_val, data.x_test)) == -4


@pytest.mark.parametrize("size", [1e30, 1e300])
def test_huge_samples_saturate_on_their_own_side(project: Project, size: float) -> None:
    data = load_npz(project, "fixed<5,3,RND,SAT>", SPLIT, x=np.sign(X) * size, y=Y)
    assert set(np.unique(data.x_train)) == {-4.0, 0.0, 3.75}


def test_samples_take_the_shape_of_the_models_input(project: Project) -> None:
    data = load_npz(project, data=SPLIT, x=X, y=Y)
    assert data.shaped((2, 2)).x_train.shape == (36, 2, 2)
    with pytest.raises(DataError, match=r"has shape \(4,\), but the model's input has \(5,\)"):
        data.shaped((5,))


NAN = np.where(np.arange(240).reshape(60, 4) == 17, np.nan, X)


@pytest.mark.parametrize(
    ("arrays", "data", "message"),
    [
        ({"x": X}, SPLIT, "has no array y; it has: x"),
        ({"a": X, "b": Y}, SPLIT, "has no array x_train and no array y_train; it has: a, b"),
        ({"x": X, "y": Y}, {"test": 0.2}, "has no x_val and data.validation is not given"),
        ({"x_train": X, "y_train": Y, "x_test": X, "y_test": Y}, SPLIT, "has x_test, so data.test = 0.2 would split"),
        ({"x": NAN, "y": Y}, SPLIT, "1 sample holds NaN or infinity in x, the first is number 4"),
        (
            {"x": X, "y": np.where(Y == 2, np.nan, Y)},
            SPLIT,
            "20 samples hold NaN or infinity in y, the first is number 2",
        ),
        (
            {"x": X, "y": np.where(np.arange(60) > 57, np.inf, 0.5)},
            SPLIT,
            "2 samples hold .* in y, the first is number 58",
        ),
        (
            {"x": (X * 4).astype(np.int64) + 2**60 + 1, "y": Y},
            SPLIT,
            "numbers of more than 53 bits.* in sample 0",
        ),
        ({"x": X, "y": Y[:-1]}, SPLIT, r"x \(60, 4\) and y \(59,\) must be"),
        ({"x": X, "y": np.array(3)}, SPLIT, r"y is one number, no array"),
        ({"x": X[:, 0], "y": Y}, SPLIT, r"x \(60,\) and y \(60,\) must be"),
        ({"x": X, "y": Y - 1}, SPLIT, "y holds whole numbers, the least -1, and classes are numbered from 0"),
        (
            {"x": X, "y": Y[:, None] - 5},
            SPLIT,
            'the least -5, .*\\n.*numbers to estimate, set task = "regr',
        ),
        ({"x": X, "y": Y[:, None, None]}, SPLIT, r"y of shape \(60, 1, 1\) holds neither classes nor labels"),
        ({"x": X, "y": Y[:0]}, SPLIT, r"x \(60, 4\) and y \(0,\) must be"),
        ({"x_train": X, "y_train": Y[:0], "x_val": X, "y_val": Y, "x_test": X, "y_test": Y}, {}, r"y \(0,\) must be"),
        ({"x_train": X, "y_train": Y, "x_val": X, "y_val": Y, "x_test": X, "y_test": Y[:0]}, {}, r"y \(0,\) must be"),
        ({"x": X[:6], "y": Y[:6]}, {"test": 0.1, "validation": 0.2}, "cannot be split evenly: The test_size = 1"),
        ({"x": X.astype(str), "y": Y}, SPLIT, "are not real numbers"),
        ({"x": X.astype(object), "y": Y}, SPLIT, "holds pickled Python objects, which could run code; it is not read"),
        ({"x": X, "y": np.arange(60)}, SPLIT, "cannot be split evenly: The least populated class"),
        ({"x": X * 4, "y": Y}, SPLIT, r"leave the range of the input type fixed<5,3>, -4 to 3.75, and would wrap"),
        ({"x": X[:0], "y": Y[:0]}, SPLIT, "has no samples in x"),
        (
            {"x_train": X, "y_train": Y, "x_val": X, "y_val": Y, "x_test": X[:, :3], "y_test": Y},
            {},
            "have different shapes",
        ),
    ],
)
def test_unusable_files_are_refused(project: Project, arrays: Any, data: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load_npz(project, data=data, **arrays)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "does not exist"),
        (b"no zip", "holds pickled Python objects|is not a readable .npz file"),
        (b"", "is not a readable .npz file"),
        (b"PK\x03\x04 cut off", "is not a readable .npz file"),
    ],
)
def test_damaged_files_are_refused(project: Project, content: bytes | None, message: str) -> None:
    if content is not None:
        (project.folder / "x.npz").write_bytes(content)
    with pytest.raises(DataError, match=message):
        load_data(with_data(project, source="x.npz", **SPLIT))


def test_a_bare_array_is_refused(project: Project) -> None:
    with (project.folder / "x.npz").open("wb") as file:
        np.save(file, X)
    with pytest.raises(DataError, match="holds one bare array"):
        load_data(with_data(project, source="x.npz", **SPLIT))


def test_inputs_wider_than_float32_are_refused(project: Project) -> None:
    with pytest.raises(DataError, match="wider than the 24 bits"):
        load_npz(project, "fixed<30,10>", SPLIT, x=X, y=Y)


def test_features_are_standardized_by_what_is_outside_the_test_set(project: Project) -> None:
    raw = RNG.normal([3.0, -40.0, 0.0, 7.0], [2.0, 9.0, 0.1, 0.0], (200, 4))
    classes = np.arange(200) % 2
    wide = "fixed<20,8,RND,SAT>"
    data = load_npz(project, wide, {"standardize": True, **SPLIT}, x=raw, y=classes)
    known = np.concatenate([data.x_train, data.x_val])
    np.testing.assert_allclose(known.mean(0), 0, atol=1e-3)
    np.testing.assert_allclose(known.std(0), [1, 1, 1, 0], atol=1e-3)  # the last one never changes
    assert np.abs(data.x_test[:, :3].mean(0)).min() > 1e-3  # of other samples


def test_a_trained_model_is_judged_on_the_same_standardized_samples(project: Project) -> None:
    raw = RNG.normal(5, 3, (100, 4))
    np.savez(project.folder / "x.npz", x=raw, y=np.arange(100) % 2)
    own = with_data(project, "fixed<12,4,RND,SAT>", source="x.npz", standardize=True, **SPLIT)
    judged = own.model_copy(update={"training": None})
    np.testing.assert_array_equal(load_data(judged).x_test, load_data(own).x_test)
    assert load_data(judged).standard == load_data(own).standard
    assert load_data(own).standard["by"] == "the 80 samples of x.npz outside the test set"


def test_made_up_jets_have_the_shape_of_real_ones(project: Project) -> None:
    made = {"source": "synthetic_jets", "test": 0.2, "validation": 0.1, "standardize": True}
    data = load_data(with_data(project, "fixed<10,4,RND,SAT>", **made))
    assert (data.name, data.shape, data.classes) == ("synthetic_jets", (16,), 5)
    assert [len(y) for y in (data.y_train, data.y_val, data.y_test)] == [14400, 1600, 4000]
