"""Where samples come from: named sets, `.npz` files and tables.

In: a project, or the path of a file. Out: named arrays, as they come: `x`, `y` in one piece, or `x_train`, `y_train`,
`x_test`, `y_test` and perhaps `x_val`, `y_val`.
"""

from __future__ import annotations

import importlib
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hlsflow.core import foreign
from hlsflow.core.errors import DataError
from hlsflow.data.columns import ABSENT, read_columns
from hlsflow.keras import keras2
from hlsflow.project import TABLES, Project

Arrays = Mapping[str, NDArray[Any]]

NPZ = foreign.Kind(
    "the data file",
    "is not a readable .npz file",
    "save it with numpy.savez(path, x_train=…, y_train=…, x_test=…, y_test=…), or with x=… and y=… alone",
    absent=ABSENT,
)

DOWNLOAD_TIMEOUT_S = 30.0
"""Silence of a server after which a download counts as failed."""


def read_source(project: Project) -> Arrays:
    """The arrays of the project's source, or of its fallback where the source is missing; nothing of OpenML's is
    downloaded here, but by `hlsflow.data.openml`.

    Raises:
        DataError: missing, damaged, or neither in Keras' cache nor to be downloaded.
    """
    path, data = project.data_path, project.data
    if path is None:
        return SETS[project.data_name]()
    if path.suffix in TABLES:
        return read_columns(path, data.label, data.features, data.targets, data.sample_weight)
    return renamed(read_npz(path), data.label, data.features, str(path))


def read_file(path: Path, label: str | None = None, features: Sequence[str] = ()) -> Arrays:
    """The arrays of a file, by its ending.

    Args:
        label, features: columns of a table, or arrays of an `.npz` file.
    Raises:
        DataError: as `read_npz`, `renamed` and `read_columns`.
    """
    if path.suffix in TABLES:
        return read_columns(path, label, features)
    return renamed(read_npz(path), label, features, str(path))


SETS_OF = ("", "_train", "_val", "_test")
"""What stands behind the name of an array that is one set of several."""


def renamed(arrays: Arrays, label: str | None, features: Sequence[str], name: str) -> Arrays:
    """The arrays with those that are called otherwise as `x` and `y`, each also with `_train`, `_val` or `_test`.

    Args:
        label, features: what `y` and `x` are called; None and empty: just so.
        name: of the file, for messages.
    Raises:
        DataError: no array is called so.
    """
    called = {"x": features[0] if features else None, "y": label}
    found = dict(arrays)
    for key, own in called.items():
        sets = {f"{key}{end}": arrays[f"{own}{end}"] for end in SETS_OF if f"{own}{end}" in arrays}
        if own is not None and not sets:
            told = ", ".join(sorted(arrays)) or "nothing"
            raise DataError(f"{name} has no array {own}, nor {own}_test; it has: {told}", "name one of these")
        found |= sets
    return found


def read_npz(path: Path) -> Arrays:
    """The arrays of an `.npz` file.

    Raises:
        DataError: missing, damaged, of another format, or with pickled objects.
    """
    try:
        return foreign.arrays(path, NPZ)
    except DataError as error:
        if not isinstance(error.__cause__, ValueError) or "allow_pickle" not in str(error):
            raise
    NPZ.refuse(path, "holds pickled Python objects, which could run code; it is not read")


def _digits() -> Arrays:
    """1,797 images of 8 x 8 pixels, 0 to 16, as rows of 64 (scikit-learn's copy of the UCI test set of digits)."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return {"x": bunch.data, "y": bunch.target}


def _digits_fusion() -> Arrays:
    """Two views of each image of `digits`, side by side in rows of 48, all from 0 to 16: the 4 x 8 pixels of its upper
    half, and the means of its 8 rows and of its 8 columns, in steps of 1/8."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    upper = bunch.images[:, :4].reshape(len(bunch.images), -1)
    return {"x": np.hstack([upper, bunch.images.mean(2), bunch.images.mean(1)]), "y": bunch.target}


def _mnist() -> Arrays:
    """60,000 and 10,000 images of 28 x 28 pixels, 0 to 255 (LeCun, Cortes and Burges)."""
    return _keras("mnist")


def _cifar10() -> Arrays:
    """50,000 and 10,000 images of 32 x 32 pixels of 3 colours, 0 to 255 (Krizhevsky, 2009)."""
    return _keras("cifar10")


def _synthetic_jets() -> Arrays:
    """20,000 made-up samples of 16 features in 5 classes, in the shape of the LHC jet set; no physics is in them."""
    from sklearn.datasets import make_classification

    x, y = make_classification(
        n_samples=20_000,
        n_features=16,
        n_informative=10,
        n_redundant=4,
        n_classes=5,
        n_clusters_per_class=2,
        class_sep=1.5,
        random_state=0,
    )
    return {"x": x, "y": y}


SETS: Mapping[str, Callable[[], Arrays]] = {
    "digits": _digits,
    "digits_fusion": _digits_fusion,
    "mnist": _mnist,
    "cifar10": _cifar10,
    "synthetic_jets": _synthetic_jets,
}
"""Named sets that are no files of ours → their readers."""


def _keras(name: str) -> Arrays:
    """A set from Keras' cache, downloaded by Keras when it is not there; Keras checks its SHA-256."""
    keras2.ready()
    try:
        with impatient():
            (x_train, y_train), (x_test, y_test) = importlib.import_module(f"tf_keras.datasets.{name}").load_data()
    except Exception as error:  # Keras raises bare Exceptions for what the network does
        raise DataError(
            f"Keras can neither find the data set '{name}' in its cache nor download it: {error}",
            "connect to the internet once, or set data.source to the path of an .npz file of yours",
        ) from error
    return {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}


@contextmanager
def impatient() -> Iterator[None]:
    """Downloads give up after a silence; Keras itself would wait for ever."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(DOWNLOAD_TIMEOUT_S)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
