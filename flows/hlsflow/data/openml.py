"""The LHC jets of OpenML, downloaded once and kept for all projects; what stands in where they cannot be had.

In: a project. Out: the file `jets.npz` in `hlsflow.core.caches.data_folder()`, or the project with its stand-in.

The set is `hls4ml_lhc_jets_hlf`: 830,000 simulated jets of 16 features in 5 classes, gluon, light quark, top, W and Z
(Duarte et al., "Fast inference of deep neural networks in FPGAs for particle physics", 2018). scikit-learn fetches it,
checks its MD5, and keeps what OpenML sent in a folder of its own.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import numpy as np
from numpy.typing import NDArray

from hlsflow.core.caches import DATA_VARIABLE, data_folder
from hlsflow.core.errors import DataError, FlowError, StorageError
from hlsflow.core.store import locked, replacing
from hlsflow.data.sources import impatient, read_npz
from hlsflow.project import FETCHED_SETS, Project

DATA_ID = 42468
FEATURES = 16
CLASSES = 5

DESCRIPTION = f"api/v1/json/data/{DATA_ID}"
"""What scikit-learn asks OpenML for first: the path of its address, and of the copy in scikit-learn's folder."""

ANSWER_TIMEOUT_S = 10.0
"""Silence of OpenML after which it counts as out of reach; scikit-learn itself would try four times."""

Say = Callable[[str], None]


def settled(project: Project, say: Say) -> Project:
    """The project with the set that all of its steps use: downloaded where it has to be, or replaced by its stand-in.

    Projects that ask for no set of OpenML, or have settled already, are returned as they are.

    Args:
        say: where to report a download, and a stand-in.
    Raises:
        DataError: the set is neither here nor to be downloaded, and the project names no stand-in.
        StorageError: it cannot be kept, and the project names no stand-in.
    """
    data = project.data
    if data.source not in FETCHED_SETS and project.data_set not in FETCHED_SETS:
        return project
    try:
        fetch(say)
    except FlowError as error:
        if data.source not in FETCHED_SETS or data.fallback is None:
            raise
        say(f"data: {error.message}")
        say(f"data: '{data.fallback}' stands in for '{data.source}', and every accuracy is one of '{data.fallback}'")
        return project.model_copy(update={"data": data.model_copy(update={"source": data.fallback, "fallback": None})})
    return project


def fetch(say: Say) -> Path:
    """Download the jets unless they are here already; returns their file.

    The file holds `x` (jets, 16) as float64, `y` (jets,) as int64, and `labels` (5,), the names of the classes.

    Raises:
        DataError: they cannot be downloaded. StorageError: they cannot be kept.
    """
    file = data_folder() / "jets.npz"
    if _is_whole(file):
        return file
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with locked(file.with_suffix(".lock"), "data: another run fetches the jets: waiting for it", say):
            if not _is_whole(file):
                say(f"data: fetching the LHC jets, OpenML's set {DATA_ID}, once")
                _keep(file, _download())
    except OSError as error:
        raise StorageError(
            f"cannot keep the jets in {file}: {error.strerror or error}", f"name another folder with {DATA_VARIABLE}"
        ) from error
    return file


def _is_whole(file: Path) -> bool:
    """Whether the file is there and undamaged: the checksums of the archive are read along."""
    if not file.is_file():
        return False
    try:
        return set(read_npz(file)) == {"x", "y", "labels"}
    except DataError:
        return False


def _keep(file: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write the file, whole or not at all; raises OSError."""
    with replacing(file) as part:
        np.savez(part, allow_pickle=False, **arrays)


def _download() -> Mapping[str, NDArray[Any]]:
    """The set, from scikit-learn's folder or from OpenML."""
    from sklearn.datasets import fetch_openml

    try:
        with warnings.catch_warnings(), impatient():
            warnings.simplefilter("ignore")  # of what it tries again
            if not _described():
                urlopen(f"https://www.openml.org/{DESCRIPTION}", timeout=ANSWER_TIMEOUT_S).close()
            jets = fetch_openml(data_id=DATA_ID, as_frame=False, parser="liac-arff", n_retries=1)
        labels, classes = np.unique(jets.target.astype(str), return_inverse=True)
        if jets.data.shape[1:] != (FEATURES,) or len(labels) != CLASSES:
            raise ValueError(f"it has {jets.data.shape[1]} features and {len(labels)} classes, not 16 and 5")
    except Exception as error:  # the network may fail in any way, and scikit-learn with it
        raise DataError(
            f"the LHC jets (OpenML's set {DATA_ID}) are neither here nor to be downloaded: {error}",
            "connect to the internet once, or set data.fallback to 'synthetic_jets', or data.source to a file of yours",
        ) from error
    return {"x": jets.data, "y": classes.astype(np.int64), "labels": labels}


def _described() -> bool:
    """Whether scikit-learn has asked OpenML before, so that it may need no network now."""
    from sklearn.datasets import get_data_home

    return (Path(get_data_home()) / "openml" / "openml.org" / f"{DESCRIPTION}.gz").is_file()
